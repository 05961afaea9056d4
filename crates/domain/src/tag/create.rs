//! Creating a tag.

use super::{Tag, TagPatch};
use crate::directory::ATTEMPTS;
use crate::{
    Access, Area, Batch, Change, Ctx, Directory, Draft, Error, Guard, IdKind, JournalEntry, Problem, Store,
    StoreError, TagId, journal,
};

impl<S: Store> Directory<S> {
    /// Creates a tag of a unit, by default of the caller's own.
    ///
    /// Errors: `Invalid` (no name; a unit that is unknown, out of scope or archived), `Duplicate`.
    pub async fn tag_create(&self, ctx: &Ctx, draft: Draft<TagPatch>) -> Result<Tag, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        if patch.name.is_none() {
            errors.push("name", Problem::Required);
        }
        let org_unit_id = patch.org_unit_id.unwrap_or(ctx.scope());
        let mut id = None;
        for _ in 0..ATTEMPTS {
            self.org_unit_usable(ctx, org_unit_id, "org_unit_id", &mut errors).await?;
            let name = std::mem::take(&mut errors).complete(patch.name.clone())?;
            let id = match id {
                Some(id) => id,
                None => *id.insert(TagId(self.store.next_id(IdKind::Tag).await?)),
            };
            let (tenant, now) = (ctx.tenant(), ctx.now());
            let (created_at, modified_at) = (now, now);
            let mut tag =
                Tag { id, tenant, org_unit_id, name, color: None, version: 1, created_at, modified_at };
            patch.clone().apply(&mut tag);
            let payload = journal::created(tag.fields());
            let batch = Batch::new(tenant)
                .guard(Guard::UnitActive(org_unit_id))
                .change(Change::TagInsert(Box::new(tag.clone())))
                .journal(
                    JournalEntry::new(ctx, "tag.created", id, tag.version, payload).in_unit(tag.org_unit_id),
                );
            match self.store.commit(batch).await {
                Ok(()) => return Ok(tag),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}
