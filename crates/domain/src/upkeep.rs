//! Periodic work on all tenants. It is idempotent and can be broken off at any point; the next run goes on.

use crate::{Batch, Change, Directory, Error, JournalFilter, Store, TenantId, Timestamp};

/// Rows that one commit removes, so that no other writer waits long for it.
pub(crate) const STEP: u32 = 1000;
/// Tenants that are read at once.
const TENANTS: u32 = 500;

impl<S: Store> Directory<S> {
    /// Forgets expired tokens. Whether one has expired is looked at with every use; this gives their room back.
    pub async fn sessions_reap(&self) -> Result<(), Error> {
        let mut tenants = Tenants::default();
        while let Some(tenant) = tenants.next(self).await? {
            let now = self.now();
            while self.store.has_expired_tokens(tenant, now).await? {
                let expire = Change::TokensExpire { now, limit: STEP };
                self.store.commit(Batch::new(tenant).change(expire)).await?;
            }
        }
        Ok(())
    }

    /// Removes the journal entries that are older than `horizon`, from the front, so that what stays has no
    /// gap. What a webhook has still to be told of stays. How many were removed.
    pub async fn journal_trim(&self, horizon: Timestamp) -> Result<u64, Error> {
        let mut removed = 0;
        let mut tenants = Tenants::default();
        while let Some(tenant) = tenants.next(self).await? {
            let mut after = 0;
            let needed = self.store.journal_needed(tenant).await?.unwrap_or(i64::MAX);
            loop {
                // Most of the time one look at the oldest entry is enough.
                let limit = if after == 0 { 1 } else { STEP };
                let front = self.store.journal(tenant, after, JournalFilter::default(), limit).await?;
                let old = front.iter().take_while(|entry| entry.at < horizon && entry.sequence < needed);
                let Some(last) = old.last() else {
                    break;
                };
                after = last.sequence;
                removed += 1 + u64::try_from(last.sequence - front[0].sequence).unwrap_or(0);
                let trim = Change::JournalTrim { through: after };
                self.store.commit(Batch::new(tenant).change(trim)).await?;
            }
        }
        Ok(removed)
    }
}

/// All tenants, read page by page.
#[derive(Default)]
pub(crate) struct Tenants {
    page: std::vec::IntoIter<TenantId>,
    last: Option<TenantId>,
    ended: bool,
}

impl Tenants {
    pub(crate) async fn next<S: Store>(
        &mut self,
        directory: &Directory<S>,
    ) -> Result<Option<TenantId>, Error> {
        if self.page.len() == 0 && !self.ended {
            let page = directory.store.tenants(self.last, TENANTS).await?;
            self.ended = page.is_empty();
            self.page = page.into_iter().map(|tenant| tenant.id).collect::<Vec<_>>().into_iter();
        }
        let next = self.page.next();
        self.last = next.or(self.last);
        Ok(next)
    }
}
