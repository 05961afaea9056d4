//! Making the messages of a bulk: each recipient gets the text that their columns make of it, at its own price.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Bulk, BulkChunk, BulkContact, BulkDelta, BulkMessage, Expansion};
use crate::contact::{COLUMNS, PhoneNumber};
use crate::message::{
    Country, Destination, Encoding, MessageState, MessageStatus, MessageText, Money, MovementReason, Quote,
    Tariff, Template, TooManyParts,
};
use crate::{Batch, Change, ContactId, Directory, Entity, Error, MessageId, Store, Timestamp};

/// Recipients that one commit expands.
pub(super) const CHUNK: u32 = 2000;

/// A text that is ready for the recipients of one source.
pub(super) struct Ready<'a> {
    template: Template<'a>,
    encoding: Option<Encoding>,
    /// What all of them get, if it is the same.
    constant: Option<Result<MessageText, TooManyParts>>,
    tariff: Tariff<'a>,
}

/// A message, or why it cannot be sent.
pub(super) struct Made {
    pub(super) text: MessageText,
    pub(super) country: Option<Country>,
    pub(super) price: Result<Money, MessageStatus>,
}

impl<'a> Ready<'a> {
    pub(super) fn new(bulk: &'a Bulk, labels: &[Option<String>; COLUMNS], quote: &'a Quote) -> Self {
        let template = Template::new(&bulk.text, bulk.style, labels);
        let mut ready = Self { template, encoding: bulk.encoding, constant: None, tariff: quote.tariff() };
        if ready.template.is_constant() {
            ready.constant = Some(ready.filled(&Default::default()));
        }
        ready
    }

    fn filled(&self, columns: &[Option<String>; COLUMNS]) -> Result<MessageText, TooManyParts> {
        MessageText::new(&self.template.fill(columns)?, self.encoding)
    }

    /// The message to a number, and what it costs. Errors: what the columns make of the text is too long.
    pub(super) fn make(
        &self,
        phone: &PhoneNumber,
        columns: &[Option<String>; COLUMNS],
        is_blocked: bool,
    ) -> Result<Made, TooManyParts> {
        let text = match &self.constant {
            Some(text) => text.clone()?,
            None => self.filled(columns)?,
        };
        let destination = Destination::of(phone);
        let price = self.tariff.admit(destination, is_blocked, text.parts_count());
        Ok(Made { text, country: destination.country, price })
    }
}

/// A chunk that is being made.
struct Making {
    chunk: BulkChunk,
    /// What the balance has left.
    left: Money,
    charged: u32,
    first: u128,
}

impl Making {
    fn new(bulk: Bulk, from: Expansion, to: Expansion, balance: Money, id: Uuid, at: Timestamp) -> Self {
        let chunk = BulkChunk {
            bulk,
            from,
            to,
            at,
            messages: Vec::new(),
            reached: Vec::new(),
            delta: BulkDelta::default(),
        };
        // A dry run takes nothing, so what the chunks before would have taken is still there.
        let spent = if chunk.bulk.is_dry_run { chunk.bulk.cost } else { Money::ZERO };
        // The ids of a chunk follow each other, from one that is random but for its time and its end.
        Self { chunk, left: balance - spent, charged: 0, first: id.as_u128() & !0xffff }
    }

