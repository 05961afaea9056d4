//! Reading request bodies within their limit.

use std::fmt;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Failure;

/// How much of a body over the limit is read and thrown away, so that the client can finish sending
/// and read the answer. What is longer still is cut off with the connection.
const DRAIN: usize = 16 * 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a JSON body of at most `max` bytes.
pub(super) async fn read(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Failure> {
    let body = announced(headers, body, max).await?;
    if !is_json(headers) {
        finish(headers, body).await;
        return Err(Failure::UnsupportedMediaType);
    }
    read_any(headers, body, max).await
}

/// Reads a body of at most `max` bytes, whatever its type.
pub(super) async fn read_any(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Failure> {
    let mut bytes = BytesMut::new();
    each(headers, body, max, |data| bytes.extend_from_slice(data)).await?;
    Ok(bytes.freeze())
}

/// Reads a body of at most `max` bytes, and keeps nothing.
pub(super) async fn skip(headers: &HeaderMap, body: Body, max: usize) -> Result<(), Failure> {
    each(headers, body, max, |_| ()).await
}

/// Gives the pieces of a body of at most `max` bytes to `take`.
async fn each(
    headers: &HeaderMap,
    body: Body,
    max: usize,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Failure> {
    let mut body = announced(headers, body, max).await?;
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::BodyIncomplete)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length += data.len();
        if length > max {
            finish(headers, body).await;
            return Err(Failure::BodyTooLarge { max });
        }
        take(&data);
    }
    Ok(())
}

/// The body, unless it says that it is longer than `max` bytes.
async fn announced(headers: &HeaderMap, body: Body, max: usize) -> Result<Body, Failure> {
    if usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX) <= max {
        return Ok(body);
    }
    finish(headers, body).await;
    Err(Failure::BodyTooLarge { max })
}

/// Reads the rest of a body that nobody wants, within limits. A client that waits to be asked for its
/// body is left alone.
pub(super) async fn finish(headers: &HeaderMap, mut body: Body) {
    if body.is_end_stream() || headers.contains_key(header::EXPECT) {
        return;
    }
    let drain = async {
        let mut drained = 0;
        while let Some(Ok(frame)) = body.frame().await {
            drained += frame.data_ref().map_or(0, Bytes::len);
            if drained > DRAIN {
                break;
            }
        }
    };
    // Whoever is still sending then has lost the answer.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, drain).await;
}

/// Whether the content type is JSON, with or without parameters. A missing one is taken for JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// The JSON object in a body.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Failure::Malformed("The body must be a JSON object".to_owned())),
        Err(error) => Err(malformed(bytes, &error)),
    }
}

fn malformed(bytes: &[u8], error: &serde_json::Error) -> Failure {
    Failure::Malformed(if bytes.is_empty() {
        "The body must not be empty".to_owned()
    } else {
        format!("The body is not valid JSON: {error}")
    })
}

/// What `read` makes of each entry of the JSON array in a body. The entries are parsed one by one: all of them at
/// once would be many times as large as the body. Errors: `TooManyEntries` beyond `max`.
pub(super) fn array<T>(bytes: &[u8], max: usize, read: impl FnMut(Value) -> T) -> Result<Vec<T>, Failure> {
    if !bytes.trim_ascii_start().starts_with(b"[") && serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
        return Err(Failure::Malformed("The body must be a JSON array".to_owned()));
    }
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let read = parser.deserialize_seq(Entries { max, read });
    let entries =
        read.and_then(|entries| parser.end().map(|()| entries)).map_err(|error| malformed(bytes, &error))?;
    entries.ok_or(Failure::TooManyEntries { max })
}

/// Visits the entries of an array; `None` when there are too many.
struct Entries<F> {
    max: usize,
    read: F,
}

impl<'de, T, F: FnMut(Value) -> T> Visitor<'de> for Entries<F> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while list.len() < self.max {
            match entries.next_element()? {
                Some(entry) => list.push((self.read)(entry)),
                None => return Ok(Some(list)),
            }
        }
        let mut is_longer = false;
        while entries.next_element::<IgnoredAny>()?.is_some() {
            is_longer = true;
        }
        Ok((!is_longer).then_some(list))
    }
}
