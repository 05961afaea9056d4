//! How many calls an Onlive access key may make.

use std::time::Duration;

use muster_api::Settings;
use serde_json::json;

use crate::support::{Reply, World};

const USERS: &str = "/api/v1/users";

fn settings() -> Settings {
    Settings { onlive_reads_per_minute: 3, onlive_writes_per_minute: 2, ..Settings::default() }
}

/// The limit and what is left of it.
fn quota(reply: &Reply) -> (&str, &str) {
    (reply.header("x-ratelimit-limit"), reply.header("x-ratelimit-remaining"))
}

#[tokio::test]
async fn reads_and_writes_are_counted_for_themselves() {
    let world = World::with(settings()).await;
    let key = world.access_key(&world.acme).await;
    let read = async |path: &str| world.get(path).signed(&key).send().await;
    let write = async || world.post(USERS, json!({})).signed(&key).send().await;
    assert_eq!(quota(&read(USERS).await), ("3", "2"));
    // Whatever comes of a call.
    assert_eq!(quota(&write().await), ("2", "1"));
    assert_eq!(quota(&read("/api/v1/users?limit=0").await), ("3", "1"));
    assert_eq!(quota(&read("/api/v1/users/x").await), ("3", "0"));
    world.advance(Duration::from_secs(20));
    insta::assert_snapshot!(read(USERS).await);
    assert_eq!(quota(&write().await), ("2", "0"));
    let refused = write().await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "40"));
    // A call is counted before it is looked at what the key may do and which id the path has.
    assert_eq!(read("/api/v1/users/x").await.status, 429);
    let another = world.access_key(&world.acme).await;
    assert_eq!(quota(&world.get(USERS).signed(&another).send().await), ("3", "2"));
    world.advance(Duration::from_secs(40));
    assert_eq!(quota(&read(USERS).await), ("3", "2"));
}

#[tokio::test]
async fn a_key_that_may_not_write_is_counted_too() {
    let world = World::with(settings()).await;
    let key = world.read_only_access_key(&world.acme).await;
    for (status, left) in [(403, "1"), (403, "0"), (429, "0")] {
        let reply = world.post(USERS, json!({})).signed(&key).send().await;
        assert_eq!((reply.status.as_u16(), quota(&reply)), (status, ("2", left)));
    }
}

#[tokio::test]
async fn whoever_is_unknown_uses_up_nobodys_calls() {
    let world = World::with(settings()).await;
    let key = world.access_key(&world.acme).await;
    let mut wrong = key.clone();
    wrong.secret.push('x');
    for _ in 0..5 {
        let reply = world.get(USERS).signed(&wrong).send().await;
        assert_eq!((reply.status.as_u16(), quota(&reply)), (401, ("", "")));
    }
    assert_eq!(quota(&world.get(USERS).signed(&key).send().await), ("3", "2"));
}

#[tokio::test]
async fn quotas_can_be_switched_off() {
    let world = World::with(Settings { rate_limits: false, ..settings() }).await;
    let key = world.access_key(&world.acme).await;
    for _ in 0..5 {
        let reply = world.get(USERS).signed(&key).send().await;
        assert_eq!((reply.status.as_u16(), quota(&reply)), (200, ("", "")));
    }
}

#[tokio::test]
async fn the_quotas_of_the_contract_are_the_usual_ones() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    assert_eq!(quota(&world.get(USERS).signed(&key).send().await), ("1000", "999"));
    assert_eq!(quota(&world.delete("/api/v1/users/x").signed(&key).send().await), ("100", "99"));
}
