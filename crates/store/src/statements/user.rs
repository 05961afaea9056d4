//! Statements on users and claims of logins.

/// The columns of a user, as `sqlite/rows.rs` reads them.
macro_rules! columns {
    () => {
        "u.id, u.tenant_id, u.uuid, u.org_unit_id, u.login, u.login_claimed, u.first_name, u.last_name, u.role, \
         u.status, u.password_hash, u.external_id, u.timezone, u.aliases, u.agent_ring_to, u.agent_code, \
         u.score_call, u.access_audio, u.group_access, u.report_access, u.version, u.created_at, u.modified_at"
    };
}

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM users u WHERE u.tenant_id = $1 AND u.id = $2");
    /// A user, then id, name, external id and version of its unit, of that unit's parent and of the top.
    VIEW = concat!("SELECT ", columns!(), ", o.id, o.name, o.external_id, o.version,
            p.id, p.name, p.external_id, p.version, a.id, a.name, a.external_id, a.version
        FROM users u
        JOIN tenants t ON t.id = u.tenant_id
        JOIN org_units o ON o.tenant_id = u.tenant_id AND o.id = u.org_unit_id
        JOIN org_units a ON a.tenant_id = u.tenant_id AND a.id = t.top_org_unit_id
        LEFT JOIN org_units p ON p.tenant_id = u.tenant_id AND p.id = o.parent_id
        WHERE u.tenant_id = $1 AND u.id = $2");
    /// The one look-up that begins without a tenant: who logs in.
    BY_CLAIM = concat!("SELECT ", columns!(), " FROM login_claims c
        JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id WHERE c.login_key = $1");
    VERSION_IS = "SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.id = $2 AND u.version = $3";
    /// $1 to $22 are those of UPDATE; $23 the UUID, $24 when the user was created.
    INSERT = "INSERT INTO users (tenant_id, id, org_unit_id, login, login_key, login_claimed, first_name, last_name,
                  role, status, password_hash, external_id, timezone, aliases, agent_ring_to, agent_code, score_call,
                  access_audio, group_access, report_access, version, modified_at, uuid, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                  $21, $22, $23, $24)";
    /// $23: the version that the change was decided on.
    UPDATE = "UPDATE users SET org_unit_id = $3, login = $4, login_key = $5, login_claimed = $6, first_name = $7,
                  last_name = $8, role = $9, status = $10, password_hash = $11, external_id = $12, timezone = $13,
                  aliases = $14, agent_ring_to = $15, agent_code = $16, score_call = $17, access_audio = $18,
                  group_access = $19, report_access = $20, version = $21, modified_at = $22
              WHERE tenant_id = $1 AND id = $2 AND version = $23";
    CLAIM = "INSERT INTO login_claims (login_key, tenant_id, user_id) VALUES ($1, $2, $3)";
    UNCLAIM = "DELETE FROM login_claims WHERE login_key = $1 AND tenant_id = $2 AND user_id = $3";
}
