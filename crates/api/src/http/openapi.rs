//! The OpenAPI document of a dialect, written from its table of routes: what a handler reads and sends is told by the
//! functions and types with which it does so, and what follows from the machinery is added by rule.

use std::collections::HashSet;

use http::{Method, StatusCode};
use muster_domain::Access;
use serde_json::{Map, Value, json};

use super::{About, Content, Dialect, FORM, Fields, JSON, Mode, Query, Route, Schemas};
use crate::Settings;

/// What the document says of all calls of a dialect.
#[derive(Clone, Copy)]
pub(crate) struct Published {
    /// The schemas of a failure.
    pub(crate) failure: fn(&mut Schemas) -> Content,
    /// The ways to authenticate, by name, as OpenAPI describes them.
    pub(crate) schemes: fn() -> Value,
    /// Names of those ways; each entry is enough, with all that stand in it.
    pub(crate) security: &'static [&'static [&'static str]],
    /// What a 401 says in `WWW-Authenticate`.
    pub(crate) challenge: &'static str,
    /// What else each answer says about the request.
    pub(crate) headers: &'static [Header],
    /// What every call that wants credentials may also answer.
    pub(crate) refusals: &'static [StatusCode],
    /// What ids in paths are.
    pub(crate) ids: Ids,
}

/// The ids of a dialect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    Integers,
    /// Anything else in a path gets 400.
    Uuids,
    /// Any text may be one.
    Texts,
    /// Those that this regular expression matches; others are unknown.
    Pattern(&'static str),
}

/// A header of answers.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    /// In lower case.
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) pattern: &'static str,
    /// Whether it is on each, whoever calls.
    pub(crate) required: bool,
}

impl Published {
    /// Of what has no document.
    pub(crate) const NOTHING: Self = Self {
        failure: |_| Vec::new(),
        schemes: || Value::Null,
        security: &[],
        challenge: "",
        headers: &[],
        refusals: &[],
        ids: Ids::Integers,
    };
}

