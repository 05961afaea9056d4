//! Conversations on the wire (Convirza platform contract, section 5).

use std::time::Duration;

use muster_domain::message::{
    Conversation, ConversationPatch, ConversationStatus, Counted, Direction, ThreadMessage,
};
use muster_domain::{Error, Patch, Problem, UserId};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use super::envelope::{Time, words};
use crate::http::{Fields, Tag, boolean, integer, message_text};

const DIRECTIONS: [&str; 2] = [Direction::Incoming.as_str(), Direction::Outgoing.as_str()];
const STATUSES: [&str; 4] = [
    ConversationStatus::Unread.as_str(),
    ConversationStatus::Read.as_str(),
    ConversationStatus::Replied.as_str(),
    ConversationStatus::Closed.as_str(),
];
const RECEIVED: &str = "received";
const STATES: [&str; 6] = [
    RECEIVED,
    counted(Counted::Queued),
    counted(Counted::Sent),
    counted(Counted::Delivered),
    counted(Counted::Failed),
    counted(Counted::Skipped),
];

/// The word of a broadcast's counts for where a message stands.
const fn counted(place: Counted) -> &'static str {
    match place {
        Counted::Queued => "queued",
        Counted::Sent => "sent",
        Counted::Delivered => "delivered",
        Counted::Failed => "failed",
        Counted::Skipped => "skipped",
    }
}

fn directions() -> Schema {
    words(&DIRECTIONS)
}

fn statuses() -> Schema {
    words(&STATUSES)
}

fn states() -> Schema {
    words(&STATES)
}

fn digits() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[1-9][0-9]{0,14}$")).into()
}

fn clock() -> Schema {
    let or_null = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(or_null).pattern(Some("^[0-9]{2,}:[0-5][0-9]:[0-5][0-9]$")).into()
}

/// A conversation.
#[derive(Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(super) struct ConversationRow<'a> {
    conversation_id: i64,
    /// Our number, without a plus sign.
    #[schema(schema_with = digits)]
    phone_number: &'a str,
    /// How long the first message waited for an answer, in hours, minutes and seconds.
    #[schema(schema_with = clock)]
    first_response_time: Option<String>,
    /// The same of all answers, on average.
    #[schema(schema_with = clock)]
    avg_response_time: Option<String>,
    /// Which way the last message went.
    #[schema(schema_with = directions)]
    sms_type: &'static str,
    conversation_started: Time,
    /// When the last message went.
    conversation_updated: Time,
    /// The number of the other one, without a plus sign.
    #[schema(schema_with = digits)]
    source: &'a str,
    /// What a contact list calls the other one.
    source_name: Option<&'a str>,
    #[schema(schema_with = statuses)]
    conversation_status: &'static str,
    /// Whose it is.
    ct_user_id: Option<i64>,
    pin: bool,
    /// The text of the last message; empty when that is gone.
    message: &'a str,
    /// Messages that nobody has read.
    unread_count: u32,
    /// What whoever it belongs to is called.
    agent: Option<&'a str>,
    closed_at: Option<Time>,
}

impl<'a> ConversationRow<'a> {
    pub(super) fn new(thread: &'a Conversation) -> Self {
        Self {
            conversation_id: thread.id.0,
            phone_number: &thread.our_number,
            first_response_time: thread.responses.first.map(hours),
            avg_response_time: thread.responses.average().map(hours),
            sms_type: thread.last.as_str(),
            conversation_started: Time(thread.started_at),
            conversation_updated: Time(thread.last_at),
            source: &thread.their_number,
            source_name: thread.name.as_deref(),
            conversation_status: thread.status().as_str(),
            ct_user_id: thread.assigned_to.map(|user| user.0),
            pin: thread.is_pinned,
            message: &thread.last_text,
            unread_count: thread.unread,
            agent: thread.agent.as_deref(),
            closed_at: thread.closed_at.map(Time),
        }
    }
}

/// `HH:MM:SS`; hours may have more digits.
fn hours(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[derive(Serialize, ToSchema)]
pub(super) struct Conversations<'a> {
    pub(super) total: u64,
    pub(super) conversation: Vec<ConversationRow<'a>>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ConversationDetail<'a> {
    pub(super) conversation: ConversationRow<'a>,
    /// The newest first.
    pub(super) messages: Vec<MessageRow<'a>>,
    /// How many messages there are.
    pub(super) total: u64,
}

/// A message of a conversation.
#[derive(Serialize, ToSchema)]
#[schema(as = ConversationMessage)]
pub(super) struct MessageRow<'a> {
    message_id: uuid::Uuid,
    #[schema(schema_with = directions)]
    sms_type: &'static str,
    message: &'a str,
    /// Where it stands; `received` is one of theirs.
    #[schema(schema_with = states)]
    message_status: &'static str,
    /// When it came in, or was asked for.
    message_created: Time,
}

impl<'a> MessageRow<'a> {
    fn new(message: &'a ThreadMessage) -> Self {
        match message {
            ThreadMessage::Incoming(incoming) => Self {
                message_id: incoming.id.0,
                sms_type: Direction::Incoming.as_str(),
                message: &incoming.text,
                message_status: RECEIVED,
                message_created: Time(incoming.received_at),
            },
            ThreadMessage::Outgoing(sent) => Self {
                message_id: sent.id.0,
                sms_type: Direction::Outgoing.as_str(),
                message: &sent.text,
                message_status: counted(Counted::of(sent.state)),
                message_created: Time(sent.created_at),
            },
        }
    }
}

/// Messages as they are shown.
pub(super) fn page_of(messages: &[ThreadMessage]) -> Vec<MessageRow<'_>> {
    messages.iter().map(MessageRow::new).collect()
}

/// The version of a conversation, then what is shown of it and its messages, which changes without a version.
pub(super) fn tag(thread: &Conversation, detail: &ConversationDetail<'_>) -> Result<Tag, Error> {
    let shown = serde_json::to_vec(detail).map_err(|error| Error::Internal(format!("an answer: {error}")))?;
    let digest: [u8; 32] = Sha256::digest(&shown).into();
    let [a, b, c, d, ..] = digest;
    Ok(Tag::of(&[thread.version, u32::from_be_bytes([a, b, c, d]).into()]))
}

/// Reads the body of PATCH.
pub(super) fn decode(f: &mut Fields<'_>) -> ConversationPatch {
    let assigned_to = match f.lasting("ct_user_id", "assigned_to", integer()) {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(id) => Patch::Set(UserId(id)),
    };
    let read = boolean().then(|read| {
        const ONLY: &str = "must be true: what was read cannot be made unread";
        if read { Ok(()) } else { Err(Problem::Format(ONLY)) }
    });
    ConversationPatch {
        assigned_to,
        is_pinned: f.present("pin", "is_pinned", boolean()),
        is_closed: f.present("closed", "is_closed", boolean()),
        mark_read: f.present("read", "mark_read", read).is_some(),
    }
}

/// Reads the body of an answer.
pub(super) fn reply(f: &mut Fields<'_>) -> Option<String> {
    f.required("message", "text", message_text())
}

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    match field {
        "assigned_to" => Some("ct_user_id"),
        "is_pinned" => Some("pin"),
        "is_closed" => Some("closed"),
        "mark_read" => Some("read"),
        "text" => Some("message"),
        "sender" => Some("phone_number"),
        "phone" => Some("source"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_hours_minutes_and_seconds() {
        for (seconds, wanted) in [(0, "00:00:00"), (130, "00:02:10"), (360_000 + 3599, "100:59:59")] {
            assert_eq!(hours(Duration::from_secs(seconds)), wanted);
        }
    }
}
