//! Reads of org units.

use muster_domain::org_unit::{Located, OrgUnit, OrgUnitFilter, OrgUnitStatus, OrgUnitStore, TreeRows};
use muster_domain::{OrgUnitId, Page, Slice, StoreError, TenantId};
use rusqlite::{Connection, Result as SqlResult, params};

use super::{all, bounds, contains_pattern, count, one};
use crate::codes;
use crate::sqlite::{SqliteStore, rows};
use crate::statements::{org_unit, tenant};

/// Walks up a tree end here even on a cycle; no tree is so deep.
const LONGEST_PATH: usize = 100_000;

/// A unit's path to the top, itself first. In SQLite a loop of look-ups is cheaper than a recursive
/// query: most units are a few steps from the top.
fn path(connection: &Connection, unit: &OrgUnit) -> SqlResult<Vec<OrgUnitId>> {
    let mut statement = connection.prepare_cached(org_unit::PARENT.sqlite())?;
    let mut path = vec![unit.id];
    let mut above = unit.parent_id;
    while let Some(id) = above {
        if path.len() == LONGEST_PATH {
            break;
        }
        path.push(id);
        above =
            statement.query_row([unit.tenant.0, id.0], |row| row.get::<_, Option<i64>>(0))?.map(OrgUnitId);
    }
    Ok(path)
}

/// A unit with its path.
pub(super) fn located(
    connection: &Connection,
    tenant: TenantId,
    id: OrgUnitId,
) -> SqlResult<Option<Located>> {
    let unit = one(connection, &org_unit::GET, [tenant.0, id.0], rows::org_unit)?;
    unit.map(|unit| Ok(Located { path: path(connection, &unit)?, unit })).transpose()
}

/// The least and the greatest status, and the pattern of the name.
fn filter_params(filter: &OrgUnitFilter) -> (i64, i64, Option<String>) {
    let (least, greatest) = match filter.status {
        Some(status) => (codes::org_unit_status(status), codes::org_unit_status(status)),
        None => {
            (codes::org_unit_status(OrgUnitStatus::Active), codes::org_unit_status(OrgUnitStatus::Inactive))
        }
    };
    (least, greatest, filter.name.as_deref().map(contains_pattern))
}

impl OrgUnitStore for SqliteStore {
    async fn org_unit_located(&self, tenant: TenantId, id: OrgUnitId) -> Result<Option<Located>, StoreError> {
        self.snapshot(|connection| located(connection, tenant, id))
    }

    async fn tree_version(&self, tenant: TenantId) -> Result<i64, StoreError> {
        self.read(|connection| {
            let version = one(connection, &tenant::TREE_VERSION, [tenant.0], |row| row.get(0))?;
            Ok(version.unwrap_or(0))
        })
    }

    async fn org_unit_vacant(&self, tenant: TenantId, id: OrgUnitId) -> Result<bool, StoreError> {
        self.read(|connection| Ok(count(connection, &org_unit::IS_VACANT, [tenant.0, id.0])? == 1))
    }

    async fn org_unit_children(
        &self,
        tenant: TenantId,
        parent: OrgUnitId,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> Result<Page<OrgUnit>, StoreError> {
        self.scan(move |connection| {
            let (least, greatest, name) = filter_params(&filter);
            let (limit, offset) = bounds(slice);
            let total = count(
                connection,
                &org_unit::CHILDREN_COUNT,
                params![tenant.0, parent.0, least, greatest, name],
            )?;
            let params = params![tenant.0, parent.0, least, greatest, name, limit, offset];
            let items = all(connection, &org_unit::CHILDREN, params, rows::org_unit)?;
            Ok(Page { items, total })
        })
        .await
    }

    async fn org_unit_subtree(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> Result<Page<Located>, StoreError> {
        self.scan(move |connection| {
            let (least, greatest, name) = filter_params(&filter);
            let (limit, offset) = bounds(slice);
            let total = count(
                connection,
                &org_unit::SUBTREE_COUNT,
                params![tenant.0, root.0, least, greatest, name],
            )?;
            let params = params![tenant.0, root.0, least, greatest, name, limit, offset];
            let units = all(connection, &org_unit::SUBTREE, params, rows::org_unit)?;
            let located = |unit: OrgUnit| Ok(Located { path: path(connection, &unit)?, unit });
            Ok(Page { items: units.into_iter().map(located).collect::<SqlResult<_>>()?, total })
        })
        .await
    }

    async fn org_unit_tree(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
        active_only: bool,
    ) -> Result<TreeRows, StoreError> {
        let greatest =
            codes::org_unit_status(if active_only { OrgUnitStatus::Active } else { OrgUnitStatus::Inactive });
        self.scan(move |connection| {
            let mut statement = connection.prepare_cached(org_unit::TREE.sqlite())?;
            let mut found = statement.query([tenant.0, root.0, greatest])?;
            let mut tree = TreeRows::default();
            while let Some(row) = found.next()? {
                rows::push_tree_row(&mut tree, row)?;
            }
            Ok(tree)
        })
        .await
    }

    async fn org_unit_ids(&self, tenant: TenantId, root: OrgUnitId) -> Result<Vec<OrgUnitId>, StoreError> {
        self.scan(move |connection| {
            all(connection, &org_unit::SUBTREE_IDS, [tenant.0, root.0], |row| Ok(OrgUnitId(row.get(0)?)))
        })
        .await
    }
}
