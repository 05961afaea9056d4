//! Statements on the block list.

/// The columns of an entry, as `rows/message.rs` reads them.
macro_rules! columns {
    () => {
        "b.id, b.tenant_id, b.number, b.added_by, b.added_at, b.version"
    };
}

pub(crate) use columns;

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM blocked_numbers b WHERE b.tenant_id = $1 AND b.id = $2");
    OF_NUMBER = concat!("SELECT ", columns!(), " FROM blocked_numbers b WHERE b.tenant_id = $1 AND b.number = $2");
    IS_BLOCKED = "SELECT 1 FROM blocked_numbers b WHERE b.tenant_id = $1 AND b.number = $2";
    IS_NOT_BLOCKED = "SELECT 1 FROM tenants t WHERE t.id = $1 AND NOT EXISTS
        (SELECT 1 FROM blocked_numbers b WHERE b.tenant_id = $1 AND b.number = $2)";
    INSERT = "INSERT INTO blocked_numbers (tenant_id, id, number, added_by, added_at, version)
              VALUES ($1, $2, $3, $4, $5, $6)";
    DELETE = "DELETE FROM blocked_numbers WHERE tenant_id = $1 AND id = $2 AND version = $3";
}
