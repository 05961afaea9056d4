//! What the tests of the Onlive dialect share.

use http::StatusCode;
use muster_domain::Ctx;
use serde_json::{Value, json};

use crate::signing::AccessKey;
use crate::support::{Call, Reply, World};

pub(crate) const USERS: &str = "/api/v1/users";
pub(crate) const GROUPS: &str = "/api/v1/user-groups";
/// The id of nothing.
pub(crate) const NOTHING: &str = "550e8400-e29b-41d4-a716-446655440000";

/// A client that signs.
pub(crate) struct Client<'a> {
    pub(crate) world: &'a World,
    pub(crate) key: AccessKey,
}

impl<'a> Client<'a> {
    /// Of Acme.
    pub(crate) async fn new(world: &'a World) -> Self {
        Self::of(world, &world.acme).await
    }

    pub(crate) async fn of(world: &'a World, tenant: &Ctx) -> Self {
        Self { world, key: world.access_key(tenant).await }
    }

    /// A call without a body.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'a> {
        self.world.call(method, path).signed(&self.key)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path).json(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.call("PUT", path).json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path).send().await
    }

    /// What must be created in a collection; its path.
    pub(crate) async fn created(&self, collection: &str, body: Value) -> String {
        let reply = self.post(collection, body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
        format!("{collection}/{}", reply.body["id"].as_str().unwrap())
    }

    /// A new user with this address; its path.
    pub(crate) async fn user(&self, email: &str) -> String {
        self.created(USERS, json!({"firstName": "Ida", "lastName": "Moro", "email": email})).await
    }

    /// A new group; its path.
    pub(crate) async fn group(&self, name: &str) -> String {
        self.created(GROUPS, json!({ "name": name })).await
    }

    /// The path of the user with this address.
    pub(crate) async fn path_of(&self, email: &str) -> String {
        let reply = self.get(&format!("{USERS}?limit=100")).await;
        let items = reply.body["items"].as_array().unwrap();
        let found = items.iter().find(|item| item["email"] == email).unwrap();
        format!("{USERS}/{}", found["id"].as_str().unwrap())
    }

    /// One property of all on a page that must be there.
    pub(crate) async fn all(&self, target: &str, name: &str) -> Vec<String> {
        let reply = self.get(target).await;
        assert_eq!(reply.status, StatusCode::OK, "{target}: {reply}");
        let items = reply.body["items"].as_array().unwrap();
        items.iter().map(|item| item[name].as_str().unwrap_or("(null)").to_owned()).collect()
    }
}

/// The id at the end of a path.
pub(crate) fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// A failing field as the dialect tells it.
pub(crate) fn failing(field: &str, message: &str) -> Value {
    json!([{"field": field, "message": message}])
}
