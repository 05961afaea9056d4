//! The tree in its two forms, and the list of ids.

use muster_domain::user::Role;
use serde_json::{Value, json};

use crate::support::World;

#[tokio::test]
async fn the_tree_is_flat_and_depth_first() {
    let world = World::new().await;
    let token = world.admin().await;
    insta::assert_snapshot!(world.get("/v3/groups/tree").bearer(&token).send().await);
}

#[tokio::test]
async fn the_tree_can_be_nested() {
    let world = World::new().await;
    let token = world.admin().await;
    insta::assert_snapshot!(world.get("/v3/groups/tree?nested=true").bearer(&token).send().await);
}

#[tokio::test]
async fn both_forms_of_the_tree_agree() {
    fn flatten(nested: &Value, flat: &mut Vec<Value>) {
        for node in nested.as_array().unwrap() {
            let mut row = node.clone();
            row.as_object_mut().unwrap().remove("children");
            flat.push(row);
            flatten(&node["children"], flat);
        }
    }
    let world = World::new().await;
    let token = world.admin().await;
    for i in 0..30 {
        world.unit(&format!("Unit {i}"), 1000 + (i * 7) % (5 + i)).await;
    }
    let flat = world.get("/v3/groups/tree").bearer(&token).send().await;
    let nested = world.get("/v3/groups/tree?nested=true").bearer(&token).send().await;
    let mut rows = Vec::new();
    flatten(&nested.body["data"]["groups"], &mut rows);
    assert_eq!(Value::Array(rows), flat.body["data"]["groups"]);
}

#[tokio::test]
async fn a_branch_is_a_tree_of_its_own() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    let reply = world.get("/v3/groups/tree").bearer(&token).send().await;
    let rows = reply.body["data"]["groups"].as_array().unwrap();
    let seen: Vec<Value> = rows
        .iter()
        .map(|row| json!([row["org_unit_id"], row["org_unit_parent_id"], row["code"], row["group_level"]]))
        .collect();
    assert_eq!(json!(seen), json!([[1001, null, "1", 1], [1002, 1001, "1.1", 2], [1003, 1001, "1.2", 2]]));
}

#[tokio::test]
async fn archived_groups_are_shown_when_asked_for() {
    let world = World::new().await;
    let token = world.admin().await;
    world.delete("/v3/groups/1002").bearer(&token).send().await;
    let codes = |active: &str| {
        let call = world.get(&format!("/v3/groups/tree?active={active}")).bearer(&token);
        async move {
            let reply = call.send().await;
            let rows = reply.body["data"]["groups"].as_array().unwrap().clone();
            rows.iter().map(|row| format!("{} {}", row["org_unit_id"], row["code"])).collect::<Vec<_>>()
        }
    };
    assert_eq!(codes("true").await, ["1000 \"1\"", "1001 \"1.1\"", "1003 \"1.1.1\"", "1004 \"1.2\""]);
    assert_eq!(
        codes("false").await,
        ["1000 \"1\"", "1001 \"1.1\"", "1002 \"1.1.1\"", "1003 \"1.1.2\"", "1004 \"1.2\""]
    );
}

#[tokio::test]
async fn a_very_deep_tree_is_answered_in_its_flat_form() {
    let world = World::new().await;
    let token = world.admin().await;
    // Chains of 62 units, each hung under the end of the next: what hangs below level 64 may go deeper.
    let mut above = None;
    for chain in 0..4 {
        let (mut root, mut bottom) = (None, 1000);
        for unit in 0..62 {
            bottom = world.unit(&format!("Chain {chain} unit {unit}"), bottom).await;
            root.get_or_insert(bottom);
        }
        if let Some(above) = above {
            let body = json!({"org_unit_parent_id": bottom});
            let moved = world.patch(&format!("/v3/groups/{above}"), body).bearer(&token).send().await;
            assert_eq!(moved.status, 200, "{moved}");
        }
        above = root;
    }
    let reply = world.get("/v3/groups/tree").bearer(&token).send().await;
    let rows = reply.body["data"]["groups"].as_array().unwrap();
    assert_eq!(rows.len(), 5 + 4 * 62);
    assert_eq!(rows.iter().filter_map(|row| row["group_level"].as_i64()).max(), Some(1 + 4 * 62));
    assert!(rows.iter().any(|row| row["code"].as_str().unwrap().split('.').count() == 1 + 4 * 62));
}

#[tokio::test]
async fn the_ids_of_a_branch_begin_with_its_root() {
    let world = World::new().await;
    let token = world.admin().await;
    world.delete("/v3/groups/1002").bearer(&token).send().await;
    // A branch whose root is younger than what hangs below it.
    let young = world.unit("Young", 1000).await;
    let patch = json!({"org_unit_parent_id": young});
    world.patch("/v3/groups/1001", patch).bearer(&token).send().await;
    let reply = world.get(&format!("/v3/groups/org-list/{young}")).bearer(&token).send().await;
    insta::assert_snapshot!(reply);
}

#[tokio::test]
async fn the_ids_of_a_foreign_or_unknown_unit_are_unauthorized() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    for id in ["1000", "1004", "99999", "abc"] {
        let reply = world.get(&format!("/v3/groups/org-list/{id}")).bearer(&token).send().await;
        assert_eq!(reply.status, 401, "{id}");
        assert_eq!(reply.body["error"], "You have no access to this org unit");
    }
}

#[tokio::test]
async fn industries_are_for_everybody() {
    let world = World::new().await;
    world.user("rea@acme.example", Role::ReadOnly, 1001).await;
    let token = world.token("rea@acme.example").await;
    insta::assert_snapshot!(world.get("/v3/industry").bearer(&token).send().await);
}
