//! Creating an org unit.

use super::{OrgUnit, OrgUnitPatch};
use crate::directory::ATTEMPTS;
use crate::{
    Access, Batch, Change, Ctx, Directory, Draft, Error, Guard, IdKind, JournalEntry, OrgUnitId, Problem,
    Store, StoreError, journal,
};

impl<S: Store> Directory<S> {
    /// Creates a unit; without a parent it hangs under the caller's own unit, without a time zone it
    /// takes the parent's.
    ///
    /// Errors: `Invalid` (no name; a parent that is unknown, out of scope or archived), `Duplicate`,
    /// `Rule::TooDeep`.
    pub async fn org_unit_create(&self, ctx: &Ctx, draft: Draft<OrgUnitPatch>) -> Result<OrgUnit, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        if patch.name.is_none() {
            errors.push("name", Problem::Required);
        }
        let parent_id = patch.parent_id.unwrap_or(ctx.scope());
        let mut id = None;
        for _ in 0..ATTEMPTS {
            let parent = self.org_unit_usable(ctx, parent_id, "parent_id", &mut errors).await?;
            std::mem::take(&mut errors).finish()?;
            let (Some(parent), Some(name)) = (parent, patch.name.clone()) else {
                // Both were checked above.
                break;
            };
            parent.check_as_parent_of(None).map_err(Error::Rule)?;

            let id = match id {
                Some(id) => id,
                None => *id.insert(OrgUnitId(self.store.next_id(IdKind::OrgUnit).await?)),
            };
            let inherited = parent.unit.timezone;
            let mut unit =
                OrgUnit::new(ctx.tenant(), id, Some(parent_id), name, inherited.clone(), ctx.now());
            patch.clone().apply(&mut unit, &inherited);
            let payload = journal::created(unit.fields());
            let batch = Batch::new(ctx.tenant())
                .guard(Guard::UnitActive(parent_id))
                .change(Change::OrgUnitInsert(Box::new(unit.clone())))
                .journal(JournalEntry::new(ctx, "org_unit.created", id, unit.version, payload).in_unit(id));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(unit),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}
