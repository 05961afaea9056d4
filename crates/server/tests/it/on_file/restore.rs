//! Putting a backup in the place of a store, in whatever state that is.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, fail, succeed};
use rusqlite::Connection;

const STORE: &str = "muster-data/muster.db";

/// A folder with a store of one tenant, `Acme`, and `one.db`, a backup of it.
fn backed_up() -> Place {
    let folder = Place::file();
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    succeed(folder.path(), &["backup", "one.db"]);
    folder
}

/// The files beside the store whose names contain `part`, in their order.
fn beside(folder: &Path, part: &str) -> Vec<String> {
    let files = fs::read_dir(folder.join("muster-data")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.contains(part)).collect();
    names.sort_unstable();
    names
}

fn file(folder: &Path, suffix: &str) -> PathBuf {
    folder.join(format!("{STORE}{suffix}"))
}

#[test]
fn a_damaged_store_goes_out_of_the_way_as_it_is() {
    let server = Server::start_in(backed_up(), &[]);
    server.log_in("ada@acme.example", PASSWORD).unwrap();
    let folder = server.kill();
    let folder = folder.path();
    let log = fs::read(file(folder, "-wal")).unwrap();
    assert!(!log.is_empty());
    // The log must not heal the first page: it is of another life of the file.
    let log: Vec<u8> = log.iter().map(|byte| byte ^ 0x55).collect();
    fs::write(file(folder, "-wal"), &log).unwrap();
    let mut damaged = fs::read(file(folder, "")).unwrap();
    damaged[..4096].fill(7);
    fs::write(file(folder, ""), &damaged).unwrap();

    let said = succeed(folder, &["restore", "one.db", "--replace"]);
    assert!(said.contains("muster.db.before-restore."), "{said}");
    assert_eq!(fs::read(file(folder, ".before-restore")).unwrap(), damaged);
    assert_eq!(fs::read(file(folder, ".before-restore-wal")).unwrap(), log);
    assert_eq!(beside(folder, ".restoring"), Vec::<String>::new());
    succeed(folder, &["doctor"]);
    assert!(succeed(folder, &["tenant", "list"]).contains("Acme"));

    // One whose end is missing is replaced too.
    fs::OpenOptions::new().write(true).open(file(folder, "")).unwrap().set_len(3 * 4096).unwrap();
    succeed(folder, &["restore", "one.db", "--replace"]);
    succeed(folder, &["doctor"]);
    assert!(file(folder, ".before-restore-2").exists());
}

#[test]
fn no_store_of_before_is_overwritten() {
    let folder = backed_up();
    let folder = folder.path();
    let mut kept = Vec::new();
    for name in ["Second", "Third", "Fourth"] {
        create_tenant(folder, name, &format!("{name}@acme.example"));
        let said = succeed(folder, &["restore", "one.db", "--replace"]);
        let aside = said.split("kept as ").nth(1).unwrap().trim().trim_end_matches('.').to_owned();
        kept.push((name, aside));
    }
    for (name, aside) in kept {
        let url = format!("sqlite:{aside}");
        let args = ["tenant", "list", "--database", &url, "--data-dir", "muster-data"];
        assert!(succeed(folder, &args).contains(name), "{aside}");
    }
}

#[test]
fn a_restore_that_fails_leaves_the_store_in_its_place() {
    let folder = backed_up();
    let folder = folder.path();
    create_tenant(folder, "Other", "olga@other.example");
    // Somebody else has the store open.
    let other = Connection::open(file(folder, "")).unwrap();
    other.query_row("SELECT COUNT(*) FROM tenants", [], |_| Ok(())).unwrap();
    assert!(fail(folder, &["restore", "one.db", "--replace"]).contains("a command is working on the store"));
    assert_eq!(beside(folder, "restor"), Vec::<String>::new());
    // At the last step before the new one gets its name.
    other.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(other);
    fs::create_dir(file(folder, "-shm")).unwrap();
    fail(folder, &["restore", "one.db", "--replace"]);
    assert_eq!(beside(folder, ".restoring"), Vec::<String>::new());
    fs::remove_dir(file(folder, "-shm")).unwrap();
    assert!(succeed(folder, &["tenant", "list"]).contains("Other"));
}

