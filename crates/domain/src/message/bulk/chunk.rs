//! The messages of some recipients of a bulk, as they are written at once.

use std::sync::Arc;

use super::{Bulk, BulkDelta, Expansion};
use crate::contact::{COLUMNS, PhoneNumber};
use crate::message::{Country, MessageStatus, MessageText, Money};
use crate::{MessageId, Timestamp};

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
    pub bulk: Arc<Bulk>,
    /// What this was decided on.
    pub from: Expansion,
    pub to: Expansion,
    /// When the messages are made.
    pub at: Timestamp,
    /// In the order of their numbers; none of a dry run.
    pub messages: Vec<BulkMessage>,
    pub delta: BulkDelta,
}

/// Somebody that a bulk goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkContact {
    pub phone: PhoneNumber,
    pub columns: [Option<String>; COLUMNS],
    pub callback_data: Option<String>,
    /// On the tenant's block list.
    pub is_blocked: bool,
}

impl BulkContact {
    /// A number of which nothing else is known.
    pub(super) fn single(phone: PhoneNumber) -> Self {
        Self { phone, columns: Default::default(), callback_data: None, is_blocked: false }
    }
}
