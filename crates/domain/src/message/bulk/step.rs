//! What a process that sends does about bulks, step by step: it begins what is due, makes messages, ends what is sent, and
//! stops what waits of those that were cancelled. Each commit of a step rests on how far the bulk was, so that several
//! processes may try at once and one that dies is followed by another.

use super::{Bulk, BulkPlace, Expansion, StoredBulk};
use crate::message::tally::Tally;
use crate::message::{BulkStatus, Holder, Message, MessageWork};
use crate::{
    Batch, BulkId, Change, Directory, Error, Guard, JournalEntry, Store, StoreError, TenantId, Timestamp,
    journal,
};

/// Messages that one commit stops.
const STOPPED: u32 = 500;
/// Bulks of a tenant that are looked at at once.
const BULKS: u32 = 1000;

impl<S: Store> Directory<S> {
    /// When there is something to do for a tenant, and about which bulks: the first ones, or those after the place where the
    /// look before has ended. Bulks may stay for long while nothing can be done about them (a window is closed, a carrier
    /// hangs), and must not hide those after them.
    pub async fn message_work(
        &self,
        tenant: TenantId,
        after: Option<BulkPlace>,
    ) -> Result<MessageWork, Error> {
        let now = self.now();
        let mut work = self.store.message_work(tenant).await?;
        let from = after.unwrap_or((Timestamp(i64::MIN), BulkId(0)));
        let (bulks, mut next) = self.store.bulks_to_do(tenant, now, from, BULKS).await?;
        if bulks.len() >= BULKS as usize {
            work.bulks_after = bulks.last().map(|last| (last.work_at, last.id));
        }
        work.is_part = after.is_some() || work.bulks_after.is_some();
        for bulk in bulks {
            if bulk.needs_step() {
                work.steps.push(bulk.id);
            }
            match bulk.hands_over_at(now) {
                Some(at) if at <= now => work.lanes.push(bulk.id),
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        work.bulks_at = next;
        Ok(work)
    }

    /// Does the next piece of work of a bulk, if there is one now, in at most so many commits. Whether there may be another one
    /// at once.
    pub async fn bulk_step(&self, tenant: TenantId, id: BulkId, commits: u32) -> Result<bool, Error> {
        let Some(stored) = self.store.bulk_to_step(tenant, id).await? else {
            return Ok(false);
        };
        if let (BulkStatus::Sending, false, Expansion::After(_)) =
            (stored.bulk.status, stored.is_deleted, &stored.expansion)
        {
            return self.bulk_expand(stored.bulk, stored.expansion, commits).await.map(|()| true);
        }
        let Some(batch) = self.bulk_next(stored).await? else {
            return Ok(false);
        };
        match self.store.commit(batch).await {
            // Somebody else has done it, or the balance was spent on something else: whoever looks again sees it.
            Ok(()) | Err(StoreError::Stale | StoreError::GuardFailed | StoreError::Balance) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    async fn bulk_next(&self, stored: StoredBulk) -> Result<Option<Batch>, Error> {
        let StoredBulk { bulk, expansion, is_deleted } = stored;
        let (tenant, id, now) = (bulk.tenant, bulk.id, self.now());
        let is_over = is_deleted || bulk.status.has_ended();
        if is_over {
            let waiting = self.store.bulk_waiting(tenant, id, STOPPED).await?;
            if !waiting.is_empty() {
                return Ok(Some(stop(tenant, waiting, now)));
            }
            // What is being handed over is waited for.
            if bulk.counts.queued > 0 && !bulk.is_dry_run {
                return Ok(None);
            }
        }
        let batch = Batch::new(tenant);
        if is_deleted {
            return Ok(Some(batch.change(Change::BulkRemove(id))));
        }
        Ok(match (bulk.status, expansion) {
            (_, Expansion::Settle) => Some(batch.change(Change::BulkSettled(id))),
            (BulkStatus::Scheduled, _) if bulk.begins_at() <= now => Some(begin(&bulk, now)),
            (BulkStatus::Sending, Expansion::Done) if bulk.is_dry_run || bulk.counts.queued == 0 => {
                Some(end(&bulk, now))
            }
            _ => None,
        })
    }
}

/// Stops messages that wait.
fn stop(tenant: TenantId, waiting: Vec<Message>, now: Timestamp) -> Batch {
    let mut tally = Tally::new(tenant, Holder::Nobody, now);
    for before in waiting {
        if let Some((after, _)) = before.clone().stopped(now) {
            tally.changed(before, after);
        }
    }
    tally.settle()
}

fn begin(bulk: &Bulk, now: Timestamp) -> Batch {
    moved(bulk, BulkStatus::Sending, None, now)
}

fn end(bulk: &Bulk, now: Timestamp) -> Batch {
    let is_nobody = bulk.counts.total() == 0 && bulk.counts.invalid == 0;
    let status = if is_nobody { BulkStatus::NoRecipients } else { BulkStatus::Completed };
    let batch = moved(bulk, status, Some(Expansion::Done), now);
    if bulk.is_dry_run { batch } else { batch.guard(Guard::BulkSettled(bulk.id)) }
}

/// The bulk in another status, which the server has brought it to.
fn moved(before: &Bulk, status: BulkStatus, expansion: Option<Expansion>, now: Timestamp) -> Batch {
    let after = before.clone().in_status(status, now);
    let kind = before.status.event(status).as_str();
    let mut payload = journal::changed(before.fields(), after.fields());
    if status.has_ended() {
        payload.extend(journal::created(after.totals()));
    }
    let entry = JournalEntry::by_server(kind, after.id, after.version, after.modified_at);
    let entry = JournalEntry { payload: payload.into(), ..entry }.in_unit(after.org_unit_id);
    Batch::new(after.tenant).change(Change::BulkUpdate { bulk: Box::new(after), expansion }).journal(entry)
}
