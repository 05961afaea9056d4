//! Messages from phones: taking what carriers bring, and what its customer does with it (LOX24 messaging contract,
//! section 4).

use serde_json::Map;

use super::{
    Block, BlockedBy, Direction, Incoming, IncomingField, Keyword, ListQuery, SenderId, SmsEvent,
    blocked_number,
};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Area, Batch, BlockId, Change, Ctx, Directory, Entity, Error, IdKind, JournalEntry, MessageId,
    Page, Precondition, Store, StoreError, TenantId, Timestamp, journal,
};

/// A message as a carrier brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub carrier: String,
    /// What the carrier calls it, if it calls it anything: by that it is known when it comes again.
    pub carrier_id: Option<String>,
    pub from: String,
    pub to: String,
    pub text: String,
    pub received_at: Timestamp,
}

/// Reads of messages from phones.
pub trait IncomingStore {
    fn incoming(
        &self,
        tenant: TenantId,
        id: MessageId,
    ) -> impl Future<Output = Result<Option<Incoming>, StoreError>> + Send;

    /// The one that a carrier has brought under this id.
    fn incoming_of(
        &self,
        tenant: TenantId,
        carrier: &str,
        carrier_id: &str,
    ) -> impl Future<Output = Result<Option<Incoming>, StoreError>> + Send;

    fn incomings(
        &self,
        tenant: TenantId,
        query: ListQuery<IncomingField>,
    ) -> impl Future<Output = Result<Page<Incoming>, StoreError>> + Send;

    /// The last message that was handed over to a phone from one of these senders.
    fn message_last(
        &self,
        tenant: TenantId,
        phone: &str,
        senders: [String; 3],
    ) -> impl Future<Output = Result<Option<MessageId>, StoreError>> + Send;

    /// The active tenant of which a message was handed over last to a phone from one of these senders.
    fn tenant_last(
        &self,
        phone: &str,
        senders: [String; 3],
    ) -> impl Future<Output = Result<Option<TenantId>, StoreError>> + Send;
}

impl<S: Store> Directory<S> {
    /// Takes a message that a carrier brings for a tenant, once however often it comes: joins it to the message that it
    /// answers, moves the thread between the two numbers, and does what its word asks for ([`Keyword`]).
    ///
    /// Errors: `NotFound` for a tenant that is not there.
    pub async fn incoming_receive(&self, tenant: TenantId, arrival: Arrival) -> Result<Incoming, Error> {
        let whole = |text: String| text.replace('\0', "\u{fffd}");
        let (from, to, text) = (whole(arrival.from), whole(arrival.to), whole(arrival.text));
        let (carrier, carrier_id) = (whole(arrival.carrier), arrival.carrier_id.map(whole));
        let id = MessageId(self.entropy.uuid_at(self.now()));
        let mut thread = None;
        for _ in 0..ATTEMPTS {
            if let Some(carrier_id) = &carrier_id
                && let Some(known) = self.store.incoming_of(tenant, &carrier, carrier_id).await?
            {
                return Ok(known);
            }
            let answers = self.answered(tenant, &from, &to).await?;
            let incoming = Incoming {
                id,
                tenant,
                from: from.clone(),
                to: to.clone(),
                text: text.clone(),
                received_at: arrival.received_at,
                answers,
                version: 1,
            };
            if thread.is_none() {
                let (numbers, at) = (incoming.thread(), incoming.received_at);
                thread = self.thread_move(numbers, Direction::Incoming, id, at).await?;
            }
            let event = SmsEvent::Received.as_str();
            let entry = JournalEntry::by_server(event, id, incoming.version, self.now());
            let payload = journal::created(incoming.fields()).into();
            let insert = Change::IncomingInsert {
                incoming: Box::new(incoming.clone()),
                carrier: carrier.clone(),
                carrier_id: carrier_id.clone(),
            };
            let mut batch = Batch::new(tenant).change(insert).journal(JournalEntry { payload, ..entry });
            batch.changes.extend(thread.clone());
            let batch = self.with_keyword(batch, &incoming).await?;
            match self.store.commit(batch).await {
                Ok(()) => return Ok(incoming),
                // It has come twice at the same time, or the block list was changed meanwhile.
                Err(StoreError::Stale | StoreError::Duplicate(_)) => {}
                Err(error) => return Err(error.into()),
            }
            if self.store.tenant(tenant).await?.is_none() {
                return Err(Error::NotFound(Entity::Tenant));
            }
        }
        Err(Error::contended())
    }

