//! Entity tags: `ETag`, `If-Match`, `If-None-Match`.

use serde_json::{Value, json};

use crate::people::{ADA, created, data, delete, full, get, patch, put, with};
use crate::support::World;

async fn tag(world: &World, token: &str, id: i64) -> String {
    let reply = world.get(&format!("/v3/groups/{id}")).bearer(token).send().await;
    assert_eq!(reply.status, 200);
    reply.header("etag").to_owned()
}

#[tokio::test]
async fn a_read_of_a_known_version_is_not_modified() {
    let world = World::new().await;
    let token = world.admin().await;
    let known = tag(&world, &token, 1002).await;
    assert_eq!(known, "W/\"1.3\"");
    let reply = world.get("/v3/groups/1002").bearer(&token).header("if-none-match", &known).send().await;
    insta::assert_snapshot!(reply);
    world.patch("/v3/groups/1002", json!({"city": "Reno"})).bearer(&token).send().await;
    let reply = world.get("/v3/groups/1002").bearer(&token).header("if-none-match", &known).send().await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_write_on_an_old_version_is_refused() {
    let world = World::new().await;
    let token = world.admin().await;
    let known = tag(&world, &token, 1002).await;
    let write = |condition: &str, city: &str| {
        world
            .patch("/v3/groups/1002", json!({"city": city}))
            .header("if-match", condition)
            .bearer(&token)
            .send()
    };
    assert_eq!(write(&known, "Reno").await.status, 200);
    let before = world.journal().await;
    insta::assert_snapshot!(write(&known, "Sparks").await);
    assert_eq!(write("\"nonsense\"", "Sparks").await.status, 412);
    assert_eq!(world.journal().await, before);
    assert_eq!(write("*", "Sparks").await.status, 200);
    // The strong form of the tag is accepted, and so is one of several.
    let known = tag(&world, &token, 1002).await;
    let several = format!("\"other\", {}", known.strip_prefix("W/").unwrap());
    assert_eq!(write(&several, "Elko").await.status, 200);
}

#[tokio::test]
async fn a_delete_on_an_old_version_is_refused() {
    let world = World::new().await;
    let token = world.admin().await;
    let known = tag(&world, &token, 1002).await;
    world.patch("/v3/groups/1002", json!({"city": "Reno"})).bearer(&token).send().await;
    let delete = |condition: String| {
        world.delete("/v3/groups/1002").header("if-match", &condition).bearer(&token).send()
    };
    assert_eq!(delete(known).await.status, 412);
    assert_eq!(delete(tag(&world, &token, 1002).await).await.status, 200);
}

#[tokio::test]
async fn a_tag_covers_the_level_that_is_shown() {
    let world = World::new().await;
    let token = world.admin().await;
    let known = tag(&world, &token, 1002).await;
    world.patch("/v3/groups/1001", json!({"org_unit_parent_id": 1004})).bearer(&token).send().await;
    assert_ne!(tag(&world, &token, 1002).await, known);
    let write = world.patch("/v3/groups/1002", json!({"city": "Reno"})).header("if-match", &known);
    assert_eq!(write.bearer(&token).send().await.status, 412);
}

#[tokio::test]
async fn a_failing_body_comes_before_a_failing_condition() {
    let world = World::new().await;
    let token = world.admin().await;
    let call =
        || world.patch("/v3/groups/1002", json!({"city": 5})).header("if-match", "\"old\"").bearer(&token);
    assert_eq!(call().send().await.status, 400);
    // And a condition comes before the rules: 1001 is not empty.
    let delete = world.delete("/v3/groups/1001").header("if-match", "\"old\"").bearer(&token);
    assert_eq!(delete.send().await.status, 412);
}

/// The tag of a user.
async fn user_tag(world: &World, token: &str, id: i64) -> String {
    get(world, token, id).await.header("etag").to_owned()
}

#[tokio::test]
async fn a_known_version_of_a_user_is_not_modified() {
    let world = World::new().await;
    let token = world.admin().await;
    let id = created(&world, &token, full()).await;
    let known = user_tag(&world, &token, id).await;
    let read = |known: String| {
        world.get(&format!("/v3/users/{id}")).bearer(&token).header("if-none-match", &known).send()
    };
    insta::assert_snapshot!(read(known.clone()).await);
    assert_eq!(read("*".to_owned()).await.status, 304);
    assert_eq!(read("\"other\"".to_owned()).await.status, 200);
    assert_eq!(patch(&world, &token, id, json!({"agent_code": 10})).await.status, 200);
    assert_eq!(read(known.clone()).await.status, 200);
    assert_eq!(read(format!("{known}, {}", user_tag(&world, &token, id).await)).await.status, 304);
}

#[tokio::test]
async fn a_write_on_an_old_version_of_a_user_is_refused() {
    let world = World::new().await;
    let token = world.admin().await;
    let id = created(&world, &token, full()).await;
    let object = data(&world, &token, id).await;
    let write = |method: &str, condition: &str, body: &Value| {
        let call = world.call(method, &format!("/v3/users/{id}")).json(body.clone());
        call.header("if-match", condition).bearer(&token).send()
    };
    let old = user_tag(&world, &token, id).await;
    assert_eq!(write("PATCH", &old, &json!({"agent_code": 10})).await.status, 200);
    let before = world.journal().await;
    insta::assert_snapshot!(write("PATCH", &old, &json!({"agent_code": 11})).await);
    for (method, body) in [("PUT", &object), ("PATCH", &json!({})), ("DELETE", &json!({}))] {
        for condition in [old.as_str(), "\"nonsense\"", "nonsense"] {
            assert_eq!(write(method, condition, body).await.status, 412, "{method} {condition}");
        }
    }
    assert_eq!(world.journal().await, before);
    let new = user_tag(&world, &token, id).await;
    assert_eq!(write("PUT", &format!("\"other\", {new}"), &object).await.status, 200);
    assert_eq!(write("PATCH", "*", &json!({"agent_code": 12})).await.status, 200);
    let new = user_tag(&world, &token, id).await;
    // The strong form of the tag is accepted.
    assert_eq!(write("DELETE", new.strip_prefix("W/").unwrap(), &json!({})).await.status, 200);
}

#[tokio::test]
async fn the_tag_of_a_user_covers_the_units_that_its_row_names() {
    let world = World::new().await;
    let token = world.admin().await;
    let id = created(&world, &token, full()).await;
    let mut seen = vec![user_tag(&world, &token, id).await];
    let changes = [
        (1002, json!({"org_unit_name": "Renamed"})),
        (1001, json!({"org_unit_name": "Renamed"})),
        (1000, json!({"org_unit_name": "Renamed"})),
        (1001, json!({"org_unit_ext_id": "R-1"})),
        (1002, json!({"org_unit_parent_id": 1004})),
    ];
    for (unit, body) in changes {
        let reply = world.patch(&format!("/v3/groups/{unit}"), body).bearer(&token).send().await;
        assert_eq!(reply.status, 200, "{reply}");
        let known = seen.last().unwrap().clone();
        let code = json!({"agent_code": 10});
        let write = world.patch(&format!("/v3/users/{id}"), code).header("if-match", &known);
        assert_eq!(write.bearer(&token).send().await.status, 412);
        seen.push(user_tag(&world, &token, id).await);
    }
    let moved = json!({"ct_user_ou_id": 1003});
    assert_eq!(patch(&world, &token, id, moved).await.status, 200);
    seen.push(user_tag(&world, &token, id).await);
    // A unit that the row does not name is none of its business.
    world.patch("/v3/groups/1004", json!({"city": "Reno"})).bearer(&token).send().await;
    assert_eq!(user_tag(&world, &token, id).await, *seen.last().unwrap());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7, "{seen:?}");
}

#[tokio::test]
async fn a_users_body_comes_before_the_condition_and_the_condition_before_the_rules() {
    let world = World::new().await;
    let token = world.admin().await;
    let id = created(&world, &token, full()).await;
    let write = |id: i64, body: Value| {
        let call = world.patch(&format!("/v3/users/{id}"), body).header("if-match", "\"old\"");
        call.bearer(&token).send()
    };
    assert_eq!(write(id, json!({"agent_code": -1})).await.status, 400);
    assert_eq!(write(id, json!({"ct_user_ou_id": 99_999})).await.status, 400);
    // The last admin, and a login that somebody has.
    assert_eq!(write(ADA, json!({"role": "Standard"})).await.status, 412);
    assert_eq!(write(id, json!({"username": "ada@acme.example"})).await.status, 412);
    let ended = world.delete(&format!("/v3/users/{ADA}")).header("if-match", "\"old\"").bearer(&token);
    assert_eq!(ended.send().await.status, 412);
    // A user who is gone is gone, whatever the condition.
    assert_eq!(delete(&world, &token, id).await.status, 200);
    assert_eq!(write(id, json!({})).await.status, 404);
    assert_eq!(put(&world, &token, id, with(full(), &json!({}))).await.status, 404);
}
