//! The block list as its customer sees it (LOX24 messaging contract, section 4). What recipients do to it by their words
//! comes in with their messages.

use serde_json::Map;

use super::{Block, BlockField, BlockedBy, ListQuery};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Area, Batch, BlockId, Change, Ctx, Directory, Draft, Entity, Error, IdKind, JournalEntry, Page,
    Precondition, Store, StoreError, TenantId, journal,
};

/// Reads of the block list.
pub trait BlockStore {
    fn block(
        &self,
        tenant: TenantId,
        id: BlockId,
    ) -> impl Future<Output = Result<Option<Block>, StoreError>> + Send;

    /// The entry of a number.
    fn block_of(
        &self,
        tenant: TenantId,
        number: &str,
    ) -> impl Future<Output = Result<Option<Block>, StoreError>> + Send;

    fn blocks(
        &self,
        tenant: TenantId,
        query: ListQuery<BlockField>,
    ) -> impl Future<Output = Result<Page<Block>, StoreError>> + Send;
}

impl<S: Store> Directory<S> {
    /// Blocks a number, as [`super::blocked_number`] has read it, on behalf of the customer.
    ///
    /// Errors: `Invalid`; `Duplicate` when it is blocked already, by whomever.
    pub async fn block_create(&self, ctx: &Ctx, draft: Draft<Option<String>>) -> Result<Block, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let Draft { value: number, mut errors } = draft;
        if number.is_none() && !errors.names("number") {
            errors.push("number", crate::Problem::Required);
        }
        let number = errors.complete(number)?;
        let id = BlockId(self.store.next_id(IdKind::Block).await?);
        let tenant = ctx.tenant();
        let block = Block { id, tenant, number, by: BlockedBy::Customer, added_at: ctx.now(), version: 1 };
        let payload = journal::created(block.fields());
        let batch = Batch::new(tenant)
            .change(Change::BlockInsert(Box::new(block.clone())))
            .journal(JournalEntry::new(ctx, "blocked_number.created", id, block.version, payload));
        self.store.commit(batch).await?;
        Ok(block)
    }

    /// One entry. Errors: `NotFound`.
    pub async fn block_get(&self, ctx: &Ctx, id: BlockId) -> Result<Block, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        self.store.block(ctx.tenant(), id).await?.ok_or(Error::NotFound(Entity::Block))
    }

    /// A slice of the entries that are asked for.
    pub async fn block_list(&self, ctx: &Ctx, query: ListQuery<BlockField>) -> Result<Page<Block>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        Ok(self.store.blocks(ctx.tenant(), query).await?)
    }

    /// Unblocks the number of an entry that the caller has read, be it that its owner has blocked it: they have another
    /// agreement then. Errors: `Precondition`, `NotFound` when it is gone already.
    pub async fn block_delete(
        &self,
        ctx: &Ctx,
        found: Block,
        precondition: Option<Precondition<Block>>,
    ) -> Result<(), Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let block = match found.take() {
                Some(found) => found,
                None => self.block_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &block)?;
            let version = block.version;
            let entry = JournalEntry::new(ctx, "blocked_number.deleted", id, version + 1, Map::new());
            let batch = Batch::new(ctx.tenant()).change(Change::BlockDelete { id, version }).journal(entry);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}
