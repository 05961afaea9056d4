//! Users: the people and services that a role can be given to.
//!
//! A login is any non-empty text, unique in its tenant without case. It is *claimed* when its user can
//! log in: then it is unique over all tenants. A user belongs to exactly one org unit.

mod create;
mod model;
pub mod password;
mod password_change;
mod read;

use crate::{StoreError, TenantId, UserId};

pub use create::NewUser;
pub(crate) use create::user_batch;
pub use model::{Role, UnitRef, User, UserStatus, UserView};

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

    /// The user who can log in with this login key, in whatever tenant.
    fn user_by_claim(&self, login_key: &str)
    -> impl Future<Output = Result<Option<User>, StoreError>> + Send;
}
