//! Statements on media prompts, and on the marks of objects that nothing refers to. Those are of no tenant, so that they
//! outlive it; each key names its tenant.

use super::org_unit::subtree;

/// The columns of a prompt, as `rows/mod.rs` reads them.
macro_rules! columns {
    () => {
        "p.id, p.tenant_id, p.org_unit_id, p.name, p.message_type, p.file_name, p.kind, p.size, p.duration_ms, \
         p.checksum, p.object_key, p.created_at"
    };
}

pub(crate) use columns;

/// Those of a tenant. $2 is not looked at, so that the parameters of all lists are the same.
macro_rules! of_tenant {
    () => {
        "FROM media_prompts p WHERE p.tenant_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR TRUE)"
    };
}

/// Those of a unit ($2) and all below it.
macro_rules! of_subtree {
    () => {
        "FROM sub CROSS JOIN media_prompts p WHERE p.org_unit_id = sub.id AND p.tenant_id = $1"
    };
}

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM media_prompts p WHERE p.tenant_id = $1 AND p.id = $2");
    LIST = concat!("SELECT ", columns!(), " ", of_tenant!(), " ORDER BY p.created_at DESC, p.id DESC LIMIT $3 OFFSET $4");
    LIST_COUNT = concat!("SELECT COUNT(*) ", of_tenant!());
    SUBTREE = concat!(subtree!(), "SELECT ", columns!(), " ", of_subtree!(),
        " ORDER BY p.created_at DESC, p.id DESC LIMIT $3 OFFSET $4");
    SUBTREE_COUNT = concat!(subtree!(), "SELECT COUNT(*) ", of_subtree!());
    INSERT = "INSERT INTO media_prompts (id, tenant_id, org_unit_id, name, message_type, file_name, kind, size, duration_ms,
                  checksum, object_key, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    DELETE = "DELETE FROM media_prompts WHERE tenant_id = $1 AND id = $2";
    /// From $2 on the object is to be removed; it may have a mark already.
    MARK = "INSERT INTO object_garbage (object_key, due_at) VALUES ($1, $2)
            ON CONFLICT (object_key) DO UPDATE SET due_at = excluded.due_at";
    UNMARK = "DELETE FROM object_garbage WHERE object_key = $1";
    MARKED = "SELECT object_key FROM object_garbage WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
}
