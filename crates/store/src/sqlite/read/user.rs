//! Reads of users.

use muster_domain::tenant::TenantCounts;
use muster_domain::user::{User, UserFilter, UserOrder, UserSort, UserStatus, UserStore, UserView};
use muster_domain::{Page, Slice, StoreError, TenantId, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, Result as SqlResult, params, params_from_iter};
use uuid::Uuid;

use super::{all, bounds, contains_pattern, count, one};
use crate::codes;
use crate::sqlite::error::corrupt;
use crate::sqlite::{SqliteStore, rows};
use crate::statements::{tenant, user};

impl UserStore for SqliteStore {
    async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(|connection| one(connection, &user::GET, [tenant.0, id.0], rows::user))
    }

    async fn user_view(&self, tenant: TenantId, id: UserId) -> Result<Option<UserView>, StoreError> {
        self.read(|connection| view(connection, tenant, id))
    }

    async fn user_by_claim(&self, login_key: &str) -> Result<Option<User>, StoreError> {
        self.read(|connection| one(connection, &user::BY_CLAIM, [login_key], rows::user))
    }

    async fn users(
        &self,
        tenant: TenantId,
        filter: UserFilter,
        order: UserOrder,
        slice: Slice,
    ) -> Result<Page<UserView>, StoreError> {
        self.scan(move |connection| {
            let (ids, total) = match filter.within {
                Some(_) => ids_in_subtree(connection, tenant, &filter, order, slice)?,
                None => ids_in_tenant(connection, tenant, &filter, order, slice)?,
            };
            let row =
                |id: i64| view(connection, tenant, UserId(id))?.ok_or_else(|| corrupt("org unit of a user"));
            Ok(Page { items: ids.into_iter().map(row).collect::<SqlResult<_>>()?, total })
        })
        .await
    }

    async fn admin_remains(
        &self,
        tenant: TenantId,
        besides: UserId,
        with_password: bool,
    ) -> Result<bool, StoreError> {
        let params = [tenant.0, besides.0, i64::from(with_password)];
        self.read(|connection| Ok(one(connection, &user::ADMIN_REMAINS, params, |_| Ok(()))?.is_some()))
    }
}

/// A user with the units that its row names.
pub(super) fn view(connection: &Connection, tenant: TenantId, id: UserId) -> SqlResult<Option<UserView>> {
    one(connection, &user::VIEW, [tenant.0, id.0], rows::user_view)
}

/// As [`view`], of the user with this UUID.
pub(super) fn view_by_uuid(
    connection: &Connection,
    tenant: TenantId,
    uuid: Uuid,
) -> SqlResult<Option<UserView>> {
    one(connection, &user::VIEW_BY_UUID, params![tenant.0, uuid.as_bytes()], rows::user_view)
}

/// The values of the parameters that all lists and counts of users begin with.
fn filter_values(tenant: TenantId, filter: &UserFilter) -> Vec<Value> {
    let (least, greatest) = match filter.status {
        Some(status) => (status, status),
        None => (UserStatus::Active, UserStatus::Inactive),
    };
    vec![
        tenant.0.into(),
        filter.within.map(|id| id.0).into(),
        filter.role.map(codes::role).into(),
        filter.name.as_deref().map(contains_pattern).into(),
        filter.login.as_deref().map(contains_pattern).into(),
        codes::user_status(least).into(),
        codes::user_status(greatest).into(),
    ]
}

fn with_slice(mut values: Vec<Value>, slice: Slice) -> Vec<Value> {
    let (limit, offset) = bounds(slice);
    values.extend([limit.into(), offset.into()]);
    values
}

/// The ids of a page of all users of a tenant, and how many there are.
fn ids_in_tenant(
    connection: &Connection,
    tenant: TenantId,
    filter: &UserFilter,
    order: UserOrder,
    slice: Slice,
) -> SqlResult<(Vec<i64>, u64)> {
    let deleted = filter.status == Some(UserStatus::Deleted);
    let list = match (order.by, order.descending) {
        (UserSort::Created, false) => &user::LIST_CREATED,
        (UserSort::Created, true) => &user::LIST_CREATED_DESC,
        (UserSort::Name, false) => &user::LIST_NAME,
        (UserSort::Name, true) => &user::LIST_NAME_DESC,
        (UserSort::Login, false) if deleted => &user::LIST_DELETED_LOGIN,
        (UserSort::Login, true) if deleted => &user::LIST_DELETED_LOGIN_DESC,
        (UserSort::Login, false) => &user::LIST_LOGIN,
        (UserSort::Login, true) => &user::LIST_LOGIN_DESC,
    };
    let values = filter_values(tenant, filter);
    let total = total_in_tenant(connection, tenant, filter, &values)?;
    let values = with_slice(values, slice);
    Ok((all(connection, list, params_from_iter(values), |row| row.get(0))?, total))
}

/// How many users of a tenant fit. Where a count is kept, nothing is counted.
fn total_in_tenant(
    connection: &Connection,
    tenant: TenantId,
    filter: &UserFilter,
    values: &[Value],
) -> SqlResult<u64> {
    if filter.role.is_some() || filter.name.is_some() || filter.login.is_some() {
        return count(connection, &user::LIST_COUNT, params_from_iter(values));
    }
    let counts = one(connection, &tenant::COUNTS, [tenant.0], rows::tenant_counts)?;
    let TenantCounts { users_active, users_inactive, users_deleted, .. } = counts.unwrap_or_default();
    Ok(match filter.status {
        None => users_active + users_inactive,
        Some(UserStatus::Active) => users_active,
        Some(UserStatus::Inactive) => users_inactive,
        Some(UserStatus::Deleted) => users_deleted,
    })
}

/// The ids of a page of the users of a unit and all below it, and how many there are.
fn ids_in_subtree(
    connection: &Connection,
    tenant: TenantId,
    filter: &UserFilter,
    order: UserOrder,
    slice: Slice,
) -> SqlResult<(Vec<i64>, u64)> {
    let list = match (order.by, order.descending) {
        (UserSort::Created, false) => &user::SUBTREE_CREATED,
        (UserSort::Created, true) => &user::SUBTREE_CREATED_DESC,
        (UserSort::Name, false) => &user::SUBTREE_NAME,
        (UserSort::Name, true) => &user::SUBTREE_NAME_DESC,
        (UserSort::Login, false) => &user::SUBTREE_LOGIN,
        (UserSort::Login, true) => &user::SUBTREE_LOGIN_DESC,
    };
    let values = filter_values(tenant, filter);
    let page = with_slice(values.clone(), slice);
    let rows: Vec<(i64, i64)> =
        all(connection, list, params_from_iter(page), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let total = match rows.first() {
        Some((_, total)) => u64::try_from(*total).unwrap_or(0),
        // Beyond the end no row tells it.
        None => count(connection, &user::SUBTREE_COUNT, params_from_iter(values))?,
    };
    Ok((rows.into_iter().map(|(id, _)| id).collect(), total))
}
