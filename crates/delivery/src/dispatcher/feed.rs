//! The journal of one tenant, read once for all of its webhooks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use muster_domain::{Directory, Error, JournalRecord, Store, TenantId};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::Instant;

/// Entries of a page.
const SIZE: i64 = 128;
/// Pages that are kept: most webhooks are at the end of the journal, the others elsewhere.
const PAGES: usize = 4;
/// How long a page is kept. When a person is erased, its entries are emptied in the store; what was read before must not
/// be sent much later.
const AGE: Duration = Duration::from_secs(10);
/// Requests that are on their way for the webhooks of a tenant at once, besides one for each.
const FLIGHTS: usize = 128;

/// Some entries, the oldest first.
pub(super) type Entries = Vec<Arc<JournalRecord>>;

/// The journal of a tenant for as long as something is sent for it.
pub(super) struct Feed<S> {
    directory: Arc<Directory<S>>,
    tenant: TenantId,
    /// Raised whenever there may be new entries.
    news: watch::Sender<u64>,
    pages: Mutex<VecDeque<Page>>,
    pub(super) flights: Arc<Semaphore>,
}

struct Page {
    /// The sequence before its first one, a multiple of [`SIZE`].
    start: i64,
    entries: Entries,
    /// The state of the news when it was read: what came later may be missing at its end.
    at: u64,
    read: Instant,
}

impl<S: Store> Feed<S> {
    pub(super) fn new(directory: Arc<Directory<S>>, tenant: TenantId) -> Self {
        Self {
            directory,
            tenant,
            news: watch::Sender::new(0),
            pages: Mutex::default(),
            flights: Arc::new(Semaphore::new(FLIGHTS)),
        }
    }

    /// There may be new entries.
    pub(super) fn tell(&self) {
        self.news.send_modify(|at| *at += 1);
    }

    /// Changes whenever there may be new entries.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Entries after this one without a gap, unless it was trimmed; none if there are none yet.
    pub(super) async fn after(&self, after: i64) -> Result<Entries, Error> {
        let start = after.max(0) / SIZE * SIZE;
        let mut pages = self.pages.lock().await;
        pages.retain(|page| page.read.elapsed() < AGE);
        let place = pages.iter().position(|page| page.start == start);
        let mut page = place.and_then(|place| pages.remove(place)).unwrap_or_else(|| Page {
            start,
            entries: Vec::new(),
            at: u64::MAX,
            read: Instant::now(),
        });
        let last = page.entries.last().map_or(start, |entry| entry.sequence);
        // Before the entries: what is added meanwhile is told anew.
        let at = *self.news.borrow();
        let mut beyond = Vec::new();
        if last < start + SIZE && page.at != at {
            let mut read = self.read(last, start + SIZE - last).await?;
            if read.iter().any(|entry| entry.kind == "user.erased") {
                // What was read before may tell of whom it is about.
                pages.clear();
                if !page.entries.is_empty() {
                    page.entries.clear();
                    read = self.read(start, SIZE).await?;
                }
            }
            let (within, others): (Vec<_>, Vec<_>) =
                read.into_iter().map(Arc::new).partition(|entry| entry.sequence <= start + SIZE);
            page.entries.extend(within);
            page.at = at;
            beyond = others;
        }
        let mut wanted: Entries =
            page.entries.iter().filter(|entry| entry.sequence > after).cloned().collect();
        if wanted.is_empty() {
            // What is between was trimmed.
            wanted = beyond;
        }
        pages.push_front(page);
        pages.truncate(PAGES);
        Ok(wanted)
    }

    async fn read(&self, after: i64, limit: i64) -> Result<Vec<JournalRecord>, Error> {
        self.directory.journal_page(self.tenant, after, u32::try_from(limit).unwrap_or(1)).await
    }

    /// One entry, or `None` when it was trimmed.
    pub(super) async fn entry(&self, sequence: i64) -> Result<Option<Arc<JournalRecord>>, Error> {
        let start = (sequence - 1).max(0) / SIZE * SIZE;
        let pages = self.pages.lock().await;
        let page = pages.iter().find(|page| page.start == start && page.read.elapsed() < AGE);
        let entry = page.and_then(|page| page.entries.iter().find(|entry| entry.sequence == sequence));
        if let Some(entry) = entry {
            return Ok(Some(Arc::clone(entry)));
        }
        drop(pages);
        let read = self.read(sequence - 1, 1).await?;
        Ok(read.into_iter().find(|entry| entry.sequence == sequence).map(Arc::new))
    }
}
