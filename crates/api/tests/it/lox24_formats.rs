//! Formats, methods and bodies of the LOX24 dialect's groups and phones.

use std::fmt::Write as _;

use http::Method;
use serde_json::{Value, json};

use crate::cases::{self, Own};
use crate::lox24::{Client, JSON, JSON_LD, told};
use crate::support::World;

/// What a call with this body, as it stands, is told.
async fn raw(client: &Client<'_>, method: &str, path: &str, body: &str) -> String {
    let call = client.call(method, path).header("content-type", "application/json");
    told(&call.raw(body.to_owned()).send().await)
}

#[tokio::test]
async fn an_item_and_a_failure_look_alike_in_both_formats() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": [{"phone": "+12015550100"}]})).await;
    for (method, path, body) in [
        ("GET", group.clone(), Value::Null),
        ("PUT", group.clone(), json!({"name_a": "x"})),
        ("GET", "/phones/1".to_owned(), Value::Null),
        ("PUT", "/phones/1".to_owned(), json!({"a": "x"})),
        ("PUT", "/phones/1".to_owned(), json!({"a": 5})),
        ("GET", "/phones/99".to_owned(), Value::Null),
    ] {
        let call = async |accept: &str| {
            let call = client.any(method, &path).header("accept", accept);
            let call = if body.is_null() { call } else { call.json(body.clone()) };
            call.send().await
        };
        let (plain, linked) = (call(JSON).await, call(JSON_LD).await);
        assert_eq!(plain.status, linked.status);
        assert_eq!(plain.header("etag"), linked.header("etag"));
        assert_eq!((plain.header("vary"), linked.header("vary")), ("Accept", "Accept"));
        let mut linked = linked.body;
        if plain.status == 200 {
            let names: Vec<&String> =
                linked.as_object().unwrap().keys().filter(|name| name.starts_with('@')).collect();
            assert_eq!(names, ["@context", "@id", "@type"]);
            assert_eq!(linked["@id"], path);
            for name in ["@context", "@id", "@type"] {
                linked.as_object_mut().unwrap().remove(name);
            }
            assert_eq!(linked, plain.body);
        } else {
            assert_eq!(linked["hydra:description"], plain.body["detail"]);
            assert_eq!(linked["violations"], plain.body["violations"]);
        }
    }
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_refused_before_anything_is_done() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let own = Own::of(&world, &world.acme, &world.admin().await, "ada@acme.example").await;
    let before = world.journal().await;
    for (route, case) in cases::all() {
        if !route.path.starts_with("/groups") && !route.path.starts_with("/phones") {
            continue;
        }
        if route.verb == "contact_export" {
            continue;
        }
        let reply =
            case.call(&world, route, &own).key(&client.key).header("accept", "text/html").send().await;
        assert_eq!(reply.status, 406, "{} {}", route.method, route.path);
        let failure = case.call(&world, route, &own).header("accept", "text/html").send().await;
        assert_eq!(failure.status, 401);
    }
    insta::assert_snapshot!(client.any("GET", "/groups").header("accept", "text/csv").send().await);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn every_path_has_its_methods() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    client.empty_group().await;
    let mut replies = String::new();
    for path in [
        "/groups",
        "/groups/1",
        "/groups/1/file/csv",
        "/groups/1/phones",
        "/groups/1/phones/batch",
        "/phones/1",
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            let taken = muster_api::routes().any(|route| {
                route.method == method.parse::<Method>().unwrap() && route.path.replace("{id}", "1") == path
            });
            if !taken {
                let reply = client.call(method, path).send().await;
                assert_eq!(reply.status, 405, "{method} {path}");
                if method == "TRACE" {
                    writeln!(replies, "{path}: {}", reply.header("allow")).unwrap();
                }
            }
        }
    }
    insta::assert_snapshot!(replies);
    insta::assert_snapshot!(client.any("PATCH", "/groups/1").json(json!({"name": "x"})).send().await);
    for path in
        ["/groups/", "/groups/1/", "/groups/1/file", "/groups/1/phones/1", "/phones", "/groups/1/file/xml"]
    {
        assert_eq!(told(&client.get(path).await), "404 Not Found", "{path}");
    }
}

#[tokio::test]
async fn a_body_is_json_and_an_object() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let group = client.group(json!({"name": "Clients", "phones": [{"phone": "+12015550100"}]})).await;
    let before = world.journal().await;
    let mut replies = String::new();
    let writes = [
        ("POST", "/groups".to_owned()),
        ("PUT", group.clone()),
        ("POST", format!("{group}/phones")),
        ("PUT", "/phones/1".to_owned()),
    ];
    for body in ["", "{", "{\"name\":}", "[]", "null", "\"x\"", "{} {}", "{\"name\":\"\\ud800\"}", "name=x"] {
        let mut answers = Vec::new();
        for (method, path) in &writes {
            answers.push(raw(&client, method, path, body).await);
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0] && answer.starts_with("400 ")),
            "{answers:?}"
        );
        writeln!(replies, "{body}: {}", answers[0]).unwrap();
    }
    insta::assert_snapshot!(replies);
    for (method, path) in &writes {
        for kind in [
            "text/plain",
            "application/xml",
            "application/ld+json",
            "application/x-www-form-urlencoded",
            "",
            "x",
        ] {
            let call = client
                .call(method, path)
                .header("content-type", kind)
                .raw("{\"name\":\"x\",\"phone\":\"y\"}");
            assert_eq!(call.send().await.status, 415, "{method} {path} {kind}");
        }
        let call = client.any(method, path).raw(vec![b' '; 17 * 1024 * 1024]).header("content-type", JSON);
        assert_eq!(call.send().await.status, 413, "{method} {path}");
    }
    insta::assert_snapshot!(
        client.any("PUT", &group).header("content-type", "text/plain").raw("{}").send().await
    );
    assert_eq!(world.journal().await, before);

    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        let call = client.call("PUT", &group).header("content-type", kind).raw("{}");
        assert_eq!(call.send().await.status, 200, "{kind}");
    }
    assert_eq!(client.call("PUT", &group).raw("{\"name\": \"No type\"}").send().await.status, 200);
    // The vendor's samples name a content type on calls without a body, and what stands in one is not looked at.
    for call in [
        client.call("GET", &group),
        client.call("GET", &format!("{group}/file/csv")),
        client.call("DELETE", &group),
    ] {
        let call = call.header("content-type", "application/json").raw("[");
        assert!(call.send().await.status.is_success());
    }
}

#[tokio::test]
async fn a_name_twice_in_an_object_counts_once_and_deep_ones_are_refused() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let call = client.call("POST", "/groups").raw("{\"name\": \"One\", \"name\": \"Two\"}");
    assert_eq!(call.send().await.body["name"], "Two");
    let deep = format!("{{\"name\": \"x\", \"unknown\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(raw(&client, "POST", "/groups", &deep).await.starts_with("400 "));
    let deep = format!("[{}{}]", "[".repeat(5000), "]".repeat(5000));
    assert!(raw(&client, "POST", "/groups/1/phones/batch", &deep).await.starts_with("400 "));
}
