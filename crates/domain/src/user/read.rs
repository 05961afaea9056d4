//! Reading users, each within the caller's scope.

use uuid::Uuid;

use super::{User, UserFilter, UserOrder, UserView};
use crate::predicate::Selection;
use crate::session::Found;
use crate::{Access, Actor, Ctx, Directory, Entity, Error, OrgUnitId, Page, Slice, Store, UserId};

impl<S: Store> Directory<S> {
    /// The caller itself, whatever its role. Errors: `NotFound` for a caller that is no user.
    pub async fn profile_get(&self, ctx: &Ctx) -> Result<UserView, Error> {
        let Actor::User(id) = ctx.actor() else {
            return Err(Error::NotFound(Entity::User));
        };
        self.store.user_view(ctx.tenant(), id).await?.ok_or(Error::NotFound(Entity::User))
    }

    /// A user, also a deleted one. Errors: `NotFound` also outside of the caller's scope.
    pub async fn user_get(&self, ctx: &Ctx, id: UserId) -> Result<UserView, Error> {
        ctx.allow(Access::Read)?;
        self.user_in_scope(ctx, self.store.user_view(ctx.tenant(), id).await?).await
    }

    /// As [`Directory::user_get`], of a user who was read with the caller.
    pub async fn user_found(&self, ctx: &Ctx, found: Option<Found>) -> Result<UserView, Error> {
        ctx.allow(Access::Read)?;
        match found {
            Some(Found::User(view)) => self.user_in_scope(ctx, Some(*view)).await,
            _ => Err(Error::NotFound(Entity::User)),
        }
    }

    /// As [`Directory::user_get`], by the id of the dialects that use UUIDs.
    pub async fn user_get_by_uuid(&self, ctx: &Ctx, uuid: Uuid) -> Result<UserView, Error> {
        ctx.allow(Access::Read)?;
        self.user_in_scope(ctx, self.store.user_view_by_uuid(ctx.tenant(), uuid).await?).await
    }

    async fn user_in_scope(&self, ctx: &Ctx, view: Option<UserView>) -> Result<UserView, Error> {
        let view = view.ok_or(Error::NotFound(Entity::User))?;
        if self.sees_org_unit(ctx, view.unit.id).await? {
            Ok(view)
        } else {
            Err(Error::NotFound(Entity::User))
        }
    }

    /// A user to be changed. Errors: `NotFound` also for a deleted one.
    pub async fn user_get_writable(&self, ctx: &Ctx, id: UserId) -> Result<UserView, Error> {
        ctx.allow(Access::Write)?;
        self.user_get(ctx, id).await?.writable()
    }

    /// The users of the whole tenant that a predicate selects. Errors: `Forbidden` for a caller with a smaller scope.
    pub async fn user_select(&self, ctx: &Ctx, selection: Selection<UserId>) -> Result<Page<User>, Error> {
        ctx.allow(Access::Read)?;
        if ctx.scope() != ctx.top() {
            return Err(Error::Forbidden("Only whoever sees the whole tenant can select users of it"));
        }
        Ok(self.store.users_selected(ctx.tenant(), selection).await?)
    }

    /// The users of `root` (default: the caller's unit) and of all units below it; `filter.within` is set here.
    /// Errors: `Forbidden` for a unit outside of the scope or unknown.
    pub async fn user_list(
        &self,
        ctx: &Ctx,
        root: Option<OrgUnitId>,
        filter: UserFilter,
        order: UserOrder,
        slice: Slice,
    ) -> Result<Page<UserView>, Error> {
        let root = self.org_unit_listed(ctx, root).await?.unit.id;
        // A list of all needs no walk through the tree.
        let within = (root != ctx.top()).then_some(root);
        Ok(self.store.users(ctx.tenant(), UserFilter { within, ..filter }, order, slice).await?)
    }
}
