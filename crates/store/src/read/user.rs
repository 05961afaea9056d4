//! Reads of users.

use futures_util::future::try_join;
use muster_domain::predicate::{Match, Order, Predicate, Selection, TextColumn};
use muster_domain::tenant::TenantCounts;
use muster_domain::user::{User, UserFilter, UserOrder, UserSort, UserStatus, UserStore, UserView};
use muster_domain::{Page, Slice, StoreError, TenantId, UserId};
use uuid::Uuid;

use super::selected::selected;
use super::selection::USERS;
use super::user_group::size;
use super::{bounds, contains_pattern, read};
use crate::driver::Read;
use crate::row::{corrupt, get};
use crate::statements::{Statement, tenant, user};
use crate::value::{Value, values};
use crate::{Store, codes, rows};

impl UserStore for Store {
    async fn user(&self, tenant: TenantId, id: UserId) -> Result<Option<User>, StoreError> {
        read!(self, read, |on| on.one(&user::GET, &values![tenant.0, id.0], rows::user))
    }

    async fn user_view(&self, tenant: TenantId, id: UserId) -> Result<Option<UserView>, StoreError> {
        read!(self, read, |on| view(on, tenant, id))
    }

    async fn user_view_by_uuid(&self, tenant: TenantId, uuid: Uuid) -> Result<Option<UserView>, StoreError> {
        read!(self, read, |on| view_by_uuid(on, tenant, uuid))
    }

    async fn user_by_claim(&self, login_key: &str) -> Result<Option<User>, StoreError> {
        read!(self, read, |on| on.one(&user::BY_CLAIM, &values![login_key], rows::user))
    }

    async fn users(
        &self,
        tenant: TenantId,
        filter: UserFilter,
        order: UserOrder,
        slice: Slice,
    ) -> Result<Page<UserView>, StoreError> {
        read!(self, scan, |on| users(on, tenant, &filter, order, slice))
    }

    async fn users_selected(
        &self,
        tenant: TenantId,
        selection: Selection<UserId>,
    ) -> Result<Page<User>, StoreError> {
        if is_point(&selection.predicate) {
            return read!(self, read, |on| selected(on, &USERS, tenant, &selection, rows::user));
        }
        read!(self, scan, |on| selected(on, &USERS, tenant, &selection, rows::user))
    }

    async fn admin_remains(
        &self,
        tenant: TenantId,
        besides: UserId,
        with_password: bool,
    ) -> Result<bool, StoreError> {
        read!(self, read, |on| on.exists(&user::ADMIN_REMAINS, &values![tenant.0, besides.0, with_password]))
    }
}

/// A user with the units that its row names.
pub(super) async fn view(
    on: &impl Read,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<UserView>, StoreError> {
    on.one(&user::VIEW, &values![tenant.0, id.0], rows::user_view).await
}

pub(super) async fn view_by_uuid(
    on: &impl Read,
    tenant: TenantId,
    uuid: Uuid,
) -> Result<Option<UserView>, StoreError> {
    on.one(&user::VIEW_BY_UUID, &values![tenant.0, uuid], rows::user_view).await
}

async fn users(
    on: &impl Read,
    tenant: TenantId,
    filter: &UserFilter,
    order: UserOrder,
    slice: Slice,
) -> Result<Page<UserView>, StoreError> {
    let list = List { tenant, filter, order, slice };
    let members = match filter.user_group {
        Some(group) => size(on, tenant, group).await?.unwrap_or(0),
        None => 0,
    };
    let (ids, total) = match (filter.within, filter.user_group) {
        // Who is in a group that is gone is nobody.
        (_, Some(_)) if members == 0 => (Vec::new(), 0),
        (Some(_), _) => list.walked(on, &SUBTREE).await?,
        (None, Some(_)) => list.in_group(on, members).await?,
        (None, None) => try_join(list.page_of_all(on), list.total_in_tenant(on)).await?,
    };
    let wanted: Vec<_> = ids.into_iter().map(|id| values![tenant.0, id].to_vec()).collect();
    let views = on.each(&user::VIEW, &wanted, rows::user_view).await?.into_iter();
    let items = views.map(|view| view.ok_or_else(|| corrupt("org unit of a user")));
    Ok(Page { items: items.collect::<Result<_, _>>()?, total })
}

/// Whether at most one user can be selected, which is found at once.
fn is_point(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Text(TextColumn::Login | TextColumn::Id, how, _) => *how == Match::Is(Order::Equal),
        Predicate::All(all) => all.iter().any(is_point) && all.iter().all(is_of_row),
        _ => false,
    }
}

/// Whether nothing but the row itself has to be looked at.
fn is_of_row(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::All(parts) | Predicate::Any(parts) => parts.iter().all(is_of_row),
        Predicate::Not(part) => is_of_row(part),
        Predicate::Text(column, ..) | Predicate::Present(column) => {
            !matches!(column, TextColumn::Email | TextColumn::Member)
        }
        Predicate::Active | Predicate::Modified(..) => true,
    }
}

