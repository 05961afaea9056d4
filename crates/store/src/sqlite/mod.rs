//! The embedded store: one SQLite file, read inline from a pool of connections, written by one thread.

mod backup;
mod damage;
mod driver;
mod error;
pub(crate) mod lock;
mod migrate;
#[cfg(test)]
mod plan_rows;
#[cfg(test)]
mod plan_tests;
mod rekey;
mod scan;
mod schema;
mod transfer;
mod waiting;
mod writer;
#[cfg(test)]
mod written_plan_tests;

use std::fs::{self, File, OpenOptions};
use std::future::{Ready, ready};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use muster_domain::secret::ServerKey;
use muster_domain::{Batch, Clock, Entropy, IdKind, StoreError, TenantId};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use self::backup::{complete, partial};
use self::error::store_error;
#[cfg(test)]
pub(crate) use self::migrate::make_tables;
use self::scan::Scanners;
pub(crate) use self::transfer::SqliteEnd;
use self::writer::Writer;
use crate::driver::now;
use crate::ids::Ids;
use crate::{Finding, OpenError, Options, Rotation, doctor, owner};

/// How long a write waits for another process that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the writer may keep a probe of its readiness waiting.
const READY_TIMEOUT: Duration = Duration::from_secs(1);
/// Prepared statements that a connection keeps.
const STATEMENT_CACHE: usize = 128;
/// Idle read connections that are kept.
const POOL: usize = 16;

/// The embedded store.
pub(crate) struct SqliteStore {
    readers: Readers,
    scanners: Scanners,
    writer: Writer,
    ids: Ids,
    /// Holds the lock that keeps a second server away.
    _server_lock: Option<File>,
}

impl SqliteStore {
    pub(crate) fn open(
        path: &Path,
        options: &Options,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<(Self, ServerKey), OpenError> {
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        let server_lock = prepare(path, options)?;
        let mut connection = connect(path, true).map_err(store_error)?;
        let key = migrate::run(&mut connection, clock.now(), options.create, |fingerprint, make| {
            options.key.load(fingerprint, make, entropy)
        })?;
        let cache = -i64::from(options.limits.write_cache);
        connection.pragma_update(None, "cache_size", cache).map_err(store_error)?;
        let writer = Writer::start(connection, options.limits.writer_queue).map_err(io)?;
        let store = Self {
            readers: Readers { path: path.to_owned(), idle: Mutex::default() },
            scanners: Scanners::start(path, options.limits.scans).map_err(io)?,
            writer,
            ids: Ids::default(),
            _server_lock: server_lock,
        };
        Ok((store, key))
    }

    pub(crate) fn rotate_key(
        path: &Path,
        options: &Options,
        given: Option<&str>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Rotation, OpenError> {
        let _server_lock = prepare(path, options)?;
        let _worker_lock = lock::no_worker(path)?;
        let mut connection = connect(path, true).map_err(store_error)?;
        let old = migrate::run(&mut connection, clock.now(), options.create, |fingerprint, make| {
            options.key.load(fingerprint, make, entropy)
        })?;
        let kept = options.key.keep(&old)?;
        let new = options.key.next(given, entropy)?;
        let secrets = rekey::run(&mut connection, &old, &new, entropy)?;
        // Should the process end before this, opening the store does it.
        options.key.settle(&new.fingerprint())?;
        Ok(Rotation { secrets, kept })
    }

    pub(crate) fn restore(
        path: &Path,
        options: &Options,
        backup: &Path,
        replace: bool,
        entropy: &dyn Entropy,
    ) -> Result<Option<PathBuf>, OpenError> {
        let (copy, fingerprint) = backup::open(backup)?;
        options.key.load(Some(&fingerprint), false, entropy)?;
        let _server_lock = prepare(path, options)?;
        let _worker_lock = lock::no_worker(path)?;
        let is_there = fs::metadata(path).is_ok_and(|file| file.len() > 0);
        if is_there && !replace {
            return Err(OpenError::Exists(path.to_owned()));
        }
        backup::put_in_place(&copy, path)
    }

    /// Copies the store, as it is at one moment, to a new file, while it is in use.
    pub(crate) async fn backup(&self, target: PathBuf) -> Result<(), OpenError> {
        let path = self.readers.path.clone();
        let done = tokio::task::spawn_blocking(move || {
            backup::copy(&connect(&path, false).map_err(store_error)?, &target)
        });
        done.await.map_err(|error| StoreError::Internal(format!("a backup was lost: {error}")))?
    }

    /// Bytes of the store's file.
    pub(crate) fn size(&self) -> u64 {
        fs::metadata(&self.readers.path).map_or(0, |file| file.len())
    }

    /// Looks for what must never be, in one state of the store.
    pub(crate) async fn doctor(
        &self,
        key: ServerKey,
        mut progress: impl FnMut(&str) + Send + 'static,
    ) -> Result<Vec<Finding>, StoreError> {
        self.scan(move |connection| {
            progress("the file and its indexes");
            let (mut findings, tables) = damage::find(connection).map_err(store_error)?;
            if tables {
                findings.extend(now(doctor::run(connection, &key, progress))?);
            }
            Ok(findings)
        })
        .await
    }

    /// Finishes the writes that were handed in and stops the writer. Later commits are `Unavailable`.
    pub(crate) async fn close(&self) {
        self.writer.close().await;
    }

    /// Whether the store reads and writes: a transaction without content goes through the writer.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        let read =
            |connection: &Connection| connection.query_row("SELECT 1", [], |_| Ok(())).map_err(store_error);
        self.read(read).await?;
        let written = self.writer.commit(Batch::new(TenantId(0)));
        let late = |_| StoreError::Unavailable("the writer is busy".into());
        tokio::time::timeout(READY_TIMEOUT, written).await.map_err(late)?
    }

    /// Runs a short read on the calling task: it takes microseconds, less than a hop to another thread.
    pub(crate) fn read<T>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Ready<Result<T, StoreError>> {
        ready(self.readers.with(f))
    }

    /// Runs a short read of several statements on one state of the store. It also takes the file
    /// locks of SQLite once instead of with each statement.
    pub(crate) fn together<T>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Ready<Result<T, StoreError>> {
        ready(self.readers.with(|connection| in_transaction(connection, f)))
    }

    /// Runs a long read on a thread for such, on one state of the store.
    pub(crate) fn scan<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        self.scanners.run(f)
    }

