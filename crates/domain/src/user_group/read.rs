//! Reading user groups, their members, and the groups of a user.

use super::{GroupOfUser, Member, Memberships, UserGroup};
use crate::predicate::Selection;
use crate::session::Found;
use crate::{Access, Ctx, Directory, Entity, Error, Page, Slice, Store, UserGroupId, UserId};

impl<S: Store> Directory<S> {
    /// The groups of the tenant, the newest first (created, then id). `search` is a part of the name or of the
    /// description, in any case.
    pub async fn user_group_list(
        &self,
        ctx: &Ctx,
        search: Option<String>,
        slice: Slice,
    ) -> Result<Page<UserGroup>, Error> {
        ctx.allow(Access::Read)?;
        Ok(self.store.user_groups(ctx.tenant(), search, slice).await?)
    }

    /// The groups of the tenant that a predicate selects.
    pub async fn user_group_select(
        &self,
        ctx: &Ctx,
        selection: Selection<UserGroupId>,
    ) -> Result<Page<UserGroup>, Error> {
        ctx.allow(Access::Read)?;
        Ok(self.store.user_groups_selected(ctx.tenant(), selection).await?)
    }

    /// The groups that these users, whom the caller has read, are in, by user and then by how long.
    pub async fn groups_of_users(&self, ctx: &Ctx, users: Vec<UserId>) -> Result<Vec<GroupOfUser>, Error> {
        ctx.allow(Access::Read)?;
        if users.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.store.groups_of_users(ctx.tenant(), users).await?)
    }

    /// One group. Errors: `NotFound`.
    pub async fn user_group_get(&self, ctx: &Ctx, id: UserGroupId) -> Result<UserGroup, Error> {
        ctx.allow(Access::Read)?;
        self.store.user_group(ctx.tenant(), id).await?.ok_or(Error::NotFound(Entity::UserGroup))
    }

    /// As [`Directory::user_group_get`], of a group that was read with its caller.
    pub fn user_group_found(&self, ctx: &Ctx, found: Option<Found>) -> Result<UserGroup, Error> {
        ctx.allow(Access::Read)?;
        match found {
            Some(Found::UserGroup(group)) => Ok(*group),
            _ => Err(Error::NotFound(Entity::UserGroup)),
        }
    }

    /// The members of a group after `after` (at first 0), by id, at most `limit`: the members of a great group are read
    /// step by step. Who stays in it is met once. Errors: `NotFound`.
    pub async fn user_group_members(
        &self,
        ctx: &Ctx,
        group: UserGroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Vec<Member>, Error> {
        ctx.allow(Access::Read)?;
        let members = self.store.user_group_members(ctx.tenant(), group, after, limit).await?;
        members.ok_or(Error::NotFound(Entity::UserGroup))
    }

    /// The groups that a user is in, whom the caller has read.
    pub async fn user_memberships(&self, ctx: &Ctx, user: UserId) -> Result<Memberships, Error> {
        ctx.allow(Access::Read)?;
        Ok(self.store.memberships(ctx.tenant(), user).await?)
    }
}
