//! Bulks of the LOX24 dialect: one text to many.

use std::time::Duration;

use muster_domain::message::{BulkPatch, NewBulk, PlaceholderStyle, SenderId};
use muster_domain::{Ctx, Draft, Patch};
use serde_json::{Value, json};

use crate::lox24::{Client, told};
use crate::messages::{cents, load_prices, run, run_and_hand_over};
use crate::support::{Reply, World};

/// The clock of tests.
const NOW: i64 = 1_770_091_506;

fn to_phones(text: &str, phones: &[&str]) -> Value {
    json!({"sender_id": "Muster", "text": text, "phones": phones})
}

fn uuid(reply: &Reply) -> String {
    assert!(reply.status.is_success(), "{reply}");
    reply.body["uuid"].as_str().unwrap().to_owned()
}

/// The messages of a bulk by number: text, status, price, callback data.
async fn messages(client: &Client<'_>, uuid: &str) -> Vec<String> {
    let all = client.get(&format!("/sms?bulk={uuid}")).await.body;
    let line = |it: &Value| {
        assert_eq!((&it["bulk_id"], &it["key_id"]), (&json!(uuid), &json!(client.key.id.0)));
        let [text, status, price, callback] =
            ["text", "status_code", "price", "callback_data"].map(|name| &it[name]);
        format!("{} {text} {status} {price} {callback}", it["phone"].as_str().unwrap())
    };
    let mut lines: Vec<String> = all.as_array().unwrap().iter().map(line).collect();
    lines.sort_unstable();
    lines
}

/// A group whose first column is a name.
async fn group(client: &Client<'_>) -> i64 {
    let path = client
        .group(json!({"name": "Clients", "name_a": "name", "phones": [
            {"phone": "+4915112345671", "a": "Kim", "callback_data": "k"},
            {"phone": "+4915112345672", "callback_data": "order 7"},
            {"phone": "+4915112345673", "a": "Lee"},
            {"phone": "+493012345678", "a": "Fixed"},
        ]}))
        .await;
    path[8..].parse().unwrap()
}

#[tokio::test]
async fn a_bulk_is_made_and_read_in_both_formats() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = group(&client).await;
    let body = json!({
        "sender_id": "+4915199999999", "text": "Hi [name], [other]", "phones": ["0049 (151) 123-45671"], "msg_groups": [group, group],
        "delivery_at": NOW + 3600, "is_unicode": false, "source": 7, "service_code": "direct", "voice_lang": "DE",
        "is_text_deleted": true, "uuid": "x", "is_dryrun": true, "msg_total_count": 9
    });
    let made = client.post("/bulks", body).await;
    insta::assert_snapshot!(made);
    let path = format!("/bulks/{}", uuid(&made));
    let read = client.get(&path).await;
    assert_eq!((&read.body, read.header("etag")), (&made.body, made.header("etag")));
    insta::assert_snapshot!(client.any("GET", &path).send().await);
    insta::assert_snapshot!(client.get(&format!("{path}/status")).await);
    insta::assert_snapshot!(client.any("GET", &format!("{path}/status")).send().await);
    insta::assert_snapshot!(client.any("GET", "/bulks").send().await);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
}

/// As the vendor's page has it, but for the ids.
#[tokio::test]
async fn the_published_request_works() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = group(&client).await;
    let body = format!(
        r#"{{
"sender_id": "testbulk",
"text": "test bulk text",
"service_code": "direct",
"phones": ["+49751234567"],
"msg_groups": [{group}],
"delivery_at": 1573724611,
"is_unicode": true,
"source": 1234,
"voice_lang": "DE"
}}"#
    );
    let call = world.call("POST", "/bulks").key(&client.key).header("accept", "*/*");
    let made = call.header("content-type", "application/json").raw(body).send().await;
    assert_eq!(made.status, 201, "{made}");
    run_and_hand_over(&world, &world.acme, &uuid(&made)).await;
    let done = client.get(&format!("/bulks/{}", uuid(&made))).await.body;
    assert_eq!((&done["status_code"], &done["msg_total_count"]), (&json!(10), &json!(5)));
    // What is cancelled so has no body and no content type.
    let made = client.post("/bulks", to_phones("x", &["+12015550100"])).await;
    let cancelled =
        world.call("PUT", &format!("/bulks/{}/cancel", uuid(&made))).key(&client.key).send().await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.body["status_code"]), (200, &json!(15)));
}

