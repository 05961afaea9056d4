//! Webhooks to test on, and what is sent for them.

use std::time::Duration;

use muster_domain::webhook::{
    Attempt, Delivery, DeliveryFilter, DeliveryId, DeliveryState, Health, Leased, NewDelivery, NewWebhook,
    Webhook, WebhookPatch, WebhookStatus, WebhookStore as _, WebhookView,
};
use muster_domain::{
    Batch, Change, Error, JournalFilter, OrgUnitId, Page, Store as _, StoreError, TenantId, Timestamp,
    WebhookId,
};
use uuid::Uuid;

use crate::contact_books::ALL;
use crate::support::{Backend, START};
use crate::world::{Org, World, entry};

/// Two processes that send.
pub(crate) const ONE: Uuid = Uuid::from_u128(1);
pub(crate) const TWO: Uuid = Uuid::from_u128(2);

/// A wish for a webhook that asks for these events.
pub(crate) fn asking<const N: usize>(events: [&str; N]) -> WebhookPatch {
    WebhookPatch {
        name: Some("CRM".to_owned()),
        url: Some("https://crm.example.org/hook".to_owned()),
        events: Some(events.map(str::to_owned).to_vec()),
        ..WebhookPatch::default()
    }
}

pub(crate) fn in_unit(unit: OrgUnitId, include_sub_groups: bool, patch: WebhookPatch) -> WebhookPatch {
    WebhookPatch { org_unit_id: Some(unit), include_sub_groups: Some(include_sub_groups), ..patch }
}

pub(crate) fn webhook_status(status: WebhookStatus) -> WebhookPatch {
    WebhookPatch { status: Some(status), ..WebhookPatch::default() }
}

/// A delivery of an entry that is none.
pub(crate) fn delivery_of(sequence: i64) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::of(sequence, 0),
        event: "user.created",
        entity: format!("user:{sequence}"),
        at: START.plus(Duration::from_secs(sequence.unsigned_abs())),
        next_at: START.plus(Duration::from_secs(sequence.unsigned_abs())),
    }
}

/// The delivery after an attempt with this end.
pub(crate) fn ended(new: &NewDelivery, state: DeliveryState, attempt: Option<Attempt>) -> Delivery {
    Delivery {
        id: new.id,
        event: new.event.to_owned(),
        entity: new.entity.clone(),
        at: new.at,
        state,
        attempts: attempt.iter().count(),
        next_at: (state == DeliveryState::Open).then_some(new.at),
        last: attempt,
    }
}

pub(crate) fn attempt(at: Timestamp, problem: Option<&str>) -> Attempt {
    Attempt {
        at,
        duration: Duration::from_micros(1_234_567),
        status: Some(if problem.is_some() { 503 } else { 204 }),
        answer: Some("Ansage: “später”".to_owned()),
        problem: problem.map(str::to_owned),
    }
}

pub(crate) fn is_stale(outcome: &Result<(), StoreError>) -> bool {
    *outcome == Err(StoreError::Stale)
}

impl<B: Backend> World<B> {
    /// A webhook that was created through its use case, as the operator.
    pub(crate) async fn create_webhook(&self, org: &Org, patch: WebhookPatch) -> Result<NewWebhook, Error> {
        self.directory.webhook_create(&self.now_ctx(org), &self.key, patch.into()).await
    }

    /// A webhook of the top for everything about users.
    pub(crate) async fn webhook(&self, org: &Org) -> Webhook {
        self.create_webhook(org, asking(["user.*"])).await.unwrap().webhook
    }

    pub(crate) async fn webhook_view(&self, org: &Org, id: WebhookId) -> WebhookView {
        self.directory.webhook_get(&self.now_ctx(org), id).await.unwrap()
    }

    pub(crate) async fn update_webhook(
        &self,
        org: &Org,
        id: WebhookId,
        patch: WebhookPatch,
    ) -> Result<WebhookView, Error> {
        let ctx = self.now_ctx(org);
        let found = self.directory.webhook_get(&ctx, id).await?;
        self.directory.webhook_update(&ctx, found, patch.into(), None).await
    }

    pub(crate) async fn delete_webhook(&self, org: &Org, id: WebhookId) -> Result<(), Error> {
        let ctx = self.now_ctx(org);
        let found = self.directory.webhook_get(&ctx, id).await?;
        self.directory.webhook_delete(&ctx, found, None).await
    }

