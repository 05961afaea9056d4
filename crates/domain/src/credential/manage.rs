//! Listing and revoking credentials.

use serde_json::Map;

use super::Credential;
use crate::directory::ATTEMPTS;
use crate::{
    Access, Batch, Change, CredentialId, Ctx, Directory, Entity, Error, JournalEntry, Store, StoreError,
};

impl<S: Store> Directory<S> {
    /// All credentials of the tenant, by id, also those that are revoked or have expired.
    pub async fn credential_list(&self, ctx: &Ctx) -> Result<Vec<Credential>, Error> {
        ctx.allow(Access::Read)?;
        Ok(self.store.credentials(ctx.tenant()).await?)
    }

    /// Revokes a credential: it gets nobody in any more. One that was revoked before stays so.
    /// Errors: `NotFound`.
    pub async fn credential_revoke(&self, ctx: &Ctx, id: CredentialId) -> Result<Credential, Error> {
        ctx.allow(Access::Write)?;
        for _ in 0..ATTEMPTS {
            let all = self.store.credentials(ctx.tenant()).await?;
            let found = all.into_iter().find(|credential| credential.id == id);
            let found = found.ok_or(Error::NotFound(Entity::Credential))?;
            if found.revoked_at.is_some() {
                return Ok(found);
            }
            let at = self.now();
            let entry = JournalEntry::new(ctx, "credential.revoked", id, 2, Map::new());
            let batch = Batch::new(ctx.tenant()).change(Change::CredentialRevoke { id, at }).journal(entry);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(Credential { revoked_at: Some(at), ..found }),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}
