//! What no honest client sends: every answer is one of the dialect, none a 500, and nothing is half done.

use http::StatusCode;
use serde_json::{Value, json};

use crate::scim::{Client, GROUPS, NOTHING, USERS, id, refused};
use crate::support::{Reply, World};

/// A query with a filter.
fn filtered(filter: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("filter", filter).finish()
}

/// A body as it stands.
async fn raw(client: &Client<'_>, method: &str, path: &str, body: impl Into<axum::body::Body>) -> Reply {
    client.call(method, path).header("content-type", "application/scim+json").raw(body).send().await
}

#[tokio::test]
async fn a_nul_is_refused_wherever_a_text_is_kept_or_looked_for() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (user, group) = (client.user("ann").await, client.group("Night", &[]).await);
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for (name, value) in [
        ("userName", json!("a\0b")),
        ("displayName", json!("\0")),
        ("externalId", json!("\0")),
        ("title", json!("a\0")),
        ("timezone", json!("\0")),
        ("password", json!("long enough\0 password")),
        ("name", json!({"givenName": "\0"})),
        ("emails", json!([{"value": "a\0@x.org"}])),
        ("emails", json!([{"value": "a@x.org", "type": "\0"}])),
        ("roles", json!(["\0"])),
        (enterprise, json!({"department": "\0"})),
        (enterprise, json!({"manager": "\0"})),
    ] {
        let mut body = json!({"userName": "bo"});
        body[name] = value.clone();
        assert_eq!(refused(&client.post(USERS, body.clone()).await), (400, "invalidValue"), "{name}");
        assert_eq!(refused(&client.put(&user, body).await), (400, "invalidValue"), "{name}");
        let patch = client.patch(&user, json!([{"op": "add", "path": name, "value": value}])).await;
        assert_eq!(refused(&patch), (400, "invalidValue"), "{name}");
    }
    for (name, value) in
        [("displayName", json!("\0")), ("externalId", json!("a\0")), ("members", json!(["\0"]))]
    {
        let mut body = json!({"displayName": "Day"});
        body[name] = value;
        assert_eq!(refused(&client.post(GROUPS, body.clone()).await), (400, "invalidValue"), "{name}");
        assert_eq!(refused(&client.put(&group, body).await), (400, "invalidValue"), "{name}");
    }
    // Where nothing is kept of it, nothing is wrong with it.
    assert_eq!(client.put(&user, json!({"userName": "ann", "x\0": "\0", "id": "\0"})).await.status, 200);
    for name in [
        "userName",
        "displayName",
        "externalId",
        "id",
        "emails.value",
        "emails",
        "title",
        "members",
        "groups.display",
    ] {
        for operator in ["eq", "ne", "co", "sw", "ew", "gt", "le"] {
            for text in ["\\u0000", "a\\u0000b"] {
                let filter = format!("{name} {operator} \"{text}\"");
                for collection in [USERS, GROUPS] {
                    let reply = client.get(&format!("{collection}?{}", filtered(&filter))).await;
                    assert_eq!(refused(&reply), (400, "invalidFilter"), "{filter}");
                }
                let search = client.post("/scim/v2/.search", json!({ "filter": filter })).await;
                assert_eq!(refused(&search), (400, "invalidFilter"), "{filter}");
            }
        }
    }
    let path = json!([{"op": "remove", "path": "emails[value eq \"\\u0000\"]"}]);
    assert_eq!(refused(&client.patch(&user, path).await), (400, "invalidFilter"));
    let member = json!([{"op": "remove", "path": "members[value eq \"\\u0000\"]"}]);
    assert_eq!(client.patch(&group, member).await.status, 200, "nobody has such an id");
    for path in [format!("{USERS}/%00"), format!("{GROUPS}/%00"), "/scim/v2/Schemas/%00".to_owned()] {
        assert_eq!(refused(&client.get(&path).await), (404, ""), "{path}");
    }
    for query in ["filter=userName+eq+%22%00%22", "filter=%00"] {
        assert_eq!(refused(&client.get(&format!("{USERS}?{query}")).await), (400, "invalidFilter"));
    }
    assert_eq!(refused(&client.get(&format!("{USERS}?sortBy=%00")).await), (400, "invalidValue"));
    assert_eq!(refused(&client.get(&format!("{USERS}?cursor=%00")).await), (400, "invalidCursor"));
    assert_eq!(client.get(&format!("{USERS}?attributes=%00&startIndex=1")).await.status, 200);
}

