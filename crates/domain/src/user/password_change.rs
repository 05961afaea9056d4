//! Changing passwords: one's own, and anybody's by the operator.

use secrecy::SecretString;

use super::change::UserChange;
use super::{User, password};
use crate::directory::ATTEMPTS;
use crate::session::Caller;
use crate::{Ctx, Directory, Entity, Error, Problem, Store, StoreError, text};

impl<S: Store> Directory<S> {
    /// Changes the caller's own password and ends its other sessions, but not the one it calls with.
    ///
    /// `new` has passed [`password::check`]. Errors: `Invalid` naming `current_password` (wrong).
    pub async fn password_change(
        &self,
        ctx: &Ctx,
        caller: &Caller,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), Error> {
        let user = self.store.user(ctx.tenant(), caller.user).await?.ok_or(Error::NotFound(Entity::User))?;
        if !self.passwords.verify(current, user.password_hash.clone()).await? {
            return Err(Error::field("current_password", Problem::Mismatch));
        }
        let hash = self.passwords.hash(new, self.random()).await?;
        let change = UserChange { keeps: Some(caller.family), ..new_password(user, hash) };
        let Some((_, batch)) = change.batch(ctx, self.now()) else {
            return Ok(());
        };
        match self.store.commit(batch).await {
            // Somebody else changed the user while the old password was checked: it may be another now.
            Err(StoreError::Stale) => Err(Error::contended()),
            done => Ok(done?),
        }
    }

    /// Sets the password of whoever can log in with `login`, in whatever tenant, and ends all sessions
    /// of that user. For the operator.
    ///
    /// Errors: `NotFound`, `Invalid` naming `password`.
    pub async fn password_set(&self, login: &str, new: &str) -> Result<User, Error> {
        let new = password::check(new).map_err(|problem| Error::field("password", problem))?;
        let key = text::key(&text::normalize(login));
        let hash = self.passwords.hash(new, self.random()).await?;
        for _ in 0..ATTEMPTS {
            let user = self.store.user_by_claim(&key).await?.ok_or(Error::NotFound(Entity::User))?;
            let tenant = self.store.tenant(user.tenant).await?.ok_or(Error::NotFound(Entity::Tenant))?;
            let ctx = Ctx::operator(tenant.id, tenant.top_org_unit_id, self.now());
            let Some((user, batch)) = new_password(user.clone(), hash.clone()).batch(&ctx, ctx.now()) else {
                return Ok(user);
            };
            match self.store.commit(batch).await {
                Ok(()) => return Ok(user),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

/// A new password hash for a user. The salt is random, so it differs from the old one.
fn new_password(before: User, hash: String) -> UserChange {
    let after = User { password_hash: Some(hash), login_claimed: true, ..before.clone() };
    UserChange::new(before, after)
}
