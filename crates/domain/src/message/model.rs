//! Messages in both directions, and the block list.

use serde_json::json;
use uuid::Uuid;

use super::{
    BlockedBy, Country, Encoding, MessageState, MessageStatus, MessageText, Money, SenderId, SmsEvent,
    schedule,
};
use crate::contact::PhoneNumber;
use crate::{Actor, BlockId, BulkId, CredentialId, MessageId, Problem, TenantId, Timestamp, journal};

/// The greatest lengths, in characters (LOX24 messaging contract, section 2).
pub mod limits {
    pub use crate::contact::limits::{CALLBACK_DATA, PHONE};
    /// Of a text: none has more of any alphabet in [`MAX_PARTS`](super::MAX_PARTS) parts.
    pub const TEXT: usize = 1530;
    /// A language such as `DE` or `de-DE`; it is kept for voice, which is not built.
    pub const VOICE_LANG: usize = 35;
}

/// What all messages that are tried without being sent are called (LOX24 messaging contract, section 2).
pub const DRY_RUN: MessageId = MessageId(Uuid::from_u128(0x1111_1111_2222_3333_4444_5555_5555_5555));

/// How a message is brought to its recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Service {
    /// As a text.
    #[default]
    Direct,
}

impl Service {
    pub const NAMES: [&str; 1] = ["direct"];

    /// The `service_code` of LOX24.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
        }
    }

    /// Errors: `NotOneOf`, also for those that speak (`text2speech`, `text2speech_ssml`), which are not built.
    pub fn read(raw: &str) -> Result<Self, Problem> {
        if raw == Self::Direct.as_str() { Ok(Self::Direct) } else { Err(Problem::NotOneOf(&Self::NAMES)) }
    }
}

/// What whoever sends decides besides the text, of a message and of a bulk alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    pub service: Service,
    /// A number for the sender's own use.
    pub source: i64,
    /// Kept and shown; nothing speaks yet.
    pub voice_lang: Option<String>,
    /// Whether the text is emptied once the message is handed over.
    pub is_text_deleted: bool,
}

/// A message to a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub tenant: TenantId,
    pub sender: SenderId,
    pub phone: PhoneNumber,
    /// Where the number belongs, if anywhere.
    pub country: Option<Country>,
    /// As it is sent; empty once it is deleted.
    pub text: String,
    pub encoding: Encoding,
    /// In units of the encoding; stays when the text is deleted.
    pub chars_count: u32,
    pub parts_count: u32,
    pub options: SendOptions,
    /// What is sent back with events about the message.
    pub callback_data: Option<String>,
    /// When it is to be handed over, as it was asked for; `None` is at once.
    pub deliver_at: Option<Timestamp>,
    pub state: MessageState,
    /// When the carrier took it.
    pub handed_over_at: Option<Timestamp>,
    /// What was taken from the balance for it, and was not given back.
    pub price: Money,
    /// The bulk that it is of: its id, and the UUID that LOX24 shows.
    pub bulk: Option<(BulkId, Uuid)>,
    pub author: Actor,
    /// The address that the request came from.
    pub ip: Option<String>,
    /// From 1, raised by each change of this message.
    pub version: i64,
    pub created_at: Timestamp,
}

impl Message {
    /// When it is due, its send window apart.
    pub fn due_at(&self) -> Timestamp {
        schedule::due_at(self.deliver_at, self.created_at)
    }

    /// Whether the carrier has or had it: the `is_sent` of LOX24.
    pub fn is_sent(&self) -> bool {
        self.state.status == MessageStatus::HandedOver
    }

    /// The key that sent it: the `key_id` of LOX24.
    pub fn key(&self) -> Option<CredentialId> {
        match self.author {
            Actor::Credential(key) => Some(key),
            Actor::User(_) | Actor::Operator | Actor::Server => None,
        }
    }

    /// The message in another state at `now`, what follows from that, and what is to be given back for it. Nothing else
    /// changes the state of a message. When it is handed over the time is noted and a text that is not to be kept is
    /// emptied; when it ends otherwise, it costs nothing.
    #[must_use]
    pub fn in_state(mut self, state: MessageState, now: Timestamp) -> (Self, Money) {
        let is_handed_over = state.status == MessageStatus::HandedOver && !self.is_sent();
        self.state = state;
        self.version += 1;
        if is_handed_over {
            self.handed_over_at = Some(now);
            if self.options.is_text_deleted {
                self.text = String::new();
            }
        }
        let kept = if state.status.is_paid() { self.price } else { Money::ZERO };
        let back = self.price - kept;
        self.price = kept;
        (self, back)
    }

    /// Takes over a text that is ready.
    pub fn set_text(&mut self, text: MessageText) {
        self.encoding = text.encoding();
        self.chars_count = text.chars_count();
        self.parts_count = text.parts_count();
        self.text = text.into_string();
    }

    /// What journals and events tell of it: not its text, which may have to be forgotten.
    pub fn fields(&self) -> journal::Fields {
        vec![
            ("sender", json!(self.sender.as_str())),
            ("phone", json!(self.phone.as_str())),
            ("status", json!(self.state.status.code())),
            ("receipt", json!(self.state.receipt.code())),
            ("parts_count", json!(self.parts_count)),
            ("price", json!(self.price.to_json())),
            ("callback_data", json!(self.callback_data)),
            ("bulk", json!(self.bulk.map(|(id, _)| id.0))),
            ("key", json!(self.key().map(|key| key.0))),
        ]
    }

    /// Ours and theirs, digits only, of the thread that it stands in; `None` when its sender is a name.
    pub fn thread(&self) -> Option<[String; 2]> {
        thread(self.sender.as_str(), self.phone.as_str())
    }

