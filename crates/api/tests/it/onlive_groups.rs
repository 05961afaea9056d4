//! User groups over the Onlive dialect.

use std::time::Duration;

use serde_json::{Value, json};

use crate::onlive::{Client, GROUPS, NOTHING, failing, id};
use crate::support::World;

fn full() -> Value {
    json!({
        "name": "Night desk", "description": "Covers 22-06", "externalId": "ND-7", "extraFields": {"site": "Turin"}
    })
}

#[tokio::test]
async fn a_group_is_created_with_all_its_fields() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let mut body = full();
    body["name"] = json!("  Night desk ");
    body["organizationId"] = json!(NOTHING);
    body["members"] = json!(["are not looked at"]);
    let reply = client.post(GROUPS, body).await;
    insta::assert_snapshot!(reply);
    let path = format!("{GROUPS}/{}", reply.body["id"].as_str().unwrap());
    let read = client.get(&path).await;
    assert_eq!((read.status.as_u16(), &read.body), (200, &reply.body));
    assert_eq!(read.header("etag"), reply.header("etag"));
    let entry = world.journal().await.pop().unwrap();
    assert_eq!((entry.kind.as_str(), entry.dialect.as_str()), ("user_group.created", "onlive"));
    // What was never given is there all the same.
    insta::assert_snapshot!(client.post(GROUPS, json!({"name": "Day desk"})).await);
}

#[tokio::test]
async fn put_changes_what_is_named() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(GROUPS, full()).await;
    let before = client.get(&path).await;
    world.advance(Duration::from_mins(1));
    let journal = world.journal().await;
    for unchanging in [json!({}), before.body.clone(), json!({"name": " Night desk "})] {
        let reply = client.put(&path, unchanging).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &before.body));
        assert_eq!(reply.header("etag"), before.header("etag"));
    }
    assert_eq!(world.journal().await, journal);
    // Extra fields are replaced whole.
    let reply = client.put(&path, json!({"extraFields": {"floor": 3}, "unknown": 1})).await;
    assert_eq!(reply.body["extraFields"], json!({"floor": 3}));
    assert_eq!((&reply.body["name"], &reply.body["externalId"]), (&json!("Night desk"), &json!("ND-7")));
    assert_ne!(reply.body["updatedAt"], before.body["updatedAt"]);
    assert_eq!(reply.body["createdAt"], before.body["createdAt"]);
    let cleared = json!({"description": null, "externalId": null, "extraFields": null});
    insta::assert_snapshot!(client.put(&path, cleared).await);
}

#[tokio::test]
async fn every_failing_field_is_named_at_once() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(GROUPS, full()).await;
    let before = (world.journal().await, client.get(&path).await.body);
    insta::assert_snapshot!(
        client.post(GROUPS, json!({"description": 7, "externalId": [], "extraFields": "x"})).await
    );
    let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "x": inner }));
    for (field, value, message) in [
        ("name", Value::Null, "name must not be empty"),
        ("name", json!(""), "name must not be empty"),
        ("name", json!(" \u{3000} "), "name must not be empty"),
        ("name", json!(7), "must be a string"),
        ("name", json!("x".repeat(256)), "must not be longer than 255 characters"),
        ("description", json!("x".repeat(1001)), "must not be longer than 1000 characters"),
        ("description", json!(false), "must be a string"),
        ("externalId", json!("x".repeat(256)), "must not be longer than 255 characters"),
        ("externalId", json!(""), "externalId must not be empty"),
        ("externalId", json!({}), "must be a string"),
        ("extraFields", json!([]), "must be an object"),
        ("extraFields", json!("{}"), "must be an object"),
        ("extraFields", json!(1), "must be an object"),
        ("extraFields", nested(65), "must not be nested deeper than 64 levels"),
        ("extraFields", json!({"x": "x".repeat(65_536 - 7)}), "must not be longer than 65536 bytes of JSON"),
    ] {
        for reply in [
            client.put(&path, json!({ field: value })).await,
            client
                .post(
                    GROUPS,
                    if field == "name" {
                        json!({ field: value })
                    } else {
                        json!({"name": "x", field: value})
                    },
                )
                .await,
        ] {
            let told = (reply.status.as_u16(), &reply.body["message"], &reply.body["errors"]);
            assert_eq!(told, (400, &json!("Invalid input"), &failing(field, message)), "{field} {value}");
        }
    }
    assert_eq!((world.journal().await, client.get(&path).await.body), before);
    // At the limits.
    let greatest = json!({
        "name": "\u{e4}".repeat(255), "description": "\u{e4}".repeat(1000), "externalId": "\u{e4}".repeat(255),
        "extraFields": nested(64)
    });
    assert_eq!(client.put(&path, greatest.clone()).await.status, 200);
    let long = json!({"extraFields": {"x": "x".repeat(65_536 - 8)}});
    assert_eq!(client.put(&path, long.clone()).await.body["extraFields"], long["extraFields"]);
}

