//! A good answer.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::{Call, Tag};

/// A JSON answer of a handler.
pub(crate) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    tag: Option<Tag>,
}

impl Reply {
    /// `body` is JSON.
    pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, body, tag: None }
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
            let nothing = futures_util::stream::empty::<Result<bytes::Bytes, Infallible>>();
            let mut response = Response::new(Body::from_stream(nothing));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let mut response = Response::new(Body::from(self.body));
            *response.status_mut() = self.status;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
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
