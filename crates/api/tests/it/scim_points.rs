//! The points of the contract where servers fail most, but for PATCH: `scim_patches`. What else holds of each stands in
//! `scim_users` and `scim_groups`.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::scim::{Client, GROUPS, NOTHING, USERS, id, names, refused};
use crate::support::World;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[tokio::test]
async fn discovery_is_only_read() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let one = format!("/scim/v2/Schemas/{CORE}");
    for path in [
        "/scim/v2/ServiceProviderConfig",
        "/scim/v2/Schemas",
        &one,
        "/scim/v2/ResourceTypes",
        "/scim/v2/ResourceTypes/User",
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let reply = client.send(method, path, json!({})).await;
            assert_eq!(refused(&reply), (405, ""), "{method} {path}");
            assert!(reply.header("allow").contains("GET"), "{reply}");
        }
    }
    for (method, path) in [("PUT", USERS), ("PATCH", GROUPS), ("DELETE", USERS), ("GET", "/scim/v2/.search")]
    {
        assert_eq!(refused(&client.send(method, path, json!({})).await), (405, ""), "{method} {path}");
    }
    for path in ["/scim/v2/users", "/scim/v2/Users/x/y", "/scim/v2/", "/scim/v2/Nothing"] {
        assert_eq!(refused(&client.get(path).await), (404, ""), "{path}");
    }
    for path in ["/scim/v2/Schemas?filter=", "/scim/v2/ResourceTypes?filter=name+eq+%22User%22"] {
        assert_eq!(refused(&client.get(path).await), (403, ""), "{path}");
    }
}

#[tokio::test]
async fn both_media_types_are_taken_with_and_without_charset() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let types = [
        "application/scim+json",
        "application/json",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/SCIM+JSON ; charset=\"utf-8\"",
    ];
    for (n, kind) in types.into_iter().enumerate() {
        let body = json!({"userName": format!("u{n}")}).to_string();
        let reply = client.call("POST", USERS).header("content-type", kind).raw(body).send().await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (StatusCode::CREATED, "application/scim+json"),
            "{kind}"
        );
        let path = format!("{USERS}/{}", reply.body["id"].as_str().unwrap());
        let operations = json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]}).to_string();
        let reply = client.call("PATCH", &path).header("content-type", kind).raw(operations).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{kind}");
        let search =
            client.call("POST", "/scim/v2/Users/.search").header("content-type", kind).raw("{}").send().await;
        assert_eq!((search.status, search.header("content-type")), (StatusCode::OK, "application/scim+json"));
    }
    for kind in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonp"] {
        let reply = client.call("POST", USERS).header("content-type", kind).raw("{}").send().await;
        assert_eq!(refused(&reply), (415, ""), "{kind}");
    }
}

#[tokio::test]
async fn what_is_read_only_is_passed_over_unless_it_is_named() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let meta = json!({"resourceType": "X", "created": "2001-01-01T00:00:00Z", "location": "x", "version": "W/\"9\""});
    let foreign = json!({"userName": "ann", "id": NOTHING, "meta": meta, "groups": [{"value": NOTHING}],
        ENTERPRISE: {"manager": {"value": "7", "displayName": "Boss"}}});
    let made = client.post(USERS, foreign.clone()).await;
    let path = format!("{USERS}/{}", made.body["id"].as_str().unwrap());
    assert_ne!(made.body["id"], NOTHING);
    assert_eq!(made.body[ENTERPRISE], json!({"manager": {"value": "7"}}));
    assert_eq!(made.body.get("groups"), None);
    assert_eq!(made.body["meta"]["resourceType"], "User");
    let put = client.put(&path, foreign.clone()).await;
    assert_eq!((&put.body, put.header("etag")), (&made.body, made.header("etag")));
    let mut value = foreign;
    value["title"] = "Chief".into();
    value["meta.version"] = "x".into();
    let patched = client.patch(&path, json!([{"op": "replace", "value": value}])).await;
    assert_eq!((patched.status.as_u16(), &patched.body["title"]), (200, &json!("Chief")), "{patched}");
    assert_eq!(patched.body["id"], made.body["id"]);
    let tag = patched.header("etag").to_owned();
    let manager = format!("{ENTERPRISE}:manager.displayName");
    for name in ["id", "meta", "meta.created", "META.Version", "groups", "groups.value", "schemas", &manager]
    {
        for op in ["add", "replace", "remove"] {
            let reply = client.patch(&path, json!([{"op": op, "path": name, "value": "x"}])).await;
            assert_eq!(refused(&reply), (400, "mutability"), "{op} {name}");
        }
    }
    assert_eq!(client.get(&path).await.header("etag"), tag);
}

