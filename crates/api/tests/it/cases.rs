//! What the coverage tests know of each call, in one table: `authz_coverage` and `tenancy` try every route
//! of the server with it, and a route that is not described here fails them.

use std::collections::BTreeSet;

use muster_api::Route;
use muster_domain::Access;
use muster_domain::user::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::media_prompts;
use crate::people::{plain, with};
use crate::support::{Call, PASSWORD, World};

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

const ADMINS: Who = Who::Roles(&[Role::Admin]);
const EVERYBODY: Who = Who::Roles(&[Role::Admin, Role::Standard, Role::ReadOnly]);
const WORKERS: Who = Who::Roles(&[Role::Admin, Role::Standard]);
const READERS: Who = Who::Keys(Access::Read);
const WRITERS: Who = Who::Keys(Access::Write);
const BEARERS: Who = Who::Tokens(Access::Read);
const BEARING_WRITERS: Who = Who::Tokens(Access::Write);
const SIGNERS: Who = Who::Signers(Access::Read);
const SIGNING_WRITERS: Who = Who::Signers(Access::Write);
const PARENT: (&[&str], Kind) = (&["org_unit_parent_id", "parent_org_unit_id"], Kind::Unit);
const UNIT_OF_USER: (&[&str], Kind) = (&["ct_user_ou_id"], Kind::Unit);
const UNIT_OF_TAG: (&[&str], Kind) = (&["org_unit_id"], Kind::Unit);
const ORG_UNIT: (&str, Kind) = ("org_unit_id", Kind::Unit);
const GROUP_OF_USER: (&[&str], Kind) = (&["userGroupId"], Kind::UserGroup);

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

fn tag(own: &Own) -> Value {
    json!({"tag_name": "Covered", "tag_color": "#1f77b4", "org_unit_id": own.unit})
}

fn media_prompt(own: &Own) -> Value {
    json!({"message_type": "prompt", "org_unit_id": own.unit})
}

fn contact_group(_: &Own) -> Value {
    json!({"name": "Covered", "phones": [{"phone": "+12015550190"}]})
}

fn contact(_: &Own) -> Value {
    json!({"phone": "+12015550191"})
}

fn signed_user(own: &Own) -> Value {
    json!({"firstName": "Cove", "lastName": "Red", "email": "covered@example.net", "userGroupId": own.user_group})
}

fn user_group(_: &Own) -> Value {
    json!({"name": "Covered", "externalId": "C-1"})
}

fn scim_user(_: &Own) -> Value {
    json!({"userName": "covered@example.net"})
}

fn scim_group(own: &Own) -> Value {
    json!({"displayName": "Covered", "members": [{"value": own.user_uuid}]})
}

fn operations(_: &Own) -> Value {
    json!({"Operations": [{"op": "replace", "value": {"displayName": "Covered"}}]})
}

