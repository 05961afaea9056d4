//! Bringing the tables up to date when a store is opened.

use muster_domain::secret::ServerKey;
use muster_domain::{Entropy, Timestamp};
use tokio_postgres::Client;

use super::connection::Connection;
use super::error::store_error;
use super::url::shown;
use crate::migrate_store::COPY_MARK;
use crate::{OpenError, Options, secrets};

/// Numbered from 1 without gaps. A released migration is never edited.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/postgres/0001_directory.sql")];

const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)";

/// Whoever holds it brings the tables of this database up to date; the number has no meaning.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7238442817361)";

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn sql(error: tokio_postgres::Error) -> OpenError {
    OpenError::Store(store_error(error))
}

/// Checks the tables under a lock of the database, with `options.create` applies what is missing, and settles the server
/// key in the same transaction.
pub(super) async fn run(
    connection: &Connection,
    options: &Options,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<ServerKey, OpenError> {
    let client = &connection.client;
    begin(client).await?;
    let outcome = in_transaction(connection, options, now, entropy).await;
    client.batch_execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" }).await.map_err(sql)?;
    outcome
}

/// Begins a transaction of which the database has one at a time. Another node's may take longer than a write waits for
/// its lock.
pub(super) async fn begin(client: &Client) -> Result<(), OpenError> {
    client.batch_execute("BEGIN; SET LOCAL lock_timeout = 0").await.map_err(sql)?;
    client.batch_execute(LOCK).await.map_err(sql)
}

async fn in_transaction(
    connection: &Connection,
    options: &Options,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<ServerKey, OpenError> {
    let client = &connection.client;
    let found = version(client).await?;
    if found > known() {
        return Err(OpenError::Newer { found, known: known() });
    }
    if is_there(client, COPY_MARK).await? {
        return Err(OpenError::Incomplete);
    }
    if options.create {
        update(client, found, now).await?;
    } else if found == 0 {
        return Err(OpenError::Missing(shown(&options.url)));
    } else if found < known() {
        return Err(OpenError::Older { found, known: known() });
    }
    let fingerprint = client.query_opt("SELECT fingerprint FROM server_key", &[]).await.map_err(sql)?;
    let fingerprint: Option<Vec<u8>> = fingerprint.map(|row| row.try_get(0)).transpose().map_err(sql)?;
    // Only a new store gets a new key: one that has lost its fingerprint has secrets under another.
    let key = options.key.load(fingerprint.as_deref(), found == 0, entropy)?;
    if fingerprint.is_none() && options.create {
        secrets::check(connection, &key).await?;
        let known = "INSERT INTO server_key (only_row, fingerprint) VALUES (1, $1)";
        client.execute(known, &[&key.fingerprint().as_slice()]).await.map_err(sql)?;
    }
    Ok(key)
}

/// Applies what a store of the version `found` lacks.
pub(super) async fn update(client: &Client, found: i64, now: Timestamp) -> Result<(), OpenError> {
    client.batch_execute(VERSIONS).await.map_err(sql)?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        client.batch_execute(migration).await.map_err(sql)?;
        let done = "INSERT INTO migrations (version, applied_at) VALUES ($1, $2)";
        client.execute(done, &[&version, &now.0]).await.map_err(sql)?;
    }
    Ok(())
}

/// The version of a store's tables, 0 for a database without any.
pub(super) async fn version(client: &Client) -> Result<i64, OpenError> {
    if !is_there(client, "migrations").await? {
        return Ok(0);
    }
    let version = "SELECT COALESCE(MAX(version), 0) FROM migrations";
    client.query_one(version, &[]).await.and_then(|row| row.try_get(0)).map_err(sql)
}

pub(super) async fn is_there(client: &Client, table: &str) -> Result<bool, OpenError> {
    let is_there = "SELECT to_regclass($1) IS NOT NULL";
    client.query_one(is_there, &[&table]).await.and_then(|row| row.try_get(0)).map_err(sql)
}
