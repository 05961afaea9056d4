//! Groups over SCIM, searches, and what the service tells of itself.

use serde_json::{Value, json};

use crate::scim::{Client, GROUPS, NOTHING, USERS, id, names, refused};
use crate::support::World;

fn members(body: &Value) -> Vec<&str> {
    let members = body["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    members.iter().map(|member| member["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_group_has_members() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (ann, bo) = (client.user("ann").await, client.user("bo").await);
    let group = json!({"displayName": "Night", "externalId": "G1", "members": [{"value": id(&ann)}]});
    let reply = client.post(GROUPS, group).await;
    insta::assert_snapshot!(reply);
    let path = format!("{GROUPS}/{}", reply.body["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.body, reply.body);
    let add = json!([{"op": "Add", "path": "members", "value": [{"value": id(&bo)}, {"value": id(&ann)}, {"value": NOTHING}, {"value": "x"}]}]);
    let added = client.patch(&path, add.clone()).await;
    assert_eq!(members(&added.body), [id(&ann), id(&bo)], "{added}");
    assert_eq!(client.patch(&path, add).await.header("etag"), added.header("etag"), "all are there");
    assert_eq!(client.select(GROUPS, &format!("members.value eq \"{}\"", id(&bo)), "id").await, [id(&path)]);
    assert_eq!(client.select(GROUPS, &format!("members eq \"{}\"", id(&bo)), "id").await, [id(&path)]);
    assert_eq!(client.select(GROUPS, "members.type eq \"user\"", "id").await, [id(&path)]);
    assert_eq!(
        client.select(USERS, &format!("groups.value eq \"{}\"", id(&path)), "userName").await,
        ["ann", "bo"]
    );
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", id(&ann))}]);
    assert_eq!(members(&client.patch(&path, remove.clone()).await.body), [id(&bo)]);
    assert_eq!(client.patch(&path, remove).await.status, 200, "whoever is absent may be removed");
    let renamed =
        json!([{"op": "replace", "value": {"displayName": "Day"}}, {"op": "remove", "path": "externalId"}]);
    let renamed = client.patch(&path, renamed).await;
    assert_eq!((&renamed.body["displayName"], renamed.body.get("externalId")), (&json!("Day"), None));
    let without = client.get(&format!("{path}?excludedAttributes=members")).await;
    assert_eq!((without.body.get("members"), without.header("etag")), (None, renamed.header("etag")));
    let replaced = client.put(&path, json!({"displayName": "Day", "members": [{"value": id(&ann)}]})).await;
    assert_eq!(members(&replaced.body), [id(&ann)], "{replaced}");
    assert_eq!(members(&client.put(&path, json!({"displayName": "Day"})).await.body), [""; 0]);
    client.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": id(&ann)}]}])).await;
    assert_eq!(client.delete(&path).await.status, 204);
    assert_eq!(refused(&client.get(&path).await), (404, ""));
    assert_eq!(client.get(&ann).await.body.get("groups"), None);
}

#[tokio::test]
async fn what_no_group_can_be_is_refused() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(GROUPS, json!({"displayName": "A", "externalId": "x"})).await;
    let other = client.group("A", &[]).await;
    for unknown in [NOTHING, "x"] {
        let body = json!({"displayName": "B", "members": [{"value": unknown}]});
        assert_eq!(refused(&client.post(GROUPS, body.clone()).await), (400, "invalidValue"));
        assert_eq!(refused(&client.put(&path, body).await), (400, "invalidValue"));
    }
    for body in [json!({}), json!({"displayName": " "}), json!({"displayName": null})] {
        assert_eq!(refused(&client.post(GROUPS, body).await), (400, "invalidValue"));
    }
    for reply in [
        client.post(GROUPS, json!({"displayName": "C", "externalId": "X"})).await,
        client.put(&other, json!({"displayName": "A", "externalId": "x"})).await,
        client.patch(&other, json!([{"op": "add", "value": {"externalId": "x"}}])).await,
    ] {
        assert_eq!(refused(&reply), (409, "uniqueness"));
    }
    let both = json!([{"op": "add", "value": {"displayName": "Z"}}, {"op": "replace", "path": "members[value eq \"x\"].value", "value": "y"}]);
    assert_eq!(refused(&client.patch(&path, both).await), (400, "mutability"));
    let stale = client.call("PATCH", &path).header("if-match", "W/\"9\"");
    let stale =
        stale.json(json!({"Operations": [{"op": "add", "value": {"displayName": "Z"}}]})).send().await;
    assert_eq!(refused(&stale), (412, ""));
    assert_eq!(client.get(&path).await.body["displayName"], "A");
}

#[tokio::test]
async fn members_are_not_cleared_by_ids_that_nobody_has() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (ann, bo) = (client.user("ann").await, client.user("bo").await);
    let path = client.group("Night", &[&ann]).await;
    let replace = |value: Value| json!([{"op": "replace", "path": "members", "value": value}]);
    for operations in [
        replace(json!([{"value": "someone@x.org"}])),
        replace(json!([{"value": NOTHING}])),
        replace(json!([{"value": id(&ann)}, {"value": NOTHING}])),
        replace(json!("foo")),
        json!([{"op": "replace", "value": {"members": ["nobody"]}}]),
        json!([{"op": "remove", "path": "members", "value": ["nobody"]}]),
    ] {
        assert_eq!(
            refused(&client.patch(&path, operations.clone()).await),
            (400, "invalidValue"),
            "{operations}"
        );
        assert_eq!(members(&client.get(&path).await.body), [id(&ann)], "{operations}");
    }
    // An id has no case.
    let (upper, other) = (id(&ann).to_uppercase(), id(&bo).to_uppercase());
    let both = json!([{"op": "add", "path": "members", "value": [upper, other]}]);
    assert_eq!(members(&client.patch(&path, both).await.body), [id(&ann), id(&bo)]);
    let filter = json!([{"op": "remove", "path": format!("members[value eq \"{upper}\"]")}]);
    assert_eq!(members(&client.patch(&path, filter).await.body), [id(&bo)]);
    assert_eq!(members(&client.patch(&path, replace(json!([upper]))).await.body), [id(&ann)]);
    let named = json!([{"op": "remove", "path": "members", "value": [upper]}]);
    assert_eq!(members(&client.patch(&path, named).await.body), [""; 0]);
    let body = json!({"displayName": "Night", "members": [upper, id(&ann)]});
    assert_eq!(members(&client.put(&path, body).await.body), [id(&ann)]);
    let body = json!({"displayName": "Day", "members": [upper]});
    assert_eq!(members(&client.post(GROUPS, body).await.body), [id(&ann)]);
    for nobody in [json!([]), Value::Null] {
        client.patch(&path, replace(json!([upper]))).await;
        assert_eq!(members(&client.patch(&path, replace(nobody)).await.body), [""; 0]);
    }
}

#[tokio::test]
async fn a_great_group_is_changed_without_being_shown() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let mut paths = Vec::new();
    for n in 0..1001 {
        paths.push(client.user(&format!("u{n}")).await);
    }
    let all: Vec<&str> = paths.iter().map(String::as_str).collect();
    let path = client.group("All", &all[..1000]).await;
    let add = json!([{"op": "add", "path": "members", "value": [{"value": id(all[1000])}]}]);
    let reply = client.patch(&path, add).await;
    assert_eq!((reply.status.as_u16(), &reply.body), (204, &Value::Null));
    let named = client
        .send(
            "PATCH",
            &format!("{path}?attributes=displayName"),
            json!({"Operations": [{"op": "add", "value": {"displayName": "Everybody"}}]}),
        )
        .await;
    assert_eq!((named.status.as_u16(), &named.body["displayName"]), (200, &json!("Everybody")));
    // It is sent while its members are read.
    let whole = client.get(&path).await;
    let (mut shown, mut expected): (Vec<&str>, Vec<&str>) =
        (members(&whole.body), all.iter().map(|path| id(path)).collect());
    shown.sort_unstable();
    expected.sort_unstable();
    assert_eq!((shown, whole.header("content-length")), (expected, ""));
    assert_eq!(whole.body["members"][1000]["type"], "User");
    let without = client.get(&format!("{path}?excludedAttributes=members")).await;
    assert_eq!(whole.header("etag"), without.header("etag"));
    assert_eq!(whole.body["meta"], without.body["meta"]);
    let values = client.get(&format!("{path}?attributes=members.value")).await;
    assert_eq!(values.body["members"][1000].as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(values.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["schemas", "id", "members"]);
    let nothing = client.get(&format!("{path}?attributes=members.nothing")).await;
    assert_eq!(nothing.body.as_object().unwrap().len(), 2, "{nothing}");
    let known = client.call("GET", &path).header("if-none-match", whole.header("etag")).send().await;
    assert_eq!(known.status, 304);
}

#[tokio::test]
async fn searches_are_lists_by_post() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let ann = client.created(USERS, json!({"userName": "ann", "displayName": "M"})).await;
    client.group("N", &[&ann]).await;
    world.advance(std::time::Duration::from_secs(1));
    client.group("L", &[]).await;
    let search = async |path: &str, body: Value| client.post(&format!("/scim/v2{path}/.search"), body).await;
    let users =
        search("/Users", json!({"filter": "displayName pr", "attributes": ["userName"], "count": 5})).await;
    assert_eq!((names(&users, "userName"), &users.body["totalResults"]), (vec!["ann".to_owned()], &json!(1)));
    assert_eq!(names(&search("/Groups", json!({"sortBy": "displayName"})).await, "displayName"), ["L", "N"]);
    assert_eq!(names(&search("", json!({"filter": "displayName pr"})).await, "displayName"), ["M", "N", "L"]);
    let second = search("", json!({"filter": "displayName pr", "startIndex": 2, "count": 1})).await;
    assert_eq!(
        (names(&second, "displayName"), &second.body["totalResults"]),
        (vec!["N".to_owned()], &json!(3))
    );
    let sorted = json!({"filter": "displayName pr", "sortBy": "displayName", "sortOrder": "descending"});
    assert_eq!(names(&search("", sorted).await, "displayName"), ["N", "M", "L"]);
    assert_eq!(refused(&search("", json!({"filter": "x"})).await), (400, "invalidFilter"));
    assert_eq!(refused(&search("/Users", json!({"count": "x"})).await), (400, "invalidValue"));
}

