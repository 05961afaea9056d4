//! What the coverage tests know of each call, in one table: `authz_coverage` and `tenancy` try every route
//! of the server with it, and a route that is not described here fails them.

use std::collections::BTreeSet;

use muster_api::Route;
use muster_domain::Access;
use muster_domain::user::{Role, UserStore as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{created, plain, with};
use crate::support::{Call, PASSWORD, World};

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
}

/// What an id names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Unit,
    User,
    /// A user under its other id.
    UserUuid,
}

/// Things of one tenant that a call can be about.
pub(crate) struct Own {
    /// Without users and units below.
    unit: i64,
    parent: i64,
    user: i64,
    user_uuid: Uuid,
    /// Of the caller, whose password is [`PASSWORD`].
    login: String,
    refresh_token: String,
}

const ADMINS: Who = Who::Roles(&[Role::Admin]);
const EVERYBODY: Who = Who::Roles(&[Role::Admin, Role::Standard, Role::ReadOnly]);
const READERS: Who = Who::Keys(Access::Read);
const PARENT: (&[&str], Kind) = (&["org_unit_parent_id", "parent_org_unit_id"], Kind::Unit);
const UNIT_OF_USER: (&[&str], Kind) = (&["ct_user_ou_id"], Kind::Unit);
const ORG_UNIT: (&str, Kind) = ("org_unit_id", Kind::Unit);

const SIGNERS: Who = Who::Signers(Access::Read);
const SIGNING_WRITERS: Who = Who::Signers(Access::Write);

fn signed_user() -> Value {
    json!({"firstName": "Cove", "lastName": "Red", "email": "covered@example.net"})
}

/// A call without ids and body.
const fn case(verb: &'static str, who: Who) -> Case {
    Case { verb, who, path: None, hidden: 404, body: |_| Value::Null, body_ids: &[], query_ids: &[] }
}

fn group(own: &Own) -> Value {
    json!({"org_unit_name": "Covered", "org_unit_parent_id": own.parent})
}

fn user(own: &Own) -> Value {
    with(plain("covered@example.net"), &json!({"ct_user_ou_id": own.unit}))
}

const CASES: &[Case] = &[
    Case {
        body: |own| json!({"email": own.login, "password": PASSWORD}),
        ..case("session_open", Who::Anyone)
    },
    Case { body: |own| json!({"refresh_token": own.refresh_token}), ..case("session_refresh", Who::Anyone) },
    Case {
        body: |own| json!({"token_type": "refresh", "token": own.refresh_token}),
        ..case("session_revoke", Who::Anyone)
    },
    case("profile_get", EVERYBODY),
    Case {
        body: |_| json!({"current_password": PASSWORD, "new_password": "another long password"}),
        ..case("password_change", EVERYBODY)
    },
    case("org_unit_list", ADMINS),
    Case { query_ids: &[ORG_UNIT], ..case("org_unit_children", ADMINS) },
    case("org_unit_tree", ADMINS),
    Case { path: Some(Kind::Unit), hidden: 401, ..case("org_unit_ids", ADMINS) },
    Case { path: Some(Kind::Unit), ..case("org_unit_get", ADMINS) },
    Case { body: group, body_ids: &[PARENT], ..case("org_unit_create", ADMINS) },
    Case { path: Some(Kind::Unit), body: group, body_ids: &[PARENT], ..case("org_unit_update", ADMINS) },
    Case { path: Some(Kind::Unit), body: group, body_ids: &[PARENT], ..case("org_unit_patch", ADMINS) },
    Case { path: Some(Kind::Unit), ..case("org_unit_archive", ADMINS) },
    Case { query_ids: &[ORG_UNIT], ..case("user_list", ADMINS) },
    Case { path: Some(Kind::User), ..case("user_get", ADMINS) },
    Case { body: user, body_ids: &[UNIT_OF_USER], ..case("user_create", ADMINS) },
    Case { path: Some(Kind::User), body: user, body_ids: &[UNIT_OF_USER], ..case("user_update", ADMINS) },
    Case { path: Some(Kind::User), body: user, body_ids: &[UNIT_OF_USER], ..case("user_patch", ADMINS) },
    Case { path: Some(Kind::User), ..case("user_delete", ADMINS) },
    case("industry_list", EVERYBODY),
    case("account_get", READERS),
    case("user_list", SIGNERS),
    Case { body: |_| signed_user(), ..case("user_create", SIGNING_WRITERS) },
    Case { path: Some(Kind::UserUuid), ..case("user_get", SIGNERS) },
    Case {
        path: Some(Kind::UserUuid),
        body: |_| json!({"lastName": "Changed"}),
        ..case("user_update", SIGNING_WRITERS)
    },
    Case { path: Some(Kind::UserUuid), ..case("user_erase", SIGNING_WRITERS) },
];

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
        call(world, route, &id, (self.body)(own))
    }

    /// Whether it is that of a route: a verb may be one of two dialects.
    fn is_of(&self, route: &Route) -> bool {
        self.verb == route.verb && matches!(self.who, Who::Signers(_)) == route.path.starts_with("/api/v1/")
    }
}

