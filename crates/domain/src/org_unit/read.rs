//! Reading org units, each within the caller's scope.

use super::{Located, OrgUnit, OrgUnitFilter, Tree};
use crate::session::Found;
use crate::{Access, Ctx, Directory, Entity, Error, FieldErrors, OrgUnitId, Page, Problem, Slice, Store};

impl<S: Store> Directory<S> {
    /// A unit with its path. Errors: `NotFound` also outside of the caller's scope.
    pub async fn org_unit_get(&self, ctx: &Ctx, id: OrgUnitId) -> Result<Located, Error> {
        ctx.allow(Access::Read)?;
        self.org_unit_visible(ctx, id).await?.ok_or(Error::NotFound(Entity::OrgUnit))
    }

    /// As [`Directory::org_unit_get`], of a unit that was read with the caller.
    pub fn org_unit_found(&self, ctx: &Ctx, found: Option<Found>) -> Result<Located, Error> {
        ctx.allow(Access::Read)?;
        match found {
            Some(Found::OrgUnit(located)) if located.is_within(ctx.scope()) => Ok(*located),
            _ => Err(Error::NotFound(Entity::OrgUnit)),
        }
    }

    /// A unit in the caller's scope, or `None`.
    async fn org_unit_visible(&self, ctx: &Ctx, id: OrgUnitId) -> Result<Option<Located>, Error> {
        let located = self.store.org_unit_located(ctx.tenant(), id).await?;
        Ok(located.filter(|located| located.is_within(ctx.scope())))
    }

    /// Whether what belongs to a unit is in the caller's scope.
    pub(crate) async fn sees_org_unit(&self, ctx: &Ctx, id: OrgUnitId) -> Result<bool, Error> {
        // All that a tenant has hangs below its top.
        Ok(ctx.scope() == ctx.top() || self.org_unit_visible(ctx, id).await?.is_some())
    }

    /// A unit that a child or a user is to be put into: in the caller's scope and active, else `None` and
    /// `field` is noted as failing.
    pub(crate) async fn org_unit_usable(
        &self,
        ctx: &Ctx,
        id: OrgUnitId,
        field: &'static str,
        errors: &mut FieldErrors,
    ) -> Result<Option<Located>, Error> {
        let found = self.org_unit_visible(ctx, id).await?;
        match &found {
            None => errors.push(field, Problem::Unknown("org unit")),
            Some(found) if !found.unit.is_active() => errors.push(field, Problem::Inactive("org unit")),
            Some(_) => return Ok(found),
        }
        Ok(None)
    }

    /// The unit that a list is about, by default the caller's own. Errors: `Forbidden` for one outside of the
    /// scope or unknown.
    pub(crate) async fn org_unit_listed(&self, ctx: &Ctx, id: Option<OrgUnitId>) -> Result<Located, Error> {
        ctx.allow(Access::Read)?;
        let found = self.org_unit_visible(ctx, id.unwrap_or(ctx.scope())).await?;
        found.ok_or(Error::Forbidden("You have no access to this org unit"))
    }

    /// The direct children of `parent` (default: the caller's unit), by name, then id, with the
    /// parent. Errors: `Forbidden` for a parent outside of the scope or unknown.
    pub async fn org_unit_children(
        &self,
        ctx: &Ctx,
        parent: Option<OrgUnitId>,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> Result<(Located, Page<OrgUnit>), Error> {
        let parent = self.org_unit_listed(ctx, parent).await?;
        let page = self.store.org_unit_children(ctx.tenant(), parent.unit.id, filter, slice).await?;
        Ok((parent, page))
    }

    /// The caller's unit and all below it, by id.
    pub async fn org_unit_list(
        &self,
        ctx: &Ctx,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> Result<Page<Located>, Error> {
        ctx.allow(Access::Read)?;
        Ok(self.store.org_unit_subtree(ctx.tenant(), ctx.scope(), filter, slice).await?)
    }

    /// The caller's unit and all below it, depth first, siblings by name, then id.
    pub async fn org_unit_tree(&self, ctx: &Ctx, active_only: bool) -> Result<Tree, Error> {
        ctx.allow(Access::Read)?;
        let rows = self.store.org_unit_tree(ctx.tenant(), ctx.scope(), active_only).await?;
        Ok(Tree::new(rows, ctx.scope()))
    }

    /// The ids of a unit and all below it, archived ones too: the unit first, the others in order.
    /// Errors: `NotFound` also outside of the caller's scope.
    pub async fn org_unit_ids(&self, ctx: &Ctx, root: OrgUnitId) -> Result<Vec<OrgUnitId>, Error> {
        self.org_unit_get(ctx, root).await?;
        let mut ids = self.store.org_unit_ids(ctx.tenant(), root).await?;
        ids.sort_unstable_by_key(|id| (*id != root, *id));
        Ok(ids)
    }
}
