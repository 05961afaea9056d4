//! Deleting a media prompt: the row and a mark, then the object, then the mark.

use serde_json::Map;

use super::MediaPrompt;
use crate::{Access, Area, Batch, Change, Ctx, Directory, Entity, Error, JournalEntry, Store, StoreError};

impl<S: Store> Directory<S> {
    /// Deletes a prompt that the caller has read. Its object is to be removed with [`Directory::object_remove`], or is by
    /// [`Directory::objects_reap`]. Errors: `NotFound` when it is gone already.
    pub async fn media_prompt_delete(&self, ctx: &Ctx, found: &MediaPrompt) -> Result<(), Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let at = self.now().max(found.created_at);
        let entry = JournalEntry::new(ctx, "media_prompt.deleted", found.id, 2, Map::new());
        let batch = Batch::new(ctx.tenant())
            .change(Change::MediaPromptDelete(found.id))
            .change(Change::ObjectDiscard { key: found.object, due_at: at })
            .journal(JournalEntry { at, ..entry }.in_unit(found.org_unit_id));
        match self.store.commit(batch).await {
            Ok(()) => Ok(()),
            Err(StoreError::Stale) => Err(Error::NotFound(Entity::MediaPrompt)),
            Err(error) => Err(error.into()),
        }
    }
}
