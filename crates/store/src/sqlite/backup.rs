//! Copies of a whole store: made while it is in use, and put in its place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::store_error;
use crate::OpenError;

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
    // SQLite writes into an empty file as it would into a new one, and this one only its owner reads.
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(io)?;
    let copied = connection
        .execute("VACUUM INTO ?1", [draft.to_string_lossy()])
        .map_err(|error| OpenError::Store(store_error(error)))
        .and_then(|_| finish(&draft, target).map_err(io));
    if copied.is_err() {
        // What is left of it helps nobody; why it failed is what counts.
        let _ = remove(&draft);
    }
    copied
}

fn finish(draft: &Path, target: &Path) -> io::Result<()> {
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
    Ok((connection, fingerprint))
}

/// Puts a copy of the store behind `connection` in the place of the one at `path`, which nobody uses. Where that is
/// now, if there was one.
pub(super) fn put_in_place(connection: &Connection, path: &Path) -> Result<Option<PathBuf>, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    // The copy is complete before the store of before goes out of the way.
    let draft = with_suffix(path, ".restoring");
    remove(&draft).map_err(io)?;
    copy(connection, &draft)?;
    let aside = set_aside(path)?;
    // Left behind by a file that is gone, they would be taken for those of the new one.
    for suffix in ["-wal", "-shm"] {
        remove(&with_suffix(path, suffix)).map_err(io)?;
    }
    fs::rename(&draft, path).and_then(|()| sync_folder(path)).map_err(io)?;
    Ok(aside)
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes a store out of the way. Errors: `Unavailable` when another process uses it.
fn set_aside(path: &Path) -> Result<Option<PathBuf>, OpenError> {
    if fs::metadata(path).map_or(true, |file| file.len() == 0) {
        return Ok(None);
    }
    let sql = |error| OpenError::Store(store_error(error));
    let connection = Connection::open(path).map_err(sql)?;
    // All of it is brought into the one file.
    connection.pragma_update(None, "journal_mode", "DELETE").map_err(sql)?;
    drop(connection);
    let aside = with_suffix(path, ".before-restore");
    fs::rename(path, &aside).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    Ok(Some(aside))
}
