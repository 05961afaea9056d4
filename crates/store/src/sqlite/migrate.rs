//! Bringing the tables up to date when a store is opened.

use muster_domain::Timestamp;
use muster_domain::secret::ServerKey;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::error::store_error;
use crate::OpenError;

/// Numbered from 1 without gaps. A released migration is never edited.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/sqlite/0001_directory.sql")];

/// The version of a store's tables. Errors: `Newer` when a newer release has written it.
pub(super) fn version(connection: &Connection) -> Result<i64, OpenError> {
    let found: i64 = connection
        .query_row("SELECT COALESCE(MAX(version), 0) FROM migrations", [], |row| row.get(0))
        .map_err(store_error)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok(found) }
}

/// Applies what is missing, under the store's write lock, and settles the server key in the same
/// transaction: `load_key` gets the fingerprint that the store knows.
pub(super) fn run(
    connection: &mut Connection,
    now: Timestamp,
    load_key: impl FnOnce(Option<&[u8]>) -> Result<ServerKey, OpenError>,
) -> Result<ServerKey, OpenError> {
    let sql = |error| OpenError::Store(store_error(error));
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations
             (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
    )
    .map_err(sql)?;
    let found = version(&tx)?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        tx.execute_batch(migration).map_err(sql)?;
        tx.execute("INSERT INTO migrations (version, applied_at) VALUES (?1, ?2)", [version, now.0])
            .map_err(sql)?;
    }
    let known: Option<Vec<u8>> =
        tx.query_row("SELECT fingerprint FROM server_key", [], |row| row.get(0)).optional().map_err(sql)?;
    let key = load_key(known.as_deref())?;
    if known.is_none() {
        tx.execute(
            "INSERT INTO server_key (only_row, fingerprint) VALUES (1, ?1)",
            params![key.fingerprint()],
        )
        .map_err(sql)?;
    }
    tx.commit().map_err(sql)?;
    Ok(key)
}
