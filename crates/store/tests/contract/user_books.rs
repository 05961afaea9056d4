//! User groups to test on.

use muster_domain::user::{User, UserPatch};
use muster_domain::user_group::{MemberWishes, Memberships, UserGroup, UserGroupPatch, WithMembers};
use muster_domain::{Error, Patch, UserGroupId, UserId};

use crate::support::Backend;
use crate::world::{Org, World};

pub(crate) fn user_group_named(name: &str) -> UserGroupPatch {
    UserGroupPatch { name: Some(name.to_owned()), ..UserGroupPatch::default() }
}

pub(crate) fn with_external_id(id: &str) -> UserGroupPatch {
    UserGroupPatch { external_id: Patch::Set(id.to_owned()), ..UserGroupPatch::default() }
}

/// The group becomes the primary one.
pub(crate) fn in_group(group: UserGroupId) -> UserPatch {
    UserPatch { user_group: Patch::Set(group), ..UserPatch::default() }
}

pub(crate) fn in_no_group() -> UserPatch {
    UserPatch { user_group: Patch::Clear, ..UserPatch::default() }
}

pub(crate) fn joining<'a>(users: impl IntoIterator<Item = &'a User>) -> MemberWishes {
    MemberWishes { join: users.into_iter().map(|user| user.uuid).collect(), leave: Vec::new() }
}

pub(crate) fn leaving<'a>(users: impl IntoIterator<Item = &'a User>) -> MemberWishes {
    MemberWishes { leave: users.into_iter().map(|user| user.uuid).collect(), join: Vec::new() }
}

/// So many new groups.
pub(crate) async fn user_groups<B: Backend>(world: &World<B>, org: &Org, count: usize) -> Vec<UserGroup> {
    let mut groups = Vec::new();
    for n in 0..count {
        groups.push(world.user_group(org, &format!("group {n}")).await);
    }
    groups
}

/// Kinds and payloads of the newest entries.
pub(crate) async fn kinds<B: Backend>(world: &World<B>, org: &Org, newest: usize) -> Vec<String> {
    let said = world.journal(org).await;
    said[said.len() - newest..].iter().map(|record| format!("{} {}", record.kind, record.payload)).collect()
}

impl<B: Backend> World<B> {
    pub(crate) async fn user_group(&self, org: &Org, name: &str) -> UserGroup {
        self.directory.user_group_create(&self.now_ctx(org), user_group_named(name).into()).await.unwrap()
    }

    pub(crate) async fn stored_user_group(&self, org: &Org, id: UserGroupId) -> UserGroup {
        self.directory.user_group_get(&org.ctx, id).await.unwrap()
    }

    pub(crate) async fn update_user_group(
        &self,
        org: &Org,
        id: UserGroupId,
        patch: UserGroupPatch,
    ) -> Result<UserGroup, Error> {
        let found = self.directory.user_group_get(&org.ctx, id).await?;
        self.directory.user_group_update(&self.now_ctx(org), found, patch.into(), None).await
    }

    /// Deletes a group with its memberships.
    pub(crate) async fn drop_user_group(&self, org: &Org, id: UserGroupId) -> Result<UserGroup, Error> {
        let found = self.directory.user_group_get(&org.ctx, id).await?;
        Ok(self.directory.user_group_delete(&self.now_ctx(org), found, WithMembers::Drop, None).await?.after)
    }

    /// Deletes a group if it has no members.
    pub(crate) async fn spare_user_group(&self, org: &Org, id: UserGroupId) -> Result<UserGroup, Error> {
        let found = self.directory.user_group_get(&org.ctx, id).await?;
        Ok(self
            .directory
            .user_group_delete(&self.now_ctx(org), found, WithMembers::Refuse, None)
            .await?
            .after)
    }

    pub(crate) async fn change_members(
        &self,
        org: &Org,
        id: UserGroupId,
        wishes: MemberWishes,
    ) -> Result<UserGroup, Error> {
        let found = self.directory.user_group_get(&org.ctx, id).await?;
        self.directory.user_group_members_change(&self.now_ctx(org), found, wishes, None).await
    }

    pub(crate) async fn memberships(&self, org: &Org, user: UserId) -> Memberships {
        self.directory.user_memberships(&org.ctx, user).await.unwrap()
    }

    /// The groups of a user, the primary one first.
    pub(crate) async fn groups_of(&self, org: &Org, user: UserId) -> Vec<UserGroupId> {
        self.memberships(org, user).await.as_slice().iter().map(|membership| membership.group).collect()
    }

    /// The members of a group by id, or `None` when it is gone.
    pub(crate) async fn members_of(&self, org: &Org, group: UserGroupId) -> Option<Vec<UserId>> {
        let members = self.directory.user_group_members(&org.ctx, group, UserId(0), u32::MAX).await;
        Some(members.ok()?.iter().map(|member| member.user).collect())
    }
}
