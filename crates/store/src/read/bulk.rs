//! Reads of bulks.

use std::future::Ready;

use futures_util::future::try_join;
use muster_domain::contact::{ContactGroup, PhoneNumber};
use muster_domain::message::{
    Bulk, BulkContact, BulkField, BulkPlace, BulkStore, BulkWork, ListQuery, Message, StoredBulk,
};
use muster_domain::{BulkId, ContactGroupId, OrgUnitId, Page, StoreError, TenantId, Timestamp};
use uuid::Uuid;

use super::contact::list;
use super::listed::BULKS;
use super::read;
use crate::driver::Read;
use crate::row::get;
use crate::statements::{block, bulk as statements};
use crate::value::values;
use crate::{Store, rows};

/// The number of bulks is not kept.
const UNKNOWN: Option<Ready<Result<u64, StoreError>>> = None;

impl BulkStore for Store {
    async fn bulk(&self, tenant: TenantId, id: BulkId) -> Result<Option<StoredBulk>, StoreError> {
        read!(self, read, |on| on.one(&statements::GET, &values![tenant.0, id.0], rows::bulk::stored))
    }

    async fn bulk_by_uuid(&self, tenant: TenantId, uuid: Uuid) -> Result<Option<StoredBulk>, StoreError> {
        read!(self, read, |on| on.one(&statements::GET_BY_UUID, &values![tenant.0, uuid], rows::bulk::stored))
    }

    async fn bulks(
        &self,
        tenant: TenantId,
        within: Option<OrgUnitId>,
        query: ListQuery<BulkField>,
    ) -> Result<Page<Bulk>, StoreError> {
        read!(self, scan, |on| BULKS.read_within(on, tenant, within, &query, rows::bulk::bulk, UNKNOWN))
    }

    async fn bulks_to_do(
        &self,
        tenant: TenantId,
        now: Timestamp,
        after: BulkPlace,
        limit: u32,
    ) -> Result<(Vec<BulkWork>, Option<Timestamp>), StoreError> {
        read!(self, scan, |on| to_do(on, tenant, now, after, limit))
    }

    async fn bulk_to_step(&self, tenant: TenantId, id: BulkId) -> Result<Option<StoredBulk>, StoreError> {
        read!(self, read, |on| on.one(&statements::TO_STEP, &values![tenant.0, id.0], rows::bulk::stored))
    }

    async fn bulk_contacts(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        after: String,
        limit: u32,
    ) -> Result<Option<(ContactGroup, Vec<BulkContact>)>, StoreError> {
        read!(self, scan, |on| contacts(on, tenant, group, now, &after, limit))
    }

    async fn blocked_among(
        &self,
        tenant: TenantId,
        phones: Vec<PhoneNumber>,
    ) -> Result<Vec<PhoneNumber>, StoreError> {
        let values: Vec<_> =
            phones.iter().map(|phone| values![tenant.0, phone.as_str().to_owned()].to_vec()).collect();
        let found = read!(self, scan, |on| on.each(&block::IS_BLOCKED, &values, |_| Ok(())))?;
        let blocked = phones.into_iter().zip(found);
        Ok(blocked.filter_map(|(phone, found)| found.map(|()| phone)).collect())
    }

    async fn bulk_waiting(
        &self,
        tenant: TenantId,
        id: BulkId,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let values = values![tenant.0, id.0, limit];
        read!(self, scan, |on| on.all(&statements::WAITING, &values, rows::message::message))
    }
}

async fn to_do(
    on: &impl Read,
    tenant: TenantId,
    now: Timestamp,
    (work_at, id): BulkPlace,
    limit: u32,
) -> Result<(Vec<BulkWork>, Option<Timestamp>), StoreError> {
    let (due, next) = (values![tenant.0, now.0, limit, work_at.0, id.0], values![tenant.0, now.0]);
    let due = on.all(&statements::TO_DO, &due, rows::bulk::work);
    try_join(due, on.one(&statements::NEXT, &next, |row| get(row, 0))).await
}

async fn contacts(
    on: &impl Read,
    tenant: TenantId,
    group: ContactGroupId,
    now: Timestamp,
    after: &str,
    limit: u32,
) -> Result<Option<(ContactGroup, Vec<BulkContact>)>, StoreError> {
    let Some((group, edition)) = list(on, tenant, group, now).await? else {
        return Ok(None);
    };
    let values = values![tenant.0, group.id.0, edition, after, limit];
    let contacts = on.all(&statements::CONTACTS, &values, rows::bulk::contact).await?;
    Ok(Some((group, contacts)))
}
