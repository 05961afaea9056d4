//! The two lists of groups: children, and all below.

use muster_domain::user::Role;
use serde_json::json;

use crate::support::{Reply, World};

fn ids(reply: &Reply) -> Vec<i64> {
    let rows = reply.body["data"]["groups"].as_array().unwrap_or_else(|| panic!("{reply}"));
    rows.iter().map(|row| row["org_unit_id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn children_stand_by_name() {
    let world = World::new().await;
    let token = world.admin().await;
    insta::assert_snapshot!(world.get("/v3/groups/list").bearer(&token).send().await);
    world.unit("alpha", 1000).await;
    let reply = world.get("/v3/groups/list").bearer(&token).send().await;
    assert_eq!(ids(&reply), [1005, 1001, 1004]);
    let reply = world.get("/v3/groups/list?org_unit_id=1001").bearer(&token).send().await;
    assert_eq!(ids(&reply), [1002, 1003]);
    assert_eq!(reply.body["data"]["groups"][0]["group_level"], 3);
}

#[tokio::test]
async fn the_whole_branch_stands_by_id() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    let reply = world.get("/v3/groups").bearer(&token).send().await;
    assert_eq!(ids(&reply), [1001, 1002, 1003]);
    assert_eq!(reply.body["data"]["total"], 3);
    let levels: Vec<_> =
        reply.body["data"]["groups"].as_array().unwrap().iter().map(|g| &g["group_level"]).collect();
    assert_eq!(levels, [1, 2, 2]);
}

#[tokio::test]
async fn lists_are_filtered_and_paged_with_an_exact_total() {
    let world = World::new().await;
    let token = world.admin().await;
    for i in 0..5 {
        world.unit(&format!("100%_Straße \\{i}"), 1004).await;
    }
    world.delete("/v3/groups/1009").bearer(&token).send().await;
    let list = |query: &str| {
        let path = format!("/v3/groups/list?org_unit_id=1004&{query}");
        let (world, token) = (&world, &token);
        async move {
            let reply = world.get(&path).bearer(token).send().await;
            (ids(&reply), reply.body["data"]["total"].as_i64().unwrap())
        }
    };
    assert_eq!(list("").await, (vec![1005, 1006, 1007, 1008], 4));
    assert_eq!(list("status=inactive").await, (vec![1009], 1));
    assert_eq!(list("status=all&limit=2&offset=3").await, (vec![1008, 1009], 5));
    assert_eq!(list("offset=99").await, (vec![], 4));
    assert_eq!(list("group_name=STRASSE").await.1, 4);
    assert_eq!(list("group_name=100%25_").await.1, 4);
    assert_eq!(list("group_name=%5C2").await, (vec![1007], 1));
    assert_eq!(list("group_name=0%250").await.1, 0);
    assert_eq!(list("group_name=&unknown=1").await.1, 4);
    let all = world.get("/v3/groups?group_name=stra%C3%9Fe&status=all&limit=1&offset=4").bearer(&token);
    let all = all.send().await;
    assert_eq!((ids(&all), &all.body["data"]["total"]), (vec![1009], &json!(5)));
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let world = World::new().await;
    let token = world.admin().await;
    let path = "/v3/groups/list?org_unit_id=x&status=gone&limit=201&offset=-1";
    insta::assert_snapshot!(world.get(path).bearer(&token).send().await);
    let long = format!("/v3/groups?group_name={}", "x".repeat(256));
    assert_eq!(world.get(&long).bearer(&token).send().await.fields(), ["group_name"]);
    let reply = world.get("/v3/groups?limit=0").bearer(&token).send().await;
    assert_eq!(reply.fields(), ["limit"]);
    let reply = world.get("/v3/groups/tree?active=1&nested=yes").bearer(&token).send().await;
    assert_eq!(reply.fields(), ["active", "nested"]);
}

#[tokio::test]
async fn a_foreign_and_an_unknown_unit_look_alike_in_a_query() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    let other = world.tenant("Other", "olga@other.example").await;
    let mut texts = Vec::new();
    for id in [1004, 1000, other.top().0, 99_999] {
        let reply = world.get(&format!("/v3/groups/list?org_unit_id={id}")).bearer(&token).send().await;
        assert_eq!(reply.status, 403);
        texts.push(reply.body["error"].clone());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
}
