//! A good answer.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::{Call, Tag};

/// An answer of a handler.
pub(crate) struct Reply {
    status: StatusCode,
    kind: &'static str,
    body: Bytes,
    headers: &'static [(&'static str, &'static str)],
    tag: Option<Tag>,
}

impl Reply {
    /// `body` is JSON.
    pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, kind: "application/json", body: body.into(), headers: &[], tag: None }
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
        Self { status: StatusCode::OK, kind, body, headers, tag: Some(tag) }
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
            let mut response = Response::new(Body::from(self.body));
            *response.status_mut() = self.status;
            let kind = HeaderValue::from_static(self.kind);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            for (name, value) in self.headers {
                let name = HeaderName::from_static(name);
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            response
        };
        // What a bearer of a token sees is for no shared cache, and what has no version for none.
        let cache = if self.tag.is_some() { "private, no-cache" } else { "no-store" };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Some(Ok(tag)) = self.tag.map(|tag| HeaderValue::from_str(&tag.to_string())) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}
