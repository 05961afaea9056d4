//! Users over SCIM, from the first request of an identity provider to the last.

use std::time::Duration;

use serde_json::{Value, json};

use crate::people::{data, log_in, patch as convirza_patch};
use crate::scim::{Client, GROUPS, NOTHING, USERS, id, names, refused};
use crate::support::World;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Every kind of attribute, some of which other dialects know too.
fn full() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": "ann@acme.example", "externalId": "E 1", "displayName": "Ann L.",
        "name": {"givenName": "Ann", "familyName": "Lee", "honorificPrefix": "Dr."},
        "title": "Chief", "timezone": "Europe/Zurich", "active": true,
        "emails": [{"value": "Ann@home.example", "type": "home"}, {"value": "ann@work.example", "type": "work", "primary": true}],
        "phoneNumbers": [{"value": "+13035550110", "type": "work"}, {"value": "ext 7", "type": "other"}],
        "roles": [{"value": "ReadOnly"}, {"value": "Painter"}],
        ENTERPRISE: {"department": "Sales", "manager": {"value": "26"}},
    })
}

#[tokio::test]
async fn a_user_lives_and_dies() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let reply = client.post(USERS, full()).await;
    insta::assert_snapshot!(reply);
    let path = format!("{USERS}/{}", reply.body["id"].as_str().unwrap());
    assert_eq!(reply.header("location"), reply.body["meta"]["location"]);
    assert_eq!(reply.header("location"), format!("http://muster.example{path}"));
    assert_eq!(reply.header("etag"), reply.body["meta"]["version"]);
    let read = client.get(&path).await;
    assert_eq!((&read.body, read.header("etag")), (&reply.body, reply.header("etag")));
    assert_eq!(
        client.call("GET", &path).header("if-none-match", read.header("etag")).send().await.status,
        304
    );
    assert_eq!(client.select(USERS, "userName eq \"ANN@acme.example\"", "id").await, [id(&path)]);
    world.advance(Duration::from_secs(5));
    let off = client.patch(&path, json!([{"op": "Replace", "path": "active", "value": "False"}])).await;
    assert_eq!((off.status.as_u16(), &off.body["active"]), (200, &json!(false)), "{off}");
    assert_ne!(off.body["meta"]["lastModified"], off.body["meta"]["created"]);
    assert_eq!(client.select(USERS, "active eq false", "id").await, [id(&path)]);
    let gone = client.delete(&path).await;
    assert_eq!((gone.status.as_u16(), gone.body), (204, Value::Null));
    for reply in [
        client.get(&path).await,
        client.put(&path, full()).await,
        client.patch(&path, json!([{"op": "add", "value": {"title": "x"}}])).await,
        client.delete(&path).await,
        client.get(&format!("{USERS}/{NOTHING}")).await,
        client.get(&format!("{USERS}/x")).await,
    ] {
        assert_eq!(refused(&reply), (404, ""));
    }
    assert_ne!(client.user("ann@acme.example").await, path, "the name is free again");
}

#[tokio::test]
async fn what_is_sent_is_kept_until_another_dialect_changes_it() {
    let world = World::new().await;
    let (client, token) = (Client::new(&world).await, world.admin().await);
    let path = client.created(USERS, full()).await;
    let number = world.directory().user_get_by_uuid(&world.acme, id(&path).parse().unwrap()).await;
    let number = number.unwrap().user.id.0;
    let convirza = data(&world, &token, number).await;
    assert_eq!(
        [&convirza["first_name"], &convirza["role"], &convirza["timezone"], &convirza["agent_ring_to"]],
        ["Ann", "ReadOnly", "Europe/Zurich", "+13035550110"]
    );
    assert_eq!((&convirza["user_ext_id"], &convirza["user_status"]), (&json!("E 1"), &json!("active")));
    let reply =
        convirza_patch(&world, &token, number, json!({"first_name": "Anna", "role": "Standard"})).await;
    assert_eq!(reply.status, 200, "{reply}");
    let read = client.get(&path).await.body;
    assert_eq!(read["name"], json!({"givenName": "Anna", "familyName": "Lee", "honorificPrefix": "Dr."}));
    assert_eq!(
        (&read["roles"], &read["phoneNumbers"]),
        (&json!([{"value": "Standard"}]), &full()["phoneNumbers"])
    );
    assert_eq!((&read["emails"], &read[ENTERPRISE]), (&full()["emails"], &full()[ENTERPRISE]));
    // A time zone that the directory does not know is kept, and so is that there is none.
    for (value, kept) in [(json!("Mars/Olympus"), json!("Mars/Olympus")), (Value::Null, Value::Null)] {
        let reply = client.patch(&path, json!([{"op": "replace", "path": "timezone", "value": value}])).await;
        assert_eq!(reply.body["timezone"], kept, "{reply}");
        assert_eq!(data(&world, &token, number).await["timezone"], "Europe/Zurich");
    }
    convirza_patch(&world, &token, number, json!({"timezone": "Asia/Tokyo", "user_status": "inactive"}))
        .await;
    let read = client.get(&path).await.body;
    assert_eq!((&read["timezone"], &read["active"]), (&json!("Asia/Tokyo"), &json!(false)));
    // Removed, it means active.
    let reply = client.patch(&path, json!([{"op": "remove", "path": "active"}])).await;
    assert_eq!((reply.status.as_u16(), reply.body.get("active")), (200, None));
    assert_eq!(data(&world, &token, number).await["user_status"], "active");
}

