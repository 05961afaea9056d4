//! A good answer.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use http::{HeaderName, HeaderValue, StatusCode, header};

use muster_domain::Error;
use uuid::Uuid;

use super::{Call, Tag};

/// An answer of a handler.
pub(crate) struct Reply {
    status: StatusCode,
    kind: &'static str,
    body: Content,
    headers: &'static [(&'static str, &'static str)],
    /// Those that are made for this answer.
    own_headers: Vec<(HeaderName, String)>,
    location: Option<String>,
    tag: Option<Tag>,
}

enum Content {
    Whole(Bytes),
    Stream(BoxStream<'static, Result<Bytes, Error>>),
}

impl Content {
    /// The body; a failure on the way is logged under these names and ends the connection without the end of the body.
    fn into_body(self, verb: &'static str, request_id: Uuid) -> Body {
        match self {
            Self::Whole(bytes) => Body::from(bytes),
            Self::Stream(chunks) => Body::from_stream(chunks.inspect_err(move |error| {
                tracing::error!(%error, verb, %request_id, "an answer was cut off");
            })),
        }
    }
}

impl Reply {
    fn new(status: StatusCode, kind: &'static str, body: Content) -> Self {
        Self { status, kind, body, headers: &[], own_headers: Vec::new(), location: None, tag: None }
    }

    /// `body` is JSON.
    pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Self {
        Self::of_kind("application/json", status, body)
    }

    /// An answer of a content type.
    pub(crate) fn of_kind(kind: &'static str, status: StatusCode, body: Vec<u8>) -> Self {
        Self::new(status, kind, Content::Whole(body.into()))
    }

    /// A 204.
    pub(crate) fn empty() -> Self {
        Self::of_kind("", StatusCode::NO_CONTENT, Vec::new())
    }

    /// More headers.
    pub(crate) fn headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    /// One more header, of a value that is made for this answer. What no header can hold is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: String) -> Self {
        self.own_headers.push((name, value));
        self
    }

    /// Names where the entity is.
    pub(crate) fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// An answer that is sent while it is made, in chunks, and never held as a whole. When `chunks` fails, the
    /// connection is cut off, so that the client does not take what it has for all.
    pub(crate) fn stream(
        kind: &'static str,
        status: StatusCode,
        chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    ) -> Self {
        Self::new(status, kind, Content::Stream(chunks.boxed()))
    }

    /// What everybody may read and nobody changes, of a content type and with more headers.
    pub(crate) fn file(
        kind: &'static str,
        body: Bytes,
        headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let tag = Tag::of(&[hasher.finish().cast_signed()]);
        Self { headers, tag: Some(tag), ..Self::new(StatusCode::OK, kind, Content::Whole(body)) }
    }

    /// What a streamed answer sends.
    #[cfg(test)]
    pub(crate) fn into_chunks(self) -> BoxStream<'static, Result<Bytes, Error>> {
        match self.body {
            Content::Stream(chunks) => chunks,
            Content::Whole(bytes) => futures_util::stream::iter([Ok(bytes)]).boxed(),
        }
    }

    /// The body of an answer that is not streamed.
    #[cfg(test)]
    pub(crate) fn into_whole(self) -> Bytes {
        match self.body {
            Content::Whole(bytes) => bytes,
            Content::Stream(_) => Bytes::new(),
        }
    }

    /// Names the version of what is shown: it is sent as `ETag`, and a read that has it gets 304.
    pub(crate) fn tag(mut self, tag: Tag) -> Self {
        self.tag = Some(tag);
        self
    }

    pub(super) fn into_response(self, call: &Call) -> Response {
        let unchanged = self.tag.as_ref().is_some_and(|tag| call.has(tag));
        let mut response = if unchanged {
            // A stream has no length to be announced: that of a 304 would have to be the 200's
            // (RFC 9110, section 8.6).
            let nothing = futures_util::stream::empty::<Result<Bytes, Infallible>>();
            let mut response = Response::new(Body::from_stream(nothing));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let mut response = Response::new(self.body.into_body(call.verb(), call.meta().request_id));
            *response.status_mut() = self.status;
            if self.status != StatusCode::NO_CONTENT {
                let kind = HeaderValue::from_static(self.kind);
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            for (name, value) in self.headers {
                let name = HeaderName::from_static(name);
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            for (name, value) in self.own_headers {
                if let Ok(value) = HeaderValue::try_from(value) {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        };
        if let Some(Ok(location)) = self.location.map(HeaderValue::try_from) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        // What a bearer of a token sees is for no shared cache, and what has no version for none.
        let cache = if self.tag.is_some() { "private, no-cache" } else { "no-store" };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Some(Ok(tag)) = self.tag.map(|tag| HeaderValue::from_str(&tag.to_string())) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_stream_that_fails_is_no_whole_body() {
        let chunk = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        let failure = || Err(Error::Internal("broken".to_owned()));
        let body = |chunks: Vec<Result<Bytes, Error>>| {
            let chunks = futures_util::stream::iter(chunks);
            Reply::stream("text/csv", StatusCode::OK, chunks).body.into_body("verb", Uuid::nil())
        };
        let whole = body(vec![chunk("a,"), chunk("b")]).collect().await.unwrap();
        assert_eq!(whole.to_bytes(), "a,b");
        assert!(body(vec![chunk("a,"), failure()]).collect().await.is_err());
        let mut broken = body(vec![chunk("a,"), failure(), chunk("b")]);
        assert_eq!(broken.frame().await.unwrap().unwrap().into_data().unwrap(), "a,");
        assert!(broken.frame().await.unwrap().is_err());
    }
}
