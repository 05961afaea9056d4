//! The stores of a directory, chosen at run time by URL. What a store is, is defined by the contract
//! suite in `tests/`.

mod apply;
mod codes;
mod doctor;
mod driver;
mod group;
mod ids;
mod media;
mod migrate_store;
mod news;
mod owner;
mod postgres;
mod read;
mod row;
mod rows;
mod secrets;
mod server_key;
mod sqlite;
mod statements;
mod value;

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use muster_domain::secret::ServerKey;
use muster_domain::{Clock, Entropy, StoreError};

pub use doctor::Finding;
pub use media::{Media, MediaError, Upload};
pub use migrate_store::{MigrateError, Progress, Step, Sum, migrate_store};
pub use server_key::KeySource;
pub use sqlite::{complete, partial};

use news::News;
use postgres::PostgresStore;
use sqlite::SqliteStore;

/// The store that the server and the command line run on. What is asked of it stands in `read/` and `apply/`, once for
/// both kinds.
///
/// Beside the rows: to whose journals, and to whose messages, this process has added.
pub struct Store(Backend, News, News);

/// Where the rows are.
enum Backend {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

/// What bounds the work that a store takes at once.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Batches that wait for a writer; more are refused with `Unavailable`.
    pub writer_queue: usize,
    /// Long reads (trees, lists) that run at once, by default one a core; more wait. Also the connections to a database that
    /// the short ones share.
    pub scans: usize,
    /// The page cache of the connection that writes to a file, in KiB.
    pub write_cache: u32,
}

impl Limits {
    /// For the one who writes very many rows: pages that a commit changes all over an index stay in memory until it is
    /// done, instead of being written several times.
    pub fn bulk() -> Self {
        Self { write_cache: 64 * 1024, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            write_cache: 8192,
            writer_queue: 4096,
            scans: available_parallelism().map_or(2, usize::from).clamp(2, 8),
        }
    }
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Where the server key is, or will be made.
    pub key: KeySource,
    /// Whether a store that is not there is made; else it is an error.
    pub create: bool,
    /// A second *server* on one embedded store is refused; the command line may write beside it. A database has any number.
    pub as_server: bool,
    pub limits: Limits,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the database URL {0:?} is not understood: it must be sqlite:PATH, such as sqlite:muster-data/muster.db, or \
         postgres://USER:PASSWORD@HOST/NAME"
    )]
    Url(String),
    #[error("the database URL {url} is not understood: {why}")]
    PostgresUrl { url: String, why: String },
    /// What works on a file only. The text is the sentence's end.
    #[error("the store is a PostgreSQL database: {0}")]
    NoFile(&'static str),
    #[error("another muster server is running on this store ({0} is locked)")]
    Locked(PathBuf),
    #[error("a muster worker is running on this store ({0} is locked); stop it first")]
    Worked(PathBuf),
    #[error(
        "the store has version {found}, but this muster knows only versions up to {known}: it was written by a newer release; run that one"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "the tables of the store have version {found}, but this muster needs {known}: make a backup, then start `muster serve`, which brings them up to date"
    )]
    Older { found: i64, known: i64 },
    #[error("the server key {0}")]
    Key(String),
    #[error("{path} is no backup that can be restored: {why}")]
    Backup { path: PathBuf, why: String },
    #[error("there is no store at {0}; `muster tenant create` or `muster serve` makes one")]
    Missing(String),
    #[error("a command is working on the store at {0}; try again when it has ended")]
    Busy(PathBuf),
    /// Of a database.
    #[error("a muster server runs on this database; stop all of them first")]
    InUse,
    #[error("there is a store at {0} already; --replace takes it out of the way")]
    Exists(PathBuf),
    #[error(
        "the store is a copy that is not complete: start the same `muster migrate-store` again, which goes on with it, or \
         remove what is there"
    )]
    Incomplete,
    #[error("there is a store already, or something else; a copy goes into an empty database")]
    Occupied,
    #[error("there are the beginnings of a copy of another store; remove them, or name another target")]
    OtherCopy,
    #[error("another `muster migrate-store` is working on it")]
    Copied,
    /// What the system said is its source.
    #[error("{path}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens a store and finds its server key. One that may be made gets its tables brought up to date, and a key if it is