#[tokio::test]
async fn a_user_of_another_dialect_is_one_of_scim() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    world.user("bo@acme.example", muster_domain::user::Role::Standard, 1002).await;
    let found = client.get(&format!("{USERS}?filter=userName+eq+%22bo@acme.example%22")).await;
    let mut bo = found.body["Resources"][0].clone();
    let path = format!("{USERS}/{}", bo["id"].as_str().unwrap());
    bo.as_object_mut().unwrap().retain(|name, _| !["id", "meta"].contains(&name.as_str()));
    let expected = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "bo@acme.example", "name": {"givenName": "Ada", "familyName": "Lee"},
        "active": true, "timezone": "America/New_York", "roles": [{"value": "Standard"}],
        "emails": [{"value": "bo@acme.example", "type": "work", "primary": true}],
    });
    assert_eq!(bo, expected);
    assert_eq!(client.select(USERS, "emails.value sw \"BO@\"", "userName").await, ["bo@acme.example"]);
    // The login stands in for addresses as long as none was sent, whatever else is.
    let titled = client.patch(&path, json!([{"op": "add", "value": {"title": "Chief"}}])).await;
    assert_eq!((&titled.body["emails"], &titled.body["title"]), (&expected["emails"], &json!("Chief")));
    let renamed = client
        .patch(&path, json!([{"op": "replace", "path": "userName", "value": "bob@acme.example"}]))
        .await;
    assert_eq!(renamed.body["emails"][0]["value"], "bob@acme.example", "{renamed}");
    let sent = json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@x.org"}]);
    let sent = client.patch(&path, sent).await;
    assert_eq!(sent.body["emails"][0]["value"], "b@x.org");
    assert_eq!(client.select(USERS, "emails.value eq \"bob@acme.example\"", "id").await, [""; 0]);
    assert_eq!(client.select(USERS, "emails eq \"B@x.org\"", "id").await, [id(&path)]);
    let none = client.patch(&path, json!([{"op": "remove", "path": "emails"}])).await;
    assert_eq!(none.body.get("emails"), None);
}

#[tokio::test]
async fn a_replacement_clears_what_it_omits() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(USERS, full()).await;
    client.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).await;
    let reply = client
        .put(&path, json!({"userName": "Ann@acme.example", "id": "x", "groups": [{"value": "g"}]}))
        .await;
    let mut shown = reply.body.clone();
    shown.as_object_mut().unwrap().retain(|name, _| !["id", "meta", "schemas"].contains(&name.as_str()));
    assert_eq!(
        shown,
        json!({"userName": "Ann@acme.example", "active": false, "roles": full()["roles"]}),
        "{reply}"
    );
    assert_eq!(refused(&client.put(&format!("{USERS}/{NOTHING}"), full()).await).0, 404);
    // The same once more changes nothing.
    let again = client.put(&path, json!({"userName": "Ann@acme.example"})).await;
    assert_eq!(again.header("etag"), reply.header("etag"));
}

#[tokio::test]
async fn passwords_are_set_and_never_shown() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client
        .created(USERS, json!({"userName": "ann@acme.example", "name": {"givenName": "A", "familyName": "L"}, "password": "a long password"}))
        .await;
    assert_eq!(log_in(&world, "ann@acme.example", "a long password").await, 200);
    let reply = client
        .patch(&path, json!([{"op": "replace", "path": "password", "value": "another password"}]))
        .await;
    assert!(reply.status == 200 && !reply.to_string().contains("another"), "{reply}");
    assert_eq!(log_in(&world, "ann@acme.example", "another password").await, 200);
    let reply = client.put(&path, json!({"userName": "ann@acme.example"})).await;
    assert_eq!(
        (reply.status.as_u16(), log_in(&world, "ann@acme.example", "another password").await),
        (200, 200)
    );
    let short = json!([{"op": "replace", "value": {"password": "short"}}]);
    assert_eq!(refused(&client.patch(&path, short).await), (400, "invalidValue"));
    assert_eq!(client.select(USERS, "password eq \"another password\"", "id").await, ["invalidFilter"]);
}

