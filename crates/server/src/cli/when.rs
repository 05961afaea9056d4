//! Points in time as people type them.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use muster_domain::Timestamp;

/// A point in time: RFC 3339, a date (midnight UTC), or so long from now (`90d`, `12h`, `30m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    Away(Duration),
}

impl When {
    /// For clap.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::At(Timestamp(time.as_microsecond())));
        }
        if let Ok(midnight) = text.parse::<Date>().and_then(|date| date.to_zoned(TimeZone::UTC)) {
            return Ok(Self::At(Timestamp(midnight.timestamp().as_microsecond())));
        }
        away(text).map(Self::Away).ok_or_else(|| {
            "must be a time such as 2027-01-31T12:00:00Z, a date, or so long from now: 90d, 12h, 30m"
                .to_owned()
        })
    }

    pub(super) fn after(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Away(duration) => now.plus(duration),
        }
    }

    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Away(duration) => now.minus(duration),
        }
    }
}

fn away(text: &str) -> Option<Duration> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return None,
    };
    let number: u64 = text.get(..text.len() - 1)?.parse().ok()?;
    number.checked_mul(unit).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_three_forms() {
        let at = |text: &str| When::parse(text).map(|when| when.after(Timestamp(1_000_000)).0);
        assert_eq!(at("1970-01-02T00:00:00+01:00"), Ok(82_800_000_000));
        assert_eq!(at("1970-01-02"), Ok(86_400_000_000));
        assert_eq!(at("2m"), Ok(121_000_000));
        assert_eq!(When::parse("1d").map(|when| when.before(Timestamp(0)).0), Ok(-86_400_000_000));
        for wrong in
            ["", "d", "5", "-1d", "tomorrow", "1970-13-01", "99999999999999999999d", "18446744073709551615d"]
        {
            assert!(When::parse(wrong).is_err(), "{wrong}");
        }
    }
}
