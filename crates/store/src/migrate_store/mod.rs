//! Copying a whole store into another one, of whatever kind. A copy is what its source is, row by row, so that ids,
//! versions, journal, credentials and sessions go on there.
//!
//! Until it is complete the target has a mark (`store_copy`) with which nothing else opens it. Rows are written in the
//! order of their keys, so that the last one tells how far a copy has come that was broken off.

mod bulks;
mod pages;
mod sums;
mod table;
mod tables;
#[cfg(test)]
mod tests;

use muster_domain::secret::ServerKey;
use muster_domain::{Clock, Entropy, StoreError, TenantId, Timestamp};
use sha2::{Digest as _, Sha256};

pub(crate) use self::pages::{Pager, Pages, QUEUE};
pub use self::sums::Sum;
pub(crate) use self::table::{Cells, Table, places};
pub(crate) use self::tables::TABLES;
use crate::postgres::{self, PostgresEnd};
use crate::sqlite::SqliteEnd;
use crate::{OpenError, Options};

/// The table that a store has until it is a complete copy: its one row says of what.
pub(crate) const COPY_MARK: &str = "store_copy";

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("the source")]
    Source(#[source] OpenError),
    #[error("the target")]
    Target(#[source] OpenError),
    #[error("source and target are the same store")]
    Same,
    #[error(
        "the copy is not what the source is: {table}{} has {found} rows there, {wanted} in the source, or others; the \
         target stays refused. Start again, which copies everything anew",
        of_tenant(*.tenant)
    )]
    Differs { table: &'static str, tenant: Option<TenantId>, wanted: u64, found: u64 },
}

fn of_tenant(tenant: Option<TenantId>) -> String {
    tenant.map(|tenant| format!(" of tenant {tenant}")).unwrap_or_default()
}

impl MigrateError {
    /// Whether it may come of rows that were copied before, when the source was another.
    fn is_of_rows(&self) -> bool {
        match self {
            Self::Differs { .. } => true,
            Self::Target(OpenError::Store(error)) => !matches!(error, StoreError::Unavailable(_)),
            _ => false,
        }
    }
}

/// How far a copy is.
#[derive(Debug)]
pub enum Step<'a> {
    /// So many rows are copied and then compared; so many are there, of a copy that was broken off.
    Begun { rows: u64, there: u64 },
    /// The source is not what it was when the copy was broken off: everything is copied anew.
    Anew,
    /// So many rows of a table were copied, up to one of this tenant.
    Copied { table: &'static str, tenant: Option<TenantId>, rows: u64 },
    /// The rows of a table were read back from both stores and are the same: so many, with these sums.
    Verified { table: &'static str, rows: u64, sums: &'a [Sum] },
    /// The target gets its indexes and its last marks.
    Completing,
}

