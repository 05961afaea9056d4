//! What was done, counted since the start of the process.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of one process. They only grow.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages that a carrier has taken.
    pub handed_over: Count,
    /// Messages that a carrier has refused for good.
    pub refused: Count,
    /// Messages that went back to those that wait: their carrier was down, throttled or busy.
    pub deferred: Count,
    /// Messages of which it is not known whether a carrier has them; they are taken to be handed over, rather than sent twice.
    pub unknown: Count,
    /// Messages that were found claimed by a process that has died.
    pub recovered: Count,
    /// Outcomes that came too late: another process had taken the messages over.
    pub late: Count,
    /// Receipts that were noted.
    pub receipts: Count,
    /// Receipts of messages that are not known.
    pub receipts_unknown: Count,
    /// Messages from phones that were stored.
    pub incoming: Count,
    /// Messages from phones that belong to no tenant, and were dropped.
    pub incoming_dropped: Count,
}

/// One of [`Counts`].
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl Counts {
    fn sum(&self) -> u64 {
        let all = [
            &self.handed_over,
            &self.refused,
            &self.deferred,
            &self.unknown,
            &self.recovered,
            &self.late,
            &self.receipts,
            &self.receipts_unknown,
            &self.incoming,
            &self.incoming_dropped,
        ];
        all.into_iter().map(Count::get).sum()
    }

    /// Writes them to the log if there is anything new since `before`, which is what this has said the last time.
    pub fn log(&self, before: u64) -> u64 {
        let sum = self.sum();
        if sum != before {
            tracing::info!(
                handed_over = %self.handed_over,
                refused = %self.refused,
                deferred = %self.deferred,
                unknown = %self.unknown,
                recovered = %self.recovered,
                late = %self.late,
                receipts = %self.receipts,
                receipts_unknown = %self.receipts_unknown,
                incoming = %self.incoming,
                incoming_dropped = %self.incoming_dropped,
                "messages since the start"
            );
        }
        sum
    }
}
