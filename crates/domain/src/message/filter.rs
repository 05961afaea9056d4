//! Filters of lists as data (LOX24 messaging contract, section 1): all of several hold, each when any of its tests does.

use uuid::Uuid;

use super::{Block, Bulk, Incoming, Message};
use crate::{Slice, Timestamp};

/// Which rows of a list are asked for, by its fields `F`. Without a part, all are.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter<F> {
    /// All of these hold; of each at least one.
    pub all: Vec<Vec<Test<F>>>,
}

/// Something that a field is. A field without a value is nothing of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Test<F> {
    /// From the first number to the second one.
    Number(F, i64, i64),
    /// Exactly this.
    Text(F, String),
    /// This is in it; letters of ASCII are alike in both cases.
    Contains(F, String),
    Id(F, Uuid),
}

/// What a field of a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    Number(i64),
    Text(Option<String>),
    Id(Option<Uuid>),
}

/// A slice of a list: what is in it, in which order. What is alike there comes in the order of its ids.
#[derive(Clone, Debug)]
pub struct ListQuery<F> {
    pub filter: Filter<F>,
    /// A field with numbers.
    pub by: F,
    pub is_descending: bool,
    pub slice: Slice,
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<F: Copy> Filter<F> {
    /// The one test.
    pub fn of(test: Test<F>) -> Self {
        Self { all: vec![vec![test]] }
    }

    /// As it is, and one of these holds too.
    #[must_use]
    pub fn and(mut self, any: Vec<Test<F>>) -> Self {
        self.all.push(any);
        self
    }

    /// Whether every row is asked for.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether a row is asked for: the definition, which a store's statements agree with.
    pub fn holds(&self, value: impl Fn(F) -> FieldValue) -> bool {
        self.all.iter().all(|any| any.iter().any(|test| test.holds(&value)))
    }
}

impl<F: Copy> Test<F> {
    /// The field is this number.
    pub const fn is(field: F, number: i64) -> Self {
        Self::Number(field, number, number)
    }

    fn holds(&self, value: impl Fn(F) -> FieldValue) -> bool {
        match self {
            Self::Number(field, least, most) => {
                matches!(value(*field), FieldValue::Number(number) if (*least..=*most).contains(&number))
            }
            Self::Text(field, text) => matches!(value(*field), FieldValue::Text(Some(it)) if it == *text),
            Self::Contains(field, part) => {
                let part = part.to_ascii_lowercase();
                matches!(value(*field), FieldValue::Text(Some(it)) if it.to_ascii_lowercase().contains(&part))
            }
            Self::Id(field, id) => value(*field) == FieldValue::Id(Some(*id)),
        }
    }
}

/// What messages are asked for by. Times are microseconds, 0 where there is none; a message's status and receipt are
/// their codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageField {
    Id,
    /// The UUID of its bulk.
    Bulk,
    Country,
    CallbackData,
    Text,
    Phone,
    Sender,
    Ip,
    Status,
    Receipt,
    IsSent,
    IsUnicode,
    /// The id of the credential that sent it, 0 for others.
    Key,
    HandedOverAt,
    DeliverAt,
    CreatedAt,
    CharsCount,
    PartsCount,
    Source,
}

impl MessageField {
    /// What it is of a message.
    pub fn of(self, message: &Message) -> FieldValue {
        let time = |at: Option<Timestamp>| FieldValue::Number(at.map_or(0, |at| at.0));
        let text = |text: &str| FieldValue::Text(Some(text.to_owned()));
        match self {
            Self::Id => FieldValue::Id(Some(message.id.0)),
            Self::Bulk => FieldValue::Id(message.bulk.map(|(_, uuid)| uuid)),
            Self::Country => FieldValue::Text(message.country.map(|country| country.to_string())),
            Self::CallbackData => FieldValue::Text(message.callback_data.clone()),
            Self::Text => text(&message.text),
            Self::Phone => text(message.phone.as_str()),
            Self::Sender => text(message.sender.as_str()),
            Self::Ip => FieldValue::Text(message.ip.clone()),
            Self::Status => FieldValue::Number(message.state.status.code()),
            Self::Receipt => FieldValue::Number(message.state.receipt.code()),
            Self::IsSent => FieldValue::Number(message.is_sent().into()),
            Self::IsUnicode => FieldValue::Number(message.encoding.is_unicode().into()),
            Self::Key => FieldValue::Number(message.key().map_or(0, |key| key.0)),
            Self::HandedOverAt => time(message.handed_over_at),
            Self::DeliverAt => time(message.deliver_at),
            Self::CreatedAt => FieldValue::Number(message.created_at.0),
            Self::CharsCount => FieldValue::Number(message.chars_count.into()),
            Self::PartsCount => FieldValue::Number(message.parts_count.into()),
            Self::Source => FieldValue::Number(message.options.source),
        }
    }
}

