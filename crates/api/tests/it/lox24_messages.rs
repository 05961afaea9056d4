//! Messages of the LOX24 dialect: sending, trying, reading and deleting one.

use std::fmt::Write as _;
use std::time::Duration;

use muster_domain::message::{Receipt, ReceiptNews};
use serde_json::{Value, json};

use crate::lox24::{Client, JSON_LD, told};
use crate::messages::{cents, claimed, hand_over, load_prices};
use crate::support::{Reply, World};

/// The clock of tests.
const NOW: i64 = 1_770_091_506;

fn plain() -> Value {
    json!({"sender_id": "Muster", "text": "hello", "phone": "+4915112345678"})
}

fn full() -> Value {
    json!({
        "sender_id": "+4915199999999", "text": "Gr\u{fc}\u{df}e {\u{20ac}}", "phone": "0049 (151) 123-45678",
        "delivery_at": NOW + 3600, "is_text_deleted": true, "is_unicode": true, "service_code": "direct", "source": -7,
        "voice_lang": "DE", "callback_data": "order 7", "uuid": "x", "price": 99, "unknown": {}
    })
}

fn path(reply: &Reply) -> String {
    format!("/sms/{}", reply.body["uuid"].as_str().unwrap())
}

#[tokio::test]
async fn a_message_is_sent_and_read_in_both_formats() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let made = client.post("/sms", plain()).await;
    insta::assert_snapshot!(made);
    let read = client.get(&path(&made)).await;
    assert_eq!((read.status.as_u16(), &read.body), (200, &made.body));
    let linked = client.any("POST", "/sms").json(full()).send().await;
    insta::assert_snapshot!(linked);
    insta::assert_snapshot!(client.any("GET", &path(&linked)).send().await);
    insta::assert_snapshot!(client.any("GET", "/sms").send().await);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
}

#[tokio::test]
async fn nulls_and_zeros_are_what_a_message_has_anyway() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let mut body = plain();
    for name in ["is_text_deleted", "is_unicode", "service_code", "source", "voice_lang", "callback_data"] {
        body[name] = Value::Null;
    }
    let expected = client.post("/sms/dryrun", plain()).await.body;
    for at in [Value::Null, json!(0)] {
        body["delivery_at"] = at;
        assert_eq!(client.post("/sms/dryrun", body.clone()).await.body, expected);
    }
}

#[tokio::test]
async fn a_dry_run_says_all_and_stores_nothing() {
    let world = World::new().await;
    load_prices(&world).await;
    let client = Client::new(&world).await;
    let entries = world.journal().await;
    // There is no money, and none is needed.
    let tried = client.any("POST", "/sms/dryrun").json(full()).send().await;
    insta::assert_snapshot!(tried);
    assert_eq!(client.get(&path(&tried)).await.status, 404);
    assert_eq!(client.get("/sms").await.body, json!([]));
    assert_eq!(world.journal().await, entries);
}

#[tokio::test]
async fn a_message_is_paid_from_the_balance_or_refused() {
    let world = World::new().await;
    load_prices(&world).await;
    let client = Client::new(&world).await;
    world.advance(Duration::from_secs(5));
    world.directory().tenant_credit(world.acme.tenant(), cents(21), None).await.unwrap();
    let account = async || {
        let me = client.get("/me").await.body;
        (me["balance_amount"].clone(), me["balance_changed_at"].clone())
    };
    assert_eq!(account().await, (json!(0.21), json!(NOW + 5)));
    world.advance(Duration::from_secs(5));
    let two_parts = json!({"sender_id": "Muster", "text": "x".repeat(161), "phone": "+4915112345678"});
    let made = client.post("/sms", two_parts.clone()).await;
    assert_eq!((&made.body["price"], &made.body["parts_count"]), (&json!(0.14), &json!(2)));
    assert_eq!(account().await, (json!(0.07), json!(NOW + 10)));
    let entries = world.journal().await;
    let refused = client.post("/sms", two_parts.clone()).await;
    insta::assert_snapshot!(refused);
    insta::assert_snapshot!(client.any("POST", "/sms").json(two_parts).send().await);
    assert_eq!(world.journal().await, entries);
    assert_eq!(account().await.0, json!(0.07));
    // What waits is given back when it is deleted, and the last cent suffices.
    assert_eq!(client.delete(&path(&made)).await.status, 204);
    assert_eq!(account().await.0, json!(0.21));
    for _ in 0..3 {
        assert_eq!(client.post("/sms", plain()).await.status, 201);
    }
    assert_eq!(account().await.0, json!(0));
}

#[tokio::test]
async fn what_cannot_be_sent_ends_at_once_and_costs_nothing() {
    let world = World::new().await;
    load_prices(&world).await;
    let client = Client::new(&world).await;
    assert_eq!(client.post("/blocked_numbers", json!({"number": "+4915112345679"})).await.status, 201);
    for (phone, status, iso2) in [
        ("+4915112345679", 208, json!("DE")),
        ("+493012345678", 2000, json!("DE")),
        ("+881612345678", 5000, Value::Null),
        // Without a price.
        ("+436641234567", 5000, json!("AT")),
    ] {
        let made = client.post("/sms", json!({"sender_id": "Muster", "text": "x", "phone": phone})).await;
        let of = |name: &str| made.body[name].clone();
        assert_eq!(
            (made.status.as_u16(), of("status_code"), of("iso2")),
            (201, json!(status), iso2),
            "{phone}"
        );
        assert_eq!((of("price"), of("is_sent")), (json!(0), json!(false)));
    }
}

