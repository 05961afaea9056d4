//! A schema of its own in the PostgreSQL that `MUSTER_TEST_POSTGRES` names, which takes a tenth of the time that a
//! database takes. The suites of the other crates use this file too.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

const VARIABLE: &str = "MUSTER_TEST_POSTGRES";

/// A place for one store's tables, which is gone when this is dropped.
pub(crate) struct Schema {
    pub(crate) name: String,
    /// A connection past the store, and what drives it.
    side: Mutex<Option<(Runtime, Client)>>,
}

/// The URL of the database, with this schema as the place of its tables.
fn database(schema: &str) -> String {
    let database = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: it is the URL of a database whose user may do anything, as in postgres://localhost/postgres. \
             crates/store/tests/postgres.sh COMMAND… runs a command with one of its own"
        )
    });
    let separator = if database.contains('?') { '&' } else { '?' };
    format!("{database}{separator}options=-c%20search_path%3D{schema}")
}

impl Schema {
    pub(crate) fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("muster_test_{}_{number}", std::process::id());
        let schema = Self { name, side: Mutex::default() };
        schema.execute(&format!("CREATE SCHEMA {}", schema.name));
        schema
    }

    /// The URL of the store.
    pub(crate) fn url(&self) -> String {
        format!("{}&application_name={}", database(&self.name), self.name)
    }

    /// A connection past the store, and what drives it, for a thread of its own.
    pub(crate) fn connect(&self) -> (Runtime, Client) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&database(&self.name), NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        (runtime, client)
    }

    /// Does something past the store, whatever thread this is.
    pub(crate) fn on<T: Send>(&self, work: impl AsyncFnOnce(&Client) -> T + Send) -> T {
        let work = || {
            let mut side = self.side.lock().unwrap();
            let (runtime, client) = side.get_or_insert_with(|| self.connect());
            runtime.block_on(work(client))
        };
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.on(async |client| client.batch_execute(sql).await.unwrap());
    }

    /// Ends the connections of every store in this schema.
    pub(crate) fn hang_up(&self) {
        let connections = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'",
            self.name
        );
        self.execute(&connections);
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // Whoever still reads would be waited for.
        self.hang_up();
        self.execute(&format!("DROP SCHEMA {} CASCADE", self.name));
        // A runtime ends on a thread that may wait.
        let side = self.side.lock().unwrap().take();
        std::thread::spawn(move || drop(side)).join().unwrap();
    }
}
