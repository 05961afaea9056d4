//! Statements on session tokens. Kind: 1 access, 2 refresh.

super::statements! {
    /// The caller behind an access token that lives, whose user (status 1) and tenant (1) are active.
    CALLER = "SELECT s.user_id, u.role, u.org_unit_id, t.top_org_unit_id, s.family, s.expires_at, s.retired_at
              FROM session_tokens s
              JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.status = 1
              JOIN tenants t ON t.id = s.tenant_id AND t.status = 1
              WHERE s.tenant_id = $1 AND s.hash = $2 AND s.kind = 1 AND s.expires_at > $3";
    GET = "SELECT family, user_id, created_at, expires_at, retired_at FROM session_tokens
           WHERE tenant_id = $1 AND hash = $2 AND kind = $3";
    INSERT = "INSERT INTO session_tokens
                  (tenant_id, hash, kind, family, user_id, created_at, expires_at, retired_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    REFRESH_RETIRE = "UPDATE session_tokens SET retired_at = $3
                      WHERE tenant_id = $1 AND hash = $2 AND kind = 2 AND retired_at IS NULL";
    ACCESS_RETIRE = "UPDATE session_tokens SET retired_at = $3,
                         expires_at = CASE WHEN expires_at < $4 THEN expires_at ELSE $4 END
                     WHERE tenant_id = $1 AND family = $2 AND kind = 1 AND retired_at IS NULL";
    ACCESS_EXTEND = "UPDATE session_tokens SET expires_at = $3
                     WHERE tenant_id = $1 AND hash = $2 AND kind = 1 AND retired_at IS NULL AND expires_at = $4";
    USER_EXPIRE = "DELETE FROM session_tokens WHERE tenant_id = $1 AND user_id = $2 AND expires_at <= $3";
    /// At most $3 of them.
    EXPIRE = "DELETE FROM session_tokens WHERE tenant_id = $1 AND hash IN
                  (SELECT s.hash FROM session_tokens s WHERE s.tenant_id = $1 AND s.expires_at <= $2 LIMIT $3)";
    HAS_EXPIRED = "SELECT 1 FROM session_tokens WHERE tenant_id = $1 AND expires_at <= $2 LIMIT 1";
    DELETE = "DELETE FROM session_tokens WHERE tenant_id = $1 AND hash = $2 AND kind = $3";
    FAMILY_DELETE = "DELETE FROM session_tokens WHERE tenant_id = $1 AND family = $2";
    /// $3: the family that stays, or null.
    USER_DELETE = "DELETE FROM session_tokens
                   WHERE tenant_id = $1 AND user_id = $2 AND (family <> $3 OR $3 IS NULL)";
}
