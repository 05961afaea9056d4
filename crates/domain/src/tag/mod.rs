//! Tags: names with a colour, which an org unit gives to whatever it sorts by them.
//!
//! Rules: the tags of a unit have different names; a new or moved tag has an active unit in the caller's scope. The tags of
//! an archived unit stay, and can be changed and deleted.

mod change;
mod create;
mod model;
mod read;

use crate::{OrgUnitId, Page, Slice, StoreError, TagId, TenantId};

pub use model::{Tag, TagFilter, TagPatch, color, limits};

/// Reads of tags.
pub trait TagStore {
    fn tag(
        &self,
        tenant: TenantId,
        id: TagId,
    ) -> impl Future<Output = Result<Option<Tag>, StoreError>> + Send;

    /// The tags of a unit and all below it, of all of the tenant if none is named, by name key, then id.
    fn tags(
        &self,
        tenant: TenantId,
        within: Option<OrgUnitId>,
        filter: TagFilter,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<Tag>, StoreError>> + Send;
}