/// What messages from phones are asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncomingField {
    Id,
    /// The message that it answers.
    Answers,
    From,
    To,
    Text,
    ReceivedAt,
}

impl IncomingField {
    /// What it is of a message.
    pub fn of(self, incoming: &Incoming) -> FieldValue {
        match self {
            Self::Id => FieldValue::Id(Some(incoming.id.0)),
            Self::Answers => FieldValue::Id(incoming.answers.map(|id| id.0)),
            Self::From => FieldValue::Text(Some(incoming.from.clone())),
            Self::To => FieldValue::Text(Some(incoming.to.clone())),
            Self::Text => FieldValue::Text(Some(incoming.text.clone())),
            Self::ReceivedAt => FieldValue::Number(incoming.received_at.0),
        }
    }
}

/// What entries of the block list are asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockField {
    Number,
    /// Who has added it: [`super::BlockedBy::code`].
    By,
    AddedAt,
}

impl BlockField {
    /// What it is of an entry.
    pub fn of(self, block: &Block) -> FieldValue {
        match self {
            Self::Number => FieldValue::Text(Some(block.number.clone())),
            Self::By => FieldValue::Number(block.by.code()),
            Self::AddedAt => FieldValue::Number(block.added_at.0),
        }
    }
}

/// What bulks are asked for by. Times are microseconds, 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkField {
    Id,
    /// The UUID that LOX24 shows.
    Uuid,
    /// Compared by its key, see [`crate::text::key`].
    Name,
    Text,
    Sender,
    /// The word of [`super::BulkStatus::as_str`].
    Status,
    IsUnicode,
    /// Whether an encoding was asked for.
    HasEncoding,
    IsDryRun,
    /// The id of the credential that made it, 0 for others.
    Key,
    /// Where it comes from: the [`super::PlaceholderStyle::as_str`].
    Style,
    Source,
    DeliverAt,
    CreatedAt,
    ProcessedAt,
    MessagesCount,
}

impl BulkField {
    /// What it is of a bulk.
    pub fn of(self, bulk: &Bulk) -> FieldValue {
        let time = |at: Option<Timestamp>| FieldValue::Number(at.map_or(0, |at| at.0));
        let text = |text: &str| FieldValue::Text(Some(text.to_owned()));
        match self {
            Self::Id => FieldValue::Number(bulk.id.0),
            Self::Uuid => FieldValue::Id(Some(bulk.uuid)),
            Self::Name => FieldValue::Text(bulk.name.as_deref().map(crate::text::key)),
            Self::Text => text(&bulk.text),
            Self::Sender => text(bulk.sender.as_str()),
            Self::Status => text(bulk.status.as_str()),
            Self::IsUnicode => {
                FieldValue::Number(bulk.encoding.is_some_and(super::Encoding::is_unicode).into())
            }
            Self::HasEncoding => FieldValue::Number(bulk.encoding.is_some().into()),
            Self::IsDryRun => FieldValue::Number(bulk.is_dry_run.into()),
            Self::Key => FieldValue::Number(bulk.key().map_or(0, |key| key.0)),
            Self::Style => text(bulk.style.as_str()),
            Self::Source => FieldValue::Number(bulk.options.source),
            Self::DeliverAt => time(bulk.deliver_at),
            Self::CreatedAt => FieldValue::Number(bulk.created_at.0),
            Self::ProcessedAt => time(bulk.processed_at),
            Self::MessagesCount => FieldValue::Number(i64::try_from(bulk.counts.total()).unwrap_or(i64::MAX)),
        }
    }
}
