//! What stands before a carrier: messages that were claimed wait here for their turn.
//!
//! Few wait, since what is claimed cannot be stopped any more, and is in doubt when this process dies. Tenants go through
//! in turn, one message each, and each has a share of the room.

mod queue;
mod room;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muster_carrier::{Carrier, Failed, HandedOver, Outgoing};
use muster_domain::message::{MAX_PARTS, Outcome};
use muster_domain::{Clock, TenantId, Timestamp};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::Counts;
use crate::health::Mood;
use queue::State;
pub(crate) use room::{Places, Room};

/// A hand-over does not begin when its claim ends so soon: whoever takes the claim over would do it too.
const MARGIN: Duration = Duration::from_secs(10);
/// When a message is tried again that found no room, or of which the carrier said that it is not available.
const AGAIN: Duration = Duration::from_millis(500);
/// From one message that goes back to the next, so that not all of them come again at once; and the most of that.
const SPREAD: Duration = Duration::from_micros(200);
const LONGEST_SPREAD: Duration = Duration::from_mins(1);
/// How often a carrier that recognises repeats is asked about a message of which it does not say whether it has it.
const ASKED: u32 = 10;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A message that is to be handed over.
pub(crate) struct Job {
    /// In its chunk.
    pub(crate) place: usize,
    pub(crate) tenant: TenantId,
    pub(crate) message: Outgoing,
    pub(crate) hold: Arc<Hold>,
    pub(crate) answer: mpsc::UnboundedSender<(usize, Answer)>,
    /// The carrier may have it already: it must not go back to those that wait, where it could be stopped.
    pub(crate) is_doubtful: bool,
}

/// Until when the claim on a chunk holds.
#[derive(Debug)]
pub(crate) struct Hold(AtomicI64);

/// What came of a job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Outcome(Outcome),
    /// It is in doubt and stays claimed: whoever finds the claim lost settles it.
    Left,
}

/// A job in the gate.
struct Inside {
    job: Job,
    asked: u32,
    _places: Places,
}

/// The gate of one carrier.
pub(crate) struct Gate {
    name: Arc<str>,
    carrier: Arc<dyn Carrier>,
    clock: Arc<dyn Clock>,
    counts: Arc<Counts>,
    window: usize,
    pub(crate) room: Arc<Room>,
    state: Mutex<State>,
    changed: Notify,
    /// Tells whoever claims messages that there may be room again.
    freed: Arc<Notify>,
}

type Flight = (Inside, Result<HandedOver, Failed>);

impl Hold {
    pub(crate) fn new(until: Timestamp) -> Self {
        Self(AtomicI64::new(until.0))
    }

    pub(crate) fn renew(&self, until: Timestamp) {
        self.0.store(until.0, Ordering::Relaxed);
    }

    fn is_safe(&self, now: Timestamp) -> bool {
        now.plus(MARGIN).0 < self.0.load(Ordering::Relaxed)
    }
}

impl Gate {
    pub(crate) fn new(
        name: &str,
        carrier: Arc<dyn Carrier>,
        clock: Arc<dyn Clock>,
        counts: Arc<Counts>,
        freed: Arc<Notify>,
    ) -> Self {
        let window = carrier.window().max(1);
        Self {
            name: Arc::from(name),
            carrier,
            clock,
            counts,
            window,
            room: Arc::new(Room::new(window, Arc::clone(&freed))),
            state: Mutex::default(),
            changed: Notify::new(),
            freed,
        }
    }

    pub(crate) fn recognises_repeats(&self) -> bool {
        self.carrier.recognises_repeats()
    }

    /// How many more messages of a tenant it is worth to claim for this carrier; few are not.
    pub(crate) fn wants(&self, tenant: TenantId) -> usize {
        let state = self.state();
        match state.health.mood(Instant::now()) {
            _ if state.is_closed => 0,
            Mood::Down { .. } => 0,
            Mood::Doubtful => usize::from(self.room.is_empty()),
            Mood::Well => self.room.of(tenant),
        }
    }

