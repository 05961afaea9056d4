//! Forms that carry a file (`multipart/form-data`, RFC 7578), read part by part while they come in.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderMap, header};
use multer::{Field, Multipart};
use muster_domain::Draft;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::body::{self, Pieces};
use super::{Failure, Fields, Mode};

/// What a form is called in `Content-Type`.
pub(crate) const FORM: &str = "multipart/form-data";

/// What stands in a form besides the file, in bytes: boundaries, heads of parts, and texts.
const AROUND: usize = 64 * 1024;
/// A client that sends nothing for so long keeps its room no longer.
const IDLE: Duration = Duration::from_secs(30);
/// The longest text.
const MAX_TEXT: usize = 16 * 1024;
/// So many parts are looked at.
const MAX_PARTS: usize = 100;

/// A form. Its texts are kept until they are read with [`Form::fields`]; its file is handed out as it comes.
pub(crate) struct Form {
    parts: Multipart<'static>,
    /// The most bytes of a file.
    max: usize,
    count: usize,
    texts: Map<String, Value>,
}

/// The file of a form.
pub(crate) struct File {
    field: Field<'static>,
    /// The bytes that it may still have.
    left: usize,
    max: usize,
}

/// Why the stream of a body ended, on its way through the parser.
#[derive(Debug)]
struct Ended(Mutex<Option<Failure>>);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body ended")
    }
}

impl StdError for Ended {}

impl Form {
    /// A form whose file has at most `max` bytes. Errors: `UnsupportedMediaType`, `Malformed`, and `BodyTooLarge` for one that
    /// says already that it is too long.
    pub(super) async fn of(headers: &HeaderMap, sent: Body, max: usize) -> Result<Self, Failure> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let boundary = match multer::parse_boundary(kind) {
            Ok(boundary) => boundary,
            Err(error) => {
                body::finish(headers, sent).await;
                return Err(match error {
                    multer::Error::NoBoundary => Failure::Malformed("The form has no boundary".to_owned()),
                    _ => Failure::UnsupportedMediaType { wanted: FORM },
                });
            }
        };
        let pieces = Pieces::of(headers, sent, max + AROUND).await?;
        let pieces = stream::try_unfold(pieces, |mut pieces| async move {
            let piece = timeout(IDLE, pieces.next()).await.unwrap_or(Err(Failure::TimedOut));
            let piece = piece.map_err(|failure| Ended(Mutex::new(Some(failure))))?;
            Ok::<_, Ended>(piece.map(|piece| (piece, pieces)))
        });
        Ok(Self { parts: Multipart::new(pieces, boundary), max, count: 0, texts: Map::new() })
    }

    /// The next file under this name; texts before it are kept, and what else there is passed over. `None` at the end.
    pub(crate) async fn next_file(&mut self, name: &str) -> Result<Option<File>, Failure> {
        while let Some(mut field) = self.parts.next_field().await.map_err(failure)? {
            self.count += 1;
            if self.count > MAX_PARTS {
                return Err(Failure::TooManyEntries { max: MAX_PARTS });
            }
            let Some(known) = field.name().map(ToOwned::to_owned) else {
                pass_over(field).await?;
                continue;
            };
            if known == name {
                return Ok(Some(File { field, left: self.max, max: self.max }));
            }
            if field.file_name().is_some() {
                pass_over(field).await?;
                continue;
            }
            let mut text = BytesMut::new();
            while let Some(piece) = field.chunk().await.map_err(failure)? {
                if text.len() + piece.len() > MAX_TEXT {
                    pass_over(field).await?;
                    return Err(Failure::BodyTooLarge { max: MAX_TEXT });
                }
                text.extend_from_slice(&piece);
            }
            let text = String::from_utf8(text.into())
                .map_err(|_| Failure::Malformed("The form has a text that is not UTF-8".to_owned()))?;
            // Of a repeated one the first counts, as in a query.
            self.texts.entry(known).or_insert(text.into());
        }
        Ok(None)
    }

    /// What `read` makes of the texts; each is a JSON string to it.
    pub(crate) fn fields<T>(self, read: impl FnOnce(&mut Fields<'_>) -> T) -> Result<Draft<T>, Failure> {
        let text = Value::Object(self.texts).to_string();
        body::object(text.as_bytes(), |object| Fields::read(object, Mode::Create, read))
    }
}

impl File {
    /// What the sender calls it.
    pub(crate) fn name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// The next piece. Errors: `BodyTooLarge`, after the rest was passed over.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(piece) = self.field.chunk().await.map_err(failure)? else {
            return Ok(None);
        };
        let Some(left) = self.left.checked_sub(piece.len()) else {
            while self.field.chunk().await.map_err(failure)?.is_some() {}
            return Err(Failure::BodyTooLarge { max: self.max });
        };
        self.left = left;
        Ok(Some(piece))
    }

    /// Passes over what is left of it.
    pub(crate) async fn pass_over(mut self) -> Result<(), Failure> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}

async fn pass_over(mut field: Field<'static>) -> Result<(), Failure> {
    while field.chunk().await.map_err(failure)?.is_some() {}
    Ok(())
}

/// What an error of the parser is.
fn failure(error: multer::Error) -> Failure {
    match error {
        multer::Error::StreamReadFailed(ended) => {
            let ended = ended.downcast::<Ended>().ok().and_then(|ended| ended.0.into_inner().ok().flatten());
            ended.unwrap_or(Failure::BodyIncomplete)
        }
        multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteStream => Failure::BodyIncomplete,
        error => Failure::Malformed(format!("The body is no valid form: {error}")),
    }
}
