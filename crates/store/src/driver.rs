//! What the two stores do in ways of their own: running a statement. What statements are run, on what values, and what
//! is made of their rows stands once, in `read/` and `apply/`.

use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use muster_domain::org_unit::{Located, OrgUnit};
use muster_domain::{OrgUnitId, StoreError, TenantId, UserGroupId};

use crate::read::Written;
use crate::row::{Row, get};
use crate::statements::Statement;
use crate::value::Value;

/// Statements that read. On PostgreSQL those that are waited for together go in one trip.
pub(crate) trait Read {
    /// Hands each row to `see` until it breaks off.
    async fn visit(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        see: impl FnMut(&dyn Row) -> Result<ControlFlow<()>, StoreError> + Send,
    ) -> Result<(), StoreError>;

    /// As [`Read::visit`], of a statement that was written for this one use.
    async fn visit_written(
        &self,
        statement: &Written,
        see: impl FnMut(&dyn Row) -> Result<ControlFlow<()>, StoreError> + Send,
    ) -> Result<(), StoreError>;

    /// A unit with its path to the top, in one state of the store.
    async fn located(&self, tenant: TenantId, id: OrgUnitId) -> Result<Option<Located>, StoreError>;

    /// The paths of these units to the top, each itself first.
    async fn paths(&self, units: &[OrgUnit]) -> Result<Vec<Vec<OrgUnitId>>, StoreError>;

    /// The rows for each of these rows of values. On PostgreSQL one statement finds them all.
    async fn all_each<T: Send>(
        &self,
        statement: &'static Statement,
        values: &[Vec<Value<'_>>],
        row: fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<Vec<T>>, StoreError>;

    /// As [`Read::all_each`], the first row for each, if there is one.
    async fn each<T: Send>(
        &self,
        statement: &'static Statement,
        values: &[Vec<Value<'_>>],
        row: fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let found = self.all_each(statement, values, row).await?;
        Ok(found.into_iter().map(|found| found.into_iter().next()).collect())
    }

    async fn one<T: Send>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        mut row: impl FnMut(&dyn Row) -> Result<T, StoreError> + Send,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        let see = |first: &dyn Row| {
            found = Some(row(first)?);
            Ok(ControlFlow::Break(()))
        };
        self.visit(statement, values, see).await?;
        Ok(found)
    }

    async fn all<T: Send>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        mut row: impl FnMut(&dyn Row) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        let see = |next: &dyn Row| {
            found.push(row(next)?);
            Ok(ControlFlow::Continue(()))
        };
        self.visit(statement, values, see).await?;
        Ok(found)
    }

    async fn all_written<T: Send>(
        &self,
        statement: &Written,
        mut row: impl FnMut(&dyn Row) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        let see = |next: &dyn Row| {
            found.push(row(next)?);
            Ok(ControlFlow::Continue(()))
        };
        self.visit_written(statement, see).await?;
        Ok(found)
    }

    /// Whether there is a row.
    async fn exists(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<bool, StoreError> {
        Ok(self.one(statement, values, |_| Ok(())).await?.is_some())
    }

    /// The count that a statement gives.
    async fn count(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let count = self.one(statement, values, |row| get::<i64>(row, 0)).await?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }
}

/// What a statement of a batch must bring about, so that the batch goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Whatever becomes of it.
    Anything,
    /// So many rows are written; else what the batch was decided on is not there any more.
    Rows(u64),
    /// A row is found; else what the batch was decided on is not there any more.
    Found,
    /// A row is found; else a guard fails.
    Holds,
    /// The ids of these groups are found, in their order; else a guard fails.
    Groups(Vec<UserGroupId>),
}

impl Wanted {
    /// Whether the statement is one that reads.
    pub(crate) fn reads(&self) -> bool {
        matches!(self, Self::Found | Self::Holds | Self::Groups(_))
    }

    /// What a statement that does for so many rows of values what another does for one has to bring about.
    pub(crate) fn of(self, rows: usize) -> Self {
        match self {
            Self::Rows(each) => Self::Rows(each.saturating_mul(u64::try_from(rows).unwrap_or(u64::MAX))),
            wanted => wanted,
        }
    }

    /// Whether it is so, after `rows` were found or written, the first columns of which were `groups` if those matter.
    pub(crate) fn check(&self, rows: u64, groups: &[UserGroupId]) -> Result<(), StoreError> {
        let (holds, otherwise) = match self {
            Self::Anything => (true, StoreError::Stale),
            Self::Rows(wanted) => (rows == *wanted, StoreError::Stale),
            Self::Found => (rows > 0, StoreError::Stale),
            Self::Holds => (rows > 0, StoreError::GuardFailed),
            Self::Groups(wanted) => (groups == wanted, StoreError::GuardFailed),
        };
        if holds { Ok(()) } else { Err(otherwise) }
    }
}

/// One row is written, by each if there are several statements.
pub(crate) const ONE_ROW: Wanted = Wanted::Rows(1);

/// The transaction of a group of batches.
pub(crate) trait Write {
    /// Runs a statement, or sends it without waiting: what becomes of it may be told by any later call.
    async fn send(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        wanted: Wanted,
    ) -> Result<(), StoreError>;

    /// As [`Write::send`], for each of these rows of values, none of which may be about what another one writes; `wanted` is of
    /// each of them, and about rows that are written. On PostgreSQL one statement does it.
    async fn each(
        &mut self,
        statement: &'static Statement,
        rows: &[Vec<Value<'_>>],
        wanted: Wanted,
    ) -> Result<(), StoreError>;

    /// Changes one row. `sparing` does the same as `whole`, but finds no row when an indexed column would change:
    /// SQLite writes every index of which a column is named, PostgreSQL those of which one is changed.
    async fn change(
        &mut self,
        sparing: &'static Statement,
        whole: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<(), StoreError>;

    /// Runs a statement and waits. How many rows it has written.
    async fn written(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError>;

    /// Runs a statement and waits for the rows that it finds.
    async fn found<T: Send>(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        row: fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError>;

    /// Runs a statement that writes one row.
    async fn one_row(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<(), StoreError> {
        self.send(statement, values, ONE_ROW).await
    }

    /// Runs a statement that writes as many rows as there are.
    async fn run(&mut self, statement: &'static Statement, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.send(statement, values, Wanted::Anything).await
    }
}

/// What comes of work on SQLite, which never waits: its statements run on the calling thread.
pub(crate) fn now<T, E: From<StoreError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(StoreError::Internal("the embedded store has waited".to_owned()).into()),
    }
}
