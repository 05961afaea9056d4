//! The phones of a LOX24 group as CSV.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::lox24::{Client, numbers};
use crate::support::World;

#[tokio::test]
async fn a_list_is_exported_under_its_labels() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let phones = json!([
        {"phone": "+12015550100", "a": "Dr.", "b": "Kim, \"K\"", "c": "two\nlines", "d": "", "callback_data": "crm-17"},
        {"phone": "+4915112345678", "a": "=1+1", "b": "+49", "c": "-1", "d": "@x", "e": "'quoted'", "callback_data": "\ttab"},
        {"phone": "+12015550102", "a": "\rCR", "b": " =1", "c": "caf\u{e9} \u{1f600}", "d": "a;b", "e": "1,5"},
        {"phone": "+12015550103"}
    ]);
    let body = json!({"name": "Clients", "name_a": "prefix", "name_b": "last, first", "name_c": "=evil()",
        "name_e": "\u{fc}ber \"e\"", "phones": phones});
    let group = client.group(body).await;
    let reply = client.any("GET", &format!("{group}/file/csv")).send().await;
    insta::assert_debug_snapshot!(reply.body.as_str().unwrap().split("\r\n").collect::<Vec<_>>());
    insta::assert_snapshot!(reply);
}

#[tokio::test]
async fn columns_without_a_label_have_a_name_too() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "name_b": " ", "name_d": ""})).await;
    let reply = client.get(&format!("{group}/file/csv")).await;
    assert_eq!(reply.body, "id,phone,col_A,col_B,col_C,col_D,col_E,callback_data\r\n");
}

#[tokio::test]
async fn accept_is_not_looked_at() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": numbers(1)})).await;
    let path = format!("{group}/file/csv");
    let plain = client.any("GET", &path).send().await.body;
    for accept in ["text/html", "application/json", "application/ld+json", "text/csv", "*/*;q=0", "nonsense"]
    {
        let reply = client.any("GET", &path).header("accept", accept).send().await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert_eq!((reply.header("vary"), &reply.body), ("", &plain));
        for (path, status) in [("/groups/99/file/csv", 404), ("/groups/x/file/csv", 404)] {
            let missing = client.any("GET", path).header("accept", accept).send().await;
            assert_eq!(
                (missing.status.as_u16(), missing.header("content-type")),
                (status, "application/problem+json")
            );
            assert_eq!((missing.header("vary"), &missing.body["detail"]), ("", &json!("Not Found")));
        }
        let nobody = world.get(&path).header("accept", accept).send().await;
        assert_eq!(
            (nobody.status.as_u16(), nobody.header("content-type")),
            (401, "application/problem+json")
        );
    }
    insta::assert_snapshot!(client.any("GET", "/groups/99/file/csv").send().await);
    let head = client.any("HEAD", &path).header("accept", "text/html").send().await;
    assert_eq!((head.status.as_u16(), head.body), (200, Value::Null));
    // Nothing of that call is at this path.
    let other = client.any("DELETE", &path).send().await;
    assert_eq!((other.status.as_u16(), other.header("content-type")), (405, "application/ld+json"));
    // Who is kept out is told so in the same way.
    for _ in 0..4 {
        world.get(&path).header("x-lox24-auth-token", "1000001:x").send().await;
    }
    let blocked = client.any("GET", &path).send().await;
    assert_eq!((blocked.status.as_u16(), blocked.header("content-type")), (429, "application/problem+json"));
}

#[tokio::test]
async fn a_long_list_is_exported_whole() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Long", "phones": numbers(2500)})).await;
    let reply = client.get(&format!("{group}/file/csv")).await;
    let text = reply.body.as_str().unwrap();
    let rows: Vec<&str> = text.lines().collect();
    let expected = client.of_phones(&group, "phone").await;
    assert_eq!((rows.len(), expected.len()), (2501, 2500));
    for (row, phone) in rows[1..].iter().zip(expected) {
        assert_eq!(row.split(',').nth(1), Some(phone.as_str()));
    }
}

/// A body of which a part was taken when its group was deleted: what else comes, and whether it ends.
async fn broken_off(path: &str) {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Long", "phones": numbers(2500)})).await;
    let request = Request::get(format!("{group}{path}"))
        .header("x-lox24-auth-token", client.key.token())
        .body(Body::empty())
        .unwrap();
    let response = world.service.handle(request, "192.0.2.1:4711".parse().unwrap()).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("content-length"));
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(client.delete(&group).await.status, 204);
    let mut frames = 0;
    loop {
        match body.frame().await {
            Some(Ok(_)) => frames += 1,
            Some(Err(_)) => break,
            None => panic!("{path}: an answer that was cut off looks whole"),
        }
        assert!(frames < 2, "{path}: what was deleted is still read");
    }
}

#[tokio::test]
async fn what_is_deleted_while_it_is_sent_is_cut_off() {
    broken_off("/file/csv").await;
    broken_off("/phones").await;
}
