//! The secrets of a store, which are sealed under its server key.

use muster_domain::credential::seal_context;
use muster_domain::secret::ServerKey;
use muster_domain::{CredentialId, StoreError, TenantId};

use crate::OpenError;
use crate::driver::Read;
use crate::row::get;
use crate::statements::installation;

/// Refuses a key that does not open what the store has.
pub(crate) async fn check(on: &impl Read, key: &ServerKey) -> Result<(), OpenError> {
    for (tenant, id, secret) in sealed_secrets(on).await? {
        let context = seal_context(tenant, id);
        if key.open(&context, &secret).is_none() {
            return Err(OpenError::Key(format!("does not open the secret of {context}")));
        }
    }
    Ok(())
}

/// Every secret that is sealed under the server key, with what it belongs to.
pub(crate) async fn sealed_secrets(
    on: &impl Read,
) -> Result<Vec<(TenantId, CredentialId, Vec<u8>)>, StoreError> {
    let secret =
        |row: &dyn crate::row::Row| Ok((TenantId(get(row, 0)?), CredentialId(get(row, 1)?), get(row, 2)?));
    on.all(&installation::SEALED_SECRETS, &[], secret).await
}
