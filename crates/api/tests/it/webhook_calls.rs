//! Webhooks as their owner writes and reads them, and what was sent for them.

use std::time::Duration;

use muster_domain::WebhookId;
use muster_domain::user::Role;
use muster_domain::webhook::DeliveryState;
use serde_json::{Value, json};

use crate::people::{self, plain, with};
use crate::support::World;
use crate::webhooks::{self, attempted, body, created, get};

const URL: &str = "https://crm.example.org/hook";

fn full() -> Value {
    with(
        body(URL),
        &json!({
            "org_unit_id": 1001, "format": "standard", "status": "inactive", "include_sub_groups": false,
            "static_parameters": [{"name": "source", "value": "muster"}],
        }),
    )
}

#[tokio::test]
async fn a_webhook_is_made_read_replaced_changed_and_deleted() {
    let world = World::new().await;
    let token = world.admin().await;
    insta::assert_snapshot!(world.post("/v3/webhooks", full()).bearer(&token).send().await);
    let path = "/v3/webhooks/1";
    insta::assert_snapshot!(world.get(path).bearer(&token).send().await);

    world.advance(Duration::from_secs(1));
    let changed =
        json!({"webhook_name": " Shop ", "events": ["sms.received"], "unknown": 1, "webhook_id": 7});
    insta::assert_snapshot!(world.patch(path, changed).bearer(&token).send().await);
    let data = world.get(path).bearer(&token).send().await.body["data"].clone();
    assert_eq!((&data["webhook_name"], &data["events"]), (&json!("Shop"), &json!(["sms.received"])));
    assert_eq!((&data["status"], &data["org_unit_id"]), (&json!("inactive"), &json!(1001)));

    // What was read can be sent back, and changes nothing.
    let before = world.journal().await;
    assert_eq!(world.put(path, data).bearer(&token).send().await.status, 200);
    assert_eq!(world.journal().await, before);

    // What a replacement leaves out takes its default, but for the group.
    assert_eq!(world.put(path, body(URL)).bearer(&token).send().await.status, 200);
    let data = world.get(path).bearer(&token).send().await.body["data"].clone();
    let wanted = json!([1001, [], "standard", "active", true]);
    let fields = ["org_unit_id", "static_parameters", "format", "status", "include_sub_groups"];
    assert_eq!(Value::from_iter(fields.map(|field| data[field].clone())), wanted);

    insta::assert_snapshot!(world.delete(path).bearer(&token).send().await);
    for call in [world.get(path), world.delete(path), world.put(path, body(URL))] {
        assert_eq!(call.bearer(&token).send().await.status, 404);
    }
    let kinds: Vec<_> = world
        .journal()
        .await
        .into_iter()
        .map(|entry| entry.kind)
        .filter(|kind| kind.starts_with("webhook"))
        .collect();
    assert_eq!(kinds, ["webhook.created", "webhook.updated", "webhook.updated", "webhook.deleted"]);
}

#[tokio::test]
async fn an_admin_of_a_branch_has_the_webhooks_of_the_branch() {
    let world = World::new().await;
    world.user("nora@acme.example", Role::Admin, 1001).await;
    let (ada, nora) = (world.admin().await, world.token("nora@acme.example").await);
    let (top, _) = created(&world, &ada, body(URL)).await;
    let (team, _) = created(&world, &ada, with(body(URL), &json!({"org_unit_id": 1002}))).await;
    let (north, _) = created(&world, &nora, body(URL)).await;
    assert_eq!(get(&world, &nora, north).await.body["data"]["org_unit_id"], 1001);
    let list = async |token: &str, query: &str| {
        let reply = world.get(&format!("/v3/webhooks{query}")).bearer(token).send().await;
        let rows = reply.body["data"]["webhooks"].as_array().unwrap().clone();
        let ids: Vec<i64> = rows.iter().map(|row| row["webhook_id"].as_i64().unwrap()).collect();
        (ids, reply.body["data"]["total"].as_u64().unwrap())
    };
    assert_eq!(list(&ada, "").await, (vec![top, team, north], 3));
    assert_eq!(list(&ada, "?limit=1&offset=1").await, (vec![team], 3));
    assert_eq!(list(&ada, "?offset=9").await, (vec![], 3));
    assert_eq!(list(&nora, "").await, (vec![team, north], 2));
    for call in [
        world.get(&format!("/v3/webhooks/{top}")),
        world.delete(&format!("/v3/webhooks/{top}")),
        world.post(&format!("/v3/webhooks/{top}/test"), json!({})),
        world.post(&format!("/v3/webhooks/{top}/rotate-secret"), json!({})),
        world.get(&format!("/v3/webhooks/{top}/deliveries")),
    ] {
        assert_eq!(call.bearer(&nora).send().await.status, 404);
    }
    let up = world
        .patch(&format!("/v3/webhooks/{north}"), json!({"org_unit_id": 1000}))
        .bearer(&nora)
        .send()
        .await;
    assert_eq!((up.status.as_u16(), up.fields()), (400, vec!["org_unit_id"]));
}

