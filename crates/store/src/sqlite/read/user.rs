//! Reads of users.

use muster_domain::tenant::TenantCounts;
use muster_domain::user::{Role, User, UserFilter, UserOrder, UserSort, UserStatus, UserStore, UserView};
use muster_domain::{Page, Slice, StoreError, TenantId, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, Result as SqlResult, params_from_iter};

use super::{all, bounds, contains_pattern, count, one};
use crate::codes;
use crate::sqlite::error::corrupt;
use crate::sqlite::{SqliteStore, rows};
use crate::statements::{Statement, tenant, user};

impl UserStore for SqliteStore {
    async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(|connection| one(connection, &user::GET, [tenant.0, id.0], rows::user))
    }

    async fn user_view(&self, tenant: TenantId, id: UserId) -> Result<Option<UserView>, StoreError> {
        self.read(|connection| one(connection, &user::VIEW, [tenant.0, id.0], rows::user_view))
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
            let mut values = filter_values(tenant, &filter);
            let total = total(connection, tenant, &filter, &values)?;
            let (limit, offset) = bounds(slice);
            values.extend([limit.into(), offset.into()]);
            let ids: Vec<i64> =
                all(connection, ids_statement(&filter, order), params_from_iter(values), |row| row.get(0))?;
            let view = |id: i64| {
                let view = one(connection, &user::VIEW, [tenant.0, id], rows::user_view)?;
                view.ok_or_else(|| corrupt("org unit of a user"))
            };
            Ok(Page { items: ids.into_iter().map(view).collect::<SqlResult<_>>()?, total })
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

/// The values of the parameters that all lists and counts of users begin with.
fn filter_values(tenant: TenantId, filter: &UserFilter) -> Vec<Value> {
    let (least, greatest) = match filter.status {
        Some(status) => (status, status),
        None => (UserStatus::Active, UserStatus::Inactive),
    };
    let (first, last) = match filter.role {
        Some(role) => (role, role),
        None => (Role::Admin, Role::ReadOnly),
    };
    vec![
        tenant.0.into(),
        filter.within.map(|id| id.0).into(),
        codes::user_status(least).into(),
        codes::user_status(greatest).into(),
        codes::role(first).into(),
        codes::role(last).into(),
        filter.name.as_deref().map(contains_pattern).into(),
        filter.login.as_deref().map(contains_pattern).into(),
    ]
}

/// How many users fit. Where a count is kept, nothing is counted.
fn total(connection: &Connection, tenant: TenantId, filter: &UserFilter, values: &[Value]) -> SqlResult<u64> {
    if filter.within.is_some() {
        return count(connection, &user::SUBTREE_COUNT, params_from_iter(values));
    }
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

fn ids_statement(filter: &UserFilter, order: UserOrder) -> &'static Statement {
    let UserOrder { by, descending } = order;
    let deleted = filter.status == Some(UserStatus::Deleted);
    match (filter.within.is_some(), by, descending) {
        (false, UserSort::Created, false) => &user::LIST_CREATED,
        (false, UserSort::Created, true) => &user::LIST_CREATED_DESC,
        (false, UserSort::Name, false) => &user::LIST_NAME,
        (false, UserSort::Name, true) => &user::LIST_NAME_DESC,
        (false, UserSort::Login, false) if deleted => &user::LIST_DELETED_LOGIN,
        (false, UserSort::Login, true) if deleted => &user::LIST_DELETED_LOGIN_DESC,
        (false, UserSort::Login, false) => &user::LIST_LOGIN,
        (false, UserSort::Login, true) => &user::LIST_LOGIN_DESC,
        (true, UserSort::Created, false) => &user::SUBTREE_CREATED,
        (true, UserSort::Created, true) => &user::SUBTREE_CREATED_DESC,
        (true, UserSort::Name, false) => &user::SUBTREE_NAME,
        (true, UserSort::Name, true) => &user::SUBTREE_NAME_DESC,
        (true, UserSort::Login, false) => &user::SUBTREE_LOGIN,
        (true, UserSort::Login, true) => &user::SUBTREE_LOGIN_DESC,
    }
}
