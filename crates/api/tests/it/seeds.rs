//! The literal requests of the vendor's pages, cut out of the pages themselves.

use std::str::FromStr as _;
use std::time::Duration;

use muster_domain::user_group::UserGroup;
use muster_domain::{Batch, Change, IdKind, Store as _, UserGroupId};
use serde_json::{Value, json};

use crate::lox24::{Client, JSON};
use crate::onlive;
use crate::people::{created, get, plain};
use crate::support::World;

/// What stands between two texts of a page.
fn between(text: &'static str, from: &str, to: &str) -> &'static str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

/// The first JSON of a page behind a heading.
fn json_behind(text: &str, heading: &str) -> Value {
    let rest = text.split_once(heading).unwrap().1;
    let rest = &rest[rest.find('{').unwrap()..];
    serde_json::Deserializer::from_str(rest).into_iter().next().unwrap().unwrap()
}

/// What a page of the vendor's documentation shows: a request and its answer.
struct Page {
    method: &'static str,
    path: &'static str,
    body: Value,
    answer: Value,
}

fn page(text: &'static str) -> Page {
    Page {
        method: between(text, "--request ", " '"),
        path: between(text, "'https://platform-api.convirza.com", "'"),
        body: Value::from_str(between(text, "--data-raw '", "'\n")).unwrap(),
        answer: json_behind(text, "Response Response Example"),
    }
}

/// Replaces what differs from call to call, after a look at its form.
fn comparable(answer: &Value) -> Value {
    let mut answer = answer.clone();
    let id = answer["request_id"].as_str().unwrap();
    assert!(uuid::Uuid::from_str(id).is_ok(), "{id}");
    let time = answer["timestamp"].as_str().unwrap();
    assert!(time.len() == "2026-01-20T12:34:56.789Z".len() && time.ends_with('Z'), "{time}");
    answer["request_id"] = Value::Null;
    answer["timestamp"] = Value::Null;
    for id in answer["data"].as_object_mut().unwrap().values_mut() {
        *id = id.as_i64().unwrap().signum().into();
    }
    answer
}

#[tokio::test]
async fn the_published_create_of_a_group_works_literally() {
    let world = World::new().await;
    let token = world.admin().await;
    let page = page(include_str!("../seeds/convirza-create-group.txt"));
    assert_eq!((page.method, page.path), ("POST", "/v3/groups"));
    let reply = world.call(page.method, page.path).json(page.body).bearer(&token).send().await;
    assert_eq!(reply.status, 201);
    assert_eq!(comparable(&reply.body), comparable(&page.answer));
    insta::assert_snapshot!(reply);

    let id = &reply.body["data"]["orgUnitId"];
    insta::assert_snapshot!(world.get(&format!("/v3/groups/{id}")).bearer(&token).send().await);
}

#[tokio::test]
async fn the_published_update_of_a_group_works_literally() {
    let world = World::new().await;
    let token = world.admin().await;
    let page = page(include_str!("../seeds/convirza-update-group.txt"));
    assert_eq!((page.method, page.path), ("PUT", "/v3/groups/"));
    let id = &page.answer["data"]["orgUnitId"];
    let path = format!("{}{id}", page.path);
    let reply = world.call(page.method, &path).json(page.body).bearer(&token).send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(comparable(&reply.body), comparable(&page.answer));
    assert_eq!(reply.body["data"], page.answer["data"]);
    insta::assert_snapshot!(reply);
    insta::assert_snapshot!(world.get(&path).bearer(&token).send().await);
}

#[tokio::test]
async fn the_published_update_of_a_user_works_literally() {
    let world = World::new().await;
    let token = world.admin().await;
    let page = page(include_str!("../seeds/convirza-update-user.txt"));
    assert_eq!((page.method, page.path), ("PUT", "/v3/users/"));
    // The page leaves the id out.
    let id = created(&world, &token, plain("old.user@example.com")).await;
    let path = format!("{}{id}", page.path);
    let reply = world.call(page.method, &path).json(page.body.clone()).bearer(&token).send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(comparable(&reply.body), comparable(&page.answer));
    insta::assert_snapshot!(reply);

    let read = get(&world, &token, id).await;
    for (field, sent) in page.body.as_object().unwrap() {
        assert_eq!(&read.body["data"][field], sent, "{field}");
    }
    insta::assert_snapshot!(read);
}

/// What LOX24's page shows: a request, and the properties of its answer.
struct Lox24Page {
    method: &'static str,
    path: &'static str,
    content_type: &'static str,
    body: &'static str,
    properties: Vec<&'static str>,
}

fn lox24_page(text: &'static str) -> Lox24Page {
    let answer = between(text, "Groups resource updated", "Invalid input");
    // The other words that stand alone are of its description.
    let is_property =
        |line: &&str| is_name(line) && !["object", "string", "integer", "required"].contains(line);
    Lox24Page {
        method: between(text, "curl -X ", " "),
        path: between(text, "https://api.lox24.eu", " "),
        content_type: between(text, "-H 'Content-Type: ", "'"),
        body: between(text, "-d '", "'\n"),
        properties: answer.lines().filter(is_property).collect(),
    }
}

fn is_name(line: &str) -> bool {
    !line.is_empty() && line.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'@' | b'A'..=b'Z'))
}

