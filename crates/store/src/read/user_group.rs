//! Reads of user groups and memberships.

use futures_util::future::try_join;
use muster_domain::predicate::Selection;
use muster_domain::user::User;
use muster_domain::user_group::{GroupOfUser, Member, Memberships, Reapable, UserGroup, UserGroupStore};
use muster_domain::{Page, Slice, StoreError, TenantId, UserGroupId, UserId};
use uuid::Uuid;

use super::selected::selected;
use super::selection::{GROUPS, groups_of_users};
use super::{bounds, contains_pattern, read};
use crate::driver::Read;
use crate::row::get as column;
use crate::statements::{user, user_group};
use crate::value::values;
use crate::{Store, rows};

/// So many users are read as fast as another thread, or a connection of one's own, is had.
const FEW: u32 = 16;

impl UserGroupStore for Store {
    async fn user_group(&self, tenant: TenantId, id: UserGroupId) -> Result<Option<UserGroup>, StoreError> {
        read!(self, read, |on| get(on, tenant, id))
    }

    async fn user_groups(
        &self,
        tenant: TenantId,
        search: Option<String>,
        slice: Slice,
    ) -> Result<Page<UserGroup>, StoreError> {
        read!(self, scan, |on| list(on, tenant, search.as_deref(), slice))
    }

    async fn user_groups_selected(
        &self,
        tenant: TenantId,
        selection: Selection<UserGroupId>,
    ) -> Result<Page<UserGroup>, StoreError> {
        read!(self, scan, |on| selected(on, &GROUPS, tenant, &selection, rows::user_group))
    }

    async fn groups_of_users(
        &self,
        tenant: TenantId,
        users: Vec<UserId>,
    ) -> Result<Vec<GroupOfUser>, StoreError> {
        let statement = groups_of_users(tenant, &users);
        let statement = &statement;
        read!(self, read, |on| on.all_written(statement, rows::group_of_user))
    }

    async fn user_group_members(
        &self,
        tenant: TenantId,
        group: UserGroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Option<Vec<Member>>, StoreError> {
        if limit <= FEW {
            return read!(self, together, |on| members(on, tenant, group, after, limit));
        }
        read!(self, scan, |on| members(on, tenant, group, after, limit))
    }

    async fn memberships(&self, tenant: TenantId, user: UserId) -> Result<Memberships, StoreError> {
        read!(self, read, |on| memberships(on, tenant, user))
    }

    async fn users_with_memberships(
        &self,
        tenant: TenantId,
        uuids: Vec<Uuid>,
    ) -> Result<Vec<(User, Memberships)>, StoreError> {
        // What is decided on them is guarded, so that on PostgreSQL they need not be of one state.
        if uuids.len() <= FEW as usize {
            let uuids = &uuids;
            return read!(self, together, |on| users_with_memberships(on, tenant, uuids));
        }
        read!(self, scan, |on| users_with_memberships(on, tenant, &uuids))
    }

    async fn user_group_to_reap(&self, tenant: TenantId) -> Result<Option<Reapable>, StoreError> {
        read!(self, read, |on| on.one(&user_group::GARBAGE, &values![tenant.0], rows::user_group_garbage))
    }
}

pub(super) async fn get(
    on: &impl Read,
    tenant: TenantId,
    id: UserGroupId,
) -> Result<Option<UserGroup>, StoreError> {
    on.one(&user_group::GET, &values![tenant.0, id.0], rows::user_group).await
}

/// How many members a group has, or `None` when it is gone.
pub(super) async fn size(
    on: &impl Read,
    tenant: TenantId,
    id: UserGroupId,
) -> Result<Option<u64>, StoreError> {
    let size = on.one(&user_group::SIZE, &values![tenant.0, id.0], |row| column::<i64>(row, 0)).await?;
    Ok(size.map(|size| u64::try_from(size).unwrap_or(0)))
}

async fn list(
    on: &impl Read,
    tenant: TenantId,
    search: Option<&str>,
    slice: Slice,
) -> Result<Page<UserGroup>, StoreError> {
    let pattern = search.map(contains_pattern);
    let (limit, offset) = bounds(slice);
    let (page, all) = (values![tenant.0, &pattern, limit, offset], values![tenant.0, &pattern]);
    let items = on.all(&user_group::LIST, &page, rows::user_group);
    let (items, total) = try_join(items, on.count(&user_group::LIST_COUNT, &all)).await?;
    Ok(Page { items, total })
}

async fn members(
    on: &impl Read,
    tenant: TenantId,
    group: UserGroupId,
    after: UserId,
    limit: u32,
) -> Result<Option<Vec<Member>>, StoreError> {
    let page = values![tenant.0, group.0, after.0, limit];
    let members = on.all(&user_group::MEMBERS, &page, rows::member);
    let (size, members) = try_join(size(on, tenant, group), members).await?;
    // Of a deleted group rows may be there.
    Ok(size.map(|_| members))
}

async fn memberships(on: &impl Read, tenant: TenantId, user: UserId) -> Result<Memberships, StoreError> {
    let groups = on.all(&user_group::OF_USER, &values![tenant.0, user.0], rows::group_since).await?;
    Ok(Memberships::new(user, groups))
}

async fn users_with_memberships(
    on: &impl Read,
    tenant: TenantId,
    uuids: &[Uuid],
) -> Result<Vec<(User, Memberships)>, StoreError> {
    let wanted: Vec<_> = uuids.iter().map(|uuid| values![tenant.0, *uuid].to_vec()).collect();
    let users = on.each(&user::BY_UUID, &wanted, rows::user).await?;
    let users: Vec<User> = users.into_iter().flatten().collect();
    let wanted: Vec<_> = users.iter().map(|user| values![tenant.0, user.id.0].to_vec()).collect();
    let groups = on.all_each(&user_group::OF_USER, &wanted, rows::group_since).await?;
    let with_groups = |(user, groups): (User, _)| {
        let memberships = Memberships::new(user.id, groups);
        (user, memberships)
    };
    Ok(users.into_iter().zip(groups).map(with_groups).collect())
}
