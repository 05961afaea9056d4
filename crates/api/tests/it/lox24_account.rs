//! The LOX24 dialect around its account: who gets in, formats, failures.

use std::time::Duration;

use muster_domain::contact::ContactGroupPatch;
use muster_domain::{Ctx, Patch, Timestamp};
use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn the_account_is_shown_in_both_formats() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    insta::assert_snapshot!(world.get("/me").key(&key).header("accept", "application/json").send().await);
    insta::assert_snapshot!(world.get("/me").key(&key).send().await);
}

#[tokio::test]
async fn the_account_names_its_own_groups_while_they_last() {
    let world = World::new().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let key = world.key(&world.acme).await;
    let ends = world.directory().now().plus(Duration::from_mins(1));
    let create = async |of: &Ctx, name: &str, expires_at: Patch<Timestamp>| {
        let patch =
            ContactGroupPatch { name: Some(name.to_owned()), expires_at, ..ContactGroupPatch::default() };
        world.directory().contact_group_create(of, patch.into()).await.unwrap().id.0
    };
    create(&other, "Foreign", Patch::Keep).await;
    let stays = create(&world.acme, "Stays", Patch::Keep).await.to_string();
    let goes = create(&world.acme, "Goes", Patch::Set(ends)).await.to_string();
    let groups = async || world.get("/me").key(&key).send().await.body["groups"].clone();
    let path = |id: &str| format!("/groups/{id}");
    assert_eq!(groups().await, json!({&stays: path(&stays), &goes: path(&goes)}));
    world.advance(Duration::from_mins(1));
    assert_eq!(groups().await, json!({&stays: path(&stays)}));
}

#[tokio::test]
async fn both_forms_of_the_headers_are_taken() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    let client_id = key.client_id.to_string();
    let older = world.get("/me").header("x-lox24-client-id", &client_id);
    assert_eq!(older.header("x-lox24-auth-token", &key.secret).send().await.status, 200);
    let both = world.get("/me").header("X-LOX24-CLIENT-ID", &client_id);
    assert_eq!(both.key(&key).send().await.status, 200);
    // The vendor's samples name a content type on calls without a body.
    let sample = world.get("/me").key(&key).header("content-type", "application/json");
    assert_eq!(sample.send().await.status, 200);
}

#[tokio::test]
async fn nobody_else_gets_in() {
    let world = World::new().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let (key, foreign) = (world.key(&world.acme).await, world.key(&other).await);
    insta::assert_snapshot!(world.get("/me").send().await);
    insta::assert_snapshot!(
        world.get("/me").header("accept", "application/json").header("x-lox24-auth-token", "x").send().await
    );
    let (key_of_other, id_of_other) = (format!("{}:{}", key.client_id, foreign.secret), foreign.client_id);
    let tokens = [key_of_other, format!("{id_of_other}:{}", key.secret), format!("+{}", key.token())];
    for (at, token) in tokens.iter().enumerate() {
        // Each from an address of its own, so that none is blocked.
        let call = world.get("/me").from(&format!("192.0.2.{}", at + 10));
        assert_eq!(call.header("x-lox24-auth-token", token).send().await.status, 401, "{token}");
    }
    assert_eq!(world.get("/me").from("192.0.2.20").key(&key).send().await.status, 200);
    assert_eq!(world.get("/me").from("192.0.2.20").key(&foreign).send().await.body["id"], id_of_other);
}

#[tokio::test]
async fn keys_end() {
    let world = World::new().await;
    let revoked = world.revoked_key(&world.acme).await;
    assert_eq!(world.get("/me").key(&revoked).send().await.status, 401);
    let expiring = world.expiring_key(&world.acme, Duration::from_mins(2)).await;
    assert_eq!(world.get("/me").key(&expiring).send().await.status, 200);
    world.advance(Duration::from_mins(2));
    assert_eq!(world.get("/me").key(&expiring).send().await.status, 401);
}

#[tokio::test]
async fn a_disabled_account_is_told_so_and_a_deleted_one_is_unknown() {
    let world = World::new().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let key = world.key(&other).await;
    world.directory().tenant_disable(other.tenant()).await.unwrap();
    insta::assert_snapshot!(world.get("/me").key(&key).send().await);
    for _ in 0..10 {
        let call = world.get("/me").key(&key).header("accept", "application/json");
        assert_eq!(call.send().await.status, 403, "the key is right, so nobody is blocked");
    }
    let mut wrong = key.clone();
    wrong.secret.replace_range(..1, "x");
    assert_eq!(world.get("/me").key(&wrong).send().await.status, 401);
    world.directory().tenant_enable(other.tenant()).await.unwrap();
    assert_eq!(world.get("/me").key(&key).send().await.status, 200);
    world.directory().tenant_delete(other.tenant(), |_| ()).await.unwrap();
    assert_eq!(world.get("/me").key(&key).send().await.status, 401);
}

#[tokio::test]
async fn the_format_is_the_one_that_is_preferred() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    for (accept, kind) in [
        ("application/json", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/*", "application/ld+json"),
        ("*/*", "application/ld+json"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/ld+json;q=0.8, application/json;q=0.9", "application/json"),
        ("text/html, application/json;q=0.1", "application/json"),
    ] {
        let reply = world.get("/me").key(&key).header("accept", accept).send().await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, kind), "{accept}");
        assert_eq!(reply.header("vary"), "Accept");
        let failure = world.get("/me").header("accept", accept).send().await;
        let kind = kind.replace("application/json", "application/problem+json");
        assert_eq!((failure.status.as_u16(), failure.header("content-type")), (401, &*kind), "{accept}");
    }
    insta::assert_snapshot!(world.get("/me").key(&key).header("accept", "text/html").send().await);
    let refused =
        world.get("/me").key(&key).header("accept", "application/json;q=0, application/ld+json;q=0");
    assert_eq!(refused.send().await.status, 406);
}

#[tokio::test]
async fn unknown_paths_and_methods_get_the_dialects_failures() {
    let world = World::new().await;
    for path in ["/me/", "/me/x", "/groups/1/2/3", "/phones", "/phones/", "/groups/x/y"] {
        let reply = world.get(path).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["hydra:description"]), (404, &json!("Not Found")));
    }
    insta::assert_snapshot!(world.get("/me/x").header("accept", "application/json").send().await);
    insta::assert_snapshot!(world.post("/me", json!({})).send().await);
    // No prefix of the dialect's is part of a name.
    for path in ["/mee", "/groupsx", "/phones2/1"] {
        assert_eq!(world.get(path).send().await.body, json!({"error": "Not Found"}), "{path}");
    }
}

#[tokio::test]
async fn the_request_id_is_the_same_in_both_headers() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    for call in [world.get("/me").key(&key), world.get("/me"), world.get("/groups/x/y"), world.delete("/me")]
    {
        let reply = call.send().await;
        let id = reply.header("x-lox24-request-id");
        assert_eq!(id.len(), 32);
        assert_eq!(id, reply.header("x-request-id").replace('-', ""));
    }
}

#[tokio::test]
async fn a_use_of_a_key_is_noted() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    assert_eq!(world.get("/me").key(&key).send().await.status, 200);
    world.settle().await;
    let all = world.directory().credential_list(&world.acme).await.unwrap();
    let noted = all.iter().find(|credential| credential.id == key.id).unwrap();
    assert_eq!(noted.last_used_at, Some(world.directory().now()));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    let reply = world.call("HEAD", "/me").key(&key).send().await;
    assert_eq!((reply.status.as_u16(), reply.body.is_null()), (200, true));
    assert_eq!(reply.header("content-type"), "application/ld+json");
}
