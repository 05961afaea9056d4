//! Sending one message, or only saying what it would come to (LOX24 messaging contract, section 2).

use uuid::Uuid;

use super::journaling::events;
use super::{
    DRY_RUN, Destination, Direction, Encoding, Message, MessageState, MessageStatus, MessageText, Money,
    MovementReason, Quote, SendOptions, SenderId,
};
use crate::contact::PhoneNumber;
use crate::directory::ATTEMPTS;
use crate::{
    Access, Area, Batch, Change, Ctx, Directory, Draft, Entity, Error, Guard, JournalEntry, MessageId,
    Problem, Store, StoreError, Timestamp, journal,
};

/// What a request wants of a message.
#[derive(Clone, Debug, Default)]
pub struct MessageWish {
    pub sender: Option<SenderId>,
    /// As it was sent.
    pub text: Option<String>,
    /// As it was sent; national numbers are read by the tenant's country.
    pub phone: Option<String>,
    /// `None`: the first that has all of the text.
    pub encoding: Option<Encoding>,
    pub deliver_at: Option<Timestamp>,
    pub options: SendOptions,
    pub callback_data: Option<String>,
    /// The address that the request came from; that of a person is not kept.
    pub ip: Option<String>,
}

impl<S: Store> Directory<S> {
    /// Takes a message and what it costs in one transaction; it is handed over later. One that cannot be sent (blocked, to
    /// a fixed line, to where no operator is) is kept with the status that says so, costs nothing, and does not move a
    /// thread.
    ///
    /// Errors: `Invalid` (no sender, text or number, or one that cannot be), `NoMoney`.
    pub async fn message_create(&self, ctx: &Ctx, draft: Draft<MessageWish>) -> Result<Message, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let mut message = self.message_read(ctx, draft).await?;
        message.id = MessageId(self.entropy.uuid_at(ctx.now()));
        let (thread, at) = (message.thread(), message.created_at);
        let thread = self.thread_move(thread, Direction::Outgoing, message.id, at).await?;
        for _ in 0..ATTEMPTS {
            let (decided, guards) = self.message_admit(message.clone()).await?;
            let payload = journal::created(decided.fields());
            let mut batch = Batch::new(ctx.tenant())
                .change(Change::MessageInsert(Box::new(decided.clone())))
                .journal(JournalEntry::new(ctx, "sms.created", decided.id, decided.version, payload));
            batch.guards.extend(guards);
            if decided.state.status == MessageStatus::New {
                batch.changes.extend(thread.clone());
            }
            if decided.price > Money::ZERO {
                let (at, reason) = (ctx.now(), MovementReason::Charge(decided.id));
                batch = batch.change(Change::BalanceMove { at, amount: -decided.price, reason });
            }
            batch.journal.extend(events(&message, &decided, ctx.now()));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(decided),
                Err(StoreError::GuardFailed) => {}
                Err(StoreError::Stale) => return Err(Error::NotFound(Entity::Tenant)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Says what would become of a message, and what it would cost; nothing is stored.
    ///
    /// Errors: `Invalid`, as of [`Directory::message_create`].
    pub async fn message_dry_run(&self, ctx: &Ctx, draft: Draft<MessageWish>) -> Result<Message, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let message = self.message_read(ctx, draft).await?;
        Ok(self.message_admit(message).await?.0)
    }

    /// The message that is wished for, without an id, a price and a state.
    async fn message_read(&self, ctx: &Ctx, draft: Draft<MessageWish>) -> Result<Message, Error> {
        let Draft { value: wish, mut errors } = draft;
        let missing = [
            ("sender", wish.sender.is_none()),
            ("text", wish.text.is_none()),
            ("phone", wish.phone.is_none()),
        ];
        for (field, _) in missing.into_iter().filter(|(_, missing)| *missing) {
            if !errors.names(field) {
                errors.push(field, Problem::Required);
            }
        }
        let text = wish.text.map(|raw| MessageText::read(&raw, wish.encoding));
        let text = text.and_then(|read| errors.take("text", read));
        let phone = match wish.phone {
            Some(raw) => errors.take("phone", PhoneNumber::read(&raw, &self.contact_country(ctx).await?)),
            None => None,
        };
        let ((sender, text), phone) = errors.complete(wish.sender.zip(text).zip(phone))?;
        let mut message = Message {
            id: DRY_RUN,
            tenant: ctx.tenant(),
            sender,
            country: Destination::of(&phone).country,
            phone,
            text: String::new(),
            encoding: text.encoding(),
            chars_count: 0,
            parts_count: 0,
            options: wish.options,
            callback_data: wish.callback_data,
            deliver_at: wish.deliver_at,
            state: MessageState::default(),
            handed_over_at: None,
            price: Money::ZERO,
            bulk: None,
            author: ctx.actor(),
            ip: ctx.kept_address(wish.ip),
            version: 1,
            created_at: ctx.now(),
        };
        message.set_text(text);
        Ok(message)
    }

    /// The message with its price, or the state in which it ends, and what that rests on. A price that has changed meanwhile
    /// is the one of the moment before; an amount in a currency that the tenant no longer pays in is none.
    async fn message_admit(&self, mut message: Message) -> Result<(Message, Vec<Guard>), Error> {
        let tenant = message.tenant;
        let destination = Destination::of(&message.phone);
        let is_blocked = self.store.block_of(tenant, message.phone.as_str()).await?.is_some();
        let quote = match destination.country {
            Some(_) => self.store.quote(tenant, destination.country).await?,
            // It has no price, whatever the table says.
            None => self.store.account(tenant).await?.map(|account| Quote { account, table: None }),
        };
        let quote = quote.ok_or(Error::NotFound(Entity::Tenant))?;
        match quote.tariff().admit(destination, is_blocked, message.parts_count) {
            Ok(price) => message.price = price,
            Err(status) => message.state.status = status,
        }
        let mut guards = vec![Guard::NumberBlocked { number: message.phone.as_str().to_owned(), is_blocked }];
        if message.price > Money::ZERO {
            guards.push(Guard::PaysIn(quote.account.currency));
        }
        Ok((message, guards))
    }
}

impl Message {
    /// The state in which a customer has stopped it, and what is given back; `None` when that cannot be any more.
    pub(super) fn stopped(self, now: Timestamp) -> Option<(Self, Money)> {
        let state = self.state.with_status(MessageStatus::StoppedByCustomer)?;
        Some(self.in_state(state, now))
    }
}

/// A place in the order of messages after which all of them come.
pub(super) const BEFORE_ALL: (Timestamp, MessageId) = (Timestamp(i64::MIN), MessageId(Uuid::nil()));
