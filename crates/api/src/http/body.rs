//! Reading request bodies within their limit.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use serde_json::value::RawValue;

use super::raw::{self, RawObject};
use super::{Failure, JSON};

/// How much of a body over the limit is read and thrown away, so that the client can finish sending
/// and read the answer. What is longer still is cut off with the connection.
const DRAIN: usize = 16 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a body of one of these content types and of at most `max` bytes. Before more than `usual` bytes are kept, `room` has to come.
pub(super) async fn read<R>(
    headers: &HeaderMap,
    body: Body,
    usual: usize,
    max: usize,
    types: &[&str],
    room: impl Future<Output = R>,
) -> Result<(Bytes, Option<R>), Failure> {
    let mut pieces = Pieces::of(headers, body, max).await?;
    if !is_one_of(types, headers) {
        finish(headers, pieces.body).await;
        return Err(Failure::UnsupportedMediaType { wanted: JSON });
    }
    let (mut room, mut taken) = (Some(room), None);
    let mut bytes = BytesMut::new();
    while let Some(piece) = pieces.next().await? {
        if bytes.len() + piece.len() > usual
            && let Some(room) = room.take()
        {
            taken = Some(room.await);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes.freeze(), taken))
}

/// Reads a body of at most `max` bytes, whatever its type, of which `see` is shown every piece. Only if it is to be
/// kept, it is there afterwards.
pub(super) async fn watch(
    headers: &HeaderMap,
    body: Body,
    max: usize,
    keep: bool,
    mut see: impl FnMut(&[u8]),
) -> Result<Bytes, Failure> {
    let mut pieces = Pieces::of(headers, body, max).await?;
    let announced = usize::try_from(pieces.body.size_hint().lower()).unwrap_or(0);
    let mut bytes = BytesMut::with_capacity(if keep { announced } else { 0 });
    while let Some(piece) = pieces.next().await? {
        see(&piece);
        if keep {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes.freeze())
}

/// A body of at most `max` bytes, piece by piece.
pub(super) struct Pieces {
    /// The client waits to be asked for its body.
    waits: bool,
    body: Body,
    max: usize,
    length: usize,
}

impl Pieces {
    /// Of a body that does not say already that it is longer.
    pub(super) async fn of(headers: &HeaderMap, body: Body, max: usize) -> Result<Self, Failure> {
        let mut pieces = Self { waits: waits(headers), body, max, length: 0 };
        let announced = usize::try_from(pieces.body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > max { Err(pieces.too_large().await) } else { Ok(pieces) }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| Failure::BodyIncomplete)?;
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            self.length += piece.len();
            return if self.length > self.max { Err(self.too_large().await) } else { Ok(Some(piece)) };
        }
        Ok(None)
    }

    async fn too_large(&mut self) -> Failure {
        drain(self.waits, std::mem::take(&mut self.body)).await;
        Failure::BodyTooLarge { max: self.max }
    }
}

/// Reads the rest of a body that nobody wants, within limits. A client that waits to be asked for its
/// body is left alone.
pub(super) async fn finish(headers: &HeaderMap, body: Body) {
    drain(waits(headers), body).await;
}

fn waits(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}

async fn drain(waits: bool, mut body: Body) {
    if body.is_end_stream() || waits {
        return;
    }
    let rest = async {
        let mut drained = 0;
        while let Some(Ok(frame)) = body.frame().await {
            drained += frame.data_ref().map_or(0, Bytes::len);
            if drained > DRAIN {
                break;
            }
        }
    };
    // Whoever is still sending then has lost the answer.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, rest).await;
}

/// Whether the content type is one of these, with or without parameters. A missing one is taken for it.
pub(super) fn is_one_of(types: &[&str], headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    types.iter().any(|known| essence.trim().eq_ignore_ascii_case(known))
}

/// What `then` makes of the JSON object in a body.
pub(super) fn object<T>(
    bytes: &[u8],
    then: impl FnOnce(&RawObject<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    check(bytes, b'{', "object")?;
    let object = RawObject::parse(bytes).map_err(|error| Failure::Malformed(error.to_string()))?;
    then(&object)
}

/// Any JSON value.
pub(super) fn value(bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.is_empty() {
        return Err(Failure::Malformed("The body must not be empty".to_owned()));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::Malformed(format!("The body is not valid JSON: {error}")))
}

/// What `read` makes of each entry of the JSON array in a body. Errors: `TooManyEntries` beyond `max`.
pub(super) fn array<T>(
    bytes: &[u8],
    max: usize,
    mut read: impl FnMut(&RawValue) -> T,
) -> Result<Vec<T>, Failure> {
    check(bytes, b'[', "array")?;
    let mut list = Vec::new();
    let all = raw::entries(bytes, max, |_, entry| list.push(read(entry)));
    let all = all.map_err(|error| Failure::Malformed(error.to_string()))?;
    if all { Ok(list) } else { Err(Failure::TooManyEntries { max }) }
}

/// Refuses what is not JSON, or not what it should be and begins with this mark.
fn check(bytes: &[u8], mark: u8, wanted: &str) -> Result<(), Failure> {
    let refused = |text: String| Err(Failure::Malformed(text));
    match raw::check(bytes) {
        Err(_) if bytes.is_empty() => refused("The body must not be empty".to_owned()),
        Err(error) => refused(format!("The body is not valid JSON: {error}")),
        Ok(()) if bytes.trim_ascii_start().first() == Some(&mark) => Ok(()),
        Ok(()) => refused(format!("The body must be a JSON {wanted}")),
    }
}
