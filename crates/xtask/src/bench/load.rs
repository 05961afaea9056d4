//! The load: connections that each send the next request when the last one is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout_at};

use super::client::{Answer, Connection};
use super::template::{Numbers, Template};
use super::{scim, server};
use crate::clock::now;

/// What the load is sent to.
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// The server, whose CPU time is looked at.
    pub(super) process: u32,
}

/// What is sent, and what must come back.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// The requests, sent in turns: by each connection all of them, unless they alternate.
    pub(super) templates: Arc<[Template]>,
    /// What `{id}` can stand for; its place is the `{number}`.
    pub(super) ids: Arc<[u64]>,
    pub(super) proof: Proof,
    /// Whether a request can take longer than a measurement: then each counts that was sent in time, whenever it is
    /// answered, and there is no warm-up.
    pub(super) is_long: bool,
    /// Whether the second half of the requests takes back what the first one does. Then each connection has its share
    /// of either, and the second half is sent once before the measurement, so that every request changes something.
    /// Such requests have no gaps.
    pub(super) alternates: bool,
}

impl Load {
    /// The requests that one of the connections sends, again and again: not the same at once as others, if possible.
    fn turns(&self, connection: usize, connections: usize) -> Vec<usize> {
        let count = self.templates.len();
        if self.alternates {
            let half = count / 2;
            let own = half * connection / connections..half * (connection + 1) / connections;
            own.clone().chain(own.map(|at| half + at)).collect()
        } else {
            let first = count * connection / connections;
            (first..count).chain(0..first).collect()
        }
    }

    /// Takes back whatever a former measurement has left.
    async fn take_back(&self, connection: &mut Connection) -> anyhow::Result<()> {
        let mut request = Vec::new();
        for template in self.templates.iter().skip(self.templates.len() / 2) {
            template.render(Numbers { id: 0, number: 0, counter: 0 }, &mut request);
            connection.call(&request).await?;
        }
        Ok(())
    }
}

/// What an answer has to show, beside its status.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proof {
    Nothing,
    /// So many entries of a batch were created.
    Created(usize),
    /// A list of SCIM says that so many are selected.
    Total(u64),
    /// The answer is sent in chunks and has so many lines.
    Lines(u64),
}

impl Proof {
    fn check(self, answer: &Answer<'_>) -> anyhow::Result<()> {
        const CREATED: &[u8] = b"{\"status\":201,";
        match self {
            Self::Nothing => {}
            Self::Created(wanted) => {
                let created = answer.body.windows(CREATED.len()).filter(|window| *window == CREATED).count();
                ensure!(created == wanted, "{created} entries were created instead of {wanted}");
            }
            Self::Total(wanted) => {
                let total = scim::total(answer.body);
                ensure!(total == Some(wanted), "{total:?} are selected instead of {wanted}");
            }
            Self::Lines(wanted) => {
                ensure!(answer.lines == wanted, "{} lines came instead of {wanted}", answer.lines);
            }
        }
        Ok(())
    }
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
    /// What that is more than before the measurement.
    pub(super) more_memory: u64,
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
/// the first answer that is not 2xx, or that does not prove what it has to.
pub(super) async fn measure(
    target: &Target,
    load: &Load,
    connections: u32,
    duration: Duration,
) -> anyhow::Result<Sample> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(target.address).await?);
    }
    if let (true, Some(connection)) = (load.alternates, open.first_mut()) {
        load.take_back(connection).await?;
    }
    let memory_before = server::memory(target.process)?.anonymous;
    let begin = if load.is_long { now() } else { now() + duration / 10 };
    let window = Window { begin, end: begin + duration };
    let mut workers = JoinSet::new();
    let count = open.len();
    for (number, connection) in open.into_iter().enumerate() {
        let turns = load.turns(number, count);
        workers.spawn(worker(connection, load.clone(), turns, number, window));
    }
    sleep_until(window.begin.into()).await;
    let cpu_before = server::cpu_time(target.process)?;
    let mut memory = 0;
    let mut nanos = Vec::new();
    // The workers end a little after the window; those with long requests as late as they like.
    while now() < window.end || (load.is_long && !workers.is_empty()) {
        memory = memory.max(server::memory(target.process)?.anonymous);
        let look = now() + LOOK;
        let look = if load.is_long { look } else { look.min(window.end) };
        if let Ok(Some(done)) = timeout_at(look.into(), workers.join_next()).await {
            nanos.append(&mut done??);
        }
    }
    let elapsed = if load.is_long { window.begin.elapsed() } else { duration };
    let cpu = server::cpu_time(target.process)?.saturating_sub(cpu_before);

    while let Some(done) = workers.join_next().await {
        nanos.append(&mut done??);
    }
    ensure!(!nanos.is_empty(), "not one request was answered in time");
    nanos.sort_unstable();
    let requests = f64::from(u32::try_from(nanos.len()).context("more requests than can be counted")?);
    Ok(Sample {
        per_second: requests / elapsed.as_secs_f64(),
        p50: millis(percentile(&nanos, 50)),
        p99: millis(percentile(&nanos, 99)),
        server_cpu: cpu.as_secs_f64() * 1e6 / requests,
        memory,
        more_memory: memory.saturating_sub(memory_before),
    })
}

