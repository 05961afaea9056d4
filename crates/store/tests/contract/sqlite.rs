//! What only the embedded store has: its file, its lock, its key and its versions.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use muster_domain::{Batch, Store as _, StoreError};
use muster_store::{KeySource, Limits, OpenError, Options};

use crate::support::{Backend as _, Sqlite};
use crate::world::{World, commit_with_poison, entry};

/// The text of the key error with which a store is refused.
fn key_error(options: &Options) -> String {
    match Sqlite::open_with(options).map(drop) {
        Err(OpenError::Key(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_second_server_is_refused_and_a_command_is_not() {
    let database = Sqlite::create();
    let server = Options { as_server: true, ..database.options() };
    let first = Sqlite::open_with(&server).unwrap();
    assert!(matches!(Sqlite::open_with(&server).map(drop), Err(OpenError::Locked(_))));
    let command = Sqlite::open_with(&database.options()).unwrap();
    command.0.ready().await.unwrap();
    assert!(matches!(Sqlite::open_with(&server).map(drop), Err(OpenError::Locked(_))));
    drop(first);
    Sqlite::open_with(&server).unwrap();
}

#[tokio::test]
async fn a_command_does_not_keep_a_server_away() {
    let database = Sqlite::create();
    let _command = Sqlite::open_with(&database.options()).unwrap();
    Sqlite::open_with(&Options { as_server: true, ..database.options() }).unwrap();
}

#[test]
fn stores_opened_at_once_on_one_file_agree_on_the_key() {
    let database = Sqlite::create();
    let fingerprints: Vec<[u8; 32]> = std::thread::scope(|scope| {
        let open = || Sqlite::open_with(&database.options()).unwrap().1.fingerprint();
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (_store, key) = database.open(Limits::default());
    assert!(fingerprints.iter().all(|fingerprint| *fingerprint == key.fingerprint()));
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let database = Sqlite::create();
    database.open(Limits::default());
    database.tamper("INSERT INTO migrations (version, applied_at) VALUES (999, 0)");
    let outcome = Sqlite::open_with(&database.options()).map(drop);
    assert!(matches!(outcome, Err(OpenError::Newer { found: 999, known: 1.. })), "{outcome:?}");
    database.tamper("DELETE FROM migrations WHERE version = 999");
    Sqlite::open_with(&database.options()).unwrap();
}

#[test]
fn the_key_is_made_for_its_owner_only() {
    let database = Sqlite::create();
    let folder = database.folder.path().join("deep/data");
    let options = Options { key: KeySource::Folder(folder.clone()), ..database.options() };
    let (_store, key) = Sqlite::open_with(&options).unwrap();
    let file = folder.join("server.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.trim().len(), 64);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
    // Who has the text has the key.
    let given = Options { key: KeySource::Given(text), ..database.options() };
    assert_eq!(Sqlite::open_with(&given).unwrap().1.fingerprint(), key.fingerprint());
}

#[test]
fn a_store_is_not_opened_without_its_key() {
    let database = Sqlite::create();
    let (_store, key) = database.open(Limits::default());
    let file = database.folder.path().join("server.key");
    let right = fs::read_to_string(&file).unwrap();

    fs::remove_file(&file).unwrap();
    assert!(key_error(&database.options()).contains("missing"));
    assert!(!file.exists(), "a lost key is not replaced");
    fs::write(&file, "ab".repeat(32)).unwrap();
    assert!(key_error(&database.options()).contains("not the one"));
    for broken in ["", "zz", &"g".repeat(64), &"a".repeat(63), &"ä".repeat(32)] {
        fs::write(&file, broken).unwrap();
        assert!(key_error(&database.options()).contains("64 hexadecimal"), "{broken}");
    }
    fs::write(&file, right).unwrap();
    assert_eq!(Sqlite::open_with(&database.options()).unwrap().1.fingerprint(), key.fingerprint());
}

#[test]
fn a_given_key_goes_before_the_folder_and_is_checked() {
    let database = Sqlite::create();
    let given = |text: &str| Options { key: KeySource::Given(text.to_owned()), ..database.options() };
    assert!(key_error(&given("no key")).contains("64 hexadecimal"));
    let (_store, key) = Sqlite::open_with(&given(&"AB".repeat(32))).unwrap();
    assert!(!database.folder.path().join("server.key").exists());
    assert!(key_error(&given(&"cd".repeat(32))).contains("not the one"));
    let again = Sqlite::open_with(&given(&format!("  {}\n", "ab".repeat(32)))).unwrap();
    assert_eq!(again.1.fingerprint(), key.fingerprint());
    assert!(!format!("{:?}", given(&"ab".repeat(32))).contains("abab"), "the key is not shown");
}

#[test]
fn only_urls_of_sqlite_are_understood() {
    let database = Sqlite::create();
    for url in ["", "sqlite:", "mysql://host/db", "muster.db"] {
        let options = Options { url: url.to_owned(), ..database.options() };
        let outcome = Sqlite::open_with(&options).map(drop);
        assert!(matches!(outcome, Err(OpenError::Url(_))), "{url}: {outcome:?}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let database = Sqlite::create();
    let text = "a letter to a friend, not a database. ".repeat(100);
    fs::write(database.file(), &text).unwrap();
    assert!(Sqlite::open_with(&database.options()).is_err());
    assert_eq!(fs::read_to_string(database.file()).unwrap(), text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_ends_the_transaction_harms_no_other() {
    let world = World::<Sqlite>::new();
    let org = world.org("acme").await;
    let made = world.journal(&org).await.len();
    // As a full disk does: SQLite rolls the whole transaction back by itself.
    world.backend.tamper(
        "CREATE TRIGGER poison BEFORE INSERT ON org_units WHEN NEW.name = 'poison'
         BEGIN SELECT RAISE(ROLLBACK, 'poisoned'); END",
    );
    let done = commit_with_poison(&world, &org).await;
    let records = world.journal(&org).await;
    assert_eq!(records[made..].iter().map(|record| record.entity_id.clone()).collect::<Vec<_>>(), done);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_says_so_and_can_be_read() {
    let world = World::<Sqlite>::new();
    let org = world.org("acme").await;
    world.backend.tamper(
        "CREATE TRIGGER full BEFORE UPDATE ON tenant_state BEGIN SELECT RAISE(ABORT, 'no more'); END",
    );
    // The head of the journal is written once for a group, after its batches.
    let outcome = world.store().commit(Batch::new(org.tenant).journal(entry(&org, 1))).await;
    assert!(matches!(outcome, Err(StoreError::Internal(_))), "{outcome:?}");
    assert_eq!(world.journal(&org).await.len(), 6);
    world.backend.tamper("DROP TRIGGER full");
    world.store().commit(Batch::new(org.tenant).journal(entry(&org, 2))).await.unwrap();
    assert_eq!(world.journal(&org).await.len(), 7);
}
