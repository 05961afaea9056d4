//! What cannot be a webhook.

use muster_domain::webhook::limits;
use serde_json::{Value, json};

use crate::people::with;
use crate::support::World;
use crate::webhooks::{self, body};

const URL: &str = "https://crm.example.org/hook";

#[tokio::test]
async fn every_failing_field_is_named() {
    let world = World::new().await;
    let token = world.admin().await;
    let before = world.journal().await;
    let wrong = json!({
        "webhook_name": " ", "webhook_url": "ftp://crm.example.org", "org_unit_id": 99_999,
        "events": ["user.*", "users.*", 5, "user.*"], "format": "xml", "status": "paused", "include_sub_groups": "yes",
        "static_parameters": [{"name": "a b", "value": "x"}, {"name": "type", "value": null}, 7, {"name": "a"}],
    });
    insta::assert_snapshot!(world.post("/v3/webhooks", wrong.clone()).bearer(&token).send().await);
    insta::assert_snapshot!(world.post("/v3/webhooks", json!({})).bearer(&token).send().await);
    assert_eq!(world.journal().await, before);

    let (id, _) = webhooks::created(&world, &token, body(URL)).await;
    let before = world.journal().await;
    let path = format!("/v3/webhooks/{id}");
    let patched = world.patch(&path, wrong).bearer(&token).send().await;
    assert_eq!(patched.status, 400);
    let put = world.put(&path, json!({"format": "standard"})).bearer(&token).send().await;
    assert_eq!((put.status.as_u16(), put.fields()), (400, vec!["webhook_name", "webhook_url", "events"]));
    let null = json!({"webhook_name": null, "webhook_url": null, "events": null});
    let patched = world.patch(&path, null).bearer(&token).send().await;
    assert_eq!(patched.fields(), ["webhook_name", "webhook_url", "events"]);
    assert_eq!(world.journal().await, before);
}

