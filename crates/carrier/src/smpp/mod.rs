//! A carrier that is a message centre, over SMPP 3.4 (Short Message Peer to Peer Protocol Specification v3.4, issue 1.2).
//!
//! Some connections are kept, each bound as a transceiver. A message goes over whichever has the most room in its window.
//! Of a message in several parts the first goes alone, so that a refusal refuses all of it; once it was taken, the
//! others are tried until they are taken or their time is over.

mod config;
pub mod deliver;
pub mod frame;
mod hold;
mod inbound;
pub mod join;
mod keep;
mod link;
mod pdu;
pub mod receipt;
mod session;
mod status;
pub mod udh;

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all, select_all};
use muster_domain::Entropy;
use rusmpp::pdus::SubmitSm;
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout, timeout_at};

use crate::rate::{Leave, Rate};
use crate::report::Reporter;
use crate::{Carrier, Failed, HandedOver, Outgoing, Sources};
pub use config::SmppConfig;
use inbound::Inbound;
pub use inbound::body;
use session::{Answer, Session};

/// How often is looked after what waits: parts of messages, and what could not be stored.
const TEND: Duration = Duration::from_millis(250);
/// How long closing may take, and then reporting what the message centre does not give again.
const CLOSE: Duration = Duration::from_secs(5);
const FLUSH: Duration = Duration::from_secs(1);
/// How soon a further part of a message is tried again, if the message centre is not there.
const AGAIN: Duration = Duration::from_millis(200);

/// The carrier.
pub struct Smpp {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// By which the parts of a message are known to be such (8 bits, in turn).
    reference: AtomicU8,
}

/// What the connections have in common.
struct Shared {
    name: Arc<str>,
    config: SmppConfig,
    rate: Rate,
    inbound: Inbound,
    entropy: Arc<dyn Entropy>,
    sessions: RwLock<Vec<Option<Arc<Session>>>>,
    /// The sessions are others than before.
    changed: Notify,
    /// Who wants to begin a message waits for a place behind this, one at a time, so that nearly nobody stands before the
    /// further parts of those that have begun.
    door: tokio::sync::Mutex<()>,
    /// How many messages are being handed over.
    messages: AtomicUsize,
}

/// One of the messages that are being handed over.
struct InHand<'s>(&'s AtomicUsize);

