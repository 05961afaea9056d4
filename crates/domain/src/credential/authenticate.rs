//! Who calls: from the secret of a credential to a caller with its rights.

use std::time::Duration;

use super::CredentialCaller;
use crate::session::{Found, Subject};
use crate::{Batch, Change, Ctx, Dialect, Directory, Error, Store, TenantId, Timestamp, secret};

/// A last use is written at most this often.
const NOTED: Duration = Duration::from_mins(1);

/// One text for every reason, so that none can be told from another.
const REFUSED: Error = Error::Unauthenticated("Invalid, expired or revoked credentials");

impl<S: Store> Directory<S> {
    /// The caller behind the secret of a credential of this tenant and dialect: it acts at the top, and may write
    /// unless it is read-only. Only the hash of the secret is looked for, so the time that takes tells nothing of
    /// the stored ones. Errors: `Unauthenticated`; `TenantDisabled` for the right secret of a disabled tenant.
    pub async fn credential_authenticate(
        &self,
        dialect: Dialect,
        tenant: TenantId,
        secret: &str,
    ) -> Result<Ctx, Error> {
        let now = self.now();
        let caller = self.store.credential_caller(tenant, dialect, secret::digest(secret), now).await?;
        self.admit_credential(dialect, now, &caller.ok_or(REFUSED)?)
    }

    /// As [`Directory::credential_authenticate`], with what the request is about, read in the same trip.
    pub async fn credential_authenticate_for(
        &self,
        dialect: Dialect,
        tenant: TenantId,
        secret: &str,
        subject: Subject,
    ) -> Result<(Ctx, Option<Found>), Error> {
        let now = self.now();
        let hash = secret::digest(secret);
        let read = self.store.credential_caller_and(tenant, dialect, hash, now, subject).await?;
        let (caller, found) = read.ok_or(REFUSED)?;
        Ok((self.admit_credential(dialect, now, &caller)?, found))
    }

    /// Lets a caller in, and notes that its credential was used.
    fn admit_credential(
        &self,
        dialect: Dialect,
        now: Timestamp,
        caller: &CredentialCaller,
    ) -> Result<Ctx, Error> {
        if !caller.tenant_active {
            return Err(Error::TenantDisabled);
        }
        let from = caller.last_used_at;
        if from.is_none_or(|from| from.plus(NOTED) <= now) {
            let used = Change::CredentialUsed { id: caller.credential, from, at: now };
            // The request itself does not need the note, nor wait for it; the next one tries again.
            if let Err(error) = self.store.submit(Batch::new(caller.tenant).change(used)) {
                tracing::debug!(%error, "the use of a credential was not noted");
            }
        }
        Ok(Ctx::credential(caller, dialect, now))
    }
}
