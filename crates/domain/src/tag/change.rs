//! Changing and deleting a tag.

use serde_json::Map;

use super::{Tag, TagPatch};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Area, Batch, Change, Ctx, Directory, Draft, Error, Guard, JournalEntry, Precondition, Store,
    StoreError, journal,
};

impl<S: Store> Directory<S> {
    /// Changes a tag that the caller has read. A change that changes nothing commits nothing.
    ///
    /// Errors: `Invalid` (also a new unit that is unknown, out of scope or archived), `Precondition`, `Duplicate`,
    /// `NotFound` when the tag is gone meanwhile, or left the caller's scope.
    pub async fn tag_update(
        &self,
        ctx: &Ctx,
        found: Tag,
        draft: Draft<TagPatch>,
        precondition: Option<Precondition<Tag>>,
    ) -> Result<Tag, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let before = match found.take() {
                Some(found) => found,
                None => self.tag_get(ctx, id).await?,
            };
            let target = patch.org_unit_id.filter(|unit| *unit != before.org_unit_id);
            if let Some(unit) = target {
                self.org_unit_usable(ctx, unit, "org_unit_id", &mut errors).await?;
            }
            std::mem::take(&mut errors).finish()?;
            check_precondition(precondition.as_ref(), &before)?;
            let mut after = before.clone();
            patch.clone().apply(&mut after);
            let payload = journal::changed(before.fields(), after.fields());
            if payload.is_empty() {
                return Ok(before);
            }
            after.version = before.version + 1;
            // Decided now, not when the request began: a slow body must not set the time back.
            after.modified_at = self.now().max(before.modified_at);
            let entry = JournalEntry::new(ctx, "tag.updated", id, after.version, payload);
            let mut batch = Batch::new(ctx.tenant())
                .change(Change::TagUpdate(Box::new(after.clone())))
                .journal(JournalEntry { at: after.modified_at, ..entry }.in_unit(after.org_unit_id));
            batch.guards.extend(target.map(Guard::UnitActive));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Deletes a tag that the caller has read. Errors: `Precondition`, `NotFound` when it is gone already.
    pub async fn tag_delete(
        &self,
        ctx: &Ctx,
        found: Tag,
        precondition: Option<Precondition<Tag>>,
    ) -> Result<Tag, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let tag = match found.take() {
                Some(found) => found,
                None => self.tag_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &tag)?;
            let at = self.now().max(tag.modified_at);
            let entry = JournalEntry::new(ctx, "tag.deleted", id, tag.version + 1, Map::new());
            let batch = Batch::new(ctx.tenant())
                .change(Change::TagDelete { id, version: tag.version })
                .journal(JournalEntry { at, ..entry }.in_unit(tag.org_unit_id));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(tag),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}
