//! Org units: the nodes of a tenant's tree ("groups" in the Convirza dialect).
//!
//! A unit has a parent pointer and nothing derived from it, so a move changes one row. Rules:
//! active siblings have different names; no unit hangs under its own descendant; a unit's own level
//! is at most [`MAX_LEVEL`] when it is created or moved; a new, moved or restored unit has an active
//! parent; the top and the caller's own unit are neither moved nor archived; a unit with active
//! children or users is not archived.

mod create;
mod model;
mod read;
mod tree;
mod update;

use crate::{OrgUnitId, Page, Slice, StoreError, TenantId};

pub use model::{Located, OrgUnit, OrgUnitFilter, OrgUnitPatch, OrgUnitStatus, industry_id, limits};
pub use tree::{Tree, TreeRows, TreeUnit};

/// The deepest level at which a unit can be created or moved; the top has level 1.
pub const MAX_LEVEL: usize = 64;

/// Reads of org units. Walks end also if the stored tree had a cycle.
pub trait OrgUnitStore {
    /// A unit with its path to the top.
    fn org_unit_located(
        &self,
        tenant: TenantId,
        id: OrgUnitId,
    ) -> impl Future<Output = Result<Option<Located>, StoreError>> + Send;

    /// The number that goes up with every move in the tenant.
    fn tree_version(&self, tenant: TenantId) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// Whether the unit has no active child unit and no user that is not deleted.
    fn org_unit_vacant(
        &self,
        tenant: TenantId,
        id: OrgUnitId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The direct children of a unit, by name key, then id.
    fn org_unit_children(
        &self,
        tenant: TenantId,
        parent: OrgUnitId,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<OrgUnit>, StoreError>> + Send;

    /// A unit and all below it, by id, each with its path.
    fn org_unit_subtree(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
        filter: OrgUnitFilter,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<Located>, StoreError>> + Send;

    /// A unit and all below it, in no order. With `active_only`, archived units below it, and what hangs
    /// below them, are left out.
    fn org_unit_tree(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
        active_only: bool,
    ) -> impl Future<Output = Result<TreeRows, StoreError>> + Send;

    /// The ids of a unit and all below it, archived ones too, in no order.
    fn org_unit_ids(
        &self,
        tenant: TenantId,
        root: OrgUnitId,
    ) -> impl Future<Output = Result<Vec<OrgUnitId>, StoreError>> + Send;
}
