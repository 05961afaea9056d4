//! Making the messages of a bulk: each recipient gets the text that their columns make of it, at its own price.

use std::sync::Arc;

use futures_util::future::join;
use uuid::Uuid;

use super::recipients::{Labels, Source, Walk};
use super::{Bulk, BulkChunk, BulkContact, BulkDelta, BulkMessage, Expansion};
use crate::message::{
    Country, Currency, Destination, Encoding, MessageState, MessageStatus, MessageText, Money,
    MovementReason, Quote, Tariff, Template, TooManyParts,
};
use crate::{Batch, Change, Directory, Entity, Error, Guard, MessageId, Store, StoreError, Timestamp};

/// Recipients that one commit expands.
pub(super) const CHUNK: usize = 2000;

/// A text that is ready for the recipients of one source.
struct Ready<'a> {
    template: Template<'a>,
    encoding: Option<Encoding>,
    /// What all of them get, if it is the same.
    constant: Option<Result<MessageText, TooManyParts>>,
    tariff: Tariff<'a>,
}

/// A text for the recipients of all sources.
pub(super) struct Texts<'a> {
    bulk: &'a Bulk,
    quote: &'a Quote,
    labels: &'a [Labels],
    phones: Option<Ready<'a>>,
    groups: Vec<Option<Ready<'a>>>,
}

impl<'a> Texts<'a> {
    /// With the labels of each group of the bulk.
    pub(super) fn new(bulk: &'a Bulk, quote: &'a Quote, labels: &'a [Labels]) -> Self {
        Self { bulk, quote, labels, phones: None, groups: labels.iter().map(|_| None).collect() }
    }

    /// The message to somebody, and what it costs. Errors: what the columns make of the text is too long.
    pub(super) fn make(&mut self, to: &BulkContact, source: Source) -> Result<Made, TooManyParts> {
        let none = Labels::default();
        let (ready, labels) = match source {
            Source::Group(at) if at < self.groups.len() => (&mut self.groups[at], &self.labels[at]),
            _ => (&mut self.phones, &none),
        };
        ready.get_or_insert_with(|| Ready::new(self.bulk, labels, self.quote)).make(to)
    }
}

/// A message, or why it cannot be sent.
pub(super) struct Made {
    pub(super) text: MessageText,
    pub(super) country: Option<Country>,
    pub(super) price: Result<Money, MessageStatus>,
}

impl<'a> Ready<'a> {
    fn new(bulk: &'a Bulk, labels: &Labels, quote: &'a Quote) -> Self {
        let template = Template::new(&bulk.text, bulk.style, labels);
        let mut ready = Self { template, encoding: bulk.encoding, constant: None, tariff: quote.tariff() };
        if ready.template.is_constant() {
            ready.constant = Some(ready.filled(&Default::default()));
        }
        ready
    }

    fn filled(&self, columns: &Labels) -> Result<MessageText, TooManyParts> {
        MessageText::new(&self.template.fill(columns)?, self.encoding)
    }

    /// The message to a number, and what it costs. Errors: what the columns make of the text is too long.
    fn make(&self, to: &BulkContact) -> Result<Made, TooManyParts> {
        let text = match &self.constant {
            Some(text) => text.clone()?,
            None => self.filled(&to.columns)?,
        };
        let destination = Destination::of(&to.phone);
        let price = self.tariff.admit(destination, to.is_blocked, text.parts_count());
        Ok(Made { text, country: destination.country, price })
    }
}

/// A bulk on its way.
struct Expanding {
    bulk: Arc<Bulk>,
    quote: Quote,
    walk: Walk,
    /// What the balance has left.
    left: Money,
    /// The balance did not suffice for somebody: it is to be looked at anew before others go without.
    is_short: bool,
}

/// A chunk that is being made.
struct Making {
    chunk: BulkChunk,
    left: Money,
    is_short: bool,
    charged: u32,
    first: u128,
}

impl Making {
    fn new(bulk: Arc<Bulk>, [from, to]: [Expansion; 2], left: Money, id: Uuid, at: Timestamp) -> Self {
        let chunk = BulkChunk { bulk, from, to, at, messages: Vec::new(), delta: BulkDelta::default() };
        // The ids of a chunk follow each other, from one that is random but for its time and its end.
        Self { chunk, left, is_short: false, charged: 0, first: id.as_u128() & !0xffff }
    }

