//! A carrier that is a message centre, over SMPP 3.4 (Short Message Peer to Peer Protocol Specification v3.4, issue 1.2).
//!
//! Some connections are kept, each bound as a transceiver. A message goes over whichever has the most room in its window.
//! Of a message in several parts the first goes alone, so that a refusal refuses all of it; once it was taken, the
//! others are tried until they are taken or their time is over.

mod config;
pub mod deliver;
pub mod frame;
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
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use muster_domain::Entropy;
use rusmpp::pdus::SubmitSm;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at};

use crate::rate::Rate;
use crate::report::Reporter;
use crate::{Carrier, Failed, HandedOver, Outgoing, Sources};
pub use config::SmppConfig;
use inbound::Inbound;
pub use inbound::body;
use session::{Answer, Session};

/// How often is looked after what waits: parts of messages, and what could not be stored.
const TEND: Duration = Duration::from_millis(250);
/// How long closing may take.
const CLOSE: Duration = Duration::from_secs(5);
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
            inbound: Inbound::new(reporter, Arc::clone(&sources.clock), config.join_timeout),
            entropy: Arc::clone(&sources.entropy),
            sessions: RwLock::new(vec![None; binds]),
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
        let mut submissions = pdu::submissions(&message, reference)?.into_iter();
        let Some(first) = submissions.next() else { return Ok(HandedOver { ids: Vec::new() }) };
        let first = self.shared.hand_over(first).await?;
        let rest = join_all(submissions.map(|submission| self.rest(submission))).await;
        let mut ids = vec![first];
        let mut failed = None;
        for part in rest {
            match part {
                Ok(id) => ids.push(id),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None => Ok(HandedOver { ids }),
            Some(error) => Err(Failed::Unknown { taken: ids, detail: format!("of a further part: {error}") }),
        }
    }

    /// Hands over a part after the first. What was not taken for certain is tried again.
    async fn rest(&self, submission: SubmitSm) -> Result<Option<String>, Failed> {
        let deadline = Instant::now() + self.shared.config.response_timeout;
        loop {
            let failed = match self.shared.hand_over(submission.clone()).await {
                Err(failed @ (Failed::Throttled { .. } | Failed::Unavailable(_))) => failed,
                done => return done,
            };
            let after = if let Failed::Throttled { after } = failed { after } else { AGAIN };
            if Instant::now() + after >= deadline || *self.stop.borrow() {
                return Err(failed);
            }
            sleep(after).await;
        }
    }
}

impl Shared {
    /// Waits for a place in a window, then for leave of the rate, and sends.
    async fn hand_over(&self, submission: SubmitSm) -> Result<Option<String>, Failed> {
        let deadline = Instant::now() + self.config.queue_timeout;
        let (session, place) = self.place(deadline).await?;
        self.rate.leave(deadline).await.map_err(|after| Failed::Throttled { after })?;
        match session.submit(submission, place, self.config.response_timeout).await {
            Answer::Taken(id) => {
                self.rate.ease();
                Ok(id.map(|id| if self.config.hex_ids { decimal(id) } else { id }))
            }
            Answer::Refused(status) => Err(status::failed(status, || self.rate.throttle())),
            Answer::Lost(reason) => Err(Failed::unknown(reason)),
            Answer::NotSent => Err(Failed::unavailable("the connection broke")),
        }
    }

    async fn place(&self, deadline: Instant) -> Result<(Arc<Session>, OwnedSemaphorePermit), Failed> {
        loop {
            let roomiest = {
                let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
                let open = sessions.iter().flatten().filter(|session| !session.window.is_closed());
                open.max_by_key(|session| session.window.available_permits()).cloned()
            };
            let Some(session) = roomiest else {
                return Err(Failed::unavailable("no connection is bound"));
            };
            match timeout_at(deadline, Arc::clone(&session.window).acquire_owned()).await {
                Ok(Ok(place)) => return Ok((session, place)),
                // It ended; there may be another.
                Ok(Err(_)) => {}
                Err(_) => return Err(Failed::Throttled { after: AGAIN }),
            }
        }
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
            self.stop.send_replace(true);
            let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            _ = timeout(CLOSE, join_all(tasks)).await;
            self.shared.inbound.flush();
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

/// A hexadecimal id as a decimal one; another stays as it is.
fn decimal(id: String) -> String {
    u128::from_str_radix(&id, 16).map_or(id, |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_ids_become_those_of_receipts() {
        for (id, told) in [("1A2b", "6699"), ("0", "0"), ("a-1", "a-1"), ("", "")] {
            assert_eq!(decimal(id.to_owned()), told);
        }
    }
}