#[tokio::test]
async fn times_and_versions_stay_until_something_changes() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let body = json!({"userName": "ann", "title": "x", "emails": [{"value": "a@x.org", "type": "work"}], "active": true});
    let user = client.created(USERS, body.clone()).await;
    let group = json!({"displayName": "Night", "externalId": "e", "members": [{"value": id(&user)}]});
    let group_path = client.created(GROUPS, group.clone()).await;
    world.advance(Duration::from_secs(9));
    for (path, body, operations) in [
        (
            &user,
            body,
            json!([
                {"op": "add", "path": "title", "value": "x"},
                {"op": "add", "path": "emails", "value": [{"value": "a@x.org"}]},
                {"op": "replace", "path": "active", "value": "TRUE"},
                {"op": "remove", "path": "emails[type eq \"home\"]"},
                {"op": "remove", "path": "nickName"},
            ]),
        ),
        (
            &group_path,
            group,
            json!([
                {"op": "add", "path": "members", "value": [{"value": id(&user)}]},
                {"op": "remove", "path": format!("members[value eq \"{NOTHING}\"]")},
                {"op": "replace", "path": "displayName", "value": " Night "},
            ]),
        ),
    ] {
        let before = client.get(path).await;
        assert_eq!(before.body["meta"]["lastModified"], before.body["meta"]["created"]);
        assert_eq!(before.body["meta"]["version"], before.header("etag"));
        assert!(before.header("etag").starts_with("W/\""));
        for reply in
            [client.put(path, body).await, client.patch(path, operations).await, client.get(path).await]
        {
            assert_eq!((reply.status.as_u16(), &reply.body), (200, &before.body), "{reply}");
            assert_eq!(reply.header("etag"), before.header("etag"));
        }
        let read = |name: &str, tag: &str| client.call("GET", path).header(name, tag).send();
        let same = read("if-none-match", before.header("etag")).await;
        assert_eq!((same.status.as_u16(), same.body), (304, Value::Null));
        let any = format!("W/\"x\", {}", before.header("etag"));
        assert_eq!(read("if-none-match", &any).await.status, 304);
        assert_eq!(read("if-none-match", "W/\"x\"").await.status, 200);
        let change = json!({"Operations": [{"op": "add", "value": {"displayName": "New"}}]});
        for method in ["PUT", "PATCH", "DELETE"] {
            let stale = client.call(method, path).header("if-match", "W/\"77\"").json(change.clone());
            assert_eq!(refused(&stale.send().await).0, if method == "PUT" { 400 } else { 412 }, "{method}");
        }
        let star = client.call("PATCH", path).header("if-match", "*").json(change).send().await;
        assert_eq!((star.status.as_u16(), &star.body["displayName"]), (200, &json!("New")));
        assert_ne!(star.header("etag"), before.header("etag"));
        assert_ne!(star.body["meta"]["lastModified"], star.body["meta"]["created"]);
        assert_eq!(star.body["meta"]["location"], before.body["meta"]["location"]);
    }
}

#[tokio::test]
async fn passwords_shorter_than_the_minimum_are_refused() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(USERS, json!({"userName": "ann", "password": "twelve chars"})).await;
    for password in ["", "eleven char"] {
        let body = json!({"userName": "bo", "password": password});
        assert_eq!(refused(&client.post(USERS, body.clone()).await), (400, "invalidValue"));
        assert_eq!(refused(&client.put(&path, body).await), (400, "invalidValue"));
        let patch = json!([{"op": "replace", "path": "password", "value": password}]);
        assert_eq!(refused(&client.patch(&path, patch).await), (400, "invalidValue"));
    }
    for query in ["", "?attributes=password", "?attributes=userName,password"] {
        let read = client.get(&format!("{path}{query}")).await;
        assert!(read.body.get("password").is_none() && !read.to_string().contains("twelve"), "{read}");
    }
    for filter in ["password pr", "password eq \"twelve chars\"", "not (password pr)"] {
        assert_eq!(client.select(USERS, filter, "id").await, ["invalidFilter"], "{filter}");
    }
    assert_eq!(refused(&client.get(&format!("{USERS}?sortBy=password")).await), (400, "invalidValue"));
    assert_eq!(
        refused(&client.patch(&path, json!([{"op": "remove", "path": "password"}])).await),
        (400, "mutability")
    );
    let journal = world.journal().await;
    assert!(journal.iter().all(|entry| !entry.payload.to_string().contains("twelve")));
}

