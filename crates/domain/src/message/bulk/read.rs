//! Reading bulks, each within the caller's scope.

use uuid::Uuid;

use super::{Bulk, StoredBulk};
use crate::message::{BulkField, ListQuery};
use crate::{Access, Area, BulkId, Ctx, Directory, Entity, Error, Page, Store};

impl<S: Store> Directory<S> {
    /// One bulk. Errors: `NotFound` also outside of the caller's scope.
    pub async fn bulk_get(&self, ctx: &Ctx, id: BulkId) -> Result<Bulk, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let found = self.store.bulk(ctx.tenant(), id).await?;
        self.bulk_in_scope(ctx, found).await
    }

    /// As [`Directory::bulk_get`], by the id of LOX24.
    pub async fn bulk_by_uuid(&self, ctx: &Ctx, uuid: Uuid) -> Result<Bulk, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let found = self.store.bulk_by_uuid(ctx.tenant(), uuid).await?;
        self.bulk_in_scope(ctx, found).await
    }

    async fn bulk_in_scope(&self, ctx: &Ctx, found: Option<StoredBulk>) -> Result<Bulk, Error> {
        let bulk = found.ok_or(Error::NotFound(Entity::Bulk))?.bulk;
        if self.sees_org_unit(ctx, bulk.org_unit_id).await? {
            Ok(bulk)
        } else {
            Err(Error::NotFound(Entity::Bulk))
        }
    }

    /// A slice of the bulks of the caller's unit and all below it that are asked for.
    pub async fn bulk_list(&self, ctx: &Ctx, query: ListQuery<BulkField>) -> Result<Page<Bulk>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        // A list of all needs no walk through the tree.
        let within = (ctx.scope() != ctx.top()).then_some(ctx.scope());
        Ok(self.store.bulks(ctx.tenant(), within, query).await?)
    }
}