#[tokio::test]
async fn what_is_no_text_is_no_json() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let (user, group) = (client.user("ann").await, client.group("Night", &[]).await);
    let before = (client.get(&user).await.body, client.get(&group).await.body);
    let deep = format!("{{\"userName\": \"x\", \"x\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let bodies: Vec<Vec<u8>> = vec![
        br#"{"userName": "\ud800"}"#.to_vec(),
        br#"{"userName": "\udc00\ud800"}"#.to_vec(),
        b"{\"userName\": \"\xff\xfe\"}".to_vec(),
        b"{\"userName\": \"\xc0\x80\"}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"{\"userName\": \"a\nb\"}".to_vec(),
        br#"{"userName": 1e999}"#.to_vec(),
        br#"{"userName": NaN}"#.to_vec(),
        br#"{"userName": "a"} {}"#.to_vec(),
        br#"{"userName": "a",}"#.to_vec(),
        br#""userName""#.to_vec(),
        b"null".to_vec(),
        b"".to_vec(),
        deep.into_bytes(),
    ];
    for body in bodies {
        for (method, path) in [
            ("POST", USERS),
            ("POST", GROUPS),
            ("PUT", &*user),
            ("PUT", &*group),
            ("PATCH", &*user),
            ("PATCH", &*group),
            ("POST", "/scim/v2/.search"),
            ("POST", "/scim/v2/Users/.search"),
        ] {
            let reply = raw(&client, method, path, body.clone()).await;
            let text = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            assert_eq!(refused(&reply), (400, "invalidSyntax"), "{method} {path} {text}");
        }
    }
    assert_eq!((client.get(&user).await.body, client.get(&group).await.body), before);
    // A surrogate, or bytes that are no UTF-8, in a filter.
    for query in ["filter=userName+eq+%22%5Cud800%22", "filter=userName+eq+%ff", "filter=%c3%28"] {
        assert_eq!(
            refused(&client.get(&format!("{USERS}?{query}")).await),
            (400, "invalidFilter"),
            "{query}"
        );
    }
    let reply = client.get(&format!("{USERS}?filter=userName+eq+%22%ff%fe%22")).await;
    assert_eq!((reply.status, &reply.body["totalResults"]), (StatusCode::OK, &json!(0)));
}

#[tokio::test]
async fn of_a_name_that_stands_twice_the_last_counts() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let body = r#"{"userName": "first", "userName": "second", "title": "x", "TITLE": "y", "active": false, "active": true}"#;
    let reply = raw(&client, "POST", USERS, body).await;
    assert_eq!(
        [&reply.body["userName"], &reply.body["title"], &reply.body["active"]],
        [&json!("second"), &json!("y"), &json!(true)]
    );
    let path = format!("{USERS}/{}", reply.body["id"].as_str().unwrap());
    let patch =
        r#"{"operations": [], "Operations": [{"op": "remove", "OP": "add", "path": "title", "value": "z"}]}"#;
    assert_eq!(raw(&client, "PATCH", &path, patch).await.body["title"], "z");
}

