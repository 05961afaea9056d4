//! Media prompts: sound that callers hear, kept as objects beside the store.
//!
//! Rules: a prompt is there when its object is whole, and its object is removed after it; what kind of sound it is tells its
//! content, not its name. An object and a row are never written at once, so every object that no row refers to has a mark
//! in the store: it is set before an upload begins, taken away in the transaction that writes the row, and set again in the
//! one that removes it. [`crate::Directory::objects_reap`] removes what has a mark whose time has come; nobody ever has to look
//! for lost objects.

mod create;
mod delete;
mod duration;
mod kind;
mod model;
mod object;
mod read;

use crate::{MediaPromptId, OrgUnitId, Page, Slice, StoreError, TenantId, Timestamp};

pub use create::Uploaded;
pub use duration::duration;
pub use kind::{HEAD, MediaKind};
pub use model::{MAX_SIZE, MESSAGE_TYPES, MediaPrompt, MediaPromptPatch, MessageType, file_name, limits};
pub use object::{ObjectKey, Objects};

/// Reads of media prompts and of marks.
pub trait MediaStore {
    fn media_prompt(
        &self,
        tenant: TenantId,
        id: MediaPromptId,
    ) -> impl Future<Output = Result<Option<MediaPrompt>, StoreError>> + Send;

    /// The prompts of a unit and all below it, of all of the tenant if none is named, the newest first (created, then id).
    fn media_prompts(
        &self,
        tenant: TenantId,
        within: Option<OrgUnitId>,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<MediaPrompt>, StoreError>> + Send;

    /// At most `limit` objects of all tenants that have a mark whose time has come by `now`.
    fn objects_to_remove(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<ObjectKey>, StoreError>> + Send;
}
