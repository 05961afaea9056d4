//! Many phones at once in the LOX24 dialect, each told for itself.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::lox24::{Client, number, numbers, told};
use crate::support::World;

/// The entries of an answer: a status, and the number or the reason.
fn entries(body: &Value) -> Vec<String> {
    let entries = body.as_array().unwrap().iter();
    let line = |entry: &Value| {
        let body = &entry["body"];
        format!("{} {}", entry["status"], body["phone"].as_str().or(body["detail"].as_str()).unwrap())
    };
    entries.map(line).collect()
}

fn mixed() -> Value {
    json!([
        {"phone": "+12015550003", "a": "Dr.", "callback_data": "x-1", "id": "7"},
        {"phone": "0151-CALL-ME"},
        {"phone": "+12015550001"},
        {"phone": "(201) 555-0003"},
        {"phone": "+12015550009"},
        "+12015550004",
        null,
        [{"phone": "+12015550005"}],
        {},
        {"phone": "", "a": 5, "callback_data": "x".repeat(37)},
        {"phone": "+12015550002", "a": "x".repeat(1530)}
    ])
}

#[tokio::test]
async fn every_entry_is_told_in_its_place() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group =
        client.group(json!({"name": "Clients", "phones": [{"phone": "+12015550009", "a": "old"}]})).await;
    let reply = client.post(&format!("{group}/phones/batch"), mixed()).await;
    insta::assert_snapshot!(reply);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
    let stored = client.phones(&group).await;
    assert_eq!(client.count(&group).await, 4);
    let made: Vec<&Value> =
        reply.body.as_array().unwrap().iter().filter(|entry| entry["status"] == 201).collect();
    assert_eq!(made.len(), 3);
    for entry in made {
        assert!(stored.contains(&entry["body"]), "{entry}");
    }
    // What was there is as it was.
    assert_eq!(stored[0]["a"], "old");
}

#[tokio::test]
async fn json_ld_has_the_entries_as_members() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": [{"phone": "+12015550009"}]})).await;
    let call = client.any("POST", &format!("{group}/phones/batch"));
    insta::assert_snapshot!(call.json(mixed()).send().await);
    let empty = client.any("POST", &format!("{group}/phones/batch")).json(json!([]));
    insta::assert_snapshot!(empty.send().await);
}

#[tokio::test]
async fn nothing_good_writes_nothing() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": [{"phone": "+12015550001"}]})).await;
    let path = format!("{group}/phones/batch");
    let before = world.journal().await;
    let none = client.post(&path, json!([])).await;
    assert_eq!((none.status.as_u16(), &none.body), (201, &json!([])));
    let bad = client.post(&path, json!([{"phone": "+12015550001"}, {"phone": "x"}, 5])).await;
    assert_eq!(bad.status, 201);
    insta::assert_snapshot!(entries(&bad.body).join("\n"));
    assert_eq!(world.journal().await, before);
    assert_eq!(client.count(&group).await, 1);
}

#[tokio::test]
async fn what_is_no_array_is_refused_as_a_whole() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let path = format!("{group}/phones/batch");
    let mut replies = String::new();
    let good = "{\"phone\":\"+12015550001\"}";
    for body in [
        good,
        "{}",
        "null",
        "\"x\"",
        "7",
        "",
        "  ",
        "[",
        "[,]",
        &format!("[{good}"),
        &format!("[{good},]"),
        &format!("[{good}] x"),
        &format!("[{good}][{good}]"),
        "[{\"phone\": \"\\ud800\"}]",
        "{\"phones\":[]}",
        "phone=1",
    ] {
        let call = client.call("POST", &path).header("content-type", "application/json");
        let reply = call.raw(body.to_owned()).send().await;
        assert_eq!(reply.status, 400, "{body}: {reply}");
        writeln!(replies, "{body}: {}", told(&reply)).unwrap();
    }
    insta::assert_snapshot!(replies);
    let invalid = client.call("POST", &path).header("content-type", "application/json");
    assert_eq!(invalid.raw(&b"[{\"phone\": \"\xff\"}]"[..]).send().await.status, 400);
    assert_eq!(client.count(&group).await, 0);
}

#[tokio::test]
async fn a_batch_has_at_most_ten_thousand_entries_and_sixteen_mebibytes() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let path = format!("{group}/phones/batch");
    let mut all = numbers(10_000);
    all.push(json!({"phone": "+12025550000"}));
    insta::assert_snapshot!(client.post(&path, json!(all)).await);
    assert_eq!(client.post(&path, json!(vec![Value::Null; 10_001])).await.status, 413);
    assert_eq!(client.count(&group).await, 0);
    all.pop();
    let most = client.post(&path, json!(all)).await;
    assert_eq!(most.status, 201);
    let answers = most.body.as_array().unwrap();
    assert_eq!(answers.len(), 10_000);
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!((&answer["status"], &answer["body"]["phone"]), (&json!(201), &json!(number(at))));
    }
    assert_eq!(client.count(&group).await, 10_000);
    let again = client.post(&path, json!(all)).await;
    assert!(again.body.as_array().unwrap().iter().all(|answer| answer["status"] == 422));

    let padding = " ".repeat(16 * 1024 * 1024);
    for (body, status) in [(format!("[{}]", &padding[2..]), 201), (format!("[{padding}]"), 413)] {
        let call = client.call("POST", &path).header("content-type", "application/json");
        assert_eq!(call.raw(body).send().await.status, status);
    }
}

#[tokio::test]
async fn an_entry_is_read_as_a_single_phone_is() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for body in [
        json!({"phone": "+12015550001", "a": 5}),
        json!({"phone": "2015550001", "b": null, "e": ""}),
        json!({"phone": "abc", "callback_data": 5}),
        json!({"phone": null}),
        json!({"phone": "1".repeat(31), "a": "x".repeat(1531)}),
        json!({"phone": "+1", "unknown": 7}),
        json!({}),
    ] {
        let (one, many) = (client.empty_group().await, client.empty_group().await);
        let single = client.post(&format!("{one}/phones"), body.clone()).await;
        let batch = client.post(&format!("{many}/phones/batch"), json!([body])).await;
        let (mut expected, mut entry) = (single.body, batch.body[0].clone());
        assert_eq!(entry["status"], single.status.as_u16());
        // Ids differ, and an entry has no list of violations.
        for body in [&mut expected, &mut entry["body"]] {
            let body = body.as_object_mut().unwrap();
            body.remove("id");
            body.remove("violations");
        }
        assert_eq!(entry["body"], expected);
    }
}
