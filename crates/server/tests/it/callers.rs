//! One who calls each dialect.

use std::fs;

use serde_json::{Value, json};

use crate::place::Place;
use crate::support::{Answer, PASSWORD, Server, create_tenant, succeed};

/// The admin of Acme, with a token, a LOX24 key and an Onlive access key.
pub(crate) struct Callers<'a> {
    place: &'a Place,
    /// What `tenant create` has told.
    made: Value,
    pub(crate) token: String,
}

impl<'a> Callers<'a> {
    /// Makes the tenant.
    pub(crate) fn new(place: &'a Place, server: &Server) -> Self {
        let made = create_tenant(place.path(), "Acme", "ada@acme.example");
        let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
        Self { place, made, token }
    }

    fn signature(&self, method: &str, path: &str, body: &Value) -> String {
        let onlive = |name: &str| self.made["onlive"][name].as_str().unwrap();
        let (key, secret) = (onlive("access_key_id"), onlive("secret_access_key"));
        let file = self.place.path().join("body");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        fs::write(&file, body).unwrap();
        let file = file.to_str().unwrap();
        let args =
            ["sign", method, path, "--access-key", key, "--access-secret", secret, "--body-file", file];
        succeed(self.place.path(), &args).trim().replace('\n', "\r\n")
    }

    fn call(&self, server: &Server, method: &str, calls: [(&str, Value); 3]) -> [Answer; 3] {
        let headers = [
            format!("Authorization: Bearer {}", self.token),
            format!("X-LOX24-AUTH-TOKEN: {}", self.made["lox24"]["token"].as_str().unwrap()),
            self.signature(method, calls[2].0, &calls[2].1),
        ];
        let mut headers = headers.iter();
        calls.map(|(path, body)| {
            let body = Some(&body).filter(|body| !body.is_null());
            server.send_with(method, path, headers.next().unwrap(), body)
        })
    }

    /// A read in each dialect.
    pub(crate) fn read(&self, server: &Server) -> [Answer; 3] {
        let paths = ["/v3/groups/tree", "/groups", "/api/v1/user-groups"];
        self.call(server, "GET", paths.map(|path| (path, Value::Null)))
    }

    /// A write in each dialect.
    pub(crate) fn write(&self, server: &Server, name: &str) -> [Answer; 3] {
        let org_unit = ("/v3/groups", json!({"org_unit_name": name}));
        let contact_group = ("/groups", json!({"name": name}));
        let user_group = ("/api/v1/user-groups", json!({"name": name}));
        self.call(server, "POST", [org_unit, contact_group, user_group])
    }

    /// The statuses of reads.
    pub(crate) fn statuses(&self, server: &Server) -> [u16; 3] {
        self.read(server).map(|answer| answer.status)
    }

    /// Ends the keys of LOX24 and Onlive.
    pub(crate) fn revoke_keys(&self) {
        let listed = succeed(self.place.path(), &["credential", "list", "--tenant", "Acme", "--json"]);
        for line in listed.lines() {
            let id = serde_json::from_str::<Value>(line).unwrap()["id"].to_string();
            succeed(self.place.path(), &["credential", "revoke", "--tenant", "Acme", &id]);
        }
    }
}
