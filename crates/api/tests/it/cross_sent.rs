//! What SCIM sent of a user is read as it was sent until another dialect changes its column; what is said again then holds again.

use serde_json::{Value, json};

use crate::people::{data, get, log_in, patch};
use crate::scim::{Client, GROUPS, USERS, id, refused};
use crate::support::World;

/// A user of all dialects: the world, an identity provider, the admin's token, and the user's number and path.
struct Shared<'a> {
    world: &'a World,
    client: Client<'a>,
    token: String,
    number: i64,
    path: String,
}

impl<'a> Shared<'a> {
    async fn new(world: &'a World, body: Value) -> Self {
        let (client, token) = (Client::new(world).await, world.admin().await);
        let path = client.created(USERS, body).await;
        let found = world.directory().user_get_by_uuid(&world.acme, id(&path).parse().unwrap()).await;
        let number = found.unwrap().user.id.0;
        Self { world, client, token, number, path }
    }

    /// What SCIM shows of an attribute.
    async fn shown(&self, name: &str) -> Value {
        let read = self.client.get(&self.path).await;
        assert_eq!(read.status, 200, "{read}");
        read.body[name].clone()
    }

    /// Changes the user over SCIM; what the answer shows of the attribute.
    async fn operation(&self, op: &str, name: &str, value: Value) -> Value {
        let reply = self.client.patch(&self.path, json!([{"op": op, "path": name, "value": value}])).await;
        assert_eq!(reply.status, 200, "{reply}");
        reply.body[name].clone()
    }

    async fn over_convirza(&self, change: Value) {
        let reply = patch(self.world, &self.token, self.number, change).await;
        assert_eq!(reply.status, 200, "{reply}");
    }

    async fn convirza(&self) -> Value {
        data(self.world, &self.token, self.number).await
    }
}

/// A value that is sent, a change over Convirza of its column, and what is shown then.
type Mapped = fn() -> [Value; 3];

/// The attributes that have a column.
const MAPPED: &[(&str, Mapped)] = &[
    ("externalId", || [json!(" E 1 "), json!({"user_ext_id": "X2"}), json!("X2")]),
    ("active", || [json!(true), json!({"user_status": "inactive"}), json!(false)]),
    ("timezone", || [json!("europe/zurich"), json!({"timezone": "Asia/Tokyo"}), json!("Asia/Tokyo")]),
    ("timezone", || [json!("Mars/Olympus"), json!({"timezone": "Asia/Tokyo"}), json!("Asia/Tokyo")]),
    ("phoneNumbers", || {
        let sent = json!([{"value": "+13035550110", "type": "mobile"}, {"value": "7", "primary": false}]);
        let number = "+13035550199";
        [sent, json!({"agent_ring_to": number}), json!([{"value": number, "type": "work"}])]
    }),
    ("phoneNumbers", || {
        let number = "+13035550199";
        [
            json!([{"value": "ext 7"}]),
            json!({"agent_ring_to": number}),
            json!([{"value": number, "type": "work"}]),
        ]
    }),
    ("roles", || {
        let sent =
            json!([{"value": "Painter"}, {"value": "readonly", "primary": true}, {"value": "Standard"}]);
        [sent, json!({"role": "Admin"}), json!([{"value": "Admin"}])]
    }),
    ("roles", || {
        [json!([{"value": "Painter"}]), json!({"role": "ReadOnly"}), json!([{"value": "ReadOnly"}])]
    }),
    ("name", || {
        let sent = json!({"formatted": "Dr. A", "givenName": " Ann ", "familyName": "Lee"});
        let shown = json!({"formatted": "Dr. A", "givenName": "Zoe", "familyName": "Lee"});
        [sent, json!({"first_name": "Zoe"}), shown]
    }),
    ("name", || {
        let sent = json!({"givenName": "Ann", "familyName": "L".repeat(150)});
        [sent, json!({"last_name": "Ek"}), json!({"givenName": "Ann", "familyName": "Ek"})]
    }),
];

