//! Creating, replacing, changing, moving, archiving and restoring groups.

use muster_domain::user::Role;
use serde_json::{Value, json};

use crate::support::{Reply, World};

fn full() -> Value {
    json!({
        "org_unit_name": "  Caf\u{e9} Division ", "org_unit_ext_id": " ORG-7 ", "org_unit_parent_id": 1001,
        "top_ou_id": 1, "billing_id": 88, "address": "1 Elm St", "city": "Reno", "state": "NV", "zip": "89501",
        "phone_number": "+1-775-555-0100", "industry_id": 4, "timezone": "europe/berlin"
    })
}

async fn create(world: &World, token: &str, body: Value) -> Reply {
    world.post("/v3/groups", body).bearer(token).send().await
}

async fn data(world: &World, token: &str, id: i64) -> Value {
    world.get(&format!("/v3/groups/{id}")).bearer(token).send().await.body["data"].take()
}

#[tokio::test]
async fn a_group_is_created_with_all_its_fields() {
    let world = World::new().await;
    let token = world.admin().await;
    let made = create(&world, &token, full()).await;
    assert_eq!(made.status, 201);
    insta::assert_json_snapshot!(data(&world, &token, 1005).await);
    let last = world.journal().await.pop().unwrap();
    insta::assert_debug_snapshot!(last);
}

#[tokio::test]
async fn a_group_needs_only_a_name() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    let made = create(&world, &token, json!({"org_unit_name": "New"})).await;
    assert_eq!(made.status, 201, "{made}");
    let group = data(&world, &token, 1005).await;
    assert_eq!(group["org_unit_parent_id"], 1001);
    assert_eq!(group["timezone"], "America/New_York");
    assert_eq!(group["group_level"], 2);
    assert_eq!(group["top_ou_id"], 1000);
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let world = World::new().await;
    let token = world.admin().await;
    let before = world.journal().await.len();
    let body = json!({
        "org_unit_name": " ", "org_unit_ext_id": "x".repeat(101), "org_unit_parent_id": 77, "top_ou_id": "1",
        "billing_id": 1.5, "address": 5, "city": "x".repeat(101), "state": "x".repeat(101), "zip": "x".repeat(21),
        "phone_number": "x".repeat(33), "industry_id": 21, "timezone": "Mars/Olympus"
    });
    insta::assert_snapshot!(create(&world, &token, body).await);
    assert_eq!(create(&world, &token, json!({})).await.fields(), ["org_unit_name"]);
    let null = json!({"org_unit_name": null, "org_unit_parent_id": null});
    assert_eq!(create(&world, &token, null).await.fields(), ["org_unit_name", "org_unit_parent_id"]);
    assert_eq!(world.journal().await.len(), before);
}

#[tokio::test]
async fn active_siblings_have_different_names() {
    let world = World::new().await;
    let token = world.admin().await;
    let named = |name: &str, parent: i64| json!({"org_unit_name": name, "org_unit_parent_id": parent});
    insta::assert_snapshot!(create(&world, &token, named(" TEAM a", 1001)).await);
    assert_eq!(create(&world, &token, named("Team A", 1004)).await.status, 201);
    let rename =
        world.patch("/v3/groups/1003", json!({"org_unit_name": "team A"})).bearer(&token).send().await;
    assert_eq!((rename.status.as_u16(), rename.fields()), (400, vec!["org_unit_name"]));
    // Its own name in another case is no duplicate.
    let recase =
        world.patch("/v3/groups/1002", json!({"org_unit_name": "TEAM A"})).bearer(&token).send().await;
    assert_eq!(recase.status, 200);
    // An archived one leaves its name to others.
    assert_eq!(world.delete("/v3/groups/1002").bearer(&token).send().await.status, 200);
    assert_eq!(create(&world, &token, named("Team A", 1001)).await.status, 201);
    let restore = world.patch("/v3/groups/1002", json!({"org_unit_status": "active"}));
    assert_eq!(restore.bearer(&token).send().await.fields(), ["org_unit_name"]);
}

