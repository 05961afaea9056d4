//! A file as one end of a copy of a whole store.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use muster_domain::secret::ServerKey;
use muster_domain::{Clock, Entropy, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::spawn_blocking;

use super::error::store_error;
use super::{connect, lock, migrate, prepare};
use crate::migrate_store::{Cells, End, Held, Pager, Pages, QUEUE, TABLES, Table, places};
use crate::{OpenError, Options};

/// The mark of a copy, with what it is a copy of.
const MARK: &str =
    "CREATE TABLE store_copy (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), of BLOB NOT NULL) STRICT";

/// A connection that is used by one thing at a time.
pub(crate) struct SqliteEnd {
    connection: Arc<Mutex<Connection>>,
    /// Keeps servers, workers and other copies away.
    _locks: Locks,
}

fn sql(error: rusqlite::Error) -> OpenError {
    OpenError::Store(store_error(error))
}

type Locks = (Option<File>, File);

/// A connection for very many rows: what has to be sorted goes to a temporary file.
fn open(options: &Options) -> Result<(Connection, Locks), OpenError> {
    let path = crate::file(options)?;
    let locks = (prepare(&path, options)?, lock::no_worker(&path)?);
    let connection = connect(&path, true).map_err(sql)?;
    connection.pragma_update(None, "temp_store", "FILE").map_err(sql)?;
    Ok((connection, locks))
}

/// How much of a file that is written stays in memory, and so much of what is sorted; KiB.
const CACHES: (i64, i64) = (-256 * 1024, -32 * 1024);

impl SqliteEnd {
    fn new(connection: Connection, locks: Locks) -> Self {
        Self { connection: Arc::new(Mutex::new(connection)), _locks: locks }
    }

    /// Works with the connection on a thread that may wait.
    async fn on<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, OpenError> {
        let connection = Arc::clone(&self.connection);
        let work = move || work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner));
        spawn_blocking(work).await.unwrap_or_else(|error| Err(StoreError::Internal(error.to_string()).into()))
    }

    async fn sql<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.on(|connection| work(connection).map_err(sql)).await {
            Err(OpenError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::Internal(error.to_string())),
            Ok(done) => Ok(done),
        }
    }
}

impl End for SqliteEnd {
    async fn hold(
        options: &Options,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Held<Self>, OpenError> {
        let (mut connection, locks) = open(options)?;
        let key = migrate::run(&mut connection, clock.now(), false, |fingerprint, make| {
            options.key.load(fingerprint, make, entropy)
        })?;
        connection.pragma_update(None, "cache_size", CACHES.1).map_err(sql)?;
        // Commands wait for it, for as long as they wait for any other.
        connection.execute_batch("BEGIN IMMEDIATE").map_err(sql)?;
        let made = "SELECT MIN(applied_at) FROM migrations";
        let made = Timestamp(connection.query_row(made, [], |row| row.get(0)).map_err(sql)?);
        Ok(Held { end: Self::new(connection, locks), key, made })
    }

    async fn begin(options: &Options, copy: &[u8], now: Timestamp) -> Result<(Self, bool), OpenError> {
        let (mut connection, locks) = open(options)?;
        connection.pragma_update(None, "cache_size", CACHES.0).map_err(sql)?;
        // Rows come in the order of tables and keys; that they fit is looked at in the end.
        connection.pragma_update(None, "foreign_keys", false).map_err(sql)?;
        let tx = connection.transaction().map_err(sql)?;
        let found = migrate::version(&tx)?;
        let begun = if migrate::is_there(&tx, crate::migrate_store::COPY_MARK).map_err(sql)? {
            let of: Option<Vec<u8>> =
                tx.query_row("SELECT of FROM store_copy", [], |row| row.get(0)).optional().map_err(sql)?;
            if of.as_deref() != Some(copy) {
                return Err(OpenError::OtherCopy);
            }
            true
        } else {
            let parts: i64 =
                tx.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sql)?;
            if parts > 0 {
                return Err(OpenError::Occupied);
            }
            tx.execute_batch(MARK).map_err(sql)?;
            tx.execute("INSERT INTO store_copy (only_row, of) VALUES (1, ?1)", [copy]).map_err(sql)?;
            migrate::update(&tx, found, now).map_err(sql)?;
            false
        };
        tx.commit().map_err(sql)?;
        Ok((Self::new(connection, locks), begun))
    }

