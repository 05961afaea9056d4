//! Statements on tenants, their credentials, their journal, and what belongs to the installation.

macro_rules! columns {
    () => {
        "t.id, t.organization_id, t.name, t.country, t.currency, t.status, t.top_org_unit_id, t.version, \
         t.created_at, t.modified_at"
    };
}

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM tenants t WHERE t.id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM tenants t WHERE t.id > $1 ORDER BY t.id LIMIT $2");
    INSERT = "INSERT INTO tenants (id, organization_id, name, country, currency, status, top_org_unit_id, version,
                  created_at, modified_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    STATE_INSERT = "INSERT INTO tenant_state (tenant_id, journal_sequence, tree_version) VALUES ($1, 0, 1)";
    TREE_VERSION = "SELECT tree_version FROM tenant_state WHERE tenant_id = $1";
    TREE_CHANGED = "UPDATE tenant_state SET tree_version = tree_version + 1 WHERE tenant_id = $1";
    JOURNAL_HEAD = "SELECT journal_sequence FROM tenant_state WHERE tenant_id = $1";
    JOURNAL_HEAD_SET = "UPDATE tenant_state SET journal_sequence = $2 WHERE tenant_id = $1";
    JOURNAL_INSERT = "INSERT INTO journal (tenant_id, sequence, at, actor_kind, actor_id, dialect, kind, entity,
                          entity_id, version, payload)
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    JOURNAL_LIST = "SELECT sequence, at, actor_kind, actor_id, dialect, kind, entity, entity_id, version, payload
                    FROM journal WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
    CREDENTIALS = "SELECT id, dialect, name, public_id, secret_hash, secret_sealed, read_only, expires_at,
                       revoked_at, created_at
                   FROM credentials WHERE tenant_id = $1 ORDER BY id";
    CREDENTIAL_INSERT = "INSERT INTO credentials (id, tenant_id, dialect, name, public_id, secret_hash,
                             secret_sealed, read_only, expires_at, revoked_at, created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// Takes $2 ids of a kind and returns the first id after them.
    IDS_RESERVE = "INSERT INTO id_blocks (kind, next_id) VALUES ($1, 1 + $2)
                   ON CONFLICT (kind) DO UPDATE SET next_id = id_blocks.next_id + $2 RETURNING next_id";
}
