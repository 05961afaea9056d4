//! When a delivery that failed is tried again (Convirza platform contract, section 1).

use std::time::Duration;

use super::WebhookFormat;
use crate::Timestamp;

/// From one attempt to the next.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(10),
];

/// Attempts in the format of LOX24 (LOX24 messaging contract, section 5).
const LOX24_ATTEMPTS: usize = 4;

/// A webhook for which nothing but failures came for so long becomes inactive.
pub const DISABLED_AFTER: Duration = Duration::from_hours(5 * 24);

/// How long an endpoint may ask to be left alone.
pub const MOST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// While an endpoint fails, no two attempts are so far apart.
pub(super) const QUIET: Duration = Duration::from_hours(36);

/// How often a delivery is tried at most.
pub const fn attempts(format: WebhookFormat) -> usize {
    match format {
        WebhookFormat::Standard => PAUSES.len() + 1,
        WebhookFormat::Lox24 => LOX24_ATTEMPTS,
    }
}

/// When a delivery is tried again that has failed for the `made`th time, or `None` when it is given up. A pause is
/// longer by up to a tenth, as `jitter` says, so that what failed together does not come back together; and not
/// shorter than the endpoint asked for.
pub fn next_attempt(
    format: WebhookFormat,
    made: usize,
    now: Timestamp,
    jitter: u8,
    retry_after: Option<Duration>,
) -> Option<Timestamp> {
    if made >= attempts(format) {
        return None;
    }
    let pause = *PAUSES.get(made.checked_sub(1)?)?;
    let pause = pause + pause * u32::from(jitter) / (10 * u32::from(u8::MAX));
    Some(now.plus(pause.max(retry_after.unwrap_or_default().min(MOST_RETRY_AFTER))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(format: WebhookFormat, made: usize, jitter: u8, retry_after: Option<u64>) -> Option<i64> {
        let next = next_attempt(format, made, Timestamp(0), jitter, retry_after.map(Duration::from_secs));
        next.map(|at| at.0 / 1_000_000)
    }

    #[test]
    fn pauses_are_those_of_the_contract() {
        let standard = (1..=8).map(|made| pause(WebhookFormat::Standard, made, 0, None));
        let hours = |hours: i64| Some(hours * 3600);
        let wanted = [Some(5), Some(300), Some(1800), hours(2), hours(5), hours(10), hours(10), None];
        assert!(standard.eq(wanted));
        let lox24 = (1..=4).map(|made| pause(WebhookFormat::Lox24, made, 0, None));
        assert!(lox24.eq([Some(5), Some(300), Some(1800), None]));
    }

    #[test]
    fn a_pause_is_lengthened_and_never_shortened() {
        assert_eq!(pause(WebhookFormat::Standard, 2, u8::MAX, None), Some(330));
        assert_eq!(pause(WebhookFormat::Standard, 1, 0, Some(60)), Some(60));
        assert_eq!(pause(WebhookFormat::Standard, 2, 0, Some(60)), Some(300));
        assert_eq!(pause(WebhookFormat::Standard, 1, 0, Some(u64::MAX)), Some(24 * 3600));
        assert_eq!(pause(WebhookFormat::Standard, 8, 0, Some(60)), None);
    }
}
