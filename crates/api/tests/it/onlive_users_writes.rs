//! Writing users over the Onlive dialect.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::onlive::{Client, NOTHING, USERS, failing};
use crate::people::provisioned;
use crate::support::World;

fn ida() -> Value {
    json!({"firstName": "Ida", "lastName": "Moro", "email": "ida@acme.example"})
}

#[tokio::test]
async fn a_user_is_created_in_the_top_unit() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let body = json!({
        "firstName": "  Ida ", "lastName": "Moro", "email": " Ida@Acme.example ", "role": "editor",
        "organizationId": "550e8400-e29b-41d4-a716-446655440000", "unknown": [1], "password": "is not looked at"
    });
    let reply = client.post(USERS, body).await;
    insta::assert_snapshot!(reply);
    let found = world.get("/v3/users/list?email=ida").bearer(&world.admin().await).send().await;
    insta::assert_snapshot!(found);
    let entry = world.journal().await.pop().unwrap();
    assert_eq!((entry.kind.as_str(), entry.dialect.as_str()), ("user.created", "onlive"));
    // Without a role it is the least.
    let other =
        client.post(USERS, json!({"firstName": "Eva", "lastName": "Ek", "email": "eva@acme.example"})).await;
    assert_eq!(other.body["role"], "creator");
}

#[tokio::test]
async fn every_failing_field_is_named_at_once() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let before = world.journal().await;
    insta::assert_snapshot!(client.post(USERS, json!({})).await);
    let wrong = json!({"firstName": " ", "lastName": null, "email": "ida", "role": "Admin"});
    insta::assert_snapshot!(client.post(USERS, wrong).await);
    for (field, value, message) in [
        ("firstName", json!(7), "must be a string"),
        ("lastName", json!("x".repeat(101)), "must not be longer than 100 characters"),
        ("lastName", json!(""), "lastName must not be empty"),
        ("email", json!(null), "must be a valid email"),
        ("email", json!(7), "must be a valid email"),
        ("email", json!(format!("{}@example.org", "x".repeat(250))), "must be a valid email"),
        ("role", json!(null), "must be one of: creator, editor, admin"),
        ("role", json!(1), "must be one of: creator, editor, admin"),
    ] {
        let mut body = ida();
        body[field] = value.clone();
        let reply = client.post(USERS, body).await;
        let expected = failing(field, message);
        assert_eq!((reply.status.as_u16(), &reply.body["errors"]), (400, &expected), "{field} {value}");
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn an_address_stands_once_in_an_organization() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let other = Client::of(&world, &world.tenant("Other", "olga@other.example").await).await;
    let path = client.created(USERS, ida()).await;
    let mut again = ida();
    again["email"] = json!("IDA@acme.example");
    insta::assert_snapshot!(client.post(USERS, again.clone()).await);
    // Nobody learns of another organization's users.
    other.created(USERS, again.clone()).await;
    assert_eq!(client.delete(&path).await.status, 200);
    client.created(USERS, again).await;
}

#[tokio::test]
async fn put_changes_what_is_named() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(USERS, ida()).await;
    let before = client.get(&path).await;
    world.advance(Duration::from_mins(1));
    let journal = world.journal().await;
    let unchanged = client.put(&path, json!({})).await;
    assert_eq!((unchanged.status.as_u16(), &unchanged.body), (200, &before.body));
    let unchanged = client.put(&path, before.body.clone()).await;
    assert_eq!((unchanged.status.as_u16(), &unchanged.body), (200, &before.body));
    assert_eq!(world.journal().await, journal);
    let body =
        json!({"lastName": "Rossi", "role": "admin", "email": "other@acme.example", "organizationId": 7});
    insta::assert_snapshot!(client.put(&path, body).await);
    let wrong = json!({"firstName": null, "lastName": "", "role": "owner"});
    insta::assert_snapshot!(client.put(&path, wrong).await);
    let unknown = client.put(&format!("{USERS}/{NOTHING}"), json!({"role": "x"})).await;
    assert_eq!(unknown.body, json!({"statusCode": 404, "message": "User not found"}));
}

