//! What a process does that sends for webhooks. It has leased each of them, so that no other sends for it meanwhile;
//! when it dies, another goes on after the lease, and sends again what was not noted as sent.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use uuid::Uuid;

use super::{
    Delivery, DeliveryId, DeliveryState, Event, Health, NewDelivery, Sender, Webhook, WebhookStatus,
    WebhookWork,
};
use crate::{
    Batch, Change, Directory, Error, JournalEntry, JournalFilter, JournalRecord, OrgUnitId, Store,
    StoreError, TenantId, Timestamp, WebhookId,
};

/// How long a lease holds unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(20);

/// How long an attempt may take at most. One is begun only while the lease holds for longer, so that nobody else sends
/// before it has ended.
pub const ATTEMPT: Duration = Duration::from_secs(15);

/// After so many failures in a row no more deliveries are made for a webhook: what waits for it is its cursor.
pub const DOWN: i64 = 16;

/// From the last attempt for such a webhook to the next event that is tried: the deliveries that it has may be due in
/// hours only, and it may be up again long before.
pub const PROBE: Duration = Duration::from_mins(5);

/// Entries of no interest to a webhook after which its cursor is moved on all the same.
const SKIPPED: i64 = 1000;

/// A webhook that this process sends for.
#[derive(Debug)]
pub struct Leased {
    pub owner: Uuid,
    pub sender: Sender,
    /// The last journal entry that was looked at; the cursor follows it.
    pub read: i64,
    /// When it ends unless it is renewed.
    pub until: Timestamp,
    /// Whether the webhook was changed since it was read: it has to be leased anew.
    pub is_outdated: bool,
}

impl Leased {
    /// Whether an attempt that begins now ends before the lease does.
    pub fn may_send(&self, now: Timestamp) -> bool {
        now.plus(ATTEMPT) <= self.until
    }
}

impl Health {
    /// Whether nothing but failures came for so often that no more deliveries are made.
    pub const fn is_down(&self) -> bool {
        self.consecutive_failures >= DOWN
    }

    /// Whether it is time to see if such an endpoint is up again.
    pub fn may_probe(&self, now: Timestamp) -> bool {
        self.last_delivery_at.is_none_or(|at| at.plus(PROBE) <= now)
    }
}

impl WebhookWork {
    /// Whether `owner` has something to do for the webhook now, and may; `rest` is what it has found last.
    pub fn is_for(&self, owner: Uuid, now: Timestamp, rest: Option<&Rest>) -> bool {
        let is_free = self.lease.is_none_or(|(holder, until)| holder == owner || until <= now);
        let may_try = !self.health.is_down() || self.health.may_probe(now);
        let rest = rest.filter(|rest| rest.version == self.version && now < rest.until);
        let has_more = if let Some(rest) = rest {
            let has_news = self.has_news && rest.has_room && may_try;
            !rest.is_paused && (has_news || self.due_at != rest.due_at)
        } else {
            let is_due = self.next_at.is_some_and(|at| at <= now);
            let is_open = self.health.is_down() && self.next_at.is_some();
            is_due || (may_try && (self.has_news || is_open))
        };
        is_free && has_more
    }
}

/// What whoever sent for a webhook has found when there was nothing to do any more: what is stored does not tell that
/// deliveries which are due wait for others of their entities, or for the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Of the webhook.
    pub version: i64,
    /// Until then nothing is to be done, unless there are news or a delivery is asked for again.
    pub until: Timestamp,
    /// Whether the endpoint has asked to be left alone until then, by all deliveries.
    pub is_paused: bool,
    /// Whether deliveries can be made of news: not so many are open that no more are kept in memory.
    pub has_room: bool,
    /// [`WebhookWork::due_at`] when it was looked at.
    pub due_at: Option<Timestamp>,
}

