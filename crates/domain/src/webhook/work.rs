//! What a process does that sends for webhooks. It has leased each of them, so that no other sends for it meanwhile;
//! when it dies, another goes on after the lease, and sends again what was not noted as sent.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use uuid::Uuid;

use super::{
    Delivery, DeliveryId, DeliveryState, Event, NewDelivery, Sender, Webhook, WebhookStatus, WebhookWork,
};
use crate::{
    Batch, Change, Directory, Error, JournalEntry, JournalFilter, JournalRecord, OrgUnitId, Store,
    StoreError, TenantId, WebhookId,
};

/// How long a lease holds unless it is renewed. Longer than an attempt may take.
pub const LEASE: Duration = Duration::from_secs(20);

/// Journal entries that are read at once.
pub const PAGE: u32 = 200;

/// Entries of no interest to a webhook after which its cursor is moved on all the same.
const SKIPPED: i64 = 1000;

/// A webhook that this process sends for.
#[derive(Debug)]
pub struct Leased {
    pub owner: Uuid,
    pub sender: Sender,
    /// The last journal entry that was looked at; the cursor follows it.
    pub read: i64,
    /// Whether the webhook was changed since it was read: no more deliveries are made before it is leased anew.
    pub is_outdated: bool,
}

/// A delivery that was made of a journal entry, with what it tells of.
#[derive(Clone, Debug)]
pub struct Derived {
    pub delivery: Delivery,
    pub event: Event,
    pub entry: JournalRecord,
}

impl<S: Store> Directory<S> {
    /// The active webhooks of a tenant, with what is to be done for them.
    pub async fn webhook_work(&self, tenant: TenantId) -> Result<Vec<WebhookWork>, Error> {
        Ok(self.store.webhook_work(tenant).await?)
    }

