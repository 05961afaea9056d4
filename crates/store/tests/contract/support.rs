//! Real stores in places of their own, and time, randomness and passwords that a test holds in hand.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt as _;
use muster_domain::secret::{ServerKey, hex};
use muster_domain::user::{User, password};
use muster_domain::{Batch, Clock, Entropy, PasswordFuture, Passwords, TenantId, Timestamp, UserId};
use muster_store::{KeySource, Limits, OpenError, Options, Store};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use secrecy::SecretString;
use tempfile::TempDir;

/// Instantiates generic tests for every backend. A test that is missing in the list is dead code,
/// which the build refuses.
macro_rules! contract {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test::<crate::support::Sqlite>().await;
                }
            )+
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test::<crate::support_postgres::Postgres>().await;
                }
            )+
        }
    };
}

/// One database of a kind of store, removed when it is dropped.
pub(crate) trait Backend: Sized + Send + Sync + 'static {
    /// Keeps all writes waiting until it is dropped.
    type Hold: Send;
    /// The other kind of store.
    type Other: Backend;

    /// Servers that write at the same time.
    const NODES: usize;
    /// Of so many random cases one is tried.
    const ONE_CASE_IN: u32;
    /// What a row names of another one that it refers to.
    const KEY: &str;
    /// A text that is none, if the database can hold such.
    const BROKEN_TEXT: Option<&str>;

    /// A new and empty database.
    fn create() -> Self;

    /// How it is opened, also by more than one store at a time.
    fn options(&self) -> Options;

    /// Opens the database; more than one store may be open at a time.
    fn open(&self, limits: Limits) -> (Store, ServerKey);

    /// Bytes, as they are written in SQL.
    fn bytes(bytes: &[u8]) -> String;

    /// Runs SQL behind the store's back, for what no batch can bring about, be it that rows refer to what is not there.
    fn tamper(&self, sql: &str);

    /// The number that a query gives, past the store.
    fn look(&self, sql: &str) -> i64;

    /// How many rows each table has that belong to a tenant, its own row included; tables with none are left out.
    fn rows_of(&self, tenant: TenantId) -> Vec<(String, i64)>;

    /// Every row of one tenant, or of all, as text, to tell whether anything was changed.
    fn dump_of(&self, tenant: Option<TenantId>) -> Vec<String>;

    fn dump(&self) -> Vec<String> {
        self.dump_of(None)
    }

    /// Makes writes wait, so that a test can hand in many of them before the first is carried out.
    fn hold_writes(&self) -> Self::Hold;
}

/// The embedded store.
pub(crate) struct Sqlite {
    pub(crate) folder: TempDir,
}

impl Sqlite {
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("muster.db")
    }

    pub(crate) fn open_with(options: &Options) -> Result<(Store, ServerKey), OpenError> {
        let (clock, entropy) = (FixedClock::default(), SeededEntropy::new(0));
        // An embedded store is opened at once.
        muster_store::open(options, &clock, &entropy).now_or_never().unwrap()
    }

    pub(crate) fn raw(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.file()).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection
    }
}

impl Backend for Sqlite {
    type Hold = rusqlite::Connection;
    type Other = crate::support_postgres::Postgres;

    const NODES: usize = 1;
    const ONE_CASE_IN: u32 = 1;
    const KEY: &str = "id";
    const BROKEN_TEXT: Option<&str> = Some("CAST(X'ff' AS TEXT)");

    fn create() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn options(&self) -> Options {
        Options {
            url: format!("sqlite:{}", self.file().display()),
            key: KeySource::Folder(self.folder.path().to_owned()),
            create: true,
            as_server: false,
            limits: Limits::default(),
        }
    }

    fn open(&self, limits: Limits) -> (Store, ServerKey) {
        Self::open_with(&Options { limits, ..self.options() }).unwrap()
    }

    fn bytes(bytes: &[u8]) -> String {
        format!("X'{}'", hex(bytes))
    }

