//! What changes of messages do to money and to the counts of bulks: gathered for a whole batch, so that a bulk has one
//! movement and one addition in it, however many of its messages change.

use std::collections::BTreeMap;

use super::{BulkDelta, Message, Money, MovementReason};
use crate::{Batch, BulkId, Change, MessageId, Timestamp};

/// What is given back, and what is counted anew, in one batch.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Single messages, with what is given back for them.
    single: Vec<(MessageId, Money)>,
    bulks: BTreeMap<BulkId, OfBulk>,
}

#[derive(Debug, Default)]
struct OfBulk {
    delta: BulkDelta,
    back: Money,
    /// For so many messages.
    messages: u32,
}

impl Tally {
    /// A message has another state, and perhaps another price.
    pub(super) fn changed(&mut self, before: &Message, after: &Message) {
        if let Some(of_bulk) = self.refund(before, before.price - after.price) {
            of_bulk.delta.remove(before.state);
            of_bulk.delta.add(after.state);
        }
    }

    /// A message is gone, and so much is given back for it.
    pub(super) fn removed(&mut self, gone: &Message, back: Money) {
        if let Some(of_bulk) = self.refund(gone, back) {
            of_bulk.delta.remove(gone.state);
        }
    }

    fn refund(&mut self, message: &Message, back: Money) -> Option<&mut OfBulk> {
        let Some((bulk, _)) = message.bulk else {
            if back > Money::ZERO {
                self.single.push((message.id, back));
            }
            return None;
        };
        let of_bulk = self.bulks.entry(bulk).or_default();
        if back > Money::ZERO {
            of_bulk.back = of_bulk.back + back;
            of_bulk.delta.cost = of_bulk.delta.cost - back;
            of_bulk.messages = of_bulk.messages.saturating_add(1);
        }
        Some(of_bulk)
    }

    /// The batch with all of it, `at` this time.
    pub(super) fn settle(self, mut batch: Batch, at: Timestamp) -> Batch {
        for (message, amount) in self.single {
            let reason = MovementReason::Refund(message);
            batch = batch.change(Change::BalanceMove { at, amount, reason });
        }
        for (bulk, OfBulk { delta, back, messages }) in self.bulks {
            if back > Money::ZERO {
                let reason = MovementReason::BulkRefund { bulk, messages };
                batch = batch.change(Change::BalanceMove { at, amount: back, reason });
            }
            if !delta.is_nothing() {
                batch = batch.change(Change::BulkCount(bulk, delta));
            }
        }
        batch
    }
}
