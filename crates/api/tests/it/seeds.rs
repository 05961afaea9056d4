//! The literal requests of the vendor's pages, cut out of the pages themselves.

use std::str::FromStr as _;

use muster_domain::{IdKind, Store as _};
use serde_json::{Value, json};

use crate::lox24::{Client, JSON};
use crate::people::{created, get, plain};
use crate::support::World;

/// What a page of the vendor's documentation shows: a request and its answer.
struct Page {
    method: &'static str,
    path: &'static str,
    body: Value,
    answer: Value,
}

fn page(text: &'static str) -> Page {
    let between = |from: &str, to: &str| {
        let rest = text.split_once(from).unwrap().1;
        rest.split_once(to).unwrap().0
    };
    let answer = text.split_once("Response Response Example").unwrap().1;
    let answer = &answer[answer.find('{').unwrap()..];
    let mut answer = serde_json::Deserializer::from_str(answer).into_iter::<Value>();
    Page {
        method: between("--request ", " '"),
        path: between("'https://platform-api.convirza.com", "'"),
        body: Value::from_str(between("--data-raw '", "'\n")).unwrap(),
        answer: answer.next().unwrap().unwrap(),
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
    let between = |from: &str, to: &str| text.split_once(from).unwrap().1.split_once(to).unwrap().0;
    let answer = between("Groups resource updated", "Invalid input");
    // The other words that stand alone are of its description.
    let is_property =
        |line: &&str| is_name(line) && !["object", "string", "integer", "required"].contains(line);
    Lox24Page {
        method: between("curl -X ", " "),
        path: between("https://api.lox24.eu", " "),
        content_type: between("-H 'Content-Type: ", "'"),
        body: between("-d '", "'\n"),
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
