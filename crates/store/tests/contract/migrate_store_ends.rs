//! What is not copied, and not copied to; and whom a copy keeps away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use muster_store::{KeySource, Limits, MigrateError, OpenError, Options, Step};

use crate::migrate_store::{copy, filled};
use crate::support::{Backend, FixedClock, SeededEntropy};

contract![
    a_source_that_a_server_uses_is_refused,
    nobody_writes_to_the_source_meanwhile,
    what_is_no_beginning_of_this_copy_is_left_alone,
    a_target_that_was_tampered_with_is_noticed,
];

fn quiet(_: Step<'_>) {}

async fn a_source_that_a_server_uses_is_refused<B: Backend>() {
    let world = filled::<B>().await;
    let server = Options { as_server: true, ..world.backend.options() };
    let source = world.closed().await;
    let (clock, entropy) = (FixedClock::default(), SeededEntropy::new(0));
    let (store, _) = muster_store::open(&server, &clock, &entropy).await.unwrap();
    let target = B::Other::create();
    let outcome = copy(&source.options(), &target.options(), &mut quiet).await;
    assert!(
        matches!(outcome, Err(MigrateError::Source(OpenError::Locked(_) | OpenError::InUse))),
        "{outcome:?}"
    );
    store.close().await;
    drop(store);
    copy(&source.options(), &target.options(), &mut quiet).await.unwrap();
}

async fn nobody_writes_to_the_source_meanwhile<B: Backend>() {
    let source = Arc::new(filled::<B>().await.closed().await);
    let target = B::Other::create();
    let written = Arc::new(AtomicBool::new(false));
    let mut writer = None;
    copy(&source.options(), &target.options(), &mut |step| match step {
        Step::Begun { .. } => {
            let (source, written) = (Arc::clone(&source), Arc::clone(&written));
            writer = Some(std::thread::spawn(move || {
                source.tamper("UPDATE tenant_state SET tree_version = tree_version + 1");
                written.store(true, Ordering::SeqCst);
            }));
        }
        Step::Completing => {
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert!(!written.load(Ordering::SeqCst));
        }
        _ => {}
    })
    .await
    .unwrap();
    let joined = tokio::task::spawn_blocking(move || writer.map(std::thread::JoinHandle::join));
    joined.await.unwrap().unwrap().unwrap();
    assert!(written.load(Ordering::SeqCst));
}

async fn what_is_no_beginning_of_this_copy_is_left_alone<B: Backend>() {
    let source = filled::<B>().await.closed().await;
    let target = B::Other::create();
    let (from, to) = (source.options(), target.options());
    assert!(matches!(copy(&from, &from, &mut quiet).await, Err(MigrateError::Same)));
    // Another key is where the key would be.
    let other_key = Options { key: KeySource::Given("ab".repeat(32)), ..to.clone() };
    let outcome = copy(&from, &other_key, &mut quiet).await;
    assert!(matches!(outcome, Err(MigrateError::Target(OpenError::Key(_)))), "{outcome:?}");
    let outcome = copy(&to, &from, &mut quiet).await;
    assert!(matches!(outcome, Err(MigrateError::Source(_))), "there is no store: {outcome:?}");

    // A store of its own, be it an empty one.
    let store = B::Other::create();
    store.open(Limits::default()).0.close().await;
    let dump = store.dump();
    let outcome = copy(&from, &store.options(), &mut quiet).await;
    assert!(matches!(outcome, Err(MigrateError::Target(OpenError::Occupied))), "{outcome:?}");
    assert_eq!(store.dump(), dump);

    // The beginnings of another copy.
    target.tamper(&format!(
        "CREATE TABLE store_copy (only_row INTEGER, of {}); INSERT INTO store_copy VALUES (1, {})",
        if is_file(&to) { "BLOB" } else { "BYTEA" },
        B::Other::bytes(&[7; 32])
    ));
    let outcome = copy(&from, &to, &mut quiet).await;
    assert!(matches!(outcome, Err(MigrateError::Target(OpenError::OtherCopy))), "{outcome:?}");

    // A source of another release, and one that is itself no complete copy.
    source.tamper("INSERT INTO migrations (version, applied_at) VALUES (999, 0)");
    let outcome = copy(&from, &to, &mut quiet).await;
    assert!(matches!(outcome, Err(MigrateError::Source(OpenError::Newer { .. }))), "{outcome:?}");
    source.tamper("DELETE FROM migrations WHERE version = 999; UPDATE migrations SET version = 0");
    let outcome = copy(&from, &to, &mut quiet).await;
    let is_older =
        matches!(outcome, Err(MigrateError::Source(OpenError::Older { .. } | OpenError::Missing(_))));
    assert!(is_older, "{outcome:?}");
    source.tamper("UPDATE migrations SET version = 1; CREATE TABLE store_copy (of INTEGER)");
    let outcome = copy(&from, &to, &mut quiet).await;
    assert!(matches!(outcome, Err(MigrateError::Source(OpenError::Incomplete))), "{outcome:?}");
}

fn is_file(options: &Options) -> bool {
    options.url.starts_with("sqlite:")
}

async fn a_target_that_was_tampered_with_is_noticed<B: Backend>() {
    let source = filled::<B>().await.closed().await;
    let tenant = source.look("SELECT MAX(tenant_id) FROM contacts");
    for (sql, name) in [
        (
            format!(
                "UPDATE contacts SET a = 'x' WHERE id = (SELECT MIN(id) FROM contacts WHERE tenant_id = {tenant})"
            ),
            "contacts",
        ),
        (
            format!("DELETE FROM users WHERE id = (SELECT MAX(id) FROM users WHERE tenant_id = {tenant})"),
            "users",
        ),
        ("UPDATE id_blocks SET next_id = 1 WHERE kind = 'user'".to_owned(), "id_blocks"),
    ] {
        let target = B::Other::create();
        let tampering = |step: Step<'_>| {
            if let Step::Copied { table: "journal", .. } = step {
                target.tamper(&sql);
            }
        };
        let outcome = copy(&source.options(), &target.options(), &mut { tampering }).await;
        let Err(MigrateError::Differs { table, tenant: whose, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        let of_nobody = name == "id_blocks";
        assert_eq!((table, whose.map(|id| id.0)), (name, (!of_nobody).then_some(tenant)));
        // It is healed by starting again.
        let mut anew = false;
        copy(&source.options(), &target.options(), &mut |step| anew |= matches!(step, Step::Anew))
            .await
            .unwrap();
        assert!(anew);
        let back = B::create();
        copy(&target.options(), &back.options(), &mut quiet).await.unwrap();
        assert_eq!(back.dump(), source.dump());
    }
}
