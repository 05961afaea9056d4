//! Connections to the database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use muster_domain::StoreError;
use tokio::time::Instant;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{Remedy, judge, store_error};
use super::many;
use super::presence::PRESENT;
use crate::statements::Statement;

/// What every connection begins with. Each statement has an index to go by: a plan that was made while a table was small
/// must not read it whole when it is large; nor is anything looked up twice, so that keeping what was found is in vain. Whoever waits
/// for a lock, or lets others wait without a sign of life, does so for a while only.
pub(super) const SETTINGS: &str =
    "SET enable_seqscan = off; SET enable_mergejoin = off; SET enable_memoize = off; SET jit = off; SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '30s'";

/// How long nothing is tried after a failure; doubles with each up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// After so long the plans that the database keeps for a connection are made anew; doubles up to the second. It makes
/// them by the size that tables have then, keeps them until its statistics change, and takes those once a minute:
/// until then a young store would be read by what was right when it was empty.
const RENEWALS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(64));

/// How a statement is prepared.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As it stands, for one row of values.
    One,
    /// For many, whose columns are arrays; see [`many`].
    Many,
}

/// A connection and the statements that are prepared on it.
pub(crate) struct Connection {
    pub(super) client: Client,
    /// By the place of the statement, each of which stands once.
    prepared: Mutex<HashMap<(usize, Form), tokio_postgres::Statement>>,
    /// Whether an error has said that nothing more comes of it.
    lost: AtomicBool,
    /// When plans are made anew, and how long after the last time that is.
    renewal: Mutex<(Instant, Duration)>,
}

impl Connection {
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed) || self.client.is_closed()
    }

    /// What an error of this connection is for the store.
    #[expect(clippy::needless_pass_by_value, reason = "used in `map_err`")]
    pub(super) fn failed(&self, error: tokio_postgres::Error) -> StoreError {
        let (error, remedy) = judge(&error);
        if remedy == Remedy::Reconnect {
            self.lost.store(true, Ordering::Relaxed);
        }
        error
    }

    /// Sends a command without waiting: it can fail only together with what is sent after it.
    pub(super) fn send(&self, command: &str) {
        drop(Box::pin(self.client.batch_execute(command)).now_or_never());
    }

    fn renew_plans(&self) {
        let mut renewal = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if renewal.0 <= now {
            let next = (renewal.1 * 2).min(RENEWALS.1);
            *renewal = (now + next, next);
            self.send("DISCARD PLANS");
        }
    }

    /// A statement that was prepared before.
    pub(super) fn at_hand(
        &self,
        statement: &'static Statement,
        form: Form,
    ) -> Option<tokio_postgres::Statement> {
        self.renew_plans();
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.get(&(std::ptr::from_ref(statement).addr(), form)).cloned()
    }

    pub(super) async fn prepare(
        &self,
        statement: &'static Statement,
        form: Form,
    ) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
        if let Some(prepared) = self.at_hand(statement, form) {
            return Ok(prepared);
        }
        let mut prepared = self.client.prepare(statement.postgres()).await?;
        if form == Form::Many {
            prepared = self.client.prepare(&many::statement(statement.postgres(), prepared.params())).await?;
        }
        let mut all = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((std::ptr::from_ref(statement).addr(), form), prepared.clone());
        Ok(prepared)
    }
}

/// Opens connections.
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    /// Whether the database is to know that a server runs.
    as_server: bool,
    /// After a failure: the error, until when nothing is tried, and for how long that was.
    failure: Mutex<Option<(StoreError, Instant, Duration)>>,
}

impl Connector {
    pub(super) fn new(config: Config, tls: MakeRustlsConnect, as_server: bool) -> Self {
        Self { config, tls, as_server, failure: Mutex::default() }
    }

    /// A new connection. For a while after a failure nothing is tried: whoever asks gets the same error.
    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        let pause = {
            let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            match &*failure {
                Some((error, until, _)) if Instant::now() < *until => return Err(error.clone()),
                Some((_, _, pause)) => (*pause * 2).min(PAUSES.1),
                None => PAUSES.0,
            }
        };
        let outcome = self.try_connect().await;
        let failed = outcome.as_ref().err().map(|error| (error.clone(), Instant::now() + pause, pause));
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        outcome
    }

    /// Asks the database to end what it does for a connection.
    pub(super) async fn cancel(&self, connection: &Connection) -> Result<(), tokio_postgres::Error> {
        connection.client.cancel_token().cancel_query(self.tls.clone()).await
    }

    async fn try_connect(&self) -> Result<Connection, StoreError> {
        // Whatever the reason, a wrong password as much as a server that starts: it may be otherwise later.
        let unavailable = |error| match store_error(error) {
            StoreError::Internal(text) => StoreError::Unavailable(text.into()),
            error => error,
        };
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(unavailable)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "a connection to the database was lost");
            }
        });
        client.batch_execute(SETTINGS).await.map_err(unavailable)?;
        if self.as_server {
            client.batch_execute(PRESENT).await.map_err(unavailable)?;
        }
        Ok(Connection {
            client,
            prepared: Mutex::default(),
            lost: AtomicBool::new(false),
            renewal: Mutex::new((Instant::now() + RENEWALS.0, RENEWALS.0)),
        })
    }
}

/// Connections that many reads share: each sends its statements behind those of the others.
pub(super) struct Shared {
    connector: Arc<Connector>,
    slots: Vec<Slot>,
    next: AtomicUsize,
}

#[derive(Default)]
struct Slot {
    current: Mutex<Option<Arc<Connection>>>,
    /// Held by the one who connects.
    connecting: tokio::sync::Mutex<()>,
}

impl Slot {
    fn current(&self) -> Option<Arc<Connection>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.clone().filter(|connection| !connection.is_lost())
    }
}

impl Shared {
    /// As many as `size`, of which the first is there.
    pub(super) fn new(connector: Arc<Connector>, first: Connection, size: usize) -> Self {
        let first = Slot { current: Mutex::new(Some(Arc::new(first))), ..Slot::default() };
        let others = (1..size).map(|_| Slot::default());
        Self { connector, slots: std::iter::once(first).chain(others).collect(), next: AtomicUsize::new(0) }
    }

    /// One of the connections, in turn.
    pub(super) async fn get(&self) -> Result<Arc<Connection>, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let Some(slot) = self.slots.get(turn) else {
            return Err(StoreError::Internal("there are no connections".to_owned()));
        };
        if let Some(connection) = slot.current() {
            return Ok(connection);
        }
        let _connecting = slot.connecting.lock().await;
        if let Some(connection) = slot.current() {
            return Ok(connection);
        }
        let connection = Arc::new(self.connector.connect().await?);
        *slot.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&connection));
        Ok(connection)
    }
}
