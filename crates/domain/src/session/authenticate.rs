//! Who calls: from a bearer token to a caller with its rights.

use super::{ACCESS_PREFIX, Caller, Found, SLIDE, Subject, TokenHash};
use crate::{Batch, Change, Ctx, Dialect, Directory, Error, Store, TenantId, Timestamp, secret};

/// One text for every reason, so that none can be told from another.
const REFUSED: &str = "Invalid or expired token";

impl<S: Store> Directory<S> {
    /// The caller behind an access token. Role and scope are read now, so that a token carries no
    /// stale rights. Errors: `Unauthenticated`.
    pub async fn session_authenticate(&self, dialect: Dialect, token: &str) -> Result<(Ctx, Caller), Error> {
        let (tenant, hash, now) = self.presented(token)?;
        let caller = self.store.session_caller(tenant, hash, now).await?;
        Ok(self.admit(dialect, hash, now, caller.ok_or(Error::Unauthenticated(REFUSED))?))
    }

    /// As [`Directory::session_authenticate`], with what the request is about, read in the same trip.
    pub async fn session_authenticate_for(
        &self,
        dialect: Dialect,
        token: &str,
        subject: Subject,
    ) -> Result<(Ctx, Caller, Option<Found>), Error> {
        let (tenant, hash, now) = self.presented(token)?;
        let read = self.store.session_caller_and(tenant, hash, now, subject).await?;
        let (caller, found) = read.ok_or(Error::Unauthenticated(REFUSED))?;
        let (ctx, caller) = self.admit(dialect, hash, now, caller);
        Ok((ctx, caller, found))
    }

    /// Where a presented token is looked for, and when that was.
    fn presented(&self, token: &str) -> Result<(TenantId, TokenHash, Timestamp), Error> {
        let tenant = secret::token_tenant(ACCESS_PREFIX, token).ok_or(Error::Unauthenticated(REFUSED))?;
        Ok((tenant, secret::digest(token), self.now()))
    }

    /// Lets a caller in, and its session slide on.
    fn admit(&self, dialect: Dialect, hash: TokenHash, now: Timestamp, caller: Caller) -> (Ctx, Caller) {
        let until = now.plus(self.sessions.access);
        let slide = SLIDE.min(self.sessions.access / 2);
        if !caller.retired && caller.expires_at.plus(slide) <= until {
            let extend = Change::AccessExtend { hash, from: caller.expires_at, until };
            // The request itself does not need the renewal, nor wait for it; the next one tries again.
            if let Err(error) = self.store.submit(Batch::new(caller.tenant).change(extend)) {
                tracing::debug!(%error, "a session was not renewed");
            }
        }
        (Ctx::user(&caller, dialect, now), caller)
    }
}
