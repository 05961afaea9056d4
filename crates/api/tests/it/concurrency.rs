//! Two or more at once.

use std::sync::Arc;

use serde_json::json;

use crate::support::{Reply, World};

/// Sends `count` requests at once, each from a task of its own.
async fn at_once<F>(world: &Arc<World>, count: usize, call: impl Fn(Arc<World>, usize) -> F) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|i| tokio::spawn(call(Arc::clone(world), i))).collect();
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.unwrap());
    }
    replies
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creates_of_one_name_one_wins() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let replies = at_once(&world, 50, |world, i| {
        let token = token.clone();
        async move {
            let name = if i % 2 == 0 { "Straße" } else { "STRASSE" };
            world.post("/v3/groups", json!({"org_unit_name": name})).bearer(&token).send().await
        }
    })
    .await;
    assert_eq!((count(&replies, 201), count(&replies, 400)), (1, 49));
    assert!(
        replies.iter().filter(|reply| reply.status == 400).all(|reply| reply.fields() == ["org_unit_name"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writes_on_one_version_one_wins() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let replies = at_once(&world, 30, |world, i| {
        let token = token.clone();
        async move {
            let call = world.patch("/v3/groups/1002", json!({"city": format!("City {i}")}));
            call.header("if-match", "W/\"1.3\"").bearer(&token).send().await
        }
    })
    .await;
    assert_eq!((count(&replies, 200), count(&replies, 412)), (1, 29));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn patches_of_different_fields_are_all_kept() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let fields = ["address", "city", "state", "zip", "phone_number", "org_unit_ext_id"];
    let replies = at_once(&world, fields.len(), |world, i| {
        let token = token.clone();
        async move { world.patch("/v3/groups/1002", json!({fields[i]: "7"})).bearer(&token).send().await }
    })
    .await;
    assert_eq!(count(&replies, 200), fields.len());
    let read = world.get("/v3/groups/1002").bearer(&token).send().await;
    for field in fields {
        assert_eq!(read.body["data"][field], "7", "{field}");
    }
    assert_eq!(read.header("etag"), "W/\"7.3\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_refreshes_with_one_token_one_wins() {
    let world = Arc::new(World::new().await);
    let refresh = world.log_in("ada@acme.example").await.body["refresh_token"].clone();
    let replies = at_once(&world, 20, |world, _| {
        let body = json!({"refresh_token": refresh});
        async move { world.post("/oauth/refresh-token", body).send().await }
    })
    .await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 19));
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    let token = winner.body["access_token"].as_str().unwrap();
    assert_eq!(world.get("/v3/auth/profile").bearer(token).send().await.status, 200);
}
