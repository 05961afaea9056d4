//! What happens to messages of a tenant in one batch, gathered: they change together, and what that does to money and to the
//! counts of a bulk is one movement and one addition, however many of its messages change.

use std::collections::BTreeMap;

use super::journaling::events;
use super::{BulkDelta, CarrierPart, Holder, Message, MessageUpdate, Money, MovementReason, PartUpdate};
use crate::{Batch, BulkId, Change, MessageId, TenantId, Timestamp};

#[derive(Debug)]
pub(super) struct Tally {
    /// What else is in the batch.
    pub(super) batch: Batch,
    pub(super) holder: Holder,
    pub(super) at: Timestamp,
    updates: Vec<MessageUpdate>,
    gone: Vec<Message>,
    /// Parts that a carrier has given ids.
    pub(super) named: Vec<CarrierPart>,
    /// Parts of which more is known.
    pub(super) parts: Vec<PartUpdate>,
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
    /// Nothing yet. `holder` has those of the messages that wait.
    pub(super) fn new(tenant: TenantId, holder: Holder, at: Timestamp) -> Self {
        Self {
            batch: Batch::new(tenant),
            holder,
            at,
            updates: Vec::new(),
            gone: Vec::new(),
            named: Vec::new(),
            parts: Vec::new(),
            single: Vec::new(),
            bulks: BTreeMap::new(),
        }
    }

    /// A message has another state, and perhaps another price.
    pub(super) fn changed(&mut self, before: Message, after: Message) {
        if let Some(of_bulk) = self.refund(&before, before.price - after.price) {
            of_bulk.delta.remove(before.state);
            of_bulk.delta.add(after.state);
        }
        self.updates.push(MessageUpdate { before, after });
    }

    /// As [`Tally::changed`], which the journal tells.
    pub(super) fn told(&mut self, before: Message, after: Message) {
        self.batch.journal.extend(events(&before, &after, self.at));
        self.changed(before, after);
    }

    /// A message is gone, and so much is given back for it.
    pub(super) fn removed(&mut self, gone: Message, back: Money) {
        if let Some(of_bulk) = self.refund(&gone, back) {
            of_bulk.delta.remove(gone.state);
        }
        self.gone.push(gone);
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

    /// The batch with all of it.
    pub(super) fn settle(self) -> Batch {
        let Self { mut batch, holder, at, updates, gone, named, parts, single, bulks } = self;
        if !updates.is_empty() {
            batch = batch.change(Change::MessagesUpdate { updates, holder });
        }
        if !gone.is_empty() {
            batch = batch.change(Change::MessagesDelete(gone));
        }
        if !named.is_empty() {
            batch = batch.change(Change::CarrierPartsInsert { parts: named, at });
        }
        if !parts.is_empty() {
            batch = batch.change(Change::CarrierPartsUpdate(parts));
        }
        for (message, amount) in single {
            let reason = MovementReason::Refund(message);
            batch = batch.change(Change::BalanceMove { at, amount, reason });
        }
        for (bulk, OfBulk { delta, back, messages }) in bulks {
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