impl<S: Store> Directory<S> {
    /// The active webhooks of a tenant, with what is to be done for them.
    pub async fn webhook_work(&self, tenant: TenantId) -> Result<Vec<WebhookWork>, Error> {
        Ok(self.store.webhook_work(tenant, self.now()).await?)
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
        let until = now.plus(LEASE);
        let lease = Change::WebhookLease { id, owner, now, until };
        match self.store.commit(Batch::new(tenant).change(lease)).await {
            Ok(()) => {}
            Err(StoreError::Stale) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let sender = self.store.webhook_sender(tenant, id).await?;
        Ok(sender.map(|sender| Leased { owner, read: sender.cursor, sender, until, is_outdated: false }))
    }

    /// Journal entries of a tenant after this one, the oldest first.
    pub async fn journal_page(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<JournalRecord>, Error> {
        Ok(self.store.journal(tenant, after, JournalFilter::default(), limit).await?)
    }

    /// Makes deliveries of what the webhook wants of these entries, which come after those that were looked at, and
    /// moves its cursor on in the same transaction. It ends with an entry that tells of a change of the webhook itself:
    /// what comes after that is for the webhook as it is then. `None` when the lease is lost.
    pub async fn webhook_derive(
        &self,
        leased: &mut Leased,
        entries: &[impl Borrow<JournalRecord> + Sync],
    ) -> Result<Option<Vec<Delivery>>, Error> {
        let webhook = &leased.sender.webhook;
        let own = webhook.id.to_string();
        let now = self.now();
        let mut derived = Vec::new();
        let mut units = HashMap::new();
        let (mut through, mut is_outdated) = (leased.read, leased.is_outdated);
        let read = leased.read;
        let entries = entries.iter().map(Borrow::<JournalRecord>::borrow);
        for entry in entries.filter(|entry| entry.sequence > read) {
            if is_outdated {
                break;
            }
            through = entry.sequence;
            // What was done to it before it was read is known.
            if entry.entity == "webhook" && entry.entity_id == own && entry.version > webhook.version {
                is_outdated = true;
            }
            for event in Event::of(entry) {
                if webhook.wants(event.name)
                    && self.webhook_covers(&leased.sender, &event, &mut units).await?
                {
                    derived.push(NewDelivery {
                        id: DeliveryId::of(entry.sequence, event.part),
                        event: event.name,
                        entity: format!("{}:{}", entry.entity, entry.entity_id),
                        at: entry.at,
                        // The clock of whoever has written it may be ahead.
                        next_at: entry.at.min(now),
                    });
                }
            }
        }
        let open = derived.iter().map(|new| Delivery {
            id: new.id,
            event: new.event.to_owned(),
            entity: new.entity.clone(),
            at: new.at,
            state: DeliveryState::Open,
            attempts: 0,
            next_at: Some(new.next_at),
            last: None,
        });
        let open = open.collect::<Vec<_>>();
        // What comes before a change of the webhook is not looked at again: it is for the webhook as it was.
        let has_ended = is_outdated && through > leased.sender.cursor;
        if !derived.is_empty() || has_ended || through >= leased.sender.cursor.saturating_add(SKIPPED) {
            let insert = Change::DeliveriesInsert {
                webhook: webhook.id,
                owner: leased.owner,
                from: leased.sender.cursor,
                through,
                deliveries: derived,
            };
            if !self.lease_commit(Batch::new(webhook.tenant).change(insert)).await? {
                return Ok(None);
            }
            leased.sender.cursor = through;
        }
        // Only what is stored was looked at: a release puts the cursor here.
        leased.read = through;
        leased.is_outdated |= is_outdated;
        Ok(Some(open))
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
        let until = now.plus(LEASE);
        let Sender { webhook, health, .. } = &leased.sender;
        let keep = Change::WebhookKeep { id: webhook.id, owner: leased.owner, until, health: *health };
        let mut batch = Batch::new(webhook.tenant).change(keep);
        batch.changes.extend(
            done.into_iter().map(|delivery| Change::DeliveryAttempted {
                webhook: webhook.id,
                delivery: Box::new(delivery),
            }),
        );
        let is_given_up = health.is_given_up();
        if !self.lease_commit(batch).await? {
            return Ok(false);
        }
        if is_given_up {
            self.webhook_disable(webhook).await?;
            leased.is_outdated = true;
        }
        leased.until = until;
        Ok(true)
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

    /// Leaves a webhook alone whose endpoint has asked for it: nobody else sends for it before that time either.
    pub async fn webhook_pause(&self, leased: Leased, until: Timestamp) -> Result<(), Error> {
        let (webhook, owner, now) = (&leased.sender.webhook, leased.owner, self.now());
        let release = Change::WebhookRelease { id: webhook.id, owner, through: leased.read };
        let lease = Change::WebhookLease { id: webhook.id, owner, now, until };
        self.lease_commit(Batch::new(webhook.tenant).change(release).change(lease)).await.map(drop)
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

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);
    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn idle() -> WebhookWork {
        WebhookWork {
            id: WebhookId(9),
            version: 3,
            has_news: false,
            next_at: None,
            due_at: None,
            lease: None,
            health: Health::default(),
        }
    }

    #[test]
    fn there_is_work_for_whoever_may_do_it() {
        let news = WebhookWork { has_news: true, ..idle() };
        let due = WebhookWork { next_at: Some(NOW), due_at: Some(NOW), ..idle() };
        let later = WebhookWork { next_at: Some(NOW.plus(PROBE)), ..idle() };
        let is_for = |work: &WebhookWork| work.is_for(ME, NOW, None);
        assert_eq!([idle(), news, due, later].each_ref().map(is_for), [false, true, true, false]);
        for (holder, until, expected) in [(ME, NOW.plus(LEASE), true), (OTHER, NOW, true)] {
            assert_eq!(is_for(&WebhookWork { lease: Some((holder, until)), ..due }), expected);
        }
        assert!(!is_for(&WebhookWork { lease: Some((OTHER, NOW.plus(LEASE))), ..due }));

        // Of one that is down, something is tried now and then.
        let down =
            |at| Health { last_delivery_at: Some(at), consecutive_failures: DOWN, ..Health::default() };
        for (last, expected) in [(NOW, false), (Timestamp(NOW.0 - 300_000_000), true)] {
            for work in [news, later] {
                assert_eq!(is_for(&WebhookWork { health: down(last), ..work }), expected, "{work:?}");
            }
        }
    }

    #[test]
    fn what_is_due_and_held_back_is_not_looked_at_again_and_again() {
        let until = NOW.plus(PROBE);
        let rest = Rest { version: 3, until, is_paused: false, has_room: true, due_at: Some(Timestamp(5)) };
        let held = WebhookWork { next_at: Some(Timestamp(4)), due_at: rest.due_at, ..idle() };
        let is_for = |work: &WebhookWork, rest: &Rest| work.is_for(ME, NOW, Some(rest));
        assert!(!is_for(&held, &rest));
        assert!(held.is_for(ME, until, Some(&rest)), "it is over");
        assert!(is_for(&held, &Rest { version: 2, ..rest }), "it was changed");
        let retried = WebhookWork { due_at: Some(NOW), ..held };
        assert!(is_for(&retried, &rest));
        let news = WebhookWork { has_news: true, ..held };
        assert!(is_for(&news, &rest));
        assert!(!is_for(&news, &Rest { has_room: false, ..rest }));
        let paused = Rest { is_paused: true, ..rest };
        assert!(!is_for(&news, &paused) && !is_for(&retried, &paused));
    }
}
