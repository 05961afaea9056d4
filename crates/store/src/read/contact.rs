//! Reads of contact groups and contacts.

use futures_util::future::try_join;
use muster_domain::contact::{Contact, ContactGroup, ContactStore, PhoneNumber, Reapable};
use muster_domain::{ContactGroupId, ContactId, Page, Slice, StoreError, TenantId, Timestamp};

use super::{bounds, read};
use crate::driver::Read;
use crate::row::get as column;
use crate::statements::contact;
use crate::value::values;
use crate::{Backend, Store, rows};

impl ContactStore for Store {
    async fn contact_group(
        &self,
        tenant: TenantId,
        id: ContactGroupId,
        now: Timestamp,
    ) -> Result<Option<ContactGroup>, StoreError> {
        read!(self, read, |on| group(on, tenant, id, now))
    }

    async fn contact_groups(
        &self,
        tenant: TenantId,
        now: Timestamp,
        slice: Slice,
    ) -> Result<Page<ContactGroup>, StoreError> {
        read!(self, scan, |on| groups(on, tenant, now, slice))
    }

    async fn contact_group_ids(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Vec<ContactGroupId>, StoreError> {
        read!(self, scan, |on| on
            .all(&contact::GROUP_IDS, &values![tenant.0, now.0], |row| Ok(ContactGroupId(column(row, 0)?))))
    }

    async fn contact(
        &self,
        tenant: TenantId,
        id: ContactId,
        now: Timestamp,
    ) -> Result<Option<Contact>, StoreError> {
        read!(self, read, |on| get(on, tenant, id, now))
    }

    async fn contacts(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        slice: Slice,
    ) -> Result<Option<Page<Contact>>, StoreError> {
        read!(self, scan, |on| contacts(on, tenant, group, now, slice))
    }

    async fn contacts_after(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        after: ContactId,
        limit: u32,
    ) -> Result<Option<Vec<Contact>>, StoreError> {
        read!(self, scan, |on| contacts_after(on, tenant, group, now, after, limit))
    }

    async fn contacts_by_phone(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        phones: Vec<PhoneNumber>,
    ) -> Result<Option<(ContactGroup, Vec<Contact>)>, StoreError> {
        /// Look-ups of which a few cost less than the way to another thread.
        const SHORT: usize = 8;
        match &self.0 {
            Backend::Sqlite(store) if phones.len() <= SHORT => {
                store.together(|on| crate::driver::now(by_phone(on, tenant, group, now, &phones))).await
            }
            _ => read!(self, scan, |on| by_phone(on, tenant, group, now, &phones)),
        }
    }

    async fn contacts_to_reap(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Option<Reapable>, StoreError> {
        read!(self, read, |on| to_reap(on, tenant, now))
    }
}

pub(super) async fn group(
    on: &impl Read,
    tenant: TenantId,
    id: ContactGroupId,
    now: Timestamp,
) -> Result<Option<ContactGroup>, StoreError> {
    on.one(&contact::GROUP, &values![tenant.0, now.0, id.0], rows::contact_group).await
}

pub(super) async fn get(
    on: &impl Read,
    tenant: TenantId,
    id: ContactId,
    now: Timestamp,
) -> Result<Option<Contact>, StoreError> {
    on.one(&contact::GET, &values![tenant.0, now.0, id.0], rows::contact).await
}

async fn groups(
    on: &impl Read,
    tenant: TenantId,
    now: Timestamp,
    slice: Slice,
) -> Result<Page<ContactGroup>, StoreError> {
    let (limit, offset) = bounds(slice);
    let (page, all) = (values![tenant.0, now.0, limit, offset], values![tenant.0, now.0]);
    let items = on.all(&contact::GROUPS, &page, rows::contact_group);
    let (items, total) = try_join(items, on.count(&contact::GROUPS_COUNT, &all)).await?;
    Ok(Page { items, total })
}

/// A group and the edition of its list.
pub(super) async fn list(
    on: &impl Read,
    tenant: TenantId,
    id: ContactGroupId,
    now: Timestamp,
) -> Result<Option<(ContactGroup, i64)>, StoreError> {
    let of_group = values![tenant.0, id.0];
    let edition = on.one(&contact::EDITION, &of_group, |row| column(row, 0));
    let (group, edition) = try_join(group(on, tenant, id, now), edition).await?;
    Ok(group.zip(edition))
}

async fn contacts(
    on: &impl Read,
    tenant: TenantId,
    group: ContactGroupId,
    now: Timestamp,
    slice: Slice,
) -> Result<Option<Page<Contact>>, StoreError> {
    let Some((group, edition)) = list(on, tenant, group, now).await? else {
        return Ok(None);
    };
    let (limit, offset) = bounds(slice);
    let page = values![tenant.0, group.id.0, edition, limit, offset];
    let items = on.all(&contact::LIST, &page, rows::contact).await?;
    Ok(Some(Page { items, total: group.contacts }))
}

async fn contacts_after(
    on: &impl Read,
    tenant: TenantId,
    group: ContactGroupId,
    now: Timestamp,
    after: ContactId,
    limit: u32,
) -> Result<Option<Vec<Contact>>, StoreError> {
    let Some((group, edition)) = list(on, tenant, group, now).await? else {
        return Ok(None);
    };
    let page = values![tenant.0, group.id.0, edition, after.0, limit];
    on.all(&contact::AFTER, &page, rows::contact).await.map(Some)
}

async fn by_phone(
    on: &impl Read,
    tenant: TenantId,
    group: ContactGroupId,
    now: Timestamp,
    phones: &[PhoneNumber],
) -> Result<Option<(ContactGroup, Vec<Contact>)>, StoreError> {
    let Some((group, edition)) = list(on, tenant, group, now).await? else {
        return Ok(None);
    };

    let wanted: Vec<_> =
        phones.iter().map(|phone| values![tenant.0, group.id.0, edition, phone.as_str()].to_vec()).collect();
    let found = on.each(&contact::BY_PHONE, &wanted, rows::contact).await?;
    let mut found: Vec<Contact> = found.into_iter().flatten().collect();
    // A number that was asked for twice is there once.
    found.sort_unstable_by_key(|contact| contact.id);
    found.dedup_by_key(|contact| contact.id);
    Ok(Some((group, found)))
}

async fn to_reap(on: &impl Read, tenant: TenantId, now: Timestamp) -> Result<Option<Reapable>, StoreError> {
    let garbage = on.one(&contact::GARBAGE, &values![tenant.0], rows::garbage).await?;
    match garbage {
        Some(_) => Ok(garbage),
        None => on.one(&contact::EXPIRED, &values![tenant.0, now.0], rows::expired).await,
    }
}
