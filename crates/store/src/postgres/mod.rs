//! The store for many machines: a PostgreSQL database that any number of servers share.

mod connection;
mod error;
mod lane;
mod many;
mod migrate;
mod pipeline;
#[cfg(test)]
pub(crate) mod plan_tests;
mod presence;
mod read;
mod rekey;
mod tls;
mod transfer;
mod url;
#[cfg(test)]
mod written_plan_tests;

use std::sync::Arc;
use std::time::Duration;

use muster_domain::secret::ServerKey;
use muster_domain::{Batch, Clock, Entropy, IdKind, StoreError, TenantId};

use self::connection::{Connector, Shared};
use self::lane::Lanes;
use self::read::{Scan, Scans, Together};
pub(crate) use self::transfer::PostgresEnd;
pub(crate) use self::url::{is_postgres, shown};
use crate::driver::Read as _;
use crate::ids::Ids;
use crate::row::get;
use crate::statements::tenant;
use crate::value::values;
use crate::{OpenError, Options, Rotation};

/// Connections that write. The database syncs the disk once for the commits of several.
const LANES: usize = 4;
/// How often a read is tried whose connection is lost: when the database was started anew, all of them are.
pub(crate) const TRIES: usize = 10;
/// How long the database may keep a probe of its readiness waiting.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

/// What a read answers whose connections were lost again and again.
pub(crate) fn lost() -> StoreError {
    StoreError::Unavailable("connections to the database are lost".into())
}

/// For a server, the database is to know that one runs.
fn connector(options: &Options, as_server: bool) -> Result<Connector, OpenError> {
    let parsed = url::parse(&options.url);
    let (config, tls) = parsed.map_err(|why| OpenError::PostgresUrl { url: shown(&options.url), why })?;
    Ok(Connector::new(config, tls, as_server))
}

/// A database and the connections to it.
pub(crate) struct PostgresStore {
    shared: Shared,
    scans: Arc<Scans>,
    lanes: Lanes,
    ids: Ids,
}

impl PostgresStore {
    pub(crate) async fn open(
        options: &Options,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<(Self, ServerKey), OpenError> {
        let connector = Arc::new(connector(options, options.as_server)?);
        let connection = connector.connect().await?;
        let key = migrate::run(&connection, options, clock.now(), entropy).await?;
        let store = Self {
            shared: Shared::new(Arc::clone(&connector), connection, options.limits.scans),
            scans: Arc::new(Scans::new(Arc::clone(&connector), options.limits.scans)),
            lanes: Lanes::start(&connector, LANES, options.limits.writer_queue),
            ids: Ids::default(),
        };
        Ok((store, key))
    }

    pub(crate) async fn rotate_key(
        options: &Options,
        given: Option<&str>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Rotation, OpenError> {
        let connection = connector(options, false)?.connect().await?;
        rekey::run(&connection, options, given, clock, entropy).await
    }

    /// Finishes the writes that were handed in and stops the lanes. Later commits are `Unavailable`.
    pub(crate) async fn close(&self) {
        self.lanes.close().await;
    }

    /// Whether the database reads and writes: a transaction without content goes through a lane.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        let probe = async {
            self.read().await?.reader().one(&tenant::TREE_VERSION, &values![0_i64], |_| Ok(())).await?;
            self.lanes.commit(Batch::new(TenantId(0))).await
        };
        let late = |_| StoreError::Unavailable("the database is busy".into());
        tokio::time::timeout(READY_TIMEOUT, probe).await.map_err(late)?
    }

    /// For a read of one statement.
    pub(crate) async fn read(&self) -> Result<Together, StoreError> {
        self.shared.get().await.map(Together)
    }

    /// For a read of several statements that are sent together, each of which sees a state of its own.
    pub(crate) async fn together(&self) -> Result<Together, StoreError> {
        self.read().await
    }

    /// For a read of many rows or several statements, on one state of the store.
    pub(crate) async fn scan(&self) -> Result<Scan, StoreError> {
        self.scans.begin().await
    }

    pub(crate) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.lanes.commit(batch).await
    }

    /// Hands a batch in without waiting for it.
    pub(crate) fn submit(&self, batch: Batch) -> Result<(), StoreError> {
        self.lanes.hand_in(batch).map(drop)
    }

    /// The first of `count` ids in a row.
    pub(crate) async fn next_ids(&self, kind: IdKind, count: u32) -> Result<i64, StoreError> {
        // Ids that are reserved twice, because the first answer was lost, are given to nobody.
        let reserve = async |count: i64| {
            for _ in 0..TRIES {
                let connection = self.read().await?;
                let values = values![kind.as_str(), count];
                let end = connection.reader().one(&tenant::IDS_RESERVE, &values, |row| get(row, 0)).await;
                if let Some(end) = connection.end(end) {
                    return end?.ok_or_else(|| StoreError::Internal("no ids were reserved".to_owned()));
                }
            }
            Err(lost())
        };
        self.ids.take(kind, count, reserve).await
    }
}
