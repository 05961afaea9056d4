//! Statements that only PostgreSQL needs.

use super::org_unit::columns;

/// A unit ($2) and those above it, as `up`. It ends also on a cycle; no tree is so deep.
macro_rules! path {
    () => {
        "WITH RECURSIVE up (id, parent_id, steps) AS (
             SELECT o.id, o.parent_id, 1 FROM org_units o WHERE o.tenant_id = $1 AND o.id = $2
             UNION ALL
             SELECT o.id, o.parent_id, up.steps + 1 FROM up JOIN org_units o ON o.id = up.parent_id
             WHERE o.tenant_id = $1 AND up.steps < 100000
         ) "
    };
}

super::statements! {
    /// The writers of a tenant wait here for each other, on whatever node. With it a group begins, so that
    /// every later statement sees what the one before has done.
    LOCK_TENANT = "SELECT 1 FROM tenant_state WHERE tenant_id = $1 FOR UPDATE";
    /// As [`super::tenant::SERVER_KEY_IS`]; the key stays until the transaction ends.
    SERVER_KEY_STAYS = "SELECT 1 FROM server_key WHERE only_row = 1 AND fingerprint = $1 FOR SHARE";
    /// A unit, once for each unit on its path, whose id comes last.
    LOCATED = concat!(path!(), "SELECT ", columns!(), ", up.id FROM up, org_units o
        WHERE o.tenant_id = $1 AND o.id = $2 ORDER BY up.steps");
    PATH = concat!(path!(), "SELECT up.id FROM up ORDER BY up.steps");
}