    async fn count(&self, table: &'static Table) -> Result<u64, StoreError> {
        let count = |row: &Row<'_>| row.get::<_, i64>(0);
        let count = self.sql(move |connection| connection.query_row(&table.count(), [], count)).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn last(&self, table: &'static Table) -> Result<Option<Cells>, StoreError> {
        let row = move |row: &Row<'_>| Ok(table.cells(row));
        let last = move |connection: &mut Connection| connection.query_row(&table.last(), [], row).optional();
        self.sql(last).await?.transpose()
    }

    fn rows(&self, table: &'static Table, after: Option<Cells>) -> Pages {
        let (sender, pages) = channel(QUEUE);
        let connection = Arc::clone(&self.connection);
        spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = read(&connection, table, after, &sender) {
                // Whoever is gone needs no more.
                let _ = sender.blocking_send(Err(error));
            }
        });
        pages
    }

    async fn write(&self, table: &'static Table, page: Vec<Cells>) -> Result<(), StoreError> {
        let columns: Vec<_> = table.columns().collect();
        let insert = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            table.name,
            columns.join(", "),
            places(columns.len()).replace('$', "?")
        );
        let write = move |connection: &mut Connection| {
            let tx = connection.transaction()?;
            let mut statement = tx.prepare(&insert)?;
            for row in &page {
                statement.execute(params_from_iter(row))?;
            }
            drop(statement);
            tx.commit()
        };
        self.sql(write).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.sql(|connection| {
            let tx = connection.transaction()?;
            TABLES.iter().try_for_each(|table| tx.execute_batch(&format!("DELETE FROM {}", table.name)))?;
            tx.commit()
        })
        .await
    }

    async fn finish(&self, key: &ServerKey) -> Result<(), OpenError> {
        let fingerprint = key.fingerprint();
        self.on(move |connection| {
            let tx = connection.transaction().map_err(sql)?;
            let dangling = tx.query_row("PRAGMA foreign_key_check", [], |row| row.get(0));
            let dangling: Option<String> = dangling.optional().map_err(sql)?;
            if let Some(table) = dangling {
                let what =
                    format!("a row of {table} refers to what is not there; `muster doctor` tells what");
                return Err(StoreError::Internal(what).into());
            }
            let known = "INSERT INTO server_key (only_row, fingerprint) VALUES (1, ?1)";
            tx.execute(known, params![fingerprint]).map_err(sql)?;
            tx.execute_batch("DROP TABLE store_copy").map_err(sql)?;
            tx.commit().map_err(sql)?;
            connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(sql)
        })
        .await
    }
}

/// Reads rows from the table itself and sorts them: an index that gives a part of the order would lead to each row
/// by a way of its own.
fn read(
    connection: &Connection,
    table: &'static Table,
    after: Option<Cells>,
    sender: &Sender<Result<Vec<Cells>, StoreError>>,
) -> Result<(), StoreError> {
    let text = table.select(after.is_some(), "NOT INDEXED ").replace('$', "?");
    let mut statement = connection.prepare(&text).map_err(store_error)?;
    let mut rows = statement.query(params_from_iter(after.unwrap_or_default())).map_err(store_error)?;
    let mut pager = Pager::default();
    while let Some(row) = rows.next().map_err(store_error)? {
        if let Some(page) = pager.add(table.cells(row)?)
            && sender.blocking_send(Ok(page)).is_err()
        {
            return Ok(());
        }
    }
    if let Some(page) = pager.rest() {
        // As above.
        let _ = sender.blocking_send(Ok(page));
    }
    Ok(())
}
