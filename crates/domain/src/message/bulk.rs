//! One text to many: a bulk of LOX24 and a broadcast of Convirza are the same thing.

mod change;
mod chunk;
mod create;
mod delta;
mod expand;
mod preview;
mod read;
mod recipients;
mod step;
mod store;
mod work;

use serde_json::json;
use uuid::Uuid;

use super::{
    BulkStatus, Encoding, MessageState, MessageStatus, Money, PlaceholderStyle, SendOptions, SendWindow,
    SenderId, schedule,
};
use crate::contact::PhoneNumber;
use crate::{Actor, BulkId, ContactGroupId, CredentialId, OrgUnitId, TenantId, Timestamp, journal};

pub use chunk::{BulkChunk, BulkContact, BulkMessage};
pub use create::{BulkPatch, NewBulk};
pub use delta::BulkDelta;
pub use preview::BulkPreview;
pub use store::BulkStore;
pub use work::{BulkPlace, BulkWork, Expansion, StoredBulk};

/// The most that a bulk may name.
pub mod bulk_limits {
    /// Characters of its name.
    pub const NAME: usize = 100;
    /// Single numbers; more come as a group.
    pub const PHONES: usize = 10_000;
    pub const GROUPS: usize = 100;
}

/// One text to many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// The `broadcast_id` of Convirza.
    pub id: BulkId,
    /// The id of LOX24.
    pub uuid: Uuid,
    pub tenant: TenantId,
    /// What comes from LOX24 belongs to the top.
    pub org_unit_id: OrgUnitId,
    /// What comes from LOX24 has none.
    pub name: Option<String>,
    pub sender: SenderId,
    /// The text with its places; see [`super::Template`].
    pub text: String,
    pub style: PlaceholderStyle,
    /// The encoding that was asked for, for the text of each recipient.
    pub encoding: Option<Encoding>,
    /// Single recipients, for whom places stay as they are.
    pub phones: Vec<PhoneNumber>,
    pub groups: Vec<ContactGroupId>,
    /// When it is to begin, as it was asked for; `None` is at once.
    pub deliver_at: Option<Timestamp>,
    /// `None` is always.
    pub window: Option<SendWindow>,
    pub options: SendOptions,
    /// Whether it only says what it would come to: it makes no messages and costs nothing.
    pub is_dry_run: bool,
    pub status: BulkStatus,
    pub counts: BulkCounts,
    /// What its messages cost, those that are given back taken off.
    pub cost: Money,
    pub author: Actor,
    /// The address that the request of a key came from, which LOX24 shows; that of a person is not kept.
    pub ip: Option<String>,
    /// From 1, raised by each change of what stands above but for counts and cost.
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    /// When it ended.
    pub processed_at: Option<Timestamp>,
}

impl Bulk {
    /// When it is due, its send window apart.
    pub fn due_at(&self) -> Timestamp {
        schedule::due_at(self.deliver_at, self.created_at)
    }

    /// When messages of it may be handed over, from `now` on.
    pub fn next_open(&self, now: Timestamp) -> Timestamp {
        self.window.as_ref().map_or(now, |window| window.next_open(now))
    }

    /// When it begins: when it is due, and its window open.
    pub fn begins_at(&self) -> Timestamp {
        self.next_open(self.due_at())
    }

    /// The key that made it: the `key_id` of LOX24.
    pub fn key(&self) -> Option<CredentialId> {
        match self.author {
            Actor::Credential(key) => Some(key),
            Actor::User(_) | Actor::Operator | Actor::Server => None,
        }
    }

    /// Whether it names anybody; without recipients it is refused.
    pub fn has_recipients(&self) -> bool {
        !self.phones.is_empty() || !self.groups.is_empty()
    }

    /// The bulk in another status, which [`BulkStatus::can_be_set`] or [`BulkStatus::can_run_into`] allows, at `now`.
    #[must_use]
    pub fn in_status(mut self, status: BulkStatus, now: Timestamp) -> Self {
        self.status = status;
        self.version += 1;
        self.modified_at = now.max(self.modified_at);
        if status.has_ended() {
            self.processed_at = Some(self.modified_at);
        }
        self
    }

