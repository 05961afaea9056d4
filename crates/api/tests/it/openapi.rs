//! The document and the page. Beside these tests, every reply of all tests is held to the document.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::conformance::validator;
use crate::support::{World, documents};

#[tokio::test]
async fn the_document_lists_every_call_with_its_statuses() {
    let mut list = String::new();
    let mut operations = BTreeSet::new();
    let paths = documents().await.iter().flat_map(|document| document.value["paths"].as_object().unwrap());
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let verb = operation["operationId"].as_str().unwrap_or("(above)");
            let statuses: Vec<_> =
                operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
            let method = method.to_uppercase();
            writeln!(list, "{method} {path} {verb}: {}", statuses.join(" ")).unwrap();
            operations.insert((method, path.as_str()));
        }
    }
    insta::assert_snapshot!(list);
    let routes = muster_api::routes().map(|route| (route.method.to_string(), route.path));
    assert_eq!(operations, routes.collect());
}

#[tokio::test]
async fn the_document_is_sound() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    // The schema of documents, as the OpenAPI Initiative publishes it (2022-10-07, Apache-2.0).
    let published: Value = serde_json::from_str(include_str!("../openapi/schema-3.1.json")).unwrap();
    let published = jsonschema::draft202012::new(&published).unwrap();
    for document in documents().await {
        let document = &document.value;
        if let Err(error) = published.validate(document) {
            panic!("{error} at {}", error.instance_path());
        }
        let mut found = Vec::new();
        references(document, &mut found);
        for reference in found {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        }
        for way in document["paths"].as_object().unwrap().values().flat_map(security) {
            assert!(document["components"]["securitySchemes"].get(way).is_some(), "{way}");
        }
        let schemas = &document["components"]["schemas"];
        for schema in schemas.as_object().unwrap().values() {
            jsonschema::draft202012::meta::validate(schema).unwrap();
            validator(schema, schemas);
        }
    }
}

/// The names of the ways to authenticate that the calls of a path ask for.
fn security(methods: &Value) -> impl Iterator<Item = &String> {
    let calls = methods.as_object().unwrap().values();
    let either = calls.flat_map(|call| call["security"].as_array().unwrap());
    either.flat_map(|together| together.as_object().unwrap().keys())
}

/// Formats, headers and ways to authenticate differ between dialects; a call shows what they are.
#[tokio::test]
async fn a_call_is_published_as_its_dialect_has_it() {
    let [convirza, lox24, onlive, scim] = documents().await;
    insta::assert_json_snapshot!(convirza.value["paths"]["/v3/industry"]);
    insta::assert_json_snapshot!(lox24.value["paths"]["/me"]);
    insta::assert_json_snapshot!(onlive.value["paths"]["/api/v1/users/{id}"]["get"]);
    insta::assert_json_snapshot!(scim.value["paths"]["/scim/v2/Groups/{id}"]["put"]);
    let schemas = &scim.value["components"]["schemas"];
    insta::assert_json_snapshot!([&schemas["GroupBody"], &schemas["Group"], &schemas["PatchBody"]]);
}

#[tokio::test]
async fn the_document_is_served_with_its_version() {
    let world = World::new().await;
    let reply = world.get("/openapi/convirza.json").send().await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    let again = world.get("/openapi/convirza.json").header("if-none-match", reply.header("etag"));
    assert_eq!(again.send().await.status, 304);
    for path in ["/openapi", "/openapi/", "/openapi/convirza", "/openapi/other.json", "/docs/other.js"] {
        assert_eq!(world.get(path).send().await.status, 404, "{path}");
    }
    let wrong = world.delete("/openapi/convirza.json").send().await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let world = World::new().await;
    let page = world.get("/docs").send().await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    let html = page.body.as_str().unwrap();
    let links: Vec<&str> =
        html.split(['"']).filter(|text| text.starts_with('/') || text.contains("://")).collect();
    assert!(links.contains(&"/openapi/convirza.json"), "{links:?}");
    assert!(links.contains(&"/openapi/lox24.json"), "{links:?}");
    assert!(links.contains(&"/openapi/onlive.json"), "{links:?}");
    for link in links {
        assert_eq!(world.get(link).send().await.status, 200, "{link}");
    }
    let script = world.get("/docs/swagger-ui-bundle.js").send().await;
    assert_eq!(script.header("content-encoding"), "gzip");
}
