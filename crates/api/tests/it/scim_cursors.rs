//! Pages by cursor (RFC 9865), in every order, while others write.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Value, json};

use crate::scim::{Client, GROUPS, USERS, refused};
use crate::support::{Reply, World};

/// Users and groups, some of which have no display name, or the same.
async fn populate(client: &Client<'_>) {
    for (n, display) in ["b", "A", "", "c", "B", "", "a"].into_iter().enumerate() {
        let mut user = json!({"userName": format!("u{}", 9 - n), "title": display});
        if !display.is_empty() {
            user["displayName"] = display.into();
        }
        client.created(USERS, user).await;
        client.world.advance(Duration::from_millis(u64::try_from(n).unwrap() % 2));
    }
    for name in ["B", "aa", "c", "Z"] {
        client.group(name, &[]).await;
    }
}

fn texts(reply: &Reply) -> Vec<String> {
    let resources = reply.body["Resources"].as_array().unwrap();
    resources.iter().map(|resource| resource["id"].as_str().unwrap().to_owned()).collect()
}

/// Goes through all pages of a search, between which `meanwhile` is done; what was seen, in order.
async fn walk(client: &Client<'_>, path: &str, body: &Value, meanwhile: impl AsyncFn(usize)) -> Vec<String> {
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let mut body = body.clone();
        body["cursor"] = cursor.into();
        body["count"] = 2.into();
        let page = client.post(&format!("{path}/.search"), body).await;
        assert_eq!(page.status, 200, "{page}");
        assert_eq!(page.body.get("startIndex"), None);
        let found = texts(&page);
        seen.extend(found.clone());
        let Some(next) = page.body["nextCursor"].as_str() else { return seen };
        assert_eq!(found.len(), 2, "{page}");
        cursor = next.to_owned();
        meanwhile(seen.len()).await;
    }
}

const ORDERS: [&str; 8] = [
    "",
    "userName",
    "DISPLAYNAME",
    "meta.lastModified",
    "meta.created",
    "title",
    "active",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
];

fn asked(by: &str, order: &str, filter: &str) -> Value {
    let mut body = json!({"sortOrder": order, "attributes": ["id"]});
    for (name, value) in [("sortBy", by), ("filter", filter)] {
        if !value.is_empty() {
            body[name] = value.into();
        }
    }
    body
}

#[tokio::test]
async fn pages_by_cursor_are_the_list_in_every_order() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    populate(&client).await;
    for path in [USERS, GROUPS, "/scim/v2"] {
        for (by, order) in ORDERS.into_iter().flat_map(|by| [(by, "ascending"), (by, "Descending")]) {
            // The second one is not the store's alone.
            for filter in ["", "not (meta.version eq \"x\")"] {
                let body = asked(by, order, filter);
                let whole = client.post(&format!("{path}/.search"), body.clone()).await;
                if path == GROUPS && ["userName", "title", "active", ORDERS[7]].contains(&by) {
                    assert_eq!(refused(&whole), (400, "invalidValue"));
                    continue;
                }
                let whole = texts(&whole);
                assert!(whole.len() >= 4);
                assert_eq!(walk(&client, path, &body, async |_| ()).await, whole, "{path} {body}");
            }
        }
    }
}

#[tokio::test]
async fn what_stays_is_met_once_while_others_write() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    populate(&client).await;
    for path in [USERS, GROUPS, "/scim/v2"] {
        for (by, order) in ORDERS.into_iter().flat_map(|by| [(by, "ascending"), (by, "descending")]) {
            if path == GROUPS && ["userName", "title", "active", ORDERS[7]].contains(&by) {
                continue;
            }
            let body = asked(by, order, "");
            let before = texts(&client.post(&format!("{path}/.search"), body.clone()).await);
            let made = RefCell::new(Vec::new());
            let write = async |n: usize| {
                let name = format!("{n}{}", client.world.journal().await.len());
                let user = client.created(USERS, json!({"userName": name, "displayName": name})).await;
                let group = client.group(&name, &[]).await;
                made.borrow_mut().extend([user, group]);
                let gone = made.borrow_mut().drain(..n % 3).collect::<Vec<_>>();
                for path in gone {
                    client.delete(&path).await;
                }
            };
            let mut seen = walk(&client, path, &body, write).await;
            let all = seen.len();
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), all, "none twice: {path} {body}");
            assert!(before.iter().all(|id| seen.contains(id)), "{path} {body}");
            for path in made.take() {
                client.delete(&path).await;
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_is_that_of_one_order() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    populate(&client).await;
    let next = async |query: &str| {
        let page = client.get(&format!("{USERS}?count=1&cursor&{query}")).await;
        page.body["nextCursor"].as_str().unwrap().to_owned()
    };
    let by_name = next("sortBy=userName").await;
    let page = async |path: &str, query: &str, cursor: &str| {
        client.get(&format!("{path}?count=1&{query}&cursor={cursor}")).await
    };
    assert_eq!(page(USERS, "sortBy=USERNAME&sortOrder=ascending", &by_name).await.status, 200);
    for query in ["", "sortBy=userName&sortOrder=descending", "sortBy=displayName", "sortBy=title"] {
        assert_eq!(refused(&page(USERS, query, &by_name).await), (400, "invalidCursor"), "{query}");
    }
    assert_eq!(refused(&page(GROUPS, "", &next("").await).await), (400, "invalidCursor"));
    // What was never given out.
    let forged = [
        ("sortBy=userName", json!(["+username", 0, 5, 5, "1"])),
        ("sortBy=userName", json!(["+username", 0, "a\0", 5, "1"])),
        ("sortBy=userName", json!(["+username", 0, "a", 5, "x"])),
        ("sortBy=userName", json!(["+username", 7, "a", 5, "1"])),
        ("sortBy=meta.created", json!(["+meta.created", 0, "a", 5, "1"])),
        ("", json!(["", 0, {}, 5, "1"])),
        ("", json!([])),
    ];
    for (query, parts) in forged {
        let cursor = base64(&parts.to_string());
        assert_eq!(refused(&page(USERS, query, &cursor).await), (400, "invalidCursor"), "{parts}");
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn a_sorted_search_of_both_kinds_shows_members() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let ann = client.user("ann").await;
    client.group("Team", &[&ann]).await;
    for more in [json!({}), json!({"sortBy": "displayName"}), json!({"sortBy": "displayName", "cursor": ""})]
    {
        let page = client.post("/scim/v2/.search", more).await;
        let resources = page.body["Resources"].as_array().unwrap();
        let team = resources.iter().find(|resource| resource["displayName"] == "Team").unwrap();
        assert_eq!(team["members"].as_array().map(Vec::len), Some(1), "{page}");
    }
}
