//! Tags and ad sources through the Convirza dialect.

use http::StatusCode;
use muster_domain::user::Role;
use serde_json::{Value, json};

use crate::support::World;

/// A tag of Acme; its id.
async fn tag(world: &World, token: &str, body: Value) -> i64 {
    let reply = world.post("/v3/tag", body).bearer(token).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
    reply.body["data"]["tagId"].as_i64().unwrap()
}

#[tokio::test]
async fn a_tag_is_created_read_replaced_and_deleted() {
    let world = World::new().await;
    let ada = world.admin().await;
    let body = json!({"tag_name": " Hot lead ", "tag_color": "#1F77B4", "org_unit_id": 1002});
    insta::assert_snapshot!(world.post("/v3/tag", body).bearer(&ada).send().await);
    insta::assert_snapshot!(world.get("/v3/tag/1").bearer(&ada).send().await);
    // What is absent is cleared, but the group stays.
    insta::assert_snapshot!(world.put("/v3/tag/1", json!({"tag_name": "Hot"})).bearer(&ada).send().await);
    insta::assert_snapshot!(world.get("/v3/tag").bearer(&ada).send().await);
    // Null is the caller's own group.
    let body = json!({"tag_name": "Hot", "org_unit_id": null});
    assert_eq!(world.put("/v3/tag/1", body).bearer(&ada).send().await.status, 200);
    let shown = world.get("/v3/tag/1").bearer(&ada).send().await;
    assert_eq!(shown.body["data"]["org_unit_id"], 1000);
    // What was read can be sent back.
    let before = world.journal().await;
    assert_eq!(world.put("/v3/tag/1", shown.body["data"].clone()).bearer(&ada).send().await.status, 200);
    assert_eq!(world.journal().await, before);
    insta::assert_snapshot!(world.delete("/v3/tag/1").bearer(&ada).send().await);
    insta::assert_snapshot!(world.delete("/v3/tag/1").bearer(&ada).send().await);
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let world = World::new().await;
    let ada = world.admin().await;
    let before = world.journal().await;
    let body = json!({"tag_name": " ", "tag_color": "red", "org_unit_id": 99_999});
    insta::assert_snapshot!(world.post("/v3/tag", body).bearer(&ada).send().await);
    for (body, fields) in [
        (json!({}), vec!["tag_name"]),
        (json!({"tag_name": "x".repeat(256), "tag_color": "#12345g"}), vec!["tag_name", "tag_color"]),
        (
            json!({"tag_name": null, "tag_color": 7, "org_unit_id": "1002"}),
            vec!["tag_name", "tag_color", "org_unit_id"],
        ),
        (json!({"tag_name": "a\u{0}b"}), vec!["tag_name"]),
    ] {
        let reply = world.post("/v3/tag", body).bearer(&ada).send().await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, fields), "{reply}");
    }
    insta::assert_snapshot!(world.get("/v3/tag?limit=0&offset=x").bearer(&ada).send().await);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn a_name_stands_once_in_a_group() {
    let world = World::new().await;
    let ada = world.admin().await;
    tag(&world, &ada, json!({"tag_name": "Straße"})).await;
    insta::assert_snapshot!(world.post("/v3/tag", json!({"tag_name": "STRASSE"})).bearer(&ada).send().await);
    let other = tag(&world, &ada, json!({"tag_name": "strasse", "org_unit_id": 1001})).await;
    let body = json!({"tag_name": "strasse", "org_unit_id": 1000});
    let reply = world.put(&format!("/v3/tag/{other}"), body).bearer(&ada).send().await;
    assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["tag_name"]), "{reply}");
}

#[tokio::test]
async fn who_is_in_a_branch_sees_the_tags_of_that_branch() {
    let world = World::new().await;
    world.user("stan@acme.example", Role::Standard, 1001).await;
    world.user("rea@acme.example", Role::ReadOnly, 1001).await;
    let (ada, stan, rea) =
        (world.admin().await, world.token("stan@acme.example").await, world.token("rea@acme.example").await);
    let top = tag(&world, &ada, json!({"tag_name": "Top"})).await;
    let own = tag(&world, &stan, json!({"tag_name": "Own"})).await;
    tag(&world, &ada, json!({"tag_name": "owned below", "org_unit_id": 1002})).await;
    for token in [&stan, &rea] {
        let names = async |query: &str| {
            let reply = world.get(&format!("/v3/tag{query}")).bearer(token).send().await;
            let tags = reply.body["data"]["tags"].as_array().unwrap().clone();
            let names: Vec<Value> = tags.into_iter().map(|tag| tag["tag_name"].clone()).collect();
            (names, reply.body["data"]["total"].clone())
        };
        assert_eq!(names("").await, (vec![json!("Own"), json!("owned below")], json!(2)));
        assert_eq!(names("?tag_name=BELOW").await, (vec![json!("owned below")], json!(1)));
        assert_eq!(names("?limit=1&offset=1").await, (vec![json!("owned below")], json!(2)));
        let path = format!("/v3/tag/{top}");
        assert_eq!(world.get(&path).bearer(token).send().await.status, 404);
        assert_eq!(world.get("/v3/tag/x").bearer(token).send().await.status, 404);
    }
    let path = format!("/v3/tag/{own}");
    let body = json!({"tag_name": "Mine", "org_unit_id": 1000});
    let reply = world.put(&path, body).bearer(&stan).send().await;
    assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["org_unit_id"]), "{reply}");
    assert_eq!(world.get(&path).bearer(&rea).send().await.status, 200);
    for call in [world.put(&path, json!({})), world.delete(&path), world.post("/v3/tag", json!({}))] {
        assert_eq!(call.bearer(&rea).send().await.status, 403);
    }
}

#[tokio::test]
async fn a_write_on_an_old_version_is_refused() {
    let world = World::new().await;
    let ada = world.admin().await;
    let path = format!("/v3/tag/{}", tag(&world, &ada, json!({"tag_name": "Hot"})).await);
    let first = world.get(&path).bearer(&ada).send().await.header("etag").to_owned();
    let known = world.get(&path).header("if-none-match", &first).bearer(&ada).send().await;
    assert_eq!(known.status, 304);
    let rename = |name: &str| world.put(&path, json!({"tag_name": name})).bearer(&ada);
    assert_eq!(rename("Warm").header("if-match", &first).send().await.status, 200);
    assert_eq!(rename("Cold").header("if-match", &first).send().await.status, 412);
    assert_eq!(world.delete(&path).header("if-match", &first).bearer(&ada).send().await.status, 412);
    let now = world.get(&path).bearer(&ada).send().await;
    assert_eq!(now.body["data"]["tag_name"], "Warm");
    let delete = world.delete(&path).header("if-match", now.header("etag")).bearer(&ada);
    assert_eq!(delete.send().await.status, 200);
}

#[tokio::test]
async fn ad_sources_are_for_everybody() {
    let world = World::new().await;
    world.user("rea@acme.example", Role::ReadOnly, 1002).await;
    let rea = world.token("rea@acme.example").await;
    let reply = world.get("/v3/ad-source").bearer(&rea).send().await;
    assert_eq!(reply.status, 200);
    let sources = reply.body["data"]["ad_sources"].as_array().unwrap();
    assert!(sources.len() >= 20 && reply.body["data"]["total"] == sources.len());
    assert_eq!(sources[0], json!({"ad_source_id": 1, "ad_source_name": "Google Ads", "category": "DNI"}));
}