#[tokio::test]
async fn put_replaces_and_patch_changes_what_is_named() {
    let world = World::new().await;
    let token = world.admin().await;
    create(&world, &token, full()).await;
    let patch = json!({"city": "Sparks", "zip": null, "timezone": null, "billing_id": 1, "org_unit_id": 9});
    assert_eq!(world.patch("/v3/groups/1005", patch).bearer(&token).send().await.status, 200);
    let patched = data(&world, &token, 1005).await;
    insta::assert_json_snapshot!(patched);

    let put = json!({"org_unit_name": "Plain"});
    assert_eq!(world.put("/v3/groups/1005", put).bearer(&token).send().await.status, 200);
    let replaced = data(&world, &token, 1005).await;
    insta::assert_json_snapshot!(replaced);
}

#[tokio::test]
async fn what_get_returns_can_be_sent_back() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let admin = world.admin().await;
    let branch = world.token("branch@acme.example").await;
    create(&world, &admin, full()).await;
    let before = world.journal().await;
    // The top has no parent; a branch admin's own unit has one outside of its scope.
    for (token, id) in [(&admin, 1005), (&admin, 1000), (&admin, 1001), (&branch, 1001), (&branch, 1005)] {
        let object = data(&world, token, id).await;
        for method in ["PUT", "PATCH"] {
            let call = world.call(method, &format!("/v3/groups/{id}"));
            let reply = call.json(object.clone()).bearer(token).send().await;
            assert_eq!(reply.status, 200, "{method} {id}: {reply}");
        }
        assert_eq!(data(&world, token, id).await, object, "{id}");
    }
    assert_eq!(world.journal().await, before, "a change that changes nothing commits nothing");
}

#[tokio::test]
async fn both_names_of_the_parent_are_understood_unless_they_differ() {
    let world = World::new().await;
    let token = world.admin().await;
    let patch = |body: Value| world.patch("/v3/groups/1002", body).bearer(&token).send();
    assert_eq!(patch(json!({"parent_org_unit_id": 1004})).await.status, 200);
    assert_eq!(data(&world, &token, 1002).await["org_unit_parent_id"], 1004);
    assert_eq!(patch(json!({"parent_org_unit_id": 1001, "org_unit_parent_id": 1001})).await.status, 200);
    insta::assert_snapshot!(patch(json!({"parent_org_unit_id": 1001, "org_unit_parent_id": 1004})).await);
}

#[tokio::test]
async fn a_move_takes_the_subtree_along() {
    let world = World::new().await;
    let token = world.admin().await;
    let reply =
        world.patch("/v3/groups/1001", json!({"org_unit_parent_id": 1004})).bearer(&token).send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(data(&world, &token, 1001).await["group_level"], 3);
    assert_eq!(data(&world, &token, 1002).await["group_level"], 4);
    let last = world.journal().await.pop().unwrap();
    assert_eq!((last.kind.as_str(), last.payload), ("org_unit.moved", json!({"parent_id": [1000, 1004]})));
}

#[tokio::test]
async fn moves_that_break_the_tree_are_refused() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let admin = world.admin().await;
    let branch = world.token("branch@acme.example").await;
    world.delete("/v3/groups/1004").bearer(&admin).send().await;
    let before = world.journal().await;
    let mut replies = Vec::new();
    for (token, id, parent) in [
        (&admin, 1001, json!(1001)),
        (&admin, 1001, json!(1002)),
        (&admin, 1000, json!(1001)),
        (&admin, 1001, json!(1004)),
        (&admin, 1001, json!(99_999)),
        (&admin, 1001, json!(null)),
        (&admin, 1001, json!("1000")),
        (&branch, 1001, json!(1002)),
        (&branch, 1002, json!(1000)),
    ] {
        let body = json!({"org_unit_parent_id": parent});
        let reply = world.patch(&format!("/v3/groups/{id}"), body).bearer(token).send().await;
        replies.push(format!("{id} under {parent}: {} {}", reply.status, reply.body["error"]));
        assert_eq!(reply.fields(), ["org_unit_parent_id"]);
    }
    insta::assert_debug_snapshot!(replies);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn the_hierarchy_ends_at_level_64() {
    let world = World::new().await;
    let token = world.admin().await;
    let mut parent = 1004;
    for level in 3..=64 {
        parent = world.unit(&format!("Level {level}"), parent).await;
    }
    let below = json!({"org_unit_name": "Level 65", "org_unit_parent_id": parent});
    insta::assert_snapshot!(create(&world, &token, below).await);
    let moved =
        world.patch("/v3/groups/1002", json!({"org_unit_parent_id": parent})).bearer(&token).send().await;
    assert_eq!((moved.status.as_u16(), moved.fields()), (400, vec!["org_unit_parent_id"]));
    // What hangs below a moved group may go deeper.
    let above = data(&world, &token, parent).await["org_unit_parent_id"].clone();
    let moved =
        world.patch("/v3/groups/1001", json!({"org_unit_parent_id": above})).bearer(&token).send().await;
    assert_eq!(moved.status, 200, "{moved}");
    assert_eq!(data(&world, &token, 1002).await["group_level"], 65);
}

