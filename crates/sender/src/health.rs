//! Whether a carrier is worth asking.

use std::time::Duration;

use tokio::time::Instant;

/// How many failures in a row are borne before the carrier is left alone.
const BORNE: u32 = 5;
/// The first pause; each further one is twice as long, up to the longest, which is also how late a message can be at most
/// when the carrier is back.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// What the last hand-overs say of a carrier: after some failures in a row it gets nothing for a while, then one message at
/// a time, until it takes one.
#[derive(Debug)]
pub(crate) struct Health {
    failures: u32,
    paused_until: Option<Instant>,
    pause: Duration,
}

/// How much a carrier is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// It has failed, and may be well again: one message will tell.
    Doubtful,
    Down {
        until: Instant,
    },
}

impl Default for Health {
    fn default() -> Self {
        Self { failures: 0, paused_until: None, pause: FIRST }
    }
}

impl Health {
    pub(crate) fn mood(&self, now: Instant) -> Mood {
        match self.paused_until {
            None => Mood::Well,
            Some(until) if until > now => Mood::Down { until },
            Some(_) => Mood::Doubtful,
        }
    }

    /// It has answered as one does that is well.
    pub(crate) fn good(&mut self) {
        *self = Self::default();
    }

    /// It has failed, or wants a pause of this length. Whether it is left alone from now on.
    pub(crate) fn bad(&mut self, now: Instant, wish: Option<Duration>) -> bool {
        self.failures = self.failures.saturating_add(1);
        match self.mood(now) {
            // What was on its way when the pause began says nothing new.
            Mood::Down { .. } => return false,
            Mood::Well if self.failures < BORNE => return false,
            Mood::Well | Mood::Doubtful => {}
        }
        self.paused_until = Some(now + self.pause.max(wish.unwrap_or_default().min(LONGEST)));
        self.pause = (self.pause * 2).min(LONGEST);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_again_and_again_is_left_alone_for_longer_and_longer() {
        let (mut health, mut now) = (Health::default(), Instant::now());
        for _ in 1..BORNE {
            assert!(!health.bad(now, None));
            assert_eq!(health.mood(now), Mood::Well);
        }
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert!(health.bad(now, None));
            let Mood::Down { until } = health.mood(now) else { panic!("it is left alone") };
            assert!(!health.bad(now, None), "what was on its way");
            pauses.push((until - now).as_millis());
            now = until;
            assert_eq!(health.mood(now), Mood::Doubtful);
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        health.good();
        assert_eq!(health.mood(now), Mood::Well);
        assert!(!health.bad(now, None), "it begins anew");
    }

    #[test]
    fn a_wish_for_a_longer_pause_is_heard() {
        let (mut health, now) = (Health::default(), Instant::now());
        for _ in 0..BORNE {
            health.bad(now, Some(Duration::from_secs(3)));
        }
        assert_eq!(health.mood(now), Mood::Down { until: now + Duration::from_secs(3) });
    }
}
