//! When a message is due.

use crate::{Problem, Timestamp};

/// The last second that can be asked for: 9999-12-31T23:59:59Z, the last that every dialect can show.
pub const LAST: i64 = 253_402_300_799;

/// The `delivery_at` of LOX24, in Unix seconds: 0 is at once. A time that has passed is kept as it is sent, and due at once
/// too: the contract is silent, and whoever sends what their clock shows must not be refused for being slow. Errors:
/// `OutOfRange`.
pub fn delivery_at(seconds: i64) -> Result<Option<Timestamp>, Problem> {
    match seconds {
        0 => Ok(None),
        1..=LAST => Ok(Some(Timestamp(seconds * 1_000_000))),
        _ => Err(Problem::OutOfRange { min: 0, max: LAST }),
    }
}

/// The `delivery_at` of LOX24 for what is kept.
pub const fn delivery_at_seconds(at: Option<Timestamp>) -> i64 {
    match at {
        Some(at) => at.0.div_euclid(1_000_000),
        None => 0,
    }
}

/// The `scheduled_at` of Convirza: people plan with it, so one that has passed is a mistake, unless it is what is stored
/// and only sent again. Errors: `Format`.
pub fn scheduled_at(
    wish: Timestamp,
    stored: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, Problem> {
    if wish > now || stored == Some(wish) { Ok(wish) } else { Err(Problem::Format("must be in the future")) }
}

/// When something that was asked for at `created` is due: at its time, at once without one.
pub fn due_at(wish: Option<Timestamp>, created: Timestamp) -> Timestamp {
    wish.map_or(created, |wish| wish.max(created))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivery_times_are_seconds_and_0_is_at_once() {
        let now = Timestamp(1_700_000_000_500_000);
        for (seconds, due) in [
            (0, now),
            // Passed.
            (1_573_724_611, now),
            (1_700_000_000, now),
            (1_700_000_001, Timestamp(1_700_000_001_000_000)),
        ] {
            let wish = delivery_at(seconds).unwrap();
            assert_eq!((delivery_at_seconds(wish), due_at(wish, now)), (seconds, due));
        }
        assert!(delivery_at(LAST).is_ok());
        for seconds in [-1, i64::MIN, LAST + 1, i64::MAX] {
            assert_eq!(delivery_at(seconds), Err(Problem::OutOfRange { min: 0, max: LAST }));
        }
    }

    #[test]
    fn what_is_planned_lies_ahead() {
        let [before, now, after] = [1, 2, 3].map(Timestamp);
        assert_eq!(scheduled_at(after, None, now), Ok(after));
        assert!(scheduled_at(now, None, now).is_err());
        assert!(scheduled_at(before, Some(now), now).is_err());
        assert_eq!(scheduled_at(before, Some(before), now), Ok(before));
    }
}
