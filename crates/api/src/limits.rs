//! Counting calls per key and minute, and keeping out who does wrong too often.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use muster_domain::{Error, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// Counts a call; how many are left. Errors: `TooMany` with the seconds until the window ends.
    pub(crate) fn count(&self, key: K, now: Timestamp) -> Result<u32, Error> {
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
            return Err(over(window.ends_at, now));
        }
        window.calls += 1;
        Ok(self.limit - window.calls)
    }
}

/// Too many until then.
fn over(until: Timestamp, now: Timestamp) -> Error {
    let left = u32::try_from((until.0 - now.0 + 999_999) / 1_000_000).unwrap_or(u32::MAX);
    Error::TooMany { retry_after: left }
}

/// Keeps keys out: whoever does wrong more than `allowed` times within one minute is blocked for `length`.
pub(crate) struct Blocks<K> {
    allowed: usize,
    length: Duration,
    state: Mutex<Blocked<K>>,
}

/// The two maps are bounded each for itself, so a flood of keys that do wrong once or twice pushes none out that is
/// blocked. Blocked ones are so many only after as many times `allowed` wrongs; then those go first that would be
/// free first.
struct Blocked<K> {
    /// The wrongs of the last minute of those that are not blocked, at most `allowed` of each.
    wrongs: HashMap<K, Vec<Timestamp>>,
    until: HashMap<K, Timestamp>,
    /// All blocked keys, in the order in which they are free again, since all blocks last as long.
    order: VecDeque<(K, Timestamp)>,
}

impl<K: Hash + Eq + Copy> Blocks<K> {
    /// Within a minute in which a key did wrong `allowed` times nothing happens.
    pub(crate) fn new(allowed: u32, length: Duration) -> Self {
        let state = Blocked { wrongs: HashMap::new(), until: HashMap::new(), order: VecDeque::new() };
        Self { allowed: usize::try_from(allowed).unwrap_or(usize::MAX), length, state: Mutex::new(state) }
    }

    /// Errors: `TooMany` for a key that is blocked, with the seconds until it is free.
    pub(crate) fn check(&self, key: K, now: Timestamp) -> Result<(), Error> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.until.get(&key) {
            Some(until) if *until > now => Err(over(*until, now)),
            _ => Ok(()),
        }
    }

    /// Notes a wrong, which may be one too many.
    pub(crate) fn wrong(&self, key: K, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        if state.until.get(&key).is_some_and(|until| *until > now) {
            return;
        }
        let counts = |at: &Timestamp| at.plus(Duration::from_mins(1)) > now;
        if state.wrongs.len() >= MAX_KEYS && !state.wrongs.contains_key(&key) {
            state.wrongs.retain(|_, times| times.last().is_some_and(counts));
            if state.wrongs.len() >= MAX_KEYS / 2 {
                state.wrongs.clear();
            }
        }
        let times = state.wrongs.entry(key).or_default();
        times.retain(counts);
        times.push(now);
        if times.len() > self.allowed {
            state.wrongs.remove(&key);
            state.block(key, now, now.plus(self.length));
        }
    }
}

impl<K: Hash + Eq + Copy> Blocked<K> {
    fn block(&mut self, key: K, now: Timestamp, until: Timestamp) {
        while let Some(&(first, free)) = self.order.front()
            && (free <= now || self.order.len() >= MAX_KEYS)
        {
            self.order.pop_front();
            if self.until.get(&first) == Some(&free) {
                self.until.remove(&first);
            }
        }
        self.until.insert(key, until);
        self.order.push_back((key, until));
    }
}

/// Room for few things at once, of which each key has a share: the others still find room when one fills its own.
pub(crate) struct Rooms<K> {
    all: Arc<Semaphore>,
    share: usize,
    of: Mutex<HashMap<K, Arc<Semaphore>>>,
}

