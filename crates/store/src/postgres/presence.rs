//! Who works on a database beside others: advisory locks, which go with the connection that has them.

use std::time::Duration;

use super::connection::Connection;
use super::error::store_error;
use crate::OpenError;

/// What a server begins each connection with: it shares [`SERVERS`].
pub(super) const PRESENT: &str =
    "SELECT pg_advisory_lock_shared(72384429, hashtext(CAST(current_schema AS TEXT)))";

const ALONE: &str = "SELECT pg_try_advisory_lock($1, hashtext(CAST(current_schema AS TEXT)))";

/// The locks; the numbers have no meaning.
const SERVERS: i32 = 72_384_429;
const COPY: i32 = 72_384_428;

/// How long connections may take to end whose process has ended.
const PATIENCE: (u32, Duration) = (50, Duration::from_millis(100));

/// Keeps servers out for as long as this connection lives. Errors: `InUse`.
pub(super) async fn keep_servers_out(connection: &Connection) -> Result<(), OpenError> {
    if alone(connection, SERVERS).await? { Ok(()) } else { Err(OpenError::InUse) }
}

/// Keeps other copies into this database out for as long as this connection lives. Errors: `Copied`.
pub(super) async fn keep_copies_out(connection: &Connection) -> Result<(), OpenError> {
    if alone(connection, COPY).await? { Ok(()) } else { Err(OpenError::Copied) }
}

/// Whether the lock is this connection's now.
async fn alone(connection: &Connection, lock: i32) -> Result<bool, OpenError> {
    for _ in 0..PATIENCE.0 {
        let alone = connection.client.query_one(ALONE, &[&lock]).await.and_then(|row| row.try_get(0));
        if alone.map_err(|error| OpenError::Store(store_error(error)))? {
            return Ok(true);
        }
        tokio::time::sleep(PATIENCE.1).await;
    }
    Ok(false)
}