/// new; for another both have to be there.
pub async fn open(
    options: &Options,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<(Store, ServerKey), OpenError> {
    if postgres::is_postgres(&options.url) {
        let (store, key) = PostgresStore::open(options, clock, entropy).await?;
        return Ok((Store(Backend::Postgres(store), News::default(), News::default()), key));
    }
    let (store, key) = SqliteStore::open(&file(options)?, options, clock, entropy)?;
    Ok((Store(Backend::Sqlite(store), News::default(), News::default()), key))
}

/// Held by a worker on a file for as long as it runs: whoever has to be alone on the store sees it.
#[derive(Debug)]
pub struct WorkerLock(#[expect(dead_code, reason = "it is held, not read")] Option<std::fs::File>);

/// Says that a worker is at work on a store. Of a database its connections say so. Errors: `Busy`.
pub fn lock_as_worker(options: &Options) -> Result<WorkerLock, OpenError> {
    // A store that is not there is refused when it is opened.
    let path = sqlite_path(&options.url).filter(|path| path.exists());
    path.map(|path| sqlite::lock::worker(&path)).transpose().map(WorkerLock)
}

impl Store {
    /// Finishes the writes that were handed in and stops writing. Later commits are `Unavailable`.
    pub async fn close(&self) {
        match &self.0 {
            Backend::Sqlite(store) => store.close().await,
            Backend::Postgres(store) => store.close().await,
        }
    }

    /// Whether the store reads and writes.
    pub async fn ready(&self) -> Result<(), StoreError> {
        match &self.0 {
            Backend::Sqlite(store) => store.ready().await,
            Backend::Postgres(store) => store.ready().await,
        }
    }

    /// Looks for what must never be, in one state of the store. `progress` is told what is looked at.
    pub async fn doctor(
        &self,
        key: ServerKey,
        progress: impl FnMut(&str) + Send + 'static,
    ) -> Result<Vec<Finding>, StoreError> {
        match &self.0 {
            Backend::Sqlite(store) => store.doctor(key, progress).await,
            Backend::Postgres(store) => {
                let scan = store.scan().await?;
                let done = doctor::run(scan.reader(), &key, progress).await;
                scan.end(done).unwrap_or_else(|| Err(postgres::lost()))
            }
        }
    }

    /// Copies the store, as it is at one moment, to a new file, while it is in use.
    pub async fn backup(&self, target: PathBuf) -> Result<(), OpenError> {
        match &self.0 {
            Backend::Sqlite(store) => store.backup(target).await,
            Backend::Postgres(_) => Err(OpenError::NoFile(
                "back it up with pg_dump, which copies it as it is at one moment while it is in use; the server key is \
                 not in it, so keep that too, in another place",
            )),
        }
    }

    /// Bytes of the store's file; nothing where it is none.
    pub fn size(&self) -> u64 {
        match &self.0 {
            Backend::Sqlite(store) => store.size(),
            Backend::Postgres(_) => 0,
        }
    }
}

/// What a rotation of the server key has done.
#[derive(Debug)]
pub struct Rotation {
    /// So many secrets were sealed anew.
    pub secrets: usize,
    /// Where the key of before is now, which backups of before need.
    pub kept: Option<PathBuf>,
}

/// Seals every secret of a store under another server key and puts that in the place of the present one: `given`
/// (64 hexadecimal characters), or a new one. No server may run.
pub async fn rotate_key(
    options: &Options,
    given: Option<&str>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Rotation, OpenError> {
    if postgres::is_postgres(&options.url) {
        return PostgresStore::rotate_key(options, given, clock, entropy).await;
    }
    SqliteStore::rotate_key(&file(options)?, options, given, clock, entropy)
}

/// Puts a backup in the place of the store, if the server key is the one that it needs. No server may run. Where the
/// store of before is now, if there was one and `replace` says that it may go.
pub fn restore(
    options: &Options,
    backup: &Path,
    replace: bool,
    entropy: &dyn Entropy,
) -> Result<Option<PathBuf>, OpenError> {
    if postgres::is_postgres(&options.url) {
        return Err(OpenError::NoFile(
            "restore what pg_dump has made with pg_restore, into an empty database",
        ));
    }
    SqliteStore::restore(&file(options)?, options, backup, replace, entropy)
}

/// The URL of a store without its password, for people and logs.
pub fn shown(url: &str) -> String {
    postgres::shown(url)
}

fn file(options: &Options) -> Result<PathBuf, OpenError> {
    sqlite_path(&options.url).ok_or_else(|| OpenError::Url(options.url.clone()))
}

/// The file of a `sqlite:PATH` URL (also `sqlite://PATH`), or `None` for anything else.
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    (!path.is_empty()).then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        assert_eq!(sqlite_path("sqlite:a/b.db"), Some("a/b.db".into()));
        assert_eq!(sqlite_path("sqlite:/a/b.db"), Some("/a/b.db".into()));
        assert_eq!(sqlite_path("sqlite:///a/b.db"), Some("/a/b.db".into()));
        assert_eq!(sqlite_path("sqlite:"), None);
        assert_eq!(sqlite_path("postgres://host/db"), None);
    }
}
