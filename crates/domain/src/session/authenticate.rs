//! Who calls: from a bearer token to a caller with its rights.

use super::{ACCESS_PREFIX, Caller, SLIDE};
use crate::{Batch, Change, Ctx, Dialect, Directory, Error, Store, secret};

/// One text for every reason, so that none can be told from another.
const REFUSED: &str = "Invalid or expired token";

impl<S: Store> Directory<S> {
    /// The caller behind an access token. Role and scope are read now, so that a token carries no
    /// stale rights. Errors: `Unauthenticated`.
    pub async fn session_authenticate(&self, dialect: Dialect, token: &str) -> Result<(Ctx, Caller), Error> {
        let now = self.now();
        let tenant = secret::token_tenant(ACCESS_PREFIX, token).ok_or(Error::Unauthenticated(REFUSED))?;
        let hash = secret::digest(token);
        let caller =
            self.store.session_caller(tenant, hash, now).await?.ok_or(Error::Unauthenticated(REFUSED))?;
        let until = now.plus(self.sessions.access);
        let slide = SLIDE.min(self.sessions.access / 2);
        if !caller.retired && caller.expires_at.plus(slide) <= until {
            let extend = Change::AccessExtend { hash, from: caller.expires_at, until };
            // The request itself does not need the renewal, nor wait for it; the next one tries again.
            if let Err(error) = self.store.submit(Batch::new(tenant).change(extend)) {
                tracing::debug!(%error, "a session was not renewed");
            }
        }
        Ok((Ctx::user(&caller, dialect, now), caller))
    }
}
