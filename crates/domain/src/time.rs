//! Time and randomness as the core sees them: values and sources that are passed in.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// ISO 8601 in UTC with milliseconds and `Z`, such as `2026-02-03T04:05:06.789Z`.
    pub fn millis(self) -> Millis {
        Millis(self)
    }

    /// RFC 3339 in UTC to the second, with the offset as digits, such as `2026-02-03T04:05:06+00:00`.
    pub fn seconds(self) -> Seconds {
        Seconds { at: self, offset: "+00:00" }
    }

    /// ISO 8601 in UTC to the second, with `Z`, such as `2026-02-03T04:05:06Z`.
    pub fn seconds_z(self) -> Seconds {
        Seconds { at: self, offset: "Z" }
    }

    /// This time plus `duration`; stays at the end of the range instead of overflowing.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }

    /// This time minus `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Displays a [`Timestamp`] with milliseconds.
pub struct Millis(Timestamp);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_microsecond(self.0.0).unwrap_or(jiff::Timestamp::MAX);
        // The sub-second part is cut, not rounded, so that a shown time is never in the future.
        let whole = jiff::Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time);
        write!(f, "{whole:.3}")
    }
}

/// Displays a [`Timestamp`] to the second.
pub struct Seconds {
    at: Timestamp,
    offset: &'static str,
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole =
            jiff::Timestamp::from_second(self.at.0.div_euclid(1_000_000)).unwrap_or(jiff::Timestamp::MAX);
        let text = format!("{whole:.0}");
        write!(f, "{}{}", text.trim_end_matches('Z'), self.offset)
    }
}

/// A source of the current time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// A source of unpredictable bytes, fit for keys and tokens.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);

    /// A random UUID (version 4, RFC 9562).
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A UUID that sorts by `now` (version 7, RFC 9562).
    fn uuid_at(&self, now: Timestamp) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = u64::try_from(now.0 / 1000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_milliseconds_and_never_round_up() {
        assert_eq!(Timestamp(1_770_091_506_789_999).millis().to_string(), "2026-02-03T04:05:06.789Z");
        assert_eq!(Timestamp(0).millis().to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(1_770_091_506_789_999).seconds().to_string(), "2026-02-03T04:05:06+00:00");
        assert_eq!(Timestamp(1_770_091_506_789_999).seconds_z().to_string(), "2026-02-03T04:05:06Z");
    }
}
