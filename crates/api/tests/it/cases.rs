//! What the coverage tests know of each call, in one table: `authz_coverage` and `tenancy` try every route
//! of the server with it, and a route that is not described here fails them.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use muster_api::Route;
use muster_domain::Access;
use muster_domain::user::Role;
use serde_json::Value;
use uuid::Uuid;

use crate::case_table::CASES;
use crate::media_prompts;
use crate::support::{Call, World};

pub(crate) use crate::own::{Kind, Own, in_path};

/// A call, under its name in all layers.
pub(crate) struct Case {
    pub(crate) verb: &'static str,
    pub(crate) who: Who,
    /// What `{id}` in the path names.
    pub(crate) path: Option<Kind>,
    /// The status for a path id that is unknown or another tenant's.
    pub(crate) hidden: u16,
    /// A body with which the call works, with an id in each field that takes one; null for calls without a body.
    pub(crate) body: fn(&Own) -> Value,
    /// The fields of the body that name things of a tenant: the name that errors show, then its aliases.
    pub(crate) body_ids: &'static [(&'static [&'static str], Kind)],
    /// The query parameters that do.
    pub(crate) query_ids: &'static [(&'static str, Kind)],
    /// The query without which it does not work, if there is one.
    pub(crate) query: &'static str,
}

pub(crate) enum Who {
    /// No credentials are needed.
    Anyone,
    /// Whoever has one of these roles.
    Roles(&'static [Role]),
    /// Whoever has a LOX24 key that reaches so far.
    Keys(Access),
    /// Whoever signs with an Onlive access key that reaches so far.
    Signers(Access),
    /// Whoever bears a SCIM token that reaches so far.
    Tokens(Access),
}

/// Worlds to call routes in: one for all that only read, and one of its own for each other, which changes it.
pub(crate) struct Worlds<W> {
    of_reads: Option<Arc<W>>,
}

impl<W> Worlds<W> {
    pub(crate) fn new() -> Self {
        Self { of_reads: None }
    }

    pub(crate) async fn of(&mut self, route: &Route, make: impl AsyncFnOnce() -> W) -> Arc<W> {
        if route.method != Method::GET {
            return Arc::new(make().await);
        }
        if self.of_reads.is_none() {
            self.of_reads = Some(Arc::new(make().await));
        }
        Arc::clone(self.of_reads.as_ref().unwrap())
    }
}

/// Every route of the server with its case.
pub(crate) fn all() -> impl Iterator<Item = (&'static Route, &'static Case)> {
    muster_api::routes().map(|route| {
        let Route { method, path, verb, .. } = route;
        let case = CASES.iter().find(|case| case.is_of(route)).unwrap_or_else(|| {
            panic!(
                "{method} {path} is routed, but nothing tries its rights and its tenancy: add a `Case` for \
                 `{verb}` to CASES in crates/api/tests/it/cases.rs. Say there who may call it, what the id in its \
                 path names, a body with which it works, and which ids in body and query name things of a tenant."
            )
        });
        (route, case)
    })
}

impl Case {
    /// The call on one's own things, as it should work.
    pub(crate) fn call<'a>(&self, world: &'a World, route: &Route, own: &Own) -> Call<'a> {
        let id = self.path.map_or_else(String::new, |kind| own.path_id(kind));
        let path = format!("{}{}", path(route, &id, own.delivery), self.query);
        call_at(world, route, &path, (self.body)(own))
    }

    /// Whether it is that of a route: a verb may be one of several dialects.
    fn is_of(&self, route: &Route) -> bool {
        let is_open = matches!(self.who, Who::Anyone);
        let fits = is_open || self.dialect() == dialect(route.path);
        self.verb == route.verb && fits
    }

    /// Which of the dialects it is of, as far as verbs are those of several.
    fn dialect(&self) -> u8 {
        match self.who {
            Who::Signers(_) => 1,
            Who::Tokens(_) => 2,
            Who::Keys(_) => 3,
            Who::Anyone | Who::Roles(_) => 0,
        }
    }

    /// Whether the call is answered as one that has no good answer.
    pub(crate) fn answers(&self, status: http::StatusCode) -> bool {
        if self.verb.starts_with("me_") { status == 501 } else { status.is_success() }
    }
}

fn dialect(path: &str) -> u8 {
    if path.starts_with("/api/v1/") {
        1
    } else if path.starts_with("/scim/v2/") {
        2
    } else if path.starts_with("/v3/") || path.starts_with("/oauth/") {
        0
    } else {
        3
    }
}

/// A call with this id in the path and this body, if it is not null.
pub(crate) fn call<'a>(world: &'a World, route: &Route, id: &str, body: Value) -> Call<'a> {
    call_at(world, route, &path(route, id, 99_999), body)
}

/// What the first id in a path is called.
const IDS: [&str; 3] = ["{id}", "{uuid}", "{country}"];

/// The path with what it varies in.
pub(crate) fn path(route: &Route, id: &str, delivery: i64) -> String {
    let path = IDS.iter().fold(route.path.to_owned(), |path, name| path.replace(name, id));
    path.replace("{delivery_id}", &delivery.to_string())
}

fn call_at<'a>(world: &'a World, route: &Route, path: &str, body: Value) -> Call<'a> {
    let call = world.call(route.method.as_str(), path);
    match body {
        Value::Null => call,
        // What is text in a form, beside a file that is always the same.
        body if route.verb == "media_prompt_create" => media_prompts::with_file(call, &body),
        body => call.json(body),
    }
}

#[test]
fn every_route_is_described_and_every_case_is_routed() {
    let kind = |case: &Case| (case.verb, case.dialect());
    let routed: BTreeSet<(&str, u8)> = all().map(|(_, case)| kind(case)).collect();
    for (at, case) in CASES.iter().enumerate() {
        assert!(
            routed.contains(&kind(case)),
            "`{}` in case_table.rs is no route any more: remove it",
            case.verb
        );
        let twice = CASES[..at].iter().any(|other| kind(other) == kind(case));
        assert!(!twice, "`{}` stands twice in cases.rs", case.verb);
    }
}

#[test]
fn the_cases_say_all_that_the_coverage_tests_need() {
    let own = Own::marked();
    for (route, case) in all() {
        let Route { method, path, verb, .. } = route;
        let ids = path.matches('{').count();
        let known =
            IDS.iter().chain(&["{delivery_id}"]).map(|name| path.matches(name).count()).sum::<usize>();
        assert_eq!(ids, known, "{path}: teach cases.rs what else varies in a path");
        assert_eq!(
            ids > 0,
            case.path.is_some(),
            "`{verb}` in case_table.rs: say what the id in {path} names"
        );
        let body = (case.body)(&own);
        let has_body = matches!(method.as_str(), "POST" | "PUT" | "PATCH");
        assert_eq!(
            has_body,
            !body.is_null(),
            "`{verb}` in case_table.rs: {method} takes a body (if empty, {{}})"
        );
        for (field, value) in body.as_object().into_iter().flatten() {
            let is_id = value.as_i64().is_some_and(|id| id < 0) || *value == Uuid::nil().to_string();
            let declared = case.body_ids.iter().any(|(names, _)| names[0] == field);
            assert_eq!(
                is_id, declared,
                "`{verb}` in case_table.rs: `{field}` belongs into its body_ids, or not"
            );
        }
        for (names, _) in case.body_ids {
            assert!(body.get(names[0]).is_some(), "`{verb}` in case_table.rs: its body lacks `{}`", names[0]);
        }
    }
}
