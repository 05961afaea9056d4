//! Reads of tags.

use futures_util::future::try_join;
use muster_domain::tag::{Tag, TagFilter, TagStore};
use muster_domain::{OrgUnitId, Page, Slice, StoreError, TagId, TenantId};

use super::{bounds, contains_pattern, read};
use crate::driver::Read;
use crate::statements::tag;
use crate::value::values;
use crate::{Store, rows};

impl TagStore for Store {
    async fn tag(&self, tenant: TenantId, id: TagId) -> Result<Option<Tag>, StoreError> {
        read!(self, read, |on| get(on, tenant, id))
    }

    async fn tags(
        &self,
        tenant: TenantId,
        within: Option<OrgUnitId>,
        filter: TagFilter,
        slice: Slice,
    ) -> Result<Page<Tag>, StoreError> {
        read!(self, scan, |on| list(on, tenant, within, &filter, slice))
    }
}

pub(super) async fn get(on: &impl Read, tenant: TenantId, id: TagId) -> Result<Option<Tag>, StoreError> {
    on.one(&tag::GET, &values![tenant.0, id.0], rows::tag).await
}

async fn list(
    on: &impl Read,
    tenant: TenantId,
    within: Option<OrgUnitId>,
    filter: &TagFilter,
    slice: Slice,
) -> Result<Page<Tag>, StoreError> {
    let (statement, count) = match within {
        Some(_) => (&tag::SUBTREE, &tag::SUBTREE_COUNT),
        None => (&tag::LIST, &tag::LIST_COUNT),
    };
    let (limit, offset) = bounds(slice);
    let all = values![tenant.0, within.map(|unit| unit.0), filter.name.as_deref().map(contains_pattern)];
    let page = [&all[..], &values![limit, offset]].concat();
    let (items, total) = try_join(on.all(statement, &page, rows::tag), on.count(count, &all)).await?;
    Ok(Page { items, total })
}
