//! The files that an export and an import make. They hold personal data: only their owner reads them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::is_standard;

/// Makes a file where there is none.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Whether a path leads to the file that is read, by whatever name.
pub(super) fn is_input(path: &Path, input: &Path) -> bool {
    let input = if is_standard(input) { Path::new("/dev/stdin") } else { input };
    let place = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    place(path).is_some_and(|at| place(input) == Some(at))
}

/// A file that has its name when it is complete and on the disk.
pub(super) struct Draft {
    target: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// The draft, and what is to be written to.
    pub(super) fn begin(target: &Path) -> io::Result<(Self, File)> {
        let path = muster_store::partial(target);
        // What is left of one that was broken off may be a link, or readable for others.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = create(&path)?;
        Ok((Self { target: target.to_owned(), path }, file))
    }

    /// Gives it its name. Errors: `AlreadyExists` when another file has it by now.
    pub(super) fn complete(self) -> io::Result<()> {
        if self.target.exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        muster_store::complete(&self.path, &self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is not there once it is complete; what is left of another helps nobody.
        let _ = fs::remove_file(&self.path);
    }
}
