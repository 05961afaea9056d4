//! Putting another server key in the place of the present one.

use muster_domain::Entropy;
use muster_domain::credential::seal_context;
use muster_domain::secret::ServerKey;
use rusqlite::{Connection, TransactionBehavior, params};

use super::error::store_error;
use crate::OpenError;
use crate::driver::now;
use crate::secrets::sealed_secrets;

/// Seals every secret anew and notes the new key's fingerprint, in one transaction. How many secrets there were.
pub(super) fn run(
    connection: &mut Connection,
    old: &ServerKey,
    new: &ServerKey,
    entropy: &dyn Entropy,
) -> Result<usize, OpenError> {
    let sql = |error| OpenError::Store(store_error(error));
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    let sealed = now(sealed_secrets(&*tx))?;
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