/// A call with this id in the path and this body, if it is not null.
pub(crate) fn call<'a>(world: &'a World, route: &Route, id: &str, body: Value) -> Call<'a> {
    let call = world.call(route.method.as_str(), &route.path.replace("{id}", id));
    if body.is_null() { call } else { call.json(body) }
}

impl Own {
    /// Makes things in the tenant of an admin; `caller` is one who can log in there.
    pub(crate) async fn of(world: &World, admin: &str, caller: &str) -> Self {
        let make = async |name: &str| {
            let body = json!({"org_unit_name": format!("{name} of {caller}")});
            let reply = world.post("/v3/groups", body).bearer(admin).send().await;
            reply.body["data"]["orgUnitId"].as_i64().unwrap()
        };
        let (unit, parent) = (make("Unit").await, make("Parent").await);
        let user = created(world, admin, plain(&format!("own.{caller}"))).await;
        let refresh_token = world.log_in(caller).await.body["refresh_token"].as_str().unwrap().to_owned();
        let user_uuid = uuid(world, &format!("own.{caller}")).await;
        Self { unit, parent, user, user_uuid, login: caller.to_owned(), refresh_token }
    }

    pub(crate) fn id(&self, kind: Kind) -> i64 {
        match kind {
            Kind::Unit => self.unit,
            Kind::User | Kind::UserUuid => self.user,
        }
    }

    /// As it stands in a path.
    pub(crate) fn path_id(&self, kind: Kind) -> String {
        if kind == Kind::UserUuid { self.user_uuid.to_string() } else { self.id(kind).to_string() }
    }
}

impl Kind {
    /// An id of nothing.
    pub(crate) fn unknown(self) -> &'static str {
        if self == Self::UserUuid { "00000000-0000-4000-8000-000000000000" } else { "99999" }
    }
}

/// The other id of a user who can log in.
async fn uuid(world: &World, login: &str) -> Uuid {
    world.directory().store.user_by_claim(login).await.unwrap().unwrap().uuid
}

#[test]
fn every_route_is_described_and_every_case_is_routed() {
    let kind = |case: &Case| (case.verb, matches!(case.who, Who::Signers(_)));
    let routed: BTreeSet<(&str, bool)> = all().map(|(_, case)| kind(case)).collect();
    for (at, case) in CASES.iter().enumerate() {
        assert!(routed.contains(&kind(case)), "`{}` in cases.rs is no route any more: remove it", case.verb);
        let twice = CASES[..at].iter().any(|other| kind(other) == kind(case));
        assert!(!twice, "`{}` stands twice in cases.rs", case.verb);
    }
}

#[test]
fn the_cases_say_all_that_the_coverage_tests_need() {
    let own = Own {
        unit: -1,
        parent: -2,
        user: -3,
        user_uuid: Uuid::nil(),
        login: String::new(),
        refresh_token: String::new(),
    };
    for (route, case) in all() {
        let Route { method, path, verb, .. } = route;
        let ids = path.matches('{').count();
        assert_eq!(ids, path.matches("{id}").count(), "{path}: teach cases.rs what else varies in a path");
        assert_eq!(ids == 1, case.path.is_some(), "`{verb}` in cases.rs: say what the id in {path} names");
        let body = (case.body)(&own);
        let has_body = matches!(method.as_str(), "POST" | "PUT" | "PATCH");
        assert_eq!(
            has_body,
            body.is_object(),
            "`{verb}` in cases.rs: {method} takes a body (if empty, {{}})"
        );
        for (field, value) in body.as_object().into_iter().flatten() {
            let is_id = value.as_i64().is_some_and(|id| id < 0);
            let declared = case.body_ids.iter().any(|(names, _)| names[0] == field);
            assert_eq!(is_id, declared, "`{verb}` in cases.rs: `{field}` belongs into its body_ids, or not");
        }
        for (names, _) in case.body_ids {
            assert!(body.get(names[0]).is_some(), "`{verb}` in cases.rs: its body lacks `{}`", names[0]);
        }
    }
}
