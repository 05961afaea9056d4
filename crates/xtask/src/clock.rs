//! The clocks of the measurements.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use muster_domain::Timestamp;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "a measurement is of the real time; there is none to pass in")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of day, which a signed request tells.
#[expect(clippy::disallowed_methods, reason = "the server looks at the real time too")]
pub(crate) fn time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
