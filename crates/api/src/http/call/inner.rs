//! Calls that stand in the body of another.

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};

use super::Call;
use crate::http::Route;

impl Call {
    /// A call of the same client that stands in the body of this one, to be answered as if it had been sent by itself:
    /// `uri` is where to, `path_text` what stands there where the path varies, `if_match` its condition.
    pub(crate) fn inner(
        &self,
        route: &'static Route,
        (uri, path_text): (Uri, String),
        if_match: Option<HeaderValue>,
        body: Bytes,
    ) -> Self {
        let mut parts = Request::new(()).into_parts().0;
        parts.method = route.method.clone();
        parts.uri = uri;
        parts.headers = self.parts.headers.clone();
        // What is said of this request alone.
        for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::EXPECT, header::IF_NONE_MATCH] {
            parts.headers.remove(name);
        }
        match if_match {
            Some(tags) => _ = parts.headers.insert(header::IF_MATCH, tags),
            None => _ = parts.headers.remove(header::IF_MATCH),
        }
        let call = Self::new(self.shared_app(), route, self.meta, parts, [path_text, String::new()], None);
        Self { kept: Some(body), ..call }
    }
}
