//! Groups of the LOX24 dialect: what is written, and what is read of it.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::lox24::{Client, failing, told};
use crate::support::World;

fn full() -> Value {
    json!({
        "name": "  Caf\u{e9} clients ", "description": " The best\nones ", "name_a": "prefix", "name_b": " name ",
        "name_c": "datetime", "name_d": "", "name_e": null, "deleted_at": "2026-12-31T23:59:59.7+02:00",
        "phones": [{"phone": "(201) 555-0100", "a": "Dr.", "b": "Kim", "callback_data": "x-1"}],
        "id": 7, "count_items": 99, "unknown": {"x": 1}
    })
}

#[tokio::test]
async fn a_group_is_created_with_all_its_fields() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    insta::assert_snapshot!(client.post("/groups", full()).await);
    insta::assert_snapshot!(client.get("/groups/1").await);
    insta::assert_snapshot!(client.get("/groups/1/phones").await);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
}

#[tokio::test]
async fn a_group_needs_only_a_name_which_others_may_have() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for _ in 0..2 {
        let made = client.post("/groups", json!({"name": "Clients"})).await;
        assert_eq!(made.status, 201);
        assert_eq!(made.body["name"], "Clients");
        assert_eq!((&made.body["count_items"], &made.body["deleted_at"]), (&json!(0), &Value::Null));
    }
    // Null is what these have anyway.
    let nulls = json!({"name": "N", "description": null, "name_a": null, "deleted_at": null, "phones": null});
    assert_eq!(client.post("/groups", nulls).await.status, 201);
}

#[tokio::test]
async fn every_failing_field_is_named_at_once() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let before = world.journal().await;
    let long = "\u{e4}".repeat(256);
    let body = json!({
        "name": " ", "description": long, "name_a": 1, "name_b": [], "name_c": {}, "name_d": true,
        "name_e": "x".repeat(51), "deleted_at": "tomorrow",
        "phones": [{"phone": ""}, {"a": "x"}, 7, {"phone": "+12015550100", "a": 5, "callback_data": "x".repeat(37)}]
    });
    insta::assert_snapshot!(client.post("/groups", body.clone()).await);
    insta::assert_snapshot!(client.any("PUT", &group).json(body).send().await);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn every_field_has_its_limits() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let mut replies = String::new();
    let fields = ["name", "description", "name_a", "name_b", "name_c", "name_d", "name_e"];
    for field in fields {
        let most = if field == "description" { 255 } else { 50 };
        // Characters count, not bytes.
        let fits = client.put(&group, json!({field: "\u{1f600}".repeat(most)})).await;
        assert_eq!(fits.status, 200, "{fits}");
        assert_eq!(fits.body[field].as_str().unwrap().chars().count(), most);
        for wrong in [json!("x".repeat(most + 1)), json!("a\0b"), json!(5), json!(false), json!(["x"])] {
            let reply = client.put(&group, json!({field: wrong})).await;
            assert_eq!(failing(&reply), [field]);
            writeln!(replies, "{}", told(&reply)).unwrap();
        }
    }
    for body in [json!({"name": ""}), json!({"name": "\u{a0}\t"}), json!({"name": null}), json!({})] {
        writeln!(replies, "POST {body}: {}", told(&client.post("/groups", body.clone()).await)).unwrap();
    }
    for body in [json!({"name": ""}), json!({"name": "\u{a0}\t"}), json!({"name": null})] {
        writeln!(replies, "PUT {body}: {}", told(&client.put(&group, body.clone()).await)).unwrap();
    }
    insta::assert_snapshot!(replies);
}

#[tokio::test]
async fn put_changes_what_is_named_and_null_clears() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(full()).await;
    let before = client.get(&group).await.body;
    let entries = world.journal().await;
    // What is read can be sent back, also where the phones are counted.
    for body in [json!({}), before.clone(), json!({"id": 9, "count_items": 0, "x": 1, "phones": null})] {
        let reply = client.put(&group, body).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &before));
    }
    assert_eq!(world.journal().await, entries, "a change that changes nothing commits nothing");
    let some = json!({"name": "Renamed", "name_a": null, "name_e": "price"});
    insta::assert_snapshot!(client.put(&group, some).await);
    let cleared = json!({"description": null, "name_b": null, "name_c": null, "name_d": null, "name_e": null,
        "deleted_at": null});
    insta::assert_snapshot!(client.put(&group, cleared).await);
    assert_eq!(client.phones(&group).await.len(), 1);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
}

