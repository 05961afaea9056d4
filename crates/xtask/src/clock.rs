//! The clock of the measurements.

use std::time::Instant;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "a measurement is of the real time; there is none to pass in")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
