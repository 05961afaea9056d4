//! What is sent to webhooks: how fast, and what that means for others. All of it on a store of its own, with endpoints
//! on this machine.

mod sink;
mod told;
mod world;

use std::time::Duration;

use tokio::time::{sleep, sleep_until};

use self::told::{Drained, Latency, MORE};
use self::world::{Bench, ENDPOINTS, PATIENCE, start};
use super::BenchArgs;
use super::client::Connection;
use super::load::next;
use super::report::{thousands, verdict};
use super::server::{self, Place, Server};
use super::told::Told;
use super::world::{ADMIN, PASSWORD};
use crate::clock::now;

/// A row of webhooks, or several that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum WebhookRow {
    /// A journal that is there already is sent to one endpoint, and another to a hundred.
    #[value(name = "webhook-deliveries")]
    Deliveries,
    /// Durable updates without webhooks and with a hundred, all of which are told.
    #[value(name = "webhook-writes")]
    Writes,
    /// What 99 endpoints get while another never answers, and without that one.
    #[value(name = "webhook-silent")]
    Silent,
    /// A great backlog is sent to a hundred endpoints: how much memory that takes.
    #[value(name = "webhook-backlog")]
    Backlog,
}

impl WebhookRow {
    pub(super) const ALL: [Self; 4] = [Self::Deliveries, Self::Writes, Self::Silent, Self::Backlog];
}

/// Deliveries of a round, to however many endpoints.
const DELIVERIES: usize = 30_000;
/// Deliveries a second, at least.
const LEVEL: f64 = 1500.0;
/// From one write to the next in the mean, where they are not sent as fast as they can be: with a hundred endpoints, as
/// many deliveries a second as [`LEVEL`] demands.
const PACE: Duration = Duration::from_micros(66_667);
/// For so many durations, since there are few of them.
const PACED: u32 = 4;
/// Events of a round of which it is measured when they arrive.
const EVENTS: usize = 50;
/// Mebibytes by which the second half of a backlog may take more than the first.
const FLAT: u64 = 8;

/// Measures what is wanted.
pub(super) fn measure(place: &Place, wanted: &[WebhookRow], args: &BenchArgs) -> anyhow::Result<Vec<Told>> {
    eprintln!("measuring webhooks");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let top = server::create_tenant(place, ADMIN, PASSWORD)?.top;
    runtime.block_on(async {
        let mut bench = Bench::prepare(place, top, args).await?;
        let mut told = Vec::new();
        for row in wanted {
            told.extend(match row {
                WebhookRow::Deliveries => bench.deliveries().await?,
                WebhookRow::Writes => bench.writes().await?,
                WebhookRow::Silent => bench.silent().await?,
                WebhookRow::Backlog => bench.backlog(usize::try_from(args.backlog)?).await?,
            });
        }
        Ok(told)
    })
}