    /// The tenants that have webhooks, by id, after this one.
    pub async fn tenants_with_webhooks(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantId>, Error> {
        Ok(self.store.tenants_with_webhooks(after, limit).await?)
    }

    /// Makes `owner` the only one to send for a webhook, for [`LEASE`]; also who has it already. `None` when somebody
    /// else sends for it, or nothing is to be sent.
    pub async fn webhook_lease(
        &self,
        tenant: TenantId,
        id: WebhookId,
        owner: Uuid,
    ) -> Result<Option<Leased>, Error> {
        let now = self.now();
        let lease = Change::WebhookLease { id, owner, now, until: now.plus(LEASE) };
        match self.store.commit(Batch::new(tenant).change(lease)).await {
            Ok(()) => {}
            Err(StoreError::Stale) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let sender = self.store.webhook_sender(tenant, id).await?;
        Ok(sender.map(|sender| Leased { owner, read: sender.cursor, sender, is_outdated: false }))
    }

    /// Journal entries of a tenant after this one, the oldest first, at most [`PAGE`].
    pub async fn journal_page(&self, tenant: TenantId, after: i64) -> Result<Vec<JournalRecord>, Error> {
        Ok(self.store.journal(tenant, after, JournalFilter::default(), PAGE).await?)
    }

    /// Makes deliveries of what the webhook wants of these entries, which come after those that were looked at, and
    /// moves its cursor on in the same transaction. An entry that tells of a change of the webhook itself is the last
    /// one that is looked at. `None` when the lease is lost. Unless it succeeds, nothing counts as looked at.
    pub async fn webhook_derive(
        &self,
        leased: &mut Leased,
        entries: &[JournalRecord],
    ) -> Result<Option<Vec<Derived>>, Error> {
        let webhook = &leased.sender.webhook;
        let mut derived = Vec::new();
        let mut units = HashMap::new();
        let mut through = leased.read;
        let mut is_outdated = leased.is_outdated;
        let id = webhook.id.to_string();
        for entry in entries.iter().filter(|entry| entry.sequence > leased.read) {
            if is_outdated {
                break;
            }
            through = entry.sequence;
            // What was done to it before it was read is known.
            is_outdated =
                entry.entity == "webhook" && entry.entity_id == id && entry.version > webhook.version;
            for event in Event::of(entry) {
                if !webhook.wants(event.name)
                    || !self.webhook_covers(&leased.sender, &event, &mut units).await?
                {
                    continue;
                }
                let delivery = Delivery {
                    id: DeliveryId::of(entry.sequence, event.part),
                    event: event.name.to_owned(),
                    entity: format!("{}:{}", entry.entity, entry.entity_id),
                    at: entry.at,
                    state: DeliveryState::Open,
                    attempts: 0,
                    next_at: Some(entry.at),
                    last: None,
                };
                derived.push(Derived { delivery, event, entry: entry.clone() });
            }
        }
        if derived.is_empty() && through < leased.sender.cursor.saturating_add(SKIPPED) {
            (leased.read, leased.is_outdated) = (through, is_outdated);
            return Ok(Some(derived));
        }
        let deliveries = derived.iter().map(|derived| NewDelivery {
            id: derived.delivery.id,
            event: derived.event.name,
            entity: derived.delivery.entity.clone(),
            at: derived.delivery.at,
        });
        let insert = Change::DeliveriesInsert {
            webhook: webhook.id,
            owner: leased.owner,
            from: leased.sender.cursor,
            through,
            deliveries: deliveries.collect(),
        };
        if !self.lease_commit(Batch::new(webhook.tenant).change(insert)).await? {
            return Ok(None);
        }
        leased.sender.cursor = through;
        (leased.read, leased.is_outdated) = (through, is_outdated);
        Ok(Some(derived))
    }

    /// Whether an event happened where the webhook is told of.
    async fn webhook_covers(
        &self,
        sender: &Sender,
        event: &Event,
        units: &mut HashMap<OrgUnitId, bool>,
    ) -> Result<bool, Error> {
        let webhook = &sender.webhook;
        let is_top = webhook.org_unit_id == sender.top;
        if is_top && (webhook.include_sub_groups || event.places.is_empty()) {
            return Ok(true);
        }
        if event.places.iter().any(|place| place.itself && place.unit == webhook.org_unit_id) {
            return Ok(true);
        }
        if webhook.include_sub_groups {
            for place in &event.places {
                let is_below = match units.entry(place.unit) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(unknown) => {
                        let unit = self.store.org_unit_located(webhook.tenant, place.unit).await?;
                        *unknown.insert(unit.is_some_and(|unit| unit.is_within(webhook.org_unit_id)))
                    }
                };
                if is_below {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The deliveries of a leased webhook that are neither done nor given up, the oldest first.
    pub async fn deliveries_open(&self, leased: &Leased, limit: u32) -> Result<Vec<Delivery>, Error> {
        let webhook = &leased.sender.webhook;
        Ok(self.store.deliveries_open(webhook.tenant, webhook.id, limit).await?)
    }

    /// Notes what became of deliveries, and how the endpoint does (`leased.sender.health`), and renews the lease. An
    /// endpoint that has only failed for [`super::DISABLED_AFTER`] is given up. Whether the lease was still there.
    pub async fn deliveries_note(&self, leased: &mut Leased, done: Vec<Delivery>) -> Result<bool, Error> {
        let now = self.now();
        let Sender { webhook, health, .. } = &leased.sender;
        let keep = Change::WebhookKeep {
            id: webhook.id,
            owner: leased.owner,
            until: now.plus(LEASE),
            health: *health,
        };
        let mut batch = Batch::new(webhook.tenant).change(keep);
        batch.changes.extend(
            done.into_iter().map(|delivery| Change::DeliveryAttempted {
                webhook: webhook.id,
                delivery: Box::new(delivery),
            }),
        );
        let is_given_up = health.is_given_up();
        let kept = self.lease_commit(batch).await?;
        if kept && is_given_up {
            leased.is_outdated = true;
            self.webhook_disable(webhook).await?;
        }
        Ok(kept)
    }

    /// Nothing but failures came of it for so long.
    async fn webhook_disable(&self, webhook: &Webhook) -> Result<(), Error> {
        let mut after = webhook.clone();
        after.status = WebhookStatus::Inactive;
        after.version += 1;
        after.modified_at = self.now().max(webhook.modified_at);
        let (id, at) = (webhook.id, after.modified_at);
        let entry =
            JournalEntry::by_server("webhook.disabled", id, after.version, at).in_unit(webhook.org_unit_id);
        let update = Change::WebhookUpdate { webhook: Box::new(after), restarts: false };
        match self.store.commit(Batch::new(webhook.tenant).change(update).journal(entry)).await {
            // Somebody has changed it meanwhile: it is judged anew.
            Ok(()) | Err(StoreError::Stale) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets others send for the webhook.
    pub async fn webhook_release(&self, leased: Leased) -> Result<(), Error> {
        let webhook = &leased.sender.webhook;
        let release = Change::WebhookRelease { id: webhook.id, owner: leased.owner, through: leased.read };
        self.lease_commit(Batch::new(webhook.tenant).change(release)).await.map(drop)
    }

    /// Commits what rests on a lease. Whether that was still there.
    async fn lease_commit(&self, batch: Batch) -> Result<bool, Error> {
        match self.store.commit(batch).await {
            Ok(()) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
