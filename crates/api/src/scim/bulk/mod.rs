//! Many operations in one request (RFC 7644, section 3.7).
//!
//! Each is answered as if it had been sent by itself, through the route that it names: who calls and what it may do is
//! asked for each of them anew. They are carried out in order, one at a time; only what refers to something that a later
//! one creates comes after that one.

mod read;
mod references;

use std::collections::{BTreeSet, HashSet, VecDeque};

use axum::response::Response;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use muster_domain::{Error, Timestamp};
use serde_json::{Value, json};

use self::read::{Operation, read};
use self::references::{Made, Names, Resolved, Resolver, may_refer};
use super::auth::{self, enter};
use super::failure::{self, Refusal, answered, reply};
use super::routes::{DIALECT, ROUTES};
use super::schema::{RESOURCE_TYPES, ResourceType};
use super::user::TYPES;
use super::{PREFIX, ScimError, error};
use crate::http::{Call, Failure, Outcome, Reply, Route};

pub(super) use self::read::BULK_REQUEST;

pub(super) const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// The greatest sizes, which the configuration tells.
pub(super) mod limits {
    use crate::Settings;

    pub(crate) const OPERATIONS: usize = 1000;

    /// Of a request, in bytes: 1 MiB, unless no body may have so much.
    pub(crate) fn payload(settings: &Settings) -> usize {
        settings.max_body.min(1024 * 1024)
    }
}

pub(super) async fn bulk(call: &mut Call) -> Outcome {
    answered(carry_out(call).await)
}

async fn carry_out(call: &mut Call) -> Result<Reply, Refusal> {
    let caller = enter(call).await?;
    let max = limits::payload(&call.app().settings);
    let request = call.raw_object(max, TYPES, read).await??;
    let mut work = Work::new(call, &caller.base, &request.operations);
    let mut errors = 0;
    while let Some(at) = work.next() {
        let failed = work.step(at).await;
        errors += u64::from(failed);
        if failed && request.fail_on_errors.is_some_and(|most| errors >= most) {
            break;
        }
        // A store that has all at hand lets nobody else run meanwhile.
        tokio::task::yield_now().await;
    }
    let operations: Vec<Value> = work.answers.into_iter().flatten().collect();
    Ok(reply(StatusCode::OK, &json!({"schemas": [BULK_RESPONSE], "Operations": operations})))
}

/// The operations of a request on their way.
struct Work<'a> {
    /// The request with all of them, which this work alone holds.
    call: &'a mut Call,
    base: &'a str,
    operations: &'a [Operation],
    /// What was created under which `bulkId`.
    names: Names,
    /// Operations with the `bulkId` of an earlier one.
    doubles: HashSet<usize>,
    /// Those whose turn comes, the next first.
    queue: VecDeque<usize>,
    /// Those that wait, in order, and for which names.
    waiting: Vec<(usize, BTreeSet<String>)>,
    answers: Vec<Option<Value>>,
    /// None begins after this, so that the client gets to know what became of those before.
    until: Timestamp,
}

/// What is told of an operation that was carried out, or refused.
struct Done {
    status: StatusCode,
    location: Option<String>,
    version: Option<String>,
    /// The error.
    response: Option<Value>,
}

impl<'a> Work<'a> {
    fn new(call: &'a mut Call, base: &'a str, operations: &'a [Operation]) -> Self {
        let (mut names, mut doubles) = (Names::new(), HashSet::new());
        for (at, operation) in operations.iter().enumerate() {
            if let Some(name) = operation.creates_as()
                && names.insert(name.to_owned(), Made::NotYet).is_some()
            {
                doubles.insert(at);
            }
        }
        // The last third is for the operation that is under way then.
        let until = call.meta().started.plus(call.app().settings.request_timeout * 2 / 3);
        let (queue, answers) = ((0..operations.len()).collect(), vec![None; operations.len()]);
        Self { call, base, operations, names, doubles, queue, waiting: Vec::new(), answers, until }
    }

