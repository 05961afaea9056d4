//! Statements on messages to phones, and on what waits of them to be handed over.

/// The columns of a message, as `rows/message.rs` reads them.
macro_rules! columns {
    () => {
        "m.id, m.tenant_id, m.sender, m.phone, m.country, m.text, m.is_unicode, m.chars_count, m.parts_count, m.service, \
         m.source, m.voice_lang, m.is_text_deleted, m.callback_data, m.deliver_at, m.status, m.receipt, \
         m.handed_over_at, m.price, m.bulk_id, m.bulk_uuid, m.actor_kind, m.actor_id, m.ip, \
         m.version, m.created_at"
    };
}

/// After the columns of a message: whether it is being handed over.
macro_rules! is_claimed {
    () => {
        ", CASE WHEN q.claim IS NULL THEN 0 ELSE 1 END"
    };
}

/// With what waits of it, if it does.
macro_rules! with_queue {
    () => {
        " FROM messages m LEFT JOIN message_queue q ON q.tenant_id = m.tenant_id AND q.message_id = m.id"
    };
}

/// What is handed over for a tenant.
macro_rules! active {
    () => {
        " AND EXISTS (SELECT 1 FROM tenants t WHERE t.id = $1 AND t.status = 1)"
    };
}

/// The columns of what a carrier has, as `rows/message.rs` reads them.
macro_rules! part_columns {
    () => {
        "p.carrier, p.carrier_id, p.tenant_id, p.message_id, p.part, p.receipt"
    };
}

use super::is_so;
pub(crate) use {active, columns, is_claimed, with_queue};

