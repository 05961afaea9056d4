//! Writing user groups and memberships.

use std::collections::BTreeMap;

use muster_domain::user_group::{Membership, UserGroup};
use muster_domain::{StoreError, TenantId, Timestamp, UserGroupId, UserId};

use super::Outcome;
use crate::driver::{Wanted, Write};
use crate::row::get;
use crate::statements::user_group;
use crate::value::{Value, values};

/// The values that both statements on groups begin with.
fn values(g: &UserGroup) -> Result<Vec<Value<'_>>, StoreError> {
    let extra_fields = g.extra_fields.as_ref().map(serde_json::to_string).transpose();
    let extra_fields = extra_fields.map_err(|error| StoreError::Internal(error.to_string()))?;
    Ok(values![
        g.tenant.0,
        g.id.0,
        &g.name,
        g.name_key(),
        &g.description,
        g.description_key(),
        &g.external_id,
        g.external_id_key(),
        extra_fields,
        g.version,
        g.modified_at.0,
    ]
    .into())
}

pub(super) async fn insert(on: &mut impl Write, g: &UserGroup) -> Outcome {
    let mut values = values(g)?;
    values.push(g.created_at.0.into());
    on.run(&user_group::INSERT, &values).await
}

pub(super) async fn update(on: &mut impl Write, g: &UserGroup) -> Outcome {
    let mut values = values(g)?;
    values.push((g.version - 1).into());
    on.change(&user_group::UPDATE_IN_PLACE, &user_group::UPDATE, &values).await
}

/// Who has joined and left groups in a batch. It is written once for each group: in PostgreSQL a row that is written n times in a
/// transaction is found ever more slowly.
#[derive(Default)]
pub(super) struct Comings(BTreeMap<UserGroupId, Counted>);

#[derive(Default)]
struct Counted {
    members: i64,
    /// By so much the version goes up.
    moves: i64,
    at: i64,
}

impl Comings {
    fn count(&mut self, group: UserGroupId, by: i64, at: Timestamp) {
        let counted = self.0.entry(group).or_default();
        *counted =
            Counted { members: counted.members + by, moves: counted.moves + 1, at: counted.at.max(at.0) };
    }

    pub(super) async fn write(&mut self, on: &mut impl Write, tenant: TenantId) -> Outcome {
        for (group, Counted { members, moves, at }) in std::mem::take(&mut self.0) {
            on.one_row(&user_group::COUNT, &values![tenant.0, group.0, members, at, moves]).await?;
        }
        Ok(())
    }
}

pub(super) async fn join(
    on: &mut impl Write,
    tenant: TenantId,
    new: &Membership,
    comings: &mut Comings,
) -> Outcome {
    comings.count(new.group, 1, new.since);
    if new.primary {
        unmark(on, tenant, new.user).await?;
    }
    let values = values![tenant.0, new.group.0, new.user.0, new.primary, new.since.0];
    on.one_row(&user_group::MEMBER_INSERT, &values).await
}

pub(super) async fn leave(
    on: &mut impl Write,
    tenant: TenantId,
    user: UserId,
    group: UserGroupId,
    at: Timestamp,
    comings: &mut Comings,
) -> Outcome {
    comings.count(group, -1, at);
    on.one_row(&user_group::MEMBER_DELETE, &values![tenant.0, group.0, user.0]).await
}

/// Of a user's memberships at most one is marked, which an index holds: the former one goes before the next.
async fn unmark(on: &mut impl Write, tenant: TenantId, user: UserId) -> Outcome {
    on.run(&user_group::UNMARK, &values![tenant.0, user.0]).await
}

pub(super) async fn make_primary(
    on: &mut impl Write,
    tenant: TenantId,
    user: UserId,
    group: UserGroupId,
) -> Outcome {
    unmark(on, tenant, user).await?;
    on.one_row(&user_group::MARK, &values![tenant.0, group.0, user.0]).await
}

/// Removes memberships of a deleted group. Who had it as the primary one gets the mark where readers see it already.
pub(super) async fn reap(on: &mut impl Write, tenant: TenantId, group: UserGroupId, limit: u32) -> Outcome {
    on.send(&user_group::IS_DELETED, &values![tenant.0, group.0], Wanted::Found).await?;
    let member = |row: &dyn crate::row::Row| Ok((UserId(get(row, 0)?), get::<bool>(row, 1)?));
    let members = on.found(&user_group::REAPABLE, &values![tenant.0, group.0, limit], member).await?;
    for (user, marked) in members {
        on.run(&user_group::MEMBER_DELETE, &values![tenant.0, group.0, user.0]).await?;
        if !marked {
            continue;
        }
        let id = |row: &dyn crate::row::Row| get(row, 0).map(UserGroupId);
        let next = on.found(&user_group::PRIMARY_OF_USER, &values![tenant.0, user.0], id).await?;
        if let Some(next) = next.first() {
            make_primary(on, tenant, user, *next).await?;
        }
    }
    Ok(())
}
