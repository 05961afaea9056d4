//! What sends for one webhook, for as long as there is something to send.

mod leave;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use muster_domain::webhook::{ATTEMPT, Delivery, Leased, Rest, Sender, WebhookFormat};
use muster_domain::{Error, Store, TenantId, Timestamp, WebhookId};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use super::attempt::{Landed, attempt, landed};
use super::feed::Feed;
use super::window::Window;
use super::{Hint, STOP, Shared};

/// Requests to one endpoint at once; one while it fails.
const FLIGHTS: usize = 16;
/// Deliveries that could be sent are made ahead up to so many, before the page that goes beyond.
const AHEAD: usize = 128;
/// Open deliveries that are kept in memory when many wait for another attempt.
const HELD: u32 = 4096;
/// What has landed is noted when it is so much, or so long ago.
const NOTED: usize = 64;
const NOTED_AFTER: Duration = Duration::from_millis(10);
/// How often the webhook is leased anew, and with that read anew.
const REFRESH: Duration = Duration::from_secs(4);
/// So long before nothing may be sent any more the lease is renewed.
const MARGIN: Duration = Duration::from_secs(2);
/// The longest sleep: what is due is looked for by the directory's clock.
const NAP: Duration = Duration::from_secs(1);
/// How long an endpoint that asks to be left alone is, by all deliveries.
const MOST_PAUSE: Duration = Duration::from_hours(1);
/// How often a note is tried while the store is busy.
const TRIES: u32 = 5;

/// Why a runner ended.
pub(super) enum End {
    /// There was nothing to do, or the server stops. What is to be done next, unless it is to be looked for at once.
    Done(Option<Rest>),
    /// The webhook is somebody else's, or nothing is to be sent for it any more.
    Lost,
    Failed(Error),
}

pub(super) struct Runner<S> {
    shared: Arc<Shared<S>>,
    feed: Arc<Feed<S>>,
    hint: Arc<Hint>,
    leased: Leased,
    /// What an attempt needs of `leased`.
    sender: Arc<Sender>,
    refreshed: Instant,
    window: Window,
    /// What was due when the window was loaded; see [`Hint::due_at`].
    due_at: Option<Timestamp>,
    flights: JoinSet<Landed>,
    /// What is on its way, by task, and what it takes of the room for all.
    by_task: HashMap<Id, Flight>,
    /// What has landed and is not noted, and since when.
    landed: Vec<Delivery>,
    landed_at: Instant,
    /// The endpoint asked to be left alone until then.
    paused_until: Option<Timestamp>,
}

/// A delivery on its way.
struct Flight {
    delivery: Delivery,
    /// It was not due: a probe, which is none of its attempts when it fails.
    is_early: bool,
    /// They are free again when it has landed.
    _permits: Permits,
}

type Permits = Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>;

/// Sends for a webhook until there was nothing to do for a while.
pub(super) async fn run<S: Store + 'static>(
    shared: Arc<Shared<S>>,
    feed: Arc<Feed<S>>,
    hint: Arc<Hint>,
    (tenant, id): (TenantId, WebhookId),
    mut stop: watch::Receiver<bool>,
) -> End {
    let leased = match shared.directory.webhook_lease(tenant, id, shared.owner).await {
        Ok(Some(leased)) => leased,
        Ok(None) => return End::Lost,
        Err(error) => return End::Failed(error),
    };
    let now = Instant::now();
    let mut runner = Runner {
        sender: Arc::new(leased.sender.clone()),
        shared,
        feed,
        hint,
        leased,
        refreshed: now,
        window: Window::default(),
        due_at: None,
        flights: JoinSet::new(),
        by_task: HashMap::new(),
        landed: Vec::new(),
        landed_at: now,
        paused_until: None,
    };
    match runner.serve(&mut stop).await {
        Ok(true) => runner.leave(&mut stop).await,
        Ok(false) => End::Lost,
        Err(error) => {
            // What has been sent is not sent again because of it.
            if let End::Failed(error) = runner.leave(&mut stop).await {
                tracing::debug!(%error, "nor could it be noted what was sent");
            }
            End::Failed(error)
        }
    }
}

