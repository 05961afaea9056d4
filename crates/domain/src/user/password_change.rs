//! Changing passwords: one's own, and anybody's by the operator.

use secrecy::SecretString;
use serde_json::Map;

use super::{User, password};
use crate::directory::ATTEMPTS;
use crate::session::Caller;
use crate::{
    Batch, Change, Ctx, Directory, Entity, Error, JournalEntry, Problem, Store, StoreError, Timestamp, text,
};

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
        let batch = password_batch(ctx, self.now(), user, hash, Some(caller.family));
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
            match self.store.commit(password_batch(&ctx, ctx.now(), user.clone(), hash.clone(), None)).await {
                Ok(()) => return Ok(user),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

/// A new password hash; the sessions of the user end, but for the family `keep`.
fn password_batch(ctx: &Ctx, now: Timestamp, before: User, hash: String, keep: Option<uuid::Uuid>) -> Batch {
    let mut after = before.clone();
    after.password_hash = Some(hash);
    after.login_claimed = true;
    after.version = before.version + 1;
    after.modified_at = now.max(before.modified_at);
    let id = before.id;
    let entry = JournalEntry::new(ctx, "user.password_changed", id, after.version, Map::new());
    let entry = JournalEntry { at: after.modified_at, ..entry };
    Batch::new(ctx.tenant())
        .change(Change::UserUpdate { before: Box::new(before), after: Box::new(after) })
        .change(Change::UserTokensDelete { user: id, keep })
        .journal(entry)
}
