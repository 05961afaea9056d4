//! Many users and many members: what may be looked at for one request, and how much is answered.

use http::StatusCode;
use muster_domain::user::{Role, User, UserDocument, UserStore as _};
use muster_domain::{Batch, Change, IdKind, Store as _, UserId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::scim::{Client, GROUPS, USERS, id, refused};
use crate::support::World;

/// Adds users to the store, past SCIM, and gives their ids.
async fn crowd(world: &World, count: usize) -> Vec<Uuid> {
    crowd_of(world, count, None).await
}

/// With what was sent of each.
async fn crowd_of(world: &World, count: usize, document: Option<Box<UserDocument>>) -> Vec<Uuid> {
    let store = &world.directory().store;
    let ada = store.user(world.acme.tenant(), UserId(1)).await.unwrap().unwrap();
    let (mut batch, mut ids) = (Batch::new(world.acme.tenant()), Vec::new());
    for n in 0..count {
        let number = store.next_id(IdKind::User).await.unwrap();
        let uuid = Uuid::from_u128(u128::try_from(number).unwrap());
        let login = format!("crowd{n}");
        let (role, login_claimed, password_hash) = (Role::Standard, false, None);
        let user = User {
            id: UserId(number),
            uuid,
            login,
            role,
            login_claimed,
            password_hash,
            document: document.clone(),
            ..ada.clone()
        };
        batch = batch.change(Change::UserInsert(Box::new(user)));
        ids.push(uuid);
    }
    store.commit(batch).await.unwrap();
    ids
}

#[tokio::test]
async fn what_would_have_to_look_at_too_much_is_too_many() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let ids = crowd(&world, 10_000).await;
    for query in ["filter=title+pr", "sortBy=title", "filter=not+(title+pr)&count=0"] {
        assert_eq!(refused(&client.get(&format!("{USERS}?{query}")).await), (400, "tooMany"), "{query}");
    }
    let search = json!({"filter": "title eq \"x\" or displayName eq \"x\""});
    assert_eq!(refused(&client.post("/scim/v2/.search", search).await), (400, "tooMany"));
    // What the store can do alone, or narrows down, has no such bound; a page has.
    for (query, total, sent) in [
        ("filter=userName+sw+%22crowd%22&count=1000", 10_000, 200),
        ("count=200000", 10_001, 200),
        ("", 10_001, 100),
        ("startIndex=10001", 10_001, 1),
        ("sortBy=userName&count=1", 10_001, 1),
        ("filter=userName+sw+%22crowd99%22+and+not+(title+pr)", 111, 100),
    ] {
        let body = client.get(&format!("{USERS}?{query}")).await.body;
        assert_eq!((&body["totalResults"], &body["itemsPerPage"]), (&json!(total), &json!(sent)), "{query}");
        assert_eq!(body["Resources"].as_array().unwrap().len(), sent, "{query}");
    }
    // Members of groups are looked at likewise.
    let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    let group = client.created(GROUPS, json!({"displayName": "All", "members": members[..5000]})).await;
    client.created(GROUPS, json!({"displayName": "Most", "members": members[4000..9001]})).await;
    assert_eq!(client.select(GROUPS, "members.type eq \"User\"", "id").await, ["tooMany"]);
    let one = format!("members.value eq \"{}\"", ids[0]);
    assert_eq!(client.select(GROUPS, &one, "id").await, [id(&group)]);
    // A great group: 204 after a PATCH unless attributes are named, the whole after a PUT (RFC 7644, section 3.5.1).
    let add = json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": ids[9999]}]}]});
    let changed = client.send("PATCH", &group, add.clone()).await;
    assert_eq!((changed.status.as_u16(), &changed.body), (204, &Value::Null));
    let tag = client.get(&format!("{group}?excludedAttributes=members")).await;
    assert_eq!((tag.header("etag"), tag.body.get("members")), (changed.header("etag"), None));
    let named = client.send("PATCH", &format!("{group}?attributes=members"), add.clone()).await;
    assert_eq!((named.status.as_u16(), named.body["members"].as_array().unwrap().len()), (200, 5001));
    let excluded = client.send("PATCH", &format!("{group}?excludedAttributes=members"), add).await;
    assert_eq!(excluded.status, StatusCode::NO_CONTENT);
    let put = client.put(&group, json!({"displayName": "All", "members": members[..1500]})).await;
    assert_eq!((put.status.as_u16(), put.body["members"].as_array().map(Vec::len)), (200, Some(1500)));
}

#[tokio::test]
async fn a_list_of_great_groups_does_not_show_all_their_members() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let ids = crowd(&world, 5001).await;
    let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    for n in 0..20 {
        client.created(GROUPS, json!({"displayName": format!("G{n}"), "members": members[..5000]})).await;
    }
    let shown = client.get(GROUPS).await.body;
    assert_eq!(shown["Resources"][19]["members"].as_array().map(Vec::len), Some(5000));
    client.created(GROUPS, json!({"displayName": "One", "members": members[5000..]})).await;
    let search = json!({"filter": "displayName pr"});
    for path in [format!("{GROUPS}/.search"), "/scim/v2/.search".to_owned()] {
        assert_eq!(refused(&client.post(&path, search.clone()).await), (400, "tooMany"), "{path}");
    }
    assert_eq!(refused(&client.get(GROUPS).await), (400, "tooMany"));
    for query in ["excludedAttributes=members", "attributes=displayName", "count=20"] {
        assert_eq!(client.get(&format!("{GROUPS}?{query}")).await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn of_what_is_found_no_more_is_kept_than_64_mebibytes() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let sent = Map::from_iter([("title".to_owned(), Value::from("x".repeat(60_000)))]);
    let document = UserDocument { sent, columns: Map::new(), display_name: None, emails: None };
    crowd_of(&world, 1200, Some(document.into())).await;
    assert_eq!(refused(&client.get(&format!("{USERS}?filter=title+pr&count=1")).await), (400, "tooMany"));
    let narrow = client.get(&format!("{USERS}?filter=title+pr+and+userName+sw+%22crowd99%22&count=1")).await;
    assert_eq!(narrow.body["totalResults"], 11, "{}", narrow.status);
}
