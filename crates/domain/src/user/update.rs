//! Changing a user.

use super::change::{UserChange, precondition_guards};
use super::{User, UserPatch, UserView};
use crate::directory::ATTEMPTS;
use crate::org_unit::Located;
use crate::{
    Access, Ctx, Directory, Draft, Error, FieldErrors, Guard, Patch, Precondition, Store, StoreError,
};

impl<S: Store> Directory<S> {
    /// Changes a user that the caller has read with [`Directory::user_get_writable`]. A change that changes
    /// nothing commits nothing; a password that is given counts as a new one.
    ///
    /// Errors: `Invalid` (also a new unit that is unknown, out of scope or archived, and an unknown group), `Precondition`,
    /// `Duplicate`, `Rule::LastAdmin`, and `NotFound` when the user left the caller's scope meanwhile.
    pub async fn user_update(
        &self,
        ctx: &Ctx,
        found: UserView,
        draft: Draft<UserPatch>,
        precondition: Option<Precondition<UserView>>,
    ) -> Result<User, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: mut patch, mut errors } = draft;
        let id = found.user.id;
        let password = patch.password.take();
        let mut hash = None;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let current = match found.take() {
                Some(found) => found,
                None => self.user_get_writable(ctx, id).await?,
            };
            let groups = match patch.user_group {
                Patch::Keep => None,
                _ => Some(self.store.memberships(ctx.tenant(), id).await?),
            };
            if groups.as_ref().is_some_and(|groups| groups.primary() != current.user.user_group_id) {
                // The groups changed after the user was read: a precondition must not be judged by what was before.
                continue;
            }
            let unit = self.user_unit_of(ctx, &current.user, &patch, &mut errors).await?;
            let groups = match groups {
                None => None,
                Some(groups) => {
                    Some(self.user_groups_wished(ctx, groups, &patch.user_group, &mut errors).await?)
                }
            };
            std::mem::take(&mut errors).finish()?;
            let mut guards = precondition_guards(precondition.as_ref(), &current)?;

            let before = current.user;
            let mut after = before.clone();
            patch.clone().apply(&mut after, unit.as_ref().map_or("", |unit| &unit.unit.timezone));
            if after.org_unit_id != before.org_unit_id {
                guards.push(Guard::UnitActive(after.org_unit_id));
            }
            guards.extend(self.check_admin_remains(ctx, &before, &after).await?);
            if let Some(password) = &password {
                if hash.is_none() {
                    self.check_claim(&after).await?;
                    hash = Some(self.passwords.hash(password.clone(), self.random()).await?);
                }
                after.password_hash.clone_from(&hash);
                after.login_claimed = true;
            }
            let change = UserChange::new(before.clone(), after).with_groups(groups);
            let Some((after, mut batch)) = change.batch(ctx, self.now()) else {
                return Ok(before);
            };
            batch.guards.extend(guards);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// The unit that the user will have, where the change rests on it: a new one (in scope and active, else a
    /// failing field), and where the time zone is inherited.
    async fn user_unit_of(
        &self,
        ctx: &Ctx,
        before: &User,
        patch: &UserPatch,
        errors: &mut FieldErrors,
    ) -> Result<Option<Located>, Error> {
        if let Some(wanted) = patch.org_unit_id.filter(|wanted| *wanted != before.org_unit_id) {
            return self.org_unit_usable(ctx, wanted, "org_unit_id", errors).await;
        }
        if patch.timezone == Patch::Clear {
            return Ok(self.store.org_unit_located(ctx.tenant(), before.org_unit_id).await?);
        }
        Ok(None)
    }
}
