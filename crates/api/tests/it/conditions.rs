//! Entity tags: `ETag`, `If-Match`, `If-None-Match`.

use serde_json::json;

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
