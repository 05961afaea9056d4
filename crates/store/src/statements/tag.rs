//! Statements on tags.

use super::org_unit::subtree;

/// The columns of a tag, as `rows/mod.rs` reads them.
macro_rules! columns {
    () => {
        "g.id, g.tenant_id, g.org_unit_id, g.name, g.color, g.version, g.created_at, g.modified_at"
    };
}

pub(crate) use columns;

/// $3: a pattern of the name key, or null.
macro_rules! filter {
    () => {
        " AND (CAST($3 AS TEXT) IS NULL OR g.name_key LIKE $3 ESCAPE '\\')"
    };
}

/// Those of a tenant. $2 is not looked at, so that the parameters of all lists are the same.
macro_rules! of_tenant {
    () => {
        concat!("FROM tags g WHERE g.tenant_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR TRUE)", filter!())
    };
}

/// Those of a unit ($2) and all below it.
macro_rules! of_subtree {
    () => {
        concat!("FROM sub CROSS JOIN tags g WHERE g.org_unit_id = sub.id AND g.tenant_id = $1", filter!())
    };
}

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM tags g WHERE g.tenant_id = $1 AND g.id = $2");
    LIST = concat!("SELECT ", columns!(), " ", of_tenant!(), " ORDER BY g.name_key, g.id LIMIT $4 OFFSET $5");
    LIST_COUNT = concat!("SELECT COUNT(*) ", of_tenant!());
    SUBTREE = concat!(subtree!(), "SELECT ", columns!(), " ", of_subtree!(),
        " ORDER BY g.name_key, g.id LIMIT $4 OFFSET $5");
    SUBTREE_COUNT = concat!(subtree!(), "SELECT COUNT(*) ", of_subtree!());
    INSERT = "INSERT INTO tags (tenant_id, id, org_unit_id, name, name_key, color, version, modified_at, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    /// $9: the version that the change was decided on.
    UPDATE = "UPDATE tags SET org_unit_id = $3, name = $4, name_key = $5, color = $6, version = $7, modified_at = $8
              WHERE tenant_id = $1 AND id = $2 AND version = $9";
    DELETE = "DELETE FROM tags WHERE tenant_id = $1 AND id = $2 AND version = $3";
}
