//! Users: the people and services that a role can be given to.
//!
//! A login is any non-empty text, unique in its tenant without case. It is *claimed* when its user can
//! log in: then it is unique over all tenants. A user belongs to exactly one org unit.
//!
//! Rules: a user is put into active units only; an active Admin of the top unit remains, one with a password
//! if any has one; a deletion frees the login and keeps the row; whoever is deactivated or deleted, or gets
//! another password, loses all sessions.

mod change;
mod create;
mod delete;
mod document;
mod model;
pub mod password;
mod password_change;
mod patch;
mod read;
mod update;

use uuid::Uuid;

use crate::predicate::Selection;
use crate::{Page, Slice, StoreError, TenantId, UserId};

pub(crate) use change::UserChange;
pub(crate) use create::user_batch;
pub use document::UserDocument;
pub use model::{
    Role, UnitRef, User, UserFilter, UserOrder, UserSort, UserStatus, UserView, limits, name_key,
};
pub(crate) use patch::depth;
pub use patch::{UserPatch, aliases, avatar, ring_to};

/// Reads of users.
pub trait UserStore {
    fn user(
        &self,
        tenant: TenantId,
        id: UserId,
    ) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// A user with the units that its row names.
    fn user_view(
        &self,
        tenant: TenantId,
        id: UserId,
    ) -> impl Future<Output = Result<Option<UserView>, StoreError>> + Send;

    /// As [`UserStore::user_view`], by the id of the dialects that use UUIDs.
    fn user_view_by_uuid(
        &self,
        tenant: TenantId,
        uuid: Uuid,
    ) -> impl Future<Output = Result<Option<UserView>, StoreError>> + Send;

    /// The user who can log in with this login key, in whatever tenant.
    fn user_by_claim(&self, login_key: &str)
    -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// Users with the units that their rows name.
    fn users(
        &self,
        tenant: TenantId,
        filter: UserFilter,
        order: UserOrder,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<UserView>, StoreError>> + Send;

    /// The users, not deleted, that a predicate selects.
    fn users_selected(
        &self,
        tenant: TenantId,
        selection: Selection<UserId>,
    ) -> impl Future<Output = Result<Page<User>, StoreError>> + Send;

    /// Whether the top unit has an active Admin besides this user, with `with_password` one who can log in.
    fn admin_remains(
        &self,
        tenant: TenantId,
        besides: UserId,
        with_password: bool,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
