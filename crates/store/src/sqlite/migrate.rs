//! Bringing the tables up to date when a store is opened.

use muster_domain::Timestamp;
use muster_domain::secret::ServerKey;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::error::store_error;
use crate::driver::now;
use crate::{OpenError, secrets};

/// Numbered from 1 without gaps. A released migration is never edited.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/sqlite/0001_directory.sql")];

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS migrations
    (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT";

/// Makes all tables in a new and empty database.
pub(super) fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(VERSIONS)?;
    MIGRATIONS.iter().try_for_each(|migration| connection.execute_batch(migration))
}

/// The version of a store's tables, 0 for a store without any. Errors: `Newer` when a newer release has written it.
pub(super) fn version(connection: &Connection) -> Result<i64, OpenError> {
    let is_there = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'")
        .and_then(|mut statement| statement.exists([]))
        .map_err(store_error)?;
    if !is_there {
        return Ok(0);
    }
    let found: i64 = connection
        .query_row("SELECT COALESCE(MAX(version), 0) FROM migrations", [], |row| row.get(0))
        .map_err(store_error)?;
    let known = known();
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok(found) }
}

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Checks the tables under the store's write lock, with `create` applies what is missing, and settles the server key in
/// the same transaction: `load_key` gets the fingerprint that the store knows, and whether a key may be made.
pub(super) fn run(
    connection: &mut Connection,
    now: Timestamp,
    create: bool,
    load_key: impl FnOnce(Option<&[u8]>, bool) -> Result<ServerKey, OpenError>,
) -> Result<ServerKey, OpenError> {
    let sql = |error| OpenError::Store(store_error(error));
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    let found = version(&tx)?;
    if create {
        tx.execute_batch(VERSIONS).map_err(sql)?;
        for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
            tx.execute_batch(migration).map_err(sql)?;
            tx.execute("INSERT INTO migrations (version, applied_at) VALUES (?1, ?2)", [version, now.0])
                .map_err(sql)?;
        }
    } else if found < known() {
        return Err(OpenError::Older { found, known: known() });
    }
    let fingerprint: Option<Vec<u8>> =
        tx.query_row("SELECT fingerprint FROM server_key", [], |row| row.get(0)).optional().map_err(sql)?;
    // Only a new store gets a new key: one that has lost its fingerprint has secrets under another.
    let key = load_key(fingerprint.as_deref(), found == 0)?;
    if fingerprint.is_none() && create {
        check_secrets(&tx, &key)?;
        tx.execute(
            "INSERT INTO server_key (only_row, fingerprint) VALUES (1, ?1)",
            params![key.fingerprint()],
        )
        .map_err(sql)?;
    }
    tx.commit().map_err(sql)?;
    Ok(key)
}

/// Refuses a key that does not open what the store has.
fn check_secrets(connection: &Connection, key: &ServerKey) -> Result<(), OpenError> {
    let mut outcome = Ok(());
    now(async {
        outcome = secrets::check(connection, key).await;
        Ok(())
    })?;
    outcome
}
