//! Who calls: from the secret of a credential to a caller with its rights.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretSlice};
use uuid::Uuid;

use super::signature::SignedRequest;
use super::{CredentialCaller, SignedCaller, onlive_tenant, seal_context};
use crate::secret::ServerKey;
use crate::session::{Found, Subject};
use crate::{Batch, Change, Ctx, Dialect, Directory, Error, Store, TenantId, Timestamp, secret};

/// A last use is written at most this often.
const NOTED: Duration = Duration::from_mins(1);

/// One text for every reason, so that none can be told from another.
const REFUSED: Error = Error::Unauthenticated("Invalid, expired or revoked credentials");

/// Who says to send a signed request. Nothing of it may be used before
/// [`Directory::signature_authenticate`] has looked at the signature.
#[derive(Debug)]
pub struct Claim {
    caller: CredentialCaller,
    organization_id: Uuid,
    secret: SecretSlice<u8>,
    found: Option<Found>,
}

impl Claim {
    /// Whose key is named.
    pub fn tenant(&self) -> TenantId {
        self.caller.tenant
    }
}

/// Who has sent a signed request.
#[derive(Debug)]
pub struct Signed {
    pub ctx: Ctx,
    /// The tenant's id of the dialects that use UUIDs.
    pub organization_id: Uuid,
    /// What the request is about, in whatever scope.
    pub found: Option<Found>,
}

impl<S: Store> Directory<S> {
    /// Who would have sent a request with this Onlive access key id, with what the request is about, read in the same
    /// trip; `None` if nobody has it. The body need not have arrived.
    pub async fn signature_claim(
        &self,
        key: &ServerKey,
        access_key: &str,
        subject: Option<Subject>,
    ) -> Result<Option<Claim>, Error> {
        let Some(tenant) = onlive_tenant(access_key) else {
            return Ok(None);
        };
        let (dialect, now) = (Dialect::Onlive, self.now());
        let read = self.store.credential_signed_caller(tenant, dialect, access_key, now, subject).await?;
        let Some((SignedCaller { caller, organization_id, secret_sealed }, found)) = read else {
            return Ok(None);
        };
        let context = seal_context(tenant, caller.credential);
        let secret = key.open(&context, &secret_sealed).map(SecretSlice::from);
        let secret =
            secret.ok_or_else(|| Error::Internal(format!("the secret of {context} does not open")))?;
        Ok(Some(Claim { caller, organization_id, secret, found }))
    }

    /// The caller that a request is signed by. Errors: `Unauthenticated`; `TenantDisabled` for the right signature of a
    /// disabled tenant.
    pub fn signature_authenticate(
        &self,
        claim: Claim,
        request: &SignedRequest<'_>,
        signature: &str,
    ) -> Result<Signed, Error> {
        let now = self.now();
        if !request.is_signed(claim.secret.expose_secret(), signature, now) {
            return Err(REFUSED);
        }
        let ctx = self.admit_credential(Dialect::Onlive, now, &claim.caller)?;
        Ok(Signed { ctx, organization_id: claim.organization_id, found: claim.found })
    }

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
