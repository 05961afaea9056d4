//! Where the objects of the store are kept, which are too large for its rows: in a folder, or in a bucket of S3 or what
//! speaks as S3 does.

mod file;
mod s3;
mod upload;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use muster_domain::Error;
use muster_domain::media::{MediaKind, ObjectKey, Objects};
use object_store::path::Path as Location;
use object_store::prefix::PrefixStore;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};

pub use upload::Upload;

/// Why a place for objects cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error(
        "the media store {0:?} is not understood: it must be file:FOLDER, such as file:/var/lib/muster/media, or \
         s3://BUCKET or s3://BUCKET/PREFIX"
    )]
    Url(String),
    #[error("the media store cannot be used: {0}")]
    S3(String),
}

/// A place for objects; cheap to clone.
#[derive(Clone)]
pub struct Media(Arc<Place>);

enum Place {
    /// The folder is made when the first object is written.
    Folder {
        folder: PathBuf,
        made: OnceLock<Arc<dyn ObjectStore>>,
    },
    Bucket(Arc<dyn ObjectStore>),
}

impl Media {
    /// The place that a URL names: `file:FOLDER`, or `s3://BUCKET/PREFIX`, whose keys, region and endpoint stand in the
    /// environment variables that all clients of S3 read (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL`, …).
    pub fn open(url: &str) -> Result<Self, MediaError> {
        if let Some(bucket) = url.strip_prefix("s3://") {
            return Ok(Self(Arc::new(Place::Bucket(s3::open(url, bucket)?))));
        }
        let rest = url.strip_prefix("file:").ok_or_else(|| MediaError::Url(url.to_owned()))?;
        let folder = rest.strip_prefix("//").unwrap_or(rest);
        if folder.is_empty() { Err(MediaError::Url(url.to_owned())) } else { Ok(Self::folder(folder.into())) }
    }

    /// A folder, which is made when the first object is written.
    pub fn folder(folder: PathBuf) -> Self {
        Self(Arc::new(Place::Folder { folder, made: OnceLock::new() }))
    }

    fn objects(&self) -> Result<Arc<dyn ObjectStore>, Error> {
        match &*self.0 {
            Place::Bucket(objects) => Ok(Arc::clone(objects)),
            Place::Folder { folder, made } => {
                if let Some(objects) = made.get() {
                    return Ok(Arc::clone(objects));
                }
                let objects = file::open(folder)?;
                Ok(Arc::clone(made.get_or_init(|| objects)))
            }
        }
    }

    /// Begins to write an object, which is there when [`Upload::finish`] says so, and not before.
    pub async fn begin(&self, key: &ObjectKey) -> Result<Upload, Error> {
        let objects = self.objects()?;
        let parts = objects.put_multipart(&location(key)).await.map_err(|error| unavailable(&error))?;
        Ok(Upload::new(parts))
    }

    /// A part of an object that is there, piece by piece. Errors: `Internal` when it is not.
    pub async fn read(
        &self,
        key: &ObjectKey,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.objects()?.get_opts(&location(key), options).await;
        let found = found.map_err(|error| judged(&error))?;
        Ok(found.into_stream().map(|piece| piece.map_err(|error| judged(&error))).boxed())
    }

    /// How long the sound in an object of so many bytes lasts, if that can be told without reading much of it.
    pub async fn duration(&self, key: &ObjectKey, kind: MediaKind, size: u64) -> Option<Duration> {
        let objects = self.objects().ok()?;
        let object = file::Object::new(objects, location(key), size);
        // What a file may hold is for nobody to foresee; a fault in reading it is no fault of the upload.
        tokio::task::spawn_blocking(move || muster_domain::media::duration(kind, object)).await.ok()?
    }
}

