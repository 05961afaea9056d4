//! The load: connections that each send the next request when the last one is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use super::client::Connection;
use super::server;
use super::template::{Numbers, Template};
use crate::clock::now;

/// What the load is sent to.
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// The server, whose CPU time is looked at.
    pub(super) process: u32,
    /// The ids of the org units; a unit's place is its number.
    pub(super) units: Arc<[u64]>,
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) per_second: f64,
    /// Milliseconds that half of the requests took at most, and 99 of 100.
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// Microseconds of CPU time, of all the server's threads and the kernel's work for them.
    pub(super) server_cpu: f64,
    /// The most memory that the server had of its own, in KiB.
    pub(super) memory: u64,
}

/// How often the server's memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// When answers count.
#[derive(Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

/// Numbers that no two requests of a run share.
static COUNTER: AtomicU64 = AtomicU64::new(1);

/// Loads the server with as many connections for `duration`, after a warm-up of a tenth of it. Errors:
/// the first answer that is not 2xx.
pub(super) async fn measure(
    target: &Target,
    templates: &Arc<[Template]>,
    connections: u32,
    duration: Duration,
) -> anyhow::Result<Sample> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(target.address).await?);
    }
    let begin = now() + duration / 10;
    let window = Window { begin, end: begin + duration };
    let mut workers = JoinSet::new();
    for (seed, connection) in (1..).zip(open) {
        let worker = worker(connection, Arc::clone(templates), Arc::clone(&target.units), seed, window);
        workers.spawn(worker);
    }
    tokio::time::sleep_until(window.begin.into()).await;
    let cpu_before = server::cpu_time(target.process)?;
    let mut memory = 0;
    while now() < window.end {
        memory = memory.max(server::memory(target.process)?.anonymous);
        tokio::time::sleep_until((now() + LOOK).min(window.end).into()).await;
    }
    let cpu = server::cpu_time(target.process)?.saturating_sub(cpu_before);

    let mut nanos = Vec::new();
    while let Some(done) = workers.join_next().await {
        nanos.append(&mut done??);
    }
    ensure!(!nanos.is_empty(), "not one request was answered in time");
    nanos.sort_unstable();
    let requests = f64::from(u32::try_from(nanos.len()).context("more requests than can be counted")?);
    Ok(Sample {
        per_second: requests / duration.as_secs_f64(),
        p50: f64::from(percentile(&nanos, 50)) / 1e6,
        p99: f64::from(percentile(&nanos, 99)) / 1e6,
        server_cpu: cpu.as_secs_f64() * 1e6 / requests,
        memory,
    })
}

/// Sends requests until the window is over, and returns how many nanoseconds each took whose answer
/// came within it.
async fn worker(
    mut connection: Connection,
    templates: Arc<[Template]>,
    units: Arc<[u64]>,
    seed: u64,
    window: Window,
) -> anyhow::Result<Vec<u32>> {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut request = Vec::with_capacity(1024);
    let mut nanos = Vec::with_capacity(1 << 16);
    let mut sent = now();
    while sent < window.end {
        let number = next(&mut random) % u64::try_from(units.len())?;
        let id = units[usize::try_from(number)?];
        let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
        let turn = usize::try_from(counter)? % templates.len();
        templates[turn].render(Numbers { id, number, counter }, &mut request);
        connection.call(&request).await?;
        // The next request leaves when this one is answered, so one look at the clock serves both.
        let answered = now();
        if window.begin <= answered && answered < window.end {
            nanos.push(u32::try_from((answered - sent).as_nanos()).unwrap_or(u32::MAX));
        }
        sent = answered;
    }
    Ok(nanos)
}

/// The next of a sequence that looks random (xorshift64, Marsaglia 2003).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// The least value that `percent` of the sorted values do not exceed.
fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), 50);
        assert_eq!(percentile(&hundred, 99), 99);
        assert_eq!(percentile(&[7], 50), 7);
        assert_eq!(percentile(&[1, 2, 3], 99), 3);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn the_random_sequence_visits_many_units() {
        let mut state = 1;
        let seen: std::collections::HashSet<u64> = (0..10_000).map(|_| next(&mut state) % 1000).collect();
        assert!(seen.len() > 990);
    }
}
