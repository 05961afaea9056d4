//! Reading media prompts, each within the caller's scope.

use super::MediaPrompt;
use crate::session::Found;
use crate::{Access, Area, Ctx, Directory, Entity, Error, MediaPromptId, Page, Slice, Store};

impl<S: Store> Directory<S> {
    /// One prompt. Errors: `NotFound` also outside of the caller's scope.
    pub async fn media_prompt_get(&self, ctx: &Ctx, id: MediaPromptId) -> Result<MediaPrompt, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        self.media_prompt_in_scope(ctx, self.store.media_prompt(ctx.tenant(), id).await?).await
    }

    /// As [`Directory::media_prompt_get`], of a prompt that was read with the caller.
    pub async fn media_prompt_found(&self, ctx: &Ctx, found: Option<Found>) -> Result<MediaPrompt, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        match found {
            Some(Found::MediaPrompt(prompt)) => self.media_prompt_in_scope(ctx, Some(*prompt)).await,
            _ => Err(Error::NotFound(Entity::MediaPrompt)),
        }
    }

    async fn media_prompt_in_scope(
        &self,
        ctx: &Ctx,
        prompt: Option<MediaPrompt>,
    ) -> Result<MediaPrompt, Error> {
        let prompt = prompt.ok_or(Error::NotFound(Entity::MediaPrompt))?;
        if self.sees_org_unit(ctx, prompt.org_unit_id).await? {
            Ok(prompt)
        } else {
            Err(Error::NotFound(Entity::MediaPrompt))
        }
    }

    /// The prompts of the caller's unit and all below it, the newest first.
    pub async fn media_prompt_list(&self, ctx: &Ctx, slice: Slice) -> Result<Page<MediaPrompt>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        // A list of all needs no walk through the tree.
        let within = (ctx.scope() != ctx.top()).then_some(ctx.scope());
        Ok(self.store.media_prompts(ctx.tenant(), within, slice).await?)
    }
}
