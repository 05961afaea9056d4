//! The messages of some recipients of a bulk, as they are written at once.

use super::{Bulk, BulkDelta, Expansion};
use crate::contact::{COLUMNS, PhoneNumber};
use crate::message::{Country, MessageStatus, MessageText, Money};
use crate::{ContactId, MessageId, Timestamp};

/// A message of a bulk, as far as it differs from the others of its chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkMessage {
    /// Greater than that of the message before it.
    pub id: MessageId,
    pub phone: PhoneNumber,
    pub country: Option<Country>,
    pub text: MessageText,
    pub callback_data: Option<String>,
    /// It waits, or has ended at once.
    pub status: MessageStatus,
    /// Nothing, unless it waits.
    pub price: Money,
}

/// The next recipients of a bulk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkChunk {
    /// As it was read: what all of its messages have in common.
    pub bulk: Bulk,
    /// What this was decided on.
    pub from: Expansion,
    pub to: Expansion,
    /// When the messages are made.
    pub at: Timestamp,
    /// None of a dry run.
    pub messages: Vec<BulkMessage>,
    /// Numbers that get no message any more: those of the messages, or of a dry run, to whom one would have been.
    pub reached: Vec<PhoneNumber>,
    pub delta: BulkDelta,
}

/// A contact of a group that a bulk goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkContact {
    pub id: ContactId,
    pub phone: PhoneNumber,
    pub columns: [Option<String>; COLUMNS],
    pub callback_data: Option<String>,
    /// On the tenant's block list.
    pub is_blocked: bool,
    /// The bulk has reached this number before.
    pub is_reached: bool,
}