fn nothing(_: &Own) -> Value {
    json!({})
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
    case("ad_source_list", EVERYBODY),
    case("media_prompt_list", EVERYBODY),
    Case { body: media_prompt, body_ids: &[UNIT_OF_TAG], ..case("media_prompt_create", WORKERS) },
    Case { path: Some(Kind::MediaPrompt), ..case("media_prompt_delete", WORKERS) },
    Case { path: Some(Kind::MediaPrompt), ..case("media_prompt_content", EVERYBODY) },
    case("tag_list", EVERYBODY),
    Case { body: tag, body_ids: &[UNIT_OF_TAG], ..case("tag_create", WORKERS) },
    Case { path: Some(Kind::Tag), ..case("tag_get", EVERYBODY) },
    Case { path: Some(Kind::Tag), body: tag, body_ids: &[UNIT_OF_TAG], ..case("tag_update", WORKERS) },
    Case { path: Some(Kind::Tag), ..case("tag_delete", WORKERS) },
    case("account_get", READERS),
    case("contact_group_list", READERS),
    Case { body: contact_group, ..case("contact_group_create", WRITERS) },
    Case { path: Some(Kind::ContactGroup), ..case("contact_group_get", READERS) },
    Case { path: Some(Kind::ContactGroup), body: contact_group, ..case("contact_group_update", WRITERS) },
    Case { path: Some(Kind::ContactGroup), ..case("contact_group_delete", WRITERS) },
    Case { path: Some(Kind::ContactGroup), ..case("contact_export", READERS) },
    Case { path: Some(Kind::ContactGroup), ..case("contact_list", READERS) },
    Case { path: Some(Kind::ContactGroup), body: contact, ..case("contact_create", WRITERS) },
    Case {
        path: Some(Kind::ContactGroup),
        body: |own| json!([contact(own)]),
        ..case("contacts_add", WRITERS)
    },
    Case { path: Some(Kind::Contact), ..case("contact_get", READERS) },
    Case { path: Some(Kind::Contact), body: contact, ..case("contact_update", WRITERS) },
    Case { path: Some(Kind::Contact), ..case("contact_delete", WRITERS) },
    case("user_group_list", SIGNERS),
    Case { body: user_group, ..case("user_group_create", SIGNING_WRITERS) },
    Case { path: Some(Kind::UserGroup), ..case("user_group_get", SIGNERS) },
    Case { path: Some(Kind::UserGroup), body: user_group, ..case("user_group_update", SIGNING_WRITERS) },
    Case { path: Some(Kind::UserGroup), ..case("user_group_delete", SIGNING_WRITERS) },
    Case { query_ids: &[("userGroupId", Kind::UserGroup)], ..case("user_list", SIGNERS) },
    Case { body: signed_user, body_ids: &[GROUP_OF_USER], ..case("user_create", SIGNING_WRITERS) },
    Case { path: Some(Kind::UserUuid), ..case("user_get", SIGNERS) },
    Case {
        path: Some(Kind::UserUuid),
        body: signed_user,
        body_ids: &[GROUP_OF_USER],
        ..case("user_update", SIGNING_WRITERS)
    },
    Case { path: Some(Kind::UserUuid), ..case("user_erase", SIGNING_WRITERS) },
    case("user_list", BEARERS),
    Case { body: scim_user, ..case("user_create", BEARING_WRITERS) },
    Case { body: nothing, ..case("user_search", BEARERS) },
    Case { path: Some(Kind::UserUuid), ..case("user_get", BEARERS) },
    Case { path: Some(Kind::UserUuid), body: scim_user, ..case("user_replace", BEARING_WRITERS) },
    Case { path: Some(Kind::UserUuid), body: operations, ..case("user_patch", BEARING_WRITERS) },
    Case { path: Some(Kind::UserUuid), ..case("user_erase", BEARING_WRITERS) },
    case("group_list", BEARERS),
    Case { body: scim_group, ..case("group_create", BEARING_WRITERS) },
    Case { body: nothing, ..case("group_search", BEARERS) },
    Case { path: Some(Kind::UserGroup), ..case("group_get", BEARERS) },
    Case { path: Some(Kind::UserGroup), body: scim_group, ..case("group_replace", BEARING_WRITERS) },
    Case { path: Some(Kind::UserGroup), body: operations, ..case("group_patch", BEARING_WRITERS) },
    Case { path: Some(Kind::UserGroup), ..case("group_delete", BEARING_WRITERS) },
    Case { body: nothing, ..case("search", BEARERS) },
    case("me_get", BEARERS),
    Case { body: nothing, ..case("me_write", BEARING_WRITERS) },
    case("me_delete", BEARING_WRITERS),
    case("config_get", Who::Anyone),
    case("resource_type_list", BEARERS),
    Case { path: Some(Kind::Common("User")), ..case("resource_type_get", BEARERS) },
    case("schema_list", BEARERS),
    Case {
        path: Some(Kind::Common("urn:ietf:params:scim:schemas:core:2.0:User")),
        ..case("schema_get", BEARERS)
    },
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
            Who::Anyone | Who::Roles(_) | Who::Keys(_) => 0,
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
    } else {
        0
    }
}

/// A call with this id in the path and this body, if it is not null.
pub(crate) fn call<'a>(world: &'a World, route: &Route, id: &str, body: Value) -> Call<'a> {
    let call = world.call(route.method.as_str(), &route.path.replace("{id}", id));
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
        assert!(routed.contains(&kind(case)), "`{}` in cases.rs is no route any more: remove it", case.verb);
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
        assert_eq!(ids, path.matches("{id}").count(), "{path}: teach cases.rs what else varies in a path");
        assert_eq!(ids == 1, case.path.is_some(), "`{verb}` in cases.rs: say what the id in {path} names");
        let body = (case.body)(&own);
        let has_body = matches!(method.as_str(), "POST" | "PUT" | "PATCH");
        assert_eq!(has_body, !body.is_null(), "`{verb}` in cases.rs: {method} takes a body (if empty, {{}})");
        for (field, value) in body.as_object().into_iter().flatten() {
            let is_id = value.as_i64().is_some_and(|id| id < 0) || *value == Uuid::nil().to_string();
            let declared = case.body_ids.iter().any(|(names, _)| names[0] == field);
            assert_eq!(is_id, declared, "`{verb}` in cases.rs: `{field}` belongs into its body_ids, or not");
        }
        for (names, _) in case.body_ids {
            assert!(body.get(names[0]).is_some(), "`{verb}` in cases.rs: its body lacks `{}`", names[0]);
        }
    }
}
