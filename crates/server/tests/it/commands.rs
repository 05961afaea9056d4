//! The operator's commands, beside a running server.

use std::io::Write as _;
use std::process::Stdio;

use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, muster, run, text};
use serde_json::json;

#[test]
fn a_tenant_is_created_while_the_server_runs() {
    let server = Server::start(&[]);
    let made = create_tenant(server.folder(), "Acme", "ada@acme.example");
    let again = create_tenant(server.folder(), "Other", "olga@other.example");
    assert_eq!((&made["tenant_id"], &made["name"]), (&json!(1), &json!("Acme")));
    assert_eq!(made["convirza"], json!({"email": "ada@acme.example", "user_id": 1, "org_unit_id": 1}));
    assert_eq!((&again["tenant_id"], &again["convirza"]["org_unit_id"]), (&json!(2), &json!(2)));

    let lox24 = &made["lox24"];
    let key = lox24["key"].as_str().unwrap();
    assert_eq!((lox24["client_id"].as_i64(), lox24["key_id"].as_i64()), (Some(1_000_001), Some(1)));
    assert!(key.len() == 32 && key.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()));
    assert_eq!(lox24["token"], format!("1000001:{key}"));
    assert_eq!(made["onlive"]["organization_id"].as_str().unwrap().len(), 36);
    assert!(made["onlive"]["access_key_id"].as_str().unwrap().starts_with("OL1-"));
    assert!(made["onlive"]["secret_access_key"].as_str().unwrap().len() >= 32);
    assert!(made["scim"]["token"].as_str().unwrap().starts_with("mus_1_"));

    for (email, name) in [("ada@acme.example", "Acme"), ("olga@other.example", "Other")] {
        let token = server.log_in(email, PASSWORD).unwrap();
        let tree = server.send("GET", "/v3/groups/tree", &token, None);
        assert_eq!(tree.body["data"]["groups"][0]["text"], name);
        // The server's own ids and those of the command never meet.
        let group = server.send("POST", "/v3/groups", &token, Some(&json!({"org_unit_name": "North"})));
        assert_eq!(group.status, 201);
    }
}

#[test]
fn a_password_is_generated_or_read() {
    let folder = Place::new();
    let args = ["tenant", "create", "--name", "Acme", "--admin-email", "ada@acme.example", "--json"];
    let made: serde_json::Value = serde_json::from_slice(&run(folder.path(), &args).stdout).unwrap();
    let generated = made["convirza"]["password"].as_str().unwrap().to_owned();
    let args = ["user", "set-password", "--email", "ADA@acme.example", "--password-stdin"];
    let mut child = muster(folder.path(), &args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"a quite different one\n").unwrap();
    assert!(child.wait().unwrap().success());
    let server = Server::start_in(folder, &[]);
    assert!(server.log_in("ada@acme.example", &generated).is_none());
    assert!(server.log_in("ada@acme.example", "a quite different one").is_some());
}

#[test]
fn a_new_password_ends_the_sessions_at_once() {
    let server = Server::start(&[]);
    create_tenant(server.folder(), "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    assert!(run(server.folder(), &["user", "set-password", "--email", "ada@acme.example"]).status.success());
    assert_eq!(server.send("GET", "/v3/auth/profile", &token, None).status, 401);
}

#[test]
fn wrong_input_is_explained_and_changes_nothing() {
    let folder = Place::new();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    let refused = |args: &[&str]| {
        let output = run(folder.path(), args);
        assert!(!output.status.success() && output.stdout.is_empty());
        text(&output.stderr)
    };
    let said = refused(&[
        "tenant",
        "create",
        "--name",
        " ",
        "--admin-email",
        "ada",
        "--admin-password",
        "short",
        "--country",
        "USA",
        "--timezone",
        "Mars/Olympus",
    ]);
    for flag in ["--name ", "--admin-email ", "--admin-password ", "--country ", "--timezone "] {
        assert!(said.contains(flag), "{said}");
    }
    let said = refused(&["tenant", "create", "--name", "Other", "--admin-email", "ADA@acme.example"]);
    assert!(said.contains("logs in with this address"), "{said}");
    let said = refused(&["user", "set-password", "--email", "eve@acme.example"]);
    assert!(said.contains("nobody logs in with this address"), "{said}");
    let said =
        refused(&["user", "set-password", "--email", "a@b.example", "--database", "mysql://localhost/x"]);
    assert!(said.contains("sqlite:PATH"), "{said}");
    let short = ["user", "set-password", "--email", "ada@acme.example", "--password-stdin"];
    let said = refused(&short);
    assert!(said.contains("--password-stdin must not be shorter"), "{said}");
    let other = create_tenant(folder.path(), "Other", "olga@other.example");
    // The refused one took ids, but nothing else.
    assert_eq!(other["name"], "Other");
}

#[test]
fn without_its_key_or_with_another_one_a_store_is_not_opened() {
    let folder = Place::new();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    let key = folder.path().join("muster-data/server.key");
    let hex = std::fs::read_to_string(&key).unwrap();
    let set_password = ["user", "set-password", "--email", "ada@acme.example"];
    std::fs::remove_file(&key).unwrap();
    let said = text(&run(folder.path(), &set_password).stderr);
    assert!(said.contains("is missing") && said.contains("server.key"), "{said}");
    assert!(!key.exists(), "no other key takes its place");

    let with =
        |hex: &str| muster(folder.path(), &set_password).env("MUSTER_SECRET_KEY", hex).output().unwrap();
    assert!(text(&with(&"ab".repeat(32)).stderr).contains("not the one"));
    assert!(text(&with("nonsense").stderr).contains("64 hexadecimal"));
    assert!(with(&hex).status.success());
}