    pub(crate) fn commit(&self, batch: Batch) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.writer.commit(batch)
    }

    /// Hands a batch in without waiting for it.
    pub(crate) fn submit(&self, batch: Batch) -> Result<(), StoreError> {
        self.writer.submit_batch(batch)
    }

    /// The first of `count` ids in a row.
    pub(crate) async fn next_ids(&self, kind: IdKind, count: u32) -> Result<i64, StoreError> {
        self.ids.take(kind, count, |count| self.writer.reserve_ids(kind, count)).await
    }
}

/// Connections for reading. A connection is taken for a read and given back; there are never more in
/// use than threads that read.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn with<T>(&self, f: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, false).map_err(store_error)?,
        };
        let result = f(&connection);
        if !connection.is_autocommit() {
            // A transaction that could not be ended must not be anybody else's.
            return result;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < POOL {
            idle.push(connection);
        }
        result
    }
}

fn in_transaction<T>(
    connection: &Connection,
    f: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("BEGIN").map_err(store_error)?;
    let result = f(connection);
    run("COMMIT").map_err(store_error)?;
    result
}

fn connect(path: &Path, write: bool) -> rusqlite::Result<Connection> {
    let access = if write {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Plans do not depend on the values that are bound; else SQLite prepares many statements anew with
    // every binding, which costs more than running them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if write {
        until_free(|| connection.pragma_update(None, "journal_mode", "WAL"))?;
        // FULL: a commit is on the disk before it is answered.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Pages. The log is emptied into the file at four times its usual length: a page that many commits write is
        // written into the file once for all of them.
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        // What is deleted or replaced is overwritten, so that the file does not tell of who was erased, whenever the
        // old name was given up. It costs nothing that could be measured.
        connection.pragma_update(None, "secure_delete", true)?;
    }
    // Inner pages stay in the connection's own cache as they were read. Mapped pages would be looked at anew
    // with each use, and all of them mapped anew whenever the file has grown: on a million units, updates go
    // from 12,000 to 18,000 a second without. KiB.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Tries again while another process has the file, for as long as any write would wait: entering the WAL
/// mode is the one statement for which SQLite itself does not wait.
fn until_free<T>(mut f: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match f() {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && waited < BUSY_TIMEOUT =>
            {
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            done => return done,
        }
    }
}

/// Makes the folder and the file of a store if they are not there and may be made. For a server, the lock that keeps
/// a second one away.
fn prepare(path: &Path, options: &Options) -> Result<Option<File>, OpenError> {
    if !options.create && !path.exists() {
        return Err(OpenError::Missing(path.display().to_string()));
    }
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let server_lock = if options.as_server { Some(lock::server(path)?) } else { None };
    // Nobody but its owner reads a directory; the files beside it take the mode of this one.
    let is_new = !path.exists();
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(io)?;
    if is_new {
        owner::take_after_folder(path).map_err(io)?;
    }
    Ok(server_lock)
}
