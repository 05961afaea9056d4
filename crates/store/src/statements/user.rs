//! Statements on users and claims of logins.

use super::org_unit::subtree;

/// The columns of a user, as `rows/mod.rs` reads them.
macro_rules! columns {
    () => {
        concat!(
            "u.id, u.tenant_id, u.uuid, u.org_unit_id, u.login, u.login_claimed, u.first_name, u.last_name, u.role, \
             u.status, u.password_hash, u.external_id, u.timezone, u.aliases, u.agent_ring_to, u.agent_code, \
             u.score_call, u.access_audio, u.group_access, u.report_access, u.version, u.created_at, u.modified_at, \
             u.avatar, ",
            $crate::statements::user_group::primary_of_u!(),
            ", u.document"
        )
    };
}

pub(crate) use columns;

/// $3: a role, $4 and $5: patterns of the name key and of the login key, $8 of either; null for any.
macro_rules! filter {
    () => {
        " AND (CAST($3 AS BIGINT) IS NULL OR u.role = $3)
          AND (CAST($4 AS TEXT) IS NULL OR u.name_key LIKE $4 ESCAPE '\\')
          AND (CAST($5 AS TEXT) IS NULL OR u.login_key LIKE $5 ESCAPE '\\')
          AND (CAST($8 AS TEXT) IS NULL OR u.name_key LIKE $8 ESCAPE '\\' OR u.login_key LIKE $8 ESCAPE '\\')"
    };
}

/// $9: a group, null for any.
macro_rules! and_in_group {
    () => {
        " AND (CAST($9 AS BYTEA) IS NULL OR EXISTS (SELECT 1 FROM user_group_members l
                  WHERE l.tenant_id = $1 AND l.group_id = $9 AND l.user_id = u.id))"
    };
}

/// The ids of all users of a tenant that fit, with a status from $6 to $7. $2 is not looked at, so that the
/// parameters of all lists are the same. The `+` keeps the planner on the index that is in the list's order.
macro_rules! of_tenant {
    ($order:literal) => {
        of_tenant!("", $order)
    };
    ($and:literal, $order:literal) => {
        concat!(
            "SELECT u.id FROM users u WHERE u.tenant_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR TRUE)",
            filter!(),
            and_in_group!(),
            " AND +u.status BETWEEN $6 AND $7",
            $and,
            " ORDER BY ",
            $order,
            " LIMIT $10 OFFSET $11"
        )
    };
}

/// The users of a unit ($2) and all below it that fit.
macro_rules! in_subtree {
    () => {
        concat!(
            "FROM sub CROSS JOIN users u WHERE u.org_unit_id = sub.id AND u.tenant_id = $1",
            filter!(),
            and_in_group!(),
            " AND u.status BETWEEN $6 AND $7"
        )
    };
}

/// Their ids, each with how many there are: the walk down the tree is what costs, so it is made once.
macro_rules! of_subtree {
    ($order:literal) => {
        concat!(
            subtree!(),
            "SELECT u.id, COUNT(*) OVER () ",
            in_subtree!(),
            " ORDER BY ",
            $order,
            " LIMIT $10 OFFSET $11"
        )
    };
}

/// A user, then id, name, external id and version of its unit, of that unit's parent and of the top.
macro_rules! view {
    ($who:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", o.id, o.name, o.external_id, o.version,
            p.id, p.name, p.external_id, p.version, a.id, a.name, a.external_id, a.version
        FROM users u
        JOIN tenants t ON t.id = u.tenant_id
        JOIN org_units o ON o.tenant_id = u.tenant_id AND o.id = u.org_unit_id
        JOIN org_units a ON a.tenant_id = u.tenant_id AND a.id = t.top_org_unit_id
        LEFT JOIN org_units p ON p.tenant_id = u.tenant_id AND p.id = o.parent_id
        WHERE u.tenant_id = $1 AND ",
            $who
        )
    };
}

/// The members of a group ($9) that fit.
macro_rules! in_group {
    () => {
        concat!(
            "FROM user_group_members l CROSS JOIN users u
             WHERE l.tenant_id = $1 AND l.group_id = $9 AND u.id = l.user_id AND u.tenant_id = l.tenant_id
                 AND (CAST($2 AS BIGINT) IS NULL OR TRUE)",
            filter!(),
            " AND u.status BETWEEN $6 AND $7"
        )
    };
}

/// Their ids, each with how many there are.
macro_rules! of_group {
    ($order:literal) => {
        concat!("SELECT u.id, COUNT(*) OVER () ", in_group!(), " ORDER BY ", $order, " LIMIT $10 OFFSET $11")
    };
}