#[tokio::test]
async fn names_are_unique_without_case() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (_, bo) = (client.user("ann").await, client.user("bo").await);
    for reply in [
        client.post(USERS, json!({"userName": " ANN "})).await,
        client.put(&bo, json!({"userName": "Ann"})).await,
        client.patch(&bo, json!([{"op": "replace", "path": "userName", "value": "aNN"}])).await,
    ] {
        assert_eq!(refused(&reply), (409, "uniqueness"), "{reply}");
    }
    let post = || client.post(USERS, json!({"userName": "cy"}));
    let (a, b) = tokio::join!(post(), post());
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let ada = client.select(USERS, "userName eq \"ada@acme.example\"", "id").await.remove(0);
    let path = format!("{USERS}/{ada}");
    for reply in [
        client.delete(&path).await,
        client.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).await,
        client.put(&path, json!({"userName": "ada@acme.example", "roles": [{"value": "Standard"}]})).await,
    ] {
        assert_eq!(refused(&reply), (409, ""), "{reply}");
        assert!(reply.body["detail"].as_str().unwrap().contains("last active Admin"));
    }
}

#[tokio::test]
async fn conditions_are_about_what_is_shown() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.user("ann").await;
    let tag = client.get(&path).await.header("etag").to_owned();
    let group = client.group("Night", &[&path]).await;
    let shown = client.get(&path).await;
    assert_eq!(shown.body["groups"][0]["value"], id(&group));
    assert_ne!(shown.header("etag"), tag, "the groups are shown too");
    let title = json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]});
    let with = |tag: &str| client.call("PATCH", &path).header("if-match", tag).json(title.clone());
    assert_eq!(refused(&with(&tag).send().await), (412, ""));
    let done = with(shown.header("etag")).send().await;
    assert_eq!(done.status, 200, "{done}");
    // What is there already changes nothing.
    assert_eq!(with(done.header("etag")).send().await.header("etag"), done.header("etag"));
    let long = json!({"userName": "a".repeat(256)});
    let replaced = |body: &Value| client.call("PUT", &path).header("if-match", &tag).json(body.clone());
    assert_eq!(refused(&replaced(&long).send().await), (400, "invalidValue"), "the body goes first");
    assert_eq!(replaced(&json!({"userName": "ann"})).send().await.status, 412);
    assert_eq!(client.call("DELETE", &path).header("if-match", &tag).send().await.status, 412);
    assert_eq!(client.call("DELETE", &path).header("if-match", done.header("etag")).send().await.status, 204);
    assert_eq!(client.select(GROUPS, "members pr", "id").await, [""; 0]);
}

