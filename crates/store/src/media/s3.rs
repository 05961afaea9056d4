//! Objects in a bucket.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;

use super::{MediaError, below};

/// The objects of `BUCKET` or `BUCKET/PREFIX`.
pub(super) fn open(url: &str, place: &str) -> Result<Arc<dyn ObjectStore>, MediaError> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        return Err(MediaError::Url(url.to_owned()));
    }
    // One way to do cryptography for all of the process; another part of it may have said so before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let objects = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
    let objects = objects.map_err(|error| MediaError::S3(error.to_string()))?;
    Ok(below(Arc::new(objects), prefix.trim_matches('/')))
}
