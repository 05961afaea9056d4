//! Reads of the block list.

use std::future::Ready;

use muster_domain::message::{Block, BlockField, BlockStore, ListQuery};
use muster_domain::{BlockId, Page, StoreError, TenantId};

use super::listed::BLOCKS;
use super::read;
use crate::driver::Read;
use crate::statements::block;
use crate::value::values;
use crate::{Store, rows};

/// The number of entries is not kept.
const UNKNOWN: Option<Ready<Result<u64, StoreError>>> = None;

impl BlockStore for Store {
    async fn block(&self, tenant: TenantId, id: BlockId) -> Result<Option<Block>, StoreError> {
        read!(self, read, |on| on.one(&block::GET, &values![tenant.0, id.0], rows::message::block))
    }

    async fn block_of(&self, tenant: TenantId, number: &str) -> Result<Option<Block>, StoreError> {
        read!(self, read, |on| on.one(&block::OF_NUMBER, &values![tenant.0, number], rows::message::block))
    }

    async fn blocks(
        &self,
        tenant: TenantId,
        query: ListQuery<BlockField>,
    ) -> Result<Page<Block>, StoreError> {
        read!(self, scan, |on| BLOCKS.read(on, tenant, &query, rows::message::block, UNKNOWN))
    }
}
