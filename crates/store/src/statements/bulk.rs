//! Statements on bulks: one text to many.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::{Statement, message};

/// The columns of a bulk, as `rows/bulk.rs` reads them.
macro_rules! columns {
    () => {
        "b.id, b.tenant_id, b.uuid, b.org_unit_id, b.name, b.sender, b.style, b.is_unicode, b.group_ids, b.deliver_at, \
         b.window_from, b.window_to, b.window_zone, b.service, b.source, b.voice_lang, b.is_text_deleted, b.is_dry_run, \
         b.status, b.queued, b.sent, b.delivered, b.failed, b.skipped, b.invalid, b.cost, b.actor_kind, b.actor_id, b.ip, \
         b.version, b.created_at, b.modified_at, b.processed_at, b.text, p.phones"
    };
}

/// With its single numbers, if it has any.
macro_rules! from {
    () => {
        "bulks b LEFT JOIN bulk_phones p ON p.tenant_id = b.tenant_id AND p.bulk_id = b.id"
    };
}

/// After the columns of a bulk: how far it is, and whether it is gone for every reader.
macro_rules! state {
    () => {
        ", b.expansion, b.deleted"
    };
}

pub(crate) use {columns, from, state};

super::statements! {
    /// The `+` keeps the planner from the index of those that are not deleted.
    GET = concat!("SELECT ", columns!(), state!(), " FROM ", from!(), "
        WHERE b.tenant_id = $1 AND b.id = $2 AND +b.deleted = 0");
    GET_BY_UUID = concat!("SELECT ", columns!(), state!(), " FROM ", from!(), "
        WHERE b.tenant_id = $1 AND b.uuid = $2 AND +b.deleted = 0");
    TO_STEP = concat!("SELECT ", columns!(), state!(), " FROM ", from!(), "
        WHERE b.tenant_id = $1 AND b.id = $2", message::active!());
    /// $2: now, $4 and $5: the place after which they are.
    TO_DO = concat!("SELECT b.id, b.work_at, b.status, b.deleted, b.is_dry_run, b.expansion, b.window_from, b.window_to,
            b.window_zone, b.queued, (SELECT MIN(q.due_at) FROM message_queue q
                WHERE q.tenant_id = $1 AND q.lane = b.id AND q.claim IS NULL)
        FROM bulks b WHERE b.tenant_id = $1 AND b.work_at IS NOT NULL AND b.work_at <= $2 AND (b.work_at, b.id) > ($4, $5)",
        message::active!(), " ORDER BY b.work_at, b.id LIMIT $3");
    NEXT = concat!("SELECT b.work_at FROM bulks b
        WHERE b.tenant_id = $1 AND b.work_at IS NOT NULL AND b.work_at > $2", message::active!(), "
        ORDER BY b.work_at LIMIT 1");
    /// $2: the group, $3: its edition, $4: the number before. Whether one is blocked is looked up for each.
    CONTACTS = "SELECT c.phone, c.a, c.b, c.c, c.d, c.e, c.callback_data,
            COALESCE((SELECT 1 FROM blocked_numbers k WHERE k.tenant_id = $1 AND k.number = c.phone), 0)
        FROM contacts c
        WHERE c.tenant_id = $1 AND c.group_id = $2 AND c.edition = $3 AND c.phone > $4 ORDER BY c.phone LIMIT $5";
    WAITING = concat!("SELECT ", message::columns!(), " FROM message_queue q
        JOIN messages m ON m.tenant_id = q.tenant_id AND m.id = q.message_id
        WHERE q.tenant_id = $1 AND q.lane = $2 AND q.claim IS NULL ORDER BY q.due_at, q.message_id LIMIT $3");
    IS_SETTLED = "SELECT 1 FROM bulks b WHERE b.tenant_id = $1 AND b.id = $2 AND b.queued = 0";
    INSERT = "INSERT INTO bulks (tenant_id, id, org_unit_id, name, name_key, sender, style, is_unicode, group_ids,
                  deliver_at, window_from, window_to, window_zone, service, source, voice_lang, is_text_deleted, status,
                  text, version, modified_at, processed_at, work_at, uuid, is_dry_run, actor_kind, actor_id, ip, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                  $23, $24, $25, $26, $27, $28, $29)";
    /// $24: the version that the change was decided on; $25: how far it is, or null.
    UPDATE = "UPDATE bulks SET org_unit_id = $3, name = $4, name_key = $5, sender = $6, style = $7, is_unicode = $8,
                  group_ids = $9, deliver_at = $10, window_from = $11, window_to = $12, window_zone = $13, service = $14,
                  source = $15, voice_lang = $16, is_text_deleted = $17, status = $18, text = $19, version = $20,
                  modified_at = $21, processed_at = $22, work_at = $23, expansion = COALESCE($25, expansion)
              WHERE tenant_id = $1 AND id = $2 AND version = $24 AND deleted = 0";
    PHONES = "INSERT INTO bulk_phones (tenant_id, bulk_id, phones) VALUES ($1, $2, $3)
              ON CONFLICT (tenant_id, bulk_id) DO UPDATE SET phones = $3 WHERE bulk_phones.phones <> $3";
    NO_PHONES = "DELETE FROM bulk_phones WHERE tenant_id = $1 AND bulk_id = $2";
    DELETE = "UPDATE bulks SET deleted = 1, version = version + 1, modified_at = $4, work_at = 0
              WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted = 0";
    /// From $3 to $4.
    EXPAND = concat!("UPDATE bulks SET expansion = $4
        WHERE tenant_id = $1 AND id = $2 AND expansion = $3 AND status = 'sending' AND deleted = 0", message::active!());
    /// Those of its messages between $3 and $4 that are new (status 0) wait from $5 on.
    QUEUE = "INSERT INTO message_queue (tenant_id, message_id, lane, due_at)
             SELECT m.tenant_id, m.id, m.bulk_id, CAST($5 AS BIGINT) FROM messages m
             WHERE m.tenant_id = $1 AND m.id BETWEEN $3 AND $4 AND m.bulk_id = $2 AND m.status = 0";
    COUNT = "UPDATE bulks SET queued = queued + $3, sent = sent + $4, delivered = delivered + $5, failed = failed + $6,
                 skipped = skipped + $7, invalid = invalid + $8, cost = cost + $9
             WHERE tenant_id = $1 AND id = $2";
    SETTLED = "UPDATE bulks SET expansion = 'done', work_at = NULL
               WHERE tenant_id = $1 AND id = $2 AND expansion = 'settle' AND deleted = 0";
    REMOVE = "DELETE FROM bulks WHERE tenant_id = $1 AND id = $2 AND deleted = 1";
}

/// Messages that one statement inserts, if there are so many.
pub(crate) const MANY: usize = 50;
/// What all messages of a chunk have in common, and what each has.
const COMMON: usize = 13;
const OWN: usize = 10;

/// Inserts [`MANY`] messages of a bulk: a trip and a plan for each would take longer than the rows.
pub(crate) static MESSAGES_INSERT: LazyLock<Statement> = LazyLock::new(|| Statement::made(inserts(MANY)));
/// The same for one message.
pub(crate) static MESSAGE_INSERT: LazyLock<Statement> = LazyLock::new(|| Statement::made(inserts(1)));

/// $1 to $13: tenant, sender, service, source, language, whether the text is deleted, the time asked for, bulk, its UUID,
/// actor in two, address, now. Then of each message: id, phone, country, text, whether it is UCS-2, characters, parts,
/// callback data, status, price.
fn inserts(count: usize) -> String {
    let mut text = "INSERT INTO messages (tenant_id, sender, service, source, voice_lang, is_text_deleted, deliver_at,
         bulk_id, bulk_uuid, actor_kind, actor_id, ip, created_at, receipt, handed_over_at, version, id, phone, country,
         text, is_unicode, chars_count, parts_count, callback_data, status, price) VALUES "
        .to_owned();
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for common in 1..=COMMON {
            let _ = write!(text, "${common}, ");
        }
        text.push_str("0, 0, 1");
        for own in 1..=OWN {
            let _ = write!(text, ", ${}", COMMON + row * OWN + own);
        }
        text.push(')');
    }
    text
}