#[tokio::test]
async fn what_another_dialect_has_written_can_be_sent_back() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    provisioned(&world, "no address", "", "").await;
    let path = client.path_of("no address").await;
    let mut body = client.get(&path).await.body;
    assert_eq!((&body["firstName"], &body["fullName"]), (&json!(""), &json!("")));
    assert_eq!(client.put(&path, body.clone()).await.status, 200);
    body["lastName"] = json!("Lee");
    assert_eq!(client.put(&path, body.clone()).await.body["fullName"], "Lee");
    body["lastName"] = json!("");
    assert_eq!(client.put(&path, body).await.fields(), ["lastName"]);
}

#[tokio::test]
async fn a_deletion_is_for_good() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(USERS, ida()).await;
    world.advance(Duration::from_mins(1));
    insta::assert_snapshot!(client.delete(&path).await);
    let unknown = json!({"statusCode": 404, "message": "User not found"});
    for method in ["GET", "PUT", "DELETE"] {
        let reply = client.call(method, &path).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body), (404, &unknown), "{method}");
    }
    let deleted = world.get("/v3/users/list?user_status=deleted").bearer(&world.admin().await).send().await;
    assert_eq!(deleted.body["data"]["total"], 1);
    for text in ["Ida", "Moro", "ida@acme"] {
        assert!(!deleted.to_string().contains(text), "{deleted}");
        assert!(!format!("{:?}", world.journal().await).contains(text));
    }
}

#[tokio::test]
async fn the_last_admin_stays() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let ada = client.path_of("ada@acme.example").await;
    insta::assert_snapshot!(client.delete(&ada).await);
    let demoted = client.put(&ada, json!({"role": "editor"})).await;
    assert_eq!(
        (demoted.status.as_u16(), &demoted.body["message"]),
        (403, &json!("Cannot delete the organization's last admin user"))
    );
    // One who cannot log in does not count.
    let mut body = ida();
    body["role"] = json!("admin");
    client.created(USERS, body).await;
    assert_eq!(client.delete(&ada).await.status, 403);
    world.user("eva@acme.example", muster_domain::user::Role::Admin, 1000).await;
    assert_eq!(client.delete(&ada).await.status, 200);
}

#[tokio::test]
async fn a_write_can_be_bound_to_a_version() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let path = client.created(USERS, ida()).await;
    let tag = client.get(&path).await.header("etag").to_owned();
    let change =
        |name: &str| world.put(&path, json!({"lastName": name})).header("if-match", &tag).signed(&client.key);
    assert_eq!(change("Rossi").send().await.status, 200);
    insta::assert_snapshot!(change("Verdi").send().await);
    let refused = world.delete(&path).header("if-match", &tag).signed(&client.key).send().await;
    assert_eq!(refused.status, 412);
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => proptest::sample::select(vec!["creator", "admin", "", " ", "a\0b", "x@y.zz", "@"]).prop_map(Value::from),
        3 => "\\PC{0,12}".prop_map(Value::from),
        1 => (90..270_usize).prop_map(|length| "\u{e4}".repeat(length).into()),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        2 => Just(Value::Null),
        1 => Just(json!([{}])),
    ]
}

/// Every reply is held to the document by [`crate::support::Call::send`].
#[test]
fn random_bodies_get_published_answers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let settings = muster_api::Settings { rate_limits: false, ..muster_api::Settings::default() };
    let world = runtime.block_on(World::with(settings));
    let client = runtime.block_on(Client::new(&world));
    let path = runtime.block_on(client.created(USERS, ida()));
    let fields =
        vec!["firstName", "lastName", "email", "role", "avatar", "userGroupId", "organizationId", "id", "x"];
    let body = proptest::collection::hash_map(proptest::sample::select(fields), value(), 0..8);
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&(body, any::<bool>()), |(body, creates)| {
        let body: Map<String, Value> =
            body.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let call = if creates { world.post(USERS, body.into()) } else { world.put(&path, body.into()) };
        let reply = runtime.block_on(call.signed(&client.key).send());
        prop_assert!(matches!(reply.status.as_u16(), 200 | 201 | 400 | 409), "{}", reply);
        if reply.status.is_success() {
            let sent_back = runtime.block_on(world.put(&path, reply.body.clone()).signed(&client.key).send());
            prop_assert_eq!(sent_back.status, 200, "{}", sent_back);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
