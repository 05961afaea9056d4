//! Copies of a whole store: made while it is in use, and put in its place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::store_error;
use super::migrate;
use crate::{OpenError, owner};

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What a copy is called until it is complete.
pub fn partial(target: &Path) -> PathBuf {
    with_suffix(target, ".partial")
}

/// Copies the store behind `connection`, as it is at one moment, to a new file. The file has its name when it is
/// complete and on the disk. Errors: `Io` when there is such a file already.
pub(super) fn copy(connection: &Connection, target: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: target.to_owned(), source };
    if target.exists() {
        return Err(io(io::ErrorKind::AlreadyExists.into()));
    }
    let draft = partial(target);
    // What is left of a copy that was broken off may be a link, or readable for others.
    remove(&draft).map_err(io)?;
    // SQLite writes into an empty file as it would into a new one, and this one only its owner reads.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(io)?;
    let copied = connection
        .execute("VACUUM INTO ?1", [draft.to_string_lossy()])
        .map_err(|error| OpenError::Store(store_error(error)))
        .and_then(|_| complete(&draft, target).map_err(io));
    if copied.is_err() {
        // What is left of it helps nobody; why it failed is what counts.
        let _ = remove(&draft);
    }
    copied
}

/// Gives a file that is written its name, once it is on the disk.
pub fn complete(draft: &Path, target: &Path) -> io::Result<()> {
    File::open(draft)?.sync_all()?;
    fs::rename(draft, target)?;
    sync_folder(target)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Opens a backup, checks that it is whole, and gives the fingerprint of the server key that it needs.
pub(super) fn open(backup: &Path) -> Result<(Connection, Vec<u8>), OpenError> {
    let broken = |why: String| OpenError::Backup { path: backup.to_owned(), why };
    let sql = |error: rusqlite::Error| broken(error.to_string());
    let connection = Connection::open_with_flags(
        backup,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(sql)?;
    let state: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sql)?;
    if state != "ok" {
        return Err(broken(state));
    }
    let fingerprint = connection
        .query_row("SELECT fingerprint FROM server_key", [], |row| row.get(0))
        .map_err(|_| broken("it is no store of muster".to_owned()))?;
    migrate::version(&connection)?;
    Ok((connection, fingerprint))
}

/// Puts a copy of the store behind `connection` in the place of the one at `path`, which no server uses. Where that is
/// now, if there was one. At every moment there is a store at `path`: the one of before or the new one. Errors:
/// `Unavailable` when a command uses it.
pub(super) fn put_in_place(connection: &Connection, path: &Path) -> Result<Option<PathBuf>, OpenError> {
    // What lies beside a store is named after the file itself, not after a link to it.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let draft = with_suffix(path, ".restoring");
    // The copy is complete before the store of before is touched.
    let done = remove(&draft)
        .map_err(|source| OpenError::Io { path: draft.clone(), source })
        .and_then(|()| copy(connection, &draft))
        .and_then(|()| exchange(&draft, path));
    if done.is_err() {
        // It may be large, and why it was not put in place is what counts.
        let _ = remove(&draft);
    }
    done
}

fn exchange(draft: &Path, path: &Path) -> Result<Option<PathBuf>, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let holds = |path: &Path| fs::metadata(path).is_ok_and(|file| file.len() > 0);
    let log = with_suffix(path, "-wal");
    // Nobody writes to it until the other one has its name.
    let _held = if holds(path) { hold_whole(path)? } else { None };
    let aside = if holds(path) || holds(&log) { Some(keep(path).map_err(io)?) } else { None };
    owner::take_after(draft, path).map_err(io)?;
    // Left behind by a file that is gone, they would be taken for those of the new one.
    for file in [log, with_suffix(path, "-shm")] {
        remove(&file).map_err(io)?;
    }
    fs::rename(draft, path).and_then(|()| sync_folder(path)).map_err(io)?;
    Ok(aside)
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Brings all of a store into its one file and keeps others from writing to it. `None` for one that is damaged: it
/// stays as it is, since that is when a backup is needed most. Errors: `Unavailable` when another process uses it.
fn hold_whole(path: &Path) -> Result<Option<Connection>, OpenError> {
    let hold = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        // A damaged file and its log stay two: whoever wants to save something of them needs both.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "journal_mode", "DELETE")?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(connection)
    };
    match hold() {
        Ok(connection) => Ok(Some(connection)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(None),
            Some(ErrorCode::DatabaseBusy) => Err(OpenError::Busy(path.to_owned())),
            _ => Err(OpenError::Store(store_error(error))),
        },
    }
}

/// Gives a store, and its log if it has one, a second name that nothing has had.
fn keep(path: &Path) -> io::Result<PathBuf> {
    let log = with_suffix(path, "-wal");
    let mut number = 1;
    let aside = loop {
        let suffix =
            if number == 1 { ".before-restore".to_owned() } else { format!(".before-restore-{number}") };
        let aside = with_suffix(path, &suffix);
        // It fails when the name is taken, so nothing is ever overwritten.
        match fs::hard_link(path, &aside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            done => break done.map(|()| aside)?,
        }
    };
    if log.exists() {
        fs::hard_link(&log, with_suffix(&aside, "-wal"))?;
    }
    sync_folder(path)?;
    Ok(aside)
}