    fn add(&mut self, to: BulkContact, made: Result<Made, TooManyParts>) {
        let Ok(Made { text, country, price }) = made else {
            self.chunk.delta.invalid += 1;
            return;
        };
        let paid = price.and_then(|price| {
            let left = crate::message::charge(self.left, price);
            self.is_short |= left.is_none();
            self.left = left.ok_or(MessageStatus::NoMoney)?;
            Ok(price)
        });
        let (status, price) = match paid {
            Ok(price) => (MessageStatus::New, price),
            Err(status) => (status, Money::ZERO),
        };
        self.chunk.delta.add(MessageState { status, ..MessageState::default() });
        if price > Money::ZERO {
            self.chunk.delta.cost = self.chunk.delta.cost + price;
            self.charged += 1;
        }
        if self.chunk.bulk.is_dry_run {
            return;
        }
        let number = u128::try_from(self.chunk.messages.len()).unwrap_or(0);
        let id = MessageId(Uuid::from_u128(self.first | number));
        let BulkContact { phone, callback_data, .. } = to;
        self.chunk.messages.push(BulkMessage { id, phone, country, text, callback_data, status, price });
    }

    /// The chunk, and what it costs, in one movement.
    fn batch(self, currency: Currency) -> Batch {
        let BulkChunk { bulk, at, delta, .. } = &self.chunk;
        let mut batch = Batch::new(bulk.tenant);
        if delta.cost > Money::ZERO && !bulk.is_dry_run {
            let reason = MovementReason::BulkCharge { bulk: bulk.id, messages: self.charged };
            batch = batch.guard(Guard::PaysIn(currency)).change(Change::BalanceMove {
                at: *at,
                amount: -delta.cost,
                reason,
            });
        }
        batch.change(Change::BulkExpand(Box::new(self.chunk)))
    }
}

impl<S: Store> Directory<S> {
    /// Some chunks of a bulk that is being sent, from `from` on. While one is written, the next is read and made.
    pub(super) async fn bulk_expand(&self, bulk: Bulk, from: Expansion, chunks: u32) -> Result<(), Error> {
        let quote = self.store.quote(bulk.tenant, None).await?.ok_or(Error::NotFound(Entity::Tenant))?;
        // A dry run takes nothing, so what the chunks before would have taken is still there.
        let spent = if bulk.is_dry_run { bulk.cost } else { Money::ZERO };
        let left = quote.account.balance - spent;
        let walk = Walk::new(&bulk, from, CHUNK);
        let mut expanding = Expanding { bulk: Arc::new(bulk), quote, walk, left, is_short: false };
        let mut next = self.bulk_chunk(&mut expanding).await?;
        for chunk in 1..=chunks {
            let Some(batch) = next.take() else { return Ok(()) };
            let written = self.store.commit(batch);
            let following =
                async { if chunk < chunks { self.bulk_chunk(&mut expanding).await } else { Ok(None) } };
            let (written, following) = join(written, following).await;
            match written {
                Ok(()) => next = following?,
                // Somebody else has done it, or the balance was spent on something else: whoever looks again sees it.
                Err(StoreError::Stale | StoreError::GuardFailed | StoreError::Balance) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The next chunk of the step, if there is one.
    async fn bulk_chunk(&self, expanding: &mut Expanding) -> Result<Option<Batch>, Error> {
        let from = expanding.walk.at.clone();
        if from == Expansion::Done || expanding.is_short {
            return Ok(None);
        }
        let found = self.bulk_recipients(&mut expanding.walk, CHUNK).await?;
        let (bulk, to, now) = (Arc::clone(&expanding.bulk), expanding.walk.at.clone(), self.now());
        let mut making = Making::new(bulk, [from, to], expanding.left, self.entropy.uuid_at(now), now);
        let mut texts = Texts::new(&expanding.bulk, &expanding.quote, &expanding.walk.labels);
        for recipient in found {
            let made = texts.make(&recipient.contact, recipient.source);
            making.add(recipient.contact, made);
        }
        (expanding.left, expanding.is_short) = (making.left, making.is_short);
        Ok(Some(making.batch(expanding.quote.account.currency)))
    }
}