#[tokio::test]
async fn places_are_filled_and_every_number_gets_one_message() {
    let world = World::new().await;
    load_prices(&world).await;
    world.directory().tenant_credit(world.acme.tenant(), cents(1000), None).await.unwrap();
    let client = Client::new(&world).await;
    let group = group(&client).await;
    assert_eq!(client.post("/blocked_numbers", json!({"number": "+4915112345673"})).await.status, 201);
    let mut body =
        to_phones("Hi [name]!", &["+4915112345671", "+4915112345679", "+4915112345679", "+436641234567"]);
    body["msg_groups"] = json!([group]);
    let made = client.post("/bulks", body).await;
    let (id, path) = (uuid(&made), format!("/bulks/{}", uuid(&made)));
    assert_eq!(messages(&client, &id).await, [] as [String; 0]);
    run(&world, &world.acme, &id).await;
    insta::assert_snapshot!(messages(&client, &id).await.join("\n"));
    let sending = client.get(&format!("{path}/status")).await;
    let of = |reply: &Reply, name: &str| reply.body[name].clone();
    assert_eq!((of(&sending, "status_code"), of(&sending, "msg_total_count")), (json!(5), json!(6)));
    assert_eq!(of(&sending, "msg_total_cost"), json!(0.21));
    assert_ne!(sending.header("etag"), made.header("etag"));
    assert_eq!(client.get("/me").await.body["balance_amount"], 9.79);
    world.advance(Duration::from_secs(3));
    run_and_hand_over(&world, &world.acme, &id).await;
    let done = client.get(&path).await;
    assert_eq!((of(&done, "status_code"), of(&done, "processed_at")), (json!(10), json!(NOW + 3)));
    let unchanged = client.call("GET", &path).header("if-none-match", done.header("etag")).send().await;
    assert_eq!(unchanged.status, 304);
}

#[tokio::test]
async fn without_money_messages_end_and_the_bulk_does_not() {
    let world = World::new().await;
    load_prices(&world).await;
    world.directory().tenant_credit(world.acme.tenant(), cents(8), None).await.unwrap();
    let client = Client::new(&world).await;
    let made = client.post("/bulks", to_phones("x", &["+4915112345671", "+4915112345672"])).await;
    let id = uuid(&made);
    run_and_hand_over(&world, &world.acme, &id).await;
    assert_eq!(
        messages(&client, &id).await,
        ["+4915112345671 \"x\" 100 0.07 null", "+4915112345672 \"x\" 3000 0 null"]
    );
    let done = client.get(&format!("/bulks/{id}/status")).await.body;
    assert_eq!((&done["status_code"], &done["msg_total_cost"]), (&json!(10), &json!(0.07)));
}

#[tokio::test]
async fn a_dry_run_is_kept_and_sends_nothing() {
    let world = World::new().await;
    load_prices(&world).await;
    world.directory().tenant_credit(world.acme.tenant(), cents(100), None).await.unwrap();
    let client = Client::new(&world).await;
    let made = client.post("/bulks/dryrun", to_phones("x", &["+4915112345671", "+4915112345672"])).await;
    assert_eq!((made.status.as_u16(), &made.body["is_dryrun"]), (201, &json!(true)));
    let id = uuid(&made);
    run_and_hand_over(&world, &world.acme, &id).await;
    let done = client.get(&format!("/bulks/{id}")).await.body;
    let of = |name: &str| done[name].clone();
    assert_eq!(
        (of("status_code"), of("msg_total_count"), of("is_dryrun")),
        (json!(10), json!(2), json!(true))
    );
    assert_eq!(messages(&client, &id).await, [] as [String; 0]);
    assert_eq!(client.get("/me").await.body["balance_amount"], 1);
}

