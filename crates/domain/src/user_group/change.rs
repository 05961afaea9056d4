//! Creating and changing a user group.

use super::{UserGroup, UserGroupPatch};
use crate::directory::ATTEMPTS;
use crate::{
    Access, Batch, Change, Ctx, Directory, Draft, Entity, Error, JournalEntry, Precondition, Problem, Store,
    StoreError, UserGroupId, journal,
};

impl<S: Store> Directory<S> {
    /// Creates a group without members. Errors: `Invalid` (no name), `Duplicate` (the external id).
    pub async fn user_group_create(
        &self,
        ctx: &Ctx,
        draft: Draft<UserGroupPatch>,
    ) -> Result<UserGroup, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        if patch.name.is_none() {
            errors.push("name", Problem::Required);
        }
        let name = errors.complete(patch.name.clone())?;
        let now = ctx.now();
        let id = UserGroupId(self.entropy.uuid_at(now));
        let mut group = UserGroup::new(ctx.tenant(), id, name, now);
        patch.apply(&mut group);
        let payload = journal::created(group.fields());
        let batch = Batch::new(ctx.tenant())
            .change(Change::UserGroupInsert(Box::new(group.clone())))
            .journal(JournalEntry::new(ctx, "user_group.created", id, group.version, payload));
        match self.store.commit(batch).await {
            Ok(()) => Ok(group),
            // A new row rests on nothing but its tenant.
            Err(StoreError::Stale) => Err(Error::NotFound(Entity::Tenant)),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes a group that the caller has read. A change that changes nothing commits nothing.
    ///
    /// Errors: `Invalid`, `Precondition`, `Duplicate`, `NotFound` when the group is gone meanwhile.
    pub async fn user_group_update(
        &self,
        ctx: &Ctx,
        found: UserGroup,
        draft: Draft<UserGroupPatch>,
        precondition: Option<Precondition<UserGroup>>,
    ) -> Result<UserGroup, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: patch, errors } = draft;
        errors.finish()?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let before = match found.take() {
                Some(found) => found,
                None => self.user_group_get(ctx, id).await?,
            };
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
            let entry = JournalEntry::new(ctx, "user_group.updated", id, after.version, payload);
            let batch = Batch::new(ctx.tenant())
                .change(Change::UserGroupUpdate(Box::new(after.clone())))
                .journal(JournalEntry { at: after.modified_at, ..entry });
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

/// Refuses a change whose precondition does not hold. The version, which everything that is shown of a group raises,
/// keeps it true until the change is written.
pub(super) fn check_precondition(
    precondition: Option<&Precondition<UserGroup>>,
    group: &UserGroup,
) -> Result<(), Error> {
    if precondition.is_none_or(|holds| holds(group)) { Ok(()) } else { Err(Error::Precondition) }
}
