//! Writing an object while it comes in.

use bytes::Bytes;
use muster_domain::Error;
use object_store::{MultipartUpload, WriteMultipart};

use super::unavailable;

/// The parts in which an object is written: S3 takes none that are smaller, but the last.
const PART: usize = 5 * 1024 * 1024;
/// Parts that are on their way at once; whoever sends faster waits.
const PARTS: usize = 2;

/// An object that is being written. If it is dropped nothing is there but what [`super::Media`] removes under its key.
pub struct Upload(WriteMultipart);

impl Upload {
    pub(super) fn new(parts: Box<dyn MultipartUpload>) -> Self {
        Self(WriteMultipart::new_with_chunk_size(parts, PART))
    }

    /// Adds a piece.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), Error> {
        self.0.wait_for_capacity(PARTS).await.map_err(|error| unavailable(&error))?;
        self.0.put(piece);
        Ok(())
    }

    /// Makes the object whole; it is durable then.
    pub async fn finish(self) -> Result<(), Error> {
        self.0.finish().await.map(drop).map_err(|error| unavailable(&error))
    }

    /// Gives it up.
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await.map_err(|error| unavailable(&error))
    }
}