#[tokio::test]
async fn attributes_are_chosen_everywhere() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let keys = |body: &Value| -> Vec<String> { body.as_object().unwrap().keys().cloned().collect() };
    let body = json!({"userName": "ann", "title": "x", "name": {"givenName": "A", "familyName": "L"}});
    let made = client.post(&format!("{USERS}?attributes=TITLE,name.givenName"), body.clone()).await;
    assert_eq!(keys(&made.body), ["schemas", "id", "title", "name"]);
    assert_eq!(made.body["name"], json!({"givenName": "A"}));
    assert!(
        made.header("location").ends_with(made.body["id"].as_str().unwrap())
            && !made.header("etag").is_empty()
    );
    let user = format!("{USERS}/{}", made.body["id"].as_str().unwrap());
    let group = client.group("Night", &[&user]).await;
    for (path, body) in
        [(&user, body), (&group, json!({"displayName": "Night", "members": [{"value": id(&user)}]}))]
    {
        let operations = json!({"Operations": [{"op": "add", "value": {"externalId": "e"}}]});
        for (method, body) in [("PUT", body), ("PATCH", operations), ("GET", Value::Null)] {
            let send =
                async |query: &str| client.send(method, &format!("{path}?{query}"), body.clone()).await;
            let only = send(&format!("attributes={CORE}:userName,displayName")).await;
            let name = if path == &user { "userName" } else { "displayName" };
            assert_eq!(keys(&only.body), ["schemas", "id", name], "{method}: {only}");
            let without = send("excludedAttributes=id,schemas,meta,members,name,title,groups").await;
            let mut left = keys(&without.body);
            left.retain(|name| name != "externalId");
            left.sort();
            assert_eq!(
                left,
                {
                    let mut all = vec!["schemas", "id", name];
                    all.sort_unstable();
                    all
                },
                "{method}: {without}"
            );
            let both = send("attributes=id&excludedAttributes=meta").await;
            assert_eq!(refused(&both), (400, "invalidValue"), "{method}");
        }
    }
    let count = client.get(&format!("{USERS}?count=0")).await.body["totalResults"].clone();
    let both = client
        .post(&format!("{USERS}?attributes=id&excludedAttributes=meta"), json!({"userName": "bo"}))
        .await;
    assert_eq!(refused(&both), (400, "invalidValue"));
    assert_eq!(client.get(&format!("{USERS}?count=0")).await.body["totalResults"], count, "nobody was made");
    for path in ["/scim/v2/.search", "/scim/v2/Users/.search"] {
        let both = json!({"attributes": ["id"], "excludedAttributes": ["meta"]});
        assert_eq!(refused(&client.post(path, both).await), (400, "invalidValue"));
    }
}

