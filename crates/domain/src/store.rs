//! What the core asks of a store. Reads return `Option` or a page; every write is a [`Batch`].

use std::borrow::Cow;

use crate::contact::ContactStore;
use crate::credential::CredentialStore;
use crate::media::MediaStore;
use crate::message::{BalanceStore, BlockStore, BulkStore, IncomingStore, MessageStore};
use crate::org_unit::OrgUnitStore;
use crate::session::SessionStore;
use crate::tag::TagStore;
use crate::tenant::TenantStore;
use crate::user::UserStore;
use crate::user_group::UserGroupStore;
use crate::webhook::WebhookStore;
use crate::{Batch, IdKind, JournalFilter, JournalRecord, TenantId, Unique};

/// Why a store did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("duplicate: {0:?}")]
    Duplicate(Unique),
    /// A guard of the batch does not hold.
    #[error("a guard failed")]
    GuardFailed,
    /// A row has another version than the one the batch was decided on, or what it refers to is gone.
    #[error("stale")]
    Stale,
    /// A balance does not suffice for what is to be taken from it, or cannot say what it would be.
    #[error("the balance forbids it")]
    Balance,
    /// Busy, full, read-only or stopped: nothing was done, trying later may help. Of a commit whose answer was lost with
    /// the connection to the store it is not known, which the text says.
    #[error("unavailable: {0}")]
    Unavailable(Cow<'static, str>),
    #[error("{0}")]
    Internal(String),
}

/// A store of directories, safe to share between requests.
pub trait Store:
    OrgUnitStore
    + UserStore
    + UserGroupStore
    + SessionStore
    + TenantStore
    + CredentialStore
    + ContactStore
    + WebhookStore
    + TagStore
    + MediaStore
    + BalanceStore
    + BlockStore
    + MessageStore
    + IncomingStore
    + BulkStore
    + Send
    + Sync
{
    /// Applies a batch and returns when it is durable. A batch that was handed in is carried out even
    /// if the caller goes away.
    ///
    /// Errors: `Duplicate`, `GuardFailed`, `Stale`, in which case nothing of the batch was done.
    fn commit(&self, batch: Batch) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Hands a batch in and returns at once, without being told whether it is applied.
    fn submit(&self, batch: Batch) -> Result<(), StoreError>;

    /// The first of `count` ids in a row that no tenant of the store has or will have.
    fn next_ids(&self, kind: IdKind, count: u32) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// An id that no tenant of the store has or will have.
    fn next_id(&self, kind: IdKind) -> impl Future<Output = Result<i64, StoreError>> + Send {
        self.next_ids(kind, 1)
    }

    /// Journal entries of a tenant with a sequence above `after`, oldest first, at most `limit`.
    fn journal(
        &self,
        tenant: TenantId,
        after: i64,
        filter: JournalFilter,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<JournalRecord>, StoreError>> + Send;

    /// The newest journal entries of a tenant, newest first, at most `limit`.
    fn journal_newest(
        &self,
        tenant: TenantId,
        filter: JournalFilter,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<JournalRecord>, StoreError>> + Send;
}
