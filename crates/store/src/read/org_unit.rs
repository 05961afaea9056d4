//! Reads of org units.

use futures_util::future::try_join;
use muster_domain::org_unit::{Located, OrgUnit, OrgUnitFilter, OrgUnitStatus, OrgUnitStore, TreeRows};
use muster_domain::{OrgUnitId, Page, Slice, StoreError, TenantId};

use super::{bounds, contains_pattern, read};
use crate::driver::Read;
use crate::row::get;
use crate::statements::{Statement, org_unit, tenant};
use crate::value::{Value, values};
use crate::{Store, codes, rows};

/// The units of a list: of this tenant, below this unit, that fit.
struct List {
    tenant: TenantId,
    unit: OrgUnitId,
    least: i64,
    greatest: i64,
    name: Option<String>,
}

impl List {
    fn new(tenant: TenantId, unit: OrgUnitId, filter: &OrgUnitFilter) -> Self {
        let (least, greatest) = match filter.status {
            Some(status) => (status, status),
            None => (OrgUnitStatus::Active, OrgUnitStatus::Inactive),
        };
        Self {
            tenant,
            unit,
            least: codes::org_unit_status(least),
            greatest: codes::org_unit_status(greatest),
            name: filter.name.as_deref().map(contains_pattern),
        }
    }

    fn values(&self) -> [Value<'_>; 5] {
        values![self.tenant.0, self.unit.0, self.least, self.greatest, &self.name]
    }

    /// A page of it, read by these statements.
    async fn page(
        &self,
        on: &impl Read,
        list: &'static Statement,
        count: &'static Statement,
        slice: Slice,
    ) -> Result<Page<OrgUnit>, StoreError> {
        let (limit, offset) = bounds(slice);
        let all = self.values();
        let page = [&all[..], &values![limit, offset]].concat();
        let (total, items) = try_join(on.count(count, &all), on.all(list, &page, rows::org_unit)).await?;
        Ok(Page { items, total })
    }
}

async fn children(
    on: &impl Read,
    tenant: TenantId,
    parent: OrgUnitId,
    filter: &OrgUnitFilter,
    slice: Slice,
) -> Result<Page<OrgUnit>, StoreError> {
    let list = List::new(tenant, parent, filter);
    list.page(on, &org_unit::CHILDREN, &org_unit::CHILDREN_COUNT, slice).await
}

async fn subtree(
    on: &impl Read,
    tenant: TenantId,
    root: OrgUnitId,
    filter: &OrgUnitFilter,
    slice: Slice,
) -> Result<Page<Located>, StoreError> {
    let list = List::new(tenant, root, filter);
    let Page { items, total } = list.page(on, &org_unit::SUBTREE, &org_unit::SUBTREE_COUNT, slice).await?;
    let paths = on.paths(&items).await?;
    let items = items.into_iter().zip(paths).map(|(unit, path)| Located { path, unit });
    Ok(Page { items: items.collect(), total })
}

async fn tree(
    on: &impl Read,
    tenant: TenantId,
    root: OrgUnitId,
    greatest: i64,
) -> Result<TreeRows, StoreError> {
    let mut tree = TreeRows::default();
    on.all(&org_unit::TREE, &values![tenant.0, root.0, greatest], |row| rows::push_tree_row(&mut tree, row))
        .await?;
    Ok(tree)
}

impl OrgUnitStore for Store {
    async fn org_unit_located(&self, tenant: TenantId, id: OrgUnitId) -> Result<Option<Located>, StoreError> {
        read!(self, together, |on| on.located(tenant, id))
    }

    async fn tree_version(&self, tenant: TenantId) -> Result<i64, StoreError> {
        let version =
            read!(self, read, |on| on.one(&tenant::TREE_VERSION, &values![tenant.0], |row| get(row, 0)))?;
        Ok(version.unwrap_or(0))
    }

    async fn org_unit_vacant(&self, tenant: TenantId, id: OrgUnitId) -> Result<bool, StoreError> {
        read!(self, read, |on| on.exists(&org_unit::IS_VACANT, &values![tenant.0, id.0]))
    }

    async fn org_unit_children(
        &self,
        tenant: TenantId,
        parent: OrgUnitId,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> Result<Page<OrgUnit>, StoreError> {
        read!(self, scan, |on| children(on, tenant, parent, &filter, slice))
    }

    async fn org_unit_subtree(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> Result<Page<Located>, StoreError> {
        read!(self, scan, |on| subtree(on, tenant, root, &filter, slice))
    }

    async fn org_unit_tree(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
        active_only: bool,
    ) -> Result<TreeRows, StoreError> {
        let greatest =
            codes::org_unit_status(if active_only { OrgUnitStatus::Active } else { OrgUnitStatus::Inactive });
        read!(self, scan, |on| tree(on, tenant, root, greatest))
    }

    async fn org_unit_ids(&self, tenant: TenantId, root: OrgUnitId) -> Result<Vec<OrgUnitId>, StoreError> {
        read!(self, scan, |on| on
            .all(&org_unit::SUBTREE_IDS, &values![tenant.0, root.0], |row| Ok(OrgUnitId(get(row, 0)?))))
    }
}