#[tokio::test]
async fn numbers_have_no_end() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let list = async |query: &str| client.get(&format!("{USERS}?{query}")).await;
    for number in [
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999",
        "1e3",
        "1.5",
        "0x10",
        "٣",
    ] {
        for name in ["count", "startIndex"] {
            assert_eq!(
                refused(&list(&format!("{name}={number}")).await),
                (400, "invalidValue"),
                "{name}={number}"
            );
        }
    }
    for query in [
        "startIndex=9223372036854775807",
        "startIndex=9223372036854775807&count=9223372036854775807",
        "startIndex=9223372036854775807&filter=title+pr+or+userName+pr",
    ] {
        let reply = list(query).await;
        let body = (&reply.body["totalResults"], &reply.body["itemsPerPage"], &reply.body["startIndex"]);
        assert_eq!(body, (&json!(1), &json!(0), &json!(i64::MAX)), "{query}: {reply}");
    }
    let least = list("startIndex=-9223372036854775808&count=-9223372036854775808").await;
    assert_eq!((&least.body["startIndex"], &least.body["itemsPerPage"]), (&json!(1), &json!(0)));
    for (body, status) in [
        (r#"{"count": 18446744073709551615}"#, 400),
        (r#"{"count": 1e30}"#, 400),
        (r#"{"startIndex": 123456789012345678901234567890}"#, 400),
        (r#"{"startIndex": 9223372036854775807, "count": 9223372036854775807}"#, 200),
    ] {
        let reply = raw(&client, "POST", "/scim/v2/.search", body).await;
        assert_eq!(reply.status, status, "{body}: {reply}");
    }
    for body in [
        r#"{"userName": 123456789012345678901234567890}"#,
        r#"{"userName": "x", "active": 18446744073709551616}"#,
        r#"{"userName": "x", "emails": [{"value": 1e300}]}"#,
    ] {
        assert_eq!(refused(&raw(&client, "POST", USERS, body).await), (400, "invalidValue"), "{body}");
    }
    assert_eq!(raw(&client, "POST", USERS, r#"{"userName": "x", "level": 1e300}"#).await.status, 201);
    for filter in ["userName eq 1e999", "userName eq 123456789012345678901234567890", "active eq 1"] {
        assert_eq!(client.select(USERS, filter, "id").await, ["invalidFilter"], "{filter}");
    }
}

#[tokio::test]
async fn filters_are_bounded() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.user("ann").await;
    let joined = |count: usize, word: &str| vec!["userName eq \"a\""; count].join(word);
    let nested = |levels: usize| format!("{}userName pr{}", "not (".repeat(levels), ")".repeat(levels));
    for wrong in [
        joined(201, " or "),
        joined(201, " and "),
        nested(33),
        "(".repeat(4000),
        nested(1500),
        format!("userName eq \"{}\"", "x".repeat(9000)),
        "emails[".repeat(1000),
        "[[[".to_owned(),
        "userName eq \"".to_owned(),
    ] {
        let reply = client.post("/scim/v2/Users/.search", json!({ "filter": wrong })).await;
        assert_eq!(refused(&reply), (400, "invalidFilter"), "{}", &wrong[..40.min(wrong.len())]);
        let patch = json!([{"op": "remove", "path": format!("emails[{wrong}]")}]);
        let reply = client.patch(&path, patch).await;
        assert!(matches!(refused(&reply), (400, "invalidFilter" | "invalidPath")), "{reply}");
    }
    for right in [joined(200, " or "), nested(30)] {
        let reply = client.post("/scim/v2/.search", json!({ "filter": right })).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply}");
    }
    assert_eq!(client.get(&path).await.body["userName"], "ann");
}

#[tokio::test]
async fn resources_are_bounded_and_kept_up_to_that() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    // 64 KiB in all, in texts of any kind, and a thousand values.
    let photos: Vec<Value> = (0..1000).map(|n| json!({"value": format!("https://x.org/{n}")})).collect();
    let body = json!({"userName": "great", "photos": photos, "title": "\u{1f600}".repeat(6000)});
    let path = client.created(USERS, body.clone()).await;
    let read = client.get(&path).await.body;
    assert_eq!((&read["photos"], &read["title"]), (&body["photos"], &body["title"]));
    let add = json!([{"op": "add", "path": "photos", "value": [{"value": "one more"}]}]);
    assert_eq!(refused(&client.patch(&path, add).await), (400, "invalidValue"));
    let long =
        client.patch(&path, json!([{"op": "add", "path": "nickName", "value": "x".repeat(40_000)}])).await;
    assert_eq!(refused(&long), (400, "invalidValue"));
    assert_eq!(client.get(&path).await.body, read);
    let emails: Vec<Value> = (0..1000).map(|n| json!({"value": format!("a{n}@x.org")})).collect();
    let path = client.created(USERS, json!({"userName": "many", "emails": emails})).await;
    assert_eq!(client.select(USERS, "emails.value eq \"A999@X.ORG\"", "id").await, [id(&path)]);
    assert_eq!(client.delete(&path).await.status, 204);
    // Members are bounded by the body alone; a body by 1 MiB.
    let members: Vec<Value> = (0..2000).map(|_| json!({ "value": NOTHING })).collect();
    let unknown = client.post(GROUPS, json!({"displayName": "G", "members": members})).await;
    assert_eq!(refused(&unknown), (400, "invalidValue"));
    let huge = raw(&client, "POST", USERS, format!("{{\"userName\": \"{}\"}}", "x".repeat(1 << 20))).await;
    assert_eq!(refused(&huge), (413, "tooLarge"));
}

#[tokio::test]
async fn long_names_fit_into_every_index() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    // Letters that take the most bytes, or become several when case is folded.
    for letter in ["\u{1f600}", "\u{fb03}", "\u{1fb7}", "\u{390}", "\u{130}", "\u{e000}"] {
        let text = letter.repeat(255);
        let body =
            json!({"userName": text, "displayName": text, "externalId": text, "emails": [{"value": text}]});
        let path = client.created(USERS, body).await;
        for name in ["userName", "displayName", "externalId", "emails.value"] {
            let filter = format!("{name} eq {}", Value::from(text.as_str()));
            assert_eq!(client.select(USERS, &filter, "id").await, [id(&path)], "{letter} {name}");
        }
        let again = client.post(USERS, json!({"userName": text})).await;
        assert_eq!(refused(&again), (409, "uniqueness"));
        let group = json!({"displayName": text, "externalId": text});
        let group = client.created(GROUPS, group).await;
        let filter = format!("displayName eq {}", Value::from(text.as_str()));
        assert_eq!(client.select(GROUPS, &filter, "id").await, [id(&group)]);
        for name in ["userName", "displayName", "externalId"] {
            let mut body = json!({"userName": "x"});
            body[name] = letter.repeat(256).into();
            assert_eq!(refused(&client.post(USERS, body).await), (400, "invalidValue"), "{letter} {name}");
        }
    }
}

#[tokio::test]
async fn a_value_is_not_multiplied_over_the_elements_of_a_list() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let emails: Vec<String> = (0..1000).map(|n| format!("u{n}@x.org")).collect();
    let user = client.created(USERS, json!({"userName": "ann", "emails": emails})).await;
    let before = client.get(&user).await.body;
    let set = |length: usize| json!({"op": "replace", "path": "emails.display", "value": "x".repeat(length)});
    for length in [1_000_000, 60_000, 100] {
        // Nothing so large is made, also if what comes after would make it small again.
        let reply = client.patch(&user, json!([set(length), {"op": "remove", "path": "emails"}])).await;
        assert_eq!(refused(&reply), (400, "invalidValue"), "{length}");
    }
    assert_eq!(client.get(&user).await.body, before);
    assert_eq!(client.patch(&user, json!([set(1)])).await.status, 200);
}
