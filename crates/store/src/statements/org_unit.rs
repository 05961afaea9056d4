//! Statements on org units. Status: 1 active, 2 inactive; a filter gives the least and the greatest.

/// The columns of an org unit, as `rows/mod.rs` reads them.
macro_rules! columns {
    () => {
        "o.id, o.tenant_id, o.parent_id, o.status, o.name, o.external_id, o.billing_id, o.address, o.city, \
         o.state, o.zip, o.phone_number, o.industry_id, o.timezone, o.version, o.created_at, o.modified_at"
    };
}

pub(crate) use columns;

/// See [`BELOW`].
macro_rules! below {
    () => {
        "FROM sub CROSS JOIN org_units o WHERE o.parent_id = sub.id AND o.tenant_id = $1"
    };
}

/// A unit ($2) and all below it, as `sub`. `UNION` rather than `UNION ALL`, so that it ends also on a cycle.
/// `CROSS JOIN`, here and wherever `sub` is joined, pins the order: without statistics SQLite would
/// read all units of the tenant for each unit found.
macro_rules! subtree {
    () => {
        concat!(
            "WITH RECURSIVE sub (id) AS (
             SELECT o.id FROM org_units o WHERE o.tenant_id = $1 AND o.id = $2
             UNION
             SELECT o.id ",
            $crate::statements::org_unit::below!(),
            ") "
        )
    };
}

pub(crate) use {below, subtree};

/// As [`BELOW`] for PostgreSQL: what is fenced in (`OFFSET 0`) it looks up for each unit found. Else it may read all units
/// of the tenant for each level, if it takes them to be few.
pub(crate) const BELOW_IN_POSTGRES: &str =
    "FROM sub CROSS JOIN LATERAL (SELECT o.id, o.status FROM org_units o
    WHERE o.parent_id = sub.id AND o.tenant_id = $1 OFFSET 0) o WHERE TRUE";
/// The units below those in `sub`.
pub(crate) const BELOW: &str = below!();

/// $3 and $4: least and greatest status; $5: a pattern of the name key, or null. The `+` keeps the planner
/// from choosing an index by the status, which nearly all units share, over the one in the list's order.
macro_rules! filter {
    () => {
        " AND +o.status BETWEEN $3 AND $4 AND (CAST($5 AS TEXT) IS NULL OR o.name_key LIKE $5 ESCAPE '\\')"
    };
}

/// The columns of a unit that stand in no index.
macro_rules! details {
    () => {
        "name = $4, external_id = $5, billing_id = $6, address = $7, city = $8, state = $9, zip = $10, \
         phone_number = $11, industry_id = $12, timezone = $13, version = $14, modified_at = $15"
    };
}

/// $3: the version that the change was decided on.
macro_rules! this_version {
    () => {
        " WHERE tenant_id = $1 AND id = $2 AND version = $3"
    };
}

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM org_units o WHERE o.tenant_id = $1 AND o.id = $2");
    PARENT = "SELECT o.parent_id FROM org_units o WHERE o.tenant_id = $1 AND o.id = $2";
    IS_ACTIVE = "SELECT 1 FROM org_units o WHERE o.tenant_id = $1 AND o.id = $2 AND o.status = 1";
    VERSION_IS = "SELECT 1 FROM org_units o WHERE o.tenant_id = $1 AND o.id = $2 AND o.version = $3";
    /// A row when the unit has no active child and no user that is not deleted (user status 3).
    IS_VACANT = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM org_units o
                     WHERE o.parent_id = $2 AND o.tenant_id = $1 AND o.status = 1)
                 AND NOT EXISTS (SELECT 1 FROM users u
                     WHERE u.org_unit_id = $2 AND u.tenant_id = $1 AND u.status <> 3)";
    CHILDREN = concat!("SELECT ", columns!(), " FROM org_units o WHERE o.tenant_id = $1 AND o.parent_id = $2",
        filter!(), " ORDER BY o.name_key, o.id LIMIT $6 OFFSET $7");
    CHILDREN_COUNT = concat!("SELECT COUNT(*) FROM org_units o WHERE o.tenant_id = $1 AND o.parent_id = $2",
        filter!());
    SUBTREE = concat!(subtree!(), "SELECT ", columns!(), " FROM sub CROSS JOIN org_units o
        WHERE o.tenant_id = $1 AND o.id = sub.id", filter!(), " ORDER BY o.id LIMIT $6 OFFSET $7");
    SUBTREE_COUNT = concat!(subtree!(), "SELECT COUNT(*) FROM sub CROSS JOIN org_units o
        WHERE o.tenant_id = $1 AND o.id = sub.id", filter!());
    SUBTREE_IDS = concat!(subtree!(), "SELECT id FROM sub");
    /// $3: the greatest status; what hangs below a unit that is left out is left out too.
    TREE = concat!("WITH RECURSIVE sub (id) AS (
                SELECT CAST($2 AS BIGINT)
                UNION
                SELECT o.id ", below!(), " AND o.status <= $3
            )
            SELECT o.id, o.parent_id, o.name, o.name_key FROM sub
            CROSS JOIN org_units o WHERE o.tenant_id = $1 AND o.id = sub.id");
    INSERT = "INSERT INTO org_units (id, tenant_id, parent_id, status, name, name_key, external_id, billing_id,
                  address, city, state, zip, phone_number, industry_id, timezone, version, created_at, modified_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    /// A unit that stays at its place: an index is written when a column of it is named, changed or not.
    UPDATE_IN_PLACE = concat!("UPDATE org_units SET ", details!(), this_version!());
    /// $16 to $18: the place.
    UPDATE = concat!("UPDATE org_units SET parent_id = $16, status = $17, name_key = $18, ", details!(),
        this_version!());
}