    /// The operation whose turn it is. When all that are left wait, they wait for each other.
    fn next(&mut self) -> Option<usize> {
        if let Some(at) = self.queue.pop_front() {
            return Some(at);
        }
        let circle = if self.waiting.is_empty() { None } else { Some(self.waiting.remove(0)) };
        circle.map(|(at, names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let detail = format!("The operation and that of bulkId:{} wait for each other", names.join(", "));
            self.answer(at, Done::refused(StatusCode::CONFLICT, &detail));
            at
        })
    }

    /// Carries out an operation, unless it has to wait. Whether it failed.
    async fn step(&mut self, at: usize) -> bool {
        let operation = &self.operations[at];
        if self.answers[at].is_none() {
            let resolved = if self.doubles.contains(&at) {
                let name = operation.bulk_id.as_deref().unwrap_or_default();
                Err(ScimError::invalid_value(format!("bulkId {name:?} is that of an earlier POST")))
            } else {
                operation.resolved(&self.names)
            };
            let done = match resolved {
                Ok(Resolved::Waits(names)) => {
                    self.waiting.push((at, names));
                    self.waiting.sort_by_key(|(at, _)| *at);
                    return false;
                }
                Ok(Resolved::All((path, data))) => self.send(operation, &path, data).await,
                Err(error) => Done::of_error(&error),
            };
            self.answer(at, done);
        }
        self.answers[at].as_ref().is_some_and(|answer| answer.get("response").is_some())
    }

    /// Sends an operation to the route that it names.
    async fn send(&mut self, operation: &Operation, path: &str, data: Bytes) -> Done {
        if self.call.directory().now() > self.until {
            let detail = "The request took too long, and this operation was not begun";
            return Done::refused(StatusCode::SERVICE_UNAVAILABLE, detail);
        }
        let (inner, location) = match place(path) {
            None => (Err(Failure::PathUnknown), None),
            Some((kind, id)) => {
                // A POST creates a place, or names none; what is no id names none either.
                let id_there = id.filter(|id| operation.method != Method::POST && auth::id(id).is_some());
                let location = id_there.map(|id| format!("{}{}/{id}", self.base, kind.endpoint));
                (self.inner(operation, kind, id, data), location)
            }
        };
        let response = match inner {
            Ok(mut inner) => DIALECT.answer(&mut inner).await,
            Err(failure) => failure::response(&self.call.head(), failure),
        };
        Done::of(response, location).await
    }

    /// An operation as a call by itself. Of what it changes its answer tells the id only.
    fn inner(
        &self,
        operation: &Operation,
        kind: &ResourceType,
        id: Option<&str>,
        data: Bytes,
    ) -> Result<Call, Failure> {
        let route = route(&operation.method, kind, id)?;
        let path = route.path.replace("{id}", id.unwrap_or_default());
        let path = PathAndQuery::try_from(format!("{path}?attributes=id"));
        let mut uri = self.call.uri().clone().into_parts();
        uri.path_and_query = Some(path.map_err(|_| Failure::PathUnknown)?);
        let uri = Uri::from_parts(uri).map_err(|error| Error::Internal(error.to_string()))?;
        // What cannot stand in a header is no version of anything.
        let version = |text: &String| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let version = operation.version.as_ref().map(version);
        Ok(self.call.inner(route, (uri, id.unwrap_or_default().to_owned()), version, data))
    }