impl<S: Store + 'static> Runner<S> {
    /// Sends until there is nothing to do, or the server stops. Whether the lease is still there.
    async fn serve(&mut self, stop: &mut watch::Receiver<bool>) -> Result<bool, Error> {
        let mut news = self.feed.news();
        let mut idle_since = None;
        self.load().await?;
        while !*stop.borrow() {
            if self.is_due_to_refresh() && !self.refresh().await? {
                return Ok(false);
            }
            if self.hint.due_at() != self.due_at || self.is_rest_wanted() {
                if !self.note().await? {
                    return Ok(false);
                }
                self.load().await?;
            }
            news.mark_unchanged();
            if !self.derive().await? {
                return Ok(false);
            }
            if self.leased.is_outdated {
                continue;
            }
            self.start();
            if self.is_note_due() && !self.note().await? {
                return Ok(false);
            }
            if self.flights.is_empty() && self.landed.is_empty() {
                let since = *idle_since.get_or_insert_with(Instant::now);
                let is_crowded = self.shared.is_crowded.load(Ordering::Relaxed);
                if is_crowded || since.elapsed() >= self.shared.linger {
                    return Ok(true);
                }
            } else {
                idle_since = None;
            }
            let wake_at = self.wake_at();
            tokio::select! {
                Some(ended) = self.flights.join_next_with_id() => {
                    self.take_in(ended)?;
                    while let Some(ended) = self.flights.try_join_next_with_id() {
                        self.take_in(ended)?;
                    }
                }
                Ok(()) = news.changed() => {}
                Ok(()) = stop.changed() => {}
                () = self.hint.waker.notified() => {}
                () = sleep_until(wake_at) => {}
            }
        }
        Ok(true)
    }

    /// Reads the webhook as it is now, and goes on as the only one who sends for it. Whether it may.
    async fn refresh(&mut self) -> Result<bool, Error> {
        if !self.note().await? {
            return Ok(false);
        }
        let Sender { webhook, .. } = &self.leased.sender;
        let (tenant, id, owner) = (webhook.tenant, webhook.id, self.leased.owner);
        let Some(leased) = self.shared.directory.webhook_lease(tenant, id, owner).await? else {
            return Ok(false);
        };
        let is_changed = leased.sender.webhook.version != webhook.version;
        if is_changed {
            // It may be another endpoint.
            self.paused_until = None;
        }
        // What was of no interest is not read again, unless it may be now.
        let read = if self.leased.is_outdated || is_changed {
            leased.read
        } else {
            leased.read.max(self.leased.read)
        };
        self.leased = Leased { read, ..leased };
        self.sender = Arc::new(self.leased.sender.clone());
        self.refreshed = Instant::now();
        Ok(true)
    }

    fn is_due_to_refresh(&self) -> bool {
        self.leased.is_outdated
            || self.refreshed.elapsed() >= REFRESH
            || !self.leased.may_send(self.shared.directory.now().plus(MARGIN))
    }

    /// Reads what is open. All that has landed must be noted.
    async fn load(&mut self) -> Result<(), Error> {
        self.due_at = self.hint.due_at();
        let stored = self.shared.directory.deliveries_open(&self.leased, HELD).await?;
        self.window.load(stored, HELD as usize);
        Ok(())
    }

    /// Whether there is more in the store, and room for it.
    fn is_rest_wanted(&self) -> bool {
        !self.window.is_whole() && self.window.len() < HELD as usize / 2
    }

    /// Makes deliveries of the journal while there is room. Whether the lease is still there.
    async fn derive(&mut self) -> Result<bool, Error> {
        while self.window.is_whole() && !self.leased.is_outdated {
            let now = self.shared.directory.now();
            let health = self.leased.sender.health;
            let busy = self.window.survey(now).busy;
            let probes = health.is_down();
            let has_room = if probes {
                let held = self.window.len();
                busy == 0 && held < 2 * AHEAD && self.flights.is_empty() && health.may_probe(now)
            } else {
                busy < AHEAD && self.window.len() < HELD as usize
            };
            if !has_room {
                break;
            }
            let mut entries = self.feed.after(self.leased.read).await?;
            if probes {
                entries.truncate(1);
            }
            if entries.is_empty() {
                break;
            }
            match self.shared.directory.webhook_derive(&mut self.leased, &entries).await? {
                None => return Ok(false),
                Some(new) => self.window.add(new),
            }
        }
        Ok(true)
    }

    /// Sends what may be sent now.
    fn start(&mut self) {
        let now = self.shared.directory.now();
        if !self.leased.may_send(now) || self.paused_until.is_some_and(|until| until > now) {
            return;
        }
        let most = if self.leased.sender.health.consecutive_failures > 0 { 1 } else { FLIGHTS };
        let mut ids = self.window.ready(now, most.saturating_sub(self.flights.len()));
        let is_early = ids.is_empty() && self.is_probe_due(now);
        if is_early {
            ids.extend(self.window.early());
        }
        let deadline = Instant::now() + ATTEMPT;
        for id in ids {
            // One is always on its way, whatever the endpoints of others do.
            let permits = if self.flights.is_empty() {
                None
            } else {
                match self.permits() {
                    None => break,
                    taken => taken,
                }
            };
            let Some(delivery) = self.window.take_off(id) else { continue };
            let (shared, feed) = (Arc::clone(&self.shared), Arc::clone(&self.feed));
            let (sender, sent) = (Arc::clone(&self.sender), delivery.clone());
            let task =
                self.flights.spawn(async move { attempt(&shared, &feed, &sender, &sent, deadline).await });
            self.by_task.insert(task.id(), Flight { delivery, is_early, _permits: permits });
        }
    }

    /// Whether one that is not due is tried, since nothing else is: its turn may come in hours only. In the format of
    /// LOX24 there are so few attempts that it comes soon.
    fn is_probe_due(&self, now: Timestamp) -> bool {
        let Sender { webhook, health, .. } = &self.leased.sender;
        self.flights.is_empty()
            && webhook.format == WebhookFormat::Standard
            && health.is_down()
            && health.may_probe(now)
    }

    fn permits(&self) -> Permits {
        let of_tenant = Arc::clone(&self.feed.flights).try_acquire_owned().ok()?;
        Some((of_tenant, Arc::clone(&self.shared.flights).try_acquire_owned().ok()?))
    }

    /// Takes what became of an attempt.
    fn take_in(&mut self, ended: Result<(Id, Landed), JoinError>) -> Result<(), Error> {
        let (task, result) = match ended {
            Ok((task, result)) => (task, result),
            Err(error) => (error.id(), Landed::broken(self.shared.directory.now(), &error)),
        };
        let Some(Flight { delivery, is_early, .. }) = self.by_task.remove(&task) else { return Ok(()) };
        if let Landed::NotTried(error) = result {
            self.window.land(delivery);
            return Err(error);
        }
        let now = self.shared.directory.now();
        if let Landed::Tried { retry_after: Some(wait), attempt } = &result
            && attempt.problem.is_some()
        {
            let until = now.plus((*wait).min(MOST_PAUSE));
            self.paused_until = self.paused_until.max(Some(until));
        }
        let mut jitter = [0];
        self.shared.directory.entropy.fill(&mut jitter);
        let (delivery, is_taken) = landed(delivery, result, is_early, self.sender.webhook.format, jitter[0]);
        if let (Some(is_taken), Some(last)) = (is_taken, &delivery.last) {
            self.leased.sender.health.note(last.at, last.status, is_taken);
        }
        self.window.land(delivery.clone());
        if self.landed.is_empty() {
            self.landed_at = Instant::now();
        }
        self.landed.push(delivery);
        Ok(())
    }

    fn is_note_due(&self) -> bool {
        !self.landed.is_empty()
            && (self.flights.is_empty()
                || self.landed.len() >= NOTED
                || self.landed_at.elapsed() >= NOTED_AFTER)
    }

    /// Notes what has landed, which renews the lease. Whether that was still there.
    async fn note(&mut self) -> Result<bool, Error> {
        if self.landed.is_empty() {
            return Ok(true);
        }
        let mut tries = 0;
        loop {
            let noted = self.shared.directory.deliveries_note(&mut self.leased, self.landed.clone()).await;
            tries += 1;
            match noted {
                Ok(kept) => {
                    self.landed.clear();
                    return Ok(kept);
                }
                // Others write too much. Without the note all of it would be sent again.
                Err(Error::Unavailable(_)) if tries < TRIES => {
                    sleep(Duration::from_millis(50 << tries)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn wake_at(&mut self) -> Instant {
        let nap = Instant::now() + NAP;
        let nap = if self.landed.is_empty() { nap } else { nap.min(self.landed_at + NOTED_AFTER) };
        let now = self.shared.directory.now();
        let next = self.window.survey(now).next_at.into_iter().chain(self.paused_until);
        let wait =
            next.map(|at| at.0 - now.0).filter(|wait| *wait > 0).min().and_then(|wait| wait.try_into().ok());
        nap.min(Instant::now() + Duration::from_micros(wait.unwrap_or(u64::MAX / 4)).min(NAP))
    }
}
