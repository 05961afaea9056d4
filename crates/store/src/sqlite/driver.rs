//! Running statements on SQLite, on the calling thread.

use std::ops::ControlFlow;

use muster_domain::org_unit::{Located, OrgUnit};
use muster_domain::{OrgUnitId, StoreError, TenantId, UserGroupId};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, params_from_iter};

use super::error::store_error;
use crate::driver::{ONE_ROW, Read, Wanted, Write};
use crate::read::Written;
use crate::row::{Row, get};
use crate::rows;
use crate::statements::{Statement, org_unit};
use crate::value::{Value, values};

/// Walks up a tree end here even on a cycle; no tree is so deep.
const LONGEST_PATH: usize = 100_000;

/// A column, or `None` for null.
fn column<'a, T>(
    row: &'a rusqlite::Row<'_>,
    at: usize,
    of: impl FnOnce(ValueRef<'a>) -> Result<T, rusqlite::types::FromSqlError>,
) -> Result<Option<T>, StoreError> {
    match row.get_ref(at).map_err(store_error)? {
        ValueRef::Null => Ok(None),
        value => of(value).map(Some).map_err(|error| StoreError::Internal(format!("column {at}: {error}"))),
    }
}

impl Row for rusqlite::Row<'_> {
    fn integer(&self, at: usize) -> Result<Option<i64>, StoreError> {
        column(self, at, |value| value.as_i64())
    }

    fn text(&self, at: usize) -> Result<Option<&str>, StoreError> {
        column(self, at, |value| value.as_str())
    }

    fn bytes(&self, at: usize) -> Result<Option<&[u8]>, StoreError> {
        column(self, at, |value| value.as_blob())
    }
}

fn prepared<'a>(
    connection: &'a Connection,
    statement: &Statement,
) -> Result<CachedStatement<'a>, StoreError> {
    connection.prepare_cached(statement.sqlite()).map_err(store_error)
}

fn visit(
    connection: &Connection,
    statement: &Statement,
    values: &[Value<'_>],
    mut see: impl FnMut(&dyn Row) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut statement = prepared(connection, statement)?;
    let mut found = statement.query(params_from_iter(values)).map_err(store_error)?;
    while let Some(row) = found.next().map_err(store_error)? {
        if see(row)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// A unit's path to the top, itself first. In SQLite a loop of look-ups is cheaper than a recursive
/// query: most units are a few steps from the top.
fn path(connection: &Connection, unit: &OrgUnit) -> Result<Vec<OrgUnitId>, StoreError> {
    let mut statement = prepared(connection, &org_unit::PARENT)?;
    let mut path = vec![unit.id];
    let mut above = unit.parent_id;
    while let Some(id) = above {
        if path.len() == LONGEST_PATH {
            break;
        }
        path.push(id);
        let parent = statement.query_row([unit.tenant.0, id.0], |row| row.get::<_, Option<i64>>(0));
        above = parent.map_err(store_error)?.map(OrgUnitId);
    }
    Ok(path)
}

impl Read for Connection {
    async fn visit(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        see: impl FnMut(&dyn Row) -> Result<ControlFlow<()>, StoreError> + Send,
    ) -> Result<(), StoreError> {
        visit(self, statement, values, see)
    }

    async fn visit_written(
        &self,
        statement: &Written,
        mut see: impl FnMut(&dyn Row) -> Result<ControlFlow<()>, StoreError> + Send,
    ) -> Result<(), StoreError> {
        let mut prepared = self.prepare_cached(&statement.sqlite()).map_err(store_error)?;
        let mut found = prepared.query(params_from_iter(&statement.values)).map_err(store_error)?;
        while let Some(row) = found.next().map_err(store_error)? {
            if see(row)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn located(&self, tenant: TenantId, id: OrgUnitId) -> Result<Option<Located>, StoreError> {
        let unit = self.one(&org_unit::GET, &values![tenant.0, id.0], rows::org_unit).await?;
        unit.map(|unit| Ok(Located { path: path(self, &unit)?, unit })).transpose()
    }

    async fn paths(&self, units: &[OrgUnit]) -> Result<Vec<Vec<OrgUnitId>>, StoreError> {
        units.iter().map(|unit| path(self, unit)).collect()
    }

    async fn all_each<T: Send>(
        &self,
        statement: &'static Statement,
        values: &[Vec<Value<'_>>],
        row: fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<Vec<T>>, StoreError> {
        let mut found = Vec::with_capacity(values.len());
        for values in values {
            found.push(self.all(statement, values, row).await?);
        }
        Ok(found)
    }
}

/// The transaction of the writer.
pub(super) struct Transaction<'c>(pub(super) &'c Connection);

impl Transaction<'_> {
    fn execute(&self, statement: &Statement, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let written = prepared(self.0, statement)?.execute(params_from_iter(values)).map_err(store_error)?;
        Ok(u64::try_from(written).unwrap_or(u64::MAX))
    }
}

impl Write for Transaction<'_> {
    async fn send(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        if !wanted.reads() {
            return wanted.check(self.execute(statement, values)?, &[]);
        }
        let (mut rows, mut groups) = (0, Vec::new());
        visit(self.0, statement, values, |row| {
            rows += 1;
            if matches!(wanted, Wanted::Groups(_)) {
                groups.push(UserGroupId(get(row, 0)?));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        wanted.check(rows, &groups)
    }

    async fn each(
        &mut self,
        statement: &'static Statement,
        rows: &[Vec<Value<'_>>],
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        for values in rows {
            self.send(statement, values, wanted.clone()).await?;
        }
        Ok(())
    }

    async fn change(
        &mut self,
        sparing: &'static Statement,
        whole: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<(), StoreError> {
        if self.execute(sparing, values)? == 1 {
            return Ok(());
        }
        ONE_ROW.check(self.execute(whole, values)?, &[])
    }

    async fn written(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        self.execute(statement, values)
    }

    async fn found<T: Send>(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        row: fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        visit(self.0, statement, values, |next| {
            found.push(row(next)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }
}
