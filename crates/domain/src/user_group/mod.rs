//! User groups: named sets of users, any number of which a user may be in.
//!
//! Rules: an external id stands once in a tenant; of the groups of a user one is primary, the oldest membership unless
//! another was chosen, and when it goes the oldest of those that remain; a deleted user is in no group. A membership is
//! a row of its own: who joins or leaves costs the same in a group of ten and of a million. A deleted group costs the
//! writer no more than an empty one: its memberships are seen by nobody and left to
//! [`crate::Directory::user_groups_reap`].

mod change;
mod delete;
mod members;
mod memberships;
mod model;
mod read;
mod reap;

use uuid::Uuid;

use crate::predicate::Selection;
use crate::user::User;
use crate::{Page, Slice, StoreError, TenantId, UserGroupId, UserId};

pub use delete::WithMembers;
pub use members::{MemberWishes, MembersWanted};
pub use memberships::{Membership, Memberships};
pub use model::{Member, UserGroup, UserGroupPatch, extra_fields, limits};

pub(crate) use memberships::MembershipChange;

/// Reads of user groups and memberships. Deleted groups, and who was in them, are not there.
pub trait UserGroupStore {
    fn user_group(
        &self,
        tenant: TenantId,
        id: UserGroupId,
    ) -> impl Future<Output = Result<Option<UserGroup>, StoreError>> + Send;

    /// The newest first (created, then id). `search` is a part of the name or of the description, in any case.
    fn user_groups(
        &self,
        tenant: TenantId,
        search: Option<String>,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<UserGroup>, StoreError>> + Send;

    /// The groups that a predicate selects.
    fn user_groups_selected(
        &self,
        tenant: TenantId,
        selection: Selection<UserGroupId>,
    ) -> impl Future<Output = Result<Page<UserGroup>, StoreError>> + Send;

    /// The groups that these users are in, with their names, by user and then by how long.
    fn groups_of_users(
        &self,
        tenant: TenantId,
        users: Vec<UserId>,
    ) -> impl Future<Output = Result<Vec<GroupOfUser>, StoreError>> + Send;

    /// At most `limit` members of a group with an id above `after`, by id, or `None` when there is no such group.
    fn user_group_members(
        &self,
        tenant: TenantId,
        group: UserGroupId,
        after: UserId,
        limit: u32,
    ) -> impl Future<Output = Result<Option<Vec<Member>>, StoreError>> + Send;

    /// The groups that a user is in; none for an unknown one.
    fn memberships(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> impl Future<Output = Result<Memberships, StoreError>> + Send;

    /// Those of these users that there are, with the groups that they are in, all on one state of the store.
    fn users_with_memberships(
        &self,
        tenant: TenantId,
        uuids: Vec<Uuid>,
    ) -> impl Future<Output = Result<Vec<(User, Memberships)>, StoreError>> + Send;

    /// A deleted group of which rows are to be removed.
    fn user_group_to_reap(
        &self,
        tenant: TenantId,
    ) -> impl Future<Output = Result<Option<Reapable>, StoreError>> + Send;
}

/// A group that a user is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOfUser {
    pub user: UserId,
    pub group: UserGroupId,
    pub name: String,
}

/// What is next to be done with a deleted group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reapable {
    /// It has memberships.
    Memberships(UserGroupId),
    /// It has none any more.
    Emptied(UserGroupId),
}
