//! Phones of the LOX24 dialect, one by one.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::lox24::{Client, failing, told};
use crate::support::World;

fn full() -> Value {
    json!({
        "phone": " (201) 555-0100", "a": "Dr.", "b": " Kim ", "c": "", "d": null, "e": "\u{1f600}\n",
        "callback_data": "crm-17", "id": "99", "subscribed_at": "2020-01-01T00:00:00Z", "unknown": []
    })
}

#[tokio::test]
async fn a_phone_is_put_into_a_group_changed_and_taken_out() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    insta::assert_snapshot!(client.post(&format!("{group}/phones"), full()).await);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
    insta::assert_snapshot!(client.any("GET", "/phones/1").send().await);
    assert_eq!(client.count(&group).await, 1);

    // What is read can be sent back.
    let before = client.get("/phones/1").await.body;
    let entries = world.journal().await.len();
    for body in [json!({}), before.clone(), json!({"phone": "001 201 555 0100", "x": 1})] {
        let reply = client.put("/phones/1", body).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &before));
    }
    assert_eq!(world.journal().await.len(), entries, "a change that changes nothing commits nothing");

    let change = json!({"phone": "+4915112345678", "a": null, "d": "new"});
    insta::assert_snapshot!(client.put("/phones/1", change).await);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
    assert_eq!(client.count(&group).await, 1);

    insta::assert_snapshot!(client.delete("/phones/1").await);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
    for reply in [
        client.get("/phones/1").await,
        client.put("/phones/1", json!({"a": "x"})).await,
        client.delete("/phones/1").await,
    ] {
        assert_eq!(told(&reply), "404 Not Found");
    }
    assert_eq!(client.count(&group).await, 0);
    // The number is free again.
    assert_eq!(client.phone(&group, full()).await, "/phones/2");
}

#[tokio::test]
async fn numbers_are_kept_in_e164() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let mut replies = String::new();
    for raw in [
        "+4915112345678",
        "004915112345678",
        "4915112345678",
        "+49 (0)151 / 1234-5678",
        "2015550123",
        "(201) 555-0123",
        "1.201.555.0123",
        "+12015550123",
        "011 49 151 12345678",
        "0151 12345678",
        "112",
        "+49",
        "0000000",
        "++12015550123",
        "12015550123 x5",
        "201-CALL-NOW",
        "tel:+12015550123",
        "\u{ff12}\u{ff10}\u{ff11}5550123",
        "+123456789012345",
        "+1234567890123456",
        " +12015550123 \t",
        "                          +12015550123",
    ] {
        let group = client.empty_group().await;
        let reply = client.post(&format!("{group}/phones"), json!({"phone": raw})).await;
        let text = if reply.status == 201 { reply.body["phone"].to_string() } else { told(&reply) };
        writeln!(replies, "{raw:?}: {text}").unwrap();
        let put = client.phone(&group, json!({"phone": "+12025550199"})).await;
        let changed = client.put(&put, json!({"phone": raw})).await;
        // The number stands in the group now, if it is one.
        let expected = if reply.status == 201 { 422 } else { 400 };
        assert_eq!(changed.status, expected, "{raw}: {changed}");
    }
    insta::assert_snapshot!(replies);
}

#[tokio::test]
async fn national_numbers_are_those_of_the_tenants_country() {
    let world = World::new().await;
    let mut lines = String::new();
    for country in ["DE", "GB", "IT", "JP"] {
        let login = format!("admin@{country}.example");
        let tenant = world.tenant_in(country, country, &login).await;
        let client = Client { world: &world, key: world.key(&tenant).await };
        let group = client.empty_group().await;
        for raw in [
            "0151 12345678",
            "4915112345678",
            "447400123456",
            "07400 123456",
            "06 12345678",
            "090-1234-5678",
            "+1 201 555 0123",
            "00 1 201 555 0123",
            "010 1 201 555 0123",
        ] {
            let added = client.post(&format!("{group}/phones/batch"), json!([{"phone": raw}])).await;
            let body = &added.body[0]["body"];
            let text = body["phone"].as_str().or(body["detail"].as_str()).unwrap();
            writeln!(lines, "{country} {raw:?}: {} {text}", added.body[0]["status"]).unwrap();
        }
    }
    insta::assert_snapshot!(lines);
}