#[tokio::test]
async fn the_service_tells_of_itself() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    insta::assert_snapshot!(world.get("/scim/v2/ServiceProviderConfig").send().await);
    let reply = world.get("/scim/v2/Schemas").send().await;
    assert_eq!((refused(&reply), reply.header("www-authenticate")), ((401, ""), "Bearer"));
    let schemas = client.get("/scim/v2/Schemas").await;
    assert_eq!(names(&schemas, "name"), ["User", "EnterpriseUser", "Group"]);
    for schema in schemas.body["Resources"].as_array().unwrap() {
        let one = client
            .get(schema["meta"]["location"].as_str().unwrap().strip_prefix("http://muster.example").unwrap());
        assert_eq!(&one.await.body, schema);
    }
    assert_eq!(names(&client.get("/scim/v2/ResourceTypes").await, "endpoint"), ["/Users", "/Groups"]);
    assert_eq!(
        client.get("/scim/v2/ResourceTypes/Group").await.body["schema"],
        "urn:ietf:params:scim:schemas:core:2.0:Group"
    );
    for path in ["/scim/v2/Schemas?filter=id+pr", "/scim/v2/ResourceTypes?filter=id+pr"] {
        assert_eq!(refused(&client.get(path).await), (403, ""));
    }
    for path in ["/scim/v2/Schemas/x", "/scim/v2/ResourceTypes/x", "/scim/v2/Devices", "/scim/v2"] {
        assert_eq!(refused(&client.get(path).await), (404, ""));
    }
    for path in ["/scim/v2/Schemas", "/scim/v2/ResourceTypes/User", "/scim/v2/ServiceProviderConfig"] {
        assert_eq!(refused(&client.post(path, json!({})).await), (405, ""));
    }
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!(refused(&client.call(method, "/scim/v2/Me").send().await), (501, ""));
    }
}

#[tokio::test]
async fn what_is_kept_trimmed_is_looked_for_trimmed() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    client.created(USERS, json!({"userName": " Pat\u{e9} "})).await;
    client.created(GROUPS, json!({"displayName": " Night ", "externalId": " Caf\u{e9} "})).await;
    for (collection, attribute, filter) in [
        (USERS, "userName", "userName eq \" pate\u{301} \""),
        (USERS, "userName", "userName ge \" pat\u{e9} \" and userName le \" pat\u{e9}\""),
        (USERS, "userName", "userName ew \"te\u{301}\""),
        (USERS, "userName", "userName eq \" pat\u{e9} \" and not (title pr)"),
        (GROUPS, "displayName", "displayName eq \" night \""),
        (GROUPS, "displayName", "externalId eq \" Cafe\u{301} \""),
        (GROUPS, "displayName", "externalId sw \"Cafe\u{301}\""),
        (GROUPS, "displayName", "externalId eq \" Cafe\u{301} \" and not (members.type pr)"),
    ] {
        assert_eq!(client.select(collection, filter, attribute).await.len(), 1, "{filter}");
    }
    // Of a part of a text the blanks count.
    assert_eq!(client.select(GROUPS, "displayName co \"night \"", "id").await, [""; 0]);
}
