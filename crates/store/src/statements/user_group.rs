//! Statements on user groups and memberships. Of a deleted group nothing is read but by what removes its rows.

/// The columns of a group, as `rows/mod.rs` reads them.
macro_rules! columns {
    () => {
        "g.id, g.tenant_id, g.name, g.description, g.external_id, g.extra_fields, g.members, g.version, \
         g.created_at, g.modified_at"
    };
}

pub(crate) use columns;

/// The memberships of the user with the id and tenant of these expressions in groups that are not deleted, and their
/// order: the first is the primary one. It is another than the marked one only while the group of that is deleted. Each group is
/// looked up by its key, behind a fence (`OFFSET 0`): PostgreSQL would join all groups of a tenant that it takes for a small one.
macro_rules! of_user {
    ($user:literal, $tenant:literal) => {
        concat!(
            "FROM user_group_members m WHERE m.user_id = ",
            $user,
            " AND m.tenant_id = ",
            $tenant,
            " AND EXISTS (SELECT 1 FROM user_groups mg
                 WHERE mg.tenant_id = m.tenant_id AND mg.id = m.group_id AND mg.deleted = 0 LIMIT 1 OFFSET 0)
             ORDER BY m.is_primary DESC, m.since, m.group_id"
        )
    };
}

/// The primary group of the user `u`.
macro_rules! primary_of_u {
    () => {
        concat!(
            "(SELECT m.group_id ",
            $crate::statements::user_group::of_user!("u.id", "u.tenant_id"),
            " LIMIT 1)"
        )
    };
}

pub(crate) use {of_user, primary_of_u};

/// $2: a pattern of the name key or of the description key; null for any.
macro_rules! filter {
    () => {
        " WHERE g.tenant_id = $1 AND g.deleted = 0
          AND (CAST($2 AS TEXT) IS NULL OR g.name_key LIKE $2 ESCAPE '\\' OR g.description_key LIKE $2 ESCAPE '\\')"
    };
}

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM user_groups g WHERE g.tenant_id = $1 AND g.id = $2 AND g.deleted = 0");
    LIST = concat!("SELECT ", columns!(), " FROM user_groups g", filter!(), "
        ORDER BY g.created_at DESC, g.id DESC LIMIT $3 OFFSET $4");
    LIST_COUNT = concat!("SELECT COUNT(*) FROM user_groups g", filter!());
    /// How many users are in a group.
    SIZE = "SELECT g.members FROM user_groups g WHERE g.tenant_id = $1 AND g.id = $2 AND g.deleted = 0";
    VERSION_IS = "SELECT 1 FROM user_groups g WHERE g.tenant_id = $1 AND g.id = $2 AND g.version = $3
                  AND g.deleted = 0";
    /// Without its members, as they are counted and as they are.
    IS_VACANT = "SELECT 1 FROM user_groups g WHERE g.tenant_id = $1 AND g.id = $2 AND g.members = 0 AND g.deleted = 0
                 AND NOT EXISTS (SELECT 1 FROM user_group_members m WHERE m.tenant_id = $1 AND m.group_id = $2)";
    INSERT = "INSERT INTO user_groups (tenant_id, id, name, name_key, description, description_key, external_id,
                  external_id_key, extra_fields, version, modified_at, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    /// $12: the version that the change was decided on.
    UPDATE = "UPDATE user_groups SET name = $3, name_key = $4, description = $5, description_key = $6,
                  external_id = $7, external_id_key = $8, extra_fields = $9, version = $10, modified_at = $11
              WHERE tenant_id = $1 AND id = $2 AND version = $12 AND deleted = 0";
    /// As before, of a group with the same keys: an index is written when a column of it is named.
    UPDATE_IN_PLACE = "UPDATE user_groups SET name = $3, description = $5, description_key = $6, external_id = $7,
                  extra_fields = $9, version = $10, modified_at = $11
              WHERE tenant_id = $1 AND id = $2 AND version = $12 AND deleted = 0 AND +name_key = $4
                  AND +external_id_key IS NOT DISTINCT FROM $8";
    DELETE = "UPDATE user_groups SET deleted = 1, version = version + 1, modified_at = $4
              WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted = 0";
    /// $3 members have come or, below zero, gone.
    /// $5: how many have joined or left.
    COUNT = "UPDATE user_groups SET members = members + $3, version = version + $5,
                 modified_at = CASE WHEN modified_at < $4 THEN $4 ELSE modified_at END
             WHERE tenant_id = $1 AND id = $2 AND deleted = 0";
    /// By id, with the ids by which dialects know them, and whether the group is the primary one of each.
    MEMBERS = concat!("SELECT u.id, u.uuid, CASE WHEN ", primary_of_u!(), " = $2 THEN 1 ELSE 0 END, l.since
        FROM user_group_members l CROSS JOIN users u
        WHERE l.tenant_id = $1 AND l.group_id = $2 AND l.user_id > $3 AND u.tenant_id = l.tenant_id
            AND u.id = l.user_id ORDER BY l.user_id LIMIT $4");
    OF_USER = concat!("SELECT m.group_id, m.since ", of_user!("$2", "$1"));
    PRIMARY_OF_USER = concat!("SELECT m.group_id ", of_user!("$2", "$1"), " LIMIT 1");
    MEMBER_INSERT = "INSERT INTO user_group_members (tenant_id, group_id, user_id, is_primary, since)
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, group_id, user_id) DO NOTHING";
    MEMBER_DELETE = "DELETE FROM user_group_members WHERE tenant_id = $1 AND group_id = $2 AND user_id = $3";
    /// None of a user's memberships is marked.
    UNMARK = "UPDATE user_group_members SET is_primary = 0 WHERE tenant_id = $1 AND user_id = $2 AND is_primary = 1";
    MARK = "UPDATE user_group_members SET is_primary = 1 WHERE tenant_id = $1 AND group_id = $2 AND user_id = $3";
    /// A deleted group, and whether it has no memberships any more.
    GARBAGE = "SELECT g.id, CASE WHEN EXISTS
                   (SELECT 1 FROM user_group_members m WHERE m.tenant_id = $1 AND m.group_id = g.id) THEN 0 ELSE 1 END
               FROM user_groups g WHERE g.tenant_id = $1 AND g.deleted = 1 LIMIT 1";
    REAPABLE = "SELECT m.user_id, m.is_primary FROM user_group_members m
                WHERE m.tenant_id = $1 AND m.group_id = $2 ORDER BY m.user_id LIMIT $3";
    IS_DELETED = "SELECT 1 FROM user_groups g WHERE g.tenant_id = $1 AND g.id = $2 AND g.deleted = 1";
    REMOVE = "DELETE FROM user_groups WHERE tenant_id = $1 AND id = $2 AND deleted = 1";
}
