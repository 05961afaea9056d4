//! Reading users.

use super::UserView;
use crate::{Actor, Ctx, Directory, Entity, Error, Store};

impl<S: Store> Directory<S> {
    /// The caller itself, whatever its role. Errors: `NotFound` for a caller that is no user.
    pub async fn profile_get(&self, ctx: &Ctx) -> Result<UserView, Error> {
        let Actor::User(id) = ctx.actor() else {
            return Err(Error::NotFound(Entity::User));
        };
        self.store.user_view(ctx.tenant(), id).await?.ok_or(Error::NotFound(Entity::User))
    }
}