/// Sends requests until the window is over, and returns how many nanoseconds each took whose answer
/// came within it.
async fn worker(
    mut connection: Connection,
    load: Load,
    turns: Vec<usize>,
    number: usize,
    window: Window,
) -> anyhow::Result<Vec<u64>> {
    let mut random = (u64::try_from(number)? + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut turns = turns.into_iter().cycle();
    let mut request = Vec::with_capacity(1024);
    let mut nanos = Vec::with_capacity(1 << 16);
    let mut sent = now();
    while sent < window.end {
        let number = next(&mut random) % u64::try_from(load.ids.len())?;
        let id = load.ids[usize::try_from(number)?];
        let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
        let turn = turns.next().context("there are fewer requests than connections")?;
        load.templates[turn].render(Numbers { id, number, counter }, &mut request);
        let answer = connection.call(&request).await?;
        // The next request leaves when this one is answered, so one look at the clock serves both.
        let answered = now();
        load.proof.check(&answer)?;
        if window.begin <= answered && (answered < window.end || load.is_long) {
            nanos.push(u64::try_from((answered - sent).as_nanos())?);
        }
        sent = answered;
    }
    Ok(nanos)
}

pub(super) fn millis(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64() * 1e3
}

/// The next of a sequence that looks random (xorshift64, Marsaglia 2003).
pub(super) fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// The least value that `percent` of the sorted values do not exceed.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::caller::Caller;
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred: Vec<u64> = (1..=100).collect();
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

    #[test]
    fn what_alternates_is_of_one_connection() {
        let template = |_| Template::get("/", &Caller::Nobody);
        let all = Load {
            templates: (0..10).map(template).collect(),
            ids: [1].into(),
            proof: Proof::Nothing,
            is_long: false,
            alternates: false,
        };
        assert_eq!(all.turns(0, 2), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(all.turns(1, 2), [5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
        let halves = Load { alternates: true, ..all };
        assert_eq!(halves.turns(0, 1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(halves.turns(0, 2), [0, 1, 5, 6]);
        assert_eq!(halves.turns(1, 2), [2, 3, 4, 7, 8, 9]);
    }

    #[test]
    fn a_batch_with_a_bad_entry_proves_nothing() {
        let good = br#"[{"status":201,"body":{"id":"1"}},{"status":201,"body":{"id":"2"}}]"#;
        let bad = br#"[{"status":201,"body":{"id":"1"}},{"status":422,"body":{"title":"no"}}]"#;
        let answer = |body| Answer { body, lines: 3 };
        Proof::Created(2).check(&answer(good)).unwrap();
        assert!(Proof::Created(2).check(&answer(bad)).is_err());
        Proof::Lines(3).check(&answer(b"")).unwrap();
        assert!(Proof::Lines(4).check(&answer(b"")).is_err());
    }
}
