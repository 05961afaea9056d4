//! Running statements that read on PostgreSQL.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use muster_domain::org_unit::{Located, OrgUnit};
use muster_domain::{OrgUnitId, StoreError, TenantId};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::types::{FromSql, Type};

use super::connection::{Connection, Connector, Form};
use super::error::store_error;
use super::many;
use crate::driver::Read;
use crate::read::Written;
use crate::row::{Row, get};
use crate::rows;
use crate::statements::{Statement, postgres};
use crate::value::{Value, values};

fn column<'a, T: FromSql<'a>>(row: &'a tokio_postgres::Row, at: usize) -> Result<Option<T>, StoreError> {
    row.try_get(at).map_err(store_error)
}

impl Row for tokio_postgres::Row {
    fn integer(&self, at: usize) -> Result<Option<i64>, StoreError> {
        // A number that stands in a statement is a short one.
        let is_short = self.columns().get(at).is_some_and(|column| *column.type_() == Type::INT4);
        if is_short { Ok(column::<i32>(self, at)?.map(i64::from)) } else { column(self, at) }
    }

    fn text(&self, at: usize) -> Result<Option<&str>, StoreError> {
        column(self, at)
    }

    fn bytes(&self, at: usize) -> Result<Option<&[u8]>, StoreError> {
        column(self, at)
    }
}

impl Read for Connection {
    async fn visit(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        mut see: impl FnMut(&dyn Row) -> Result<ControlFlow<()>, StoreError> + Send,
    ) -> Result<(), StoreError> {
        let failed = |error| self.failed(error);
        let prepared = self.prepare(statement, Form::One).await.map_err(failed)?;
        let rows = self.client.query_raw(&prepared, values).await.map_err(failed)?;
        let mut rows = pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            if see(&row)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn visit_written(
        &self,
        statement: &Written,
        mut see: impl FnMut(&dyn Row) -> Result<ControlFlow<()>, StoreError> + Send,
    ) -> Result<(), StoreError> {
        let failed = |error| self.failed(error);
        let values = statement.values.iter().map(|value| (value, value.kind()));
        let rows = self.client.query_typed_raw(&statement.postgres(), values).await.map_err(failed)?;
        let mut rows = pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            if see(&row)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn located(&self, tenant: TenantId, id: OrgUnitId) -> Result<Option<Located>, StoreError> {
        let mut unit = None;
        let mut path = Vec::new();
        let see = |row: &dyn Row| {
            if unit.is_none() {
                unit = Some(rows::org_unit(row)?);
            }
            path.push(OrgUnitId(get(row, rows::ORG_UNIT_COLUMNS)?));
            Ok(ControlFlow::Continue(()))
        };
        self.visit(&postgres::LOCATED, &values![tenant.0, id.0], see).await?;
        Ok(unit.map(|unit| Located { path, unit }))
    }

    async fn paths(&self, units: &[OrgUnit]) -> Result<Vec<Vec<OrgUnitId>>, StoreError> {
        let path = async |unit: &OrgUnit| {
            let id = |row: &dyn Row| get(row, 0).map(OrgUnitId);
            self.all(&postgres::PATH, &values![unit.tenant.0, unit.id.0], id).await
        };
        try_join_all(units.iter().map(path)).await
    }

    async fn all_each<T: Send>(
        &self,
        statement: &'static Statement,
        values: &[Vec<Value<'_>>],
        row: fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<Vec<T>>, StoreError> {
        match values {
            [] => return Ok(Vec::new()),
            [values] => return Ok(vec![self.all(statement, values, row).await?]),
            _ => {}
        }
        let mut all: Vec<Vec<T>> = values.iter().map(|_| Vec::new()).collect();
        let failed = |error| self.failed(error);
        let prepared = self.prepare(statement, Form::Many).await.map_err(failed)?;
        let rows = self.client.query_raw(&prepared, &many::columns(values)?).await.map_err(failed)?;
        let mut rows = pin!(rows);
        while let Some(found) = rows.try_next().await.map_err(failed)? {
            let place = get::<i64>(&found, found.len().saturating_sub(1))?;
            let place = usize::try_from(place - 1).ok().and_then(|place| all.get_mut(place));
            place
                .ok_or_else(|| StoreError::Internal("a row is for no values".to_owned()))?
                .push(row(&found)?);
        }
        Ok(all)
    }
}

/// A connection that others use too.
pub(crate) struct Together(pub(super) Arc<Connection>);

impl Together {
    pub(crate) fn reader(&self) -> &Connection {
        &self.0
    }

    /// What was read, or nothing when the connection was lost meanwhile.
    pub(crate) fn end<T>(self, done: Result<T, StoreError>) -> Option<Result<T, StoreError>> {
        (done.is_ok() || !self.0.is_lost()).then_some(done)
    }
}

/// A list is read by a plan for the very filters that it has: that costs a part of a millisecond, and one for all
/// filters would sort a whole tenant for a page.
pub(super) const PLANS: &str = "SET plan_cache_mode = force_custom_plan";

/// Connections that are used by one long read at a time.
pub(super) struct Scans {
    connector: Arc<Connector>,
    idle: Mutex<Vec<Arc<Connection>>>,
    places: Arc<Semaphore>,
}

impl Scans {
    pub(super) fn new(connector: Arc<Connector>, size: usize) -> Self {
        Self { connector, idle: Mutex::default(), places: Arc::new(Semaphore::new(size.max(1))) }
    }

    /// A connection that sees the store as it is now until the read ends.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<Scan, StoreError> {
        let closed = |_| StoreError::Unavailable("the store is closed".into());
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(closed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = if let Some(connection) = idle.filter(|connection| !connection.is_lost()) {
            connection
        } else {
            let connection = self.connector.connect().await?;
            connection.send(PLANS);
            Arc::new(connection)
        };
        connection.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        Ok(Scan { scans: Arc::clone(self), connection, place: Some(place) })
    }

    fn take_back(&self, connection: Arc<Connection>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

/// One state of the store.
pub(crate) struct Scan {
    scans: Arc<Scans>,
    connection: Arc<Connection>,
    /// Until the read has ended.
    place: Option<OwnedSemaphorePermit>,
}

impl Scan {
    pub(crate) fn reader(&self) -> &Connection {
        &self.connection
    }

    /// As [`Together::end`].
    pub(crate) fn end<T>(mut self, done: Result<T, StoreError>) -> Option<Result<T, StoreError>> {
        let place = self.place.take();
        if done.is_err() && self.connection.is_lost() {
            return None;
        }
        self.connection.send("COMMIT");
        self.scans.take_back(Arc::clone(&self.connection));
        drop(place);
        Some(done)
    }
}

/// A read that nobody waits for any more is called off, and keeps its place until the database has heard of it: else
/// clients that go could make it do more at once than it shall.
impl Drop for Scan {
    fn drop(&mut self) {
        let (Some(place), Ok(runtime)) = (self.place.take(), Handle::try_current()) else {
            return;
        };
        let (scans, connection) = (Arc::clone(&self.scans), Arc::clone(&self.connection));
        runtime.spawn(async move {
            // Whether that is heard or not, the roll-back comes after the read.
            let _ = scans.connector.cancel(&connection).await;
            if connection.client.batch_execute("ROLLBACK").await.is_ok() {
                scans.take_back(connection);
            }
            drop(place);
        });
    }
}
