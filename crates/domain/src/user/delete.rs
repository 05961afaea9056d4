//! Deleting a user: softly, or for good.

use super::change::{UserChange, precondition_guards};
use super::{User, UserStatus, UserView};
use crate::directory::ATTEMPTS;
use crate::user_group::{MembershipChange, Memberships};
use crate::{Access, Ctx, Directory, Ended, Error, Precondition, Store, StoreError, Timestamp};

impl<S: Store> Directory<S> {
    /// Deletes a user that the caller has read with [`Directory::user_get_writable`]: it is hidden from lists, all
    /// of its sessions and memberships end, its login is free again. Its row stays as it was.
    ///
    /// Errors: `Precondition`, `Rule::LastAdmin`, `NotFound` when the user is deleted already.
    pub async fn user_delete(
        &self,
        ctx: &Ctx,
        found: UserView,
        precondition: Option<Precondition<UserView>>,
    ) -> Result<User, Error> {
        let end = |user: User, groups, now| {
            let after = User { status: UserStatus::Deleted, ..user.clone() };
            UserChange::new(user, after).with_groups(Some(groups)).batch(ctx, now)
        };
        Ok(self.user_end(ctx, found, precondition, end).await?.after)
    }

    /// Deletes a user for good: of its row only ids, status and times stay, and its journal entries lose their
    /// payloads. A user that was deleted softly can be erased too. The user as it was, and its tombstone.
    ///
    /// Errors: `Precondition`, `Rule::LastAdmin`.
    pub async fn user_erase(
        &self,
        ctx: &Ctx,
        found: UserView,
        precondition: Option<Precondition<UserView>>,
    ) -> Result<Ended<User>, Error> {
        self.user_end(ctx, found, precondition, |user, groups, now| {
            let tombstone = user.tombstone();
            // One that was erased before has nothing to lose.
            let change = UserChange::new(user, tombstone).with_groups(Some(groups));
            change.is_some().then(|| change.erasure(ctx, now))
        })
        .await
    }

    async fn user_end(
        &self,
        ctx: &Ctx,
        found: UserView,
        precondition: Option<Precondition<UserView>>,
        end: impl Fn(User, MembershipChange, Timestamp) -> Option<(User, crate::Batch)>,
    ) -> Result<Ended<User>, Error> {
        ctx.allow(Access::Write)?;
        let id = found.user.id;
        let was_deleted = found.user.is_deleted();
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let current = match found.take() {
                Some(found) => found,
                None if was_deleted => self.user_get(ctx, id).await?,
                None => self.user_get_writable(ctx, id).await?,
            };
            let mut guards = precondition_guards(precondition.as_ref(), &current)?;
            let groups = self.store.memberships(ctx.tenant(), id).await?;
            // The user may have been read before its groups were.
            let before = User { user_group_id: groups.primary(), ..current.user };
            let groups = MembershipChange { before: groups, after: Memberships::none(id) };
            let Some((after, mut batch)) = end(before.clone(), groups, self.now()) else {
                return Ok(Ended { after: before.clone(), before });
            };
            guards.extend(self.check_admin_remains(ctx, &before, &after).await?);
            batch.guards.extend(guards);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(Ended { before, after }),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}