#[tokio::test]
async fn what_has_not_ended_is_cancelled() {
    let world = World::new().await;
    load_prices(&world).await;
    world.directory().tenant_credit(world.acme.tenant(), cents(100), None).await.unwrap();
    let client = Client::new(&world).await;
    let phones = ["+4915112345671", "+4915112345672"];
    for begins in [false, true] {
        let made = client.post("/bulks", to_phones("x", &phones)).await;
        let (id, path) = (uuid(&made), format!("/bulks/{}/cancel", uuid(&made)));
        if begins {
            run(&world, &world.acme, &id).await;
            assert_eq!(client.get("/me").await.body["balance_amount"], 0.86);
        }
        let stale = client.call("PUT", &path).header("if-match", "\"99\"").send().await;
        assert_eq!(told(&stale), "412 Precondition Failed");
        // Counts that have changed meanwhile are no reason to refuse it.
        let tag = client.get(&format!("/bulks/{id}")).await.header("etag").to_owned();
        let cancelled = client.call("PUT", &path).header("if-match", &tag).send().await;
        assert_eq!((cancelled.status.as_u16(), &cancelled.body["status_code"]), (200, &json!(15)));
        assert_eq!(cancelled.body["processed_at"], NOW);
        run(&world, &world.acme, &id).await;
        let stopped: Vec<String> = phones.iter().map(|phone| format!("{phone} \"x\" 6000 0 null")).collect();
        assert_eq!(messages(&client, &id).await, if begins { stopped } else { Vec::new() });
        assert_eq!(client.get("/me").await.body["balance_amount"], 1);
        insta::assert_snapshot!(told(&client.call("PUT", &path).send().await));
    }
    let made = client.post("/bulks", to_phones("x", &phones)).await;
    run_and_hand_over(&world, &world.acme, &uuid(&made)).await;
    let late = client.call("PUT", &format!("/bulks/{}/cancel", uuid(&made))).send().await;
    assert_eq!(late.status, 422);
    assert_eq!(client.get(&format!("/bulks/{}", uuid(&made))).await.body["status_code"], 10);
}

#[tokio::test]
async fn a_deleted_bulk_leaves_its_messages() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let made = client.post("/bulks", to_phones("x", &["+4915112345671"])).await;
    let (id, path) = (uuid(&made), format!("/bulks/{}", uuid(&made)));
    run_and_hand_over(&world, &world.acme, &id).await;
    assert_eq!(client.call("DELETE", &path).header("if-match", "\"99\"").send().await.status, 412);
    insta::assert_snapshot!(client.delete(&path).await);
    for (method, path) in [
        ("GET", path.clone()),
        ("GET", format!("{path}/status")),
        ("PUT", format!("{path}/cancel")),
        ("DELETE", path.clone()),
    ] {
        assert_eq!(told(&client.call(method, &path).send().await), "404 Not Found", "{method} {path}");
    }
    assert_eq!(client.get("/bulks").await.body, json!([]));
    assert_eq!(messages(&client, &id).await, ["+4915112345671 \"x\" 100 0 null"]);
}

#[tokio::test]
async fn nobody_in_its_groups_is_a_status() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group: i64 = client.empty_group().await[8..].parse().unwrap();
    let made =
        client.post("/bulks", json!({"sender_id": "Muster", "text": "x", "msg_groups": [group]})).await;
    run_and_hand_over(&world, &world.acme, &uuid(&made)).await;
    assert_eq!(client.get(&format!("/bulks/{}/status", uuid(&made))).await.body["status_code"], 201);
}