    /// Whose a message from a phone is, if the operator has not said who has the number that it was sent to: the
    /// tenant's whose message it answers. It costs a look-up for each tenant of the store.
    pub async fn incoming_tenant(&self, from: &str, to: &str) -> Result<Option<TenantId>, Error> {
        match number(from) {
            Some(phone) => Ok(self.store.tenant_last(&phone, senders(to)).await?),
            None => Ok(None),
        }
    }

    /// The message of ours that one of theirs answers.
    async fn answered(&self, tenant: TenantId, from: &str, to: &str) -> Result<Option<MessageId>, Error> {
        match number(from) {
            Some(phone) => Ok(self.store.message_last(tenant, &phone, senders(to)).await?),
            None => Ok(None),
        }
    }

    /// Adds what the word of a message asks for: its sender gets onto the block list, or off it.
    async fn with_keyword(&self, batch: Batch, incoming: &Incoming) -> Result<Batch, Error> {
        let (Some(keyword), Some(number)) = (Keyword::of(&incoming.text), number(&incoming.from)) else {
            return Ok(batch);
        };
        let tenant = batch.tenant;
        let (before, now) = (self.store.block_of(tenant, &number).await?, self.now());
        let entry = |kind, id: BlockId, version| JournalEntry::by_server(kind, id, version, now);
        Ok(match (keyword.after(before.as_ref().map(|block| block.by)), before) {
            (Some(by @ BlockedBy::Recipient), None) => {
                let id = BlockId(self.store.next_id(IdKind::Block).await?);
                let block = Block { id, tenant, number, by, added_at: now, version: 1 };
                let payload = journal::created(block.fields()).into();
                let entry = JournalEntry { payload, ..entry("blocked_number.created", id, 1) };
                batch.change(Change::BlockInsert(Box::new(block))).journal(entry)
            }
            (None, Some(Block { id, version, .. })) => {
                let entry = entry("blocked_number.deleted", id, version + 1);
                batch.change(Change::BlockDelete { id, version }).journal(entry)
            }
            _ => batch,
        })
    }

    /// The text of a message that an event tells of; empty when it is gone. Events do not keep it, since it may have to
    /// be forgotten.
    pub async fn incoming_text(&self, tenant: TenantId, id: MessageId) -> Result<String, Error> {
        Ok(self.store.incoming(tenant, id).await?.map(|incoming| incoming.text).unwrap_or_default())
    }

    /// One message. Errors: `NotFound`.
    pub async fn incoming_get(&self, ctx: &Ctx, id: MessageId) -> Result<Incoming, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        self.store.incoming(ctx.tenant(), id).await?.ok_or(Error::NotFound(Entity::Incoming))
    }

    /// A slice of the messages that are asked for.
    pub async fn incoming_list(
        &self,
        ctx: &Ctx,
        query: ListQuery<IncomingField>,
    ) -> Result<Page<Incoming>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        Ok(self.store.incomings(ctx.tenant(), query).await?)
    }

    /// Deletes a message that the caller has read. Errors: `Precondition`, `NotFound` when it is gone already.
    pub async fn incoming_delete(
        &self,
        ctx: &Ctx,
        found: Incoming,
        precondition: Option<Precondition<Incoming>>,
    ) -> Result<(), Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let incoming = match found.take() {
                Some(found) => found,
                None => self.incoming_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &incoming)?;
            let version = incoming.version;
            let entry = JournalEntry::new(ctx, "incoming.deleted", id, version + 1, Map::new());
            let batch =
                Batch::new(ctx.tenant()).change(Change::IncomingDelete { id, version }).journal(entry);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

/// The senders that a message to this number answers: it may be written with or without its plus sign.
fn senders(to: &str) -> [String; 3] {
    let international = number(to).unwrap_or_else(|| to.to_owned());
    [to.to_owned(), international.trim_start_matches('+').to_owned(), international]
}

/// A sender or receiver as the block list and messages have numbers; `None` for what is none, such as a name.
fn number(raw: &str) -> Option<String> {
    let digits = SenderId::read(raw).ok()?.digits().map(|digits| format!("+{digits}"))?;
    blocked_number(&digits).ok()
}