#[tokio::test]
async fn the_end_of_a_group_is_a_time_to_come() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.empty_group().await;
    let now = world.directory().now();
    let mut replies = String::new();
    for at in [
        "2026-12-31T23:59:59+00:00",
        "2026-12-31T23:59:59Z",
        "2027-01-01t05:29:59.999999999+05:30",
        "2026-12-31T12:29:59-11:30",
        "2026-02-03T04:05:06Z",
        "2026-02-03T04:05:07Z",
        "2020-01-01T00:00:00Z",
        "2026-12-31T23:59:59",
        "2026-12-31 23:59:59Z",
        "2026-12-31",
        "2026-02-30T00:00:00Z",
        "",
        "1798761599",
    ] {
        let reply = client.put(&group, json!({"deleted_at": at})).await;
        let text = if reply.status == 200 { reply.body["deleted_at"].to_string() } else { told(&reply) };
        writeln!(replies, "{at:?}: {text}").unwrap();
    }
    for at in [json!(1_798_761_599), json!(true), json!([]), json!({})] {
        let reply = client.put(&group, json!({"deleted_at": at})).await;
        writeln!(replies, "{at}: {}", told(&reply)).unwrap();
    }
    insta::assert_snapshot!(format!("now: {}\n{replies}", now.seconds()));
    // Now is not to come.
    world.advance(Duration::from_micros(1_000_000 - now.0.unsigned_abs() % 1_000_000));
    assert_eq!(world.directory().now().seconds().to_string(), "2026-02-03T04:05:07+00:00");
    let at_once = json!({"name": "Now", "deleted_at": "2026-02-03T04:05:07Z"});
    assert_eq!(failing(&client.post("/groups", at_once).await), ["deleted_at"]);
    let born_dead = json!({"name": "Late", "deleted_at": "2020-01-01T00:00:00Z"});
    assert_eq!(failing(&client.post("/groups", born_dead).await), ["deleted_at"]);
}

#[tokio::test]
async fn a_group_whose_time_has_come_is_gone_everywhere() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let ends = json!("2026-02-03T05:05:06+00:00");
    let group = client.group(json!({"name": "Ends", "deleted_at": ends})).await;
    let phone = client.phone(&group, json!({"phone": "+12015550100"})).await;
    let stays = client.empty_group().await;
    world.advance(Duration::from_hours(1) - Duration::from_millis(1789));
    assert_eq!(client.get(&group).await.body["deleted_at"], ends);
    assert_eq!(client.get("/groups").await.body.as_array().unwrap().len(), 2);
    world.advance(Duration::from_secs(1));
    for (method, path, body) in [
        ("GET", group.clone(), Value::Null),
        ("PUT", group.clone(), json!({"name": "Back", "deleted_at": null})),
        ("DELETE", group.clone(), Value::Null),
        ("GET", format!("{group}/file/csv"), Value::Null),
        ("GET", format!("{group}/phones"), Value::Null),
        ("GET", format!("{group}/phones?page=1"), Value::Null),
        ("POST", format!("{group}/phones"), json!({"phone": "+12015550101"})),
        ("POST", format!("{group}/phones/batch"), json!([{"phone": "+12015550101"}])),
        ("GET", phone.clone(), Value::Null),
        ("PUT", phone.clone(), json!({"a": "x"})),
        ("DELETE", phone.clone(), Value::Null),
    ] {
        let mut call = client.call(method, &path);
        if !body.is_null() {
            call = call.json(body);
        }
        let reply = call.send().await;
        assert_eq!(told(&reply), "404 Not Found", "{method} {path}");
    }
    let left = client.get("/groups").await.body;
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(client.get("/me").await.body["groups"], json!({&stays[8..]: &stays}));
    world.directory().contacts_reap().await.unwrap();
    assert_eq!(client.get("/groups").await.body, left);
}

#[tokio::test]
async fn a_deleted_group_takes_its_phones_along() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(full()).await;
    let phone = client.phone(&group, json!({"phone": "+12015550101"})).await;
    insta::assert_snapshot!(client.delete(&group).await);
    for path in [group.clone(), phone, format!("{group}/phones"), format!("{group}/file/csv")] {
        assert_eq!(client.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(client.delete(&group).await.status, 404);
    assert_eq!(client.get("/groups").await.body, json!([]));
    let kinds: Vec<String> = world.journal().await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds.last().unwrap(), "contact_group.deleted");
    assert_eq!(kinds.iter().filter(|kind| kind.starts_with("contact")).count(), 3);
}

#[tokio::test]
async fn an_id_has_one_spelling() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(full()).await;
    assert_eq!(group, "/groups/1");
    for id in ["0", "-1", "+1", "01", "1.0", "1e0", "0x1", "%201", "99999999999999999999", "x", "1;2"] {
        for path in [format!("/groups/{id}"), format!("/groups/{id}/phones"), format!("/phones/{id}")] {
            assert_eq!(client.get(&path).await.status, 404, "{path}");
        }
    }
    // A sign of the URL's is none of the id's.
    assert_eq!(client.get("/groups/%31").await.status, 200);
}
