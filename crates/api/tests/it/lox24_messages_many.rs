//! Stopping and deleting what fits filters, in the LOX24 dialect.

use http::StatusCode;
use serde_json::json;

use crate::lox24::{Client, JSON, JSON_LD, told};
use crate::messages::{cents, hand_over, load_prices, sent};
use crate::support::World;

const CANCEL: &str = "/sms/ops/batch_cancel";
const DELETE: &str = "/sms/ops/batch_delete";

/// How many messages an operation was about.
async fn operated(client: &Client<'_>, path: &str) -> u64 {
    let reply = client.call("POST", path).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{path} {reply}");
    reply.body["deleted_sms_count"].as_u64().unwrap()
}

#[tokio::test]
async fn what_waits_is_stopped_and_given_back() {
    let world = World::new().await;
    load_prices(&world).await;
    world.directory().tenant_credit(world.acme.tenant(), cents(28), None).await.unwrap();
    let client = Client::new(&world).await;
    sent(&world, &world.acme, "+4915112345670", "gone").await;
    hand_over(&world, &world.acme).await;
    for last in 1..4 {
        sent(&world, &world.acme, &format!("+491511234567{last}"), "waits").await;
    }
    assert_eq!(client.get("/me").await.body["balance_amount"], 0);
    let reply = client.any("POST", &format!("{CANCEL}?phone[]=5671&phone[]=5672&phone[]=5670")).send().await;
    insta::assert_snapshot!(reply);
    assert_eq!(client.get("/me").await.body["balance_amount"], 0.14);
    let stopped = client.get("/sms?status_code=6000").await.body;
    let of =
        |name: &str| -> Vec<_> { stopped.as_array().unwrap().iter().map(|it| it[name].clone()).collect() };
    assert_eq!((of("price"), of("is_sent")), (vec![json!(0), json!(0)], vec![json!(false), json!(false)]));
    // They are stopped already, and the other one is with its carrier.
    assert_eq!(operated(&client, &format!("{CANCEL}?phone[]=5671&is_sent=0")).await, 0);
    assert_eq!(operated(&client, &format!("{CANCEL}?is_sent=1")).await, 0);
    assert_eq!(operated(&client, &format!("{CANCEL}?text=WAIT")).await, 1);
    assert_eq!(client.get("/me").await.body["balance_amount"], 0.21);
}

#[tokio::test]
async fn whatever_fits_is_deleted() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let other = world.tenant("Other", "olga@other.example").await;
    let foreign = sent(&world, &other, "+4915112345670", "gone").await;
    for text in ["gone", "stays", "gone"] {
        sent(&world, &world.acme, "+4915112345670", text).await;
    }
    hand_over(&world, &world.acme).await;
    sent(&world, &world.acme, "+4915112345670", "gone").await;
    assert_eq!(operated(&client, &format!("{DELETE}?text=gone&uuid={}", foreign.id)).await, 0);
    assert_eq!(operated(&client, &format!("{DELETE}?text=gone&_order[created_at]=asc")).await, 3);
    let left = client.get("/sms").await.body;
    assert_eq!((left.as_array().unwrap().len(), &left[0]["text"]), (1, &json!("stays")));
    let theirs = world.get(&format!("/sms/{}", foreign.id)).key(&world.key(&other).await).send().await;
    assert_eq!(theirs.body["text"], "gone");
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
}

#[tokio::test]
async fn nothing_is_meant_by_no_filter_or_by_one_that_is_not_known() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    sent(&world, &world.acme, "+4915112345670", "stays").await;
    let before = world.journal().await;
    for path in [CANCEL, DELETE] {
        for query in ["", "?", "?_order[created_at]=asc"] {
            let reply = client.call("POST", &format!("{path}{query}")).send().await;
            assert_eq!(told(&reply), "422 At least one filter is needed.", "{path}{query}");
        }
        for query in [
            "statuscode=0",
            "is_sent=0&page=1",
            "status_code[gt]=0",
            "exists[text]=1",
            "text=",
            "is_sent=2",
            "text[x]=s",
        ] {
            assert_eq!(client.call("POST", &format!("{path}?{query}")).send().await.status, 400, "{query}");
        }
        // A body is not looked at.
        assert_eq!(client.post(path, json!({"status_code": 0})).await.status, 422);
    }
    insta::assert_snapshot!(client.any("POST", &format!("{DELETE}?statuscode=0&is_sent=x")).send().await);
    assert_eq!(world.journal().await, before);
    assert_eq!(client.get(CANCEL).await.status, 405);
}

/// Always plain JSON, whatever is asked for.
#[tokio::test]
async fn the_format_is_not_negotiated() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for accept in [JSON, JSON_LD, "*/*", "text/html"] {
        let call = client.any("POST", &format!("{CANCEL}?is_sent=0")).header("accept", accept);
        let reply = call.send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type"), reply.header("vary")),
            (200, JSON, "")
        );
        let refused = client.any("POST", CANCEL).header("accept", accept).send().await;
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
}

/// More than one commit of an operation changes.
#[tokio::test]
async fn many_are_deleted_at_once() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for at in 0..501 {
        sent(&world, &world.acme, "+4915112345670", if at == 0 { "stays" } else { "gone" }).await;
    }
    sent(&world, &world.acme, "+4915112345670", "gone").await;
    assert_eq!(operated(&client, &format!("{CANCEL}?text=gone")).await, 501);
    assert_eq!(operated(&client, &format!("{DELETE}?text=gone&status_code=6000")).await, 501);
    assert_eq!(client.get("/sms").await.body.as_array().unwrap().len(), 1);
}
