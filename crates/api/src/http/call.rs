//! One request, as handlers see it.

mod bodies;
mod inner;

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Uri, header};
use muster_domain::session::{Caller, Found, Subject};
use muster_domain::{Ctx, Dialect, Directory, Entity, Error, Precondition, TenantId};
use muster_store::Store;

use super::{Failure, Head, Meta, Query, Quota, Route, Tag, client, tags};
use crate::App;
use crate::limits::Room;

/// What stands in a path where it varies, in order. None varies in more places.
pub(super) type PathTexts = [String; 2];

/// A request on its way through a handler.
pub(crate) struct Call {
    app: Arc<App>,
    route: &'static Route,
    meta: Meta,
    parts: Parts,
    /// What stands in the path where it varies, in order; empty where it does not.
    path_texts: PathTexts,
    body: Option<Body>,
    /// The body, if it was read before it was known who calls, or with that of another call.
    kept: Option<Bytes>,
    tenant: Option<TenantId>,
    room: Option<Room>,
    quota: Option<Quota>,
}

impl Call {
    pub(super) fn new(
        app: Arc<App>,
        route: &'static Route,
        meta: Meta,
        parts: Parts,
        path_texts: PathTexts,
        body: Option<Body>,
    ) -> Self {
        Self { app, route, meta, parts, path_texts, body, kept: None, tenant: None, room: None, quota: None }
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The application, for what outlives the call.
    pub(crate) fn shared_app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    pub(crate) fn directory(&self) -> &Directory<Store> {
        &self.app.directory
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    pub(super) fn route(&self) -> &'static Route {
        self.route
    }

    /// The name of the call in every layer.
    pub(super) fn verb(&self) -> &'static str {
        self.route.verb
    }

    /// The tenant of the caller, once it is authenticated.
    pub(super) fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    /// The request without its body.
    pub(crate) fn head(&self) -> Head<'_> {
        Head {
            app: &self.app,
            meta: &self.meta,
            path: self.parts.uri.path(),
            headers: &self.parts.headers,
            negotiates: self.route.about.negotiates,
            quota: self.quota,
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.parts.method
    }

    /// What is asked for, exactly as it was sent.
    pub(crate) fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The address of the client, seen through trusted proxies.
    pub(crate) fn client(&self) -> IpAddr {
        self.head().client()
    }

    /// Who calls with a bearer token, if its role reaches what the route asks for.
    pub(crate) async fn authenticate(&mut self, dialect: Dialect) -> Result<(Ctx, Caller), Failure> {
        let (ctx, caller) = self.app.directory.session_authenticate(dialect, self.bearer()?).await?;
        self.admit(&ctx)?;
        Ok((ctx, caller))
    }

    /// As [`Call::authenticate`], with what the id in the path names, read in the same trip to the store. Who calls
    /// and what it may do is told before anything about the id.
    pub(crate) async fn authenticate_for<Id: Copy>(
        &mut self,
        dialect: Dialect,
        id: Result<Id, Error>,
        subject: fn(Id) -> Subject,
    ) -> Result<(Ctx, Option<Found>), Failure> {
        let named = match id {
            Ok(named) => named,
            Err(error) => {
                self.authenticate(dialect).await?;
                return Err(error.into());
            }
        };
        let token = self.bearer()?;
        let read = self.app.directory.session_authenticate_for(dialect, token, subject(named)).await?;
        let (ctx, _, found) = read;
        self.admit(&ctx)?;
        Ok((ctx, found))
    }

    /// Who calls with the secret of a credential, if it reaches what the route asks for.
    pub(crate) async fn credential(
        &mut self,
        dialect: Dialect,
        tenant: TenantId,
        secret: &str,
    ) -> Result<Ctx, Failure> {
        let ctx = self.app.directory.credential_authenticate(dialect, tenant, secret).await?;
        self.admit(&ctx)?;
        Ok(ctx)
    }

    /// As [`Call::credential`], with what the request is about, read in the same trip to the store.
    pub(crate) async fn credential_for(
        &mut self,
        dialect: Dialect,
        tenant: TenantId,
        secret: &str,
        subject: Subject,
    ) -> Result<(Ctx, Option<Found>), Failure> {
        let directory = &self.app.directory;
        let (ctx, found) = directory.credential_authenticate_for(dialect, tenant, secret, subject).await?;
        self.admit(&ctx)?;
        Ok((ctx, found))
    }

