//! Writing user groups and memberships.

use muster_domain::user_group::{Membership, UserGroup};
use muster_domain::{StoreError, TenantId, Timestamp, UserGroupId, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::{Outcome, exactly_one, run};
use crate::sqlite::error::store_error;
use crate::statements::{Statement, user_group};

/// The values that both statements on groups begin with.
fn values(g: &UserGroup) -> Result<Vec<Value>, StoreError> {
    let extra_fields = g.extra_fields.as_ref().map(serde_json::to_string).transpose();
    let extra_fields = extra_fields.map_err(|error| StoreError::Internal(error.to_string()))?;
    Ok(vec![
        g.tenant.0.into(),
        g.id.0.as_bytes().to_vec().into(),
        g.name.clone().into(),
        g.name_key().into(),
        g.description.clone().into(),
        g.description_key().into(),
        g.external_id.clone().into(),
        g.external_id_key().into(),
        extra_fields.into(),
        g.version.into(),
        g.modified_at.0.into(),
    ])
}

/// Whether a look-up finds a row.
fn found(
    connection: &Connection,
    statement: &Statement,
    params: impl rusqlite::Params,
) -> Result<bool, StoreError> {
    connection
        .prepare_cached(statement.sqlite())
        .and_then(|mut statement| statement.exists(params))
        .map_err(store_error)
}

pub(super) fn insert(connection: &Connection, g: &UserGroup) -> Outcome {
    let mut values = values(g)?;
    values.push(g.created_at.0.into());
    run(connection, &user_group::INSERT, params_from_iter(values)).map(drop)
}

pub(super) fn update(connection: &Connection, g: &UserGroup) -> Outcome {
    let mut values = values(g)?;
    values.push((g.version - 1).into());
    exactly_one(run(connection, &user_group::UPDATE, params_from_iter(values))?)
}

pub(super) fn delete(
    connection: &Connection,
    tenant: TenantId,
    id: UserGroupId,
    version: i64,
    at: Timestamp,
) -> Outcome {
    let params = params![tenant.0, id.0.as_bytes(), version, at.0];
    exactly_one(run(connection, &user_group::DELETE, params)?)
}

pub(super) fn remove(connection: &Connection, tenant: TenantId, id: UserGroupId) -> Outcome {
    exactly_one(run(connection, &user_group::REMOVE, params![tenant.0, id.0.as_bytes()])?)
}

/// The version of a group, also of a deleted one.
pub(super) fn version(connection: &Connection, tenant: TenantId, id: &str) -> Result<i64, StoreError> {
    let id = uuid::Uuid::parse_str(id).map_err(|error| StoreError::Internal(error.to_string()))?;
    let mut statement = connection.prepare_cached(user_group::VERSION.sqlite()).map_err(store_error)?;
    let version = statement.query_row(params![tenant.0, id.as_bytes()], |row| row.get(0)).optional();
    version.map_err(store_error)?.ok_or(StoreError::Stale)
}

pub(super) fn version_is(
    connection: &Connection,
    tenant: TenantId,
    id: UserGroupId,
    version: i64,
) -> Result<bool, StoreError> {
    found(connection, &user_group::VERSION_IS, params![tenant.0, id.0.as_bytes(), version])
}

pub(super) fn is_vacant(
    connection: &Connection,
    tenant: TenantId,
    id: UserGroupId,
) -> Result<bool, StoreError> {
    found(connection, &user_group::IS_VACANT, params![tenant.0, id.0.as_bytes()])
}

/// The groups of a user in their order.
pub(super) fn of_user(
    connection: &Connection,
    tenant: TenantId,
    user: UserId,
) -> Result<Vec<UserGroupId>, StoreError> {
    groups(connection, &user_group::OF_USER, tenant, user)
}

pub(super) fn primary_of(
    connection: &Connection,
    tenant: TenantId,
    user: UserId,
) -> Result<Option<UserGroupId>, StoreError> {
    Ok(groups(connection, &user_group::PRIMARY_OF_USER, tenant, user)?.first().copied())
}

fn groups(
    connection: &Connection,
    statement: &Statement,
    tenant: TenantId,
    user: UserId,
) -> Result<Vec<UserGroupId>, StoreError> {
    let mut statement = connection.prepare_cached(statement.sqlite()).map_err(store_error)?;
    let id = |row: &rusqlite::Row<'_>| Ok(UserGroupId(uuid::Uuid::from_bytes(row.get(0)?)));
    let rows = statement.query_map([tenant.0, user.0], id).map_err(store_error)?;
    rows.collect::<rusqlite::Result<_>>().map_err(store_error)
}

fn count(connection: &Connection, tenant: TenantId, id: UserGroupId, by: i64, at: Timestamp) -> Outcome {
    let params = params![tenant.0, id.0.as_bytes(), by, at.0];
    exactly_one(run(connection, &user_group::COUNT, params)?)
}

pub(super) fn join(connection: &Connection, tenant: TenantId, new: &Membership) -> Outcome {
    count(connection, tenant, new.group, 1, new.since)?;
    if new.primary {
        unmark(connection, tenant, new.user)?;
    }
    let params = params![tenant.0, new.group.0.as_bytes(), new.user.0, new.primary, new.since.0];
    exactly_one(run(connection, &user_group::MEMBER_INSERT, params)?)
}

pub(super) fn leave(
    connection: &Connection,
    tenant: TenantId,
    user: UserId,
    group: UserGroupId,
    at: Timestamp,
) -> Outcome {
    count(connection, tenant, group, -1, at)?;
    let params = params![tenant.0, group.0.as_bytes(), user.0];
    exactly_one(run(connection, &user_group::MEMBER_DELETE, params)?)
}

/// Of a user's memberships at most one is marked, which an index holds: the former one goes before the next.
fn unmark(connection: &Connection, tenant: TenantId, user: UserId) -> Outcome {
    run(connection, &user_group::UNMARK, [tenant.0, user.0]).map(drop)
}

pub(super) fn make_primary(
    connection: &Connection,
    tenant: TenantId,
    user: UserId,
    group: UserGroupId,
) -> Outcome {
    unmark(connection, tenant, user)?;
    let params = params![tenant.0, group.0.as_bytes(), user.0];
    exactly_one(run(connection, &user_group::MARK, params)?)
}

/// Removes memberships of a deleted group. Who had it as the primary one gets the mark where readers see it already.
pub(super) fn reap(connection: &Connection, tenant: TenantId, group: UserGroupId, limit: u32) -> Outcome {
    if !found(connection, &user_group::IS_DELETED, params![tenant.0, group.0.as_bytes()])? {
        return Err(StoreError::Stale);
    }
    let mut statement = connection.prepare_cached(user_group::REAPABLE.sqlite()).map_err(store_error)?;
    let params = params![tenant.0, group.0.as_bytes(), limit];
    let rows = statement.query_map(params, |row| Ok((UserId(row.get(0)?), row.get::<_, bool>(1)?)));
    let rows = rows.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>).map_err(store_error)?;
    for (user, marked) in rows {
        run(connection, &user_group::MEMBER_DELETE, params![tenant.0, group.0.as_bytes(), user.0])?;
        if marked && let Some(next) = primary_of(connection, tenant, user)? {
            make_primary(connection, tenant, user, next)?;
        }
    }
    Ok(())
}
