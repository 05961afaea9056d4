//! Objects in a folder, and an object as a file.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use muster_domain::Error;
use muster_domain::media::ObjectKey;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::runtime::Handle;

/// The objects in a folder, which is made if it is not there, for its owner alone.
pub(super) fn open(folder: &Path) -> Result<Arc<dyn ObjectStore>, Error> {
    let refused = |why: &dyn std::fmt::Display| {
        Error::Unavailable(format!("the media folder {}: {why}", folder.display()).into())
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| refused(&error))?;
    let objects = LocalFileSystem::new_with_prefix(folder).map_err(|error| refused(&error))?;
    // What is answered is on the disk; of a tenant that is gone no folder stays.
    Ok(Arc::new(objects.with_fsync(true).with_automatic_cleanup(true)))
}

/// Removes what an upload has left that was broken off with its process: `object_store` writes beside the place of the object
/// until that is whole, and hides such files.
pub(super) fn remove_staged(folder: &Path, key: &ObjectKey) -> Result<(), Error> {
    match fs::remove_file(folder.join(format!("{key}#1"))) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::Unavailable(format!("the media folder: {error}").into()))
        }
        _ => Ok(()),
    }
}

/// How much is read of an object at once, and at most, in bytes.
const PIECE: u64 = 256 * 1024;
const MOST: u64 = 8 * 1024 * 1024;

/// An object as a file, for a thread that may wait. After so many bytes it gives an error.
pub(super) struct Object {
    objects: Arc<dyn ObjectStore>,
    location: Location,
    size: u64,
    position: u64,
    /// What was read last, and where it begins.
    piece: Bytes,
    begin: u64,
    left: u64,
    runtime: Handle,
}

impl Object {
    /// Errors of a caller outside of the runtime are panics.
    pub(super) fn new(objects: Arc<dyn ObjectStore>, location: Location, size: u64) -> Self {
        let (piece, runtime) = (Bytes::new(), Handle::current());
        Self { objects, location, size, position: 0, piece, begin: 0, left: MOST, runtime }
    }

    /// What stands at the position, as far as it was read; reads on if it was not.
    fn here(&mut self) -> io::Result<&[u8]> {
        let end = self.begin + self.piece.len() as u64;
        if !(self.begin..end).contains(&self.position) && self.position < self.size {
            let wanted = self.position..(self.position + PIECE).min(self.size);
            self.left = self.left.checked_sub(wanted.end - wanted.start).ok_or(ErrorKind::FileTooLarge)?;
            self.begin = wanted.start;
            let read = self.objects.get_range(&self.location, wanted);
            self.piece = self.runtime.block_on(read).map_err(io::Error::other)?;
        }
        let at = self.position.checked_sub(self.begin).and_then(|at| usize::try_from(at).ok());
        Ok(at.and_then(|at| self.piece.get(at..)).unwrap_or_default())
    }
}

impl Read for Object {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut here = self.here()?;
        let count = here.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Object {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
