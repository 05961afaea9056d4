//! What only PostgreSQL has: a schema for several nodes, connections that are lost, versions.

use std::fs;

use muster_domain::credential::{CredentialStore as _, seal_context};
use muster_domain::org_unit::OrgUnitStore as _;
use muster_domain::secret::{ServerKey, hex};
use muster_domain::tenant::TenantStore as _;
use muster_domain::{Batch, Store as _, StoreError};
use muster_store::{KeySource, Limits, OpenError, Options};

use crate::support::{Backend as _, FixedClock, SeededEntropy};
use crate::support_postgres::Postgres;
use crate::world::{World, commit_with_poison, entry, unit_insert};

async fn refusal(options: &Options) -> OpenError {
    match Postgres::open_with(options).await {
        Err(error) => error,
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_keys_and_unique_indexes_begin_with_the_tenant() {
    let database = Postgres::create();
    database.open(Limits::default());
    // Indexes whose first column is not the tenant's id, as table and name.
    let others = database.texts(
        "SELECT c.relname || ' ' || i.relname FROM pg_index x
         JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
         JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
         WHERE c.relnamespace = CAST(current_schema AS regnamespace) AND x.indisunique AND a.attname <> 'tenant_id'
         ORDER BY 1",
    );
    let global = [
        "carrier_parts carrier_parts_pkey",
        "id_blocks id_blocks_pkey",
        "login_claims login_claims_pkey",
        "migrations migrations_pkey",
        "object_garbage object_garbage_pkey",
        "price_table price_table_pkey",
        "prices prices_pkey",
        "server_key server_key_pkey",
        "tenants tenants_organization_id_key",
        "tenants tenants_pkey",
    ];
    assert_eq!(others, global);
    // What refers to a row names its tenant; whatever has a tenant has a primary key.
    let across = database.texts(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = CAST(current_schema AS regnamespace) AND contype = 'f'
             AND pg_get_constraintdef(oid) NOT LIKE 'FOREIGN KEY (tenant_id, %) REFERENCES %(tenant_id, %)'
             AND pg_get_constraintdef(oid) NOT LIKE 'FOREIGN KEY (tenant_id) REFERENCES tenants(id)'",
    );
    assert_eq!(across, Vec::<String>::new());
    let portable = database.texts(
        "SELECT DISTINCT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
         WHERE table_schema = current_schema
             AND (data_type NOT IN ('bigint', 'text', 'bytea') OR (data_type = 'text' AND collation_name <> 'C'))",
    );
    assert_eq!(portable, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_have_the_same_tables() {
    let database = Postgres::create();
    database.open(Limits::default());
    let file = crate::support::Sqlite::create();
    file.open(Limits::default());
    let columns = "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
                   WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1";
    let connection = file.raw();
    let mut statement = connection.prepare(columns).unwrap();
    let of_file = statement.query_map([], |row| row.get(0)).unwrap();
    let of_file: Vec<String> = of_file.map(Result::unwrap).collect();
    let of_database = database.texts(
        "SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = current_schema ORDER BY CAST(table_name || '.' || column_name AS TEXT) COLLATE \"C\"",
    );
    assert_eq!(of_database, of_file);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_opened_at_once_on_one_database_agree() {
    let database = Postgres::create();
    let options = database.options();
    let opened = (0..6).map(|_| {
        let options = options.clone();
        async move { Postgres::open_with(&options).await.unwrap().1.fingerprint() }
    });
    let fingerprints = crate::support::all_at_once(opened.collect::<Vec<_>>()).await;
    assert!(fingerprints.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(database.look("SELECT COUNT(*) FROM migrations"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_newer_or_sealed_otherwise_is_refused() {
    let database = Postgres::create();
    let command = Options { create: false, ..database.options() };
    assert!(matches!(refusal(&command).await, OpenError::Missing(_)));
    assert_eq!(database.look("SELECT COUNT(to_regclass('tenants'))"), 0, "a command makes no tables");
    let (_store, key) = database.open(Limits::default());
    assert_eq!(Postgres::open_with(&command).await.unwrap().1.fingerprint(), key.fingerprint());

    let file = database.folder.path().join("server.key");
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, "ab".repeat(32)).unwrap();
    assert!(matches!(refusal(&command).await, OpenError::Key(_)));
    let given = Options { key: KeySource::Given(right), ..command.clone() };
    Postgres::open_with(&given).await.unwrap();

    database.tamper("INSERT INTO migrations (version, applied_at) VALUES (999, 0)");
    assert!(matches!(refusal(&given).await, OpenError::Newer { found: 999, known: 1.. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_reached_is_said_to_be_without_its_password() {
    let database = Postgres::create();
    for (url, why) in [
        ("postgres://ann:secret@127.0.0.1:1/muster", "refused"),
        ("postgres://ann:secret@127.0.0.1:1/muster?sslmode=perhaps", "sslmode"),
        ("postgres://ann:secret@127.0.0.1:1/muster?colour=red", "colour"),
    ] {
        let text = refusal(&Options { url: url.to_owned(), ..database.options() }).await.to_string();
        assert!(text.contains(why) && !text.contains("secret"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_as_private_as_was_asked_for() {
    let database = Postgres::create();
    let url = database.options().url.replace("sslmode=disable", "sslmode=MODE");
    let root = std::env::var("MUSTER_TEST_POSTGRES_ROOT").unwrap();
    let with = |mode: &str, root: Option<&str>, host: &str| {
        let root = root.map(|file| format!("&sslrootcert={file}")).unwrap_or_default();
        let url = url.replace("127.0.0.1", host).replace("MODE", &format!("{mode}{root}"));
        Options { url, ..database.options() }
    };
    let (here, root) = ("127.0.0.1", Some(root.as_str()));
    for (options, is_private) in [
        (with("disable", None, here), false),
        (with("prefer", None, here), true),
        (with("require", None, here), true),
        (with("verify-ca", root, here), true),
        // The certificate is for the address alone.
        (with("verify-ca", root, "localhost"), true),
        (with("verify-full", root, here), true),
    ] {
        let (store, _) = Postgres::open_with(&options).await.unwrap();
        let private = format!(
            "SELECT COUNT(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE ssl = {is_private} AND application_name = '{}'",
            database.schema.name
        );
        assert!(database.look(&private) > 0, "{}", options.url);
        store.close().await;
        drop(store);
        database.hang_up();
    }
    for options in [
        with("verify-full", root, "localhost"),
        // The root is none that the system knows.
        with("verify-ca", None, here),
        with("verify-full", None, here),
    ] {
        let text = refusal(&options).await.to_string();
        assert!(text.contains("certificate"), "{text}");
    }
}

/// A lost connection is found out by the one who uses it: what only reads, or was not committed, is answered with
/// `Unavailable` or done on another connection, and soon all is well again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_whose_connections_are_lost_goes_on() {
    let world = World::<Postgres>::new();
    let org = world.org("acme").await;
    for round in 0..5 {
        world.backend.hang_up();
        let unit = world.unit(&org, org.top, &format!("unit {round}")).await;
        let batch = Batch::new(org.tenant).change(unit_insert(&unit)).journal(entry(&org, unit.id));
        let mut tries = 0;
        while let Err(error) = world.store().commit(batch.clone()).await {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            tries += 1;
            assert!(tries < 100, "{error}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(world.stored_unit(&org, unit.id).await, unit);
    }
    world.is_sound().await;
}

/// A batch that breaks the rules of the database alone takes none of its group with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_fails_as_a_whole_is_tried_one_by_one() {
    let world = World::<Postgres>::new();
    let org = world.org("acme").await;
    world.backend.tamper(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF NEW.name = 'poison' THEN RAISE EXCEPTION 'poisoned'; END IF; RETURN NEW; END $$;
         CREATE CONSTRAINT TRIGGER poison AFTER INSERT ON org_units DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION poison()",
    );
    commit_with_poison(&world, &org).await;
    assert_eq!(world.journal(&org).await.len(), 6 + 18);
    world.is_sound().await;
}

/// Two groups that take the same claims in opposite orders wait for each other, which the database ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_wait_for_each_other_both_end() {
    let world = World::<Postgres>::new();
    let (first, second) = (world.org("first").await, world.org("second").await);
    for round in 0..3 {
        let mut batches = Vec::new();
        for (org, logins) in [(&first, ["a", "b"]), (&second, ["b", "a"])] {
            let mut batch = Batch::new(org.tenant);
            for login in logins {
                let user = world.user(org, org.top, &format!("{login}{round}")).await;
                let claimed = muster_domain::user::User { login_claimed: true, ..user };
                batch = batch.change(crate::world::user_insert(&claimed));
            }
            batches.push((world.node(), batch));
        }
        let tasks = batches.into_iter().map(|(node, batch)| async move { node.store.commit(batch).await });
        let outcomes = crate::support::all_at_once(tasks.collect::<Vec<_>>()).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(
            outcomes.iter().any(|outcome| matches!(outcome, Err(StoreError::Duplicate(_)))),
            "{outcomes:?}"
        );
    }
}

/// Ids that several nodes take at once are all different, and so are the tenants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_never_give_out_an_id_twice() {
    let world = World::<Postgres>::new();
    let tasks = (0..16).map(|n| {
        let node = world.node();
        async move {
            let mut ids = Vec::new();
            for m in 0..200_u32 {
                let count = 1 + (n + m) % 7;
                let first = node.store.next_ids(muster_domain::IdKind::Contact, count).await.unwrap();
                ids.extend(first..first + i64::from(count));
            }
            ids
        }
    });
    let mut ids = crate::support::all_at_once(tasks.collect::<Vec<_>>()).await.concat();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

/// What one node writes the others see with their next request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_sees_at_once_what_another_has_written() {
    let world = World::<Postgres>::new();
    let org = world.org("acme").await;
    let (one, other) = (world.node(), world.node());
    for round in 0..20 {
        let unit = world.unit(&org, org.top, &format!("unit {round}")).await;
        let (writer, reader) = if round % 2 == 0 { (&one, &other) } else { (&other, &one) };
        writer.store.commit(Batch::new(org.tenant).change(unit_insert(&unit))).await.unwrap();
        let units = reader.store.tenant_counts(org.tenant).await.unwrap().unwrap().org_units;
        assert_eq!(units, round + 2);
    }
}

/// A read that nobody waits for any more does not keep its place for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_is_given_up_makes_room() {
    let world = World::<Postgres>::with(Limits { scans: 1, ..Limits::default() });
    let org = world.org("acme").await;
    for _ in 0..20 {
        let read = world.store().org_unit_ids(org.tenant, org.top);
        // Now and then it is done before.
        let _ = tokio::time::timeout(std::time::Duration::from_micros(300), read).await;
    }
    let read = world.store().org_unit_ids(org.tenant, org.top);
    assert_eq!(read.await.unwrap(), [org.top]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_key_is_rotated_when_no_server_runs() {
    let world = World::<Postgres>::new();
    // With an Onlive key, whose secret is sealed.
    let org = world.org("acme").await;
    let options = Options { as_server: true, ..world.backend.options() };
    let clock = FixedClock::default();
    let rotate =
        async |seed: u64| muster_store::rotate_key(&options, None, &clock, &SeededEntropy::new(seed)).await;
    let (store, old) = Postgres::open_with(&options).await.unwrap();
    assert!(matches!(rotate(1).await, Err(OpenError::InUse)));
    store.close().await;
    drop(store);
    let mut tries = 0;
    let rotation = loop {
        match rotate(2).await {
            Ok(rotation) => break rotation,
            // The database notices a while later that the server is gone.
            Err(OpenError::InUse) if tries < 500 => tries += 1,
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(rotation.secrets, 1);
    let kept = fs::read_to_string(rotation.kept.unwrap()).unwrap();
    assert_eq!(kept.trim(), hex(old.expose()));
    let (store, new) = Postgres::open_with(&options).await.unwrap();
    assert_ne!(new.fingerprint(), old.fingerprint());
    let credentials = store.credentials(org.tenant).await.unwrap();
    let signer = credentials.iter().find(|credential| credential.secret_sealed.is_some()).unwrap();
    let opens = |key: &ServerKey| {
        key.open(&seal_context(org.tenant, signer.id), signer.secret_sealed.as_ref().unwrap()).is_some()
    };
    assert!(opens(&new) && !opens(&old));
}
