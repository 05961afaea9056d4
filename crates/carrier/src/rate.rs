//! How often a carrier is asked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The first wait when a carrier says that it is asked too often, and the longest: each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What may be sent at once after nothing was sent for a while: a timer is not more exact.
const BURST: Duration = Duration::from_millis(10);

/// Gives leave to send, so many times a second (a token bucket, kept as the time of the next token), and not at all
/// while the carrier wants a pause.
#[derive(Debug)]
pub(crate) struct Rate {
    /// From one token to the next; zero without a limit.
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the next token is there that is not promised; `None` if it is.
    next: Option<Instant>,
    /// How many tokens are promised and not used yet.
    promised: usize,
    /// By how much all pauses together have put off what was promised.
    put_off: Duration,
    paused_until: Option<Instant>,
    pause: Duration,
}

/// A token that is promised: nobody else gets it.
#[derive(Debug)]
pub(crate) struct Leave<'r> {
    rate: &'r Rate,
    /// When it is there, unless pauses put it off.
    at: Instant,
    /// What [`State::put_off`] was when it was promised.
    put_off: Duration,
    is_used: bool,
}

impl Rate {
    /// `per_second` 0 is no limit.
    pub(crate) fn new(per_second: u32) -> Self {
        let interval = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        Self { interval, state: Mutex::new(State::new()) }
    }

    /// As many of `window` submissions as have to wait for two seconds at most.
    pub(crate) fn window(&self, window: usize) -> usize {
        let in_two_seconds = 2_000_u128.checked_div(self.interval.as_millis());
        let most = in_two_seconds.and_then(|most| usize::try_from(most).ok()).unwrap_or(window);
        window.min(most).max(1)
    }

    /// Waits for leave to send once. If that would take longer than `deadline`, the error is when to ask again.
    pub(crate) async fn leave(&self, deadline: Instant) -> Result<(), Duration> {
        for leave in self.promise(1, deadline)? {
            leave.turn(Some(deadline)).await?;
        }
        Ok(())
    }

