//! Changing, steering and deleting a bulk.

use serde_json::Map;

use super::create::Recipients;
use super::{Bulk, BulkPatch, Expansion};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::message::{BroadcastEvent, BulkStatus};
use crate::{
    Access, Area, Batch, Change, Ctx, Directory, Draft, Error, Guard, JournalEntry, Precondition, Rule,
    Store, StoreError, journal,
};

impl<S: Store> Directory<S> {
    /// Changes a bulk that the caller has read, and steers it: what it sends and when as long as it has not begun, its
    /// status as [`BulkStatus::can_be_set`] says. A change that changes nothing commits nothing.
    ///
    /// Errors: as of [`Directory::bulk_create`]; `Rule` for what cannot be changed any more; `Precondition`; `NotFound` when
    /// it is gone meanwhile, or left the caller's scope.
    pub async fn bulk_update(
        &self,
        ctx: &Ctx,
        found: Bulk,
        draft: Draft<BulkPatch>,
        precondition: Option<Precondition<Bulk>>,
    ) -> Result<Bulk, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        let recipients = self.bulk_recipients_read(ctx, &patch, &mut errors).await?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let before = match found.take() {
                Some(found) => found,
                None => self.bulk_get(ctx, id).await?,
            };
            let target = patch.org_unit_id.filter(|unit| *unit != before.org_unit_id);
            if let Some(unit) = target {
                self.org_unit_usable(ctx, unit, "org_unit_id", &mut errors).await?;
            }
            patch.check_time(before.style, before.deliver_at, self.now(), &mut errors);
            std::mem::take(&mut errors).finish()?;
            check_precondition(precondition.as_ref(), &before)?;
            let after = self.bulk_changed(&before, &patch, &recipients)?;
            if after == before {
                return Ok(before);
            }
            let mut batch = Batch::new(ctx.tenant())
                .change(Change::BulkUpdate {
                    bulk: Box::new(after.clone()),
                    expansion: ended_by_customer(&before, &after),
                })
                .journal(told(ctx, &before, &after));
            batch.guards.extend(target.map(Guard::UnitActive));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Sets the status of a bulk that the caller has read: as [`Directory::bulk_update`] with nothing else.
    pub async fn bulk_set_status(
        &self,
        ctx: &Ctx,
        found: Bulk,
        status: BulkStatus,
        precondition: Option<Precondition<Bulk>>,
    ) -> Result<Bulk, Error> {
        let patch = BulkPatch { status: Some(status), ..BulkPatch::default() };
        self.bulk_update(ctx, found, Draft::from(patch), precondition).await
    }

    /// The bulk as it shall be, which is the same when nothing changes.
    fn bulk_changed(&self, before: &Bulk, patch: &BulkPatch, recipients: &Recipients) -> Result<Bulk, Error> {
        let mut after = before.clone();
        patch.apply(&mut after);
        recipients.apply(&mut after);
        if after != *before && !before.status.is_editable() {
            return Err(Error::Rule(Rule::BulkNotEditable));
        }
        if !after.has_recipients() {
            return Err(Error::Rule(Rule::NoRecipients));
        }
        // Decided now, not when the request began: a slow body must not set the time back.
        let now = self.now();
        match patch.status.filter(|status| *status != before.status) {
            Some(status) if before.status.can_be_set(status) => return Ok(after.in_status(status, now)),
            Some(_) => return Err(Error::Rule(Rule::BulkStatus)),
            None => {}
        }
        if after != *before {
            after.version = before.version + 1;
            after.modified_at = now.max(before.modified_at);
        }
        Ok(after)
    }

    /// Deletes a bulk that the caller has read. What waits of it is stopped, later when it is much; its messages stay.
    ///
    /// Errors: `Precondition`, `NotFound` when it is gone already.
    pub async fn bulk_delete(
        &self,
        ctx: &Ctx,
        found: Bulk,
        precondition: Option<Precondition<Bulk>>,
    ) -> Result<Bulk, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let bulk = match found.take() {
                Some(found) => found,
                None => self.bulk_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &bulk)?;
            let at = self.now().max(bulk.modified_at);
            let kind = BroadcastEvent::Deleted.as_str();
            let entry = JournalEntry::new(ctx, kind, id, bulk.version + 1, Map::new());
            let batch = Batch::new(ctx.tenant())
                .change(Change::BulkDelete { id, version: bulk.version, at })
                .journal(JournalEntry { at, ..entry }.in_unit(bulk.org_unit_id));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(bulk),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

/// What is left to do once its customer has cancelled a bulk.
fn ended_by_customer(before: &Bulk, after: &Bulk) -> Option<Expansion> {
    let has_begun = !before.status.is_editable();
    let ended = if has_begun { Expansion::Settle } else { Expansion::Done };
    (after.status.has_ended() && !before.status.has_ended()).then_some(ended)
}

/// One entry, of the kind of what has become of the status.
fn told(ctx: &Ctx, before: &Bulk, after: &Bulk) -> JournalEntry {
    let event = if after.status == before.status {
        BroadcastEvent::Updated
    } else {
        before.status.event(after.status)
    };
    let payload = journal::changed(before.fields(), after.fields());
    let entry = JournalEntry::new(ctx, event.as_str(), after.id, after.version, payload);
    JournalEntry { at: after.modified_at, ..entry }.in_unit(after.org_unit_id)
}
