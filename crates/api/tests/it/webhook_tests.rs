//! Test calls of webhooks, and the secrets that sign them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::people::with;
use crate::support::{Reply, World};
use crate::webhooks::{self, Endpoint, body};

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

async fn test(world: &World, token: &str, id: i64) -> Reply {
    world.post(&format!("/v3/webhooks/{id}/test"), json!({})).bearer(token).send().await
}

async fn rotated(world: &World, token: &str, id: i64) -> String {
    let reply = world.post(&format!("/v3/webhooks/{id}/rotate-secret"), json!({})).bearer(token).send().await;
    assert_eq!((reply.status.as_u16(), &reply.body["data"]["webhookId"]), (200, &json!(id)));
    reply.body["data"]["signing_secret"].as_str().unwrap().to_owned()
}

/// What came of a test, without how long it took.
fn outcome(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply}");
    let mut data = reply.body["data"].clone();
    let data = data.as_object_mut().unwrap();
    assert!(data.remove("duration_ms").unwrap().is_u64());
    assert!(data.remove("message_id").unwrap().as_str().unwrap().starts_with("msg_test_1_"));
    data.clone().into()
}

#[tokio::test]
async fn a_test_sends_a_signed_sample_and_tells_what_came_of_it() {
    let (world, endpoint) = (World::new().await, Endpoint::new(Some(NO_CONTENT)).await);
    let token = world.admin().await;
    let parameters = json!({"static_parameters": [{"name": "source", "value": "muster"}]});
    let (id, secret) = webhooks::created(&world, &token, with(body(&endpoint.url), &parameters)).await;
    let reply = test(&world, &token, id).await;
    let wanted = json!({"delivered": true, "response_code": 204, "response_body": "", "problem": null});
    assert_eq!(outcome(&reply), wanted);
    let received = endpoint.received();
    let [sent] = &received[..] else { panic!("{received:?}") };
    assert_eq!(sent.path, "/hook?key=1");
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(reply.body["data"]["message_id"], sent.headers["webhook-id"].to_str().unwrap());
    assert!(sent.is_signed_by(&secret));
    assert!(!sent.is_signed_by("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    insta::assert_json_snapshot!(sent.json());

    // Nothing of it is kept.
    let list = world.get(&format!("/v3/webhooks/{id}/deliveries")).bearer(&token).send().await;
    assert_eq!(list.body["data"], json!({"deliveries": [], "total": 0}));
    assert_eq!(webhooks::get(&world, &token, id).await.body["data"]["last_delivery_at"], Value::Null);
}

#[tokio::test]
async fn the_secret_of_before_signs_for_a_day() {
    let (world, endpoint) = (World::new().await, Endpoint::new(Some(NO_CONTENT)).await);
    let token = world.admin().await;
    let (id, first) = webhooks::created(&world, &token, body(&endpoint.url)).await;
    let second = rotated(&world, &token, id).await;
    assert_ne!(first, second);
    test(&world, &token, id).await;
    world.advance(Duration::from_hours(24));
    test(&world, &token, id).await;
    let third = rotated(&world, &token, id).await;
    test(&world, &token, id).await;
    let signed: Vec<_> = (endpoint.received().iter())
        .map(|sent| [&first, &second, &third].map(|secret| sent.is_signed_by(secret)))
        .collect();
    assert_eq!(signed, [[true, true, false], [false, true, false], [false, true, true]]);
    // It is shown this once.
    for path in [format!("/v3/webhooks/{id}"), "/v3/webhooks".to_owned()] {
        assert!(!world.get(&path).bearer(&token).send().await.to_string().contains("whsec_"));
    }
    let kept = world.journal().await;
    assert!(kept.iter().all(|entry| !entry.payload.to_string().contains("whsec_")));
}

#[tokio::test]
async fn a_webhook_of_lox24_is_tested_with_its_envelope_and_an_inactive_one_too() {
    let (world, endpoint) = (World::new().await, Endpoint::new(Some(NO_CONTENT)).await);
    let token = world.admin().await;
    let changes = json!({"events": ["sms.*"], "format": "lox24", "status": "inactive"});
    let (id, secret) = webhooks::created(&world, &token, with(body(&endpoint.url), &changes)).await;
    assert_eq!(outcome(&test(&world, &token, id).await)["delivered"], true);
    let received = endpoint.received();
    assert!(received[0].is_signed_by(&secret));
    insta::assert_json_snapshot!(received[0].json());
}

#[tokio::test]
async fn a_test_that_fails_says_why() {
    let world = World::new().await;
    let token = world.admin().await;
    let refusing = Endpoint::new(Some("HTTP/1.1 500 Oh\r\ncontent-length: 5\r\n\r\nsorry")).await;
    let moved =
        Endpoint::new(Some("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n"));
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 3000\r\n\r\n{}", "x".repeat(3000));
    let long = Endpoint::new(Some(long.leak())).await;
    let nobody = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    for (url, code, body, problem) in [
        (
            &refusing.url,
            json!(500),
            json!("sorry"),
            json!("the endpoint answered with a status that is not a success"),
        ),
        (&moved.await.url, json!(302), json!(""), json!("the endpoint redirects, which is not followed")),
        (&long.url, json!(200), json!("x".repeat(1024)), Value::Null),
        (&nobody, Value::Null, Value::Null, json!("no connection could be made: connection refused")),
    ] {
        let (id, _) = webhooks::created(&world, &token, self::body(url)).await;
        let delivered = problem.is_null();
        let wanted =
            json!({"delivered": delivered, "response_code": code, "response_body": body, "problem": problem});
        assert_eq!(outcome(&test(&world, &token, id).await), wanted, "{url}");
    }
}

#[tokio::test]
async fn a_tenant_tests_few_webhooks_at_once() {
    let (world, silent) = (World::new().await, Endpoint::new(None).await);
    let other = world.tenant("Other", "olga@other.example").await;
    let (token, olga) = (world.admin().await, world.token("olga@other.example").await);
    let (id, _) = webhooks::created(&world, &token, body(&silent.url)).await;
    let (theirs, _) = webhooks::given_up(&world, &other, "olga").await;
    let waiting = async { tokio::join!(test(&world, &token, id), test(&world, &token, id)) };
    let third = async {
        while silent.received().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (test(&world, &token, id).await, test(&world, &olga, theirs).await)
    };
    let (third, others) = tokio::select! {
        done = third => done,
        _ = waiting => panic!("the endpoint has answered"),
    };
    assert_eq!((third.status.as_u16(), third.header("retry-after")), (429, "1"), "{third}");
    assert_eq!(outcome_of(&others), "no connection could be made: connection refused");
    // Who gives up gives the room back.
    let arrived = async {
        while silent.received().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = arrived => {}
        reply = test(&world, &token, id) => panic!("it waits for the endpoint: {reply}"),
    }
}

fn outcome_of(reply: &Reply) -> &str {
    reply.body["data"]["problem"].as_str().unwrap()
}
