//! Writing contact groups and contacts.

use muster_domain::contact::{Contact, ContactGroup};
use muster_domain::{ContactGroupId, ContactId, StoreError, TenantId};
use rusqlite::{Connection, params};

use super::{Outcome, exactly_one, number, run};
use crate::sqlite::error::store_error;
use crate::statements::contact;

pub(super) fn group_insert(connection: &Connection, g: &ContactGroup) -> Outcome {
    let text = &g.labels;
    let params = params![
        g.id.0,
        g.tenant.0,
        g.name,
        g.description,
        text[0],
        text[1],
        text[2],
        text[3],
        text[4],
        g.expires_at.map(|at| at.0),
        g.version,
        g.created_at.0,
        g.modified_at.0
    ];
    run(connection, &contact::GROUP_INSERT, params).map(drop)
}

pub(super) fn group_update(connection: &Connection, g: &ContactGroup) -> Outcome {
    let text = &g.labels;
    let params = params![
        g.tenant.0,
        g.id.0,
        g.version - 1,
        g.name,
        g.description,
        text[0],
        text[1],
        text[2],
        text[3],
        text[4],
        g.expires_at.map(|at| at.0),
        g.version,
        g.modified_at.0
    ];
    if run(connection, &contact::GROUP_UPDATE, params)? == 1 {
        return Ok(());
    }
    exactly_one(run(connection, &contact::GROUP_UPDATE_EXPIRY, params)?)
}

/// The edition of a list; one that is gone has none.
fn edition(connection: &Connection, tenant: TenantId, group: ContactGroupId) -> Result<i64, StoreError> {
    number(connection, &contact::EDITION, &[tenant.0, group.0])?.ok_or(StoreError::Stale)
}

fn count(connection: &Connection, tenant: TenantId, group: ContactGroupId, by: i64) -> Outcome {
    exactly_one(run(connection, &contact::COUNT, [tenant.0, group.0, by])?)
}

/// A number of rows, as it is stored.
fn stored(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(super) fn replace(
    connection: &Connection,
    tenant: TenantId,
    group: ContactGroupId,
    keep: &[ContactId],
) -> Outcome {
    exactly_one(run(connection, &contact::NEXT_EDITION, [tenant.0, group.0, stored(keep.len())])?)?;
    let edition = edition(connection, tenant, group)?;
    for id in keep {
        exactly_one(run(connection, &contact::KEEP, [tenant.0, group.0, id.0, edition])?)?;
    }
    Ok(())
}

pub(super) fn insert(
    connection: &Connection,
    tenant: TenantId,
    group: ContactGroupId,
    contacts: &[Contact],
) -> Outcome {
    let edition = edition(connection, tenant, group)?;
    let mut statement = connection.prepare_cached(contact::INSERT.sqlite()).map_err(store_error)?;
    for new in contacts {
        if (new.tenant, new.group) != (tenant, group) {
            return Err(StoreError::Internal("a list got a contact of another one".to_owned()));
        }
        let text = &new.columns;
        let params = params![
            new.id.0,
            tenant.0,
            group.0,
            edition,
            new.phone.as_str(),
            text[0],
            text[1],
            text[2],
            text[3],
            text[4],
            new.callback_data,
            new.version,
            new.created_at.0,
            new.modified_at.0
        ];
        statement.execute(params).map_err(store_error)?;
    }
    count(connection, tenant, group, stored(contacts.len()))
}

pub(super) fn update(connection: &Connection, new: &Contact) -> Outcome {
    let text = &new.columns;
    let params = params![
        new.tenant.0,
        new.id.0,
        new.version - 1,
        new.phone.as_str(),
        text[0],
        text[1],
        text[2],
        text[3],
        text[4],
        new.callback_data,
        new.version,
        new.modified_at.0
    ];
    if run(connection, &contact::UPDATE, params)? == 0 {
        exactly_one(run(connection, &contact::UPDATE_PHONE, params)?)?;
    }
    count(connection, new.tenant, new.group, 0)
}

pub(super) fn delete(connection: &Connection, gone: &Contact) -> Outcome {
    let (tenant, group) = (gone.tenant, gone.group);
    exactly_one(run(connection, &contact::DELETE, [tenant.0, gone.id.0, gone.version])?)?;
    count(connection, tenant, group, -1)
}

pub(super) fn reap(connection: &Connection, tenant: TenantId, group: ContactGroupId, limit: u32) -> Outcome {
    let below = number(connection, &contact::REAP_BELOW, &[tenant.0, group.0])?;
    let below = below.ok_or(StoreError::Stale)?;
    let removed = run(connection, &contact::REAP, [tenant.0, group.0, below, i64::from(limit)])?;
    if removed > 0 {
        return Ok(());
    }
    exactly_one(run(connection, &contact::REAPED, [tenant.0, group.0])?)
}
