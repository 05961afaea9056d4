//! Who works on a file beside others: locks of files beside it, which go with the process that has them.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::{OpenError, owner};

/// Keeps other servers away. Errors: `Locked`.
pub(super) fn server(path: &Path) -> Result<File, OpenError> {
    let (path, file) = beside(path, ".server-lock")?;
    held(file.try_lock(), file, path, OpenError::Locked)
}

/// Keeps away whoever must be alone; any number of workers have it. Errors: `Busy`.
pub(crate) fn worker(path: &Path) -> Result<File, OpenError> {
    let (lock, file) = beside(path, ".worker-lock")?;
    held(file.try_lock_shared(), file, lock, |_| OpenError::Busy(path.to_owned()))
}

/// Keeps workers away. Errors: `Worked`.
pub(super) fn no_worker(path: &Path) -> Result<File, OpenError> {
    let (path, file) = beside(path, ".worker-lock")?;
    held(file.try_lock(), file, path, OpenError::Worked)
}

/// A file beside the store, made if it is not there.
fn beside(path: &Path, suffix: &str) -> Result<(PathBuf, File), OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    let path = PathBuf::from(name);
    let is_new = !path.exists();
    let file = File::create(&path)
        .and_then(|file| if is_new { owner::take_after_folder(&path).map(|()| file) } else { Ok(file) })
        .map_err(|source| OpenError::Io { path: path.clone(), source })?;
    Ok((path, file))
}

/// The file, if it could be locked.
fn held(
    locked: Result<(), TryLockError>,
    file: File,
    path: PathBuf,
    refused: impl FnOnce(PathBuf) -> OpenError,
) -> Result<File, OpenError> {
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(refused(path)),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}
