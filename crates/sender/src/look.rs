//! Looking for tenants with messages that wait. It waits for the store on tasks of its own, so that whoever wants to know
//! is free for what happens meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt as _, stream};
use muster_domain::message::{BulkPlace, MessageWork};
use muster_domain::{Directory, Error, Store, TenantId};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// Tenants that are listed at once, and those of which the work is looked up at once.
const TENANTS: u32 = 500;
const LOOKUPS: usize = 4;
/// What was found and is not taken yet; more waits for that.
const FOUND: usize = 64;

/// The work of a tenant.
pub(crate) struct Found {
    pub(crate) tenant: TenantId,
    pub(crate) work: MessageWork,
}

/// The look that is under way, if there is one.
pub(crate) struct Looks<S> {
    directory: Arc<Directory<S>>,
    sender: mpsc::Sender<Found>,
    found: mpsc::Receiver<Found>,
    tasks: JoinSet<()>,
    round: Option<AbortHandle>,
    news: Option<AbortHandle>,
    places: Places,
}

/// Where looks at tenants go on that have more bulks than one look takes in, so that each of these gets its turn.
type Places = Arc<Mutex<HashMap<TenantId, BulkPlace>>>;

impl<S: Store + 'static> Looks<S> {
    pub(crate) fn new(directory: Arc<Directory<S>>) -> Self {
        let (sender, found) = mpsc::channel(FOUND);
        Self {
            directory,
            sender,
            found,
            tasks: JoinSet::new(),
            round: None,
            news: None,
            places: Places::default(),
        }
    }

    /// Looks at all tenants of which messages wait, unless it does so already.
    pub(crate) fn round(&mut self) {
        if self.round.as_ref().is_none_or(AbortHandle::is_finished) {
            let look = self.look();
            self.round = Some(self.tasks.spawn(async move { look.round().await }));
        }
    }

    pub(crate) fn may_look_at_news(&self) -> bool {
        self.news.as_ref().is_none_or(AbortHandle::is_finished)
    }

    /// Looks at tenants that have news. The next should wait until that has ended.
    pub(crate) fn news(&mut self, tenants: Vec<TenantId>) {
        let look = self.look();
        self.news = Some(self.tasks.spawn(async move { look.at(tenants).await }));
    }

    fn look(&self) -> Look<S> {
        let (directory, sender) = (Arc::clone(&self.directory), self.sender.clone());
        Look { directory, sender, places: Arc::clone(&self.places) }
    }

    /// Waits until something was found, or a look has ended.
    pub(crate) async fn next(&mut self) -> Option<Found> {
        tokio::select! {
            found = self.found.recv() => found,
            Some(ended) = self.tasks.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "looking for messages has failed");
                }
                None
            }
        }
    }
}

/// One look, on a task of its own.
struct Look<S> {
    directory: Arc<Directory<S>>,
    sender: mpsc::Sender<Found>,
    places: Places,
}

impl<S: Store> Look<S> {
    async fn round(&self) {
        let mut after = None;
        loop {
            let tenants = match self.directory.tenants_with_messages(after, TENANTS).await {
                Ok(tenants) if tenants.is_empty() => return,
                Ok(tenants) => tenants,
                Err(error) => {
                    tracing::warn!(%error, "messages could not be looked for; the next round tries again");
                    return;
                }
            };
            after = tenants.last().copied();
            self.at(tenants).await;
        }
    }

    async fn at(&self, tenants: Vec<TenantId>) {
        let lookups = stream::iter(tenants)
            .map(|tenant| async move { (tenant, self.work(tenant).await) })
            .buffer_unordered(LOOKUPS);
        let mut lookups = std::pin::pin!(lookups);
        while let Some((tenant, work)) = lookups.next().await {
            match work {
                // Nobody takes it when the process stops.
                Ok(work) => drop(self.sender.send(Found { tenant, work }).await),
                Err(error) => tracing::warn!(%error, %tenant, "messages could not be looked at"),
            }
        }
    }

    async fn work(&self, tenant: TenantId) -> Result<MessageWork, Error> {
        let after = self.places().get(&tenant).copied();
        let work = self.directory.message_work(tenant, after).await?;
        match work.bulks_after {
            Some(place) => self.places().insert(tenant, place),
            None => self.places().remove(&tenant),
        };
        Ok(work)
    }

    fn places(&self) -> MutexGuard<'_, HashMap<TenantId, BulkPlace>> {
        // Nothing can be half done in it.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
