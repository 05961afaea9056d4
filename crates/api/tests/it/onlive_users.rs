//! Reading users over the Onlive dialect.

use muster_domain::user::{Role, UserStore as _};
use serde_json::{Value, json};

use crate::onlive::{Client, NOTHING, USERS, id};
use crate::support::World;

/// Acme with some users, all made at the same time: the greatest id counts as the newest.
async fn crowd() -> World {
    let world = World::new().await;
    for (login, role) in [("bo", Role::Standard), ("cem", Role::ReadOnly), ("dina", Role::Admin)] {
        world.user(&format!("{login}@acme.example"), role, 1001).await;
    }
    world
}

#[tokio::test]
async fn users_come_in_pages_the_newest_first() {
    let world = crowd().await;
    let client = Client::new(&world).await;
    insta::assert_snapshot!(client.get("/api/v1/users?limit=2").await);
    let all = ["dina@acme.example", "cem@acme.example", "bo@acme.example", "ada@acme.example"];
    assert_eq!(client.all(USERS, "email").await, all);
    assert_eq!(client.all("/api/v1/users?limit=3&page=2", "email").await, all[3..]);
    insta::assert_snapshot!(client.get("/api/v1/users?limit=3&page=3").await);
    assert_eq!(client.get("/api/v1/users?page=9223372036854775807&limit=100").await.body["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_page_is_refused() {
    let world = crowd().await;
    let client = Client::new(&world).await;
    insta::assert_snapshot!(client.get("/api/v1/users?page=0&limit=101&organizationId=x").await);
    for (query, field) in [
        ("?page=-1", "page"),
        ("?page=one", "page"),
        ("?page=", "page"),
        ("?page=1.0", "page"),
        ("?page=99999999999999999999", "page"),
        ("?limit=0", "limit"),
        ("?limit=x", "limit"),
        ("?limit", "limit"),
        ("?search=a%00b", "search"),
        ("?organizationId=", "organizationId"),
    ] {
        let reply = client.get(&format!("{USERS}{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]), "{query}: {reply}");
    }
}

#[tokio::test]
async fn users_are_searched_for() {
    let world = crowd().await;
    let client = Client::new(&world).await;
    let body = json!({"firstName": "Zo\u{eb}", "lastName": "Night Desk", "email": "zoe@acme.example"});
    assert_eq!(client.post(USERS, body).await.status, 201);
    for search in ["night+desk", "NIGHT%20d", "zo%C3%8B", "e%CC%88+night"] {
        assert_eq!(
            client.all(&format!("{USERS}?search={search}"), "email").await,
            ["zoe@acme.example"],
            "{search}"
        );
    }
    assert_eq!(client.all("/api/v1/users?search=%25", "email").await, Vec::<String>::new());
    assert_eq!(client.get("/api/v1/users?search=ada+lee").await.body["total"], 4);
    assert_eq!(client.get("/api/v1/users?search=").await.body["total"], 5);
}

#[tokio::test]
async fn a_list_of_another_organization_is_empty() {
    let world = crowd().await;
    let client = Client::new(&world).await;
    let other = world.tenant("Other", "olga@other.example").await;
    let other = Client::of(&world, &other).await;
    let own = client.all(USERS, "organizationId").await.remove(0);
    let others = other.all(USERS, "organizationId").await.remove(0);
    assert_ne!(own, others);
    assert_eq!(client.get(&format!("{USERS}?organizationId={own}")).await.body["total"], 4);
    insta::assert_snapshot!(client.get(&format!("{USERS}?organizationId={others}&page=2")).await);
}

#[tokio::test]
async fn one_user_is_one_user_in_every_dialect() {
    let world = crowd().await;
    let client = Client::new(&world).await;
    let token = world.admin().await;
    let bo = world.directory().store.user_by_claim("bo@acme.example").await.unwrap().unwrap();
    let get = async || client.get(&format!("{USERS}/{}", bo.uuid)).await;
    insta::assert_snapshot!(get().await);
    let path = format!("/v3/users/{}", bo.id);
    let patch = json!({"last_name": "Ek", "role": "Admin"});
    assert_eq!(world.patch(&path, patch).bearer(&token).send().await.status, 200);
    let changed = get().await.body;
    assert_eq!((&changed["fullName"], &changed["role"]), (&json!("Ada Ek"), &json!("admin")));
    // What is deleted there can be read there, but not here.
    assert_eq!(world.delete(&path).bearer(&token).send().await.status, 200);
    assert_eq!(get().await.status, 404);
    assert_eq!(client.get(USERS).await.body["total"], 3);
}

#[tokio::test]
async fn users_of_a_group_are_listed() {
    let world = crowd().await;
    let client = Client::new(&world).await;
    let (night, day) = (client.group("Night").await, client.group("Day").await);
    for (email, group) in
        [("bo@acme.example", &night), ("cem@acme.example", &night), ("dina@acme.example", &day)]
    {
        let path = client.path_of(email).await;
        assert_eq!(client.put(&path, json!({"userGroupId": id(group)})).await.status, 200);
    }
    let of = |group: &str| format!("{USERS}?userGroupId={}", id(group));
    assert_eq!(client.all(&of(&night), "email").await, ["cem@acme.example", "bo@acme.example"]);
    assert_eq!(client.all(&format!("{}&search=bo", of(&night)), "email").await, ["bo@acme.example"]);
    let page = client.get(&format!("{}&limit=1&page=2", of(&night))).await;
    assert_eq!(
        (&page.body["total"], &page.body["items"][0]["email"]),
        (&json!(2), &json!("bo@acme.example"))
    );
    assert_eq!(client.get(&format!("{USERS}?userGroupId={NOTHING}")).await.body["total"], 0);
    assert_eq!(client.get(&format!("{USERS}?userGroupId=7")).await.fields(), ["userGroupId"]);
    // Also by a part of the address, which no name has.
    assert_eq!(client.all("/api/v1/users?search=NA%40acme", "email").await, ["dina@acme.example"]);
}

#[tokio::test]
async fn a_version_is_read_once() {
    let world = crowd().await;
    let client = Client::new(&world).await;
    let id: Value = client.get(USERS).await.body["items"][0]["id"].clone();
    let path = format!("/api/v1/users/{}", id.as_str().unwrap());
    let reply = client.get(&path).await;
    let call = world.get(&path).header("if-none-match", reply.header("etag")).signed(&client.key);
    insta::assert_snapshot!(call.send().await);
}