    /// The fields that the journal shows: of the recipients how many there are, and no text that is to be forgotten.
    pub fn fields(&self) -> journal::Fields {
        let groups: Vec<i64> = self.groups.iter().map(|group| group.0).collect();
        let window = self.window.as_ref().map(|window| {
            json!({
                "from": window.from().to_string(),
                "to": window.to().to_string(),
                "timezone": window.timezone(),
            })
        });
        vec![
            ("org_unit_id", json!(self.org_unit_id.0)),
            ("name", json!(self.name)),
            ("sender", json!(self.sender.as_str())),
            ("text", json!((!self.options.is_text_deleted).then_some(&self.text))),
            ("phones", json!(self.phones.len())),
            ("groups", json!(groups)),
            ("deliver_at", json!(self.deliver_at.map(|at| at.millis().to_string()))),
            ("window", json!(window)),
            ("status", json!(self.status.as_str())),
        ]
    }

    /// What the journal tells of one that has ended: how many messages stand where, and what they cost.
    pub(super) fn totals(&self) -> journal::Fields {
        let BulkCounts { queued, sent, delivered, failed, skipped, invalid } = self.counts;
        vec![
            ("queued", json!(queued)),
            ("sent", json!(sent)),
            ("delivered", json!(delivered)),
            ("failed", json!(failed)),
            ("skipped", json!(skipped)),
            ("invalid", json!(invalid)),
            ("cost", json!(self.cost.to_json())),
        ]
    }
}

/// How many messages of a bulk stand where. Each is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkCounts {
    /// Wait to be handed over.
    pub queued: u64,
    /// Handed over, and nothing final is known.
    pub sent: u64,
    pub delivered: u64,
    /// Not handed over because it was not possible, or given up on the way.
    pub failed: u64,
    /// Blocked, or stopped before they were handed over.
    pub skipped: u64,
    /// Recipients for whom no message could be made: what their columns make of the text is too long.
    pub invalid: u64,
}

/// Where a message is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Queued,
    Sent,
    Delivered,
    Failed,
    Skipped,
}

impl Counted {
    /// Where a message in this state is counted.
    pub const fn of(state: MessageState) -> Self {
        use super::Receipt;
        match (state.status, state.receipt) {
            (MessageStatus::New, _) => Self::Queued,
            (MessageStatus::HandedOver, Receipt::Pending | Receipt::Queued | Receipt::Accepted) => Self::Sent,
            (MessageStatus::HandedOver, Receipt::Delivered) => Self::Delivered,
            (MessageStatus::HandedOver, Receipt::Expired | Receipt::Rejected)
            | (
                MessageStatus::Maintenance
                | MessageStatus::Landline
                | MessageStatus::NoMoney
                | MessageStatus::NoOperator,
                _,
            ) => Self::Failed,
            (
                MessageStatus::Blocked | MessageStatus::StoppedInAccount | MessageStatus::StoppedByCustomer,
                _,
            ) => Self::Skipped,
        }
    }
}

impl BulkCounts {
    /// All messages; what could not be made is none.
    pub fn total(&self) -> u64 {
        let counts = [self.queued, self.sent, self.delivered, self.failed, self.skipped];
        counts.into_iter().fold(0, u64::saturating_add)
    }

    /// The count of one place.
    pub fn at(&mut self, place: Counted) -> &mut u64 {
        match place {
            Counted::Queued => &mut self.queued,
            Counted::Sent => &mut self.sent,
            Counted::Delivered => &mut self.delivered,
            Counted::Failed => &mut self.failed,
            Counted::Skipped => &mut self.skipped,
        }
    }

    /// Counts a message that is made.
    pub fn add(&mut self, state: MessageState) {
        let count = self.at(Counted::of(state));
        *count = count.saturating_add(1);
    }

    /// Counts a message that has changed.
    pub fn change(&mut self, before: MessageState, after: MessageState) {
        let count = self.at(Counted::of(before));
        *count = count.saturating_sub(1);
        self.add(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Receipt;

    #[test]
    fn each_message_is_counted_once_wherever_it_goes() {
        let mut counts = BulkCounts::default();
        let new = MessageState::default();
        let ends = MessageStatus::ALL.into_iter().filter_map(|status| new.with_status(status));
        let ways: Vec<MessageState> =
            ends.chain(Receipt::ALL.into_iter().filter_map(|receipt| new.with_receipt(receipt))).collect();
        for _ in &ways {
            counts.add(new);
        }
        for state in &ways {
            counts.change(new, *state);
            assert_eq!(counts.total(), u64::try_from(ways.len()).unwrap());
        }
        let wanted = BulkCounts { queued: 0, sent: 3, delivered: 1, failed: 6, skipped: 3, invalid: 0 };
        assert_eq!(counts, wanted);
    }
}