    /// Takes a job in, if there is room for it; else it is answered. Of the places that were reserved one is used.
    pub(crate) fn admit(&self, job: Job, reserved: &mut Places) {
        let mut state = self.state();
        let is_down = matches!(state.health.mood(Instant::now()), Mood::Down { .. }) || state.is_closed;
        let place = if is_down { None } else { self.place(job.tenant, reserved) };
        let Some(place) = place else {
            let answer = self.back(&mut state, job.is_doubtful, AGAIN);
            drop(state);
            job.answer(answer);
            return;
        };
        let inside = Inside { job, asked: 0, _places: place };
        state.push(inside);
        drop(state);
        self.changed.notify_one();
    }

    fn place(&self, tenant: TenantId, reserved: &mut Places) -> Option<Places> {
        let one = if reserved.are_of(&self.room) { reserved.one() } else { None };
        one.or_else(|| self.room.take(tenant, 1))
    }

    /// Hands over until it is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut flights = JoinSet::new();
        loop {
            let wake = self.start(&mut flights);
            let wait = async {
                match wake {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(ended) = flights.join_next() => {
                    self.landed(ended);
                    while let Some(ended) = flights.try_join_next() {
                        self.landed(ended);
                    }
                }
                () = self.changed.notified() => {}
                () = wait => self.freed.notify_one(),
            }
        }
    }

