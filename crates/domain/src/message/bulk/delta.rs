//! By how much the counts of a bulk change.

use super::{BulkCounts, Counted};
use crate::message::{MessageState, Money};

/// What is added to [`BulkCounts`] and to the cost of a bulk, in the transaction that changes its messages; below zero it is
/// taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkDelta {
    pub queued: i64,
    pub sent: i64,
    pub delivered: i64,
    pub failed: i64,
    pub skipped: i64,
    pub invalid: i64,
    pub cost: Money,
}

impl BulkDelta {
    fn at(&mut self, place: Counted) -> &mut i64 {
        match place {
            Counted::Queued => &mut self.queued,
            Counted::Sent => &mut self.sent,
            Counted::Delivered => &mut self.delivered,
            Counted::Failed => &mut self.failed,
            Counted::Skipped => &mut self.skipped,
        }
    }

    /// A message is made.
    pub fn add(&mut self, state: MessageState) {
        *self.at(Counted::of(state)) += 1;
    }

    /// A message is gone.
    pub fn remove(&mut self, state: MessageState) {
        *self.at(Counted::of(state)) -= 1;
    }

    /// Whether nothing changes.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The counts with what is added to them.
    #[must_use]
    pub fn added_to(&self, counts: BulkCounts) -> BulkCounts {
        BulkCounts {
            queued: counts.queued.saturating_add_signed(self.queued),
            sent: counts.sent.saturating_add_signed(self.sent),
            delivered: counts.delivered.saturating_add_signed(self.delivered),
            failed: counts.failed.saturating_add_signed(self.failed),
            skipped: counts.skipped.saturating_add_signed(self.skipped),
            invalid: counts.invalid.saturating_add_signed(self.invalid),
        }
    }
}
