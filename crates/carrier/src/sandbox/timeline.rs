//! Receipts that are to be given later.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use muster_domain::Clock;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::report::Reporter;
use crate::{Ack, Event, Failed, Receipt, State};

/// How many receipts may be to come, so that memory has a bound when they are made faster than they are stored.
const MOST: usize = 1_000_000;
/// When a receipt that was not stored is given again, and how often at most.
const AGAIN: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 100;

/// One task gives all receipts of a sandbox, each at its time.
#[derive(Debug)]
pub(super) struct Timeline(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    due: Mutex<BinaryHeap<Reverse<Due>>>,
    /// Something earlier than all else has come, or the end.
    changed: Notify,
    is_closed: AtomicBool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    id: String,
    state: State,
    attempts: u32,
}

impl Timeline {
    pub(super) fn start(reporter: Reporter, clock: Arc<dyn Clock>) -> Self {
        let shared = Arc::new(Shared {
            due: Mutex::new(BinaryHeap::new()),
            changed: Notify::new(),
            is_closed: AtomicBool::new(false),
        });
        tokio::spawn(run(Arc::clone(&shared), reporter, clock));
        Self(shared)
    }

    /// Gives a receipt after this time.
    pub(super) fn add(&self, id: String, state: State, after: Duration) -> Result<(), Failed> {
        self.0.add(Due { at: Instant::now() + after, id, state, attempts: 0 })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.is_closed.load(Ordering::Acquire)
    }

    /// Gives nothing more.
    pub(super) fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        self.0.changed.notify_one();
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn add(&self, due: Due) -> Result<(), Failed> {
        let mut all = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            return Err(Failed::Throttled { after: AGAIN });
        }
        let is_first = all.peek().is_none_or(|Reverse(first)| due.at < first.at);
        all.push(Reverse(due));
        drop(all);
        if is_first {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// The next receipt if it is due at `now`, or when it will be.
    fn next(&self, now: Instant) -> Result<Due, Option<Instant>> {
        let mut all = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        match all.peek() {
            Some(Reverse(first)) if first.at > now => Err(Some(first.at)),
            _ => all.pop().map(|Reverse(due)| due).ok_or(None),
        }
    }
}

async fn run(shared: Arc<Shared>, reporter: Reporter, clock: Arc<dyn Clock>) {
    while !shared.is_closed.load(Ordering::Acquire) {
        match shared.next(Instant::now()) {
            Ok(due) => give(&shared, &reporter, clock.as_ref(), due).await,
            Err(until) => {
                let wait = async {
                    match until {
                        Some(until) => sleep_until(until).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = wait => {}
                    () = shared.changed.notified() => {}
                }
            }
        }
    }
}

/// Waits for room, so that no more is on its way than can be stored.
async fn give(shared: &Arc<Shared>, reporter: &Reporter, clock: &dyn Clock, due: Due) {
    let receipt = Receipt { id: due.id.clone(), state: due.state, error: None, at: clock.now() };
    let again = Arc::downgrade(shared);
    let ack = Ack::new(move |stored| {
        let Some(shared) = again.upgrade().filter(|_| !stored && due.attempts < ATTEMPTS) else { return };
        // If there is no room for it, it is one of a million.
        _ = shared.add(Due { at: Instant::now() + AGAIN, attempts: due.attempts + 1, ..due });
    });
    // Where nobody stores, nothing is to be told.
    _ = reporter.report(Event::Receipt(receipt), ack).await;
}