/// What a change writes that no index has but the one of when users were changed.
macro_rules! details {
    () => {
        "login = $4, login_claimed = $6, first_name = $7, last_name = $8, password_hash = $12, timezone = $14,
         aliases = $15, agent_ring_to = $16, agent_code = $17, score_call = $18, access_audio = $19,
         group_access = $20, report_access = $21, version = $22, modified_at = $23, avatar = $24,
         login_is_email = $26, document = $27"
    };
}

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM users u WHERE u.tenant_id = $1 AND u.id = $2");
    BY_UUID = concat!("SELECT ", columns!(), " FROM users u WHERE u.tenant_id = $1 AND u.uuid = $2");
    VIEW = view!("u.id = $2");
    VIEW_BY_UUID = view!("u.uuid = $2");
    /// The one look-up that begins without a tenant: who logs in.
    BY_CLAIM = concat!("SELECT ", columns!(), " FROM login_claims c
        JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id WHERE c.login_key = $1");
    ADMIN_REMAINS = "SELECT 1 FROM users u
        WHERE u.tenant_id = $1 AND u.role = 1 AND u.status = 1 AND u.id <> $2
            AND u.org_unit_id = (SELECT t.top_org_unit_id FROM tenants t WHERE t.id = $1)
            AND (CAST($3 AS BIGINT) = 0 OR u.password_hash IS NOT NULL)
        LIMIT 1";
    LIST_CREATED = of_tenant!("u.created_at, u.id");
    LIST_CREATED_DESC = of_tenant!("u.created_at DESC, u.id DESC");
    LIST_NAME = of_tenant!("u.name_key, u.id");
    LIST_NAME_DESC = of_tenant!("u.name_key DESC, u.id DESC");
    /// Of users that are not deleted, whose logins are in an index.
    LIST_LOGIN = of_tenant!(" AND u.status <> 3", "u.login_key, u.id");
    LIST_LOGIN_DESC = of_tenant!(" AND u.status <> 3", "u.login_key DESC, u.id DESC");
    LIST_DELETED_LOGIN = of_tenant!("u.login_key, u.id");
    LIST_DELETED_LOGIN_DESC = of_tenant!("u.login_key DESC, u.id DESC");
    LIST_COUNT = concat!("SELECT COUNT(*) FROM users u
        WHERE u.tenant_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR TRUE)", filter!(), and_in_group!(), "
        AND +u.status BETWEEN $6 AND $7");
    SUBTREE_CREATED = of_subtree!("u.created_at, u.id");
    SUBTREE_CREATED_DESC = of_subtree!("u.created_at DESC, u.id DESC");
    SUBTREE_NAME = of_subtree!("u.name_key, u.id");
    SUBTREE_NAME_DESC = of_subtree!("u.name_key DESC, u.id DESC");
    SUBTREE_LOGIN = of_subtree!("u.login_key, u.id");
    SUBTREE_LOGIN_DESC = of_subtree!("u.login_key DESC, u.id DESC");
    SUBTREE_COUNT = concat!(subtree!(), "SELECT COUNT(*) ", in_subtree!());
    GROUP_CREATED = of_group!("u.created_at, u.id");
    GROUP_CREATED_DESC = of_group!("u.created_at DESC, u.id DESC");
    GROUP_NAME = of_group!("u.name_key, u.id");
    GROUP_NAME_DESC = of_group!("u.name_key DESC, u.id DESC");
    GROUP_LOGIN = of_group!("u.login_key, u.id");
    GROUP_LOGIN_DESC = of_group!("u.login_key DESC, u.id DESC");
    GROUP_COUNT = concat!("SELECT COUNT(*) ", in_group!());
    VERSION_IS = "SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.id = $2 AND u.version = $3";
    /// $1 to $27 are those of UPDATE; $28 the UUID, $29 when the user was created.
    INSERT = "INSERT INTO users (tenant_id, id, org_unit_id, login, login_key, login_claimed, first_name, last_name,
                  name_key, role, status, password_hash, external_id, timezone, aliases, agent_ring_to, agent_code,
                  score_call, access_audio, group_access, report_access, version, modified_at, avatar,
                  display_name_key, login_is_email, document, uuid, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                  $21, $22, $23, $24, $25, $26, $27, $28, $29)";
    /// $28: the version that the change was decided on.
    UPDATE = concat!("UPDATE users SET ", details!(), ", org_unit_id = $3, login_key = $5, name_key = $9, role = $10,
                  status = $11, external_id = $13, display_name_key = $25
              WHERE tenant_id = $1 AND id = $2 AND version = $28");
    /// As before, of a user who stays where lists have it: an index is written when a column of it is named.
    UPDATE_IN_PLACE = concat!("UPDATE users SET ", details!(), "
              WHERE tenant_id = $1 AND id = $2 AND version = $28 AND +org_unit_id = $3 AND +login_key = $5
                  AND +name_key = $9 AND role = $10 AND +status = $11 AND +external_id IS NOT DISTINCT FROM $13
                  AND +display_name_key IS NOT DISTINCT FROM $25");
    EMAIL_INSERT = "INSERT INTO user_emails (tenant_id, user_id, email_key) VALUES ($1, $2, $3)";
    EMAILS_DELETE = "DELETE FROM user_emails WHERE tenant_id = $1 AND user_id = $2";
    CLAIM = "INSERT INTO login_claims (login_key, tenant_id, user_id) VALUES ($1, $2, $3)";
    UNCLAIM = "DELETE FROM login_claims WHERE login_key = $1 AND tenant_id = $2 AND user_id = $3";
}
