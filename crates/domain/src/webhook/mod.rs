//! Webhooks: who is told of changes, of which, and where (Convirza platform contract, section 1).
//!
//! The journal is the one source. Each webhook has a cursor in it; what comes after is read a page at a time by
//! whichever process has leased the webhook, and what the webhook asked for of it becomes deliveries in the same
//! transaction as the cursor is moved on. So no event is lost, none is made twice, and an endpoint that is slow
//! or down costs nothing but a cursor that stays behind. One process at a time sends for a webhook, so that the
//! deliveries about one entity arrive in order.

mod change;
mod delivery;
mod event;
mod model;
mod read;
mod reap;
mod rules;
mod schedule;
mod work;

use uuid::Uuid;

use crate::{OrgUnitId, Page, Slice, StoreError, TenantId, Timestamp, WebhookId};

pub use change::{NewWebhook, SECRET_OVERLAP};
pub use delivery::{
    Attempt, Delivery, DeliveryFilter, DeliveryId, DeliveryState, NewDelivery, limits as delivery_limits,
};
pub use event::{EVENTS, Event, Place, event_patterns, is_event_pattern};
pub use model::{
    Health, StaticParameter, Webhook, WebhookFormat, WebhookPatch, WebhookSecret, WebhookStatus, WebhookView,
    limits, seal_context,
};
pub use rules::PARAMETER_NAMES;
pub use schedule::{DISABLED_AFTER, MOST_RETRY_AFTER, attempts, next_attempt};
pub use work::{ATTEMPT, DOWN, LEASE, Leased, PROBE, Rest};

/// A webhook with all that its deliveries need.
#[derive(Clone, Debug)]
pub struct Sender {
    pub webhook: Webhook,
    /// The secret that signs, and the one before while it still does.
    pub secret: WebhookSecret,
    /// The last journal entry of which the deliveries were made.
    pub cursor: i64,
    pub health: Health,
    /// The top of the tenant's tree.
    pub top: OrgUnitId,
}

/// What there is to do for an active webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookWork {
    pub id: WebhookId,
    pub version: i64,
    /// Whether the journal goes on after the cursor.
    pub has_news: bool,
    /// When the next of its open deliveries is due.
    pub next_at: Option<Timestamp>,
    /// Which of them became due last. It changes when one is asked for again, also while others are held back that have
    /// been due for long.
    pub due_at: Option<Timestamp>,
    /// Who sends for it, and until when nobody else may.
    pub lease: Option<(Uuid, Timestamp)>,
    pub health: Health,
}

/// Reads of webhooks and of what was sent for them. Deleted ones are not there.
pub trait WebhookStore {
    fn webhook(
        &self,
        tenant: TenantId,
        id: WebhookId,
    ) -> impl Future<Output = Result<Option<WebhookView>, StoreError>> + Send;

    /// All webhooks of a tenant (at most [`limits::PER_TENANT`]), by id.
    fn webhooks(&self, tenant: TenantId)
    -> impl Future<Output = Result<Vec<WebhookView>, StoreError>> + Send;

    /// What signs for a webhook, whether or not something is sent for it.
    fn webhook_secret(
        &self,
        tenant: TenantId,
        id: WebhookId,
    ) -> impl Future<Output = Result<Option<WebhookSecret>, StoreError>> + Send;

    /// An active webhook of a tenant that is active.
    fn webhook_sender(
        &self,
        tenant: TenantId,
        id: WebhookId,
    ) -> impl Future<Output = Result<Option<Sender>, StoreError>> + Send;

    /// The newest first (by the journal). The total of those that did not fail is at most [`limits::DELIVERIES_COUNTED`].
    fn deliveries(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        filter: DeliveryFilter,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<Delivery>, StoreError>> + Send;

    fn delivery(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> impl Future<Output = Result<Option<Delivery>, StoreError>> + Send;

    /// The deliveries that are neither done nor given up, the oldest first (by the journal), without what came of their
    /// last attempts: whoever sends has no use for it.
    fn deliveries_open(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Delivery>, StoreError>> + Send;

    /// The active webhooks of a tenant that is active, by id.
    fn webhook_work(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<WebhookWork>, StoreError>> + Send;

    /// The tenants to whose journals this process has added since the last call; waits until there is one. A hint:
    /// what other processes write is not told, and a call that is dropped may take some along.
    fn journaled(&self) -> impl Future<Output = Vec<TenantId>> + Send;

    /// Tenants that have webhooks which are not deleted, by id, after this one.
    fn tenants_with_webhooks(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<TenantId>, StoreError>> + Send;

    /// The first journal entry that a webhook still needs: one after the lowest cursor of an active webhook, or that
    /// of its oldest open delivery.
    fn journal_needed(
        &self,
        tenant: TenantId,
    ) -> impl Future<Output = Result<Option<i64>, StoreError>> + Send;

    /// A webhook of which rows are to be removed: it is deleted, or the oldest of its deliveries that have ended is of an
    /// event before `horizon`.
    fn webhook_to_reap(
        &self,
        tenant: TenantId,
        horizon: Timestamp,
    ) -> impl Future<Output = Result<Option<Reapable>, StoreError>> + Send;
}

/// What is next to be done with a webhook of which rows are to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reapable {
    /// It has deliveries that have ended, of events before the horizon, or is deleted and has deliveries.
    Deliveries(WebhookId),
    /// It was deleted, and its deliveries are removed.
    Emptied(WebhookId),
}