#[tokio::test]
async fn wrong_bodies_are_told_apart() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.user("ann").await;
    for (body, scim_type) in [
        ("", "invalidSyntax"),
        ("{", "invalidSyntax"),
        ("[]", "invalidSyntax"),
        ("{}", "invalidValue"),
        (r#"{"userName": " "}"#, "invalidValue"),
        (r#"{"userName": "x", "active": "maybe"}"#, "invalidValue"),
    ] {
        let reply = client.call("POST", USERS).raw(body).send().await;
        assert_eq!(refused(&reply), (400, scim_type), "{body}");
    }
    let long = client.post(USERS, json!({"userName": "x".repeat(256)})).await;
    assert_eq!(refused(&long), (400, "invalidValue"));
    let xml = client.call("POST", USERS).raw("<x/>").header("content-type", "text/xml").send().await;
    assert_eq!(refused(&xml), (415, ""));
    for (operations, scim_type) in [
        (json!([]), "invalidSyntax"),
        (json!([{"op": "replace", "path": "color", "value": "red"}]), "invalidPath"),
        (json!([{"op": "remove"}]), "noTarget"),
        (json!([{"op": "remove", "path": "userName"}]), "mutability"),
        (json!([{"op": "replace", "path": "id", "value": "x"}]), "mutability"),
        (json!([{"op": "replace", "path": "emails[type eq \"x\"].value", "value": "x"}]), "noTarget"),
        (
            json!([{"op": "add", "path": "title", "value": "x"}, {"op": "add", "path": "active", "value": 5}]),
            "invalidValue",
        ),
    ] {
        let reply = client.patch(&path, operations.clone()).await;
        assert_eq!((reply.status.as_u16(), refused(&reply).1), (400, scim_type), "{operations}");
    }
    assert_eq!(client.get(&path).await.body.get("title"), None, "all or nothing");
}

#[tokio::test]
async fn users_are_filtered_sorted_and_paged() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for (name, title) in [("bo", "b"), ("Ann", "c"), ("cy", "a")] {
        client
            .created(USERS, json!({"userName": name, "title": title, "displayName": name.to_uppercase()}))
            .await;
        world.advance(Duration::from_secs(1));
    }
    for (filter, found) in [
        ("title eq \"A\"", vec!["cy"]),
        ("not (title pr) and userName ew \"acme.example\"", vec!["ada@acme.example"]),
        ("displayName sw \"a\" or userName eq \"CY\"", vec!["Ann", "cy"]),
        ("userName gt \"b\"", vec!["bo", "cy"]),
        ("meta.lastModified gt \"2099-01-01T00:00:00Z\"", vec![]),
        ("members.value eq \"x\"", vec![]),
        ("color eq \"red\"", vec!["invalidFilter"]),
        ("active gt true", vec!["invalidFilter"]),
        ("userName eq", vec!["invalidFilter"]),
    ] {
        assert_eq!(client.select(USERS, filter, "userName").await, found, "{filter}");
    }
    let list = async |query: &str| client.get(&format!("{USERS}?{query}")).await;
    assert_eq!(names(&list("sortBy=username&sortOrder=Descending&count=2").await, "userName"), ["cy", "bo"]);
    assert_eq!(names(&list("sortBy=title&startIndex=2&count=2").await, "userName"), ["bo", "Ann"]);
    for (query, total, per_page, start) in [
        ("count=0", 4, 0, 1),
        ("count=-3", 4, 0, 1),
        ("startIndex=-1&count=9", 4, 4, 1),
        ("startIndex=9", 4, 0, 9),
    ] {
        let body = list(query).await.body;
        let numbers = [&body["totalResults"], &body["itemsPerPage"], &body["startIndex"]];
        assert_eq!(numbers, [total, per_page, start], "{query}");
    }
    assert_eq!(refused(&list("count=x").await), (400, "invalidValue"));
    assert_eq!(refused(&list("cursor=!").await), (400, "invalidCursor"));
    let shown = list("attributes=title&count=1&startIndex=2").await.body["Resources"][0].clone();
    assert_eq!(shown.as_object().unwrap().keys().collect::<Vec<_>>(), ["schemas", "id", "title"]);
    assert_eq!(refused(&list("attributes=title&excludedAttributes=id").await), (400, "invalidValue"));
    // By cursor, while others write.
    for filter in ["", "&filter=not+(title+eq+%22zz%22)"] {
        let (mut cursor, mut seen) = (String::new(), Vec::new());
        loop {
            let page = list(&format!("count=2&cursor={cursor}{filter}")).await;
            seen.extend(names(&page, "userName"));
            client.user(&format!("new {}{filter}", seen.len())).await;
            let Some(next) = page.body["nextCursor"].as_str() else { break };
            cursor = next.to_owned();
        }
        let before = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), before, "none twice");
        for name in ["ada@acme.example", "bo", "Ann", "cy"] {
            assert!(seen.iter().any(|seen| seen == name), "{name}");
        }
    }
}

#[tokio::test]
async fn entra_replaces_what_is_not_there() {
    let world = World::new().await;
    let (client, entra) = (Client::new(&world).await, Client::entra(&world).await);
    let path = client.user("ann").await;
    let email = json!([{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "a@x.org"}]);
    assert_eq!(refused(&client.patch(&path, email.clone()).await), (400, "noTarget"));
    let reply = entra.patch(&path, email).await;
    assert_eq!(reply.body["emails"], json!([{"type": "work", "value": "a@x.org"}]), "{reply}");
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.user("ann").await;
    let add = async |name: &'static str| {
        client.patch(&path, json!([{"op": "add", "path": name, "value": name}])).await.status.as_u16()
    };
    let names = ["title", "nickName", "userType", "locale"];
    let statuses = tokio::join!(add(names[0]), add(names[1]), add(names[2]), add(names[3]));
    assert_eq!(statuses, (200, 200, 200, 200));
    let read = client.get(&path).await.body;
    assert!(names.iter().all(|name| read[*name] == *name), "{read}");
}
