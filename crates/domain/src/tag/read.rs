//! Reading tags, each within the caller's scope.

use super::{Tag, TagFilter};
use crate::session::Found;
use crate::{Access, Area, Ctx, Directory, Entity, Error, Page, Slice, Store, TagId};

impl<S: Store> Directory<S> {
    /// One tag. Errors: `NotFound` also outside of the caller's scope.
    pub async fn tag_get(&self, ctx: &Ctx, id: TagId) -> Result<Tag, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        self.tag_in_scope(ctx, self.store.tag(ctx.tenant(), id).await?).await
    }

    /// As [`Directory::tag_get`], of a tag that was read with the caller.
    pub async fn tag_found(&self, ctx: &Ctx, found: Option<Found>) -> Result<Tag, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        match found {
            Some(Found::Tag(tag)) => self.tag_in_scope(ctx, Some(*tag)).await,
            _ => Err(Error::NotFound(Entity::Tag)),
        }
    }

    async fn tag_in_scope(&self, ctx: &Ctx, tag: Option<Tag>) -> Result<Tag, Error> {
        let tag = tag.ok_or(Error::NotFound(Entity::Tag))?;
        if self.sees_org_unit(ctx, tag.org_unit_id).await? {
            Ok(tag)
        } else {
            Err(Error::NotFound(Entity::Tag))
        }
    }

    /// The tags of the caller's unit and all below it, by name.
    pub async fn tag_list(&self, ctx: &Ctx, filter: TagFilter, slice: Slice) -> Result<Page<Tag>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        // A list of all needs no walk through the tree.
        let within = (ctx.scope() != ctx.top()).then_some(ctx.scope());
        Ok(self.store.tags(ctx.tenant(), within, filter, slice).await?)
    }
}