    /// What happened when the message went from one state to another one.
    pub fn events(before: &Self, after: &Self) -> Vec<SmsEvent> {
        before.state.events(after.state)
    }
}

/// A message from a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    pub id: MessageId,
    pub tenant: TenantId,
    /// As the carrier tells it: a number in E.164 as a rule, but it may be a short code or a name.
    pub from: String,
    /// The number of ours, likewise.
    pub to: String,
    pub text: String,
    pub received_at: Timestamp,
    /// The message that it answers: the last one between the two numbers.
    pub answers: Option<MessageId>,
    /// From 1.
    pub version: i64,
}

impl Incoming {
    /// As [`Message::thread`].
    pub fn thread(&self) -> Option<[String; 2]> {
        thread(&self.to, &self.from)
    }

    /// What journals and events tell of it, its text apart.
    pub fn fields(&self) -> journal::Fields {
        vec![
            ("from", json!(self.from)),
            ("to", json!(self.to)),
            ("answers", json!(self.answers.map(|id| id.to_string()))),
            ("received_at", json!(self.received_at.millis().to_string())),
        ]
    }
}

fn thread(ours: &str, theirs: &str) -> Option<[String; 2]> {
    let digits = |number: &str| SenderId::read(number).ok()?.digits().map(str::to_owned);
    Some([digits(ours)?, digits(theirs)?])
}

/// A message of a thread, in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadMessage {
    Outgoing(Box<Message>),
    Incoming(Box<Incoming>),
}

/// A number that gets no messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub id: BlockId,
    pub tenant: TenantId,
    /// See [`super::blocked_number`]; it stands once in a tenant's list.
    pub number: String,
    pub by: BlockedBy,
    pub added_at: Timestamp,
    /// From 1.
    pub version: i64,
}

impl Block {
    /// The fields that the journal shows.
    pub fn fields(&self) -> journal::Fields {
        vec![("number", json!(self.number)), ("by", json!(self.by.code()))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Receipt;

    const NOW: Timestamp = Timestamp(7);

    fn message(is_text_deleted: bool) -> Message {
        let mut message = Message {
            id: DRY_RUN,
            tenant: TenantId(1),
            sender: SenderId::from_stored("Muster".to_owned()),
            phone: PhoneNumber::from_stored("+4915112345678".to_owned()),
            country: Country::read("DE").ok(),
            text: String::new(),
            encoding: Encoding::Ucs2,
            chars_count: 0,
            parts_count: 0,
            options: SendOptions { is_text_deleted, ..SendOptions::default() },
            callback_data: None,
            deliver_at: None,
            state: MessageState::default(),
            handed_over_at: None,
            price: Money::from_millionths(70_000),
            bulk: None,
            author: Actor::Credential(CredentialId(3)),
            ip: None,
            version: 1,
            created_at: Timestamp(1),
        };
        message.set_text(MessageText::new("{Hi}", None).unwrap());
        message
    }

    #[test]
    fn handing_over_notes_the_time_and_forgets_the_text() {
        let sent = MessageState::default().with_status(MessageStatus::HandedOver).unwrap();
        for (is_text_deleted, text) in [(false, "{Hi}"), (true, "")] {
            let (after, back) = message(is_text_deleted).in_state(sent, NOW);
            assert_eq!((after.text.as_str(), after.chars_count, back), (text, 6, Money::ZERO));
            assert_eq!((after.handed_over_at, after.version, after.is_sent()), (Some(NOW), 2, true));
            assert_eq!(after.key(), Some(CredentialId(3)));
            let delivered = after.state.with_receipt(Receipt::Delivered).unwrap();
            let (after, back) = after.in_state(delivered, Timestamp(9));
            assert_eq!((after.handed_over_at, back), (Some(NOW), Money::ZERO));
        }
        assert_eq!(DRY_RUN.to_string(), "11111111-2222-3333-4444-555555555555");
    }

    #[test]
    fn what_ends_without_a_carrier_costs_nothing() {
        for status in MessageStatus::ALL {
            let Some(state) = MessageState::default().with_status(status) else { continue };
            let (after, back) = message(true).in_state(state, NOW);
            assert_eq!(after.price + back, message(true).price);
            assert_eq!(after.price == Money::ZERO, status != MessageStatus::HandedOver, "{status:?}");
            // And is not given back twice.
            assert_eq!(after.clone().in_state(after.state, NOW).1, Money::ZERO);
        }
    }

    #[test]
    fn both_directions_stand_in_one_thread() {
        let incoming = |from: &str, to: &str| Incoming {
            id: DRY_RUN,
            tenant: TenantId(1),
            from: from.to_owned(),
            to: to.to_owned(),
            text: "hello?".to_owned(),
            received_at: NOW,
            answers: None,
            version: 1,
        };
        let mut sent = message(false);
        assert_eq!(sent.thread(), None);
        sent.sender = SenderId::read("4915199999999").unwrap();
        let thread = Some(["4915199999999", "4915112345678"].map(str::to_owned));
        assert_eq!(sent.thread(), thread);
        assert_eq!(incoming("+4915112345678", "+4915199999999").thread(), thread);
        assert_eq!(incoming("Bank", "+4915199999999").thread(), None);
    }

    #[test]
    fn services_that_speak_are_not_there() {
        assert_eq!(Service::read("direct"), Ok(Service::Direct));
        for raw in ["", "Direct", "text2speech", "text2speech_ssml"] {
            assert_eq!(Service::read(raw), Err(Problem::NotOneOf(&["direct"])), "{raw}");
        }
    }
}