impl Objects for Media {
    async fn remove(&self, key: &ObjectKey) -> Result<(), Error> {
        if let Place::Folder { folder, .. } = &*self.0 {
            file::remove_staged(folder, key)?;
        }
        match self.objects()?.delete(&location(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

fn location(key: &ObjectKey) -> Location {
    Location::from(key.to_string())
}

/// Nothing of ours: the place has no room, or cannot be reached.
fn unavailable(error: &object_store::Error) -> Error {
    Error::Unavailable(format!("the media store: {error}").into())
}

/// As [`unavailable`], but an object that has a row is there.
fn judged(error: &object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => {
            Error::Internal(format!("the object of a media prompt is missing: {error}"))
        }
        error => unavailable(error),
    }
}

/// Objects below a prefix.
fn below(objects: Arc<dyn ObjectStore>, prefix: &str) -> Arc<dyn ObjectStore> {
    if prefix.is_empty() { objects } else { Arc::new(PrefixStore::new(objects, prefix)) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use futures_util::TryStreamExt as _;
    use muster_domain::TenantId;
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::*;

    fn place() -> (TempDir, Media, ObjectKey) {
        let folder = tempfile::tempdir().unwrap();
        let media = Media::folder(folder.path().join("deep/media"));
        (folder, media, ObjectKey { tenant: TenantId(7), name: Uuid::from_u128(1) })
    }

    async fn write(media: &Media, key: &ObjectKey, content: &[u8]) {
        let mut upload = media.begin(key).await.unwrap();
        for piece in content.chunks(100_000) {
            upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        upload.finish().await.unwrap();
    }

    async fn read(media: &Media, key: &ObjectKey, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let pieces: Vec<Bytes> = media.read(key, range).await?.try_collect().await?;
        Ok(pieces.concat())
    }

    fn files(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path().join("deep/media/7"));
        let names = entries.into_iter().flatten().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn an_object_is_whole_or_not_there() {
        let (folder, media, key) = place();
        let content: Vec<u8> = (0..11_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let mut upload = media.begin(&key).await.unwrap();
        upload.write(Bytes::from(content.clone())).await.unwrap();
        assert!(matches!(read(&media, &key, 0..1).await, Err(Error::Internal(_))));
        upload.abort().await.unwrap();
        assert!(files(&folder).is_empty(), "{:?}", files(&folder));
        write(&media, &key, &content).await;
        let size = content.len() as u64;
        assert_eq!(read(&media, &key, 0..size).await.unwrap(), content);
        assert_eq!(read(&media, &key, 5_242_870..5_242_890).await.unwrap(), content[5_242_870..5_242_890]);
        let mode = fs::metadata(folder.path().join("deep/media")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        media.remove(&key).await.unwrap();
        media.remove(&key).await.unwrap();
        assert!(matches!(read(&media, &key, 0..1).await, Err(Error::Internal(_))));
        assert!(files(&folder).is_empty());
    }

    #[tokio::test]
    async fn what_a_process_that_died_has_left_is_removed() {
        let (folder, media, key) = place();
        let mut upload = media.begin(&key).await.unwrap();
        upload.write(Bytes::from(vec![1; 100])).await.unwrap();
        std::mem::forget(upload);
        assert_eq!(files(&folder), [format!("{}#1", key.name.simple())]);
        media.remove(&key).await.unwrap();
        assert!(files(&folder).is_empty());
    }

    #[tokio::test]
    async fn how_long_a_sound_lasts_is_read_from_its_object() {
        let (_folder, media, key) = place();
        let mut file =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
        file.extend(800_000_u32.to_le_bytes());
        file.resize(44 + 800_000, 0);
        write(&media, &key, &file).await;
        let told = media.duration(&key, MediaKind::Wav, file.len() as u64).await;
        assert_eq!(told, Some(Duration::from_secs(50)));
        assert_eq!(media.duration(&key, MediaKind::Flac, file.len() as u64).await, None);
        let gone = ObjectKey { name: Uuid::nil(), ..key };
        assert_eq!(media.duration(&gone, MediaKind::Wav, 100).await, None);
    }

    #[test]
    fn places_are_understood() {
        for good in ["file:media", "file:/srv/media", "file:///srv/media", "s3://bucket", "s3://bucket/a/b/"]
        {
            assert!(Media::open(good).is_ok(), "{good}");
        }
        for wrong in ["", "media", "file:", "s3://", "s3:///prefix", "gs://bucket", "http://host"] {
            assert!(matches!(Media::open(wrong), Err(MediaError::Url(_))), "{wrong}");
        }
    }
}
