//! Stores of their own on PostgreSQL, each in a schema.

use std::sync::mpsc;
use std::thread::JoinHandle;

use muster_domain::TenantId;
use muster_domain::secret::{ServerKey, hex};
use muster_store::{KeySource, Limits, OpenError, Options, Store};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::schema::Schema;
use crate::support::{Backend, FixedClock, SeededEntropy};

/// A schema, and a folder for the server key.
pub(crate) struct Postgres {
    pub(crate) folder: TempDir,
    pub(crate) schema: Schema,
}

impl Postgres {
    pub(crate) async fn open_with(options: &Options) -> Result<(Store, ServerKey), OpenError> {
        muster_store::open(options, &FixedClock::default(), &SeededEntropy::new(0)).await
    }

    /// Ends the connections of every store on this schema.
    pub(crate) fn hang_up(&self) {
        self.schema.hang_up();
    }

    /// The first column of what a query gives, as text.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        self.schema.on(async |client| {
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

impl Backend for Postgres {
    type Hold = Hold;
    type Other = crate::support::Sqlite;

    const NODES: usize = 2;
    const ONE_CASE_IN: u32 = 3;
    const KEY: &str = "tenant_id, id";
    const BROKEN_TEXT: Option<&str> = None;

    fn create() -> Self {
        Self { schema: Schema::create(), folder: tempfile::tempdir().unwrap() }
    }

    fn options(&self) -> Options {
        Options {
            url: self.schema.url(),
            key: KeySource::Folder(self.folder.path().to_owned()),
            create: true,
            as_server: false,
            limits: Limits::default(),
        }
    }

    fn open(&self, limits: Limits) -> (Store, ServerKey) {
        let options = Options { limits, ..self.options() };
        tokio::task::block_in_place(|| Handle::current().block_on(Self::open_with(&options))).unwrap()
    }

    fn bytes(bytes: &[u8]) -> String {
        format!("CAST('\\x{}' AS BYTEA)", hex(bytes))
    }

    fn tamper(&self, sql: &str) {
        self.schema.execute(&format!(
            "SET session_replication_role = replica; {sql}; SET session_replication_role = DEFAULT"
        ));
    }

    fn look(&self, sql: &str) -> i64 {
        self.schema.on(async |client| client.query_one(sql, &[]).await.unwrap().get(0))
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
        let (runtime, client) =
            std::thread::scope(|scope| scope.spawn(|| self.schema.connect()).join().unwrap());
        let thread = std::thread::spawn(move || {
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
