//! The stores of a directory, chosen at run time by URL. What a store is, is defined by the contract
//! suite in `tests/`.

mod codes;
mod owner;
mod server_key;
mod sqlite;
mod statements;

use std::path::{Path, PathBuf};

use muster_domain::secret::ServerKey;
use muster_domain::{Clock, Entropy, StoreError};

pub use server_key::KeySource;
pub use sqlite::{Finding, Limits, SqliteStore, complete, partial};

/// The store that the server and the command line run on.
pub type Store = SqliteStore;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:PATH`.
    pub url: String,
    /// Where the server key is, or will be made.
    pub key: KeySource,
    /// Whether a store that is not there is made; else it is an error.
    pub create: bool,
    /// A second *server* on one embedded store is refused; the command line may write beside it.
    pub as_server: bool,
    pub limits: Limits,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the database URL {0:?} is not understood: it must be sqlite:PATH, such as sqlite:muster-data/muster.db"
    )]
    Url(String),
    #[error("another muster server is running on this store ({0} is locked)")]
    Locked(PathBuf),
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
    Missing(PathBuf),
    #[error("a command is working on the store at {0}; try again when it has ended")]
    Busy(PathBuf),
    #[error("there is a store at {0} already; --replace takes it out of the way")]
    Exists(PathBuf),
    /// What the system said is its source.
    #[error("{path}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens a store and finds its server key. One that may be made gets its tables brought up to date, and a key if it is
/// new; for another both have to be there.
pub fn open(
    options: &Options,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<(Store, ServerKey), OpenError> {
    SqliteStore::open(&file(options)?, options, clock, entropy)
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
pub fn rotate_key(
    options: &Options,
    given: Option<&str>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Rotation, OpenError> {
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
    SqliteStore::restore(&file(options)?, options, backup, replace, entropy)
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
