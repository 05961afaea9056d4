//! What an operator does with tenants, credentials, users and the journal, while the server runs.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{PASSWORD, Server, create_tenant, fail, muster, succeed, tamper, text};

fn json_lines(printed: &str) -> Vec<Value> {
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn tenants_are_listed_shown_and_renamed() {
    let server = Server::start(&[]);
    let folder = server.folder();
    assert_eq!(succeed(folder, &["tenant", "list"]), "");
    create_tenant(folder, "Acme", "ada@acme.example");
    create_tenant(folder, "Other", "olga@other.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    server.send("POST", "/v3/groups", &token, Some(&json!({"org_unit_name": "North"})));

    let listed = json_lines(&succeed(folder, &["tenant", "list", "--json"]));
    let names: Vec<&Value> = listed.iter().map(|tenant| &tenant["name"]).collect();
    assert_eq!(names, ["Acme", "Other"]);
    assert_eq!((&listed[0]["org_units"], &listed[0]["users"]["active"]), (&json!(2), &json!(1)));
    let shown: Value = serde_json::from_str(&succeed(folder, &["tenant", "show", "acme", "--json"])).unwrap();
    assert_eq!(shown, listed[0]);
    let read = succeed(folder, &["tenant", "show", "1"]);
    assert!(read.starts_with("Tenant 1, Acme: active\n") && read.contains("2, the top is 1"), "{read}");

    succeed(folder, &["tenant", "rename", "ACME", "  Acme International "]);
    let tree = server.send("GET", "/v3/groups/tree", &token, None);
    assert_eq!(tree.body["data"]["groups"][0]["text"], "Acme International");
    assert!(fail(folder, &["tenant", "rename", "1", " "]).contains("--name must not be empty"));
    succeed(folder, &["tenant", "rename", "1", "other"]);
    assert!(fail(folder, &["tenant", "show", "Other"]).contains("by its id: 1, 2"));
    assert!(fail(folder, &["tenant", "show", "Nobody"]).contains("no tenant named"));
    assert!(fail(folder, &["tenant", "show", "99"]).contains("no tenant 99"));
}

#[test]
fn a_disabled_tenant_lets_nobody_in_until_it_is_enabled() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    create_tenant(folder, "Other", "olga@other.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let others = server.log_in("olga@other.example", PASSWORD).unwrap();
    succeed(folder, &["tenant", "disable", "Acme"]);
    succeed(folder, &["tenant", "disable", "Acme"]);
    assert_eq!(server.send("GET", "/v3/auth/profile", &token, None).status, 401);
    assert!(server.log_in("ada@acme.example", PASSWORD).is_none());
    assert_eq!(server.send("GET", "/v3/auth/profile", &others, None).status, 200);
    succeed(folder, &["tenant", "enable", "Acme"]);
    assert_eq!(server.send("GET", "/v3/auth/profile", &token, None).status, 200);
    let kinds = json_lines(&succeed(folder, &["journal", "--tenant", "1", "--entity", "tenant", "--json"]));
    let kinds: Vec<&Value> = kinds.iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["tenant.created", "tenant.disabled", "tenant.enabled"]);
}

#[test]
fn a_tenant_is_deleted_only_when_its_name_is_typed() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    create_tenant(folder, "Other", "olga@other.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    for answer in ["", "acme\n", "1\n"] {
        let mut child = muster(folder, &["tenant", "delete", "1"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success() && text(&output.stderr).contains("nothing was done"));
    }
    assert_eq!(server.send("GET", "/v3/auth/profile", &token, None).status, 200);
    succeed(folder, &["tenant", "delete", "1", "--confirm", "Acme"]);
    assert_eq!(server.send("GET", "/v3/auth/profile", &token, None).status, 401);
    assert!(fail(folder, &["tenant", "show", "1"]).contains("no tenant 1"));
    assert!(server.log_in("olga@other.example", PASSWORD).is_some());
    // Its admin's address is free again, its id is not.
    let again = create_tenant(folder, "Acme", "ada@acme.example");
    assert_eq!(again["tenant_id"], 3);
    succeed(folder, &["doctor"]);
}

#[test]
fn a_key_works_at_once_its_use_is_listed_and_wrong_ones_block() {
    let server = Server::start(&["--lox24-wrong-keys", "1", "--lox24-block-minutes", "2"]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    let create =
        ["credential", "create", "--tenant", "Acme", "--dialect", "lox24", "--name", "CRM", "--json"];
    let made: Value = serde_json::from_str(&succeed(folder, &create)).unwrap();
    assert_eq!(made["last_used_at"], Value::Null);
    let list = |more: &[&str]| succeed(folder, &[&["credential", "list", "--tenant", "Acme"], more].concat());
    assert_eq!(list(&[]).matches("never used").count(), 4);

    let (client_id, key) = (&made["client"]["client_id"], made["client"]["key"].as_str().unwrap());
    let token = format!("X-LOX24-AUTH-TOKEN: {client_id}:{key}");
    let account = server.send_with("GET", "/me", &token, None);
    assert_eq!((account.status, &account.body["id"]), (200, client_id));
    // It is noted without anybody waiting for it.
    let mut used = Value::Null;
    for _ in 0..250 {
        let listed = json_lines(&list(&["--json"]));
        used =
            listed.iter().find(|credential| credential["id"] == made["id"]).unwrap()["last_used_at"].clone();
        if !used.is_null() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(list(&[]).contains(&format!("used {}", used.as_str().unwrap())));

    for _ in 0..2 {
        assert_eq!(server.send_with("GET", "/me", &format!("{token}0"), None).status, 401);
    }
    let blocked = server.send_with("GET", "/me", &token, None);
    assert!(blocked.status == 429 && blocked.head.contains("retry-after: 1"), "{}", blocked.head);
    assert!(!server.log().contains(key));
}

#[test]
fn credentials_are_created_listed_and_revoked() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    let create = |more: &[&str]| {
        let args = [&["credential", "create", "--tenant", "Acme", "--name", " CRM sync "], more].concat();
        serde_json::from_str::<Value>(&succeed(folder, &[&args[..], &["--json"]].concat())).unwrap()
    };
    let scim = create(&["--dialect", "scim", "--read-only", "--expires", "30d"]);
    assert_eq!(
        (&scim["name"], &scim["read_only"], &scim["active"]),
        (&json!("CRM sync"), &json!(true), &json!(true))
    );
    assert!(scim["client"]["token"].as_str().unwrap().starts_with("mus_1_"));
    assert!(scim["expires_at"].is_string());
    let lox24 = create(&["--dialect", "lox24"]);
    assert_eq!(lox24["client"]["client_id"], 1_000_001);
    assert!(
        create(&["--dialect", "onlive"])["client"]["access_key_id"].as_str().unwrap().starts_with("OL1-")
    );

    let id = scim["id"].to_string();
    succeed(folder, &["credential", "revoke", "--tenant", "Acme", &id]);
    succeed(folder, &["credential", "revoke", "--tenant", "Acme", &id]);
    let listed = succeed(folder, &["credential", "list", "--tenant", "1", "--json"]);
    for secret in [&scim["client"]["token"], &lox24["client"]["key"]] {
        assert!(!listed.contains(secret.as_str().unwrap()));
    }
    let listed = json_lines(&listed);
    assert_eq!(listed.len(), 6);
    assert_eq!((&listed[3]["id"], &listed[3]["active"]), (&scim["id"], &json!(false)));
    assert!(fail(folder, &["credential", "revoke", "--tenant", "1", "99"]).contains("no such credential"));
    let past = [
        "credential",
        "create",
        "--tenant",
        "1",
        "--dialect",
        "scim",
        "--name",
        "a",
        "--expires",
        "2020-01-01",
    ];
    assert!(fail(folder, &past).contains("--expires must be in the future"));
    let journal = succeed(folder, &["journal", "--tenant", "1", "--entity", &format!("credential:{id}")]);
    let lines: Vec<&str> = journal.lines().collect();
    assert_eq!(lines.len(), 2, "{journal}");
    assert!(lines[1].contains("credential.revoked") && lines[1].contains("by operator (cli)"), "{journal}");
}

#[test]
fn the_journal_tells_who_changed_what() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let journal = |more: &[&str]| {
        let args = [&["journal", "--tenant", "Acme", "--json"], more].concat();
        json_lines(&succeed(folder, &args))
    };
    let before = journal(&[]).len();
    for n in 0..3 {
        server.send("POST", "/v3/groups", &token, Some(&json!({"org_unit_name": format!("Group {n}")})));
    }
    server.send("PATCH", "/v3/groups/2", &token, Some(&json!({"city": "Reno"})));
    let all = journal(&["--limit", "0"]);
    assert_eq!(all.len(), before + 4);
    let sequences: Vec<u64> = all.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted());
    let last = all.last().unwrap();
    assert_eq!((&last["kind"], &last["actor"]), (&json!("org_unit.updated"), &json!("user:1")));
    assert_eq!(last["changes"], json!({"city": [null, "Reno"]}));
    assert_eq!(journal(&["--limit", "2"]), all[all.len() - 2..]);
    assert_eq!(journal(&["--actor", "user:1"]), all[before..]);
    assert_eq!(journal(&["--actor", "operator"]), all[..before]);
    assert_eq!(journal(&["--entity", "org_unit:2"]).len(), 2);
    assert_eq!(journal(&["--since", "1h", "--limit", "0"]), all);
    assert_eq!(journal(&["--until", "1h"]), Vec::<Value>::new());
    assert_eq!(
        journal(&["--since", all[before]["at"].as_str().unwrap(), "--actor", "user:1"]),
        all[before..]
    );
    let line = succeed(folder, &["journal", "--tenant", "1", "--limit", "1"]);
    assert!(line.ends_with("org_unit.updated 2 by user:1 (convirza) city=\"Reno\"\n"), "{line}");
    assert!(fail(folder, &["journal", "--tenant", "1", "--actor", "somebody"]).contains("user:ID"));
    for wrong in ["grup", "org-unit:2", ""] {
        let said = fail(folder, &["journal", "--tenant", "1", "--entity", wrong]);
        assert!(said.contains("tenant, org_unit, user, credential"), "{said}");
    }

    let mut follower = muster(folder, &["journal", "--tenant", "1", "--limit", "1", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("Reno"));
    server.send("PATCH", "/v3/groups/2", &token, Some(&json!({"city": "Elko"})));
    let next = lines.next().unwrap().unwrap();
    assert!(next.ends_with("city=\"Reno\"→\"Elko\""), "{next}");
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn what_was_typed_gives_no_commands_to_the_terminal() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Ac\u{1b}[2Jme\nTenant 7", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let group = json!({"org_unit_name": "No\u{9b}rth", "city": "Re\u{7f}no"});
    assert_eq!(server.send("POST", "/v3/groups", &token, Some(&group)).status, 201);
    let credential = ["credential", "create", "--tenant", "1", "--dialect", "scim", "--name", "a\rb"];
    for args in [
        &["tenant", "list"][..],
        &["tenant", "list", "--json"],
        &["tenant", "show", "1"],
        &["journal", "--tenant", "1"],
        &["journal", "--tenant", "1", "--json"],
        &credential,
        &["tenant", "disable", "1"],
    ] {
        let said = succeed(folder, args);
        assert!(said.chars().all(|c| !c.is_control() || c == '\n'), "{args:?}: {said:?}");
        assert!(!said.contains("\nTenant 7"), "{said}");
        if args.contains(&"--json") {
            let all = json_lines(&said).into_iter().map(|object| object.to_string()).collect::<String>();
            assert!(all.contains("No\u{9b}rth") || all.contains("Ac\\u001b[2Jme"), "{all}");
        }
    }
    let said = fail(folder, &["tenant", "delete", "1"]);
    assert!(said.contains("\\u001b[2Jme\\u000aTenant 7") && !said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn of_a_tenant_that_is_being_deleted_nothing_is_counted() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    tamper(&server.place(), "UPDATE tenants SET status = 3");
    let said = succeed(folder, &["tenant", "list"]);
    assert!(said.contains("- org units") && said.contains("- users"), "{said}");
    assert!(succeed(folder, &["tenant", "show", "1"]).contains("- org units"));
    let listed = json_lines(&succeed(folder, &["tenant", "list", "--json"])).remove(0);
    assert_eq!((&listed["org_units"], &listed["users"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_follower_does_not_read_again_what_it_does_not_want() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let create =
        |name: &str| server.send("POST", "/v3/groups", &token, Some(&json!({"org_unit_name": name})));
    create("North");
    let args = ["journal", "--tenant", "1", "--entity", "org_unit:2", "--follow"];
    let mut follower = muster(folder, &args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("org_unit.created 2"));
    create("South");
    // Some of its rounds later, what it has passed by is made into what it looks for.
    std::thread::sleep(std::time::Duration::from_secs(2));
    tamper(&server.place(), "UPDATE journal SET entity_id = '2' WHERE entity_id = '3'");
    std::thread::sleep(std::time::Duration::from_secs(1));
    server.send("PATCH", "/v3/groups/2", &token, Some(&json!({"city": "Reno"})));
    let next = lines.next().unwrap().unwrap();
    assert!(next.contains("org_unit.updated 2"), "{next}");
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn an_erased_user_leaves_nothing_behind() {
    let server = Server::start(&[]);
    let folder = server.folder();
    create_tenant(folder, "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let user = json!({"username": "zoe.quill@acme.example", "first_name": "Zoe", "last_name": "Quill"});
    let made = server.send("POST", "/v3/users", &token, Some(&user));
    let id = made.body["data"]["userId"].to_string();
    server.send("PATCH", &format!("/v3/users/{id}"), &token, Some(&json!({"agent_ring_to": "+13035550110"})));
    assert!(
        fail(folder, &["user", "erase", "--tenant", "1", &id, "--confirm", "no"])
            .contains("nothing was done")
    );
    succeed(folder, &["user", "erase", "--tenant", "1", &id, "--confirm", &id]);
    assert_eq!(server.send("GET", "/v3/users?name=zoe", &token, None).body["data"]["total"], 0);
    let read = server.send("GET", &format!("/v3/users/{id}"), &token, None);
    assert_eq!((&read.body["data"]["status"], &read.body["data"]["email"]), (&json!("deleted"), &json!("")));
    let journal = succeed(folder, &["journal", "--tenant", "1", "--json"]);
    for trace in ["Zoe", "Quill", "zoe.quill", "5550110"] {
        assert!(!journal.contains(trace), "{trace}: {journal}");
    }
    let unknown = fail(folder, &["user", "erase", "--tenant", "1", "999", "--confirm", "999"]);
    assert!(unknown.contains("no such user"), "{unknown}");
    let last = ["user", "erase", "--tenant", "1", "1", "--confirm", "1"];
    assert!(fail(folder, &last).contains("last"), "{}", fail(folder, &last));
    succeed(folder, &["doctor"]);
}