#[tokio::test]
async fn bulks_are_filtered_and_ordered() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for (text, more) in [
        ("a 50% Off", json!({"is_unicode": true, "source": 1})),
        ("b", json!({"is_unicode": false, "sender_id": "+4915199999999", "delivery_at": NOW + 9999})),
        ("c", json!({"phones": ["+4915112345671", "+4915112345672"]})),
    ] {
        let mut body = to_phones(text, &["+4915112345670"]);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let id = uuid(&client.post("/bulks", body).await);
        if text != "b" {
            run_and_hand_over(&world, &world.acme, &id).await;
        }
        world.advance(Duration::from_secs(1));
    }
    assert_eq!(client.post("/bulks/dryrun", to_phones("d", &["+4915112345670"])).await.status, 201);
    // One of the other dialect is a bulk as well.
    let patch = BulkPatch {
        sender: SenderId::read("Muster").ok(),
        text: Some("e {{name}}".to_owned()),
        phones: Some(vec!["+4915112345670".to_owned()]),
        name: Patch::Set("Broadcast".to_owned()),
        ..BulkPatch::default()
    };
    let new = NewBulk { patch, style: PlaceholderStyle::Braces, is_dry_run: false, ip: None };
    world.advance(Duration::from_secs(1));
    let now = Ctx::operator(world.acme.tenant(), world.acme.top(), world.directory().now());
    world.directory().bulk_create(&now, Draft::from(new)).await.unwrap();
    for (query, found) in [
        (String::new(), "edcba"),
        ("x=y&msg_groups=1".to_owned(), "edcba"),
        ("text=OFF".to_owned(), "a"),
        ("text[]=off&text[]=%7B%7B".to_owned(), "ea"),
        ("sender_id=must".to_owned(), "edca"),
        ("status_code=10".to_owned(), "ca"),
        ("status_code[]=0&status_code[]=5".to_owned(), "edb"),
        ("status_code=7".to_owned(), ""),
        ("status_code[]=7&status_code[]=10".to_owned(), "ca"),
        (format!("key_id={}", client.key.id.0), "dcba"),
        ("key_id=0".to_owned(), "e"),
        ("is_unicode=1".to_owned(), "a"),
        ("is_unicode=0".to_owned(), "b"),
        ("is_unicode[]=0&is_unicode[]=1".to_owned(), "ba"),
        ("exists[is_unicode]=1".to_owned(), "ba"),
        ("exists[is_unicode]=0".to_owned(), "edc"),
        ("exists[is_unicode]=0&is_unicode=1".to_owned(), ""),
        ("is_dryrun=true".to_owned(), "d"),
        (format!("created_at[gt]={NOW}&created_at[lte]={}", NOW + 2), "cb"),
        (format!("delivery_at={}", NOW + 9999), "b"),
        ("processed_at=0".to_owned(), "edb"),
        (format!("processed_at[between]={NOW}..{NOW}"), "a"),
        ("msg_total_count[gt]=1".to_owned(), "c"),
        ("msg_total_count[]=1&msg_total_count[]=2".to_owned(), "ca"),
        ("source=1".to_owned(), "a"),
        ("source[lt]=1".to_owned(), "edcb"),
        ("_order[msg_total_count]=desc&status_code=10".to_owned(), "ca"),
        ("_order[delivery_at]=desc".to_owned(), "b"),
        ("_order[created_at]=asc".to_owned(), "abcde"),
        ("_order[processed_at]=desc&status_code=10".to_owned(), "ca"),
        ("page=2".to_owned(), ""),
    ] {
        let reply = client.get(&format!("/bulks?{query}")).await;
        assert_eq!(reply.status, 200, "{reply}");
        let mut letters = String::new();
        for bulk in reply.body.as_array().unwrap() {
            assert!(bulk.get("text").is_none() && bulk.get("phones").is_none());
            let one = client.get(&format!("/bulks/{}", bulk["uuid"].as_str().unwrap())).await.body;
            letters.extend(one["text"].as_str().unwrap().chars().next());
        }
        let seen = if query == "_order[delivery_at]=desc" { &letters[..1] } else { &letters };
        assert_eq!(seen, found, "{query}");
    }
    let wrong = "is_dryrun=x&status_code=x&key_id=&created_at[gt]=x&msg_total_count[between]=1&exists[is_unicode]=x&_order[delivery_at]=x";
    insta::assert_snapshot!(told(&client.get(&format!("/bulks?{wrong}")).await));
}
