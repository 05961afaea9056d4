//! Backups, the server key, the doctor, and what is forgotten in time.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, fail, muster, run, succeed, text};
use rusqlite::Connection;
use serde_json::json;

fn store(folder: &Path) -> Connection {
    Connection::open(folder.join("muster-data/muster.db")).unwrap()
}

#[test]
fn a_backup_is_made_while_the_server_runs_and_restored() {
    let server = Server::start_in(Place::file(), &[]);
    create_tenant(server.folder(), "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    server.send("POST", "/v3/groups", &token, Some(&json!({"org_unit_name": "North"})));
    let said = succeed(server.folder(), &["backup", "one.db"]);
    assert!(said.contains("server.key"), "{said}");
    assert_eq!(fs::metadata(server.folder().join("one.db")).unwrap().mode() & 0o777, 0o600);
    assert!(fail(server.folder(), &["backup", "one.db"]).contains("never overwritten"));
    server.send("POST", "/v3/groups", &token, Some(&json!({"org_unit_name": "South"})));
    assert!(fail(server.folder(), &["restore", "one.db", "--replace"]).contains("another muster server"));

    let folder = server.stop();
    assert!(fail(folder.path(), &["restore", "one.db"]).contains("--replace"));
    fs::write(folder.path().join("broken.db"), "this is no database").unwrap();
    assert!(fail(folder.path(), &["restore", "broken.db", "--replace"]).contains("no backup"));
    assert!(fail(folder.path(), &["restore", "missing.db", "--replace"]).contains("missing.db"));
    succeed(folder.path(), &["restore", "one.db", "--replace"]);
    succeed(folder.path(), &["doctor"]);
    assert!(folder.path().join("muster-data/muster.db.before-restore").exists());
    let server = Server::start_in(folder, &[]);
    let tree = server.send("GET", "/v3/groups/tree", &token, None).body.to_string();
    assert!(tree.contains("North") && !tree.contains("South"), "{tree}");

    // On another machine: the backup and the key, nothing else.
    let other = Place::file();
    fs::copy(server.folder().join("one.db"), other.path().join("one.db")).unwrap();
    assert!(fail(other.path(), &["restore", "one.db"]).contains("server key"));
    assert!(!other.path().join("muster-data/muster.db").exists());
    fs::create_dir_all(other.path().join("muster-data")).unwrap();
    fs::copy(server.folder().join("muster-data/server.key"), other.path().join("muster-data/server.key"))
        .unwrap();
    succeed(other.path(), &["restore", "one.db"]);
    let server = Server::start_in(other, &[]);
    assert_eq!(server.send("GET", "/v3/auth/profile", &token, None).status, 200);
}

#[test]
fn a_rotated_key_opens_what_the_one_of_before_has_sealed() {
    let folder = Place::file();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    succeed(folder.path(), &["backup", "old.db"]);
    let key = folder.path().join("muster-data/server.key");
    let before = fs::read_to_string(&key).unwrap();
    let said = succeed(folder.path(), &["key", "rotate"]);
    assert!(said.contains("1 secret is sealed"), "{said}");
    let after = fs::read_to_string(&key).unwrap();
    assert_ne!(before, after);
    assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    succeed(folder.path(), &["doctor"]);
    // The key of before is kept, and opens the backup of before.
    let kept = said.split("kept as ").nth(1).unwrap().trim().trim_end_matches('.');
    assert_eq!(fs::read_to_string(folder.path().join(kept)).unwrap(), before);
    let old = |folder: &Path, hex: &str| {
        let args = ["restore", "old.db", "--database", "sqlite:old/muster.db"];
        muster(folder, &args).env("MUSTER_SECRET_KEY", hex.trim()).output().unwrap().status.success()
    };
    assert!(!old(folder.path(), &after));
    assert!(old(folder.path(), &before));
}

#[test]
fn a_rotation_that_was_broken_off_is_finished() {
    let folder = Place::file();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    let data = folder.path().join("muster-data");
    let before = fs::read(data.join("server.key")).unwrap();
    succeed(folder.path(), &["key", "rotate"]);
    // As if the process had ended right after the commit.
    fs::rename(data.join("server.key"), data.join("server.key.next")).unwrap();
    fs::write(data.join("server.key"), &before).unwrap();
    succeed(folder.path(), &["doctor"]);
    assert_ne!(fs::read(data.join("server.key")).unwrap(), before);
    assert!(!data.join("server.key.next").exists());
}

#[test]
fn a_key_from_the_environment_is_rotated_there() {
    let folder = Place::file();
    let (one, two) = ("ab".repeat(32), "cd".repeat(32));
    let with = |args: &[&str], key: &str, new: Option<&str>| {
        let mut command = muster(folder.path(), args);
        command.env("MUSTER_SECRET_KEY", key);
        if let Some(new) = new {
            command.env("MUSTER_NEW_SECRET_KEY", new);
        }
        command.output().unwrap()
    };
    let create = ["tenant", "create", "--name", "Acme", "--admin-email", "ada@acme.example"];
    assert!(with(&create, &one, None).status.success());
    assert!(text(&with(&["key", "rotate"], &one, None).stderr).contains("MUSTER_NEW_SECRET_KEY"));
    assert!(with(&["key", "rotate"], &one, Some(&two)).status.success());
    assert!(!with(&["doctor"], &one, None).status.success());
    assert!(with(&["doctor"], &two, None).status.success());
    assert!(!folder.path().join("muster-data/server.key").exists());
}

#[test]
fn only_who_makes_something_makes_a_store() {
    let folder = Place::file();
    for command in [
        &["tenant", "list"][..],
        &["user", "set-password", "--email", "ada@acme.example"],
        &["credential", "list", "--tenant", "1"],
        &["journal", "--tenant", "1"],
        &["backup", "one.db"],
        &["doctor"],
        &["key", "rotate"],
    ] {
        assert!(fail(folder.path(), command).contains("no store at muster-data/muster.db"), "{command:?}");
    }
    assert!(!folder.path().join("muster-data").exists());
}

#[test]
fn the_key_is_not_rotated_under_a_running_server() {
    let server = Server::start_in(Place::file(), &[]);
    assert!(fail(server.folder(), &["key", "rotate"]).contains("another muster server"));
}

/// What each of these does to a store of two tenants with some groups and users, the doctor has to notice.
const DAMAGE: [(&str, &str); 35] = [
    ("UPDATE org_units SET parent_id = 5 WHERE id = 4", "not below the top of the tree: org unit 4"),
    ("UPDATE tenants SET top_org_unit_id = 3 WHERE id = 1", "the top of the tree is not 3"),
    ("UPDATE org_units SET status = 2 WHERE id = 3", "active under an archived parent: org unit 4"),
    ("UPDATE users SET org_unit_id = 2 WHERE id = 3", "in no org unit, or in an archived one: user 3"),
    ("DELETE FROM login_claims WHERE user_id = 3", "can log in, but the login is not kept for it: user 3"),
    ("UPDATE login_claims SET user_id = 99 WHERE user_id = 3", "a login is kept for user 99"),
    ("UPDATE users SET role = 2 WHERE id = 1", "no active Admin in the top unit of tenant 1"),
    ("UPDATE users SET status = 2 WHERE id = 1", "has a session, but is not active: user 1"),
    ("UPDATE tenant_state SET org_units = 7 WHERE tenant_id = 1", "7 org units are counted, but there are 4"),
    ("UPDATE users SET status = 3 WHERE id = 3", "active users are counted"),
    (
        "UPDATE tenant_state SET user_groups = 70 WHERE tenant_id = 1",
        "70 user groups are counted, but there are",
    ),
    (
        "DELETE FROM journal WHERE tenant_id = 1 AND sequence = 3",
        "of the journal's entries 1 to 10, 1 are missing",
    ),
    ("DELETE FROM journal WHERE tenant_id = 1 AND sequence < 3", "begins at 3, but it was trimmed up to 0"),
    ("DELETE FROM journal WHERE tenant_id = 1", "ends at 0, but its head is 10"),
    ("DROP INDEX users_login", "the index users_login is missing"),
    ("DROP TABLE login_claims", "the table login_claims is missing"),
    ("ALTER TABLE users ADD COLUMN age INTEGER", "the table users is not as muster makes it"),
    ("DELETE FROM server_key", "the fingerprint of the server key is missing"),
    ("UPDATE users SET aliases = '[' WHERE id = 3", "aliases is not understood): user 3"),
    ("UPDATE users SET role = 9 WHERE id = 3", "role is not understood): user 3"),
    ("UPDATE users SET uuid = x'00' WHERE id = 3", "user 3"),
    (
        "UPDATE users SET password_hash = 'secret' WHERE id = 1",
        "no password fits what is stored for it: user 1",
    ),
    ("UPDATE users SET timezone = 'Moon' WHERE id = 3", "there is no such time zone: user 3"),
    ("UPDATE org_units SET timezone = 'Moon' WHERE id = 4", "there is no such time zone: org unit 4"),
    ("UPDATE org_units SET status = 9 WHERE id = 5", "status of an org unit is not understood): org unit 5"),
    ("UPDATE tenants SET status = 9 WHERE id = 2", "status of a tenant is not understood): tenant 2"),
    (
        "UPDATE journal SET payload = '' WHERE sequence = 4",
        "journal payload is not understood): journal entry 4",
    ),
    ("UPDATE journal SET actor_kind = 9 WHERE sequence = 4", "actor is not understood): journal entry 4"),
    ("UPDATE credentials SET dialect = 9 WHERE id = 2", "dialect is not understood): credential 2"),
    ("UPDATE session_tokens SET kind = 9", "has a token that is not understood: user 1"),
    ("UPDATE tenant_state SET journal_sequence = 12 WHERE tenant_id = 1", "ends at 10, but its head is 12"),
    (
        "UPDATE org_units SET name = 'Else' WHERE id = 4",
        "the name is not the one it is compared by: org unit 4",
    ),
    ("UPDATE users SET first_name = 'Else' WHERE id = 3", "is not the one it is compared by: user 3"),
    ("UPDATE credentials SET secret_sealed = x'00' WHERE id = 2", "does not open the secret of credential 2"),
    ("UPDATE id_blocks SET next_id = 2 WHERE kind = 'user'", "users has id 3, but 2 is to be given out next"),
];

#[test]
fn the_doctor_notices_what_must_not_be() {
    let server = Server::start_in(Place::file(), &[]);
    create_tenant(server.folder(), "Acme", "ada@acme.example");
    create_tenant(server.folder(), "Other", "olga@other.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    for (name, parent) in [("North", 1), ("Team", 3), ("Deep", 4)] {
        let group = json!({"org_unit_name": name, "org_unit_parent_id": parent});
        assert_eq!(server.send("POST", "/v3/groups", &token, Some(&group)).status, 201);
    }
    let user =
        json!({"username": "bo@acme.example", "first_name": "Bo", "last_name": "Ek", "ct_user_ou_id": 4});
    assert_eq!(server.send("POST", "/v3/users", &token, Some(&user)).body["data"]["userId"], 3);
    assert!(succeed(server.folder(), &["doctor"]).contains("Nothing is wrong"));
    assert_eq!(succeed(server.folder(), &["doctor", "--json"]), "");
    let folder = server.stop();
    let sound = fs::read(folder.path().join("muster-data/muster.db")).unwrap();
    for (damage, finding) in DAMAGE {
        let connection = store(folder.path());
        connection.execute_batch(damage).unwrap();
        drop(connection);
        let output = run(folder.path(), &["doctor"]);
        let said = text(&output.stdout);
        assert!(!output.status.success() && said.contains(finding), "{damage}: {said}");
        fs::write(folder.path().join("muster-data/muster.db"), &sound).unwrap();
    }
    // An index that does not fit its rows.
    let connection = store(folder.path());
    connection
        .execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'name_key', 'login_key') WHERE name = 'users_name';",
        )
        .unwrap();
    drop(connection);
    let said = fail(folder.path(), &["doctor"]);
    assert!(said.contains("damaged") && said.contains("findings: "), "{said}");
}

