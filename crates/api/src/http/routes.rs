//! Routes as data: from one table come the router, the log's names and the coverage tests.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, any};
use futures_util::FutureExt as _;
use http::{Method, Request};
use muster_domain::Error;

use super::{About, Call, Failure, Handled, Head, Meta, Outcome, Published, body};
use crate::App;

type HandlerFuture<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// One call of a dialect.
pub struct Route {
    pub method: Method,
    /// The path, with `{id}` for what varies.
    pub path: &'static str,
    /// The name that the call has in every layer, such as `org_unit_update`.
    pub verb: &'static str,
    pub(crate) handler: for<'a> fn(&'a mut Call) -> HandlerFuture<'a>,
    pub(crate) about: About,
}

/// The calls of a dialect.
pub type Routes = &'static [Route];

/// Declares [`Routes`]: a call, its handler, whose name is the verb, and what is published about it.
macro_rules! routes {
    ($($method:ident $path:literal => $module:ident :: $verb:ident, $about:expr;)+) => {
        &[$($crate::http::Route {
            method: ::http::Method::$method,
            path: $path,
            verb: stringify!($verb),
            handler: |call| Box::pin($module::$verb(call)),
            about: $about,
        }),+]
    };
}
pub(crate) use routes;

/// What the shared machinery has to know of a dialect.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// In paths.
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    pub(crate) routes: Routes,
    /// Paths under these that are no route are unknown paths *of the dialect*.
    pub(crate) prefixes: &'static [&'static str],
    /// Turns a request away before it is looked at, whatever it asks for.
    pub(crate) door: fn(&Head<'_>) -> Result<(), Failure>,
    /// The dialect's form of a failure.
    pub(crate) failure: fn(&Head<'_>, Failure) -> Response,
    /// Adds what every answer has.
    pub(crate) finish: fn(&Head<'_>, &mut Response),
    pub(crate) published: Published,
}

impl Dialect {
    /// Whether a path is one of the dialect's, known or not; under which prefix it stands.
    pub(crate) fn prefix_of(&self, path: &str) -> Option<&'static str> {
        let is_under = |prefix: &&&str| {
            path.strip_prefix(**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.prefixes.iter().find(is_under).copied()
    }

    /// A router for all paths of the dialect. The fallback is for unknown ones.
    pub(crate) fn router(self, app: &Arc<App>) -> Router {
        let mut router = Router::new();
        let mut paths: Vec<&'static str> = self.routes.iter().map(|route| route.path).collect();
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            router = router.route(path, self.methods(app, path));
        }
        let app = Arc::clone(app);
        router.fallback(move |request: Request<axum::body::Body>| async move {
            let route = self.prefix_of(request.uri().path()).unwrap_or_default();
            self.refuse(&app, route, Failure::PathUnknown, request).await
        })
    }

    fn methods(self, app: &Arc<App>, path: &'static str) -> MethodRouter {
        let on_path = || self.routes.iter().filter(move |route| route.path == path);
        let mut allow: Vec<&str> = on_path().map(|route| route.method.as_str()).collect();
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        let allow = allow.join(", ");
        let refusing = Arc::clone(app);
        let mut methods = any(move |request| async move {
            self.refuse(&refusing, path, Failure::MethodNotAllowed { allow }, request).await
        });
        for route in on_path() {
            let app = Arc::clone(app);
            let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
            methods = methods.on(filter, move |request| self.serve(app, route, request));
        }
        methods
    }

    /// Refuses a request; `route` is what the log says.
    async fn refuse(
        self,
        app: &App,
        route: &'static str,
        failure: Failure,
        request: Request<axum::body::Body>,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let Some(meta) = parts.extensions.get::<Meta>() else {
            return Response::default();
        };
        body::finish(&parts.headers, body).await;
        let path = parts.uri.path();
        let head = Head { app, meta, path, headers: &parts.headers, negotiates: true, quota: None };
        let failure = (self.door)(&head).err().unwrap_or(failure);
        let mut response = (self.failure)(&head, failure);
        (self.finish)(&head, &mut response);
        response.extensions_mut().insert(Handled { route, ..Handled::default() });
        response
    }

    /// Answers a request for a route.
    async fn serve(
        self,
        app: Arc<App>,
        route: &'static Route,
        request: Request<axum::body::Body>,
    ) -> Response {
        let (mut parts, body) = request.into_parts();
        let Some(meta) = parts.extensions.get::<Meta>().copied() else {
            return Response::default();
        };
        let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
        let mut varying = params.iter().flatten().map(|(_, text)| text.to_owned());
        let path_texts = std::array::from_fn(|_| varying.next().unwrap_or_default());
        self.answer(&mut Call::new(app, route, meta, parts, path_texts, Some(body))).await
    }

    /// Runs the handler of a call, with a time limit, and turns whatever comes of it into an answer.
    pub(crate) async fn answer(self, call: &mut Call) -> Response {
        let (route, request_id) = (call.route(), call.meta().request_id);
        let mut response = match self.outcome(route, call).await {
            Ok(reply) => reply.into_response(call),
            Err(failure) => {
                let verb = route.verb;
                match &failure {
                    Failure::Core(error @ Error::Internal(_)) => {
                        tracing::error!(%error, verb, %request_id, "a request failed");
                    }
                    Failure::Core(error @ Error::Unavailable(_)) => {
                        tracing::warn!(%error, verb, %request_id, "a request was turned away");
                    }
                    _ => {}
                }
                call.finish_body().await;
                (self.failure)(&call.head(), failure)
            }
        };
        (self.finish)(&call.head(), &mut response);
        let handled = Handled { route: route.path, verb: route.verb, tenant: call.tenant() };
        response.extensions_mut().insert(handled);
        response
    }

    /// What comes of a call: a client that is turned away at the door does not get to the handler.
    async fn outcome(self, route: &Route, call: &mut Call) -> Outcome {
        (self.door)(&call.head())?;
        // A file comes in slowly where the line is slow.
        let factor = if route.about.form.is_some() { 10 } else { 1 };
        let timeout = call.app().settings.request_timeout * factor;
        let handler = AssertUnwindSafe((route.handler)(call)).catch_unwind();
        match tokio::time::timeout(timeout, handler).await {
            Ok(Ok(outcome)) => outcome,
            // The panic hook has logged where it was.
            Ok(Err(_panic)) => Err(Error::Internal(format!("{} panicked", route.verb)).into()),
            Err(_elapsed) => Err(Failure::TimedOut),
        }
    }
}
