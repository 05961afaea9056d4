//! Reading org units, each within the caller's scope.

use std::collections::HashMap;
use std::ops::Range;

use super::{Located, OrgUnit, OrgUnitFilter, TreeRow};
use crate::{Access, Ctx, Directory, Entity, Error, FieldErrors, OrgUnitId, Page, Problem, Slice, Store};

/// A unit in the caller's view of the tree.
#[derive(Debug, PartialEq, Eq)]
pub struct TreeNode {
    pub id: OrgUnitId,
    pub parent_id: Option<OrgUnitId>,
    pub name: String,
    /// From 1 at the caller's unit.
    pub level: usize,
    /// The place among its siblings, from 1.
    pub place: usize,
}

impl<S: Store> Directory<S> {
    /// A unit with its path. Errors: `NotFound` also outside of the caller's scope.
    pub async fn org_unit_get(&self, ctx: &Ctx, id: OrgUnitId) -> Result<Located, Error> {
        ctx.allow(Access::Read)?;
        self.org_unit_visible(ctx, id).await?.ok_or(Error::NotFound(Entity::OrgUnit))
    }

    /// A unit in the caller's scope, or `None`.
    async fn org_unit_visible(&self, ctx: &Ctx, id: OrgUnitId) -> Result<Option<Located>, Error> {
        let located = self.store.org_unit_located(ctx.tenant(), id).await?;
        Ok(located.filter(|located| located.is_within(ctx.scope())))
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
    pub async fn org_unit_tree(&self, ctx: &Ctx, active_only: bool) -> Result<Vec<TreeNode>, Error> {
        ctx.allow(Access::Read)?;
        let rows = self.store.org_unit_tree(ctx.tenant(), ctx.scope(), active_only).await?;
        Ok(depth_first(rows, ctx.scope()))
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

/// Orders rows as a tree is read. Rows that do not hang below `root` are left out, so it ends also on
/// a cycle.
fn depth_first(mut rows: Vec<TreeRow>, root: OrgUnitId) -> Vec<TreeNode> {
    // Siblings stand together, in their order.
    rows.sort_unstable_by(|a, b| (a.parent_id, &a.name_key, a.id).cmp(&(b.parent_id, &b.name_key, b.id)));
    let mut children: HashMap<OrgUnitId, Range<usize>> = HashMap::new();
    let mut stack = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if row.id == root {
            stack.push((at, 1, 1));
        } else if let Some(parent) = row.parent_id {
            children.entry(parent).or_insert(at..at).end = at + 1;
        }
    }
    // Each row is taken once; no tree is copied.
    let mut rows: Vec<Option<TreeRow>> = rows.into_iter().map(Some).collect();
    let mut nodes = Vec::with_capacity(rows.len());
    while let Some((at, level, place)) = stack.pop() {
        let Some(TreeRow { id, parent_id, name, .. }) = rows[at].take() else {
            continue;
        };
        // The last one goes on the stack first, to come off it last. The root may stand among those that
        // claim to hang below its parent.
        let below = children.get(&id).cloned().unwrap_or_default();
        let below = below.filter(|at| rows[*at].is_some()).collect::<Vec<_>>();
        stack.extend(below.iter().enumerate().rev().map(|(place, at)| (*at, level + 1, place + 1)));
        nodes.push(TreeNode { id, parent_id, name, level, place });
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, parent: i64, name: &str) -> TreeRow {
        let parent_id = (parent != 0).then_some(OrgUnitId(parent));
        TreeRow { id: OrgUnitId(id), parent_id, name: name.into(), name_key: name.to_lowercase() }
    }

    fn shape(rows: Vec<TreeRow>, root: i64) -> Vec<(i64, usize, usize)> {
        depth_first(rows, OrgUnitId(root)).iter().map(|n| (n.id.0, n.level, n.place)).collect()
    }

    #[test]
    fn siblings_stand_by_name_then_id_and_children_below_their_parent() {
        let rows = vec![row(1, 0, "top"), row(2, 1, "b"), row(3, 1, "A"), row(4, 3, "x"), row(5, 1, "a")];
        assert_eq!(shape(rows, 1), [(1, 1, 1), (3, 2, 1), (4, 3, 1), (5, 2, 2), (2, 2, 3)]);
    }

    #[test]
    fn a_cycle_ends() {
        assert_eq!(shape(vec![row(1, 2, "a"), row(2, 1, "b")], 1), [(1, 1, 1), (2, 2, 1)]);
    }
}