    pub(crate) async fn lease(&self, org: &Org, id: WebhookId, owner: Uuid) -> Option<Leased> {
        self.directory.webhook_lease(org.tenant, id, owner).await.unwrap()
    }

    /// Where a webhook is in the journal.
    pub(crate) fn cursor(&self, id: WebhookId) -> i64 {
        self.backend.look(&format!("SELECT journal_cursor FROM webhooks WHERE id = {id}"))
    }

    /// The last entry of a tenant's journal.
    pub(crate) fn head(&self, tenant: TenantId) -> i64 {
        self.backend.look(&format!("SELECT journal_sequence FROM tenant_state WHERE tenant_id = {tenant}"))
    }

    /// Has a leased webhook look at all that the journal has after what it has looked at.
    pub(crate) async fn derive(&self, leased: &mut Leased) -> Option<Vec<Delivery>> {
        let tenant = leased.sender.webhook.tenant;
        let filter = JournalFilter::default();
        let entries = self.store().journal(tenant, leased.read, filter, u32::MAX).await.unwrap();
        self.directory.webhook_derive(leased, &entries).await.unwrap()
    }

    /// What a webhook makes of all that the journal has after its cursor: names of events and what they are about.
    pub(crate) async fn heard(&self, org: &Org, id: WebhookId) -> Vec<String> {
        let mut leased = self.lease(org, id, ONE).await.unwrap();
        let derived = self.derive(&mut leased).await.unwrap();
        self.directory.webhook_release(leased).await.unwrap();
        derived.into_iter().map(|d| format!("{} {}", d.event, d.entity)).collect()
    }

    /// Deliveries of entries that there are not, open and written by who has leased the webhook before; it is free
    /// afterwards.
    pub(crate) async fn deliver(&self, org: &Org, id: WebhookId, sequences: impl IntoIterator<Item = i64>) {
        let from = self.cursor(id);
        let now = self.directory.now();
        let deliveries: Vec<NewDelivery> = sequences.into_iter().map(delivery_of).collect();
        let through = deliveries.iter().map(|new| new.id.sequence()).max().unwrap_or(from).max(from);
        let changes = vec![
            Change::WebhookLease { id, owner: ONE, now, until: now },
            Change::DeliveriesInsert { webhook: id, owner: ONE, from, through, deliveries },
            Change::WebhookRelease { id, owner: ONE, through },
        ];
        self.commit(org, changes).await.unwrap();
    }

    /// Notes how open deliveries ended.
    pub(crate) async fn end(
        &self,
        org: &Org,
        id: WebhookId,
        sequences: impl IntoIterator<Item = i64>,
        state: DeliveryState,
    ) {
        let problem = (state == DeliveryState::Failed).then_some("no answer");
        let changes = sequences.into_iter().map(|sequence| Change::DeliveryAttempted {
            webhook: id,
            delivery: Box::new(ended(&delivery_of(sequence), state, Some(attempt(START, problem)))),
        });
        self.commit(org, changes.collect()).await.unwrap();
    }

    /// Moves the journal's head on by so many entries.
    pub(crate) async fn note(&self, org: &Org, count: usize) {
        let journal = (0..count).map(|n| entry(org, n)).collect();
        self.store().commit(Batch { journal, ..Batch::new(org.tenant) }).await.unwrap();
    }

    pub(crate) async fn deliveries(
        &self,
        org: &Org,
        id: WebhookId,
        filter: DeliveryFilter,
    ) -> Page<Delivery> {
        self.store().deliveries(org.tenant, id, filter, ALL).await.unwrap()
    }

    /// The entries of which a webhook has deliveries, in this state if one is given, the oldest first.
    pub(crate) async fn told(&self, org: &Org, id: WebhookId, state: Option<DeliveryState>) -> Vec<i64> {
        let page = self.deliveries(org, id, DeliveryFilter { state, since: None }).await;
        assert_eq!(page.total, page.items.len() as u64);
        page.items.iter().rev().map(|delivery| delivery.id.sequence()).collect()
    }

    pub(crate) async fn health(&self, org: &Org, id: WebhookId) -> Health {
        self.store().webhook(org.tenant, id).await.unwrap().unwrap().health
    }
}
