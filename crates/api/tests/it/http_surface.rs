//! What is around the calls: unknown paths, methods, health, CORS, request ids.

use muster_api::Settings;
use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn unknown_paths_and_methods_get_the_dialects_errors() {
    let world = World::new().await;
    for path in ["/v3", "/v3/", "/v3/nothing", "/v3/groups/1/2", "/v3/groups/", "/oauth", "/oauth/nothing"] {
        let reply = world.get(path).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["path"]), (404, &json!(path)));
    }
    insta::assert_snapshot!(world.get("/v3/nothing").send().await);
    insta::assert_snapshot!(world.delete("/v3/groups").send().await);
    assert_eq!(world.get("/oauth/token").send().await.status, 405);
}

#[tokio::test]
async fn a_path_of_no_dialect_is_a_plain_404() {
    let world = World::new().await;
    for path in ["/", "/nothing", "/v33/groups", "/v3x"] {
        let reply = world.get(path).send().await;
        assert_eq!((reply.status.as_u16(), reply.body), (404, json!({"error": "Not Found"})), "{path}");
    }
}

#[tokio::test]
async fn the_process_tells_its_health() {
    let world = World::new().await;
    insta::assert_snapshot!(world.get("/healthz").send().await);
    insta::assert_snapshot!(world.get("/readyz").send().await);
    let reply = world.post("/healthz", json!({})).send().await;
    assert_eq!((reply.status.as_u16(), reply.body), (405, json!({"error": "Method Not Allowed"})));
    world.directory().store.close().await;
    assert_eq!(world.get("/readyz").send().await.status, 503);
}

#[tokio::test]
async fn a_stopped_store_takes_no_writes_but_says_so_clearly() {
    let world = World::new().await;
    let token = world.admin().await;
    world.directory().store.close().await;
    insta::assert_snapshot!(
        world.patch("/v3/groups/1002", json!({"city": "Reno"})).bearer(&token).send().await
    );
}

#[tokio::test]
async fn the_request_id_is_in_the_header_and_in_the_body() {
    let world = World::new().await;
    let token = world.admin().await;
    let good = world.get("/v3/groups/1002").bearer(&token).send().await;
    assert_eq!(good.header("x-request-id"), good.body["request_id"]);
    let bad = world.get("/v3/groups/1").bearer(&token).send().await;
    assert_eq!(bad.header("x-request-id"), bad.body["requestId"]);
    assert_ne!(good.header("x-request-id"), bad.header("x-request-id"));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::new().await;
    let token = world.admin().await;
    let reply = world.call("HEAD", "/v3/groups/1002").bearer(&token).send().await;
    assert_eq!((reply.status.as_u16(), reply.body.is_null()), (200, true));
    assert_eq!(reply.header("etag"), "W/\"1.3\"");
}

#[tokio::test]
async fn browsers_of_configured_origins_may_call() {
    let origin = "https://app.example.org";
    let world = World::with(Settings { cors_origins: vec![origin.to_owned()], ..Settings::default() }).await;
    let preflight = |origin: &str| {
        let call = world.call("OPTIONS", "/v3/groups/1002").header("origin", origin);
        call.header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization,content-type,if-match")
            .send()
    };
    insta::assert_snapshot!(preflight(origin).await);
    assert_eq!(preflight("https://evil.example.org").await.header("access-control-allow-origin"), "");
    let reply = world.get("/v3/groups").header("origin", origin).send().await;
    assert_eq!(reply.header("access-control-allow-origin"), origin);

    let closed = World::new().await;
    let reply = closed.get("/v3/groups").header("origin", origin).send().await;
    assert_eq!(reply.header("access-control-allow-origin"), "");
}