/// Whether users are looked at one by one to tell who fits, beside status, unit and group.
fn is_narrow(filter: &UserFilter) -> bool {
    let UserFilter { role, name, login, search, within: _, user_group: _, status: _ } = filter;
    role.is_some() || name.is_some() || login.is_some() || search.is_some()
}

/// How many users of a tenant have this status, or are not deleted: counts that are kept.
async fn kept_count(on: &impl Read, tenant: TenantId, status: Option<UserStatus>) -> Result<u64, StoreError> {
    let counts = on.one(&tenant::COUNTS, &values![tenant.0], rows::tenant_counts).await?;
    let TenantCounts { users_active, users_inactive, users_deleted, .. } = counts.unwrap_or_default();
    Ok(match status {
        None => users_active + users_inactive,
        Some(UserStatus::Active) => users_active,
        Some(UserStatus::Inactive) => users_inactive,
        Some(UserStatus::Deleted) => users_deleted,
    })
}

/// A slice of the users of a tenant who fit, in an order.
struct List<'a> {
    tenant: TenantId,
    filter: &'a UserFilter,
    order: UserOrder,
    slice: Slice,
}

impl List<'_> {
    /// The values of the parameters that all lists and counts of users begin with.
    fn values(&self) -> Vec<Value<'static>> {
        let UserFilter { within, role, name, login, status, search, user_group } = self.filter;
        let (least, greatest) = match status {
            Some(status) => (*status, *status),
            None => (UserStatus::Active, UserStatus::Inactive),
        };
        let pattern = |part: &Option<String>| part.as_deref().map(contains_pattern);
        values![
            self.tenant.0,
            within.map(|id| id.0),
            role.map(codes::role),
            pattern(name),
            pattern(login),
            codes::user_status(least),
            codes::user_status(greatest),
            pattern(search),
            user_group.map(|id| id.0),
        ]
        .to_vec()
    }

    fn values_and_slice(&self) -> Vec<Value<'static>> {
        let (limit, offset) = bounds(self.slice);
        let mut values = self.values();
        values.extend(values![limit, offset]);
        values
    }

    /// The ids of the page, read in the order of an index of all users.
    async fn page_of_all(&self, on: &impl Read) -> Result<Vec<i64>, StoreError> {
        let deleted = self.filter.status == Some(UserStatus::Deleted);
        let list = match (self.order.by, self.order.descending) {
            (UserSort::Created, false) => &user::LIST_CREATED,
            (UserSort::Created, true) => &user::LIST_CREATED_DESC,
            (UserSort::Name, false) => &user::LIST_NAME,
            (UserSort::Name, true) => &user::LIST_NAME_DESC,
            (UserSort::Login, false) if deleted => &user::LIST_DELETED_LOGIN,
            (UserSort::Login, true) if deleted => &user::LIST_DELETED_LOGIN_DESC,
            (UserSort::Login, false) => &user::LIST_LOGIN,
            (UserSort::Login, true) => &user::LIST_LOGIN_DESC,
        };
        on.all(list, &self.values_and_slice(), |row| get(row, 0)).await
    }

    /// How many users of the tenant fit. Where a count is kept, nothing is counted.
    async fn total_in_tenant(&self, on: &impl Read) -> Result<u64, StoreError> {
        if is_narrow(self.filter) {
            return on.count(&user::LIST_COUNT, &self.values()).await;
        }
        kept_count(on, self.tenant, self.filter.status).await
    }

    /// The ids of the page of the members of a group, of which there are `members`, and how many fit.
    ///
    /// Either all members are walked and sorted, or all users are read in the order of the list until the page is full,
    /// which of them is faster being told by the kept counts: the members of a great group are found soon.
    async fn in_group(&self, on: &impl Read, members: u64) -> Result<(Vec<i64>, u64), StoreError> {
        if self.filter.status.is_none() && !is_narrow(self.filter) {
            let users = kept_count(on, self.tenant, None).await?;
            let wanted = u64::from(self.slice.limit).saturating_add(self.slice.offset);
            if wanted.saturating_mul(users) < members.saturating_mul(members) {
                // Members are not deleted, so that all of them fit.
                return Ok((self.page_of_all(on).await?, members));
            }
        }
        self.walked(on, &GROUP).await
    }

    /// The ids of the page of a list that is walked, and how many fit.
    async fn walked(&self, on: &impl Read, list: &Walked) -> Result<(Vec<i64>, u64), StoreError> {
        let sorted = match self.order.by {
            UserSort::Created => list.created,
            UserSort::Name => list.name,
            UserSort::Login => list.login,
        };
        let statement = sorted[usize::from(self.order.descending)];
        let row = |row: &dyn crate::row::Row| Ok((get(row, 0)?, get(row, 1)?));
        let rows: Vec<(i64, i64)> = on.all(statement, &self.values_and_slice(), row).await?;
        let total = match rows.first() {
            Some((_, total)) => u64::try_from(*total).unwrap_or(0),
            // Beyond the end no row tells it.
            None => on.count(list.count, &self.values()).await?,
        };
        Ok((rows.into_iter().map(|(id, _)| id).collect(), total))
    }
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
