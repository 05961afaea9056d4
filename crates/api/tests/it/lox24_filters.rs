//! Filters, order and pages of messages in the LOX24 dialect, on what is stored.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::lox24::{Client, told};
use crate::messages::hand_over;
use crate::support::World;

/// The clock of tests.
const NOW: i64 = 1_770_091_506;

/// Sends messages that differ in all that can be asked for: those called `a` and `b`, a second apart, are handed over 10 s
/// later, `c` and `d` wait.
async fn four(world: &World, client: &Client<'_>) {
    for (text, sender, phone, source, callback) in [
        ("a 50% Off", "Muster", "+4915112345678", 1, json!("x")),
        ("b \u{6f22}", "+4915199999999", "+12015550100", 2, Value::Null),
    ] {
        let body = json!({"sender_id": sender, "text": text, "phone": phone, "source": source, "callback_data": callback});
        assert_eq!(client.post("/sms", body).await.status, 201);
        world.advance(Duration::from_secs(1));
    }
    world.advance(Duration::from_secs(10));
    hand_over(world, &world.acme).await;
    let long = format!("c {}", "y".repeat(200));
    for (text, phone, at) in [(long.as_str(), "+4915112345679", 0), ("d_", "+436641234567", NOW + 100)] {
        let body =
            json!({"sender_id": "Other", "text": text, "phone": phone, "delivery_at": at, "source": -3});
        assert_eq!(client.post("/sms", body).await.status, 201);
    }
}

/// The first letters of the texts of a list.
async fn letters(client: &Client<'_>, query: &str) -> String {
    let reply = client.get(&format!("/sms?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {reply}");
    let letter = |message: &Value| message["text"].as_str().unwrap().chars().next().unwrap();
    reply.body.as_array().unwrap().iter().map(letter).collect()
}

#[tokio::test]
async fn every_filter_finds_what_it_says() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    four(&world, &client).await;
    let other = Client { key: world.key(&world.acme).await, ..Client::new(&world).await };
    let body = json!({"sender_id": "Muster", "text": "e", "phone": "+12015550100"});
    assert_eq!(other.post("/sms", body).await.status, 201);
    let all = client.get("/sms?_order[created_at]=asc").await.body;
    let of = |at: usize, name: &str| {
        all[at][name].as_str().map_or_else(|| all[at][name].to_string(), str::to_owned)
    };
    for (query, found) in [
        (String::new(), "edcba"),
        ("unknown=1&status=0&is_sent[gt]=1".to_owned(), "edcba"),
        ("is_sent=true".to_owned(), "ba"),
        ("is_sent=0".to_owned(), "edc"),
        ("sent=1".to_owned(), "ba"),
        ("sent=1&is_sent=0".to_owned(), ""),
        ("is_unicode=1".to_owned(), "b"),
        ("is_unicode[]=1&is_unicode[]=false".to_owned(), "edcba"),
        (format!("uuid={}", of(0, "uuid")), "a"),
        (format!("uuid={}", of(0, "uuid").to_uppercase()), "a"),
        (format!("uuid[]={}&uuid[]={}", of(0, "uuid"), of(3, "uuid")), "da"),
        ("uuid=00000000-0000-4000-8000-000000000000".to_owned(), ""),
        ("iso2=DE".to_owned(), "ca"),
        ("iso2[]=at&iso2[]=us".to_owned(), "edb"),
        ("status_code=100".to_owned(), "ba"),
        ("status_code[0]=0&status_code[1]=6000".to_owned(), "edc"),
        ("dlr_code=0".to_owned(), "edcba"),
        ("dlr_code=1".to_owned(), ""),
        ("bulk=00000000-0000-4000-8000-000000000000".to_owned(), ""),
        (format!("key_id={}", client.key.id.0), "dcba"),
        (format!("key_id[]={}&key_id[]=99", other.key.id.0), "e"),
        ("callback_data=x".to_owned(), "a"),
        ("callback_data=X".to_owned(), ""),
        ("gateway_sent_at=0".to_owned(), "edc"),
        (format!("gateway_sent_at={}", NOW + 12), "ba"),
        ("gateway_sent_at[gt]=0".to_owned(), "ba"),
        (format!("delivery_at={}", NOW + 100), "d"),
        ("delivery_at[gte]=1".to_owned(), "d"),
        (format!("created_at={NOW}"), "a"),
        (format!("created_at[gt]={NOW}"), "edcb"),
        (format!("created_at[gte]={NOW}&created_at[lt]={}", NOW + 2), "ba"),
        (format!("created_at[lte]={}", NOW + 1), "ba"),
        (format!("created_at[between]={NOW}..{}", NOW + 1), "ba"),
        (format!("created_at[]={NOW}&created_at[]={}", NOW + 1), "ba"),
        (format!("created_at%5Bgte%5D={NOW}&created_at%5B0%5D={NOW}"), "a"),
        ("chars_count=3".to_owned(), "b"),
        ("chars_count[gt]=3".to_owned(), "ca"),
        ("chars_count[between]=2..3".to_owned(), "db"),
        ("parts_count[gt]=1".to_owned(), "c"),
        ("source=-3".to_owned(), "dc"),
        ("source[lt]=2".to_owned(), "edca"),
        ("text=50%25 off".to_owned().replace(' ', "+"), "a"),
        ("text=OFF".to_owned(), "a"),
        ("text=_".to_owned(), "d"),
        ("text=%25".to_owned(), "a"),
        ("text=%E6%BC%A2".to_owned(), "b"),
        ("text[]=off&text[]=yy".to_owned(), "ca"),
        ("text[0]=off&text[1]=yy&parts_count=1".to_owned(), "a"),
        ("phone=1234567".to_owned(), "dca"),
        ("phone=%2B49".to_owned(), "ca"),
        ("sender_id=must".to_owned(), "ea"),
        ("ip=192.0".to_owned(), "edcba"),
        ("ip=192.1".to_owned(), ""),
        ("_order[created_at]=asc".to_owned(), "abcde"),
        ("_order[gateway_sent_at]=desc&is_sent=1".to_owned(), "ba"),
        ("_order[gateway_sent_at]=asc&_order[created_at]=desc&is_sent=1".to_owned(), "ab"),
        ("page=2".to_owned(), ""),
    ] {
        assert_eq!(letters(&client, &query).await, found, "{query}");
    }
}

