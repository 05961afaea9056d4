//! Stores of their own in the PostgreSQL that `MUSTER_TEST_POSTGRES` names: each is a schema, which takes a tenth of the
//! time that a database takes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread::JoinHandle;

use muster_domain::TenantId;
use muster_domain::secret::{ServerKey, hex};
use muster_store::{KeySource, Limits, OpenError, Options, Store};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::{Client, NoTls};

use crate::support::{Backend, FixedClock, SeededEntropy};

const VARIABLE: &str = "MUSTER_TEST_POSTGRES";

/// A schema, and a folder for the server key.
pub(crate) struct Postgres {
    pub(crate) name: String,
    pub(crate) folder: TempDir,
    /// A connection past the store.
    side: Mutex<Option<(Runtime, Client)>>,
}

/// The URL of the database, with this schema as the place of its tables.
fn url(schema: &str) -> String {
    let database = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: it is the URL of a database whose user may do anything, as in postgres://localhost/postgres. \
             crates/store/tests/postgres.sh COMMAND… runs a command with one of its own"
        )
    });
    let separator = if database.contains('?') { '&' } else { '?' };
    format!("{database}{separator}options=-c%20search_path%3D{schema}")
}

/// A connection and what drives it, for a thread of its own.
fn connect(schema: &str) -> (Runtime, Client) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url(schema), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    });
    (runtime, client)
}

impl Postgres {
    /// Does something past the store, whatever thread this is.
    fn on<T: Send>(&self, work: impl AsyncFnOnce(&Client) -> T + Send) -> T {
        let work = || {
            let mut side = self.side.lock().unwrap();
            let (runtime, client) = side.get_or_insert_with(|| connect(&self.name));
            runtime.block_on(work(client))
        };
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    fn execute(&self, sql: &str) {
        self.on(async |client| client.batch_execute(sql).await.unwrap());
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            url: format!("{}&application_name={}", url(&self.name), self.name),
            key: KeySource::Folder(self.folder.path().to_owned()),
            create: true,
            as_server: false,
            limits: Limits::default(),
        }
    }

    pub(crate) async fn open_with(options: &Options) -> Result<(Store, ServerKey), OpenError> {
        muster_store::open(options, &FixedClock::default(), &SeededEntropy::new(0)).await
    }

    /// Ends the connections of every store on this schema.
    pub(crate) fn hang_up(&self) {
        let connections = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'",
            self.name
        );
        self.execute(&connections);
    }

    /// The first column of what a query gives, as text.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        self.on(async |client| {
            let rows = client.query(sql, &[]).await.unwrap();
            rows.iter().map(|row| row.get::<_, String>(0)).collect()
        })
    }

    /// The tables that hold something of tenants, each with the column that names the tenant.
    fn tables(&self) -> Vec<(String, String)> {
        let tables = "SELECT table_name || '.' || column_name FROM information_schema.columns
                      WHERE table_schema = current_schema
                          AND column_name = CASE WHEN table_name = 'tenants' THEN 'id' ELSE 'tenant_id' END
                      ORDER BY 1";
        let tables = self.texts(tables).into_iter().map(|name| {
            let (table, column) = name.split_once('.').unwrap();
            (table.to_owned(), column.to_owned())
        });
        let tables: Vec<_> = tables.collect();
        assert!(tables.len() >= 8, "{tables:?}");
        tables
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.execute(&format!("DROP SCHEMA {} CASCADE", self.name));
        // A runtime ends on a thread that may wait.
        let side = self.side.lock().unwrap().take();
        std::thread::spawn(move || drop(side)).join().unwrap();
    }
}

impl Backend for Postgres {
    type Hold = Hold;

    const NODES: usize = 2;
    const KEY: &str = "tenant_id, id";
    const BROKEN_TEXT: Option<&str> = None;

    fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("muster_test_{}_{number}", std::process::id());
        let database = Self { name, folder: tempfile::tempdir().unwrap(), side: Mutex::default() };
        database.execute(&format!("CREATE SCHEMA {}", database.name));
        database
    }

    fn open(&self, limits: Limits) -> (Store, ServerKey) {
        let options = Options { limits, ..self.options() };
        tokio::task::block_in_place(|| Handle::current().block_on(Self::open_with(&options))).unwrap()
    }

    fn bytes(bytes: &[u8]) -> String {
        format!("CAST('\\x{}' AS BYTEA)", hex(bytes))
    }

    fn tamper(&self, sql: &str) {
        self.execute(&format!(
            "SET session_replication_role = replica; {sql}; SET session_replication_role = DEFAULT"
        ));
    }

    fn look(&self, sql: &str) -> i64 {
        self.on(async |client| client.query_one(sql, &[]).await.unwrap().get(0))
    }

    fn rows_of(&self, tenant: TenantId) -> Vec<(String, i64)> {
        let count = |(table, column)| {
            let rows = self.look(&format!("SELECT COUNT(*) FROM {table} WHERE {column} = {tenant}"));
            (table, rows)
        };
        self.tables().into_iter().map(count).filter(|(_, rows)| *rows > 0).collect()
    }

    fn dump_of(&self, tenant: Option<TenantId>) -> Vec<String> {
        let rows = self.tables().into_iter().map(|(table, column)| {
            let whose = tenant.map(|id| format!("WHERE {column} = {id}")).unwrap_or_default();
            format!("SELECT '{table} ' || CAST(({table}.*) AS TEXT) FROM {table} {whose}")
        });
        let mut rows = self.texts(&rows.collect::<Vec<_>>().join(" UNION ALL "));
        rows.sort_unstable();
        rows
    }

    fn hold_writes(&self) -> Hold {
        let (ready, held) = mpsc::channel();
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let name = self.name.clone();
        let thread = std::thread::spawn(move || {
            let (runtime, client) = connect(&name);
            runtime.block_on(async {
                client.batch_execute("BEGIN; LOCK TABLE tenant_state IN EXCLUSIVE MODE").await.unwrap();
                ready.send(()).unwrap();
                // An error is the wish that it ends, too.
                let _ = released.await;
                client.batch_execute("ROLLBACK").await.unwrap();
            });
        });
        held.recv().unwrap();
        Hold { release: Some(release), thread: Some(thread) }
    }
}

/// Holds the lock for which all writers wait.
pub(crate) struct Hold {
    release: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        drop(self.release.take());
        self.thread.take().map(JoinHandle::join);
    }
}
