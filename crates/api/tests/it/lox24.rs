//! What the tests of the LOX24 dialect share.

use std::time::Duration;

use http::StatusCode;
use muster_domain::credential::lox24_client_id;
use muster_domain::{CredentialId, Ctx, Dialect, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::{Call, Reply, World};

/// Where the paths of the dialect stand.
pub(crate) const PATHS: &[&str] =
    &["/me", "/groups", "/phones", "/sms", "/bulks", "/incomings", "/blocked_numbers", "/pricelist"];

pub(crate) const JSON: &str = "application/json";
pub(crate) const JSON_LD: &str = "application/ld+json";

impl World {
    /// A LOX24 key of a tenant, with the rights of an Admin.
    pub(crate) async fn key(&self, of: &Ctx) -> Key {
        self.key_with(of, false, None).await
    }

    /// A LOX24 key of a tenant that may read but not write.
    pub(crate) async fn read_only_key(&self, of: &Ctx) -> Key {
        self.key_with(of, true, None).await
    }

    /// A LOX24 key of a tenant that lives for so long.
    pub(crate) async fn expiring_key(&self, of: &Ctx, lives: Duration) -> Key {
        self.key_with(of, false, Some(self.directory().now().plus(lives))).await
    }

    /// A LOX24 key of a tenant that was revoked.
    pub(crate) async fn revoked_key(&self, of: &Ctx) -> Key {
        let key = self.key(of).await;
        self.directory().credential_revoke(of, key.id).await.unwrap();
        key
    }

    async fn key_with(&self, of: &Ctx, read_only: bool, expires_at: Option<Timestamp>) -> Key {
        let new = self.credential(of, Dialect::Lox24, read_only, expires_at).await;
        let secret = new.secret.expose_secret().to_owned();
        Key { id: new.credential.id, client_id: lox24_client_id(of.tenant()), secret }
    }
}

/// A LOX24 key.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: CredentialId,
    pub(crate) client_id: i64,
    pub(crate) secret: String,
}

impl Key {
    /// What `X-LOX24-AUTH-TOKEN` has.
    pub(crate) fn token(&self) -> String {
        format!("{}:{}", self.client_id, self.secret)
    }
}

/// A client of Acme that takes plain JSON.
pub(crate) struct Client<'a> {
    pub(crate) world: &'a World,
    pub(crate) key: Key,
}

impl<'a> Client<'a> {
    pub(crate) async fn new(world: &'a World) -> Self {
        Self { world, key: world.key(&world.acme).await }
    }

    /// A call without a body that takes anything.
    pub(crate) fn any(&self, method: &str, path: &str) -> Call<'a> {
        self.world.call(method, path).key(&self.key)
    }

    /// A call without a body.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'a> {
        self.any(method, path).header("accept", JSON)
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

    /// A new group; its path.
    pub(crate) async fn group(&self, body: Value) -> String {
        let reply = self.post("/groups", body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
        format!("/groups/{}", reply.body["id"])
    }

    /// A new group without phones; its path.
    pub(crate) async fn empty_group(&self) -> String {
        self.group(json!({"name": "Clients"})).await
    }

    /// A new phone of a group; its path.
    pub(crate) async fn phone(&self, group: &str, body: Value) -> String {
        let reply = self.post(&format!("{group}/phones"), body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
        format!("/phones/{}", reply.body["id"].as_str().unwrap())
    }

    /// All phones of a group.
    pub(crate) async fn phones(&self, group: &str) -> Vec<Value> {
        let reply = self.get(&format!("{group}/phones")).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply}");
        reply.body.as_array().unwrap().clone()
    }

    /// One property of all phones of a group.
    pub(crate) async fn of_phones(&self, group: &str, name: &str) -> Vec<String> {
        let phones = self.phones(group).await;
        phones.iter().map(|phone| phone[name].as_str().unwrap_or("(null)").to_owned()).collect()
    }

    /// How many phones a group is said to have.
    pub(crate) async fn count(&self, group: &str) -> u64 {
        self.get(group).await.body["count_items"].as_u64().unwrap()
    }
}

/// The status, and a line for each failing field.
pub(crate) fn told(reply: &Reply) -> String {
    let violations = reply.body["violations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |violation: &Value| {
        let text = |name: &str| violation[name].as_str().unwrap().to_owned();
        format!("{}: {}", text("propertyPath"), text("message"))
    };
    let lines: Vec<String> = violations.iter().map(line).collect();
    let detail = reply.body["detail"].as_str().unwrap_or_default();
    assert!(violations.is_empty() || detail == lines.join("\n"), "{reply}");
    format!("{} {detail}", reply.status.as_u16())
}

/// The paths of the failing fields.
pub(crate) fn failing(reply: &Reply) -> Vec<&str> {
    let violations = reply.body["violations"].as_array().map(Vec::as_slice).unwrap_or_default();
    violations.iter().map(|violation| violation["propertyPath"].as_str().unwrap()).collect()
}

/// The number of a US phone that differs by `at`.
pub(crate) fn number(at: usize) -> String {
    format!("+1201555{at:04}")
}

/// As many phones.
pub(crate) fn numbers(count: usize) -> Vec<Value> {
    (0..count).map(|at| json!({"phone": number(at)})).collect()
}