#[tokio::test]
async fn filters_have_the_whole_grammar() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let ann = json!({"userName": "Ann", "externalId": "E", "title": "Chief", "active": false,
        "emails": [{"value": "ann@x.org", "type": "work"}, {"value": "Home@x.org", "type": "home"}],
        "x509Certificates": [{"value": "QUJD"}], "profileUrl": "https://x.org/Ann",
        ENTERPRISE: {"department": "Sales", "manager": {"value": "M1"}}});
    client.created(USERS, ann).await;
    world.advance(Duration::from_secs(1));
    client.created(USERS, json!({"userName": "bo", "externalId": "e"})).await;
    let nobody: [&str; 0] = [];
    for (filter, expected) in [
        ("USERNAME EQ \"ANN\"", &["Ann"][..]),
        ("externalId eq \"E\"", &["Ann"]),
        ("externalId eq \"e\"", &["bo"]),
        ("externalId sw \"E\" or externalId ew \"E\" or externalId co \"E\"", &["Ann"]),
        ("profileUrl eq \"https://x.org/ann\"", &nobody),
        ("profileUrl co \"Ann\"", &["Ann"]),
        ("title ne \"chief\" and userName ne \"ada@acme.example\"", &["bo"]),
        ("title pr", &["Ann"]),
        ("not(title pr)and userName sw \"B\"", &["bo"]),
        ("userName eq \"bo\" or userName eq \"ann\" and title eq \"x\"", &["bo"]),
        ("(userName eq \"bo\" or userName eq \"ann\") and title eq \"chief\"", &["Ann"]),
        ("emails[type eq \"work\" and value sw \"ann\"]", &["Ann"]),
        ("emails[type eq \"home\" and value sw \"ann\"]", &nobody),
        ("emails co \"HOME\"", &["Ann"]),
        ("emails.type eq \"HOME\"", &["Ann"]),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"bo\"", &["bo"]),
        ("URN:ietf:params:scim:schemas:core:2.0:user:emails[value sw \"ANN\"]", &["Ann"]),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"sales\"", &["Ann"]),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"M1\"", &["Ann"]),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"m1\"", &nobody),
        ("active eq \"False\"", &["Ann"]),
        ("active eq FALSE or active eq false", &["Ann"]),
        ("x509Certificates.value eq \"QUJD\"", &["Ann"]),
        ("x509Certificates.value eq \"qujd\"", &nobody),
        ("x509Certificates.value gt \"A\"", &["invalidFilter"]),
        ("active gt false", &["invalidFilter"]),
        ("active co \"a\"", &["invalidFilter"]),
        ("title gt 5", &["invalidFilter"]),
        ("title eq null and userName eq \"bo\"", &["bo"]),
        ("title gt null", &["invalidFilter"]),
        ("meta.created gt \"2026-02-03T04:05:07Z\"", &["bo"]),
        ("meta.created gt \"yesterday\"", &["invalidFilter"]),
        ("title xx \"a\"", &["invalidFilter"]),
        ("nothing eq \"a\"", &["invalidFilter"]),
        ("urn:x:y:title eq \"a\"", &["invalidFilter"]),
        ("manager eq \"M1\"", &["invalidFilter"]),
        ("title[value eq \"a\"]", &["invalidFilter"]),
        ("emails[nothing eq \"a\"]", &["invalidFilter"]),
    ] {
        assert_eq!(client.select(USERS, filter, "userName").await, expected, "{filter}");
    }
}

#[tokio::test]
async fn orders_know_case_and_what_is_missing() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for (name, title, external) in [
        ("d", None, Some("b")),
        ("a", Some("B"), Some("A")),
        ("C", Some("a"), None),
        ("b", Some("c"), Some("B")),
    ] {
        let mut body = json!({"userName": name});
        body["title"] = title.into();
        body["externalId"] = external.into();
        body["displayName"] = title.into();
        client.created(USERS, body).await;
        world.advance(Duration::from_secs(1));
    }
    let sorted = async |query: &str| {
        let found = names(
            &client.get(&format!("{USERS}?filter=userName+ne+%22ada@acme.example%22&{query}")).await,
            "userName",
        );
        found.concat()
    };
    for (query, expected) in [
        ("sortBy=userName", "abCd"),
        ("sortBy=USERNAME&sortOrder=DESCENDING", "dCba"),
        ("sortBy=title", "Cabd"),
        ("sortBy=title&sortOrder=ascending", "Cabd"),
        ("sortBy=title&sortOrder=descending", "dbaC"),
        ("sortBy=displayName", "Cabd"),
        ("sortBy=displayName&sortOrder=descending", "dbaC"),
        ("sortBy=externalId", "abdC"),
        ("sortBy=meta.created&sortOrder=descending", "bCad"),
        ("sortBy=meta.lastModified", "daCb"),
        ("sortOrder=descending", "daCb"),
        ("sortBy=title&startIndex=2&count=2", "ab"),
        ("startIndex=0&count=1", "d"),
        ("startIndex=3", "Cb"),
    ] {
        assert_eq!(sorted(query).await, expected, "{query}");
    }
    for query in ["sortBy=nothing", "sortBy=userName&sortOrder=up", "sortBy=groups.$"] {
        assert_eq!(refused(&client.get(&format!("{USERS}?{query}")).await), (400, "invalidValue"), "{query}");
    }
}