impl Dialect {
    /// The document (OpenAPI 3.1).
    pub(crate) fn document(&self, settings: &Settings) -> Value {
        let mut schemas = Schemas::default();
        let mut paths = Map::new();
        let mut verbs = HashSet::new();
        for route in self.routes {
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            let mut operation = self.operation(route, settings, &mut schemas);
            // Ids are unique; of two paths for one call the first has it.
            if verbs.insert(route.verb) {
                operation["operationId"] = route.verb.into();
            }
            path[route.method.as_str().to_lowercase()] = operation;
        }
        let mut statuses: Vec<StatusCode> =
            self.routes.iter().flat_map(|route| self.refusals(route)).collect();
        statuses.sort_unstable();
        statuses.dedup();
        let failure = content((self.published.failure)(&mut schemas));
        let responses: Map<String, Value> =
            statuses.into_iter().map(|status| (name(status), self.refusal(status, &failure))).collect();
        let schemas = schemas.into_value(&[&json!(paths), &failure]);
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": self.title,
                "version": env!("CARGO_PKG_VERSION"),
                "description": "A path takes only the methods that stand here; another one gets 405, with `Allow`.",
                "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
            },
            "servers": [{"url": "/"}],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": responses,
                "headers": self.headers(),
                "parameters": conditions(),
                "securitySchemes": (self.published.schemes)(),
            },
        })
    }

    fn operation(&self, route: &Route, settings: &Settings, schemas: &mut Schemas) -> Value {
        let about = &route.about;
        let mut parameters = Vec::new();
        for name in ids(route) {
            let id = match self.ids(about) {
                Ids::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
                Ids::Integers => json!({"type": "integer", "format": "int64"}),
                Ids::Texts => json!({"type": "string"}),
                Ids::Uuids => json!({"type": "string", "format": "uuid"}),
            };
            parameters.push(json!({"name": name, "in": "path", "required": true, "schema": id}));
        }
        if let Some(read) = about.query {
            parameters.extend(Query::describe(settings, read));
        }
        if about.versioned {
            let condition = if route.method == Method::GET { "IfNoneMatch" } else { "IfMatch" };
            parameters.push(reference("parameters", condition));
        }

        let mut good = self.response(about.status);
        if let Some(answer) = about.answer {
            good["content"] = content(answer(schemas));
        }
        if about.versioned && route.method == Method::GET {
            good["headers"]["ETag"] = reference("headers", "ETag");
        }
        let mut responses = Map::new();
        if let Some(status) = about.part {
            parameters.extend(["Range", "IfRange"].map(|name| reference("parameters", name)));
            let mut part = good.clone();
            part["description"] = reason(status).into();
            part["headers"]["Content-Range"] = reference("headers", "ContentRange");
            responses.insert(status.as_str().to_owned(), part);
        }
        responses.insert(about.status.as_str().to_owned(), good);
        for status in self.refusals(route) {
            responses.insert(status.as_str().to_owned(), reference("responses", &name(status)));
        }

        let mut operation = json!({
            "summary": about.summary,
            "tags": [tag(route.path)],
            "parameters": parameters,
            "responses": responses,
            "security": [],
        });
        if about.access.is_some() {
            operation["security"] = self.security();
        }
        if let Some((mode, read)) = about.body {
            let mut schema = Fields::describe(mode, read);
            if let Some(max) = about.array {
                // An entry that does not fit is told beside the others.
                let entry = json!({"anyOf": [schema, {}]});
                schema = json!({"type": "array", "items": entry, "maxItems": max});
            }
            operation["requestBody"] = json!({"required": true, "content": {JSON: {"schema": schema}}});
        }
        if let Some(body) = about.takes {
            operation["requestBody"] = json!({"required": true, "content": content(body(schemas))});
        }
        if let Some((file, read)) = about.form {
            let mut schema = Fields::describe(Mode::Create, read);
            schema["properties"][file] = json!({"type": "string", "format": "binary"});
            if let Some(required) = schema["required"].as_array_mut() {
                required.push(file.into());
            }
            operation["requestBody"] = json!({"required": true, "content": {FORM: {"schema": schema}}});
        }
        operation
    }

    /// What a route answers besides what it is for.
    fn refusals(&self, route: &Route) -> Vec<StatusCode> {
        let about = &route.about;
        let writes = route.method != Method::GET;
        let rules = [
            (StatusCode::NOT_MODIFIED, about.versioned && !writes),
            (StatusCode::BAD_REQUEST, about.query.is_some() || writes || self.refuses_ids(route)),
            (StatusCode::UNAUTHORIZED, about.access.is_some()),
            (StatusCode::FORBIDDEN, about.access > Some(Access::None)),
            (about.unknown_id, has_id(route)),
            (StatusCode::PRECONDITION_FAILED, about.versioned && writes),
            (StatusCode::PAYLOAD_TOO_LARGE, about.has_body()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, about.has_body()),
            (StatusCode::RANGE_NOT_SATISFIABLE, about.part.is_some()),
            (StatusCode::TOO_MANY_REQUESTS, about.limited),
            (StatusCode::INTERNAL_SERVER_ERROR, true),
            (StatusCode::SERVICE_UNAVAILABLE, true),
        ];
        let ruled = rules.into_iter().filter(|(_, holds)| *holds).map(|(status, _)| status);
        let of_all: &[StatusCode] = if about.access.is_some() { self.published.refusals } else { &[] };
        let mut statuses: Vec<StatusCode> =
            ruled.chain(about.refusals.iter().copied()).chain(of_all.iter().copied()).collect();
        statuses.retain(|status| about.negotiates || *status != StatusCode::NOT_ACCEPTABLE);
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// Whether an id that is none is told from one that is unknown.
    fn refuses_ids(&self, route: &Route) -> bool {
        has_id(route) && self.ids(&route.about) == Ids::Uuids
    }

    /// What stands in a path where it varies.
    fn ids(&self, about: &About) -> Ids {
        about.ids.unwrap_or(self.published.ids)
    }

    /// A response of which a document has one, whatever call gives it.
    fn refusal(&self, status: StatusCode, failure: &Value) -> Value {
        let mut response = self.response(status);
        let headers = &mut response["headers"];
        match status {
            StatusCode::RANGE_NOT_SATISFIABLE => {
                headers["Content-Range"] = reference("headers", "ContentRange");
            }
            StatusCode::NOT_MODIFIED => headers["ETag"] = reference("headers", "ETag"),
            StatusCode::UNAUTHORIZED => headers["WWW-Authenticate"] = reference("headers", "WwwAuthenticate"),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers["Retry-After"] = reference("headers", "RetryAfter");
            }
            _ => {}
        }
        // Of what is not shown there is nothing to tell.
        if ![StatusCode::NOT_MODIFIED, StatusCode::NO_CONTENT].contains(&status) {
            response["content"] = failure.clone();
        }
        response
    }

    fn response(&self, status: StatusCode) -> Value {
        let mut headers = json!({"x-request-id": reference("headers", "RequestId")});
        for header in self.published.headers {
            headers[header.name] = reference("headers", header.name);
        }
        json!({"description": reason(status), "headers": headers})
    }

    fn headers(&self) -> Value {
        let mut headers = json!({
            "RequestId": {
                "description": "Names the request in the server's log.",
                "required": true,
                "schema": {"type": "string", "format": "uuid"},
            },
            "ETag": {
                "description": "The version of what is shown.",
                "required": true,
                "schema": {"type": "string", "pattern": "^(W/)?\"[^\"]*\"$"},
            },
            "ContentRange": {
                "description": "Which part of how many bytes this is, or of how many there is none.",
                "required": true,
                "schema": {"type": "string", "pattern": "^bytes ([0-9]+-[0-9]+|[*])/[0-9]+$"},
            },
            "RetryAfter": {
                "description": "When to try again, in seconds.",
                "required": true,
                "schema": {"type": "integer", "minimum": 0},
            },
            "WwwAuthenticate": {
                "description": "How to authenticate.",
                "required": true,
                "schema": {"type": "string", "const": self.published.challenge},
            },
        });
        for Header { name, description, pattern, required } in self.published.headers {
            let schema = json!({"type": "string", "pattern": pattern});
            headers[*name] = json!({"description": description, "required": required, "schema": schema});
        }
        headers
    }

    /// What is enough to get in.
    fn security(&self) -> Value {
        let together = |names: &&[&'static str]| -> Map<String, Value> {
            names.iter().map(|name| ((*name).to_owned(), json!([]))).collect()
        };
        self.published.security.iter().map(together).collect()
    }
}