    fn add(&mut self, phone: PhoneNumber, callback_data: Option<String>, made: Result<Made, TooManyParts>) {
        let Ok(Made { text, country, price }) = made else {
            self.chunk.delta.invalid += 1;
            return;
        };
        let paid = price.and_then(|price| {
            let left = crate::message::charge(self.left, price).ok_or(MessageStatus::NoMoney)?;
            self.left = left;
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
            self.chunk.reached.push(phone);
            return;
        }
        let number = u128::try_from(self.chunk.messages.len()).unwrap_or(0);
        let id = MessageId(Uuid::from_u128(self.first | number));
        self.chunk.messages.push(BulkMessage { id, phone, country, text, callback_data, status, price });
    }

    /// The chunk, and what it costs, in one movement.
    fn batch(self) -> Batch {
        let BulkChunk { bulk, at, delta, .. } = &self.chunk;
        let mut batch = Batch::new(bulk.tenant);
        if delta.cost > Money::ZERO && !bulk.is_dry_run {
            let reason = MovementReason::BulkCharge { bulk: bulk.id, messages: self.charged };
            batch = batch.change(Change::BalanceMove { at: *at, amount: -delta.cost, reason });
        }
        batch.change(Change::BulkExpand(Box::new(self.chunk)))
    }
}

impl<S: Store> Directory<S> {
    /// The next chunk of a bulk that is being sent, from `from` on.
    pub(super) async fn bulk_expand(&self, bulk: Bulk, from: Expansion) -> Result<Batch, Error> {
        let quote = self.store.quote(bulk.tenant, None).await?.ok_or(Error::NotFound(Entity::Tenant))?;
        match from {
            Expansion::Phones(_) if bulk.phones.is_empty() => {
                self.bulk_expand_group(bulk, from, (0, ContactId(0)), &quote).await
            }
            Expansion::Phones(done) => self.bulk_expand_phones(bulk, done, &quote).await,
            Expansion::Group { index, after } => {
                self.bulk_expand_group(bulk, from, (index, after), &quote).await
            }
            Expansion::Settle | Expansion::Done => Ok(Batch::new(bulk.tenant)),
        }
    }

    async fn bulk_expand_phones(&self, bulk: Bulk, done: u32, quote: &Quote) -> Result<Batch, Error> {
        let begin = usize::try_from(done).unwrap_or(usize::MAX).min(bulk.phones.len());
        let end = begin.saturating_add(CHUNK as usize).min(bulk.phones.len());
        let from = Expansion::Phones(done);
        let to = match u32::try_from(end) {
            Ok(done) if end < bulk.phones.len() => Expansion::Phones(done),
            _ => Expansion::group(&bulk, 0),
        };
        // Those before are in the list too, so nothing has to be looked up.
        let mut reached: HashSet<&PhoneNumber> = bulk.phones[..begin].iter().collect();
        let phones: Vec<PhoneNumber> =
            bulk.phones[begin..end].iter().filter(|phone| reached.insert(*phone)).cloned().collect();
        let blocked: HashSet<PhoneNumber> =
            self.store.blocked_among(bulk.tenant, phones.clone()).await?.into_iter().collect();
        let now = self.now();
        let mut making =
            Making::new(bulk.clone(), from, to, quote.account.balance, self.entropy.uuid_at(now), now);
        let ready = Ready::new(&bulk, &Default::default(), quote);
        for phone in phones {
            let made = ready.make(&phone, &Default::default(), blocked.contains(&phone));
            making.add(phone, None, made);
        }
        Ok(making.batch())
    }

    /// A group that is gone has nobody in it.
    async fn bulk_expand_group(
        &self,
        bulk: Bulk,
        from: Expansion,
        (index, after): (u32, ContactId),
        quote: &Quote,
    ) -> Result<Batch, Error> {
        let (at, now) = (usize::try_from(index).unwrap_or(usize::MAX), self.now());
        let found = match bulk.groups.get(at) {
            Some(group) => self.store.bulk_contacts(bulk.tenant, bulk.id, *group, now, after, CHUNK).await?,
            None => None,
        };
        let (labels, contacts) =
            found.map_or_else(Default::default, |(group, contacts)| (group.labels, contacts));
        let to = match contacts.last() {
            Some(last) if contacts.len() >= CHUNK as usize => Expansion::Group { index, after: last.id },
            _ => Expansion::group(&bulk, at.saturating_add(1)),
        };
        let mut making =
            Making::new(bulk.clone(), from, to, quote.account.balance, self.entropy.uuid_at(now), now);
        let ready = Ready::new(&bulk, &labels, quote);
        for contact in contacts.into_iter().filter(|contact| !contact.is_reached) {
            let BulkContact { phone, columns, callback_data, is_blocked, .. } = contact;
            let made = ready.make(&phone, &columns, is_blocked);
            making.add(phone, callback_data, made);
        }
        Ok(making.batch())
    }
}
