//! What the tests of the SCIM dialect share.

use http::StatusCode;
use muster_domain::credential::{CredentialWish, Profile};
use muster_domain::{Ctx, Dialect};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::{Call, Reply, World};

pub(crate) const USERS: &str = "/scim/v2/Users";
pub(crate) const GROUPS: &str = "/scim/v2/Groups";

/// The id of nothing.
pub(crate) const NOTHING: &str = "550e8400-e29b-41d4-a716-446655440000";

impl World {
    /// A SCIM token of a tenant.
    pub(crate) async fn scim_token(&self, of: &Ctx, read_only: bool) -> String {
        self.scim_token_with(of, read_only, Profile::Rfc).await
    }

    pub(crate) async fn scim_token_with(&self, of: &Ctx, read_only: bool, profile: Profile) -> String {
        let (dialect, name) = (Dialect::Scim, "idp".to_owned());
        let wish = CredentialWish { dialect, name, read_only, profile, expires_at: None };
        let new = self.directory().credential_create(of, &self.server_key, wish).await.unwrap();
        new.secret.expose_secret().to_owned()
    }
}

/// An identity provider of Acme.
pub(crate) struct Client<'a> {
    pub(crate) world: &'a World,
    pub(crate) token: String,
}

impl<'a> Client<'a> {
    pub(crate) async fn new(world: &'a World) -> Self {
        Self { world, token: world.scim_token(&world.acme, false).await }
    }

    /// Entra ID.
    pub(crate) async fn entra(world: &'a World) -> Self {
        Self { world, token: world.scim_token_with(&world.acme, false, Profile::Entra).await }
    }

    /// A call without a body.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'a> {
        self.world.call(method, path).bearer(&self.token).header("host", "muster.example")
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        let call = self.call(method, path).raw(body.to_string());
        call.header("content-type", "application/scim+json; charset=utf-8").send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send("PUT", path, body).await
    }

    /// A PATCH with these operations.
    pub(crate) async fn patch(&self, path: &str, operations: Value) -> Reply {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.send("PATCH", path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path).send().await
    }

    /// What must be created; its path.
    pub(crate) async fn created(&self, collection: &str, body: Value) -> String {
        let reply = self.post(collection, body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
        format!("{collection}/{}", reply.body["id"].as_str().unwrap())
    }

    pub(crate) async fn user(&self, name: &str) -> String {
        self.created(USERS, json!({ "userName": name })).await
    }

    pub(crate) async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|path| json!({"value": id(path)})).collect();
        self.created(GROUPS, json!({"displayName": name, "members": members})).await
    }

    /// One attribute of all that a filter selects, or the error.
    pub(crate) async fn select(&self, collection: &str, filter: &str, attribute: &str) -> Vec<String> {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("filter", filter).finish();
        let reply = self.get(&format!("{collection}?{query}")).await;
        if reply.status != StatusCode::OK {
            return vec![reply.body["scimType"].as_str().unwrap_or("(none)").to_owned()];
        }
        names(&reply, attribute)
    }
}

/// One attribute of all resources of a list.
pub(crate) fn names(reply: &Reply, attribute: &str) -> Vec<String> {
    assert_eq!(reply.status, StatusCode::OK, "{reply}");
    let resources = reply.body["Resources"].as_array().unwrap();
    resources.iter().map(|resource| resource[attribute].as_str().unwrap_or("(none)").to_owned()).collect()
}

/// The id at the end of a path.
pub(crate) fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// What an error says: its status and its type, and that it has the form of one.
pub(crate) fn refused(reply: &Reply) -> (u16, &str) {
    assert_eq!(reply.header("content-type"), "application/scim+json", "{reply}");
    assert_eq!(reply.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]), "{reply}");
    assert_eq!(reply.body["status"], reply.status.as_str(), "{reply}");
    (reply.status.as_u16(), reply.body["scimType"].as_str().unwrap_or(""))
}
