//! Blocks of ids that were taken from a store and are given out by this process.

use muster_domain::{IdKind, StoreError};
use tokio::sync::Mutex;

/// Ids that were reserved but not given out yet: `next..end`. Blocks double in size, so that a command
/// that needs one id takes one, and a server that needs many seldom asks.
#[derive(Clone, Copy, Default)]
struct Block {
    next: i64,
    end: i64,
    size: i64,
}

const GREATEST_BLOCK: i64 = 4096;

#[derive(Default)]
pub(crate) struct Ids([Mutex<Block>; IdKind::ALL.len()]);

impl Ids {
    /// The first of `count` ids in a row. `reserve` takes as many from the store and gives the first one after them.
    pub(crate) async fn take<F: Future<Output = Result<i64, StoreError>>>(
        &self,
        kind: IdKind,
        count: u32,
        reserve: impl FnOnce(i64) -> F,
    ) -> Result<i64, StoreError> {
        let count = i64::from(count);
        let mut block = self.0[kind.index()].lock().await;
        if block.end - block.next < count {
            let size = (block.size * 2).clamp(1, GREATEST_BLOCK);
            let end = reserve(size.max(count)).await?;
            *block = Block { next: end - size.max(count), end, size };
        }
        block.next += count;
        Ok(block.next - count)
    }
}
