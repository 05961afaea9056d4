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

    /// Gives receipts about all of these ids, each state after its time. If there is no room for all of them, there will be
    /// none, since the message is not taken.
    pub(super) fn add(&self, ids: &[String], states: &[(Duration, State)]) -> Result<(), Failed> {
        let now = Instant::now();
        let due = |id: &String| {
            let id = id.clone();
            states.iter().map(move |(after, state)| Due {
                at: now + *after,
                id: id.clone(),
                state: *state,
                attempts: 0,
            })
        };
        self.0.add(ids.iter().flat_map(due).collect())
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
    fn add(&self, new: Vec<Due>) -> Result<(), Failed> {
        let mut all = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() + new.len() > MOST {
            return Err(Failed::Throttled { after: AGAIN });
        }
        let first = all.peek().map(|Reverse(first)| first.at);
        let is_first = new.iter().any(|due| first.is_none_or(|first| due.at < first));
        all.extend(new.into_iter().map(Reverse));
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
        _ = shared.add(vec![Due { at: Instant::now() + AGAIN, attempts: due.attempts + 1, ..due }]);
    });
    // Where nobody stores, nothing is to be told.
    _ = reporter.report(Event::Receipt(receipt), ack).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_message_all_receipts_have_room_or_none() {
        let shared =
            Shared { due: Mutex::default(), changed: Notify::new(), is_closed: AtomicBool::new(false) };
        let due = |count| {
            let due = || Due { at: Instant::now(), id: String::new(), state: State::Delivered, attempts: 0 };
            std::iter::repeat_with(due).take(count).collect()
        };
        assert_eq!(shared.add(due(MOST - 1)), Ok(()));
        assert_eq!(shared.add(due(2)), Err(Failed::Throttled { after: AGAIN }));
        assert_eq!(shared.due.lock().unwrap().len(), MOST - 1);
        assert_eq!(shared.add(due(1)), Ok(()));
    }
}