    fn tamper(&self, sql: &str) {
        let connection = self.raw();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    fn look(&self, sql: &str) -> i64 {
        self.raw().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn rows_of(&self, tenant: TenantId) -> Vec<(String, i64)> {
        let count = |(table, column)| {
            let rows = self.look(&format!("SELECT COUNT(*) FROM {table} WHERE {column} = {tenant}"));
            (table, rows)
        };
        tables(&self.raw()).into_iter().map(count).filter(|(_, rows)| *rows > 0).collect()
    }

    fn dump_of(&self, tenant: Option<TenantId>) -> Vec<String> {
        let connection = self.raw();
        let mut rows = Vec::new();
        for (table, column) in tables(&connection) {
            let whose = tenant.map(|id| format!("WHERE {column} = {id}")).unwrap_or_default();
            let mut statement = connection.prepare(&format!("SELECT * FROM {table} {whose}")).unwrap();
            let columns = statement.column_count();
            let text = |row: &rusqlite::Row<'_>| {
                let values: Result<Vec<rusqlite::types::Value>, _> =
                    (0..columns).map(|n| row.get(n)).collect();
                Ok(format!("{table} {:?}", values?))
            };
            rows.extend(statement.query_map([], text).unwrap().map(Result::unwrap));
        }
        rows.sort_unstable();
        rows
    }

    fn hold_writes(&self) -> Self::Hold {
        let connection = self.raw();
        // Dropping the connection rolls the transaction back.
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }
}

/// The tables that hold something of tenants, each with the column that names the tenant.
fn tables(connection: &rusqlite::Connection) -> Vec<(String, String)> {
    let tables = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
                  WHERE t.type = 'table' AND c.name = iif(t.name = 'tenants', 'id', 'tenant_id')
                  ORDER BY t.name";
    let mut tables = connection.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let tables: Vec<_> = tables.map(Result::unwrap).collect();
    assert!(tables.len() >= 8, "{tables:?}");
    tables
}

/// What the doctor says of a store.
pub(crate) async fn findings(store: &Store, key: &ServerKey) -> Vec<String> {
    let findings = store.doctor(key.clone(), |_| {}).await.unwrap();
    findings.into_iter().map(|finding| finding.what).collect()
}

/// A clock that stands until a test moves it.
pub(crate) struct FixedClock(AtomicI64);

/// 2026-02-02T02:40:00Z, where every clock of the suite starts.
pub(crate) const START: Timestamp = Timestamp(1_770_000_000_000_000);

impl Default for FixedClock {
    fn default() -> Self {
        Self(AtomicI64::new(START.0))
    }
}

impl FixedClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.store(self.now().plus(by).0, Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// The same bytes in every run.
pub(crate) struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// Password work done on the spot: a test has no other requests to keep waiting.
pub(crate) struct DirectPasswords;

impl Passwords for DirectPasswords {
    fn hash(&self, password: SecretString, salt: [u8; 16]) -> PasswordFuture<String> {
        Box::pin(async move { password::hash(&password, salt, password::Cost::LEAST) })
    }

    fn verify(&self, password: SecretString, hash: Option<String>) -> PasswordFuture<bool> {
        Box::pin(async move { password::verify(&password, hash.as_deref(), password::Cost::LEAST) })
    }
}

/// Changes a user while its password is being checked, through another store on the same database.
pub(crate) struct Meddling<S> {
    pub(crate) store: Arc<S>,
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    /// Besides its version, which goes up by one.
    pub(crate) change: fn(&mut User),
}

impl<S: muster_domain::Store + 'static> Passwords for Meddling<S> {
    fn hash(&self, password: SecretString, salt: [u8; 16]) -> PasswordFuture<String> {
        DirectPasswords.hash(password, salt)
    }

    fn verify(&self, password: SecretString, hash: Option<String>) -> PasswordFuture<bool> {
        let (store, tenant, user, change) = (Arc::clone(&self.store), self.tenant, self.user, self.change);
        Box::pin(async move {
            let fits = DirectPasswords.verify(password, hash).await?;
            let before = store.user(tenant, user).await?.unwrap();
            let mut after = User { version: before.version + 1, ..before.clone() };
            change(&mut after);
            store.commit(Batch::new(tenant).change(crate::world::user_update(&before, &after))).await?;
            Ok(fits)
        })
    }
}

/// A future that can be started before it is awaited.
pub(crate) type Started<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Polls a future once: a commit hands its batch in when it is polled first. `Err` is a future that
/// was done at once.
pub(crate) fn start<'a, T>(future: impl Future<Output = T> + Send + 'a) -> Result<Started<'a, T>, T> {
    let mut future: Started<'a, T> = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Err(done),
        Poll::Pending => Ok(future),
    }
}

/// Runs tasks at the same time and returns their results in no order.
pub(crate) async fn all_at_once<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tasks.into_iter().collect::<tokio::task::JoinSet<T>>().join_all().await
}