#[tokio::test]
async fn every_failing_field_is_named_at_once() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let phone = client.phone(&group, json!({"phone": "+12015550100"})).await;
    let long = "x".repeat(1531);
    let body = json!({"phone": "1".repeat(31), "a": long, "b": 5, "c": [], "d": {}, "e": false, "callback_data": "x".repeat(37)});
    insta::assert_snapshot!(client.post(&format!("{group}/phones"), body.clone()).await);
    insta::assert_snapshot!(client.any("PUT", &phone).json(body).send().await);
    let mut replies = String::new();
    for body in
        [json!({}), json!({"phone": null}), json!({"phone": ""}), json!({"phone": " "}), json!({"phone": 5})]
    {
        let reply = client.post(&format!("{group}/phones"), body.clone()).await;
        assert_eq!(failing(&reply), ["phone"]);
        writeln!(replies, "{body}: {}", told(&reply)).unwrap();
        if body != json!({}) {
            let put = client.put(&phone, body).await;
            assert_eq!((put.status, put.body), (reply.status, reply.body));
        }
    }
    insta::assert_snapshot!(replies);
    // A number that cannot be read is named with the rest.
    let both = client.post(&format!("{group}/phones"), json!({"phone": "abc", "callback_data": 7})).await;
    assert_eq!(failing(&both), ["callback_data", "phone"]);
    assert_eq!(client.phones(&group).await.len(), 1);
}

#[tokio::test]
async fn texts_reach_to_their_limits() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let (column, datum) = ("\u{1f600}".repeat(1530), "\u{e4}".repeat(36));
    let mut body = json!({"phone": "+12015550100", "callback_data": datum});
    for name in ["a", "b", "c", "d", "e"] {
        body[name] = column.clone().into();
    }
    let phone = client.phone(&group, body.clone()).await;
    let read = client.get(&phone).await.body;
    for (name, sent) in body.as_object().unwrap() {
        assert_eq!(&read[name], sent, "{name}");
        let wrong = json!({name: format!("{}x", sent.as_str().unwrap())});
        let nul = json!({name: "a\0b"});
        for wrong in [wrong, nul] {
            assert_eq!(failing(&client.put(&phone, wrong).await), [name]);
        }
    }
    assert_eq!(client.get(&phone).await.body, read);
}

#[tokio::test]
async fn a_number_stands_once_in_a_group() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (group, other) = (client.empty_group().await, client.empty_group().await);
    let path = format!("{group}/phones");
    let first = client.phone(&group, json!({"phone": "+12015550100"})).await;
    let second = client.phone(&group, json!({"phone": "+12015550101"})).await;
    let before = world.journal().await.len();
    insta::assert_snapshot!(client.post(&path, json!({"phone": "(201) 555-0100"})).await);
    insta::assert_snapshot!(
        client.any("PUT", &second).json(json!({"phone": "2015550100", "a": "x"})).send().await
    );
    // What fails by itself is told first.
    let both = json!({"phone": "+12015550100", "callback_data": "x".repeat(37)});
    assert_eq!(failing(&client.post(&path, both).await), ["callback_data"]);
    assert_eq!(world.journal().await.len(), before);
    assert_eq!(client.get(&second).await.body["a"], Value::Null);
    assert_eq!(client.count(&group).await, 2);
    // In another group, and when it is free again.
    client.phone(&other, json!({"phone": "+12015550100"})).await;
    assert_eq!(client.put(&first, json!({"phone": "+12015550102"})).await.status, 200);
    assert_eq!(client.put(&second, json!({"phone": "+12015550100"})).await.status, 200);
    assert_eq!(client.of_phones(&group, "phone").await, ["+12015550102", "+12015550100"]);
}

#[tokio::test]
async fn an_unknown_group_has_no_phones() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for group in ["/groups/1", "/groups/x"] {
        for path in [format!("{group}/phones"), format!("{group}/phones/batch")] {
            for body in [json!({"phone": "+12015550100"}), json!([]), json!({"phone": "abc"})] {
                assert_eq!(told(&client.post(&path, body).await), "404 Not Found", "{path}");
            }
        }
        assert_eq!(told(&client.get(&format!("{group}/phones")).await), "404 Not Found");
        assert_eq!(told(&client.get(&format!("{group}/file/csv")).await), "404 Not Found");
    }
}
