//! Looking for webhooks with something to do. It waits for the store on tasks of its own, so that whoever wants to know
//! is free for what happens meanwhile.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use muster_domain::webhook::WebhookWork;
use muster_domain::{Directory, Store, TenantId};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

/// Tenants that are listed at once, and those of which the work is looked up at once.
const TENANTS: u32 = 500;
const LOOKUPS: usize = 4;
/// What was found and is not taken yet; more waits for that.
const FOUND: usize = 64;

/// The work of a tenant.
pub(super) struct Found {
    pub(super) tenant: TenantId,
    pub(super) work: Vec<WebhookWork>,
    /// Whether all tenants are looked at.
    pub(super) is_round: bool,
}

/// The looks that are under way.
pub(super) struct Looks<S> {
    eye: Arc<Eye<S>>,
    found: mpsc::Receiver<Found>,
    tasks: JoinSet<()>,
    round: Option<AbortHandle>,
    news: Option<AbortHandle>,
}

/// What all looks have in common.
struct Eye<S> {
    directory: Arc<Directory<S>>,
    lookups: Semaphore,
    found: mpsc::Sender<Found>,
}

impl<S: Store + 'static> Looks<S> {
    pub(super) fn new(directory: Arc<Directory<S>>) -> Self {
        let (sender, found) = mpsc::channel(FOUND);
        let eye = Eye { directory, lookups: Semaphore::new(LOOKUPS), found: sender };
        Self { eye: Arc::new(eye), found, tasks: JoinSet::new(), round: None, news: None }
    }

    /// Looks at all tenants that have webhooks, unless it does so already. Whether it has begun.
    pub(super) fn round(&mut self) -> bool {
        let may_begin = self.round.as_ref().is_none_or(AbortHandle::is_finished);
        if may_begin {
            let eye = Arc::clone(&self.eye);
            self.round = Some(self.tasks.spawn(async move { eye.round().await }));
        }
        may_begin
    }

    /// Looks at tenants that have news. The next should wait until that has ended.
    pub(super) fn news(&mut self, tenants: Vec<TenantId>) {
        let eye = Arc::clone(&self.eye);
        self.news = Some(self.tasks.spawn(async move { eye.look(tenants, false).await }));
    }

    pub(super) fn may_look_at_news(&self) -> bool {
        self.news.as_ref().is_none_or(AbortHandle::is_finished)
    }

    /// Looks at a tenant from now on, whatever is under way.
    pub(super) fn again(&mut self, tenant: TenantId) {
        let eye = Arc::clone(&self.eye);
        self.tasks.spawn(async move { eye.look(vec![tenant], false).await });
    }

    /// Waits until something was found, or a look has ended.
    pub(super) async fn next(&mut self) -> Option<Found> {
        tokio::select! {
            found = self.found.recv() => found,
            Some(ended) = self.tasks.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "looking for webhooks has failed");
                }
                None
            }
        }
    }
}

impl<S: Store> Eye<S> {
    async fn round(&self) {
        let mut after = None;
        loop {
            match self.directory.tenants_with_webhooks(after, TENANTS).await {
                Ok(tenants) => {
                    after = tenants.last().copied();
                    self.look(tenants, true).await;
                    if after.is_none() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "webhooks could not be looked for; the next round tries again");
                    return;
                }
            }
        }
    }

    async fn look(&self, tenants: Vec<TenantId>, is_round: bool) {
        let lookups = stream::iter(tenants).map(|tenant| async move {
            // It is never closed.
            let _permit = self.lookups.acquire().await;
            (tenant, self.directory.webhook_work(tenant).await)
        });
        let mut lookups = std::pin::pin!(lookups.buffer_unordered(LOOKUPS));
        while let Some((tenant, work)) = lookups.next().await {
            match work {
                // Nobody takes it when the server stops.
                Ok(work) => drop(self.found.send(Found { tenant, work, is_round }).await),
                Err(error) => tracing::warn!(%error, %tenant, "webhooks could not be looked at"),
            }
        }
    }
}
