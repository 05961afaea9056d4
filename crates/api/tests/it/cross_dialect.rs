//! What one dialect writes, as the others see it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lox24::Client;
use crate::support::World;

/// All that Convirza's lists say of Acme.
async fn convirza(world: &World, token: &str) -> Vec<String> {
    let mut replies = Vec::new();
    for path in [
        "/v3/groups/list",
        "/v3/groups",
        "/v3/groups/tree",
        "/v3/users/list",
        "/v3/groups/1000",
        "/v3/users/1",
    ] {
        let reply = world.get(path).bearer(token).send().await;
        assert_eq!(reply.status, 200, "{path}: {reply}");
        let mut body = reply.body.clone();
        for name in ["request_id", "timestamp"] {
            body[name] = Value::Null;
        }
        replies.push(format!("{} {body}", reply.header("etag")));
    }
    replies
}

#[tokio::test]
async fn contact_groups_are_no_groups_of_convirza() {
    let world = World::new().await;
    let token = world.admin().await;
    let client = Client::new(&world).await;
    let before = (convirza(&world, &token).await, world.journal().await.len());
    // With an id and the name of a unit.
    let group = client.group(json!({"name": "North", "phones": [{"phone": "+12015550100"}]})).await;
    client.phone(&group, json!({"phone": "+12015550101"})).await;
    client.post(&format!("{group}/phones/batch"), json!([{"phone": "+12015550102"}])).await;
    client.put(&group, json!({"name": "South"})).await;
    client.put("/phones/1", json!({"a": "x"})).await;
    client.delete("/phones/2").await;
    assert_eq!(convirza(&world, &token).await, before.0);

    let written = world.journal().await.split_off(before.1);
    let lines: Vec<String> = written
        .iter()
        .map(|entry| {
            format!(
                "{:?} {:?} {} {} v{}",
                entry.dialect, entry.actor, entry.kind, entry.entity_id, entry.version
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    // Without a gap, whoever writes.
    world.patch("/v3/groups/1002", json!({"city": "Reno"})).bearer(&token).send().await;
    client.delete(&group).await;
    let sequence: Vec<i64> = world.journal().await.iter().map(|entry| entry.sequence).collect();
    assert!(sequence.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequence:?}");
    // A group of one is none of the other's.
    assert_eq!(client.get("/groups/1002").await.status, 404);
    assert_eq!(world.get("/v3/groups/1").bearer(&token).send().await.status, 404);
}

#[tokio::test]
async fn what_convirza_writes_is_nothing_to_lox24() {
    let world = World::new().await;
    let token = world.admin().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": [{"phone": "+12015550100"}]})).await;
    let read = async || {
        let mut all = Vec::new();
        for path in ["/me", "/groups", &group, &format!("{group}/phones")] {
            let reply = client.get(path).await;
            all.push((reply.header("etag").to_owned(), reply.body));
        }
        all
    };
    let before = read().await;
    let made = world.post("/v3/groups", json!({"org_unit_name": "Clients"})).bearer(&token).send().await;
    assert_eq!(made.status, 201);
    assert_eq!(world.delete("/v3/groups/1004").bearer(&token).send().await.status, 200);
    assert_eq!(read().await, before);
}

#[tokio::test]
async fn the_account_names_the_groups_that_are_there() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let groups = async || client.get("/me").await.body["groups"].take();
    assert_eq!(groups().await, json!({}));
    let mut expected = BTreeMap::new();
    for at in 0..40 {
        let group = client.group(json!({"name": format!("Group {at}")})).await;
        expected.insert(group[8..].to_owned(), group);
    }
    assert_eq!(groups().await, json!(expected));
    let gone = expected.remove("7").unwrap();
    client.delete(&gone).await;
    assert_eq!(groups().await, json!(expected));
    for path in expected.values() {
        assert_eq!(client.get(path).await.status, 200);
    }
}

#[tokio::test]
async fn tenants_count_their_own() {
    let world = World::new().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let client = Client::new(&world).await;
    let foreign = Client { world: &world, key: world.key(&other).await };
    let (ours, theirs) = (client.empty_group().await, foreign.empty_group().await);
    for at in 0..3 {
        client.phone(&ours, json!({"phone": format!("+1201555010{at}")})).await;
    }
    // The same number in a group of another tenant.
    foreign.phone(&theirs, json!({"phone": "+12015550100"})).await;
    assert_eq!((client.count(&ours).await, foreign.count(&theirs).await), (3, 1));
    let total = |reply: crate::support::Reply| reply.body["hydra:totalItems"].clone();
    for client in [&client, &foreign] {
        assert_eq!(total(client.any("GET", "/groups").send().await), 1);
    }
    let entries = world.journal().await;
    assert!(entries.iter().all(|entry| entry.entity_id != theirs[8..] || entry.entity != "contact_group"));
    assert_eq!(foreign.get(&ours).await.status, 404);
    assert_eq!(foreign.delete("/phones/1").await.status, 404);
    assert_eq!(client.count(&ours).await, 3);
}
