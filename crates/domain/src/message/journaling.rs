//! What the journal tells of messages. Their texts are not in it, since they may have to be forgotten.

use serde_json::{Map, Value, json};

use super::{Message, SmsEvent};
use crate::{Ctx, JournalEntry, MessageId, Timestamp};

/// The entry of something that happened to a message by itself: all of its fields, as they were and as they are, since
/// whoever is told of the event has to know it from the entry alone.
pub(super) fn told(event: SmsEvent, before: &Message, after: &Message, at: Timestamp) -> JournalEntry {
    let pairs = before.fields().into_iter().zip(after.fields());
    let fields = pairs.filter(|((_, before), (_, after))| !before.is_null() || !after.is_null());
    let payload: Map<String, Value> =
        fields.map(|((name, before), (_, after))| (name.to_owned(), json!([before, after]))).collect();
    let entry = JournalEntry::by_server(event.as_str(), after.id, after.version, at);
    JournalEntry { payload: Value::Object(payload), ..entry }
}

/// The entries of all that happened on the way from `before` to `after`.
pub(super) fn events<'a>(
    before: &'a Message,
    after: &'a Message,
    at: Timestamp,
) -> impl Iterator<Item = JournalEntry> + 'a {
    Message::events(before, after).into_iter().map(move |event| told(event, before, after, at))
}

/// One entry for all messages that one commit of a bulk operation has changed: how many, and the first and the last of
/// them by their ids.
pub(super) fn of_many(
    ctx: &Ctx,
    kind: &'static str,
    count: usize,
    first: MessageId,
    last: MessageId,
) -> JournalEntry {
    let payload = Map::from_iter([
        ("messages".to_owned(), json!([null, count])),
        ("first".to_owned(), json!([null, first.to_string()])),
        ("last".to_owned(), json!([null, last.to_string()])),
    ]);
    JournalEntry::new(ctx, kind, first, 1, payload)
}
