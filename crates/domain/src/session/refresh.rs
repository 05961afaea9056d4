//! Rotation of a session's tokens.

use super::{Grant, REFRESH_PREFIX, SessionToken, TokenKind};
use crate::directory::ATTEMPTS;
use crate::user::User;
use crate::{Batch, Change, Directory, Error, Guard, Store, StoreError, secret};

const REFUSED: Error = Error::Unauthenticated("Invalid or expired refresh token");

impl<S: Store> Directory<S> {
    /// Uses a refresh token up for a new pair of tokens. Of parallel attempts with one token exactly
    /// one wins. Errors: `Unauthenticated`.
    pub async fn session_refresh(&self, token: &str) -> Result<Grant, Error> {
        let tenant = secret::token_tenant(REFRESH_PREFIX, token).ok_or(REFUSED)?;
        let hash = secret::digest(token);
        let stored = self.store.session_token(tenant, TokenKind::Refresh, hash).await?.ok_or(REFUSED)?;
        let now = self.now();
        if let Some(retired_at) = stored.retired_at {
            if retired_at.plus(self.sessions.grace) < now {
                self.end_stolen_family(&stored).await?;
            }
            return Err(REFUSED);
        }
        if stored.expires_at <= now {
            return Err(REFUSED);
        }
        for _ in 0..ATTEMPTS {
            let user = self.store.user(tenant, stored.user).await?.filter(User::is_active);
            let tenant_active = self.store.tenant(tenant).await?.is_some_and(|tenant| tenant.is_active());
            let user = user.filter(|_| tenant_active).ok_or(REFUSED)?;
            let guard = Guard::UserVersion { id: user.id, version: user.version };
            let (grant, mut batch) = self.grant(user, stored.family);
            let until = now.plus(self.sessions.grace);
            // Retired first: the new access token must not be among those that are shortened.
            batch.changes.splice(
                0..0,
                [
                    Change::RefreshRetire { hash, at: now },
                    Change::AccessRetire { family: stored.family, at: now, until },
                ],
            );
            match self.store.commit(batch.guard(guard)).await {
                Ok(()) => return Ok(grant),
                // The user was changed. A new password or the end of the user ends the token too: that is looked at
                // with the next attempt.
                Err(StoreError::GuardFailed) => {}
                // Lost against another refresh or a revocation.
                Err(StoreError::Stale) => return Err(REFUSED),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    async fn end_stolen_family(&self, token: &SessionToken) -> Result<(), Error> {
        tracing::warn!(
            tenant = token.tenant.0,
            user = token.user.0,
            "a used refresh token came back: the session family is ended"
        );
        let end = Change::FamilyDelete { family: token.family };
        Ok(self.store.commit(Batch::new(token.tenant).change(end)).await?)
    }
}
