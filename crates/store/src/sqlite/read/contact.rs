//! Reads of contact groups and contacts.

use muster_domain::contact::{Contact, ContactGroup, ContactStore, PhoneNumber, Reapable};
use muster_domain::{ContactGroupId, ContactId, Page, Slice, StoreError, TenantId, Timestamp};
use rusqlite::{Connection, Result as SqlResult, params};

use super::{all, bounds, count, one};
use crate::sqlite::{SqliteStore, rows};
use crate::statements::contact;

/// Look-ups of which a few cost less than the way to another thread.
const SHORT: usize = 8;

impl ContactStore for SqliteStore {
    async fn contact_group(
        &self,
        tenant: TenantId,
        id: ContactGroupId,
        now: Timestamp,
    ) -> Result<Option<ContactGroup>, StoreError> {
        self.read(|connection| group(connection, tenant, id, now))
    }

    async fn contact_groups(
        &self,
        tenant: TenantId,
        now: Timestamp,
        slice: Slice,
    ) -> Result<Page<ContactGroup>, StoreError> {
        self.scan(move |connection| {
            let (limit, offset) = bounds(slice);
            let params = [tenant.0, now.0, limit, offset];
            let items = all(connection, &contact::GROUPS, params, rows::contact_group)?;
            Ok(Page { items, total: count(connection, &contact::GROUPS_COUNT, [tenant.0, now.0])? })
        })
        .await
    }

    async fn contact_group_ids(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Vec<ContactGroupId>, StoreError> {
        self.scan(move |connection| {
            let id = |row: &rusqlite::Row<'_>| row.get(0).map(ContactGroupId);
            all(connection, &contact::GROUP_IDS, [tenant.0, now.0], id)
        })
        .await
    }

    async fn contact(
        &self,
        tenant: TenantId,
        id: ContactId,
        now: Timestamp,
    ) -> Result<Option<Contact>, StoreError> {
        self.read(|connection| get(connection, tenant, id, now))
    }

    async fn contacts(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        slice: Slice,
    ) -> Result<Option<Page<Contact>>, StoreError> {
        self.scan(move |connection| {
            let Some((group, edition)) = list(connection, tenant, group, now)? else {
                return Ok(None);
            };
            let (limit, offset) = bounds(slice);
            let params = [tenant.0, group.id.0, edition, limit, offset];
            let items = all(connection, &contact::LIST, params, rows::contact)?;
            Ok(Some(Page { items, total: group.contacts }))
        })
        .await
    }

    async fn contacts_after(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        after: ContactId,
        limit: u32,
    ) -> Result<Option<Vec<Contact>>, StoreError> {
        self.scan(move |connection| {
            let Some((group, edition)) = list(connection, tenant, group, now)? else {
                return Ok(None);
            };
            let params = [tenant.0, group.id.0, edition, after.0, i64::from(limit)];
            all(connection, &contact::AFTER, params, rows::contact).map(Some)
        })
        .await
    }

    async fn contacts_by_phone(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        phones: Vec<PhoneNumber>,
    ) -> Result<Option<(ContactGroup, Vec<Contact>)>, StoreError> {
        let is_short = phones.len() <= SHORT;
        let look_up = move |connection: &Connection| {
            let Some((group, edition)) = list(connection, tenant, group, now)? else {
                return Ok(None);
            };
            let mut found = Vec::new();
            for phone in &phones {
                let params = params![tenant.0, group.id.0, edition, phone.as_str()];
                found.extend(one(connection, &contact::BY_PHONE, params, rows::contact)?);
            }
            // A number that was asked for twice is there once.
            found.sort_unstable_by_key(|contact| contact.id);
            found.dedup_by_key(|contact| contact.id);
            Ok(Some((group, found)))
        };
        if is_short { self.snapshot(look_up) } else { self.scan(look_up).await }
    }

    async fn contacts_to_reap(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Option<Reapable>, StoreError> {
        self.read(|connection| {
            let garbage = one(connection, &contact::GARBAGE, [tenant.0], rows::garbage)?;
            match garbage {
                Some(_) => Ok(garbage),
                None => one(connection, &contact::EXPIRED, [tenant.0, now.0], rows::expired),
            }
        })
    }
}

pub(super) fn group(
    connection: &Connection,
    tenant: TenantId,
    id: ContactGroupId,
    now: Timestamp,
) -> SqlResult<Option<ContactGroup>> {
    one(connection, &contact::GROUP, [tenant.0, now.0, id.0], rows::contact_group)
}

pub(super) fn get(
    connection: &Connection,
    tenant: TenantId,
    id: ContactId,
    now: Timestamp,
) -> SqlResult<Option<Contact>> {
    one(connection, &contact::GET, [tenant.0, now.0, id.0], rows::contact)
}

/// A group and the edition of its list.
fn list(
    connection: &Connection,
    tenant: TenantId,
    id: ContactGroupId,
    now: Timestamp,
) -> SqlResult<Option<(ContactGroup, i64)>> {
    let Some(group) = group(connection, tenant, id, now)? else {
        return Ok(None);
    };
    let edition = one(connection, &contact::EDITION, [tenant.0, id.0], |row| row.get(0))?;
    Ok(edition.map(|edition| (group, edition)))
}
