//! Putting another server key in the place of the present one.

use muster_domain::credential::seal_context;
use muster_domain::secret::ServerKey;
use muster_domain::{CredentialId, Entropy, TenantId};
use rusqlite::{Connection, TransactionBehavior, params};

use super::error::store_error;
use crate::OpenError;

/// Seals every secret anew and notes the new key's fingerprint, in one transaction. How many secrets there were.
pub(super) fn run(
    connection: &mut Connection,
    old: &ServerKey,
    new: &ServerKey,
    entropy: &dyn Entropy,
) -> Result<usize, OpenError> {
    let sql = |error| OpenError::Store(store_error(error));
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    let sealed = sealed_secrets(&tx).map_err(sql)?;
    for (tenant, id, secret) in &sealed {
        let context = seal_context(*tenant, *id);
        let plain = old.open(&context, secret).ok_or_else(|| {
            OpenError::Key(format!("does not open the secret of {context}; nothing was changed"))
        })?;
        let mut nonce = [0; 24];
        entropy.fill(&mut nonce);
        tx.execute(
            "UPDATE credentials SET secret_sealed = ?3 WHERE tenant_id = ?1 AND id = ?2",
            params![tenant.0, id.0, new.seal(nonce, &context, &plain)],
        )
        .map_err(sql)?;
    }
    tx.execute("UPDATE server_key SET fingerprint = ?1", params![new.fingerprint()]).map_err(sql)?;
    tx.commit().map_err(sql)?;
    Ok(sealed.len())
}

/// Refuses a key that does not open what the store has.
pub(super) fn check(connection: &Connection, key: &ServerKey) -> Result<(), OpenError> {
    for (tenant, id, secret) in sealed_secrets(connection).map_err(store_error)? {
        let context = seal_context(tenant, id);
        if key.open(&context, &secret).is_none() {
            return Err(OpenError::Key(format!("does not open the secret of {context}")));
        }
    }
    Ok(())
}

/// Every secret that is sealed under the server key, with what it belongs to.
pub(super) fn sealed_secrets(
    connection: &Connection,
) -> rusqlite::Result<Vec<(TenantId, CredentialId, Vec<u8>)>> {
    connection
        .prepare("SELECT tenant_id, id, secret_sealed FROM credentials WHERE secret_sealed IS NOT NULL")?
        .query_map([], |row| Ok((TenantId(row.get(0)?), CredentialId(row.get(1)?), row.get(2)?)))?
        .collect()
}