#[tokio::test]
async fn delete_archives_what_is_empty() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1003).await;
    let admin = world.admin().await;
    let branch = world.token("branch@acme.example").await;
    let delete = |id: i64, token: &str| world.delete(&format!("/v3/groups/{id}")).bearer(token).send();
    insta::assert_snapshot!(delete(1002, &admin).await);
    assert_eq!(data(&world, &admin, 1002).await["org_unit_status"], "inactive");
    // Again: nothing to do.
    let before = world.journal().await;
    assert_eq!(delete(1002, &admin).await.status, 200);
    let mut replies = Vec::new();
    for (id, token) in [(1001, &admin), (1003, &admin), (1000, &admin), (1003, &branch)] {
        let reply = delete(id, token).await;
        replies.push(format!("{id}: {} {}", reply.status, reply.body["error"]));
    }
    insta::assert_debug_snapshot!(replies);
    assert_eq!(delete(1001, &branch).await.status, 404);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn an_archived_group_can_be_edited_and_restored() {
    let world = World::new().await;
    let token = world.admin().await;
    let patch = |id: i64, body: Value| world.patch(&format!("/v3/groups/{id}"), body).bearer(&token).send();
    assert_eq!(patch(1002, json!({"org_unit_status": "inactive"})).await.status, 200);
    assert_eq!(patch(1003, json!({"org_unit_status": "inactive"})).await.status, 200);
    assert_eq!(patch(1002, json!({"org_unit_name": "Old Team", "city": "Reno"})).await.status, 200);
    assert_eq!(patch(1001, json!({"org_unit_status": "inactive"})).await.status, 200);
    insta::assert_snapshot!(patch(1002, json!({"org_unit_status": "active"})).await);
    // Restored and moved at once, it does not need its old parent.
    let both = json!({"org_unit_status": "active", "org_unit_parent_id": 1004});
    assert_eq!(patch(1002, both).await.status, 200);
    assert_eq!(patch(1001, json!({"org_unit_status": null})).await.status, 200);
    assert_eq!(data(&world, &token, 1001).await["org_unit_status"], "active");
    assert_eq!(patch(1001, json!({"org_unit_status": "deleted"})).await.fields(), ["org_unit_status"]);
    let kinds: Vec<String> =
        world.journal().await.into_iter().rev().take(6).map(|entry| entry.kind).collect();
    insta::assert_debug_snapshot!(kinds);
}

#[tokio::test]
async fn nothing_is_put_under_an_archived_group() {
    let world = World::new().await;
    let token = world.admin().await;
    world.delete("/v3/groups/1004").bearer(&token).send().await;
    let reply = create(&world, &token, json!({"org_unit_name": "New", "org_unit_parent_id": 1004})).await;
    insta::assert_snapshot!(reply);
}

#[tokio::test]
async fn a_change_moves_the_modified_time_and_nothing_else_does() {
    let world = World::new().await;
    let token = world.admin().await;
    let before = data(&world, &token, 1002).await;
    world.advance(std::time::Duration::from_secs(5));
    let same = json!({"org_unit_name": "Team A"});
    assert_eq!(world.patch("/v3/groups/1002", same).bearer(&token).send().await.status, 200);
    assert_eq!(data(&world, &token, 1002).await, before);
    let other = json!({"org_unit_name": "Team Z"});
    assert_eq!(world.patch("/v3/groups/1002", other).bearer(&token).send().await.status, 200);
    let after = data(&world, &token, 1002).await;
    assert_eq!(after["org_unit_created"], before["org_unit_created"]);
    assert_ne!(after["org_unit_modified"], before["org_unit_modified"]);
    assert_eq!(after["org_unit_modified"], after["group_modified"]);
}
