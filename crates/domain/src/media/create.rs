//! Uploading a media prompt: a mark, the object, then the row.

use std::time::Duration;

use super::object::UPLOAD;
use super::{MediaKind, MediaPrompt, MediaPromptPatch, ObjectKey};
use crate::directory::ATTEMPTS;
use crate::{
    Access, Area, Batch, Change, Ctx, Directory, Draft, Error, FieldErrors, Guard, IdKind, JournalEntry,
    MediaPromptId, OrgUnitId, Problem, Store, StoreError, journal,
};

/// An object that is whole.
#[derive(Clone, Debug)]
pub struct Uploaded {
    pub object: ObjectKey,
    pub kind: MediaKind,
    pub file_name: String,
    pub size: u64,
    pub duration: Option<Duration>,
    pub checksum: [u8; 32],
}

impl<S: Store> Directory<S> {
    /// A key for an object that is about to be written. Unless a prompt is made of it, it is removed a day later, if not
    /// before by [`Directory::object_remove`].
    pub async fn media_upload_begin(&self, ctx: &Ctx) -> Result<ObjectKey, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let key = ObjectKey { tenant: ctx.tenant(), name: self.entropy.uuid() };
        let mark = Change::ObjectDiscard { key, due_at: self.now().plus(UPLOAD) };
        self.store.commit(Batch::new(ctx.tenant()).change(mark)).await?;
        Ok(key)
    }

    /// Looks at what is wanted of a new prompt before its file is kept: every failing field is told at once.
    ///
    /// Errors: `Invalid` (no message type; a unit that is unknown, out of scope or archived).
    pub async fn media_prompt_check(
        &self,
        ctx: &Ctx,
        draft: Draft<MediaPromptPatch>,
    ) -> Result<MediaPromptPatch, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        if patch.message_type.is_none() {
            errors.push("message_type", Problem::Required);
        }
        self.media_unit(ctx, &patch, &mut errors).await?;
        errors.finish()?;
        Ok(patch)
    }

    /// Makes a prompt of an object that is whole. On an error the object has still its mark.
    ///
    /// Errors: as of [`Directory::media_prompt_check`]; `Unavailable` when the upload took so long that it was given up.
    pub async fn media_prompt_create(
        &self,
        ctx: &Ctx,
        patch: MediaPromptPatch,
        uploaded: Uploaded,
    ) -> Result<MediaPrompt, Error> {
        let patch = self.media_prompt_check(ctx, patch.into()).await?;
        let org_unit_id = patch.org_unit_id.unwrap_or(ctx.scope());
        let Some(message_type) = patch.message_type else {
            return Err(Error::field("message_type", Problem::Required));
        };
        let Uploaded { object, kind, file_name, size, duration, checksum } = uploaded;
        let prompt = MediaPrompt {
            id: MediaPromptId(self.store.next_id(IdKind::MediaPrompt).await?),
            tenant: ctx.tenant(),
            org_unit_id,
            name: patch.name.clone().unwrap_or_else(|| file_name.clone()),
            message_type,
            file_name,
            kind,
            size,
            duration,
            checksum,
            object,
            created_at: self.now(),
        };
        for _ in 0..ATTEMPTS {
            let payload = journal::created(prompt.fields());
            let entry = JournalEntry::new(ctx, "media_prompt.created", prompt.id, 1, payload);
            let batch = Batch::new(ctx.tenant())
                .guard(Guard::UnitActive(org_unit_id))
                .change(Change::MediaPromptInsert(Box::new(prompt.clone())))
                .change(Change::ObjectForget(object))
                .journal(JournalEntry { at: prompt.created_at, ..entry }.in_unit(org_unit_id));
            match self.store.commit(batch).await {
                Ok(()) => return Ok(prompt),
                Err(StoreError::GuardFailed) => {
                    let mut errors = FieldErrors::default();
                    self.media_unit(ctx, &patch, &mut errors).await?;
                    errors.finish()?;
                }
                // The mark is gone, and the object with it.
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    async fn media_unit(
        &self,
        ctx: &Ctx,
        patch: &MediaPromptPatch,
        errors: &mut FieldErrors,
    ) -> Result<(), Error> {
        let unit: OrgUnitId = patch.org_unit_id.unwrap_or(ctx.scope());
        self.org_unit_usable(ctx, unit, "org_unit_id", errors).await.map(drop)
    }
}