    /// Notes what became of an operation, and lets those that waited for it go on.
    fn answer(&mut self, at: usize, done: Done) {
        let operation = &self.operations[at];
        if let Some(name) = operation.creates_as().filter(|_| !self.doubles.contains(&at)) {
            let id = done.location.as_deref().filter(|_| done.response.is_none());
            let id = id.and_then(|location| location.rsplit('/').next());
            self.names.insert(name.to_owned(), id.map_or(Made::Nothing, |id| Made::As(id.to_owned())));
            for (_, names) in &mut self.waiting {
                names.remove(name);
            }
            let is_ready = |(_, names): &mut (usize, BTreeSet<String>)| names.is_empty();
            let ready: Vec<usize> = self.waiting.extract_if(.., is_ready).map(|(at, _)| at).collect();
            ready.into_iter().rev().for_each(|at| self.queue.push_front(at));
        }
        self.answers[at] = Some(operation.told(done));
    }
}

impl Operation {
    /// The name that others know by what it creates.
    fn creates_as(&self) -> Option<&str> {
        self.bulk_id.as_deref().filter(|_| self.method == Method::POST)
    }

    /// Its path and its body, with ids in the place of references.
    fn resolved(&self, names: &Names) -> Result<Resolved<(String, Bytes)>, ScimError> {
        let mut resolver = Resolver::new(names);
        // An answer shows nothing but what the operation has come to, whatever its query says.
        let mut path = self.path.split('?').next().unwrap_or_default().to_owned();
        if let Some((kind, Some(id))) = place(&path) {
            let mut id = id.to_owned();
            resolver.text(&mut id)?;
            path = format!("{}/{id}", kind.endpoint);
        }
        let mut data = self.data.clone();
        if let Ok(text) = std::str::from_utf8(&data)
            && may_refer(text)
            && let Ok(mut value) = serde_json::from_str(text)
        {
            resolver.value(&mut value)?;
            data = value.to_string().into();
        }
        Ok(resolver.finish((path, data)))
    }

    /// As it is answered.
    fn told(&self, done: Done) -> Value {
        let mut told = json!({"method": self.method.as_str(), "status": done.status.as_str()});
        let texts =
            [("bulkId", self.bulk_id.clone()), ("location", done.location), ("version", done.version)];
        for (name, text) in texts {
            if let Some(text) = text {
                told[name] = text.into();
            }
        }
        if let Some(response) = done.response {
            told["response"] = response;
        }
        told
    }
}

impl Done {
    fn refused(status: StatusCode, detail: &str) -> Self {
        let response = Some(error::document(status.as_u16(), None, detail));
        Self { status, location: None, version: None, response }
    }

    fn of_error(error: &ScimError) -> Self {
        let status = StatusCode::from_u16(error.scim_type.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, location: None, version: None, response: Some(error.document()) }
    }

    /// What an answer tells, to an operation on what is at `location`, or that creates it.
    async fn of(response: Response, location: Option<String>) -> Self {
        let (parts, body) = response.into_parts();
        let text = |name: HeaderName| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
        let error = if parts.status.is_success() {
            None
        } else {
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            Some(serde_json::from_slice(&body).unwrap_or_default())
        };
        Self {
            status: parts.status,
            location: text(header::LOCATION).or(location),
            version: text(header::ETAG),
            response: error,
        }
    }
}

/// The kind of resource that a path names, and the id if it names one.
fn place(path: &str) -> Option<(&'static ResourceType, Option<&str>)> {
    RESOURCE_TYPES.iter().find_map(|kind| {
        let rest = path.strip_prefix(kind.endpoint)?;
        if rest.is_empty() { Some((*kind, None)) } else { Some((*kind, Some(rest.strip_prefix('/')?))) }
    })
}

/// The route that an operation would be sent to by itself.
fn route(method: &Method, kind: &ResourceType, id: Option<&str>) -> Result<&'static Route, Failure> {
    let path = format!("{PREFIX}{}{}", kind.endpoint, if id.is_some() { "/{id}" } else { "" });
    let routes = || ROUTES.iter().filter(|route| route.path == path);
    routes().find(|route| route.method == method).ok_or_else(|| {
        let allow: Vec<&str> = routes().map(|route| route.method.as_str()).collect();
        Failure::MethodNotAllowed { allow: allow.join(", ") }
    })
}
