//! Statements on messages from phones.

/// The columns of a message, as `rows/message.rs` reads them.
macro_rules! columns {
    () => {
        "i.id, i.tenant_id, i.sender, i.recipient, i.text, i.received_at, i.answers, i.version"
    };
}

pub(crate) use columns;

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM incomings i WHERE i.tenant_id = $1 AND i.id = $2");
    OF_CARRIER = concat!("SELECT ", columns!(), " FROM incomings i
        WHERE i.tenant_id = $1 AND i.carrier = $2 AND i.carrier_id = $3");
    /// What a carrier has brought before is there already.
    INSERT = "INSERT INTO incomings (tenant_id, id, sender, recipient, text, received_at, answers, version,
                  carrier, carrier_id)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
              ON CONFLICT (tenant_id, carrier, carrier_id) DO NOTHING";
    DELETE = "DELETE FROM incomings WHERE tenant_id = $1 AND id = $2 AND version = $3";
    /// The message to a phone ($2) that was handed over (status 100) last from one of three senders, among the last 100 that
    /// were taken: one that was to wait may be handed over after many.
    ANSWERED = "SELECT sub.id FROM
            (SELECT m.id, m.handed_over_at FROM messages m
             WHERE m.tenant_id = $1 AND m.phone = $2 AND m.sender IN ($3, $4, $5) AND m.status = 100
             ORDER BY m.created_at DESC, m.id DESC LIMIT 100) AS sub
        ORDER BY sub.handed_over_at DESC, sub.id DESC LIMIT 1";
}