#[tokio::test]
async fn links_of_pages_keep_the_filters() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for at in 0..65 {
        let body = json!({"sender_id": "Muster", "text": format!("{at:02}"), "phone": "+12015550100"});
        assert_eq!(client.post("/sms", body).await.status, 201);
        world.advance(Duration::from_millis(1));
    }
    let query = "status_code%5B0%5D=0&x=y&sender_id=mus&_order[created_at]=asc";
    let first = client.any("GET", &format!("/sms?{query}")).send().await.body;
    insta::assert_json_snapshot!((&first["@id"], &first["hydra:totalItems"], &first["hydra:view"]));
    let of = async |path: &str| {
        let page = client.any("GET", path).send().await.body;
        let texts = page["hydra:member"].as_array().unwrap().iter().map(|it| it["text"].to_string());
        (texts.collect::<Vec<_>>(), page["hydra:view"]["hydra:next"].as_str().map(str::to_owned))
    };
    let (mut next, mut seen) = (Some("/sms".to_owned()), Vec::new());
    while let Some(path) = next {
        let (texts, after) = of(&path).await;
        seen.extend(texts);
        next = after;
    }
    let expected: Vec<String> = (0..65).rev().map(|at| format!("\"{at:02}\"")).collect();
    assert_eq!(seen, expected);
    assert_eq!(client.get("/sms?page=3").await.body.as_array().unwrap().len(), 5);
    assert_eq!(client.get("/sms?page=9223372036854775807").await.body, json!([]));
}

#[tokio::test]
async fn wrong_values_are_named_each() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let query = "is_sent=x&uuid[]=x&iso2=DEU&dlr_code=x&created_at[gt]=x&created_at[between]=5&source=1e3&text=&page=0&_order[created_at]=up";
    insta::assert_snapshot!(client.get(&format!("/sms?{query}")).await);
    let mut replies = String::new();
    for query in [
        "text=%00",
        "text=%ff",
        "uuid=",
        "key_id=99999999999999999999",
        "callback_data=",
        "phone[]=&phone[]=1",
    ] {
        writeln!(replies, "{query}: {}", told(&client.get(&format!("/sms?{query}")).await)).unwrap();
    }
    for (path, query) in [
        ("/incomings", "msg_uuid=x"),
        ("/incomings", "from="),
        ("/blocked_numbers", "type=x"),
        ("/blocked_numbers", "page=x"),
    ] {
        writeln!(replies, "{path} {query}: {}", told(&client.get(&format!("{path}?{query}")).await)).unwrap();
    }
    insta::assert_snapshot!(replies);
}

#[tokio::test]
async fn many_values_are_looked_for_and_too_many_are_refused() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    four(&world, &client).await;
    let id = client.get("/sms").await.body[0]["uuid"].as_str().unwrap().to_owned();
    let many = |name: &str, count: usize| {
        (0..count).map(|at| format!("{name}[{at}]={}", at + 1)).collect::<Vec<_>>().join("&")
    };
    let ids = vec![format!("uuid[]={id}"); 500].join("&");
    assert_eq!(letters(&client, &ids).await, "d");
    assert_eq!(letters(&client, &many("source", 500)).await, "ba");
    // Each is a term of its own.
    let bounds = vec!["chars_count[gt]=1"; 500].join("&");
    assert_eq!(letters(&client, &bounds).await, "dcba");
    assert_eq!(letters(&client, &many("text", 50)).await, "a");
    let times: Vec<String> = (0..500).map(|at| format!("created_at[]={}", NOW + at)).collect();
    assert_eq!(letters(&client, &times.join("&")).await, "dcba");
    for query in [many("source", 501), many("text", 51), vec!["ip[]=1"; 9_000].join("&")] {
        let reply = client.get(&format!("/sms?{query}")).await;
        assert_eq!(reply.status, 400, "{}", told(&reply));
        let operation = client.call("POST", &format!("/sms/ops/batch_delete?{query}")).send().await;
        assert_eq!(operation.status, 400);
    }
    insta::assert_snapshot!(client.get(&format!("/sms?{}", many("source", 501))).await);
}
