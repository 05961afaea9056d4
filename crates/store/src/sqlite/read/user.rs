//! Reads of users.

use muster_domain::tenant::TenantCounts;
use muster_domain::user::{User, UserFilter, UserOrder, UserSort, UserStatus, UserStore, UserView};
use muster_domain::{Page, Slice, StoreError, TenantId, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, Result as SqlResult, params, params_from_iter};
use uuid::Uuid;

use super::user_group::size;
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
        self.read(|connection| view(connection, tenant, id))
    }

    async fn user_view_by_uuid(&self, tenant: TenantId, uuid: Uuid) -> Result<Option<UserView>, StoreError> {
        self.read(|connection| view_by_uuid(connection, tenant, uuid))
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
            let members = match filter.user_group {
                Some(group) => size(connection, tenant, group)?.unwrap_or(0),
                None => 0,
            };
            let (ids, total) = match (filter.within, filter.user_group) {
                // Who is in a group that is gone is nobody.
                (_, Some(_)) if members == 0 => (Vec::new(), 0),
                (Some(_), _) => walked(connection, &SUBTREE, tenant, &filter, order, slice)?,
                (None, Some(_)) => ids_in_group(connection, tenant, &filter, order, slice, members)?,
                (None, None) => ids_in_tenant(connection, tenant, &filter, order, slice)?,
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
        filter.search.as_deref().map(contains_pattern).into(),
        filter.user_group.map(|id| id.0.as_bytes().to_vec()).into(),
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
    let total = total_in_tenant(connection, tenant, filter)?;
    Ok((page_of_all(connection, tenant, filter, order, slice)?, total))
}

/// The ids of a page, read in the order of an index of all users.
fn page_of_all(
    connection: &Connection,
    tenant: TenantId,
    filter: &UserFilter,
    order: UserOrder,
    slice: Slice,
) -> SqlResult<Vec<i64>> {
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
    let values = with_slice(filter_values(tenant, filter), slice);
    all(connection, list, params_from_iter(values), |row| row.get(0))
}

/// Whether users are looked at one by one to tell who fits, beside status, unit and group.
fn is_narrow(filter: &UserFilter) -> bool {
    let UserFilter { role, name, login, search, within: _, user_group: _, status: _ } = filter;
    role.is_some() || name.is_some() || login.is_some() || search.is_some()
}

/// How many users of a tenant fit. Where a count is kept, nothing is counted.
fn total_in_tenant(connection: &Connection, tenant: TenantId, filter: &UserFilter) -> SqlResult<u64> {
    if is_narrow(filter) {
        return count(connection, &user::LIST_COUNT, params_from_iter(filter_values(tenant, filter)));
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

/// The ids of a page of the members of a group, of which there are `members`, and how many fit.
///
/// Either all members are walked and sorted, or all users are read in the order of the list until the page is full,
/// which of them is faster being told by the kept counts: the members of a great group are found soon.
fn ids_in_group(
    connection: &Connection,
    tenant: TenantId,
    filter: &UserFilter,
    order: UserOrder,
    slice: Slice,
    members: u64,
) -> SqlResult<(Vec<i64>, u64)> {
    if filter.status.is_none() && !is_narrow(filter) {
        let users = total_in_tenant(connection, tenant, &UserFilter::default())?;
        let wanted = u64::from(slice.limit).saturating_add(slice.offset);
        if wanted.saturating_mul(users) < members.saturating_mul(members) {
            // Members are not deleted, so that all of them fit.
            return Ok((page_of_all(connection, tenant, filter, order, slice)?, members));
        }
    }
    walked(connection, &GROUP, tenant, filter, order, slice)
}

/// The statements of a list that is walked, sorted and counted at once.
struct Walked {
    created: [&'static Statement; 2],
    name: [&'static Statement; 2],
    login: [&'static Statement; 2],
    count: &'static Statement,
}

/// The users of a unit and all below it.
static SUBTREE: Walked = Walked {
    created: [&user::SUBTREE_CREATED, &user::SUBTREE_CREATED_DESC],
    name: [&user::SUBTREE_NAME, &user::SUBTREE_NAME_DESC],
    login: [&user::SUBTREE_LOGIN, &user::SUBTREE_LOGIN_DESC],
    count: &user::SUBTREE_COUNT,
};

/// The members of a group.
static GROUP: Walked = Walked {
    created: [&user::GROUP_CREATED, &user::GROUP_CREATED_DESC],
    name: [&user::GROUP_NAME, &user::GROUP_NAME_DESC],
    login: [&user::GROUP_LOGIN, &user::GROUP_LOGIN_DESC],
    count: &user::GROUP_COUNT,
};

/// The ids of a page of a list that is walked, and how many fit.
fn walked(
    connection: &Connection,
    list: &Walked,
    tenant: TenantId,
    filter: &UserFilter,
    order: UserOrder,
    slice: Slice,
) -> SqlResult<(Vec<i64>, u64)> {
    let sorted = match order.by {
        UserSort::Created => list.created,
        UserSort::Name => list.name,
        UserSort::Login => list.login,
    };
    let values = filter_values(tenant, filter);
    let page = params_from_iter(with_slice(values.clone(), slice));
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let rows: Vec<(i64, i64)> = all(connection, sorted[usize::from(order.descending)], page, row)?;
    let total = match rows.first() {
        Some((_, total)) => u64::try_from(*total).unwrap_or(0),
        // Beyond the end no row tells it.
        None => count(connection, list.count, params_from_iter(values))?,
    };
    Ok((rows.into_iter().map(|(id, _)| id).collect(), total))
}