impl Bench<'_> {
    async fn deliveries(&mut self) -> anyhow::Result<Vec<Told>> {
        let all = self.hooks.clone();
        let counts = [1, ENDPOINTS];
        let mut found = [Vec::new(), Vec::new()];
        for round in 1..=self.args.rounds {
            for (count, found) in counts.into_iter().zip(&mut found) {
                let drained = self.drain(&all[..count], count, DELIVERIES / count).await?;
                eprintln!("round {round}: {count} endpoints: {:.0} deliveries/s", drained.per_second);
                found.push(drained);
            }
        }
        Ok(counts
            .into_iter()
            .zip(found)
            .map(|(count, found)| {
                let told = Told::drained(format!("the journal to {count} of as many endpoints"), &found);
                let is_met = told.per_second.is_some_and(|rate| rate >= LEVEL);
                Told { level: format!("≥ {} deliveries/s: {}", thousands(&LEVEL), verdict(is_met)), ..told }
            })
            .collect())
    }

    /// Sends updates one after the other, at random times with this mean between them: some come while what was written
    /// before is being sent.
    async fn update(&mut self, server: &Server, pace: Duration) -> anyhow::Result<Latency> {
        let mut connection = Connection::open(server.address).await?;
        let (mut request, mut nanos) = (Vec::new(), Vec::new());
        let duration = if pace.is_zero() { self.args.duration } else { self.args.duration * PACED };
        let begin = now() + self.args.duration / 10;
        let mut random = 1;
        let mut due = now();
        while due < begin + duration {
            if !pace.is_zero() {
                sleep_until(due.into()).await;
            }
            self.render(&mut request);
            let sent = now();
            connection.call(&request).await?;
            if sent >= begin {
                nanos.push(u64::try_from(sent.elapsed().as_nanos())?);
            }
            let pause = 2 * u64::try_from(pace.as_micros())? * (next(&mut random) % 1024) / 1024;
            due = (due + Duration::from_micros(pause)).max(now());
        }
        Latency::of(nanos, duration)
    }

    async fn writes(&mut self) -> anyhow::Result<Vec<Told>> {
        let all = self.hooks.clone();
        let mut found = [(); 4].map(|()| Vec::new());
        let mut server = start(self.place, true)?;
        for round in 1..=self.args.rounds {
            for (hooks, paces) in [(&[][..], [0, 1]), (&all[..], [2, 3])] {
                self.activate(&server, hooks).await?;
                // What was on its way ends.
                sleep(Duration::from_secs(1)).await;
                for (pace, at) in [PACE, Duration::ZERO].into_iter().zip(paces) {
                    let latency = self.update(&server, pace).await?;
                    eprintln!(
                        "round {round}: {} webhooks, {:.0} writes/s: {:.3} ms",
                        hooks.len(),
                        latency.per_second,
                        latency.p50
                    );
                    found[at].push(latency);
                }
            }
        }
        self.activate(&server, &[]).await?;
        server.stop()?;
        let [paced, fast, paced_told, fast_told] = &found;
        let told = |what: &str, found: &[Latency], base: Option<&[Latency]>| {
            let title = format!("durable update, `PUT /v3/groups/{{id}}`, {what}");
            Told::latency(title, found, base, "without")
        };
        Ok(vec![
            told("15 a second, no webhook", paced, None),
            told("15 a second, 100 webhooks", paced_told, Some(paced)),
            told("one after the other, no webhook", fast, None),
            told("one after the other, 100 webhooks", fast_told, Some(fast)),
        ])
    }

    /// From the moment that a write is sent to the arrival of each of its deliveries.
    async fn arrivals(&mut self, server: &Server, hooks: usize) -> anyhow::Result<Latency> {
        let mut connection = Connection::open(server.address).await?;
        let (mut request, mut nanos) = (Vec::new(), Vec::new());
        let begin = now();
        for _ in 0..EVENTS {
            self.sinks.reset(true);
            self.render(&mut request);
            let sent = now();
            connection.call(&request).await?;
            self.sinks.wait_for(u64::try_from(hooks)?, PATIENCE).await?;
            let times = self.sinks.times().into_iter().map(|at| u64::try_from((at - sent).as_nanos()));
            nanos.extend(times.collect::<Result<Vec<_>, _>>()?);
            sleep(PACE).await;
        }
        Latency::of(nanos, begin.elapsed())
    }

    async fn silent(&mut self) -> anyhow::Result<Vec<Told>> {
        let others = self.hooks[1..].to_vec();
        let mut beside = others.clone();
        beside.push(self.silent);
        let mut found = [(); 2].map(|()| (Vec::new(), Vec::new()));
        for round in 1..=self.args.rounds {
            for (hooks, found) in [&others, &beside].into_iter().zip(&mut found) {
                let drained = self.drain(hooks, others.len(), DELIVERIES / ENDPOINTS).await?;
                let mut server = start(self.place, false)?;
                // Else the silent one would be known to be down.
                self.activate(&server, &[]).await?;
                self.activate(&server, hooks).await?;
                server.stop()?;
                let mut server = start(self.place, true)?;
                let latency = self.arrivals(&server, others.len()).await?;
                server.stop()?;
                eprintln!(
                    "round {round}: {} endpoints: {:.0} deliveries/s, {:.3} ms",
                    hooks.len(),
                    drained.per_second,
                    latency.p50
                );
                found.0.push(drained);
                found.1.push(latency);
            }
        }
        let [without, with] = &found;
        let told = |what: &str, of: &(Vec<Drained>, Vec<Latency>)| {
            let title = format!("an event to 99 endpoints{what}: from its write to each arrival");
            let latency = Told::latency(title, &of.1, Some(&without.1), "without");
            let rate = Told::drained(format!("the journal to 99 endpoints{what}"), &of.0);
            [rate, Told { per_second: None, ..latency }]
        };
        let [rate, mut latency] = told("", without);
        latency.level.clear();
        let [mut rate_beside, latency_beside] = told(" beside one that never answers", with);
        if let (Some(with), Some(without)) = (rate_beside.per_second, rate.per_second) {
            let change = with / without - 1.0;
            let text = format!("within {:.0} % of without ({:+.0} %)", MORE * 100.0, change * 100.0);
            rate_beside.level = format!("{text}: {}", verdict(change >= -MORE));
        }
        Ok(vec![rate, rate_beside, latency, latency_beside])
    }

    async fn backlog(&mut self, count: usize) -> anyhow::Result<Vec<Told>> {
        let all = self.hooks.clone();
        let drained = [self.drain(&all, all.len(), count / all.len()).await?];
        let told = Told::drained(format!("a backlog of {}, to 100 endpoints", thousands(&count)), &drained);
        let more = drained[0].more / 1024;
        let level =
            format!("second half at most {FLAT} MiB above the first ({more}): {}", verdict(more <= FLAT));
        Ok(vec![Told { memory: Some(drained[0].memory), level, ..told }])
    }
}
