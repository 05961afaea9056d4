//! Whose the files are that are made: an operator is often root, the server seldom.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

/// Gives `file` the owner, the group and the mode of the file whose place it takes. Where there is none, it belongs to
/// whoever owns its folder.
pub(crate) fn take_after(file: &Path, before: &Path) -> io::Result<()> {
    match fs::metadata(before) {
        Ok(before) => {
            belong(file, &before)?;
            fs::set_permissions(file, before.permissions())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => take_after_folder(file),
        Err(error) => Err(error),
    }
}

/// Gives a new file to whoever owns its folder.
pub(crate) fn take_after_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    belong(file, &fs::metadata(folder.unwrap_or(Path::new(".")))?)
}

fn belong(file: &Path, model: &Metadata) -> io::Result<()> {
    let now = fs::metadata(file)?;
    if (now.uid(), now.gid()) == (model.uid(), model.gid()) {
        return Ok(());
    }
    match chown(file, Some(model.uid()), Some(model.gid())) {
        // Only root gives files away; whoever else makes them keeps them.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}