/// The names of what varies in the path.
fn ids(route: &Route) -> impl Iterator<Item = &'static str> {
    route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn has_id(route: &Route) -> bool {
    ids(route).next().is_some()
}

fn conditions() -> Value {
    let header = |name: &str, description: &str| json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}});
    json!({
        "IfMatch": header("If-Match", "Write only if the version is still one of these, or 412."),
        "Range": header("Range", "The part that is wanted, as bytes=first-last; several parts get the whole."),
        "IfRange": header("If-Range", "The version of which a part is wanted; of another the answer is the whole."),
        "IfNoneMatch": header("If-None-Match", "Versions that the caller has; for them the answer is 304, without a body."),
    })
}

fn content(schemas: Content) -> Value {
    let one = |(kind, schema): (&str, Value)| (kind.to_owned(), json!({"schema": schema}));
    schemas.into_iter().map(one).collect::<Map<String, Value>>().into()
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Other")
}

/// The name of a response, such as `NotFound`.
fn name(status: StatusCode) -> String {
    reason(status).replace(' ', "")
}

/// What calls are grouped by: the first part of the path that is neither a version nor `api`.
fn tag(path: &str) -> &str {
    let is_version = |part: &str| {
        part.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    path.split('/').find(|part| !matches!(*part, "" | "api") && !is_version(part)).unwrap_or_default()
}