/// The sentence about one field.
async fn problem(world: &World, token: &str, field: &str, body: Value) -> String {
    let reply = world.post("/v3/webhooks", body).bearer(token).send().await;
    assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]), "{reply}");
    reply.body["errors"][0]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_address_that_is_not_called_is_refused() {
    let world = World::new().await;
    let token = world.admin().await;
    let long = format!("https://a.example/{}", "x".repeat(limits::URL));
    for (url, wanted) in [
        ("", "must be a URL"),
        ("crm.example.org", "must be a URL"),
        ("https://", "must be a URL"),
        ("ftp://crm.example.org/", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("https://ann:secret@crm.example.org/", "must not contain a user name"),
        ("https://crm.example.org/#top", "must not contain a fragment"),
        ("https://crm.example.org/a b", "must not contain blanks"),
        ("https://crm.example.org/\u{0}", "must not contain blanks"),
        ("https://10.1.2.3/", "must not name an address"),
        ("https://169.254.169.254/latest", "must not name an address"),
        ("https://[::1]/", "must not name an address"),
        ("https://[::ffff:10.0.0.1]/", "must not name an address"),
        ("https://0xa010203/", "must not name an address"),
        ("https://crm.example.org:25/", "must have the port"),
        ("https://crm.example.org:6667/", "must have the port"),
        ("https://crm.example.org:99999/", "must have the port"),
        ("https://crm .example.org/", "must not contain blanks"),
        ("https://crm..example.org/", "must have a host name"),
        ("https://xn--zzzzzz--/", "must have a host name"),
        (&long, "must not be longer than 2048 bytes"),
    ] {
        let told = problem(&world, &token, "webhook_url", body(url)).await;
        assert!(told.starts_with(wanted), "{url}: {told}");
    }
    assert_eq!(
        problem(&world, &token, "webhook_url", with(body(URL), &json!({"webhook_url": 5}))).await,
        "must be a string"
    );
    // An international name is kept as it was given; what listens at an odd port may be called.
    for url in ["https://bücher.example/hook", "https://crm.example.org:8443/a?b=c", "https://8.8.8.8/"] {
        let (id, _) = webhooks::created(&world, &token, body(url)).await;
        assert_eq!(webhooks::get(&world, &token, id).await.body["data"]["webhook_url"], url);
    }
}

#[tokio::test]
async fn events_and_parameters_are_counted_and_stand_once() {
    let world = World::new().await;
    let token = world.admin().await;
    let told =
        async |field: &str, changes: Value| problem(&world, &token, field, with(body(URL), &changes)).await;
    assert_eq!(told("events", json!({"events": []})).await, "must not be empty");
    assert_eq!(told("events", json!({"events": "user.*"})).await, "must be an array");
    let many = vec!["x"; limits::EVENTS + 1];
    assert_eq!(told("events", json!({"events": many})).await, "must not have more than 50 entries");
    assert_eq!(told("events[1]", json!({"events": ["user.*", "user.*"]})).await, "is there twice");
    assert_eq!(
        told("events[0]", json!({"format": "lox24"})).await,
        "is no event of the format lox24, which has sms.* only"
    );
    let parameter = |name: &str, length: usize| json!({"name": name, "value": "ä".repeat(length)});
    let named = |at: usize| format!("static_parameters[{at}].name");
    let parameters = |list: Vec<Value>| json!({"static_parameters": list});
    let many = (0..=limits::PARAMETERS).map(|at| parameter(&format!("p{at}"), 1)).collect();
    assert_eq!(told("static_parameters", parameters(many)).await, "must not have more than 20 entries");
    let long = limits::PARAMETER_VALUE + 1;
    assert_eq!(
        told("static_parameters[0].value", parameters(vec![parameter("a", long)])).await,
        "must not be longer than 1024 characters"
    );
    assert_eq!(
        told(&named(1), parameters(vec![parameter("a", 1), parameter("a", 1)])).await,
        "cannot be that of another parameter"
    );
    assert_eq!(
        told(&named(0), parameters(vec![parameter("data", 1)])).await,
        "cannot be type, timestamp or data, which every body has"
    );
    // The most that there may be.
    let most: Vec<_> =
        (0..limits::PARAMETERS).map(|at| parameter(&format!("p{at}"), limits::PARAMETER_VALUE)).collect();
    webhooks::created(&world, &token, with(body(URL), &parameters(most))).await;
}

#[tokio::test]
async fn a_format_that_does_not_fit_what_is_stored_is_refused() {
    let world = World::new().await;
    let token = world.admin().await;
    let changes = json!({"static_parameters": [{"name": "id", "value": "1"}]});
    let (id, _) = webhooks::created(&world, &token, with(body(URL), &changes)).await;
    let reply =
        world.patch(&format!("/v3/webhooks/{id}"), json!({"format": "lox24"})).bearer(&token).send().await;
    assert_eq!(
        (reply.status.as_u16(), reply.fields()),
        (400, vec!["events[0]", "static_parameters[0].name"])
    );
}

#[tokio::test]
async fn of_lox24_there_are_five() {
    let world = World::new().await;
    let token = world.admin().await;
    let lox24 = || with(body(URL), &json!({"events": ["sms.*"], "format": "lox24"}));
    for _ in 0..limits::LOX24_PER_TENANT {
        webhooks::created(&world, &token, lox24()).await;
    }
    let reply = world.post("/v3/webhooks", lox24()).bearer(&token).send().await;
    assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["format"]));
    webhooks::created(&world, &token, body(URL)).await;
}

#[tokio::test]
async fn retries_want_a_time_and_ids_are_numbers() {
    let world = World::new().await;
    let token = world.admin().await;
    let (id, _) = webhooks::created(&world, &token, body(URL)).await;
    for since in [json!({}), json!({"since": null}), json!({"since": "yesterday"}), json!({"since": 5})] {
        let path = format!("/v3/webhooks/{id}/deliveries/retry");
        let reply = world.post(&path, since).bearer(&token).send().await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["since"]));
    }
    for wrong in ["abc", "07", "99999", "-1"] {
        let path = format!("/v3/webhooks/{id}/deliveries/{wrong}/retry");
        let reply = world.post(&path, json!({})).bearer(&token).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["error"]), (404, &json!("Delivery not found")));
        let reply = world.get(&format!("/v3/webhooks/{wrong}")).bearer(&token).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["error"]), (404, &json!("Webhook not found")));
    }
    for query in ["status=done", "limit=0", "offset=-1"] {
        let reply = world.get(&format!("/v3/webhooks/{id}/deliveries?{query}")).bearer(&token).send().await;
        assert_eq!(reply.status, 400, "{query}");
    }
}
