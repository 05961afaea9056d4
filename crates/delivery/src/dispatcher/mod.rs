//! Sending what is to be sent for webhooks.
//!
//! One task learns of tenants with something to do: at once of what this process writes, and every two seconds of the
//! rest (what other processes write, and what is due again). For each webhook that has something to be sent it starts a
//! [`runner`], which leases the webhook, so that no other process sends for it, and goes on until there was nothing to do
//! for a while. A runner waits for nobody but its own endpoint and the store.

mod attempt;
mod feed;
mod look;
mod runner;
mod window;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use muster_domain::secret::ServerKey;
use muster_domain::webhook::{Rest, WebhookWork};
use muster_domain::{Directory, Error, Store, TenantId, Timestamp, WebhookId};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use uuid::Uuid;

use crate::Client;
use feed::Feed;
use look::{Found, Looks};
use runner::End;

/// How long what is on its way may take when the server stops.
pub const STOP: Duration = Duration::from_secs(2);
/// From one look at what this process has written to the next: many writes are one look.
const CALM: Duration = Duration::from_millis(10);
/// Webhooks that are sent for at once. When there are more, those with nothing to do leave at once.
const RUNNERS: usize = 1024;
/// Requests on their way at once, besides one for each webhook.
const FLIGHTS: usize = 512;

/// How often things are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From one look for what other processes have written, and for what is due again, to the next.
    pub round: Duration,
    /// How long a webhook is kept that has nothing to do.
    pub linger: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { round: Duration::from_secs(2), linger: Duration::from_secs(10) }
    }
}

/// Sends for the webhooks of a directory.
pub struct Dispatcher<S> {
    shared: Arc<Shared<S>>,
    round: Duration,
    tenants: HashMap<TenantId, Tenant<S>>,
    tasks: JoinSet<End>,
    by_task: HashMap<Id, (TenantId, WebhookId)>,
    looks: Looks<S>,
    /// What those have found that had nothing to do any more.
    rests: HashMap<(TenantId, WebhookId), Rest>,
    stop: watch::Sender<bool>,
}

/// What all runners have in common.
struct Shared<S> {
    directory: Arc<Directory<S>>,
    client: Client,
    key: ServerKey,
    /// By which the leases of this process are known.
    owner: Uuid,
    linger: Duration,
    flights: Arc<Semaphore>,
    /// There are more webhooks with something to do than runners.
    is_crowded: AtomicBool,
}

/// A tenant for whose webhooks is sent at present.
struct Tenant<S> {
    feed: Arc<Feed<S>>,
    runners: HashMap<WebhookId, Arc<Hint>>,
}

/// What a runner is told.
struct Hint {
    waker: Notify,
    /// [`WebhookWork::due_at`]: when it changes there may be deliveries in the store that the runner does not know.
    due_at: AtomicI64,
}

/// Nothing is due.
const NEVER: i64 = i64::MIN;