/// Room that is given back when this is dropped.
pub(crate) struct Room {
    _share: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl<K: Hash + Eq> Rooms<K> {
    pub(crate) fn new(all: usize, share: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), share, of: Mutex::default() }
    }

    /// Takes room if there is some.
    pub(crate) fn take_now(&self, key: K) -> Option<Room> {
        let share = self.share_of(key).try_acquire_owned().ok()?;
        let all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Room { _share: Some(share), _all: Some(all) })
    }

    fn share_of(&self, key: K) -> Arc<Semaphore> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody uses or waits for are forgotten.
        of.retain(|_, share| Arc::strong_count(share) > 1);
        Arc::clone(of.entry(key).or_insert_with(|| Arc::new(Semaphore::new(self.share))))
    }

    /// Waits for room.
    pub(crate) async fn take(&self, key: K) -> Room {
        // Neither is ever closed.
        let share = self.share_of(key).acquire_owned().await.ok();
        let all = Arc::clone(&self.all).acquire_owned().await.ok();
        Room { _share: share, _all: all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_its_limit_through_and_then_opens_again() {
        let windows = Windows::per_minute(2);
        let at = seconds;
        assert!(matches!(windows.count(1, at(0)), Ok(1)));
        assert!(matches!(windows.count(1, at(10)), Ok(0)));
        assert!(matches!(windows.count(1, at(20)), Err(Error::TooMany { retry_after: 40 })));
        assert!(windows.count(2, at(20)).is_ok());
        assert!(windows.count(1, at(60)).is_ok());
    }

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    fn is_free(blocks: &Blocks<usize>, key: usize, at: i64) -> bool {
        blocks.check(key, seconds(at)).is_ok()
    }

    #[test]
    fn one_wrong_too_many_within_a_minute_blocks_for_a_while() {
        let blocks = Blocks::new(3, Duration::from_mins(10));
        for at in [0, 20, 40, 60, 80, 100] {
            assert!(is_free(&blocks, 1, at));
            blocks.wrong(1, seconds(at));
        }
        blocks.wrong(1, seconds(119));
        assert!(matches!(blocks.check(1, seconds(119)), Err(Error::TooMany { retry_after: 600 })));
        // What comes meanwhile does not make it longer.
        blocks.wrong(1, seconds(200));
        assert!(matches!(blocks.check(1, seconds(718)), Err(Error::TooMany { retry_after: 1 })));
        assert!(is_free(&blocks, 2, 200));
        assert!(is_free(&blocks, 1, 719));
        // It begins anew.
        for at in [719, 720, 721] {
            blocks.wrong(1, seconds(at));
            assert!(is_free(&blocks, 1, at));
        }
        blocks.wrong(1, seconds(722));
        assert!(!is_free(&blocks, 1, 722));
    }

    #[test]
    fn a_flood_of_keys_frees_none_that_is_blocked() {
        let blocks = Blocks::new(1, Duration::from_mins(10));
        blocks.wrong(0, seconds(0));
        blocks.wrong(0, seconds(0));
        for key in 1..=2 * MAX_KEYS {
            blocks.wrong(key, seconds(1));
        }
        assert!(!is_free(&blocks, 0, 2));
        let state = blocks.state.lock().unwrap();
        assert!(state.wrongs.len() <= MAX_KEYS);
    }

    #[test]
    fn of_too_many_blocked_keys_the_oldest_is_free() {
        let blocks = Blocks::new(0, Duration::from_mins(10));
        for key in 0..=MAX_KEYS {
            blocks.wrong(key, seconds(0));
        }
        assert!(is_free(&blocks, 0, 0) && !is_free(&blocks, 1, 0) && !is_free(&blocks, MAX_KEYS, 0));
        blocks.wrong(0, seconds(600));
        let state = blocks.state.lock().unwrap();
        assert_eq!((state.until.len(), state.order.len()), (1, 1));
    }

    #[tokio::test]
    async fn who_fills_a_share_leaves_room_for_others() {
        let rooms = Rooms::new(3, 2);
        let soon = |key: u8| tokio::time::timeout(Duration::from_millis(20), rooms.take(key));
        let (_one, two) = (soon(1).await.unwrap(), soon(1).await.unwrap());
        assert!(soon(1).await.is_err(), "its share is full");
        let _other = soon(2).await.unwrap();
        assert!(soon(3).await.is_err(), "all is full");
        drop(two);
        assert!(soon(3).await.is_ok());
        assert_eq!(rooms.of.lock().unwrap().len(), 3, "those in use and the last one");
    }
}
