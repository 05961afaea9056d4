//! Two or more at once in the LOX24 dialect: each call is done whole or told why not, and what is counted is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::lox24::{Client, Key, number};
use crate::support::{Reply, World};
use crate::together::{all_at_once, count};

/// What a caller asks for: a method, a path and a body.
type Ask = (&'static str, String, Value);

/// Sends all at once, each from a task of its own.
async fn at_once(world: &Arc<World>, key: &Key, asks: Vec<Ask>) -> Vec<Reply> {
    let calls = asks.into_iter().map(|(method, path, body)| {
        let (world, key) = (Arc::clone(world), key.clone());
        async move {
            let call = world.call(method, &path).key(&key).header("accept", "application/json");
            let call = if body.is_null() { call } else { call.json(body) };
            call.send().await
        }
    });
    all_at_once(calls).await
}

/// Fails unless a group has as many phones as it says, in all ways to ask, each number once.
async fn assert_sound(client: &Client<'_>, group: &str) -> BTreeSet<String> {
    let phones = client.of_phones(group, "phone").await;
    let linked = client.any("GET", &format!("{group}/phones?page=1")).send().await;
    assert_eq!(client.count(group).await, phones.len() as u64);
    assert_eq!(linked.body["hydra:totalItems"], phones.len());
    let distinct: BTreeSet<String> = phones.iter().cloned().collect();
    assert_eq!(distinct.len(), phones.len(), "{phones:?}");
    let csv = client.get(&format!("{group}/file/csv")).await;
    assert_eq!(csv.body.as_str().unwrap().lines().count(), phones.len() + 1);
    distinct
}

fn phones(range: std::ops::Range<usize>) -> Value {
    range.map(|at| json!({"phone": number(at)})).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_add_one_number_one_wins() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let path = format!("{group}/phones");
    let asks = (0..24).map(|_| ("POST", path.clone(), json!({"phone": "+12015550100"}))).collect();
    let replies = at_once(&world, &client.key, asks).await;
    assert_eq!((count(&replies, 201), count(&replies, 422)), (1, 23));
    assert_sound(&client, &group).await;

    // By a change of other phones, too.
    let mut asks: Vec<Ask> = Vec::new();
    for at in 1..9 {
        let phone = client.phone(&group, json!({"phone": number(at)})).await;
        asks.push(("PUT", phone, json!({"phone": "+12025550100"})));
    }
    asks.push(("POST", path, json!({"phone": "+12025550100"})));
    let replies = at_once(&world, &client.key, asks).await;
    assert_eq!(count(&replies, 422), 8);
    assert_sound(&client, &group).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_at_once_put_each_number_in_once() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let path = format!("{group}/phones/batch");
    // Every number stands in two of them, or more.
    let asks = (0..8).map(|at| ("POST", path.clone(), phones(at * 20..at * 20 + 60))).collect();
    let replies = at_once(&world, &client.key, asks).await;
    assert_eq!(count(&replies, 201), 8);
    let mut made = Vec::new();
    for reply in &replies {
        for entry in reply.body.as_array().unwrap() {
            match entry["status"].as_u64().unwrap() {
                201 => made.push(entry["body"]["phone"].as_str().unwrap().to_owned()),
                status => assert_eq!(status, 422),
            }
        }
    }
    let stored = assert_sound(&client, &group).await;
    assert_eq!((made.len(), stored.len()), (200, 200));
    assert_eq!(made.into_iter().collect::<BTreeSet<_>>(), stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_lists_that_are_replaced_at_once_one_is_there_whole() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": phones(0..50)})).await;
    for _ in 0..3 {
        let lists: Vec<Value> = (0..6).map(|at| phones(at * 10..at * 10 + 40)).collect();
        let asks = lists.iter().map(|list| ("PUT", group.clone(), json!({"phones": list}))).collect();
        let replies = at_once(&world, &client.key, asks).await;
        assert_eq!(count(&replies, 200), 6);
        for reply in &replies {
            assert_eq!(reply.body["count_items"], 40);
        }
        let stored = assert_sound(&client, &group).await;
        let expected = |list: &Value| -> BTreeSet<String> {
            list.as_array().unwrap().iter().map(|phone| phone["phone"].as_str().unwrap().to_owned()).collect()
        };
        assert!(lists.iter().any(|list| expected(list) == stored), "{stored:?}");
    }
}

/// Nothing goes from these lists, so nothing but their versions tells them apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_lists_that_grow_at_once_one_is_there_whole() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    for _ in 0..5 {
        let group = client.group(json!({"name": "Clients", "phones": phones(0..10)})).await;
        let list = |at: usize| -> Vec<Value> {
            let new = (0..20).map(|new| json!({"phone": number(100 + at * 20 + new)}));
            phones(0..10).as_array().unwrap().iter().cloned().chain(new).collect()
        };
        let mut asks: Vec<Ask> =
            (0..8).map(|at| ("PUT", group.clone(), json!({"phones": list(at)}))).collect();
        asks.extend((0..8).map(|_| ("GET", group.clone(), Value::Null)));
        let replies = at_once(&world, &client.key, asks).await;
        assert_eq!(count(&replies, 200), 16);
        assert_eq!(assert_sound(&client, &group).await.len(), 30);
        // One version is one state.
        let mut versions = BTreeMap::new();
        for reply in replies {
            let known = versions.entry(reply.header("etag").to_owned()).or_insert_with(|| reply.body.clone());
            assert_eq!(*known, reply.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn adding_changing_and_deleting_while_a_list_is_replaced() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": phones(0..30)})).await;
    let all = format!("{group}/phones");
    for round in 0..4 {
        let ids = client.of_phones(&group, "id").await;
        let mut asks: Vec<Ask> = vec![
            ("PUT", group.clone(), json!({"phones": phones(round * 5..round * 5 + 30)})),
            (
                "PUT",
                group.clone(),
                json!({"phones": phones(round * 5 + 10..round * 5 + 35), "name": "Renamed"}),
            ),
            ("POST", format!("{all}/batch"), phones(0..60)),
            ("GET", all.clone(), Value::Null),
            ("GET", format!("{all}?page=2"), Value::Null),
        ];
        asks.extend((0..6).map(|at| ("POST", all.clone(), json!({"phone": number(round * 10 + at)}))));
        asks.extend(ids.iter().take(6).map(|id| ("DELETE", format!("/phones/{id}"), Value::Null)));
        asks.extend(
            ids.iter()
                .skip(4)
                .take(6)
                .map(|id| ("PUT", format!("/phones/{id}"), json!({"phone": number(70)}))),
        );
        let replies = at_once(&world, &client.key, asks).await;
        for reply in &replies {
            assert!(matches!(reply.status.as_u16(), 200 | 201 | 204 | 404 | 422), "{reply}");
        }
        assert_sound(&client, &group).await;
    }
    world.directory().contacts_reap().await.unwrap();
    assert_sound(&client, &group).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_that_is_deleted_meanwhile_takes_nothing_more() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    for _ in 0..4 {
        let group = client.group(json!({"name": "Clients", "phones": phones(0..30)})).await;
        let ids = client.of_phones(&group, "id").await;
        let all = format!("{group}/phones");
        let mut asks: Vec<Ask> =
            (0..6).map(|at| ("POST", all.clone(), json!({"phone": number(100 + at)}))).collect();
        asks.push(("DELETE", group.clone(), Value::Null));
        asks.push(("DELETE", group.clone(), Value::Null));
        asks.push(("POST", format!("{all}/batch"), phones(200..260)));
        asks.push(("PUT", group.clone(), json!({"phones": phones(5..20)})));
        asks.extend(ids.iter().take(4).map(|id| ("PUT", format!("/phones/{id}"), json!({"a": "x"}))));
        asks.extend(ids.iter().take(2).map(|id| ("DELETE", format!("/phones/{id}"), Value::Null)));
        let replies = at_once(&world, &client.key, asks).await;
        for reply in &replies {
            assert!(matches!(reply.status.as_u16(), 200 | 201 | 204 | 404), "{reply}");
        }
        assert_eq!(client.get(&group).await.status, 404);
        for id in ids {
            assert_eq!(client.get(&format!("/phones/{id}")).await.status, 404);
        }
    }
    assert_eq!(client.get("/groups").await.body, json!([]));
    world.directory().contacts_reap().await.unwrap();
    assert_eq!(client.get("/me").await.body["groups"], json!({}));
}
