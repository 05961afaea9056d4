//! What the conversations about users share.

use muster_domain::OrgUnitId;
use muster_domain::user::{Role, UserPatch};
use serde_json::{Value, json};

use crate::support::{Reply, World};

/// Ada, the first admin of Acme, who makes most of the calls.
pub(crate) const ADA: i64 = 1;

/// A body with every field that can be written, some of them as people type them.
pub(crate) fn full() -> Value {
    json!({
        "username": " Zo\u{eb}.Lee@Acme.example ", "first_name": "  Zo\u{eb} ", "last_name": " Lee ",
        "role": "ReadOnly", "ct_user_ou_id": 1002, "user_ext_id": " CRM-9 ",
        "aliases": {"z": [1, 2.5, null], "a": "nick"}, "agent_ring_to": "+13035550110", "agent_code": 9,
        "user_status": "active", "timezone": "europe/berlin", "score_call": true, "access_audio": true,
        "password": "a password of full()"
    })
}

/// A body with the required fields alone.
pub(crate) fn plain(login: &str) -> Value {
    json!({"username": login, "first_name": "Bob", "last_name": "Ray"})
}

/// `body` with other values for some of its fields.
pub(crate) fn with(mut body: Value, changes: &Value) -> Value {
    for (field, value) in changes.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

pub(crate) async fn create(world: &World, token: &str, body: Value) -> Reply {
    world.post("/v3/users", body).bearer(token).send().await
}

/// The id of a user that must be created.
pub(crate) async fn created(world: &World, token: &str, body: Value) -> i64 {
    let reply = create(world, token, body).await;
    assert_eq!(reply.status, 201, "{reply}");
    reply.body["data"]["userId"].as_i64().unwrap()
}

pub(crate) async fn get(world: &World, token: &str, id: i64) -> Reply {
    world.get(&format!("/v3/users/{id}")).bearer(token).send().await
}

/// The object of a user that must be there.
pub(crate) async fn data(world: &World, token: &str, id: i64) -> Value {
    let mut reply = get(world, token, id).await;
    assert_eq!(reply.status, 200, "{reply}");
    reply.body["data"].take()
}

pub(crate) async fn put(world: &World, token: &str, id: i64, body: Value) -> Reply {
    world.put(&format!("/v3/users/{id}"), body).bearer(token).send().await
}

pub(crate) async fn patch(world: &World, token: &str, id: i64, body: Value) -> Reply {
    world.patch(&format!("/v3/users/{id}"), body).bearer(token).send().await
}

pub(crate) async fn delete(world: &World, token: &str, id: i64) -> Reply {
    world.delete(&format!("/v3/users/{id}")).bearer(token).send().await
}

/// The status of a log-in.
pub(crate) async fn log_in(world: &World, login: &str, password: &str) -> u16 {
    let body = json!({"email": login, "password": password});
    world.post("/oauth/token", body).send().await.status.as_u16()
}

/// The status of a call with this token.
pub(crate) async fn profile(world: &World, token: &str) -> u16 {
    world.get("/v3/auth/profile").bearer(token).send().await.status.as_u16()
}

/// A user without a password, made as a dialect makes it that wants little of logins and names; its id.
pub(crate) async fn provisioned(world: &World, login: &str, first: &str, last: &str) -> i64 {
    let patch = UserPatch {
        login: Some(login.to_owned()),
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        role: Some(Role::Standard),
        org_unit_id: Some(OrgUnitId(1002)),
        ..UserPatch::default()
    };
    world.directory().user_create(&world.acme, patch.into()).await.unwrap().id.0
}