#[tokio::test]
async fn texts_are_counted_in_the_alphabet_in_which_they_are_sent() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let mut replies = String::new();
    for (text, is_unicode) in [
        ("x".repeat(160), Value::Null),
        ("x".repeat(161), Value::Null),
        ("x".repeat(1530), Value::Null),
        ("\u{20ac}".repeat(80), json!(false)),
        ("\u{20ac}".repeat(81), json!(false)),
        ("\u{20ac}".repeat(760), Value::Null),
        ("\u{6f22}".repeat(70), Value::Null),
        ("\u{6f22}".repeat(71), json!(true)),
        ("\u{6f22}".repeat(670), Value::Null),
        ("\u{1f600}".repeat(35), Value::Null),
        ("x".repeat(70), json!(true)),
        ("x".repeat(71), json!(true)),
        ("It\u{2019}s `na\u{ef}ve` \u{2013} \u{f3}k \u{6f22}".to_owned(), json!(false)),
        ("It\u{2019}s `na\u{ef}ve` \u{2013} \u{f3}k".to_owned(), Value::Null),
        ("\u{e5}\u{e4}\u{f6}\u{20ac}\u{c}".to_owned(), Value::Null),
        ("a\tb\r\nc\u{7}".to_owned(), json!(false)),
        ("a\tb\u{7}".to_owned(), Value::Null),
    ] {
        let body =
            json!({"sender_id": "Muster", "text": text, "phone": "+4915112345678", "is_unicode": is_unicode});
        let Reply { status, body: made, .. } = client.post("/sms/dryrun", body).await;
        let shown = made["text"].as_str().unwrap();
        let start: String = text.chars().take(24).collect();
        let changed = if shown == text { String::new() } else { format!(" sent as {shown:?}") };
        let (unicode, chars, parts) = (&made["is_unicode"], &made["chars_count"], &made["parts_count"]);
        let line = format!("unicode {unicode}, {chars} in {parts} parts{changed}");
        writeln!(replies, "{} {start:?} {is_unicode}: {line}", status.as_u16()).unwrap();
    }
    insta::assert_snapshot!(replies);
}

#[tokio::test]
async fn a_text_is_emptied_when_it_is_handed_over() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let mut body = plain();
    body["is_text_deleted"] = json!(true);
    let secret = path(&client.post("/sms", body).await);
    let open = path(&client.post("/sms", plain()).await);
    assert_eq!(client.get(&secret).await.body["text"], "hello");
    let waiting = client.get(&secret).await;
    world.advance(Duration::from_secs(9));
    hand_over(&world, &world.acme).await;
    let sent = client.get(&secret).await;
    let of = |name: &str| sent.body[name].clone();
    assert_eq!((of("text"), of("chars_count"), of("is_text_deleted")), (json!(""), json!(5), json!(true)));
    assert_eq!(
        (of("status_code"), of("is_sent"), of("gateway_sent_at")),
        (json!(100), json!(true), json!(NOW + 9))
    );
    assert_ne!(sent.header("etag"), waiting.header("etag"));
    assert_eq!(client.get(&open).await.body["text"], "hello");
}

#[tokio::test]
async fn what_carriers_tell_is_shown() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let message = path(&client.post("/sms", plain()).await);
    hand_over(&world, &world.acme).await;
    let id = format!("play-{}", &message[5..]);
    for (receipt, code) in [(Receipt::Queued, 2), (Receipt::Accepted, 4), (Receipt::Delivered, 1)] {
        let news = ReceiptNews { carrier_id: id.clone(), receipt };
        world.directory().receipts_note("play", vec![news]).await.unwrap();
        let read = client.get(&message).await.body;
        assert_eq!((&read["dlr_code"], &read["status_code"]), (&json!(code), &json!(100)));
    }
}

#[tokio::test]
async fn messages_have_versions() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let message = path(&client.post("/sms", plain()).await);
    let tag = client.get(&message).await.header("etag").to_owned();
    let unchanged = client.call("GET", &message).header("if-none-match", &tag).send().await;
    assert_eq!(unchanged.status, 304);
    hand_over(&world, &world.acme).await;
    assert_eq!(client.call("GET", &message).header("if-none-match", &tag).send().await.status, 200);
    let stale = client.call("DELETE", &message).header("if-match", &tag).send().await;
    assert_eq!(told(&stale), "412 Precondition Failed");
    let tag = client.get(&message).await.header("etag").to_owned();
    insta::assert_snapshot!(client.call("DELETE", &message).header("if-match", &tag).send().await);
    assert_eq!(told(&client.get(&message).await), "404 Not Found");
    assert_eq!(told(&client.delete(&message).await), "404 Not Found");
}

#[tokio::test]
async fn what_is_being_handed_over_stays() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let message = path(&client.post("/sms", plain()).await);
    claimed(&world, &world.acme).await;
    let reply = client.delete(&message).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "1"));
    let none = client.call("POST", "/sms/ops/batch_cancel?status_code=0").send().await;
    assert_eq!(none.body, json!({"deleted_sms_count": 0}));
    assert_eq!(client.get(&message).await.body["status_code"], 0);
}

#[tokio::test]
async fn an_id_has_one_spelling() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let message = path(&client.post("/sms", plain()).await);
    let id = &message[5..];
    for other in
        [id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"), "1".to_owned(), "dryrun".to_owned()]
    {
        let method = if other == "dryrun" { "DELETE" } else { "GET" };
        let reply = client.call(method, &format!("/sms/{}", other.replace(['{', '}'], "%7B"))).send().await;
        assert!(matches!(reply.status.as_u16(), 404 | 405), "{other}: {reply}");
    }
    for path in [
        "/sms/ops",
        "/sms/ops/batch_stop",
        "/smsx",
        &format!("{message}/requests"),
        &format!("{message}/clicks"),
    ] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
    let linked = client.any("GET", &message).send().await;
    assert_eq!((linked.header("content-type"), &linked.body["@id"]), (JSON_LD, &json!(message)));
}
