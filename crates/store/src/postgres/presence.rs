//! Whether servers run on a database: each of their connections shares a lock, which goes with the connection.

use std::time::Duration;

use super::connection::Connection;
use super::error::store_error;
use crate::OpenError;

/// What a server begins each connection with.
pub(super) const PRESENT: &str =
    "SELECT pg_advisory_lock_shared(72384429, hashtext(CAST(current_schema AS TEXT)))";

const ALONE: &str = "SELECT pg_try_advisory_lock(72384429, hashtext(CAST(current_schema AS TEXT)))";

/// How long connections may take to end whose process has ended.
const PATIENCE: (u32, Duration) = (20, Duration::from_millis(100));

/// Keeps servers out for as long as this connection lives. Errors: `InUse`.
pub(super) async fn keep_servers_out(connection: &Connection) -> Result<(), OpenError> {
    for _ in 0..PATIENCE.0 {
        let alone = connection.client.query_one(ALONE, &[]).await.and_then(|row| row.try_get(0));
        if alone.map_err(|error| OpenError::Store(store_error(error)))? {
            return Ok(());
        }
        tokio::time::sleep(PATIENCE.1).await;
    }
    Err(OpenError::InUse)
}