impl<'s> InHand<'s> {
    fn new(messages: &'s AtomicUsize) -> Self {
        messages.fetch_add(1, Ordering::SeqCst);
        Self(messages)
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Smpp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smpp").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Smpp {
    pub(crate) fn start(config: &SmppConfig, reporter: Reporter, sources: &Sources) -> Self {
        let binds = usize::try_from(config.binds).unwrap_or(1);
        let shared = Arc::new(Shared {
            name: Arc::clone(&reporter.carrier),
            config: config.clone(),
            rate: Rate::new(config.rate),
            inbound: Inbound::new(reporter, Arc::clone(&sources.clock), config.join_timeout, config.hex_ids),
            entropy: Arc::clone(&sources.entropy),
            sessions: RwLock::new(vec![None; binds]),
            changed: Notify::new(),
            door: tokio::sync::Mutex::new(()),
            messages: AtomicUsize::new(0),
        });
        let stop = watch::Sender::new(false);
        let mut tasks: Vec<_> = (0..binds)
            .map(|index| tokio::spawn(keep::keep(Arc::clone(&shared), index, stop.subscribe())))
            .collect();
        tasks.push(tokio::spawn(tend(Arc::clone(&shared), stop.subscribe())));
        let mut reference = [0];
        sources.entropy.fill(&mut reference);
        Self { shared, stop, tasks: Mutex::new(tasks), reference: AtomicU8::new(reference[0]) }
    }

    /// How many connections are bound at present.
    pub fn bound(&self) -> usize {
        let sessions = self.shared.sessions.read().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().flatten().count()
    }

    async fn take(&self, message: Outgoing) -> Result<HandedOver, Failed> {
        message.check()?;
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let submissions = pdu::submissions(&message, reference)?;
        let parts = submissions.len();
        let mut submissions = submissions.into_iter();
        let Some(first) = submissions.next() else { return Ok(HandedOver { ids: Vec::new() }) };
        let _in_hand = InHand::new(&self.shared.messages);
        let (session, place, mut leaves) = self.ready(parts).await?;
        let first = self.shared.submit(&session, place, first).await;
        if first.is_err() {
            // From the last one, so that each can be given back.
            while leaves.pop().is_some() {}
        }
        let mut taken = vec![(0, first?)];
        let rest = submissions.zip(leaves).map(|(submission, leave)| self.rest(submission, leave));
        let mut failed = None;
        for (part, result) in (1..).zip(join_all(rest).await) {
            match result {
                Ok(id) => taken.push((part, id)),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None => Ok(HandedOver { ids: taken.into_iter().map(|(_, id)| id).collect() }),
            Some(error) => Err(Failed::Unknown { taken, detail: format!("of a further part: {error}") }),
        }
    }

    /// Waits until a message of so many parts can begin: for a place in a window for the first, and for its turn within the
    /// rate. The turns of the others come right after it, and are nobody else's: a message that has begun is not torn by
    /// those that would like to.
    async fn ready(
        &self,
        parts: usize,
    ) -> Result<(Arc<Session>, OwnedSemaphorePermit, Vec<Leave<'_>>), Failed> {
        let deadline = Instant::now() + self.shared.config.queue_timeout;
        let throttled = |after| Failed::Throttled { after };
        let ready = async {
            let door = timeout_at(deadline, self.shared.door.lock()).await.map_err(|_| throttled(AGAIN))?;
            let (session, place) = self.shared.place(deadline).await?;
            drop(door);
            let mut leaves = self.shared.rate.promise(parts, deadline).map_err(throttled)?.into_iter();
            if let Some(first) = leaves.next() {
                first.turn(Some(deadline)).await.map_err(throttled)?;
            }
            Ok((session, place, leaves.collect()))
        };
        let mut stop = self.stop.subscribe();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Err(Failed::unavailable("the carrier is closed")),
            ready = ready => ready,
        }
    }

    /// Waits until the carrier is closed and no connection is left.
    async fn left(&self) {
        let mut stop = self.stop.subscribe();
        // An error is that the carrier is gone.
        _ = stop.wait_for(|stop| *stop).await;
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.shared.open().is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Hands over a part after the first. What was not taken for certain is tried again.
    async fn rest(&self, submission: SubmitSm, leave: Leave<'_>) -> Result<Option<String>, Failed> {
        tokio::select! {
            // Without a deadline it waits for as long as it takes.
            _ = leave.turn(None) => {}
            () = self.left() => return Err(Failed::unavailable("the carrier is closed")),
        }
        let config = &self.shared.config;
        let deadline = Instant::now() + config.queue_timeout + config.response_timeout;
        loop {
            let attempt = async {
                let (session, place) = self.shared.place(deadline).await?;
                self.shared.submit(&session, place, submission.clone()).await
            };
            let failed = match attempt.await {
                Err(failed @ (Failed::Throttled { .. } | Failed::Unavailable(_))) => failed,
                done => return done,
            };
            let after = match failed {
                Failed::Throttled { after } => after,
                // Who is lost while we close is not bound again.
                _ if *self.stop.borrow() => return Err(failed),
                _ => AGAIN,
            };
            if Instant::now() + after >= deadline {
                return Err(failed);
            }
            sleep(after).await;
            if self.shared.rate.leave(deadline).await.is_err() {
                return Err(failed);
            }
        }
    }
}

impl Shared {
    async fn submit(
        &self,
        session: &Session,
        place: OwnedSemaphorePermit,
        submission: SubmitSm,
    ) -> Result<Option<String>, Failed> {
        match session.submit(submission, place, self.config.response_timeout).await {
            Answer::Taken(id) => {
                self.rate.ease();
                Ok(id.map(|id| if self.config.hex_ids { receipt::decimal(id) } else { id }))
            }
            Answer::Refused(status) => Err(status::failed(status, || self.rate.throttle())),
            Answer::Lost(reason) => Err(Failed::unknown(reason)),
            Answer::NotSent => Err(Failed::unavailable("the connection broke")),
        }
    }

    /// Waits for a place in the window of any connection, of the one with the most room if several have some.
    async fn place(&self, deadline: Instant) -> Result<(Arc<Session>, OwnedSemaphorePermit), Failed> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let mut open = self.open();
            if open.is_empty() {
                return Err(Failed::unavailable("no connection is bound"));
            }
            open.sort_by_key(|session| std::cmp::Reverse(session.window.available_permits()));
            for session in &open {
                if let Ok(place) = Arc::clone(&session.window).try_acquire_owned() {
                    return Ok((Arc::clone(session), place));
                }
            }
            let places = open.into_iter().map(|session| {
                Box::pin(async move {
                    let place = Arc::clone(&session.window).acquire_owned().await;
                    (session, place)
                })
            });
            tokio::select! {
                ((session, place), ..) = select_all(places) => {
                    // An error is that it ended; there may be another.
                    if let Ok(place) = place {
                        return Ok((session, place));
                    }
                }
                () = changed => {}
                () = sleep_until(deadline) => return Err(Failed::Throttled { after: AGAIN }),
            }
        }
    }

    fn open(&self) -> Vec<Arc<Session>> {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().flatten().filter(|session| !session.window.is_closed()).cloned().collect()
    }

    /// Whether no message is being handed over.
    fn is_idle(&self) -> bool {
        self.messages.load(Ordering::SeqCst) == 0
    }
}

impl Carrier for Smpp {
    fn submit(&self, message: Outgoing) -> BoxFuture<'_, Result<HandedOver, Failed>> {
        Box::pin(self.take(message))
    }

    fn window(&self) -> usize {
        let config = &self.shared.config;
        self.shared.rate.window(usize::try_from(config.binds.saturating_mul(config.window)).unwrap_or(1))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.shared.inbound.leave();
            self.stop.send_replace(true);
            let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            _ = timeout(CLOSE, join_all(tasks)).await;
            _ = timeout(FLUSH, self.shared.inbound.flush()).await;
        })
    }
}

async fn tend(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let mut tick = interval(TEND);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => shared.inbound.tend(),
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