#[tokio::test]
async fn the_published_update_of_a_contact_group_works_literally() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let page = lox24_page(include_str!("../seeds/lox24-edit-group.txt"));
    assert_eq!((page.method, page.path), ("PUT", "/groups/12344"));
    // The group of the page, whose id nobody has yet.
    assert_eq!(world.directory().store.next_ids(IdKind::ContactGroup, 12_343).await.unwrap(), 1);
    let patch = json!({"name": "Old", "deleted_at": "2027-01-01T00:00:00+00:00"});
    assert_eq!(client.group(patch).await, page.path);
    client.phone(page.path, json!({"phone": "+4915112345678"})).await;

    // As curl sends it: whatever comes back is welcome.
    let call = world.call(page.method, page.path).key(&client.key).header("accept", "*/*");
    let reply = call.header("content-type", page.content_type).raw(page.body).send().await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/ld+json"));
    let mut names: Vec<&str> = reply.body.as_object().unwrap().keys().map(String::as_str).collect();
    let mut published = page.properties.clone();
    names.sort_unstable();
    published.sort_unstable();
    assert_eq!(names, published);
    let sent = Value::from_str(page.body).unwrap();
    for (name, value) in sent.as_object().unwrap() {
        assert_eq!(&reply.body[name], value, "{name}");
    }
    insta::assert_snapshot!(reply);
    insta::assert_snapshot!(client.get(page.path).await);

    // With the older form of the headers.
    let (id, secret) = (client.key.client_id.to_string(), &client.key.secret);
    let call = world.call(page.method, page.path).header("x-lox24-client-id", &id);
    let call = call.header("x-lox24-auth-token", secret).header("accept", JSON);
    let again = call.header("content-type", page.content_type).raw(page.body).send().await;
    assert_eq!(again.body, client.get(page.path).await.body);
}

#[tokio::test]
async fn the_published_update_of_a_user_group_works_literally() {
    let page = include_str!("../seeds/onlive-update-user-group.txt");
    let world = World::new().await;
    let client = onlive::Client::new(&world).await;
    let (method, path) = (between(page, "curl -X ", " "), between(page, "https://openapi.onlive.site", "\""));
    assert_eq!((method, path), ("PUT", "/api/v1/user-groups/550e8400-e29b-41d4-a716-446655440000"));
    let [content_type, authorization] =
        ["Content-Type", "Authorization"].map(|name| between(page, &format!("-H \"{name}: "), "\""));
    let body = between(page, "-d '", "'\n");

    // The group of the page.
    let id = UserGroupId(onlive::id(path).parse().unwrap());
    let mut group = UserGroup::new(world.acme.tenant(), id, "Sales".to_owned(), world.directory().now());
    group.external_id = Some("SALES_TEAM_01".to_owned());
    let batch = Batch::new(group.tenant).change(Change::UserGroupInsert(Box::new(group)));
    world.directory().store.commit(batch).await.unwrap();
    world.advance(Duration::from_mins(5));

    let call = || world.call(method, path).header("content-type", content_type);
    let reply = call().raw(body).signed(&client.key).send().await;
    let published = json_behind(page, "Successful Response (200 OK)");
    let mut answer = reply.body.clone();
    for name in ["organizationId", "createdAt", "updatedAt"] {
        let value = answer[name].as_str().unwrap();
        assert_eq!(value.len(), published[name].as_str().unwrap().len(), "{name} {value}");
        answer[name] = published[name].clone();
    }
    assert_eq!((reply.status.as_u16(), answer.to_string()), (200, published.to_string()));
    assert_eq!(client.get(path).await.body, reply.body);
    insta::assert_snapshot!(reply);

    let other = client.created(onlive::GROUPS, json!({"name": "x", "externalId": "SALES_TEAM_02"})).await;
    let nothing = format!("{}/{}", onlive::GROUPS, "00000000-0000-4000-8000-000000000000");
    let taken = r#"{"externalId": "SALES_TEAM_02"}"#;
    for (heading, status, reply) in [
        ("400 Bad Request", 400, call().raw(r#"{"name": ""}"#).signed(&client.key).send().await),
        ("401 Unauthorized", 401, call().raw(body).header("authorization", authorization).send().await),
        ("404 Not Found", 404, world.call(method, &nothing).raw(body).signed(&client.key).send().await),
        ("409 Conflict", 409, call().raw(taken).signed(&client.key).send().await),
    ] {
        assert_eq!(reply.status, status);
        assert_eq!(reply.body.to_string(), json_behind(page, heading).to_string(), "to the letter");
    }
    assert_eq!(client.get(&other).await.body["externalId"], "SALES_TEAM_02");
}