#[test]
fn a_store_that_has_lost_its_fingerprint_gets_no_other_key() {
    let folder = Place::file();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    store(folder.path()).execute_batch("DELETE FROM server_key").unwrap();
    let key = folder.path().join("muster-data/server.key");
    let right = fs::read(&key).unwrap();
    let create = ["tenant", "create", "--name", "Other", "--admin-email", "olga@other.example"];
    fs::remove_file(&key).unwrap();
    assert!(fail(folder.path(), &create).contains("server key is missing"));
    assert!(!key.exists());
    fs::write(&key, "ab".repeat(32)).unwrap();
    assert!(fail(folder.path(), &create).contains("does not open the secret"));
    fs::write(&key, right).unwrap();
    succeed(folder.path(), &create);
    succeed(folder.path(), &["doctor"]);
}

#[test]
fn only_who_makes_a_store_brings_its_tables_up_to_date() {
    let folder = Place::file();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    store(folder.path()).execute_batch("UPDATE migrations SET version = 0").unwrap();
    for command in [&["tenant", "list"][..], &["doctor"], &["backup", "one.db"], &["key", "rotate"]] {
        let said = fail(folder.path(), command);
        assert!(said.contains("start `muster serve`"), "{command:?}: {said}");
    }
}

#[test]
fn the_server_forgets_what_has_expired_and_what_is_too_old() {
    let folder = Place::file();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    let server = Server::start_in(folder, &[]);
    server.log_in("ada@acme.example", PASSWORD).unwrap();
    let folder = server.stop();
    store(folder.path())
        .execute_batch(
            "UPDATE session_tokens SET expires_at = 1; UPDATE journal SET at = 1 WHERE sequence < 4",
        )
        .unwrap();
    let rows = |folder: &Path, table: &str| -> i64 {
        store(folder).query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let server = Server::start_in(folder, &["--journal-retention", "30"]);
    for _ in 0..100 {
        if rows(server.folder(), "session_tokens") == 0 && rows(server.folder(), "journal") == 3 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!((rows(server.folder(), "session_tokens"), rows(server.folder(), "journal")), (0, 3));
    succeed(server.folder(), &["doctor"]);
}
