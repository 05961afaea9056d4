//! Reading users over the Onlive dialect.

use muster_domain::user::{Role, UserStore as _};
use serde_json::{Value, json};

use crate::signing::AccessKey;
use crate::support::{Reply, World};

async fn list(world: &World, key: &AccessKey, query: &str) -> Reply {
    world.get(&format!("/api/v1/users{query}")).signed(key).send().await
}

/// The addresses on a page that must be there.
async fn emails(world: &World, key: &AccessKey, query: &str) -> Vec<String> {
    let reply = list(world, key, query).await;
    assert_eq!(reply.status, 200, "{query}: {reply}");
    let items = reply.body["items"].as_array().unwrap();
    items.iter().map(|item| item["email"].as_str().unwrap().to_owned()).collect()
}

/// Acme with some users, all made at the same time: the greatest id counts as the newest.
async fn crowd() -> (World, AccessKey) {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    for (login, role) in [("bo", Role::Standard), ("cem", Role::ReadOnly), ("dina", Role::Admin)] {
        world.user(&format!("{login}@acme.example"), role, 1001).await;
    }
    (world, key)
}

#[tokio::test]
async fn users_come_in_pages_the_newest_first() {
    let (world, key) = crowd().await;
    insta::assert_snapshot!(list(&world, &key, "?limit=2").await);
    let all = ["dina@acme.example", "cem@acme.example", "bo@acme.example", "ada@acme.example"];
    assert_eq!(emails(&world, &key, "").await, all);
    assert_eq!(emails(&world, &key, "?limit=3&page=2").await, all[3..]);
    insta::assert_snapshot!(list(&world, &key, "?limit=3&page=3").await);
    assert_eq!(list(&world, &key, "?page=9223372036854775807&limit=100").await.body["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_page_is_refused() {
    let (world, key) = crowd().await;
    insta::assert_snapshot!(list(&world, &key, "?page=0&limit=101&organizationId=x").await);
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
        let reply = list(&world, &key, query).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]), "{query}: {reply}");
    }
}

#[tokio::test]
async fn users_are_searched_for() {
    let (world, key) = crowd().await;
    let body = json!({"firstName": "Zo\u{eb}", "lastName": "Night Desk", "email": "zoe@acme.example"});
    assert_eq!(world.post("/api/v1/users", body).signed(&key).send().await.status, 201);
    for search in ["night+desk", "NIGHT%20d", "zo%C3%8B", "e%CC%88+night"] {
        assert_eq!(
            emails(&world, &key, &format!("?search={search}")).await,
            ["zoe@acme.example"],
            "{search}"
        );
    }
    assert_eq!(emails(&world, &key, "?search=%25").await, Vec::<String>::new());
    assert_eq!(list(&world, &key, "?search=ada+lee").await.body["total"], 4);
    assert_eq!(list(&world, &key, "?search=").await.body["total"], 5);
}

#[tokio::test]
async fn a_list_of_another_organization_is_empty() {
    let (world, key) = crowd().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let foreign = world.access_key(&other).await;
    let organization = async |key: &AccessKey| {
        list(&world, key, "").await.body["items"][0]["organizationId"].as_str().unwrap().to_owned()
    };
    let (own, others) = (organization(&key).await, organization(&foreign).await);
    assert_ne!(own, others);
    assert_eq!(list(&world, &key, &format!("?organizationId={own}")).await.body["total"], 4);
    insta::assert_snapshot!(list(&world, &key, &format!("?organizationId={others}&page=2")).await);
}

#[tokio::test]
async fn one_user_is_one_user_in_every_dialect() {
    let (world, key) = crowd().await;
    let token = world.admin().await;
    let bo = world.directory().store.user_by_claim("bo@acme.example").await.unwrap().unwrap();
    let get = async || world.get(&format!("/api/v1/users/{}", bo.uuid)).signed(&key).send().await;
    insta::assert_snapshot!(get().await);
    let path = format!("/v3/users/{}", bo.id);
    let patch = json!({"last_name": "Ek", "role": "Admin"});
    assert_eq!(world.patch(&path, patch).bearer(&token).send().await.status, 200);
    let changed = get().await.body;
    assert_eq!((&changed["fullName"], &changed["role"]), (&json!("Ada Ek"), &json!("admin")));
    // What is deleted there can be read there, but not here.
    assert_eq!(world.delete(&path).bearer(&token).send().await.status, 200);
    assert_eq!(get().await.status, 404);
    assert_eq!(list(&world, &key, "").await.body["total"], 3);
}

#[tokio::test]
async fn a_version_is_read_once() {
    let (world, key) = crowd().await;
    let id: Value = list(&world, &key, "").await.body["items"][0]["id"].clone();
    let path = format!("/api/v1/users/{}", id.as_str().unwrap());
    let reply = world.get(&path).signed(&key).send().await;
    let call = world.get(&path).header("if-none-match", reply.header("etag")).signed(&key);
    insta::assert_snapshot!(call.send().await);
}