#[tokio::test]
async fn extra_fields_are_kept_as_they_were_sent() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.group("Odd").await;
    let odd = json!({
        "": null, "z": [1, 2.5, -0.0, 1e300, 9_007_199_254_740_993_i64], "a\u{301}": "e\u{301}", "\"": {"\\": []},
        "long": "\u{1f600}".repeat(100), "a": true
    });
    client.put(&path, json!({"extraFields": odd})).await;
    let read = client.get(&path).await.body;
    assert_eq!(read["extraFields"].to_string(), odd.to_string(), "also in the same order");
    assert_eq!(client.put(&path, json!({"extraFields": {}})).await.body["extraFields"], json!({}));
}

#[tokio::test]
async fn an_external_id_stands_once_in_an_organization() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let other = Client::of(&world, &world.tenant("Other", "olga@other.example").await).await;
    let path = client.created(GROUPS, full()).await;
    let second = client.group("Night desk").await;
    insta::assert_snapshot!(client.put(&second, json!({"externalId": " nd-7 "})).await);
    assert_eq!(client.post(GROUPS, full()).await.status, 409);
    // Its own is fine, another organization's too, and that of a deleted group.
    assert_eq!(client.put(&path, json!({"externalId": "ND-7", "name": "x"})).await.status, 200);
    assert_eq!(other.post(GROUPS, full()).await.status, 201);
    assert_eq!(client.delete(&path).await.status, 200);
    assert_eq!(client.put(&second, json!({"externalId": "ND-7"})).await.status, 200);
}

#[tokio::test]
async fn groups_come_in_pages_the_newest_first() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for name in ["Alpha", "beta", "G\u{e4}mma"] {
        client.group(name).await;
        world.advance(Duration::from_secs(1));
    }
    client.created(GROUPS, json!({"name": "Delta", "description": "the g\u{c4}mma of night"})).await;
    assert_eq!(client.all(GROUPS, "name").await, ["Delta", "G\u{e4}mma", "beta", "Alpha"]);
    insta::assert_snapshot!(client.get(&format!("{GROUPS}?limit=3&page=2")).await);
    for (search, names) in [
        ("g%C3%A4MM", vec!["Delta", "G\u{e4}mma"]),
        ("a%CC%88mma", vec!["Delta", "G\u{e4}mma"]),
        ("of+NIGHT", vec!["Delta"]),
        ("of%20night", vec!["Delta"]),
        ("ta", vec!["Delta", "beta"]),
        ("%25", vec![]),
        ("_", vec![]),
        ("", vec!["Delta", "G\u{e4}mma", "beta", "Alpha"]),
    ] {
        assert_eq!(client.all(&format!("{GROUPS}?search={search}"), "name").await, names, "{search}");
    }
    let other = Client::of(&world, &world.tenant("Other", "olga@other.example").await).await;
    let organization = client.all(GROUPS, "organizationId").await.remove(0);
    let own = format!("{GROUPS}?organizationId={organization}");
    assert_eq!(client.get(&own).await.body["total"], 4);
    assert_eq!(
        other.get(&own).await.body,
        json!({"items": [], "total": 0, "page": 1, "limit": 20, "pages": 0})
    );
    let wrong = client.get(&format!("{GROUPS}?page=0&limit=101&organizationId=x")).await;
    assert_eq!((wrong.status.as_u16(), wrong.fields()), (400, vec!["organizationId", "page", "limit"]));
}

