//! What the bytes of the files do not hold.

use std::os::unix::fs::MetadataExt as _;

use serde_json::json;

use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, succeed};

#[test]
fn the_secrets_of_a_tenant_are_not_stored_in_plain() {
    let folder = Place::file();
    let made = create_tenant(folder.path(), "Acme", "ada@acme.example");
    let data = folder.path().join("muster-data");
    let store = std::fs::read(data.join("muster.db")).unwrap();
    for file in std::fs::read_dir(&data).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{:?}", file.path());
    }
    for secret in [&made["lox24"]["key"], &made["onlive"]["secret_access_key"], &made["scim"]["token"]] {
        let secret = secret.as_str().unwrap().as_bytes();
        assert!(!store.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn an_erased_user_leaves_no_bytes_behind() {
    let server = Server::start_in(Place::file(), &[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let user = json!({"username": "zoe.quill@acme.example", "first_name": "Zoe", "last_name": "Quill"});
    let made = server.send("POST", "/v3/users", &token, Some(&user));
    let id = made.body["data"]["userId"].to_string();
    server.send("PATCH", &format!("/v3/users/{id}"), &token, Some(&json!({"agent_ring_to": "+13035550110"})));
    succeed(folder, &["user", "erase", "--tenant", "1", &id, "--confirm", &id]);
    for file in ["muster.db", "muster.db-wal"] {
        let bytes = std::fs::read(folder.join("muster-data").join(file)).unwrap();
        let bytes = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(bytes.is_empty() || bytes.contains("ada@acme.example"), "{file}");
        for trace in ["quill", "5550110"] {
            assert!(!bytes.contains(trace), "{trace} is in {file}");
        }
    }
}
