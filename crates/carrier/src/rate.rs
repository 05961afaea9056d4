//! How often a carrier is asked.

use std::sync::{Mutex, PoisonError};
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
    /// When the next token is there; `None` if it is.
    next: Option<Instant>,
    paused_until: Option<Instant>,
    pause: Duration,
}

impl Rate {
    /// `per_second` 0 is no limit.
    pub(crate) fn new(per_second: u32) -> Self {
        let interval = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        Self { interval, state: Mutex::new(State { next: None, paused_until: None, pause: PAUSE }) }
    }

    /// As many of `window` submissions as have to wait for two seconds at most.
    pub(crate) fn window(&self, window: usize) -> usize {
        let in_two_seconds = 2_000_u128.checked_div(self.interval.as_millis());
        let most = in_two_seconds.and_then(|most| usize::try_from(most).ok()).unwrap_or(window);
        window.min(most).max(1)
    }

    /// Waits for leave to send once. If that would take longer than `deadline`, the error is when to ask again.
    pub(crate) async fn leave(&self, deadline: Instant) -> Result<(), Duration> {
        let mut slot = None;
        loop {
            let now = Instant::now();
            let until = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let paused = state.paused_until.filter(|until| *until > now);
                let token = slot.unwrap_or_else(|| state.slot(now, self.interval));
                let until = paused.map_or(token, |paused| paused.max(token));
                if until <= now || until <= deadline {
                    if slot.is_none() {
                        state.next = Some(token + self.interval);
                        slot = Some(token);
                    }
                } else {
                    return Err(until - now);
                }
                until
            };
            if until <= now {
                return Ok(());
            }
            sleep_until(until).await;
        }
    }

    /// The carrier has said that it is asked too often. Says how long nothing is sent now.
    pub(crate) fn throttle(&self) -> Duration {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // What was on its way when the pause began says nothing about it.
        if let Some(until) = state.paused_until.filter(|until| *until > now) {
            return until - now;
        }
        let pause = state.pause;
        state.paused_until = Some(now + pause);
        state.pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }

    /// The carrier has taken a message.
    pub(crate) fn ease(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.pause > PAUSE && state.paused_until.is_none_or(|until| until <= Instant::now()) {
            state.pause = PAUSE;
        }
    }
}

impl State {
    fn slot(&self, now: Instant, interval: Duration) -> Instant {
        let earliest = if interval.is_zero() { now } else { now.checked_sub(BURST).unwrap_or(now) };
        self.next.map_or(earliest, |next| next.max(earliest))
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
}