#[tokio::test]
async fn a_condition_is_about_the_webhook_and_a_read_about_what_it_shows() {
    let world = World::new().await;
    let token = world.admin().await;
    let (id, _) = created(&world, &token, body(URL)).await;
    let path = format!("/v3/webhooks/{id}");
    let known = get(&world, &token, id).await.header("etag").to_owned();
    let read =
        async |tag: &str| world.get(&path).header("if-none-match", tag).bearer(&token).send().await.status;
    assert_eq!(read(&known).await, 304);
    world.user("ben@acme.example", Role::Standard, 1001).await;
    attempted(&world, &world.acme, WebhookId(id), DeliveryState::Delivered).await;
    assert_eq!(read(&known).await, 200);
    // Deliveries do not stand in the way of a change.
    let write = async |tag: &str, name: &str| {
        let call = world.patch(&path, json!({"webhook_name": name})).header("if-match", tag);
        call.bearer(&token).send().await.status
    };
    assert_eq!(write(&known, "Shop").await, 200);
    assert_eq!(write(&known, "Desk").await, 412);
    assert_eq!(write("\"nonsense\"", "Desk").await, 412);
    let delete = world.delete(&path).header("if-match", &known).bearer(&token).send().await;
    assert_eq!(delete.status, 412);
    let rotate = world.post(&format!("{path}/rotate-secret"), json!({})).header("if-match", &known);
    assert_eq!(rotate.bearer(&token).send().await.status, 412);
    assert_eq!(write("*", "Desk").await, 200);
}

#[tokio::test]
async fn deliveries_are_listed_and_those_that_failed_tried_again() {
    let world = World::new().await;
    let token = world.admin().await;
    let (id, _) = created(&world, &token, body(URL)).await;
    let mut failed = Vec::new();
    for login in ["ann@acme.example", "ben@acme.example"] {
        world.advance(Duration::from_mins(1));
        people::created(&world, &token, plain(login)).await;
        failed.extend(attempted(&world, &world.acme, WebhookId(id), DeliveryState::Failed).await);
    }
    people::created(&world, &token, plain("cid@acme.example")).await;
    attempted(&world, &world.acme, WebhookId(id), DeliveryState::Delivered).await;
    people::created(&world, &token, plain("dan@acme.example")).await;
    attempted(&world, &world.acme, WebhookId(id), DeliveryState::Open).await;

    let list = async |query: &str| {
        world.get(&format!("/v3/webhooks/{id}/deliveries{query}")).bearer(&token).send().await
    };
    insta::assert_snapshot!(list("").await);
    let counts = async |query: &str| {
        let data = list(query).await.body["data"].clone();
        (data["deliveries"].as_array().unwrap().len(), data["total"].as_u64().unwrap())
    };
    assert_eq!(counts("?limit=3&offset=2").await, (2, 4));
    assert_eq!(counts("?status=failed").await, (2, 2));
    assert_eq!(counts("?status=delivered").await, (1, 1));
    assert_eq!(counts("?status=open").await, (1, 1));

    let retry = async |what: &str, body: Value| {
        world.post(&format!("/v3/webhooks/{id}/deliveries/{what}"), body).bearer(&token).send().await
    };
    let first = format!("{}/retry", failed[0]);
    insta::assert_snapshot!(retry(&first, json!({})).await);
    insta::assert_snapshot!(retry(&first, json!({})).await);
    assert_eq!(counts("?status=open").await, (2, 2));

    assert_eq!(attempted(&world, &world.acme, WebhookId(id), DeliveryState::Failed).await.len(), 2);
    let since = |time: &str| json!({"since": time});
    let none = retry("retry", since("2026-02-04T00:00:00Z")).await;
    assert_eq!(none.body["data"], json!({"retried": 0}));
    // Of the three that failed the first is older.
    let reply = retry("retry", since("2026-02-03T04:06:30Z")).await;
    assert_eq!((reply.status.as_u16(), &reply.body["data"]), (200, &json!({"retried": 2})));
    assert_eq!(counts("?status=failed").await, (1, 1));
    assert_eq!(webhooks::get(&world, &token, id).await.body["data"]["last_status"], 503);
}