/// What hears of each step.
pub type Progress<'a> = &'a mut (dyn FnMut(Step<'_>) + Send);

/// A store that nobody else writes to until it is dropped.
pub(crate) struct Held<E> {
    pub(crate) end: E,
    pub(crate) key: ServerKey,
    /// When the store was made.
    pub(crate) made: Timestamp,
}

/// A store as one end of a copy.
pub(crate) trait End: Sized {
    /// Keeps everybody from writing to the store.
    async fn hold(
        options: &Options,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Held<Self>, OpenError>;

    /// Makes the tables of a new store that has the mark of the copy, or finds the one that the same copy has begun.
    /// Whether it was that.
    async fn begin(options: &Options, copy: &[u8], now: Timestamp) -> Result<(Self, bool), OpenError>;

    async fn count(&self, table: &'static Table) -> Result<u64, StoreError>;

    /// The last row in the order of the key.
    async fn last(&self, table: &'static Table) -> Result<Option<Cells>, StoreError>;

    /// The rows in the order of the key, those after `key` alone if there is one.
    fn rows(&self, table: &'static Table, after: Option<Cells>) -> Pages;

    /// Writes rows in one transaction.
    async fn write(&self, table: &'static Table, page: Vec<Cells>) -> Result<(), StoreError>;

    /// Removes all rows.
    async fn clear(&self) -> Result<(), StoreError>;

    /// Makes a complete store of it: with all indexes, with its key's fingerprint, without the mark.
    async fn finish(&self, key: &ServerKey) -> Result<(), OpenError>;
}

/// Copies the store of `from` to the place of `to`, where none is or the beginnings of the same copy, and compares what
/// can be read in both; the server key goes along. Nobody can write to the source meanwhile.
pub async fn migrate_store(
    from: &Options,
    to: &Options,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    progress: Progress<'_>,
) -> Result<(), MigrateError> {
    if from.url == to.url {
        return Err(MigrateError::Same);
    }
    // No server may run on either.
    let from = &Options { create: false, as_server: true, ..from.clone() };
    let to = &Options { create: true, as_server: true, ..to.clone() };
    match (postgres::is_postgres(&from.url), postgres::is_postgres(&to.url)) {
        (false, false) => migrate::<SqliteEnd, SqliteEnd>(from, to, clock, entropy, progress).await,
        (false, true) => migrate::<SqliteEnd, PostgresEnd>(from, to, clock, entropy, progress).await,
        (true, false) => migrate::<PostgresEnd, SqliteEnd>(from, to, clock, entropy, progress).await,
        (true, true) => migrate::<PostgresEnd, PostgresEnd>(from, to, clock, entropy, progress).await,
    }
}

async fn migrate<S: End, T: End>(
    from: &Options,
    to: &Options,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    progress: Progress<'_>,
) -> Result<(), MigrateError> {
    let Held { end: source, key, made } =
        S::hold(from, clock, entropy).await.map_err(MigrateError::Source)?;
    let is_missing = to.key.lacks(&key).map_err(MigrateError::Target)?;
    // Stores may share a key that is given by the environment, but hardly the microsecond.
    let copy = Sha256::new().chain_update(key.fingerprint()).chain_update(made.0.to_be_bytes()).finalize();
    let (target, begun) = T::begin(to, &copy, clock.now()).await.map_err(MigrateError::Target)?;
    if is_missing {
        to.key.put(&key).map_err(MigrateError::Target)?;
    }
    match carry(&source, &target, &key, begun, progress).await {
        Err(error) if begun && error.is_of_rows() => {
            progress(Step::Anew);
            target.clear().await.map_err(of_target)?;
            carry(&source, &target, &key, false, progress).await
        }
        done => done,
    }
}

fn of_source(error: StoreError) -> MigrateError {
    MigrateError::Source(OpenError::Store(error))
}

fn of_target(error: StoreError) -> MigrateError {
    MigrateError::Target(OpenError::Store(error))
}

/// Copies what is not there yet, compares everything, and completes the target.
async fn carry<S: End, T: End>(
    source: &S,
    target: &T,
    key: &ServerKey,
    begun: bool,
    progress: Progress<'_>,
) -> Result<(), MigrateError> {
    let (mut rows, mut there) = (0, 0);
    for table in TABLES {
        rows += source.count(table).await.map_err(of_source)?;
        if begun {
            there += target.count(table).await.map_err(of_target)?;
        }
    }
    progress(Step::Begun { rows, there });
    for table in TABLES {
        copy(source, target, table, begun, progress).await?;
    }
    for table in TABLES {
        verify(source, target, table, progress).await?;
    }
    progress(Step::Completing);
    target.finish(key).await.map_err(MigrateError::Target)
}

async fn copy<S: End, T: End>(
    source: &S,
    target: &T,
    table: &'static Table,
    begun: bool,
    progress: Progress<'_>,
) -> Result<(), MigrateError> {
    let last = if begun { target.last(table).await.map_err(of_target)? } else { None };
    let mut pages = source.rows(table, last.map(|row| table.key_of(&row)));
    while let Some(page) = pages.recv().await {
        let page = page.map_err(of_source)?;
        let rows = page.len() as u64;
        let tenant = page.last().and_then(|row| table.tenant_of(row));
        target.write(table, page).await.map_err(of_target)?;
        progress(Step::Copied { table: table.name, tenant, rows });
    }
    Ok(())
}

/// Reads the rows of a table back from both stores and compares what is summed up of them.
async fn verify<S: End, T: End>(
    source: &S,
    target: &T,
    table: &'static Table,
    progress: Progress<'_>,
) -> Result<(), MigrateError> {
    let wanted = sums::start(table, source.rows(table, None));
    let found = sums::start(table, target.rows(table, None));
    let wanted = sums::end(wanted).await.map_err(of_source)?;
    let found = sums::end(found).await.map_err(of_target)?;
    if let Some((tenant, wanted, found)) = sums::difference(&wanted, &found) {
        return Err(MigrateError::Differs { table: table.name, tenant, wanted, found });
    }
    let rows = wanted.iter().map(|sum| sum.rows).sum();
    progress(Step::Verified { table: table.name, rows, sums: &wanted });
    Ok(())
}
