//! Messages of the LOX24 dialect that are refused.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::lox24::{Client, JSON, failing, told};
use crate::support::World;

fn with(name: &str, value: Value) -> Value {
    let mut body = json!({"sender_id": "Muster", "text": "hello", "phone": "+4915112345678"});
    body[name] = value;
    body
}

#[tokio::test]
async fn every_failing_field_is_named_at_once() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let before = world.journal().await;
    let wrong = json!({
        "sender_id": "M\u{fc}ller", "text": 7, "phone": "nobody", "delivery_at": -1, "is_text_deleted": "yes", "is_unicode": 1,
        "service_code": "text2speech", "source": "x", "voice_lang": "x".repeat(36), "callback_data": "x".repeat(37)
    });
    for path in ["/sms", "/sms/dryrun"] {
        insta::assert_snapshot!(client.post(path, wrong.clone()).await);
        insta::assert_snapshot!(client.any("POST", path).json(json!({})).send().await);
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn an_unknown_service_is_told_as_it_was_recorded() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for service in ["text2speech", "text2speech_ssml", "pro", ""] {
        let reply = client.post("/sms", with("service_code", json!(service))).await;
        let violation = json!({
            "propertyPath": "service_code", "message": "Service's code is invalid or unavailable.",
            "code": "c1051bb4-d103-4f74-8988-acbcafc7fdc3"
        });
        assert_eq!(
            (reply.status.as_u16(), &reply.body["violations"]),
            (400, &json!([violation])),
            "{service}"
        );
    }
}

#[tokio::test]
async fn every_field_has_its_limits() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let mut replies = String::new();
    for (name, values) in [
        (
            "sender_id",
            vec![
                json!(""),
                json!(null),
                json!(5),
                json!("ABCDEFGHIJKL"),
                json!("+0151"),
                json!("1234567890123456"),
                json!("a\nb"),
                json!("a\u{0}"),
            ],
        ),
        (
            "text",
            vec![
                json!(""),
                json!(" \n"),
                json!(null),
                json!(["x"]),
                json!("a\u{0}b"),
                json!("x".repeat(1531)),
                json!("\u{6f22}".repeat(671)),
                json!("\u{20ac}".repeat(766)),
                json!("\u{20ac}".repeat(765)),
                json!("x".repeat(500_000)),
            ],
        ),
        (
            "phone",
            vec![
                json!(""),
                json!(null),
                json!(4_915_112_345_678_i64),
                json!("123"),
                json!("+12345678901234567"),
                json!("+49 151 ABC"),
                json!("1".repeat(31)),
                json!("+491511\u{0}"),
            ],
        ),
        (
            "delivery_at",
            vec![
                json!(-1),
                json!("0"),
                json!(1.5),
                json!(253_402_300_800_i64),
                json!(true),
                json!("2027-01-01T00:00:00Z"),
            ],
        ),
        ("is_unicode", vec![json!(0), json!("true"), json!([])]),
        ("is_text_deleted", vec![json!(0), json!({})]),
        ("service_code", vec![json!(5), json!("Direct")]),
        ("source", vec![json!("1"), json!(1.5), json!(true), json!(9_223_372_036_854_775_808_u64)]),
        ("voice_lang", vec![json!(1), json!("a\u{0}")]),
        ("callback_data", vec![json!(1), json!("\u{1f600}".repeat(37)), json!("a\u{0}")]),
    ] {
        for value in values {
            let reply = client.post("/sms", with(name, value.clone())).await;
            let shown: String = value.to_string().chars().take(40).collect();
            assert_eq!(failing(&reply), [name], "{name} {shown}: {reply}");
            writeln!(replies, "{shown}: {}", told(&reply)).unwrap();
        }
    }
    insta::assert_snapshot!(replies);
    assert_eq!(client.get("/sms").await.body, json!([]));
}

#[tokio::test]
async fn what_is_at_the_limits_is_taken() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for (name, value) in [
        ("sender_id", json!("ABCDEFGHIJK")),
        ("sender_id", json!("+123456789012345")),
        ("sender_id", json!("7")),
        ("delivery_at", json!(1)),
        ("delivery_at", json!(253_402_300_799_i64)),
        ("source", json!(i64::MAX)),
        ("source", json!(i64::MIN)),
        ("callback_data", json!("\u{1f600}".repeat(36))),
        ("callback_data", json!("")),
        ("voice_lang", json!("x".repeat(35))),
    ] {
        let made = client.post("/sms", with(name, value.clone())).await;
        assert_eq!((made.status.as_u16(), &made.body[name]), (201, &value), "{name} {made}");
        let read = client.get(&format!("/sms/{}", made.body["uuid"].as_str().unwrap())).await;
        assert_eq!(read.body, made.body);
    }
    // A time that has passed is at once, and is shown as it was sent.
    let passed = client.post("/sms", with("delivery_at", json!(1_573_724_611))).await;
    assert_eq!((passed.status.as_u16(), &passed.body["delivery_at"]), (201, &json!(1_573_724_611)));
}

#[tokio::test]
async fn numbers_are_read_as_those_of_contacts() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let german = world.tenant_in("DE", "Berlin", "bert@berlin.example").await;
    let there = Client { key: world.key(&german).await, ..Client::new(&world).await };
    for (of, phone, stored) in [
        (&client, "(201) 555-0100", "+12015550100"),
        (&client, "0049 151/12345678", "+4915112345678"),
        (&client, "011 49 15112345678", "+4915112345678"),
        (&there, "0151 12345678", "+4915112345678"),
        (&there, "4915112345678", "+4915112345678"),
        (&there, " +49.151.12345678 ", "+4915112345678"),
    ] {
        let made = of.post("/sms", with("phone", json!(phone))).await;
        assert_eq!((made.status.as_u16(), &made.body["phone"]), (201, &json!(stored)), "{phone}");
    }
}

#[tokio::test]
async fn what_is_no_message_is_no_fault() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("null", 400),
        ("7", 400),
        ("{\"text\":\"\\ud800\"}", 400),
        ("{\"text\":1e999}", 400),
    ] {
        let call = client.call("POST", "/sms").raw(body).header("content-type", JSON);
        assert_eq!(call.send().await.status, status, "{body}");
    }
    let form =
        client.call("POST", "/sms").raw("text=x").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.send().await.status, 415);
    let great = with("text", json!("x".repeat(2 * 1024 * 1024)));
    assert_eq!(client.post("/sms", great).await.status, 413);
    // Who asks comes first.
    assert_eq!(world.post("/sms", json!({})).send().await.status, 401);
    let reader = world.read_only_key(&world.acme).await;
    assert_eq!(world.post("/sms", json!({})).key(&reader).send().await.status, 403);
}
