//! Statements on tenants, their credentials, their journal, and what belongs to the installation.

macro_rules! columns {
    () => {
        "t.id, t.organization_id, t.name, t.country, t.currency, t.status, t.top_org_unit_id, t.version, \
         t.created_at, t.modified_at, t.tier"
    };
}

/// The columns of a journal entry, as `rows/mod.rs` reads them.
macro_rules! journal_columns {
    () => {
        "sequence, at, actor_kind, actor_id, dialect, kind, entity, entity_id, version, payload, org_unit_id"
    };
}

/// $2: after this one; from $3 on what is asked for, or null.
macro_rules! journal_filter {
    () => {
        " FROM journal WHERE tenant_id = $1 AND sequence > $2
             AND (CAST($3 AS TEXT) IS NULL OR entity = $3) AND (CAST($4 AS TEXT) IS NULL OR entity_id = $4)
             AND (CAST($5 AS BIGINT) IS NULL OR actor_kind = $5) AND (CAST($6 AS BIGINT) IS NULL OR actor_id = $6)
             AND at >= $7 AND at < $8"
    };
}

macro_rules! journal_insert {
    () => {
        "INSERT INTO journal (tenant_id, sequence, at, actor_kind, actor_id, dialect, kind, entity, entity_id, version,
             payload, org_unit_id)
         SELECT s.tenant_id, s.journal_sequence + $2, $3, $4, $5, $6, $7, $8, $9, "
    };
}

pub(crate) use journal_columns;

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM tenants t WHERE t.id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM tenants t WHERE t.id > $1 ORDER BY t.id LIMIT $2");
    INSERT = "INSERT INTO tenants (id, organization_id, name, country, currency, status, top_org_unit_id, version,
                  created_at, modified_at, tier)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// $7: the version that the change was decided on.
    UPDATE = "UPDATE tenants SET name = $2, country = $3, currency = $4, status = $5, version = $6, modified_at = $8,
                  tier = $9
              WHERE id = $1 AND version = $7";
    STATE_INSERT = "INSERT INTO tenant_state (tenant_id) VALUES ($1)";
    /// By how much a group of commits has moved the journal's head, the counts and the balance.
    STATE_UPDATE = "UPDATE tenant_state SET journal_sequence = journal_sequence + $2,
                        org_units = org_units + $3, users_active = users_active + $4,
                        users_inactive = users_inactive + $5, users_deleted = users_deleted + $6,
                        user_groups = user_groups + $7, balance = balance + $8,
                        movements = movements + $9, messages = messages + $10,
                        incomings = incomings + $11
                    WHERE tenant_id = $1";
    COUNTS = "SELECT org_units, users_active, users_inactive, users_deleted, user_groups, journal_sequence, messages,
                  incomings
              FROM tenant_state WHERE tenant_id = $1";
    TREE_VERSION = "SELECT tree_version FROM tenant_state WHERE tenant_id = $1";
    TREE_VERSION_IS = "SELECT 1 FROM tenant_state WHERE tenant_id = $1 AND tree_version = $2";
    TREE_CHANGED = "UPDATE tenant_state SET tree_version = tree_version + 1 WHERE tenant_id = $1";
    /// $2: the how-manieth entry of its group of commits, which moves the head on when all are written.
    JOURNAL_INSERT = concat!(journal_insert!(), "$10, $11, $12 FROM tenant_state s WHERE s.tenant_id = $1");
    /// With the version that the user group ($10) has by then, be it a deleted one.
    JOURNAL_INSERT_OF_USER_GROUP = concat!(journal_insert!(), "g.version, $11, $12
        FROM tenant_state s JOIN user_groups g ON g.tenant_id = s.tenant_id AND g.id = $10 WHERE s.tenant_id = $1");
    JOURNAL_LIST = concat!("SELECT ", journal_columns!(), journal_filter!(), " ORDER BY sequence LIMIT $9");
    JOURNAL_NEWEST = concat!("SELECT ", journal_columns!(), journal_filter!(), "
        ORDER BY sequence DESC LIMIT $9");
    JOURNAL_TRIM = "DELETE FROM journal WHERE tenant_id = $1 AND sequence <= $2";
    JOURNAL_TRIMMED = "UPDATE tenant_state SET journal_trimmed = $2 WHERE tenant_id = $1 AND journal_trimmed < $2";
    JOURNAL_FORGET_USER = "UPDATE journal SET payload = '{}'
                           WHERE tenant_id = $1 AND entity = 'user' AND entity_id = $2";
    CREDENTIALS = "SELECT id, dialect, name, public_id, secret_hash, secret_sealed, read_only, expires_at,
                       revoked_at, created_at, last_used_at, profile
                   FROM credentials WHERE tenant_id = $1 ORDER BY id";
    CREDENTIAL_INSERT = "INSERT INTO credentials (id, tenant_id, dialect, name, public_id, secret_hash,
                             secret_sealed, read_only, expires_at, revoked_at, created_at, last_used_at, profile)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    CREDENTIAL_REVOKE = "UPDATE credentials SET revoked_at = $3
                         WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
    /// $3: the last use that was read, or null.
    CREDENTIAL_USED = "UPDATE credentials SET last_used_at = $4
                       WHERE tenant_id = $1 AND id = $2 AND last_used_at IS NOT DISTINCT FROM $3";
    /// The caller behind an active credential, with the status of its tenant, which is not being deleted (3).
    CREDENTIAL_CALLER = "SELECT c.id, c.read_only, c.last_used_at, t.top_org_unit_id, t.status, c.profile
                         FROM credentials c JOIN tenants t ON t.id = c.tenant_id AND t.status <> 3
                         WHERE c.tenant_id = $1 AND c.dialect = $2 AND c.secret_hash = $3
                             AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $4)";
    /// Who says to call with an access key, as `CREDENTIAL_CALLER` has it, and what the request has to be signed with.
    CREDENTIAL_SIGNED_CALLER = "SELECT c.id, c.read_only, c.last_used_at, t.top_org_unit_id, t.status, c.profile,
                                    t.organization_id, c.secret_sealed
                                FROM credentials c JOIN tenants t ON t.id = c.tenant_id AND t.status <> 3
                                WHERE c.tenant_id = $1 AND c.dialect = $2 AND c.public_id = $3
                                    AND c.secret_sealed IS NOT NULL
                                    AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $4)";
    /// The key stays until the transaction ends: its rotation is nothing that waits for the writers of a tenant.
    SERVER_KEY_IS = "SELECT 1 FROM server_key WHERE only_row = 1 AND fingerprint = $1 /* FOR SHARE */";
    IS_DELETING = "SELECT 1 FROM tenants t WHERE t.id = $1 AND t.status = 3";
    /// Takes $2 ids of a kind and returns the first id after them.
    IDS_RESERVE = "INSERT INTO id_blocks (kind, next_id) VALUES ($1, 1 + CAST($2 AS BIGINT))
                   ON CONFLICT (kind) DO UPDATE SET next_id = id_blocks.next_id + $2 RETURNING next_id";
}
