//! Statements on prices, and on balances and what has moved them. Prices are of no tenant.

/// The columns of a movement, as `rows/balance.rs` reads them.
macro_rules! columns {
    () => {
        "m.id, m.tenant_id, m.at, m.amount, m.balance, m.reason, m.note, m.message_id, m.bulk_id, m.messages"
    };
}

/// The columns of a price, as `rows/balance.rs` reads them.
macro_rules! price_columns {
    () => {
        "p.country, p.currency, p.name, p.price_s, p.price_m, p.price_l, p.price_xl, p.requirements"
    };
}

/// The edition of the prices that count, if there are any.
macro_rules! edition {
    () => {
        "(SELECT e.edition FROM price_table e WHERE e.only_row = 1)"
    };
}

pub(crate) use {columns, price_columns};

super::statements! {
    ACCOUNT = "SELECT t.currency, t.tier, s.balance FROM tenants t JOIN tenant_state s ON s.tenant_id = t.id
               WHERE t.id = $1";
    /// An account, the edition of the prices if there are any, and that of a country ($2) if it is among them.
    QUOTE = concat!("SELECT t.currency, t.tier, s.balance, ", edition!(), ", ", price_columns!(), "
        FROM tenants t JOIN tenant_state s ON s.tenant_id = t.id
        LEFT JOIN prices p ON p.edition = ", edition!(), " AND p.country = $2 AND p.currency = t.currency
        WHERE t.id = $1");
    EDITION = "SELECT e.edition FROM price_table e WHERE e.only_row = 1";
    PRICE_GET = concat!("SELECT ", price_columns!(), " FROM prices p
        WHERE p.edition = ", edition!(), " AND p.country = $1
            AND (CAST($2 AS TEXT) IS NULL OR p.currency = $2) ORDER BY p.country, p.currency");
    PRICES = concat!("SELECT ", price_columns!(), " FROM prices p
        WHERE p.edition = ", edition!(), "
            AND (CAST($1 AS TEXT) IS NULL OR p.currency = $1) ORDER BY p.country, p.currency");
    /// Who loads a table waits here for who else does.
    NEXT_EDITION = "INSERT INTO price_table (only_row, edition) VALUES (1, 1)
                    ON CONFLICT (only_row) DO UPDATE SET edition = price_table.edition + 1";
    PRICE_INSERT = "INSERT INTO prices (edition, country, currency, name, price_s, price_m, price_l, price_xl, requirements)
                    SELECT e.edition, $1, $2, $3, $4, $5, $6, $7, $8 FROM price_table e WHERE e.only_row = 1";
    PRICES_BEFORE = concat!("DELETE FROM prices WHERE edition < ", edition!());
    NO_EDITION = "DELETE FROM price_table WHERE only_row = 1";
    NO_PRICES = "DELETE FROM prices WHERE edition > 0";
    /// The balance, and how many movements have made it.
    GET = "SELECT s.balance, s.movements FROM tenant_state s WHERE s.tenant_id = $1";
    /// Not by the count, which is written when the commit ends that a movement before may share. The first movement is 1,
    /// and none is ever removed.
    UNTOUCHED = "SELECT 1 FROM tenants t WHERE t.id = $1
        AND NOT EXISTS (SELECT 1 FROM movements m WHERE m.tenant_id = $1 AND m.id = 1)";
    PAYS_IN = "SELECT 1 FROM tenants t WHERE t.id = $1 AND t.currency = $2";
    MOVE = "INSERT INTO movements (tenant_id, id, at, amount, balance, reason, note, message_id, bulk_id, messages)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    MOVEMENTS = concat!("SELECT ", columns!(), " FROM movements m
        WHERE m.tenant_id = $1 AND m.id <= $2 ORDER BY m.id DESC LIMIT $3");
}
