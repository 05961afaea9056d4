//! Reads of user groups and memberships.

use muster_domain::user::User;
use muster_domain::user_group::{Member, Memberships, Reapable, UserGroup, UserGroupStore};
use muster_domain::{Page, Slice, StoreError, TenantId, UserGroupId, UserId};
use rusqlite::{Connection, Result as SqlResult, params};
use uuid::Uuid;

use super::{all, bounds, contains_pattern, count, one};
use crate::sqlite::{SqliteStore, rows};
use crate::statements::{user, user_group};

impl UserGroupStore for SqliteStore {
    async fn user_group(&self, tenant: TenantId, id: UserGroupId) -> Result<Option<UserGroup>, StoreError> {
        self.read(|connection| get(connection, tenant, id))
    }

    async fn user_groups(
        &self,
        tenant: TenantId,
        search: Option<String>,
        slice: Slice,
    ) -> Result<Page<UserGroup>, StoreError> {
        self.scan(move |connection| {
            let pattern = search.as_deref().map(contains_pattern);
            let (limit, offset) = bounds(slice);
            let page = params![tenant.0, pattern, limit, offset];
            let items = all(connection, &user_group::LIST, page, rows::user_group)?;
            let total = count(connection, &user_group::LIST_COUNT, params![tenant.0, pattern])?;
            Ok(Page { items, total })
        })
        .await
    }

    async fn user_group_members(
        &self,
        tenant: TenantId,
        group: UserGroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Option<Vec<Member>>, StoreError> {
        self.scan(move |connection| {
            if size(connection, tenant, group)?.is_none() {
                return Ok(None);
            }
            let params = params![tenant.0, group.0.as_bytes(), after.0, limit];
            all(connection, &user_group::MEMBERS, params, rows::member).map(Some)
        })
        .await
    }

    async fn memberships(&self, tenant: TenantId, user: UserId) -> Result<Memberships, StoreError> {
        self.read(|connection| memberships(connection, tenant, user))
    }

    async fn users_with_memberships(
        &self,
        tenant: TenantId,
        uuids: Vec<Uuid>,
    ) -> Result<Vec<(User, Memberships)>, StoreError> {
        let read = move |connection: &Connection| {
            let mut found = Vec::with_capacity(uuids.len());
            for uuid in &uuids {
                let params = params![tenant.0, uuid.as_bytes()];
                if let Some(user) = one(connection, &user::BY_UUID, params, rows::user)? {
                    let groups = memberships(connection, tenant, user.id)?;
                    found.push((user, groups));
                }
            }
            Ok(found)
        };
        self.scan(read).await
    }

    async fn user_group_to_reap(&self, tenant: TenantId) -> Result<Option<Reapable>, StoreError> {
        self.read(|connection| one(connection, &user_group::GARBAGE, [tenant.0], rows::user_group_garbage))
    }
}

pub(super) fn get(
    connection: &Connection,
    tenant: TenantId,
    id: UserGroupId,
) -> SqlResult<Option<UserGroup>> {
    one(connection, &user_group::GET, params![tenant.0, id.0.as_bytes()], rows::user_group)
}

/// How many members a group has, or `None` when it is gone.
pub(super) fn size(connection: &Connection, tenant: TenantId, id: UserGroupId) -> SqlResult<Option<u64>> {
    let size = |row: &rusqlite::Row<'_>| Ok(u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0));
    one(connection, &user_group::SIZE, params![tenant.0, id.0.as_bytes()], size)
}

fn memberships(connection: &Connection, tenant: TenantId, user: UserId) -> SqlResult<Memberships> {
    let groups = all(connection, &user_group::OF_USER, [tenant.0, user.0], rows::group_since)?;
    Ok(Memberships::new(user, groups))
}
