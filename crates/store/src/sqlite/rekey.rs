//! Putting another server key in the place of the present one.

use muster_domain::Entropy;
use muster_domain::secret::ServerKey;
use rusqlite::{Connection, TransactionBehavior, params};

use super::error::store_error;
use crate::OpenError;
use crate::driver::now;
use crate::secrets::{Sealed, resealed};
use crate::statements::installation;

/// Seals every secret anew and notes the new key's fingerprint, in one transaction. How many secrets there were.
pub(super) fn run(
    connection: &mut Connection,
    old: &ServerKey,
    new: &ServerKey,
    entropy: &dyn Entropy,
) -> Result<usize, OpenError> {
    let sql = |error| OpenError::Store(store_error(error));
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    let sealed = now(resealed(&*tx, old, new, entropy))?;
    for Sealed { tenant, id, secret, reseal, .. } in &sealed {
        tx.query_row(reseal.sqlite(), params![tenant.0, id, secret], |_| Ok(())).map_err(sql)?;
    }
    let known = installation::SERVER_KEY_CHANGES.sqlite();
    tx.query_row(known, params![new.fingerprint()], |_| Ok(())).map_err(sql)?;
    tx.commit().map_err(sql)?;
    Ok(sealed.len())
}