    /// Lets nobody in any more, and sends back who waits; what is on its way stays so.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        let all = state.drain(true);
        drop(state);
        let now = self.clock.now();
        for inside in all {
            let is_doubtful = inside.job.is_doubtful;
            inside.answer(if is_doubtful { Answer::Left } else { Answer::Outcome(Outcome::Later(now)) });
        }
    }

    /// Starts what may be started. When there is something else to be done, unless something happens before.
    fn start(&self, flights: &mut JoinSet<Flight>) -> Option<Instant> {
        loop {
            let now = Instant::now();
            let mut state = self.state();
            let most = match state.health.mood(now) {
                Mood::Well => self.window,
                Mood::Doubtful => 1,
                Mood::Down { until } => return Some(until),
            };
            if flights.len() >= most {
                return None;
            }
            let Some(inside) = state.next(now) else {
                return state.doubtful.iter().map(|(at, _)| *at).min();
            };
            drop(state);
            if !inside.job.hold.is_safe(self.clock.now()) {
                let is_doubtful = inside.job.is_doubtful;
                let later = Answer::Outcome(Outcome::Later(self.clock.now()));
                inside.answer(if is_doubtful { Answer::Left } else { later });
                continue;
            }
            let carrier = Arc::clone(&self.carrier);
            flights.spawn(async move {
                let result = carrier.submit(inside.job.message.clone()).await;
                (inside, result)
            });
        }
    }

    fn landed(&self, ended: Result<Flight, JoinError>) {
        let (mut inside, result) = match ended {
            Ok(flight) => flight,
            Err(error) => {
                // Its chunk finds that it was not answered.
                tracing::error!(carrier = %self.name, %error, "handing over has failed");
                self.failed(None);
                return;
            }
        };
        let is_doubtful = inside.job.is_doubtful;
        let outcome = match result {
            Ok(HandedOver { ids }) => {
                self.went_well();
                // A carrier that cuts texts itself names one id.
                let is_whole = ids.len() == 1;
                self.accepted(ids, is_whole)
            }
            Err(Failed::Refused { reason, detail }) => {
                tracing::debug!(carrier = %self.name, reason = reason.code(), detail, "a message is refused");
                self.went_well();
                Outcome::Refused
            }
            Err(Failed::Throttled { after }) => {
                self.failed(Some(after));
                return self.again(inside, after);
            }
            Err(Failed::Unavailable(detail)) => {
                tracing::debug!(carrier = %self.name, detail, "a carrier is not available");
                self.failed(None);
                return self.again(inside, AGAIN);
            }
            Err(Failed::Unknown { taken, detail }) => {
                tracing::debug!(carrier = %self.name, detail, "it is not known whether a carrier has a message");
                self.failed(None);
                inside.job.is_doubtful = true;
                inside.asked += 1;
                if self.recognises_repeats() && inside.asked < ASKED {
                    let wait = AGAIN * 2_u32.saturating_pow(inside.asked - 1);
                    return self.again(inside, wait.min(LONGEST_WAIT));
                }
                self.unknown(taken)
            }
        };
        if is_doubtful {
            tracing::debug!(carrier = %self.name, "a message that was in doubt is settled");
        }
        inside.answer(Answer::Outcome(outcome));
    }

    fn accepted(&self, ids: Vec<Option<String>>, is_whole: bool) -> Outcome {
        Outcome::Accepted { carrier: self.name.as_ref().to_owned(), ids, is_whole }
    }

    /// Some parts may be known to be taken, of which receipts will come.
    fn unknown(&self, taken: Vec<(usize, Option<String>)>) -> Outcome {
        let known = taken.iter().map(|(part, _)| part + 1).max().unwrap_or(0);
        let mut ids = vec![None; known.min(MAX_PARTS)];
        for (part, id) in taken {
            if let Some(place) = ids.get_mut(part) {
                *place = id;
            }
        }
        if ids.iter().all(Option::is_none) {
            return Outcome::Unknown;
        }
        self.counts.unknown.add(1);
        self.accepted(ids, false)
    }

    /// What the carrier does not have goes back to those that wait; of what is in doubt it is asked again from here.
    fn again(&self, inside: Inside, after: Duration) {
        let mut state = self.state();
        if inside.job.is_doubtful && !state.is_closed {
            state.doubtful.push((Instant::now() + after.max(AGAIN), inside));
            return;
        }
        let answer = self.back(&mut state, inside.job.is_doubtful, after);
        drop(state);
        inside.answer(answer);
    }

    /// The answer for a message that cannot be handed over now.
    fn back(&self, state: &mut State, is_doubtful: bool, after: Duration) -> Answer {
        if is_doubtful {
            return Answer::Left;
        }
        let now = Instant::now();
        let pause = match state.health.mood(now) {
            Mood::Down { until } => until - now,
            Mood::Well | Mood::Doubtful => Duration::ZERO,
        };
        let spread = (SPREAD * state.returned).min(LONGEST_SPREAD);
        state.returned = state.returned.saturating_add(1);
        Answer::Outcome(Outcome::Later(self.clock.now().plus(pause.max(after) + spread)))
    }

    fn went_well(&self) {
        let mut state = self.state();
        let was_well = state.health.mood(Instant::now()) == Mood::Well;
        state.health.good();
        state.returned = 0;
        drop(state);
        if !was_well {
            tracing::info!(carrier = %self.name, "the carrier takes messages again");
            self.freed.notify_one();
        }
    }

    fn failed(&self, wish: Option<Duration>) {
        let mut state = self.state();
        let was_well = state.health.mood(Instant::now()) == Mood::Well;
        if !state.health.bad(Instant::now(), wish) {
            return;
        }
        // What waits would only wait longer; what is in doubt stays.
        let all = state.drain(false);
        let answers: Vec<_> = all.iter().map(|_| self.back(&mut state, false, AGAIN)).collect();
        drop(state);
        if was_well {
            tracing::warn!(carrier = %self.name, "the carrier fails; messages wait for it");
        }
        for (inside, answer) in all.into_iter().zip(answers) {
            inside.answer(answer);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn answer(self, answer: Answer) {
        self.job.answer(answer);
    }
}

impl Job {
    /// Whoever asked may have gone, at the end.
    fn answer(self, answer: Answer) {
        _ = self.answer.send((self.place, answer));
    }
}

#[cfg(test)]
mod tests;
