//! Bodies that are no bodies.

use muster_api::Settings;
use serde_json::json;

use crate::support::World;

const JSON: &str = "application/json";

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let world = World::new().await;
    let token = world.admin().await;
    let before = world.journal().await;
    let deep = "[".repeat(100_000);
    let mut replies = Vec::new();
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"{\"org_unit_name\":\"A\"",
        b"[]",
        b"null",
        b"\"text\"",
        b"{\"org_unit_name\":\"\xff\"}",
        b"{\"org_unit_name\":\"\\ud800\"}",
        deep.as_bytes(),
    ];
    for body in bodies {
        for (method, path) in
            [("POST", "/v3/groups"), ("PUT", "/v3/groups/1002"), ("PATCH", "/v3/groups/1002")]
        {
            let call = world.call(method, path).raw(body.to_vec()).header("content-type", JSON);
            let reply = call.bearer(&token).send().await;
            assert_eq!(reply.status, 400, "{method} {}", String::from_utf8_lossy(body));
            if method == "POST" {
                replies.push(reply.body["error"].as_str().unwrap().to_owned());
            }
        }
    }
    insta::assert_debug_snapshot!(replies);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn the_content_type_is_json() {
    let world = World::new().await;
    let token = world.admin().await;
    let call = |kind: &str| {
        let call = world.call("PATCH", "/v3/groups/1002").raw("{}").bearer(&token);
        if kind.is_empty() { call } else { call.header("content-type", kind) }
    };
    for kind in ["", JSON, "application/json; charset=utf-8", "APPLICATION/JSON"] {
        assert_eq!(call(kind).send().await.status, 200, "{kind}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        assert_eq!(call(kind).send().await.status, 415, "{kind}");
    }
    insta::assert_snapshot!(call("text/plain").send().await);
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large() {
    let world = World::with(Settings { max_body: 1000, ..Settings::default() }).await;
    let token = world.admin().await;
    let body = |length: usize| format!("{{\"address\":\"{}\"}}", "x".repeat(length - 14));
    let send = |body: axum::body::Body| {
        world.call("PATCH", "/v3/groups/1002").raw(body).header("content-type", JSON).bearer(&token).send()
    };
    assert_eq!(send(body(1000).into()).await.status, 400, "one field is too long, but the body is not");
    insta::assert_snapshot!(send(body(1001).into()).await);
    // Without an announced length.
    let chunks = (0..200).map(|_| Ok::<_, std::io::Error>("x".repeat(100)));
    let stream = axum::body::Body::from_stream(futures_util::stream::iter(chunks));
    assert_eq!(send(stream).await.status, 413);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_bad_request() {
    let world = World::new().await;
    let token = world.admin().await;
    let chunks = [Ok("{\"city\":"), Err(std::io::Error::other("gone"))];
    let stream = axum::body::Body::from_stream(futures_util::stream::iter(chunks));
    let call = world.call("PATCH", "/v3/groups/1002").raw(stream).header("content-type", JSON);
    assert_eq!(call.bearer(&token).send().await.status, 400);
}

#[tokio::test]
async fn odd_text_is_kept_and_nul_is_refused() {
    let world = World::new().await;
    let token = world.admin().await;
    let odd = "\u{202e}'; DROP TABLE org_units; --\t\u{1f469}\u{200d}\u{1f680} <b>\\\"";
    let patch = json!({"org_unit_name": odd, "address": odd});
    assert_eq!(world.patch("/v3/groups/1002", patch).bearer(&token).send().await.status, 200);
    let read = world.get("/v3/groups/1002").bearer(&token).send().await;
    assert_eq!(
        (&read.body["data"]["org_unit_name"], &read.body["data"]["address"]),
        (&json!(odd), &json!(odd))
    );
    let nul = json!({"org_unit_name": "a\u{0}b", "city": "\u{0}"});
    let reply = world.patch("/v3/groups/1002", nul).bearer(&token).send().await;
    assert_eq!(reply.fields(), ["org_unit_name", "city"]);
}

#[tokio::test]
async fn numbers_out_of_range_are_wrong_types_and_not_faults() {
    let world = World::new().await;
    let token = world.admin().await;
    for number in ["1e400", "9223372036854775808", "-1e300", "1.0"] {
        let body = format!("{{\"industry_id\":{number},\"org_unit_parent_id\":{number}}}");
        let call = world.call("PATCH", "/v3/groups/1002").raw(body).header("content-type", JSON);
        let reply = call.bearer(&token).send().await;
        assert_eq!(reply.status, 400, "{number}");
    }
    for id in ["+1002", "01002", "9223372036854775808", "-1", "0", "1.5", "%00", "1002%20"] {
        let reply = world.get(&format!("/v3/groups/{id}")).bearer(&token).send().await;
        assert_eq!(reply.status, 404, "{id}");
    }
}