    /// Promises so many tokens, one after the other without a gap. If the first is not there before `deadline`, the error is
    /// when to ask again.
    pub(crate) fn promise(&self, count: usize, deadline: Instant) -> Result<Vec<Leave<'_>>, Duration> {
        let now = Instant::now();
        let mut state = self.state();
        let mut at = state.slot(now, self.interval);
        let due = state.not_in_a_pause(at, now);
        if due > now && due > deadline {
            return Err(due - now);
        }
        let mut leaves = Vec::with_capacity(count);
        for _ in 0..count {
            leaves.push(Leave { rate: self, at, put_off: state.put_off, is_used: false });
            at += self.interval;
        }
        state.promised += count;
        state.next = Some(at);
        Ok(leaves)
    }

    /// The carrier has said that it is asked too often. Says how long nothing is sent now.
    pub(crate) fn throttle(&self) -> Duration {
        let now = Instant::now();
        let mut state = self.state();
        // What was on its way when the pause began says nothing about it.
        if let Some(until) = state.paused_until.filter(|until| *until > now) {
            return until - now;
        }
        let pause = state.pause;
        state.paused_until = Some(now + pause);
        state.pause = (pause * 2).min(LONGEST_PAUSE);
        // In a pause there are no tokens, or all of them would be used at once at its end. What is promised stays in
        // its order.
        state.next = Some(state.next.map_or(now, |next| next.max(now)) + pause);
        state.put_off += pause;
        pause
    }

    /// The carrier has taken a message.
    pub(crate) fn ease(&self) {
        let mut state = self.state();
        if state.pause > PAUSE && state.paused_until.is_none_or(|until| until <= Instant::now()) {
            state.pause = PAUSE;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new() -> Self {
        Self { next: None, promised: 0, put_off: Duration::ZERO, paused_until: None, pause: PAUSE }
    }

    fn slot(&self, now: Instant, interval: Duration) -> Instant {
        let earliest = if interval.is_zero() { now } else { now.checked_sub(BURST).unwrap_or(now) };
        self.next.map_or(earliest, |next| next.max(earliest))
    }

    fn not_in_a_pause(&self, at: Instant, now: Instant) -> Instant {
        self.paused_until.filter(|until| *until > now).map_or(at, |until| until.max(at))
    }
}

impl Leave<'_> {
    /// Waits until the token is there. If a pause puts it off beyond `deadline`, the error is when to ask again.
    pub(crate) async fn turn(mut self, deadline: Option<Instant>) -> Result<(), Duration> {
        loop {
            let now = Instant::now();
            let due = {
                let state = self.rate.state();
                state.not_in_a_pause(self.at(&state), now)
            };
            if due <= now {
                self.is_used = true;
                return Ok(());
            }
            if deadline.is_some_and(|deadline| due > deadline) {
                return Err(due - now);
            }
            sleep_until(due).await;
        }
    }

    fn at(&self, state: &State) -> Instant {
        self.at + state.put_off.saturating_sub(self.put_off)
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = self.rate.state();
        state.promised = state.promised.saturating_sub(1);
        if self.is_used {
            return;
        }
        // It is given back if nobody stands behind it; else the others keep their times.
        let (at, now) = (self.at(&state), Instant::now());
        if state.next == Some(at + self.rate.interval) {
            state.next = Some(at);
        } else if state.promised == 0 {
            let soon = state.not_in_a_pause(now, now) + self.rate.interval;
            state.next = state.next.map(|next| next.min(soon));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[tokio::test(start_paused = true)]
    async fn in_no_stretch_of_time_is_more_sent_than_the_rate() {
        let rate = Rate::new(100);
        let mut times = Vec::new();
        for _ in 0..300 {
            rate.leave(far()).await.unwrap();
            times.push(Instant::now());
        }
        for (first, begun) in times.iter().enumerate() {
            for (last, ended) in times.iter().enumerate().skip(first) {
                // The burst, one that began just before, and the millisecond by which timers are late.
                let allowed = (*ended - *begun + BURST).as_secs_f64() * 100.0 + 2.0;
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let sent = (last - first + 1) as f64;
                assert!(sent <= allowed, "{sent} in {:?}", *ended - *begun);
            }
        }
        let took = times[299] - times[0];
        assert!(took < Duration::from_millis(3100), "the rate is used: {took:?}");
    }

    #[test]
    fn no_more_wait_than_have_their_turn_soon() {
        for (rate, window) in [(0, 100), (1, 2), (10, 20), (49, 100), (5000, 100)] {
            assert_eq!(Rate::new(rate).window(100), window, "{rate}");
        }
        assert_eq!(Rate::new(0).window(0), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_told_when_to_come_again() {
        let rate = Rate::new(1);
        rate.leave(Instant::now()).await.unwrap();
        let after = rate.leave(Instant::now() + Duration::from_millis(100)).await.unwrap_err();
        assert!(after > Duration::from_millis(900), "{after:?}");
        // It has taken nothing.
        rate.leave(Instant::now() + Duration::from_secs(1)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_until_a_message_is_taken() {
        let rate = Rate::new(0);
        assert_eq!(rate.throttle(), PAUSE);
        assert_eq!(rate.throttle(), PAUSE, "what was on its way makes it no longer");
        assert!(rate.leave(Instant::now()).await.is_err());
        rate.leave(far()).await.unwrap();
        assert_eq!(rate.throttle(), PAUSE * 2);
        rate.leave(far()).await.unwrap();
        for _ in 0..20 {
            rate.throttle();
            rate.leave(far()).await.unwrap();
        }
        assert_eq!(rate.throttle(), LONGEST_PAUSE);
        rate.leave(far()).await.unwrap();
        rate.ease();
        assert_eq!(rate.throttle(), PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_pause_there_are_no_tokens() {
        let rate = std::sync::Arc::new(Rate::new(100));
        rate.leave(far()).await.unwrap();
        for _ in 0..7 {
            rate.throttle();
            tokio::time::advance(LONGEST_PAUSE).await;
        }
        // They wait already when the pause begins, or come within it.
        let ask = |rate: &std::sync::Arc<Rate>| {
            let rate = std::sync::Arc::clone(rate);
            tokio::spawn(async move {
                rate.leave(far()).await.unwrap();
                Instant::now()
            })
        };
        let mut asked: Vec<_> = (0..50).map(|_| ask(&rate)).collect();
        tokio::time::advance(Duration::from_millis(5)).await;
        assert_eq!(rate.throttle(), LONGEST_PAUSE);
        let until = Instant::now() + LONGEST_PAUSE;
        asked.extend((0..50).map(|_| ask(&rate)));
        let mut times = Vec::new();
        for one in asked {
            times.push(one.await.unwrap());
        }
        let after: Vec<Instant> = times.into_iter().filter(|time| *time >= until).collect();
        assert!(after.len() >= 98, "{} waited", after.len());
        let at_once = after.iter().filter(|time| **time < until + Duration::from_millis(100)).count();
        assert!(at_once <= 12, "{at_once} within the first tenth of a second");
        let last = after.iter().max().unwrap();
        assert!(*last < until + Duration::from_millis(1100), "and the rate is used: {:?}", *last - until);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_promised_is_nobody_elses_and_what_is_not_used_is_given_back() {
        let rate = Rate::new(10);
        let begun = Instant::now();
        let mut long = rate.promise(10, far()).unwrap();
        rate.leave(far()).await.unwrap();
        assert!(
            begun.elapsed() >= Duration::from_millis(980),
            "it comes behind all parts: {:?}",
            begun.elapsed()
        );
        long.drain(..).for_each(drop);
        let begun = Instant::now();
        let mut long = rate.promise(10, far()).unwrap();
        assert!(rate.promise(1, begun + Duration::from_millis(500)).is_err());
        while long.pop().is_some() {}
        assert!(rate.promise(1, begun + Duration::from_millis(500)).is_ok());
    }
}
