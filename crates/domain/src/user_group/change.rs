//! Creating and changing a user group.

use super::members::{MembersWanted, Plan, members_entry};
use super::{UserGroup, UserGroupPatch};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Batch, Change, Ctx, Directory, Draft, Entity, Error, Guard, JournalEntry, Precondition, Problem,
    Store, StoreError, UserGroupId, journal,
};

impl<S: Store> Directory<S> {
    /// Creates a group without members. Errors: `Invalid` (no name), `Duplicate` (the external id).
    pub async fn user_group_create(
        &self,
        ctx: &Ctx,
        draft: Draft<UserGroupPatch>,
    ) -> Result<UserGroup, Error> {
        self.user_group_create_with(ctx, draft, MembersWanted::default()).await
    }

    /// Creates a group with those who join it. Errors: as above, and those of
    /// [`Directory::user_group_members_change`].
    pub async fn user_group_create_with(
        &self,
        ctx: &Ctx,
        draft: Draft<UserGroupPatch>,
        members: MembersWanted,
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
        for _ in 0..ATTEMPTS {
            let plan = self.members_plan(ctx, &group, &members).await?;
            let payload = journal::created(group.fields());
            let batch = Batch::new(ctx.tenant())
                .change(Change::UserGroupInsert(Box::new(group.clone())))
                .journal(JournalEntry::new(ctx, "user_group.created", id, group.version, payload));
            let joined = plan.is_some();
            match self.store.commit(with_members(ctx, id, batch, plan)).await {
                Ok(()) if joined => return self.user_group_get(ctx, id).await,
                Ok(()) => return Ok(group),
                // A new row without members rests on nothing but its tenant.
                Err(StoreError::Stale) if !joined => return Err(Error::NotFound(Entity::Tenant)),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Changes a group that the caller has read, but not its members. A change that changes nothing commits nothing.
    ///
    /// Errors: `Invalid`, `Precondition`, `Duplicate`, `NotFound` when the group is gone meanwhile.
    pub async fn user_group_update(
        &self,
        ctx: &Ctx,
        found: UserGroup,
        draft: Draft<UserGroupPatch>,
        precondition: Option<Precondition<UserGroup>>,
    ) -> Result<UserGroup, Error> {
        self.user_group_change(ctx, found, draft, MembersWanted::default(), precondition).await
    }

    /// Changes a group that the caller has read and lets users join and leave it, all at once. Errors: those of
    /// [`Directory::user_group_update`] and of [`Directory::user_group_members_change`].
    pub async fn user_group_change(
        &self,
        ctx: &Ctx,
        found: UserGroup,
        draft: Draft<UserGroupPatch>,
        members: MembersWanted,
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
            let plan = self.members_plan(ctx, &before, &members).await?;
            check_precondition(precondition.as_ref(), &before)?;
            let mut after = before.clone();
            patch.clone().apply(&mut after);
            let payload = journal::changed(before.fields(), after.fields());
            let (changes, moves) = (!payload.is_empty(), plan.is_some());
            if !changes && !moves {
                return Ok(before);
            }
            let mut batch = Batch::new(ctx.tenant());
            if precondition.is_some() || members.replaces {
                batch = batch.guard(Guard::UserGroupVersion { id, version: before.version });
            }
            if changes {
                after.version = before.version + 1;
                // Decided now, not when the request began: a slow body must not set the time back.
                after.modified_at = self.now().max(before.modified_at);
                let entry = JournalEntry::new(ctx, "user_group.updated", id, after.version, payload);
                batch = batch
                    .change(Change::UserGroupUpdate(Box::new(after.clone())))
                    .journal(JournalEntry { at: after.modified_at, ..entry });
            }
            match self.store.commit(with_members(ctx, id, batch, plan)).await {
                Ok(()) if moves => return self.user_group_get(ctx, id).await,
                Ok(()) => return Ok(after),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

/// Adds to a batch who joins and who leaves, of which the journal has one entry.
fn with_members(ctx: &Ctx, id: UserGroupId, mut batch: Batch, plan: Option<Plan>) -> Batch {
    let Some(Plan { batch: members, left, joined, at }) = plan else {
        return batch;
    };
    batch.guards.extend(members.guards);
    // After the change of the group, which names the version that it was decided on.
    batch.changes.extend(members.changes);
    batch.journal.extend(members.journal);
    batch.journal(members_entry(ctx, id, at, &left, &joined))
}