#[test]
fn a_backup_of_a_newer_release_is_refused() {
    let folder = backed_up();
    let folder = folder.path();
    let backup = Connection::open(folder.join("one.db")).unwrap();
    backup.execute_batch("INSERT INTO migrations (version, applied_at) VALUES (999, 0)").unwrap();
    drop(backup);
    assert!(fail(folder, &["restore", "one.db", "--replace"]).contains("written by a newer release"));
    assert!(succeed(folder, &["tenant", "list"]).contains("Acme"));
}

#[test]
fn a_backup_of_before_a_rotation_names_the_key_it_needs() {
    let folder = backed_up();
    let folder = folder.path();
    let said = succeed(folder, &["key", "rotate"]);
    let kept = said.split("kept as ").nth(1).unwrap().trim().trim_end_matches('.').to_owned();
    let refused = fail(folder, &["restore", "one.db", "--replace"]);
    assert!(refused.contains(&format!("the one of before a rotation is: {kept};")), "{refused}");
    let name = kept.rsplit('/').next().unwrap();
    let key = file(folder, "").with_file_name("server.key");
    fs::rename(folder.join(&kept), folder.join("away")).unwrap();
    assert!(fail(folder, &["restore", "one.db", "--replace"]).contains(&format!("kept as {name})")));
    fs::copy(folder.join("away"), key).unwrap();
    succeed(folder, &["restore", "one.db", "--replace"]);
    succeed(folder, &["doctor"]);
}

#[test]
fn what_takes_a_files_place_is_whose_that_was() {
    let folder = backed_up();
    let folder = folder.path();
    let data = folder.join("muster-data");
    // Whoever is not root gives nothing away, and need not.
    let made = fs::metadata(&data).unwrap();
    let (uid, gid) = if made.uid() == 0 { (4321, 4322) } else { (made.uid(), made.gid()) };
    chown(&data, Some(uid), Some(gid)).unwrap();
    fs::remove_file(file(folder, ".server-lock")).unwrap_or_default();
    for name in ["muster.db", "server.key"] {
        chown(data.join(name), Some(uid), Some(gid)).unwrap();
        fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o640)).unwrap();
    }
    succeed(folder, &["restore", "one.db", "--replace"]);
    succeed(folder, &["key", "rotate"]);
    let check = |name: &str, mode: Option<u32>| {
        let made = fs::metadata(data.join(name)).unwrap();
        assert_eq!((made.uid(), made.gid()), (uid, gid), "{name}");
        assert!(mode.is_none_or(|mode| made.mode() & 0o777 == mode), "{name}: {:o}", made.mode());
    };
    check("muster.db", Some(0o640));
    check("server.key", Some(0o640));
    check(&beside(folder, "server.key.before-").remove(0), Some(0o640));
    check("muster.db.server-lock", None);
    // What is new belongs to whoever owns the folder.
    for name in ["muster.db", "muster.db-wal", "muster.db-shm"] {
        fs::remove_file(data.join(name)).unwrap_or_default();
    }
    fs::copy(data.join(beside(folder, "server.key.before-").remove(0)), data.join("server.key")).unwrap();
    succeed(folder, &["restore", "one.db"]);
    check("muster.db", Some(0o600));
}

#[test]
fn what_the_system_says_is_said_once() {
    let folder = backed_up();
    let said = fail(folder.path(), &["backup", "nowhere/one.db"]);
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[test]
fn a_backup_does_not_write_through_what_was_left_behind() {
    let folder = backed_up();
    let folder = folder.path();
    fs::write(folder.join("elsewhere"), "").unwrap();
    std::os::unix::fs::symlink("elsewhere", folder.join("two.db.partial")).unwrap();
    succeed(folder, &["backup", "two.db"]);
    assert_eq!(fs::read(folder.join("elsewhere")).unwrap(), b"");
    assert!(fs::symlink_metadata(folder.join("two.db")).unwrap().is_file());
}
