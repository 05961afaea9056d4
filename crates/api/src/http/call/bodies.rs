//! The body of a request, which can be read once.

use axum::body::HttpBody as _;
use bytes::Bytes;
use http::Method;
use muster_domain::{Draft, Error, TenantId};
use serde_json::Value;

use super::Call;
use crate::http::{Failure, Fields, Form, JSON, Mode, RawObject, body};

/// The longest body of calls that carry a few short strings, in bytes; nobody has to log in to send one.
const SMALL_BODY: usize = 16 * 1024;

/// The longest body that holds a list, in bytes (LOX24 contract, section 4).
const LARGE_BODY: usize = 16 * 1024 * 1024;

/// What is long enough to keep other requests waiting while it is parsed, in bytes.
const LONG: usize = 64 * 1024;

impl Call {
    /// What `read` makes of the JSON object in the body.
    pub(crate) async fn object<T>(
        &mut self,
        mode: Mode,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<Draft<T>, Failure> {
        self.object_within(self.app.settings.max_body, mode, read).await
    }

    /// As [`Call::object`], of a body that may hold a long list.
    pub(crate) async fn large_object<T: Send + 'static>(
        &mut self,
        mode: Mode,
        read: fn(&mut Fields<'_>) -> T,
    ) -> Result<Draft<T>, Failure> {
        let bytes = self.read_body(LARGE_BODY, &[JSON]).await?;
        working(bytes, move |bytes| {
            body::object(bytes, |object| Fields::read(object, mode, |fields| read(fields)))
        })
        .await
    }

    /// What `read` makes of each entry of the JSON array in the body, at most `max`, and `then` of all of them.
    pub(crate) async fn large_array<T: 'static, U: Send + 'static>(
        &mut self,
        max: usize,
        read: fn(&mut Fields<'_>) -> T,
        then: impl FnOnce(Vec<Draft<T>>) -> U + Send + 'static,
    ) -> Result<U, Failure> {
        let bytes = self.read_body(LARGE_BODY, &[JSON]).await?;
        let read =
            move |bytes: &[u8]| body::array(bytes, max, |entry| Fields::read_entry(entry, read)).map(then);
        working(bytes, read).await
    }

    /// As [`Call::object`], of a body that has no reason to be longer than [`SMALL_BODY`]. `read` gives `None`
    /// only where a field fails.
    pub(crate) async fn small_object<T>(
        &mut self,
        read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        let max = self.app.settings.max_body.min(SMALL_BODY);
        let Draft { value, errors } = self.object_within(max, Mode::Create, read).await?;
        Ok(errors.complete(value)?)
    }

    async fn object_within<T>(
        &mut self,
        max: usize,
        mode: Mode,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<Draft<T>, Failure> {
        let bytes = self.read_body(max, &[JSON]).await?;
        body::object(&bytes, |object| Fields::read(object, mode, read))
    }

    /// What `read` makes of the JSON object in a body of one of these content types and of at most `max` bytes.
    pub(crate) async fn raw_object<T: Send + 'static>(
        &mut self,
        max: usize,
        types: &[&str],
        read: fn(&RawObject<'_>) -> T,
    ) -> Result<T, Failure> {
        let bytes = self.read_body(max, types).await?;
        working(bytes, move |bytes| body::object(bytes, |object| Ok(read(object)))).await
    }

    /// The JSON in a body of one of these content types, whatever it is.
    pub(crate) async fn value(&mut self, types: &[&str]) -> Result<Value, Failure> {
        let bytes = self.read_body(self.app.settings.max_body, types).await?;
        body::value(&bytes)
    }

    /// Whether the body says that it is not longer than [`SMALL_BODY`].
    pub(crate) fn has_small_body(&self) -> bool {
        let longest = self.body.as_ref().and_then(|body| body.size_hint().upper());
        longest.is_some_and(|longest| longest <= SMALL_BODY as u64)
    }

    /// Shows the whole body to `see`, for whoever has to look at it before it is known who calls. Where the method
    /// gives it a meaning it stays to be read, of which type it is being looked at only then. A long one waits for
    /// room among those of this tenant.
    pub(crate) async fn watch_body(
        &mut self,
        tenant: Option<TenantId>,
        see: impl FnMut(&[u8]),
    ) -> Result<(), Failure> {
        let keep = matches!(self.parts.method, Method::POST | Method::PUT | Method::PATCH);
        if keep && !self.has_small_body() {
            self.room = Some(self.app.unproven_bodies.take(tenant).await);
        }
        let body = self.body.take().unwrap_or_default();
        let max = self.app.settings.max_body;
        self.kept = Some(body::watch(&self.parts.headers, body, max, keep, see).await?);
        Ok(())
    }

    /// The body as it was sent, of whatever type, within the same limit.
    pub(crate) async fn bytes(&mut self) -> Result<Bytes, Failure> {
        let body = self.body.take().unwrap_or_default();
        let max = self.app.settings.max_body;
        body::watch(&self.parts.headers, body, max, true, |_| ()).await
    }

    /// Reads the body within the same limit and keeps nothing of it.
    pub(crate) async fn skip_body(&mut self) -> Result<(), Failure> {
        let body = self.body.take().unwrap_or_default();
        let max = self.app.settings.max_body;
        body::watch(&self.parts.headers, body, max, false, |_| ()).await.map(drop)
    }

    /// The form in the body, whose file has at most `max` bytes. It waits for room among those of the tenant.
    pub(crate) async fn form(&mut self, max: usize) -> Result<Form, Failure> {
        self.room = Some(self.app.uploads.take(self.tenant).await);
        let body = self.body.take().unwrap_or_default();
        Form::of(&self.parts.headers, body, max).await
    }

    async fn read_body(&mut self, max: usize, types: &[&str]) -> Result<Bytes, Failure> {
        if let Some(kept) = self.kept.take() {
            return if body::is_one_of(types, &self.parts.headers) {
                Ok(kept)
            } else {
                Err(Failure::UnsupportedMediaType { wanted: JSON })
            };
        }
        let body = self.body.take().unwrap_or_default();
        let usual = max.min(self.app.settings.max_body);
        let room = self.app.large_bodies.take(self.tenant);
        let (bytes, room) = body::read(&self.parts.headers, body, usual, max, types, room).await?;
        // It is given back with the end of the call.
        self.room = room;
        Ok(bytes)
    }

    /// Reads what is left of the body and throws it away, so that the client can read the answer.
    pub(in crate::http) async fn finish_body(&mut self) {
        if let Some(body) = self.body.take() {
            body::finish(&self.parts.headers, body).await;
        }
    }
}

/// Works on a body, where it keeps no other request waiting if it is long.
async fn working<T: Send + 'static>(
    bytes: Bytes,
    work: impl FnOnce(&[u8]) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if bytes.len() <= LONG {
        return work(&bytes);
    }
    let done = tokio::task::spawn_blocking(move || work(&bytes)).await;
    done.map_err(|error| Error::Internal(format!("reading a body: {error}")))?
}
