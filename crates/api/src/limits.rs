//! Counting calls per key and minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use muster_domain::{Error, Timestamp};

/// Keys that are remembered at once. When more are active within one window, all are forgotten: memory and
/// work are bounded, and a flood from so many addresses is not for this limit to stop.
const MAX_KEYS: usize = 100_000;

/// Fixed windows: from the first call of a key on, `limit` calls are let through within `length`.
pub(crate) struct Windows<K> {
    limit: u32,
    length: Duration,
    open: Mutex<HashMap<K, Window>>,
}

struct Window {
    ends_at: Timestamp,
    calls: u32,
}

impl<K: Hash + Eq + Copy> Windows<K> {
    pub(crate) fn per_minute(limit: u32) -> Self {
        Self { limit, length: Duration::from_mins(1), open: Mutex::default() }
    }

    /// Counts a call. Errors: `TooMany` with the seconds until the window ends.
    pub(crate) fn count(&self, key: K, now: Timestamp) -> Result<(), Error> {
        let mut windows = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MAX_KEYS && !windows.contains_key(&key) {
            windows.retain(|_, window| window.ends_at > now);
            if windows.len() >= MAX_KEYS / 2 {
                windows.clear();
            }
        }
        let fresh = || Window { ends_at: now.plus(self.length), calls: 0 };
        let window = windows.entry(key).or_insert_with(fresh);
        if window.ends_at <= now {
            *window = fresh();
        }
        if window.calls >= self.limit {
            let left = u32::try_from((window.ends_at.0 - now.0 + 999_999) / 1_000_000).unwrap_or(u32::MAX);
            return Err(Error::TooMany { retry_after: left });
        }
        window.calls += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_its_limit_through_and_then_opens_again() {
        let windows = Windows::per_minute(2);
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        assert!(windows.count(1, at(0)).is_ok());
        assert!(windows.count(1, at(10)).is_ok());
        assert!(matches!(windows.count(1, at(20)), Err(Error::TooMany { retry_after: 40 })));
        assert!(windows.count(2, at(20)).is_ok());
        assert!(windows.count(1, at(60)).is_ok());
    }
}
