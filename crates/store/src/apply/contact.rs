//! Writing contact groups and contacts.

use muster_domain::contact::{Contact, ContactGroup};
use muster_domain::{ContactGroupId, ContactId, StoreError, TenantId};

use super::Outcome;
use crate::driver::{ONE_ROW, Write};
use crate::statements::contact;
use crate::value::values;

pub(super) async fn group_insert(on: &mut impl Write, g: &ContactGroup) -> Outcome {
    let text = &g.labels;
    let values = values![
        g.id.0,
        g.tenant.0,
        &g.name,
        &g.description,
        &text[0],
        &text[1],
        &text[2],
        &text[3],
        &text[4],
        g.expires_at.map(|at| at.0),
        g.version,
        g.created_at.0,
        g.modified_at.0,
    ];
    on.run(&contact::GROUP_INSERT, &values).await
}

pub(super) async fn group_update(on: &mut impl Write, g: &ContactGroup) -> Outcome {
    let text = &g.labels;
    let values = values![
        g.tenant.0,
        g.id.0,
        g.version - 1,
        &g.name,
        &g.description,
        &text[0],
        &text[1],
        &text[2],
        &text[3],
        &text[4],
        g.expires_at.map(|at| at.0),
        g.version,
        g.modified_at.0,
    ];
    on.change(&contact::GROUP_UPDATE, &contact::GROUP_UPDATE_EXPIRY, &values).await
}

async fn count(on: &mut impl Write, tenant: TenantId, group: ContactGroupId, by: i64) -> Outcome {
    on.one_row(&contact::COUNT, &values![tenant.0, group.0, by]).await
}

/// A number of rows, as it is stored.
fn stored(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(super) async fn replace(
    on: &mut impl Write,
    tenant: TenantId,
    group: ContactGroupId,
    keep: &[ContactId],
) -> Outcome {
    on.one_row(&contact::NEXT_EDITION, &values![tenant.0, group.0, stored(keep.len())]).await?;
    let kept: Vec<_> = keep.iter().map(|id| values![tenant.0, group.0, id.0].to_vec()).collect();
    on.each(&contact::KEEP, &kept, ONE_ROW).await
}

pub(super) async fn insert(
    on: &mut impl Write,
    tenant: TenantId,
    group: ContactGroupId,
    contacts: &[Contact],
) -> Outcome {
    // First of all, since nothing is put into a list that is gone.
    count(on, tenant, group, stored(contacts.len())).await?;
    let mut rows = Vec::with_capacity(contacts.len());
    for new in contacts {
        if (new.tenant, new.group) != (tenant, group) {
            return Err(StoreError::Internal("a list got a contact of another one".to_owned()));
        }
        let text = &new.columns;
        let values = values![
            new.id.0,
            tenant.0,
            group.0,
            new.phone.as_str(),
            &text[0],
            &text[1],
            &text[2],
            &text[3],
            &text[4],
            &new.callback_data,
            new.version,
            new.created_at.0,
            new.modified_at.0,
        ];
        rows.push(values.to_vec());
    }
    on.each(&contact::INSERT, &rows, ONE_ROW).await
}

pub(super) async fn update(on: &mut impl Write, new: &Contact) -> Outcome {
    let text = &new.columns;
    let values = values![
        new.tenant.0,
        new.id.0,
        new.version - 1,
        new.phone.as_str(),
        &text[0],
        &text[1],
        &text[2],
        &text[3],
        &text[4],
        &new.callback_data,
        new.version,
        new.modified_at.0,
    ];
    on.change(&contact::UPDATE, &contact::UPDATE_PHONE, &values).await?;
    count(on, new.tenant, new.group, 0).await
}

pub(super) async fn delete(on: &mut impl Write, gone: &Contact) -> Outcome {
    on.one_row(&contact::DELETE, &values![gone.tenant.0, gone.id.0, gone.version]).await?;
    count(on, gone.tenant, gone.group, -1).await
}

pub(super) async fn reap(
    on: &mut impl Write,
    tenant: TenantId,
    group: ContactGroupId,
    limit: u32,
) -> Outcome {
    let removed = on.written(&contact::REAP, &values![tenant.0, group.0, limit]).await?;
    if removed > 0 {
        return Ok(());
    }
    on.one_row(&contact::REAPED, &values![tenant.0, group.0]).await
}
