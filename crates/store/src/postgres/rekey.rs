//! Putting another server key in the place of the present one, while no server runs.

use muster_domain::secret::ServerKey;
use muster_domain::{Clock, Entropy};

use super::connection::Connection;
use super::error::store_error;
use super::migrate;
use super::presence::keep_servers_out;
use crate::driver::Read as _;
use crate::secrets::{Sealed, resealed};
use crate::statements::installation;
use crate::value::values;
use crate::{OpenError, Options, Rotation};

/// Seals every secret anew and puts the new key in its place.
pub(super) async fn run(
    connection: &Connection,
    options: &Options,
    given: Option<&str>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Rotation, OpenError> {
    let sql = |error| OpenError::Store(store_error(error));
    keep_servers_out(connection).await?;
    let old = migrate::run(connection, options, clock.now(), entropy).await?;
    let kept = options.key.keep(&old)?;
    let new = options.key.next(given, entropy)?;
    connection
        .client
        .batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'; LOCK TABLE credentials, webhooks")
        .await
        .map_err(sql)?;
    let outcome = in_transaction(connection, &old, &new, entropy).await;
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.client.batch_execute(end).await.map_err(sql)?;
    let secrets = outcome?;
    // Should the process end before this, opening the store does it.
    options.key.settle(&new.fingerprint())?;
    Ok(Rotation { secrets, kept })
}

/// How many secrets there were.
async fn in_transaction(
    connection: &Connection,
    old: &ServerKey,
    new: &ServerKey,
    entropy: &dyn Entropy,
) -> Result<usize, OpenError> {
    let sealed = resealed(connection, old, new, entropy).await?;
    for Sealed { tenant, id, secret, reseal, .. } in &sealed {
        connection.one(reseal, &values![tenant.0, *id, secret], |_| Ok(())).await?;
    }
    let fingerprint = new.fingerprint();
    connection.one(&installation::SERVER_KEY_CHANGES, &values![&fingerprint], |_| Ok(())).await?;
    Ok(sealed.len())
}