#[tokio::test]
async fn a_mapped_attribute_reads_as_it_was_sent_until_its_column_is_changed_elsewhere() {
    for (n, (name, values)) in MAPPED.iter().enumerate() {
        let world = World::new().await;
        let [sent, change, changed] = values();
        let shared = Shared::new(&world, json!({"userName": format!("u{n}"), *name: sent})).await;
        let about = format!("{name} {sent}");
        assert_eq!(shared.shown(name).await, sent, "{about}");
        // Neither another column nor the same value elsewhere is a change of it.
        shared.over_convirza(json!({"agent_code": 7})).await;
        let column = change.as_object().unwrap().keys().next().unwrap();
        let same = json!({column: shared.convirza().await[column]});
        shared.over_convirza(same).await;
        assert_eq!(shared.shown(name).await, sent, "{about}");
        shared.over_convirza(change.clone()).await;
        assert_eq!(shared.shown(name).await, changed, "{about}");
        // Another attribute of SCIM does not bring it back; saying it again does, by either way of writing.
        shared.operation("add", "title", json!("Chief")).await;
        assert_eq!(shared.shown(name).await, changed, "{about}");
        assert_eq!(shared.operation("replace", name, sent.clone()).await, sent, "{about}");
        shared.over_convirza(change.clone()).await;
        let put = shared.client.put(&shared.path, json!({"userName": format!("u{n}"), *name: sent})).await;
        assert_eq!((put.status.as_u16(), &put.body[*name]), (200, &sent), "{about}: {put}");
        assert_eq!(shared.shown(name).await, sent, "{about}");
        // The same of its absence: it holds until the column is another, and again when it is said again.
        assert_eq!(shared.operation("remove", name, Value::Null).await, Value::Null, "{about}");
        let before = shared.convirza().await[column].clone();
        shared.over_convirza(change.clone()).await;
        let is_another = shared.convirza().await[column] != before;
        assert_eq!(!shared.shown(name).await.is_null(), is_another, "{about}");
        assert_eq!(shared.operation("remove", name, Value::Null).await, Value::Null, "{about}");
        assert_eq!(shared.shown(name).await, Value::Null, "{about}");
    }
}

#[tokio::test]
async fn what_is_said_again_is_one_change_and_then_none() {
    let world = World::new().await;
    let body = json!({"userName": "ann", "timezone": "Mars/Olympus"});
    let shared = Shared::new(&world, body.clone()).await;
    shared.over_convirza(json!({"timezone": "Asia/Tokyo"})).await;
    let entries = world.journal().await.len();
    world.advance(std::time::Duration::from_secs(1));
    let first = shared.client.put(&shared.path, body.clone()).await;
    assert_ne!(first.body["meta"]["lastModified"], first.body["meta"]["created"], "{first}");
    let again = shared.client.put(&shared.path, body).await;
    assert_eq!(again.header("etag"), first.header("etag"));
    let journal = world.journal().await;
    let kinds: Vec<&str> = journal[entries..].iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["user.updated"]);
    assert_eq!(shared.convirza().await["timezone"], "Asia/Tokyo");
}

#[tokio::test]
async fn columns_follow_what_is_valid_there() {
    let world = World::new().await;
    let shared = Shared::new(&world, json!({"userName": "no address", "displayName": "Ann"})).await;
    // Neither name nor address is a matter of the directory; nothing that was not sent is shown.
    let convirza = shared.convirza().await;
    assert_eq!(
        [&convirza["first_name"], &convirza["last_name"], &convirza["email"], &convirza["role"]],
        ["", "", "no address", "Standard"]
    );
    let mut read = shared.client.get(&shared.path).await.body;
    read.as_object_mut().unwrap().retain(|name, _| !["id", "meta", "schemas"].contains(&name.as_str()));
    assert_eq!(read, json!({"userName": "no address", "displayName": "Ann"}));
    for (name, value, column, kept) in [
        ("timezone", json!("Europe/Zurich"), "timezone", json!("Europe/Zurich")),
        ("timezone", json!("Mars/Olympus"), "timezone", json!("Europe/Zurich")),
        (
            "phoneNumbers",
            json!([{"value": "1"}, {"value": "+4912345", "primary": true}]),
            "agent_ring_to",
            json!("+4912345"),
        ),
        ("phoneNumbers", json!([{"value": "ext 7"}]), "agent_ring_to", json!("+4912345")),
        ("roles", json!([{"value": "ReadOnly"}, {"value": "ADMIN"}]), "role", json!("Admin")),
        ("roles", json!([{"value": "Painter"}]), "role", json!("Standard")),
        (
            "roles",
            json!([{"value": "ReadOnly", "primary": true}, {"value": "Standard"}]),
            "role",
            json!("Standard"),
        ),
        ("active", json!("False"), "user_status", json!("inactive")),
        ("externalId", json!("e"), "user_ext_id", json!("e")),
        ("userName", json!(" New Login "), "username", json!("New Login")),
        ("name.givenName", json!(format!("{} tail", "x".repeat(99))), "first_name", json!("x".repeat(99))),
    ] {
        shared.operation("replace", name, value).await;
        assert_eq!(shared.convirza().await[column], kept, "{name}");
    }
    // What Convirza has read it can send back, and it is no change.
    let tag = shared.client.get(&shared.path).await.header("etag").to_owned();
    let convirza = shared.convirza().await;
    let back =
        json!({"username": convirza["username"], "first_name": convirza["first_name"], "last_name": ""});
    shared.over_convirza(back).await;
    assert_eq!(shared.client.get(&shared.path).await.header("etag"), tag);
    // An address that is none, and one that is.
    shared.over_convirza(json!({"username": "ann@acme.example"})).await;
    assert_eq!(shared.shown("emails").await[0]["value"], "ann@acme.example");
    shared.operation("add", "emails", json!([{"value": "b@x.org", "type": "home"}])).await;
    shared.over_convirza(json!({"username": "anna@acme.example"})).await;
    let emails = shared.shown("emails").await;
    assert!(emails.to_string().contains("b@x.org") && !emails.to_string().contains("anna@"), "{emails}");
}