    /// The token that the caller bears.
    pub(crate) fn bearer(&self) -> Result<&str, Error> {
        self.parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Error::Unauthenticated("Missing bearer token"))
    }

    /// The address under which the caller knows the server, as far as the request tells it.
    pub(crate) fn origin(&self) -> String {
        client::origin(
            self.meta.peer,
            &self.parts.uri,
            &self.parts.headers,
            &self.app.settings.trusted_proxies,
        )
    }

    /// Refuses a caller whose role does not reach what the route asks for.
    pub(crate) fn admit(&mut self, ctx: &Ctx) -> Result<(), Error> {
        let Some(needed) = self.route.about.access else {
            return Err(Error::Internal(format!("{} is open to everybody", self.route.verb)));
        };
        self.tenant = Some(ctx.tenant());
        ctx.allow_in(self.route.about.area, needed)
    }

    /// The id in the path. Errors: `NotFound` for anything that is no integer.
    pub(crate) fn path_id(&self, entity: Entity) -> Result<i64, Error> {
        self.path_id_at(0, entity)
    }

    /// The id at this place of those in the path, from 0. Errors as [`Call::path_id`].
    pub(crate) fn path_id_at(&self, place: usize, entity: Entity) -> Result<i64, Error> {
        id(self.path_texts.get(place).map_or("", String::as_str), entity)
    }

    /// What stands in the path where it varies first.
    pub(crate) fn path_text(&self) -> &str {
        &self.path_texts[0]
    }

    /// What `read` makes of the parameters of the query. A failure names every failing one.
    pub(crate) fn query<T>(&self, read: impl FnOnce(&mut Query<'_>) -> T) -> Result<T, Failure> {
        self.query_of(self.parts.uri.query().unwrap_or_default(), read)
    }

    /// As [`Call::query`], of another form of the query.
    pub(crate) fn query_of<T>(
        &self,
        raw: &str,
        read: impl FnOnce(&mut Query<'_>) -> T,
    ) -> Result<T, Failure> {
        Query::read(raw, &self.app.settings, read)
    }

    /// Names the tenant for the log, where no bearer token did.
    pub(crate) fn set_tenant(&mut self, tenant: TenantId) {
        self.tenant = Some(tenant);
    }

    /// Notes what is left to the caller, for the answer to tell.
    pub(crate) fn set_quota(&mut self, quota: Quota) {
        self.quota = Some(quota);
    }

    /// The caller's `If-Match` as a check of whatever `tag` names.
    pub(crate) fn if_match<T: 'static>(
        &self,
        tag: impl Fn(&T) -> Tag + Send + Sync + 'static,
    ) -> Option<Precondition<T>> {
        let wanted = tags::list(&self.parts.headers, &header::IF_MATCH)?;
        Some(Box::new(move |entity| wanted.matches(&tag(entity))))
    }

    /// The caller's `If-Match` as a check of the version with which tags begin ([`Tag::of`]): for what also shows numbers
    /// that change without a version.
    pub(crate) fn if_version_matches<T: 'static>(
        &self,
        version: impl Fn(&T) -> i64 + Send + Sync + 'static,
    ) -> Option<Precondition<T>> {
        let wanted = tags::list(&self.parts.headers, &header::IF_MATCH)?;
        Some(Box::new(move |entity| wanted.begin_with(version(entity))))
    }

    /// Whether the caller has this version already (`If-None-Match` on a read).
    pub(crate) fn has(&self, tag: &Tag) -> bool {
        matches!(self.parts.method, Method::GET | Method::HEAD)
            && tags::list(&self.parts.headers, &header::IF_NONE_MATCH).is_some_and(|known| known.matches(tag))
    }
}

/// An id has one spelling: neither `+7` nor `07`.
fn id(text: &str, entity: Entity) -> Result<i64, Error> {
    text.parse().ok().filter(|id: &i64| id.to_string() == text).ok_or(Error::NotFound(entity))
}