super::statements! {
    GET = concat!("SELECT ", columns!(), is_claimed!(), with_queue!(), " WHERE m.tenant_id = $1 AND m.id = $2");
    INSERT = "INSERT INTO messages (tenant_id, id, sender, phone, country, text, is_unicode, chars_count, parts_count,
                  service, source, voice_lang, is_text_deleted, callback_data, deliver_at, status, receipt,
                  handed_over_at, price, bulk_id, bulk_uuid, actor_kind, actor_id, ip, version,
                  created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                  $23, $24, $25, $26)";
    /// $3: the version that the change was decided on. What is not handed over by it touches no index.
    UPDATE = "UPDATE messages SET version = $4, status = $5, receipt = $6, price = $7, text = $8
              WHERE tenant_id = $1 AND id = $2 AND version = $3";
    UPDATE_HANDED_OVER = "UPDATE messages SET version = $4, status = $5, receipt = $6, price = $7, text = $8,
                              handed_over_at = $9
                          WHERE tenant_id = $1 AND id = $2 AND version = $3";
    DELETE = "DELETE FROM messages WHERE tenant_id = $1 AND id = $2 AND version = $3";
    QUEUE_INSERT = "INSERT INTO message_queue (tenant_id, message_id, lane, due_at) VALUES ($1, $2, $3, $4)";
    /// It waits no longer, if nobody is handing it over.
    QUEUE_LEAVE = concat!("DELETE FROM message_queue WHERE tenant_id = $1 AND message_id = $2 AND ", is_so!("claim IS NULL"));
    QUEUE_LEAVE_CLAIMED = concat!("DELETE FROM message_queue
        WHERE tenant_id = $1 AND message_id = $2 AND ", is_so!("claim = $3"));
    /// $2: the bulk, which has to be being sent, 0 for single ones; $3: now; $4: the claim, $5: until when; at most $6.
    CLAIM = concat!("UPDATE message_queue SET claim = $4, claim_until = $5 WHERE tenant_id = $1 AND message_id IN
            (SELECT q.message_id FROM message_queue q
             WHERE q.tenant_id = $1 AND q.lane = $2 AND q.claim IS NULL AND q.due_at <= $3
             ORDER BY q.due_at, q.message_id LIMIT $6)
            AND ($2 = 0 OR EXISTS (SELECT 1 FROM bulks b
                WHERE b.tenant_id = $1 AND b.id = $2 AND b.status = 'sending' AND b.deleted = 0))", active!());
    /// $2: now; $3: the claim, $4: until when; at most $5.
    CLAIM_LOST = concat!("UPDATE message_queue SET claim = $3, claim_until = $4 WHERE tenant_id = $1 AND message_id IN
            (SELECT q.message_id FROM message_queue q
             WHERE q.tenant_id = $1 AND q.claim IS NOT NULL AND q.claim_until <= $2
             ORDER BY q.claim_until LIMIT $5)", active!());
    KEEP = "UPDATE message_queue SET claim_until = $3 WHERE tenant_id = $1 AND claim IS NOT NULL AND claim = $2";
    RELEASE = "UPDATE message_queue SET claim = NULL, claim_until = NULL
               WHERE tenant_id = $1 AND claim IS NOT NULL AND claim = $2";
    HELD = "SELECT COUNT(*) FROM message_queue q WHERE q.tenant_id = $1 AND q.claim IS NOT NULL AND q.claim = $2";
    /// Each with whether its number is blocked.
    CLAIMED = concat!("SELECT ", columns!(), ", CASE WHEN b.number IS NULL THEN 0 ELSE 1 END FROM message_queue q
        JOIN messages m ON m.tenant_id = q.tenant_id AND m.id = q.message_id
        LEFT JOIN blocked_numbers b ON b.tenant_id = m.tenant_id AND b.number = m.phone
        WHERE q.tenant_id = $1 AND q.claim IS NOT NULL AND q.claim = $2 ORDER BY q.due_at, q.message_id");
    DEFER = concat!("UPDATE message_queue SET claim = NULL, claim_until = NULL, due_at = $4
        WHERE tenant_id = $1 AND message_id = $2 AND ", is_so!("claim = $3"));
    WORK = "SELECT (SELECT MIN(q.due_at) FROM message_queue q
                    WHERE q.tenant_id = t.id AND q.lane = 0 AND q.claim IS NULL),
                (SELECT q.claim_until FROM message_queue q WHERE q.tenant_id = t.id AND q.claim IS NOT NULL
                 ORDER BY q.claim_until LIMIT 1)
            FROM tenants t WHERE t.id = $1 AND t.status = 1";
    /// What is known of it already stays, unless the id is another one's by now.
    PART_INSERT = "INSERT INTO carrier_parts (tenant_id, message_id, part, carrier, carrier_id, receipt, handed_over_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)
                   ON CONFLICT (carrier, carrier_id) DO UPDATE SET tenant_id = excluded.tenant_id,
                       message_id = excluded.message_id, part = excluded.part, receipt = excluded.receipt,
                       handed_over_at = excluded.handed_over_at
                   WHERE carrier_parts.tenant_id <> excluded.tenant_id
                       OR carrier_parts.message_id <> excluded.message_id OR carrier_parts.part <> excluded.part";
    /// $5: what was known before.
    PART_RECEIPT = "UPDATE carrier_parts SET receipt = $4
                    WHERE tenant_id = $1 AND carrier = $2 AND carrier_id = $3 AND receipt = $5";
    PARTS_OF = concat!("SELECT ", part_columns!(), " FROM carrier_parts p
        WHERE p.tenant_id = $1 AND p.message_id = $2 ORDER BY p.part");
    PARTS_FORGET = "DELETE FROM carrier_parts WHERE tenant_id = $1 AND message_id = $2";
    PART = concat!("SELECT ", part_columns!(), " FROM carrier_parts p WHERE p.carrier = $1 AND p.carrier_id = $2");
    OLD_PART = "SELECT 1 FROM carrier_parts p WHERE p.handed_over_at < $1 LIMIT 1";
    PARTS_REAP = "DELETE FROM carrier_parts WHERE (carrier, carrier_id) IN
        (SELECT p.carrier, p.carrier_id FROM carrier_parts p WHERE p.handed_over_at < $1 ORDER BY p.handed_over_at LIMIT $2)";
    QUEUE_LEAVE_ANY = "DELETE FROM message_queue WHERE tenant_id = $1 AND message_id = $2";
}