#[tokio::test]
async fn a_group_with_members_is_not_deleted() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(GROUPS, full()).await;
    let users = [client.user("ida@acme.example").await, client.user("eva@acme.example").await];
    for user in &users {
        assert_eq!(client.put(user, json!({"userGroupId": id(&path)})).await.status, 200);
    }
    insta::assert_snapshot!(client.delete(&path).await);
    // Who is deleted is no member, whether softly or for good.
    let token = world.admin().await;
    let found = world.get("/v3/users/list?email=ida").bearer(&token).send().await;
    let number = &found.body["data"]["users"][0]["ct_user_id"];
    assert_eq!(world.delete(&format!("/v3/users/{number}")).bearer(&token).send().await.status, 200);
    assert_eq!(client.delete(&path).await.status, 403);
    assert_eq!(client.delete(&users[1]).await.status, 200);
    world.advance(Duration::from_mins(1));
    insta::assert_snapshot!(client.delete(&path).await);
    for method in ["GET", "PUT", "DELETE"] {
        let reply = client.call(method, &path).send().await;
        let unknown = json!({"statusCode": 404, "message": "User group not found"});
        assert_eq!((reply.status.as_u16(), &reply.body), (404, &unknown), "{method}");
    }
}

#[tokio::test]
async fn a_write_can_be_bound_to_a_version() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.group("Night desk").await;
    let tag = client.get(&path).await.header("etag").to_owned();
    let seen = world.get(&path).header("if-none-match", &tag).signed(&client.key).send().await;
    assert_eq!(seen.status, 304);
    let put =
        |name: &str| world.put(&path, json!({ "name": name })).header("if-match", &tag).signed(&client.key);
    assert_eq!(put("Day desk").send().await.status, 200);
    let late = put("Dawn desk").send().await;
    assert_eq!((late.status.as_u16(), &late.body["message"]), (412, &json!("Precondition Failed")));
    let delete = world.delete(&path).header("if-match", &tag).signed(&client.key);
    assert_eq!(delete.send().await.status, 412);
    assert_eq!(client.get(&path).await.body["name"], "Day desk");
}

#[tokio::test]
async fn the_group_of_a_user_is_set_and_cleared() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (night, day) = (client.group("Night").await, client.group("Day").await);
    let body = json!({
        "firstName": "Ida", "lastName": "Moro", "email": "ida@acme.example", "userGroupId": id(&night).to_uppercase(),
        "avatar": " https://img.example.org/1.png "
    });
    let made = client.post("/api/v1/users", body).await;
    insta::assert_snapshot!(made);
    let path = format!("/api/v1/users/{}", made.body["id"].as_str().unwrap());
    let put = async |body: Value| client.put(&path, body).await;
    let of = async |user: &str| client.get(user).await.body["userGroupId"].clone();
    // The same again changes nothing.
    let journal = world.journal().await;
    assert_eq!(put(json!({"userGroupId": id(&night)})).await.header("etag"), made.header("etag"));
    assert_eq!(world.journal().await, journal);
    let moved = put(json!({"userGroupId": id(&day)})).await;
    assert_eq!(moved.body["userGroupId"], id(&day));
    assert_ne!(moved.header("etag"), made.header("etag"));
    // It left the former group.
    assert_eq!(client.delete(&night).await.status, 200);
    assert_eq!(put(json!({"lastName": "Rossi"})).await.body["userGroupId"], id(&day));
    let cleared = put(json!({"userGroupId": null, "avatar": null})).await;
    assert_eq!((&cleared.body["userGroupId"], &cleared.body["avatar"]), (&Value::Null, &Value::Null));
    assert_eq!(of(&path).await, Value::Null);
    let before = world.journal().await;
    for (field, value, message) in [
        ("userGroupId", json!(id(&night)), "must be an existing user group"),
        ("userGroupId", json!(NOTHING), "must be an existing user group"),
        ("userGroupId", json!("x"), "must be a valid UUID"),
        ("userGroupId", json!(""), "must be a valid UUID"),
        ("userGroupId", json!(7), "must be a valid UUID"),
        ("avatar", json!("http://img.example.org/1.png"), "must be an HTTPS URL"),
        ("avatar", json!("https://u:p@img.example.org/1.png"), "must be an HTTPS URL"),
        ("avatar", json!(""), "must be an HTTPS URL"),
        ("avatar", json!({}), "must be an HTTPS URL"),
    ] {
        let reply = put(json!({ field: value })).await;
        let told = (reply.status.as_u16(), &reply.body["errors"]);
        assert_eq!(told, (400, &failing(field, message)), "{field} {value}");
    }
    assert_eq!(world.journal().await, before);
}
