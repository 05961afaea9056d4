//! What the rows of webhooks give.

use std::time::Duration;

use anyhow::ensure;

use super::super::load::{millis, percentile};
use super::super::report::{median, verdict};
use super::super::told::Told;

/// How much longer a write may take with webhooks than without, and what may differ beside an endpoint that is silent.
pub(super) const MORE: f64 = 0.2;

/// What was sent of a journal that was there.
pub(super) struct Drained {
    pub(super) per_second: f64,
    pub(super) cpu: f64,
    pub(super) memory: [u64; 3],
    /// The most memory in the second half is so many KiB more than in the first.
    pub(super) more: u64,
}

/// Milliseconds.
pub(super) struct Latency {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) per_second: f64,
}

impl Latency {
    pub(super) fn of(mut nanos: Vec<u64>, duration: Duration) -> anyhow::Result<Self> {
        ensure!(!nanos.is_empty(), "nothing was measured");
        nanos.sort_unstable();
        let count = f64::from(u32::try_from(nanos.len())?);
        let [p50, p99] = [50, 99].map(|percent| millis(percentile(&nanos, percent)));
        Ok(Self { p50, p99, per_second: count / duration.as_secs_f64() })
    }
}

fn median_of<T>(found: &[T], of: impl Fn(&T) -> f64) -> f64 {
    median(found.iter().map(of).collect())
}

impl Told {
    pub(super) fn drained(title: String, found: &[Drained]) -> Self {
        let per_second = Some(median_of(found, |drained| drained.per_second));
        let cpu = Some(median_of(found, |drained| drained.cpu));
        Self { title, per_second, cpu, ..Self::default() }
    }

    /// `base` is what half of them may exceed by [`MORE`] at most.
    pub(super) fn latency(title: String, found: &[Latency], base: Option<&[Latency]>, name: &str) -> Self {
        let of = |found: &[Latency]| [median_of(found, |l| l.p50), median_of(found, |l| l.p99)];
        let [p50, p99] = of(found);
        let level = base.map_or(String::new(), |base| {
            let over = [(p50, of(base)[0]), (p99, of(base)[1])].map(|(with, without)| with / without - 1.0);
            let [shown, shown_99] = over.map(|over| over * 100.0);
            let met = verdict(over[0] <= MORE);
            format!("p50 within {:.0} % of {name} ({shown:+.0} %; p99 {shown_99:+.0} %): {met}", MORE * 100.0)
        });
        let per_second = Some(median_of(found, |latency| latency.per_second));
        Self { title, per_second, p50: Some(p50), p99: Some(p99), level, ..Self::default() }
    }
}