#[tokio::test]
async fn an_end_in_one_dialect_is_one_in_all() {
    let world = World::new().await;
    let body = json!({"userName": "ann@acme.example", "externalId": "E", "title": "Chief", "password": "a long password",
        "emails": [{"value": "home@x.org"}]});
    let shared = Shared::new(&world, body.clone()).await;
    let (client, path) = (&shared.client, &shared.path);
    let group = client.group("Night", &[path]).await;
    assert_eq!(log_in(&world, "ann@acme.example", "a long password").await, 200);
    // Softly, over Convirza: SCIM has never heard of it.
    let deleted = world.delete(&format!("/v3/users/{}", shared.number)).bearer(&shared.token).send().await;
    assert_eq!(deleted.status, 200, "{deleted}");
    for (method, body) in [("GET", Value::Null), ("PUT", body.clone()), ("DELETE", Value::Null)] {
        assert_eq!(refused(&client.send(method, path, body).await), (404, ""), "{method}");
    }
    let operations = json!([{"op": "replace", "path": "active", "value": true}]);
    assert_eq!(refused(&client.patch(path, operations).await), (404, ""));
    for filter in [
        "userName eq \"ann@acme.example\"",
        "externalId eq \"E\"",
        "emails.value eq \"home@x.org\"",
        "title eq \"Chief\"",
    ] {
        assert_eq!(client.select(USERS, filter, "id").await, [""; 0], "{filter}");
    }
    assert_eq!(client.get(&group).await.body.get("members"), None);
    let join = json!([{"op": "add", "path": "members", "value": [{"value": id(path)}]}]);
    assert_eq!(
        client.patch(&group, join).await.body.get("members"),
        None,
        "whoever is deleted joins nothing"
    );
    let unknown = json!({"displayName": "Day", "members": [{"value": id(path)}]});
    assert_eq!(refused(&client.post(GROUPS, unknown).await), (400, "invalidValue"));
    // Convirza still has it, and its name is free.
    assert_eq!(shared.convirza().await["user_status"], "deleted");
    let again = client.created(USERS, body).await;
    // For good, over SCIM: nobody has anything but a stone.
    let number =
        world.directory().user_get_by_uuid(&world.acme, id(&again).parse().unwrap()).await.unwrap().user.id.0;
    assert_eq!(client.delete(&again).await.status, 204);
    assert_eq!(log_in(&world, "ann@acme.example", "a long password").await, 401);
    let stone = get(&world, &shared.token, number).await;
    assert!(!stone.to_string().contains("ann@") && !stone.to_string().contains("\"E\""), "{stone}");
    let journal = world.journal().await;
    let of_user =
        journal.iter().filter(|entry| entry.entity == "user" && entry.entity_id == number.to_string());
    assert!(of_user.clone().count() > 1 && of_user.clone().all(|entry| entry.payload == json!({})));
}
