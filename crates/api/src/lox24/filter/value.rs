//! What stands in filters.

use muster_domain::message::{BulkStatus, Country, Test};
use muster_domain::{Kind, Problem, text};
use uuid::Uuid;

use super::Takes;

/// The greatest number either way, so that a pattern can say what is taken.
pub(super) const MOST: i64 = 999_999_999_999_999_999;
/// All numbers that a store keeps.
const ALL: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
/// What numbers of a time are: microseconds.
const SECOND: i128 = 1_000_000;

pub(super) const BOOLEANS: [&str; 4] = ["true", "false", "1", "0"];
pub(super) const DIRECTIONS: [&str; 2] = ["asc", "desc"];
pub(super) const BOUNDS: [&str; 5] = ["lt", "gt", "lte", "gte", "between"];
/// A UUID in its one form with hyphens.
pub(super) const UUIDS: &str =
    "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

impl Takes {
    /// That a field is this value: one of these holds. Errors: of the value.
    pub(super) fn tests<F: Copy>(self, field: F, raw: &str) -> Result<Vec<Test<F>>, Problem> {
        if self == Self::BulkStatus {
            let known = BulkStatus::with_code(number(raw)?);
            return Ok(known.map(|status| Test::Text(field, status.as_str().to_owned())).collect());
        }
        self.test(field, raw).map(|test| vec![test])
    }

    fn test<F: Copy>(self, field: F, raw: &str) -> Result<Test<F>, Problem> {
        Ok(match self {
            Self::Boolean => Test::is(field, boolean(raw)?.into()),
            Self::Integer | Self::Integers | Self::Times | Self::BulkStatus => {
                let (least, most) = self.stored(number(raw)?);
                within(field, least, most)
            }
            Self::Uuid => Test::Id(field, uuid(raw).ok_or(Problem::Format("must be a UUID"))?),
            Self::Country => Test::Text(field, Country::read(raw)?.to_string()),
            Self::Text(max) => Test::Text(field, some(raw, max)?),
            Self::Part(max) => Test::Contains(field, some(raw, max)?),
        })
    }

    /// That a field is on this side of a number, or between two. `None` where there is no such bound; errors: of the
    /// numbers.
    pub(super) fn bound<F: Copy>(self, field: F, bound: &str, raw: &str) -> Option<Result<Test<F>, Problem>> {
        if !matches!(self, Self::Integers | Self::Times) {
            return None;
        }
        let one = |side: fn((i128, i128)) -> (i128, i128)| {
            number(raw)
                .map(|number| side(self.stored(number)))
                .map(|(least, most)| within(field, least, most))
        };
        Some(match bound {
            "lt" => one(|(least, _)| (ALL.0, least - 1)),
            "lte" => one(|(_, most)| (ALL.0, most)),
            "gt" => one(|(_, most)| (most + 1, ALL.1)),
            "gte" => one(|(least, _)| (least, ALL.1)),
            "between" => {
                between(raw).map(|[low, high]| within(field, self.stored(low).0, self.stored(high).1))
            }
            _ => return None,
        })
    }

    /// The first and the last number that is kept of what is shown as this one.
    fn stored(self, shown: i64) -> (i128, i128) {
        let shown = i128::from(shown);
        match self {
            Self::Times => (shown * SECOND, shown * SECOND + SECOND - 1),
            _ => (shown, shown),
        }
    }
}

/// From one number to another one, of which a store may know neither.
fn within<F>(field: F, least: i128, most: i128) -> Test<F> {
    let clamped =
        |number: i128| i64::try_from(number.clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or_default();
    if least > most || least > i64::MAX.into() || most < i64::MIN.into() {
        // No number at all.
        return Test::Number(field, i64::MAX, i64::MIN);
    }
    Test::Number(field, clamped(least), clamped(most))
}

fn between(raw: &str) -> Result<[i64; 2], Problem> {
    const REFUSED: Problem = Problem::Format("must be two integers with two dots between, such as 1..5");
    let (low, high) = raw.split_once("..").ok_or(REFUSED)?;
    Ok([number(low).map_err(|_| REFUSED)?, number(high).map_err(|_| REFUSED)?])
}

/// Whether an order goes downwards.
pub(super) fn direction(raw: &str) -> Result<bool, Problem> {
    match raw {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(Problem::NotOneOf(&DIRECTIONS)),
    }
}

pub(super) fn boolean(raw: &str) -> Result<bool, Problem> {
    match raw {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Problem::NotOneOf(&BOOLEANS)),
    }
}

fn number(raw: &str) -> Result<i64, Problem> {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::WrongType(Kind::Integer));
    }
    let number = raw.parse().ok().filter(|number| (-MOST..=MOST).contains(number));
    number.ok_or(Problem::OutOfRange { min: -MOST, max: MOST })
}

fn uuid(raw: &str) -> Option<Uuid> {
    raw.parse().ok().filter(|_| raw.len() == uuid::fmt::Hyphenated::LENGTH)
}

/// A text that is one: nothing is in every text.
fn some(raw: &str, max: usize) -> Result<String, Problem> {
    if raw.is_empty() { Err(Problem::Blank) } else { text::limited(raw, max) }
}
