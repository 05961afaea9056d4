//! Bulks of the LOX24 dialect that are refused.

use std::fmt::Write as _;

use muster_domain::contact::ContactGroupPatch;
use serde_json::{Value, json};

use crate::lox24::{Client, failing, number, told};
use crate::support::World;

fn with(name: &str, value: Value) -> Value {
    let mut body = json!({"sender_id": "Muster", "text": "hello", "phones": ["+4915112345678"]});
    body[name] = value;
    body
}

#[tokio::test]
async fn every_failing_field_is_named_at_once() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let before = world.journal().await;
    let wrong = json!({
        "sender_id": "M\u{fc}ller", "text": "", "phones": ["+4915112345678", "nobody", "", "\u{0}"], "msg_groups": [99, -1, 99],
        "delivery_at": -1, "is_text_deleted": "yes", "is_unicode": 1, "service_code": "pro", "source": "x",
        "voice_lang": "x".repeat(36)
    });
    for path in ["/bulks", "/bulks/dryrun"] {
        insta::assert_snapshot!(client.post(path, wrong.clone()).await);
        assert_eq!(failing(&client.post(path, json!({})).await), ["sender_id", "text"]);
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn a_bulk_names_somebody() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for body in [
        json!({"sender_id": "Muster", "text": "x"}),
        json!({"sender_id": "Muster", "text": "x", "phones": [], "msg_groups": []}),
        json!({"sender_id": "Muster", "text": "x", "phones": null, "msg_groups": null}),
    ] {
        let reply = client.post("/bulks", body).await;
        assert_eq!(told(&reply), "422 At least one phone or group is needed.");
    }
}

#[tokio::test]
async fn every_field_has_its_limits() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let many: Vec<String> = (0..10_001).map(number).collect();
    let mut replies = String::new();
    for (name, values) in [
        (
            "phones",
            vec![json!("+4915112345678"), json!({}), json!([1, null, "+4915112345678", ["x"]]), json!(many)],
        ),
        (
            "msg_groups",
            vec![json!(7), json!(["7", 1.5]), json!(vec![1; 101]), json!([i64::MAX]), json!(["/groups/7"])],
        ),
        ("text", vec![json!("x".repeat(1786)), json!(" "), json!("\u{0}"), json!(7)]),
        ("sender_id", vec![json!(""), json!(7)]),
        ("is_unicode", vec![json!("x")]),
    ] {
        for value in values {
            let reply = client.post("/bulks", with(name, value.clone())).await;
            let shown: String = value.to_string().chars().take(40).collect();
            assert!(!failing(&reply).is_empty(), "{name} {shown}: {reply}");
            assert!(failing(&reply).iter().all(|path| path.starts_with(name)), "{name} {shown}: {reply}");
            writeln!(replies, "{shown}: {}", told(&reply)).unwrap();
        }
    }
    insta::assert_snapshot!(replies);
    assert_eq!(client.get("/bulks").await.body, json!([]));
    // At the limits.
    let most = client.post("/bulks", with("phones", json!(many[..10_000]))).await;
    assert_eq!((most.status.as_u16(), most.body["phones"].as_array().unwrap().len()), (201, 10_000));
    let long = client.post("/bulks", with("text", json!("\u{1f600}".repeat(1785)))).await;
    assert_eq!(long.status, 201);
}

#[tokio::test]
async fn a_group_of_another_tenant_is_unknown() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let other = world.tenant("Other", "olga@other.example").await;
    let patch = ContactGroupPatch { name: Some("Theirs".to_owned()), ..ContactGroupPatch::default() };
    let foreign = world.directory().contact_group_create(&other, patch.into()).await.unwrap().id.0;
    let own: i64 = client.empty_group().await[8..].parse().unwrap();
    let refused = client.post("/bulks", with("msg_groups", json!([own, foreign]))).await;
    assert_eq!(failing(&refused), ["msg_groups[1]"]);
    let unknown = client.post("/bulks", with("msg_groups", json!([own, 99_999]))).await;
    assert_eq!(refused.body, unknown.body);
}

#[tokio::test]
async fn ids_have_one_spelling_and_methods_are_those_of_the_contract() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let made = client.post("/bulks", with("source", json!(null))).await;
    let id = made.body["uuid"].as_str().unwrap();
    for other in [id.to_uppercase(), id.replace('-', ""), "1".to_owned()] {
        for path in [format!("/bulks/{other}"), format!("/bulks/{other}/status")] {
            assert_eq!(client.get(&path).await.status, 404, "{path}");
        }
        assert_eq!(client.call("PUT", &format!("/bulks/{other}/cancel")).send().await.status, 404);
    }
    assert_eq!(client.put(&format!("/bulks/{id}"), json!({})).await.status, 405);
    assert_eq!(client.get(&format!("/bulks/{id}/cancel")).await.status, 405);
    assert_eq!(client.get("/bulks/dryrun").await.status, 405);
    assert_eq!(client.get(&format!("/bulks/{id}/x")).await.status, 404);
}