impl<S: Store + 'static> Dispatcher<S> {
    pub fn new(directory: Arc<Directory<S>>, client: Client, key: ServerKey, pace: Pace) -> Self {
        let owner = directory.entropy.uuid();
        let shared = Shared {
            directory,
            client,
            key,
            owner,
            linger: pace.linger,
            flights: Arc::new(Semaphore::new(FLIGHTS)),
            is_crowded: AtomicBool::new(false),
        };
        Self {
            looks: Looks::new(Arc::clone(&shared.directory)),
            rests: HashMap::new(),
            shared: Arc::new(shared),
            round: pace.round,
            tenants: HashMap::new(),
            tasks: JoinSet::new(),
            by_task: HashMap::new(),
            stop: watch::Sender::new(false),
        }
    }

    /// Sends until `stop` completes; then it ends what is on its way, or gives it up after [`STOP`], and lets other
    /// processes send.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut round = interval(self.round);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut calm = Instant::now();
        let shared = Arc::clone(&self.shared);
        loop {
            let journaled = async {
                sleep_until(calm).await;
                shared.directory.store.journaled().await
            };
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = self.tasks.join_next_with_id() => {
                    if let Some(tenant) = self.ended(ended) {
                        self.looks.again(tenant);
                    }
                }
                found = self.looks.next() => {
                    if let Some(found) = found {
                        self.found(found);
                    }
                }
                tenants = journaled, if self.looks.may_look_at_news() => {
                    self.tell_all(&tenants);
                    self.looks.news(tenants);
                    calm = Instant::now() + CALM;
                }
                _ = round.tick() => {
                    if self.looks.round() {
                        self.shared.is_crowded.store(false, Ordering::Relaxed);
                        let now = self.shared.directory.now();
                        self.rests.retain(|_, rest| now < rest.until);
                    }
                }
            }
        }
        self.stop.send_replace(true);
        // Whoever does not end in time loses its lease by and by.
        let _ = timeout(STOP, async { while self.tasks.join_next().await.is_some() {} }).await;
    }

    /// Those that are at work already need not wait for the look.
    fn tell_all(&self, tenants: &[TenantId]) {
        for known in tenants.iter().filter_map(|tenant| self.tenants.get(tenant)) {
            known.feed.tell();
        }
    }

    /// Starts what has something to do for a tenant. In a round those that are at work already are told as well.
    fn found(&mut self, found: Found) {
        let Found { tenant, work: all, is_round } = found;
        if is_round {
            self.tell_all(&[tenant]);
        }
        let now = self.shared.directory.now();
        for work in &all {
            if let Some(hint) = self.tenants.get(&tenant).and_then(|known| known.runners.get(&work.id)) {
                if is_round {
                    hint.tell(work);
                }
                continue;
            }
            if !work.is_for(self.shared.owner, now, self.rests.get(&(tenant, work.id))) {
                continue;
            }
            if self.tasks.len() >= RUNNERS {
                self.shared.is_crowded.store(true, Ordering::Relaxed);
                return;
            }
            let shared = Arc::clone(&self.shared);
            let known = self.tenants.entry(tenant).or_insert_with(|| Tenant {
                feed: Arc::new(Feed::new(Arc::clone(&shared.directory), tenant)),
                runners: HashMap::new(),
            });
            let hint = Arc::clone(known.runners.entry(work.id).or_default());
            hint.tell(work);
            let (feed, key) = (Arc::clone(&known.feed), (tenant, work.id));
            self.rests.remove(&key);
            let task = self.tasks.spawn(runner::run(shared, feed, hint, key, self.stop.subscribe()));
            self.by_task.insert(task.id(), key);
        }
    }

    /// Forgets a runner that has ended. Its tenant is to be looked at if there may be news that it was told last.
    fn ended(&mut self, ended: Result<(Id, End), JoinError>) -> Option<TenantId> {
        let (task, end) = match ended {
            Ok((task, end)) => (task, Ok(end)),
            Err(error) => (error.id(), Err(error)),
        };
        let (tenant, webhook) = self.by_task.remove(&task)?;
        if let Some(known) = self.tenants.get_mut(&tenant) {
            known.runners.remove(&webhook);
            if known.runners.is_empty() {
                self.tenants.remove(&tenant);
            }
        }
        match end {
            Ok(End::Done(rest)) => {
                self.rests.extend(rest.map(|rest| ((tenant, webhook), rest)));
                return Some(tenant);
            }
            Ok(End::Lost) => {}
            Ok(End::Failed(error)) => self.tell(tenant, webhook, &error),
            Err(error) => tracing::error!(%error, %tenant, %webhook, "sending for a webhook has failed"),
        }
        None
    }

    fn tell(&self, tenant: TenantId, webhook: WebhookId, error: &Error) {
        let owner = self.shared.owner;
        tracing::warn!(%error, %tenant, %webhook, %owner, "sending for a webhook was broken off; it is tried again");
    }
}

impl Hint {
    /// What is due: whether the runner knows of it is for the runner to find out.
    fn tell(&self, work: &WebhookWork) {
        let due_at = work.due_at.map_or(NEVER, |at| at.0);
        if self.due_at.swap(due_at, Ordering::Relaxed) != due_at {
            self.waker.notify_one();
        }
    }

    /// What became due last, as it is stored.
    fn due_at(&self) -> Option<Timestamp> {
        Some(self.due_at.load(Ordering::Relaxed)).filter(|at| *at != NEVER).map(Timestamp)
    }
}

impl Default for Hint {
    fn default() -> Self {
        Self { waker: Notify::new(), due_at: AtomicI64::new(NEVER) }
    }
}
