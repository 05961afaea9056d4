//! What the use cases of messages ask of a store.

use uuid::Uuid;

use super::{CarrierPart, Filter, ListQuery, Message, MessageField, MessageWork, Receipt};
use crate::{MessageId, Page, StoreError, TenantId, Timestamp};

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    pub message: Message,
    /// Whether somebody hands it over right now, or has tried to and died: it cannot be stopped.
    pub is_claimed: bool,
}

/// Which messages a sweep is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    All,
    /// Those that wait, and that nobody is handing over.
    Waiting,
}

/// Who has to have a message that waits, so that it may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// It is not being handed over.
    Nobody,
    /// It is being handed over under this claim.
    Claim(Uuid),
    /// Whoever it is: the carrier has it.
    Anybody,
}

/// A message as it was, and as it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageUpdate {
    pub before: Message,
    pub after: Message,
}

/// A part as it shall be, of which so much was known before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartUpdate {
    pub before: Receipt,
    pub after: CarrierPart,
}

/// A message, if it is there, and what carriers have of it.
pub type WithParts = (Option<StoredMessage>, Vec<CarrierPart>);

/// Reads of outgoing messages.
pub trait MessageStore {
    fn message(
        &self,
        tenant: TenantId,
        id: MessageId,
    ) -> impl Future<Output = Result<Option<StoredMessage>, StoreError>> + Send;

    fn messages(
        &self,
        tenant: TenantId,
        query: ListQuery<MessageField>,
    ) -> impl Future<Output = Result<Page<Message>, StoreError>> + Send;

    /// At most `limit` messages that a filter asks for, after this one: by the time when they were taken and then by id, which is
    /// the order of every index of them; those that wait by id alone.
    fn messages_sweep(
        &self,
        tenant: TenantId,
        sweep: Sweep,
        filter: Filter<MessageField>,
        after: (Timestamp, MessageId),
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredMessage>, StoreError>> + Send;

    /// Active tenants of which messages wait, by id, after this one.
    fn tenants_with_messages(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<TenantId>, StoreError>> + Send;

    /// The tenants of which this process has taken messages since the last call; waits until there is one. A hint, as
    /// [`crate::webhook::WebhookStore::journaled`] is one.
    fn messages_taken(&self) -> impl Future<Output = Vec<TenantId>> + Send;

    fn message_work(&self, tenant: TenantId) -> impl Future<Output = Result<MessageWork, StoreError>> + Send;

    /// What is claimed so, those that were due first at first, each with whether its number is on the block list.
    fn messages_claimed(
        &self,
        tenant: TenantId,
        claim: Uuid,
    ) -> impl Future<Output = Result<Vec<(Message, bool)>, StoreError>> + Send;

    /// How many messages are claimed so.
    fn messages_held(
        &self,
        tenant: TenantId,
        claim: Uuid,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// What a carrier has under these ids, of whichever tenant.
    fn carrier_parts(
        &self,
        carrier: &str,
        ids: Vec<String>,
    ) -> impl Future<Output = Result<Vec<CarrierPart>, StoreError>> + Send;

    /// Each of these messages, if it is there, and what carriers have of it, in the order of its parts.
    fn messages_with_parts(
        &self,
        tenant: TenantId,
        ids: Vec<MessageId>,
    ) -> impl Future<Output = Result<Vec<WithParts>, StoreError>> + Send;

    /// Whether anything was handed over to a carrier before `horizon`, and is still known.
    fn has_old_carrier_parts(
        &self,
        horizon: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
