//! A tenant with webhooks to endpoints on this machine.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::super::BenchArgs;
use super::super::caller::Caller;
use super::super::client::{self, Connection};
use super::super::fill::{self, Writer};
use super::super::server::{self, Place, Server};
use super::super::template::{Numbers, Template};
use super::super::world::{ADMIN, PASSWORD};
use super::sink::Sinks;
use super::told::Drained;
use crate::clock::now;

/// Endpoints; a tenant may have more webhooks.
pub(super) const ENDPOINTS: usize = 100;
const UNITS: usize = 1000;
/// Connections that write what is to be sent.
const WRITERS: usize = 32;
/// How long the next delivery may take to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// What servers are told that send to this machine.
const FLAGS: [&str; 4] = ["--webhook-allow", "127.0.0.0/8", "--webhook-http", "on"];

pub(super) struct Bench<'a> {
    pub(super) place: &'a Place,
    pub(super) args: &'a BenchArgs,
    pub(super) sinks: Sinks,
    admin: Caller,
    update: Arc<Template>,
    units: Arc<[u64]>,
    pub(super) hooks: Vec<u64>,
    /// The one that never answers.
    pub(super) silent: u64,
    active: HashSet<u64>,
    /// Writes so far: no two are the same, so that each changes something.
    written: u64,
}

impl<'a> Bench<'a> {
    pub(super) async fn prepare(place: &'a Place, top: u64, args: &'a BenchArgs) -> anyhow::Result<Self> {
        let sinks = Sinks::start(ENDPOINTS)?;
        let mut server = start(place, false)?;
        let admin = client::log_in(server.address, ADMIN, PASSWORD).await?;
        let writer = Writer { address: server.address, caller: admin.clone() };
        let units: Arc<[u64]> = fill::units(&writer, top, UNITS).await?.into();
        let mut connection = Connection::open(server.address).await?;
        let mut hooks = Vec::new();
        for (number, address) in sinks.addresses.iter().chain([&sinks.silent]).enumerate() {
            let body = json!({
                "webhook_name": format!("Endpoint {number:03}"), "webhook_url": format!("http://{address}/hook"),
                "events": ["group.*"], "status": "inactive",
            });
            let answer = connection.call(&client::post("/v3/webhooks", &admin, &body)).await?;
            let answer: Value = serde_json::from_slice(answer.body)?;
            hooks.push(answer["data"]["webhookId"].as_u64().context("the new webhook has no id")?);
        }
        let silent = hooks.pop().context("there is no silent endpoint")?;
        server.stop()?;
        let body = r#"{"org_unit_name":"Unit {number}","address":"{counter} Elm St","city":"Reno"}"#;
        let update = Arc::new(Template::write("PUT", "/v3/groups/{id}", &admin, body));
        Ok(Self {
            place,
            args,
            sinks,
            admin,
            update,
            units,
            hooks,
            silent,
            active: HashSet::new(),
            written: 0,
        })
    }

    /// Makes these webhooks the active ones. They are told of what happens from then on.
    pub(super) async fn activate(&mut self, server: &Server, wanted: &[u64]) -> anyhow::Result<()> {
        let wanted: HashSet<u64> = wanted.iter().copied().collect();
        let mut connection = Connection::open(server.address).await?;
        let mut request = Vec::new();
        for id in wanted.symmetric_difference(&self.active) {
            let status = if wanted.contains(id) { "active" } else { "inactive" };
            let body = json!({ "status": status }).to_string();
            let numbers = Numbers { id: *id, number: 0, counter: 0 };
            Template::write("PATCH", "/v3/webhooks/{id}", &self.admin, &body).render(numbers, &mut request);
            connection.call(&request).await?;
        }
        self.active = wanted;
        Ok(())
    }

    /// The next update, of the next unit.
    pub(super) fn render(&mut self, request: &mut Vec<u8>) {
        render(&self.update, &self.units, self.written, request);
        self.written += 1;
    }

    /// Writes so many updates as fast as that goes.
    async fn fill(&mut self, server: &Server, count: usize) -> anyhow::Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..WRITERS {
            let (update, units, next) =
                (Arc::clone(&self.update), Arc::clone(&self.units), Arc::clone(&next));
            let (address, first) = (server.address, self.written);
            workers.spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut request = Vec::new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return anyhow::Ok(());
                    }
                    render(&update, &units, first + u64::try_from(at)?, &mut request);
                    connection.call(&request).await?;
                }
            });
        }
        while let Some(done) = workers.join_next().await {
            done??;
        }
        self.written += u64::try_from(count)?;
        Ok(())
    }

    /// Writes while nothing is sent, and measures a server that finds the journal when it starts. `entries` are for each
    /// of the `hooks`, and come to the `answering` first of them.
    pub(super) async fn drain(
        &mut self,
        hooks: &[u64],
        answering: usize,
        entries: usize,
    ) -> anyhow::Result<Drained> {
        let mut server = start(self.place, true)?;
        self.activate(&server, hooks).await?;
        // What was being sent when they became inactive is sent now.
        self.sinks.rest().await;
        server.stop()?;
        let mut server = start(self.place, false)?;
        self.fill(&server, entries).await?;
        server.stop()?;
        self.sinks.reset(false);
        let wanted = u64::try_from(answering * entries)?;
        let begin = now();
        let mut server = start(self.place, true)?;
        let at_start = server::memory(server.pid())?.resident;
        let (mut before, mut since) = (0, now());
        let mut most = [0; 2];
        while before < wanted {
            sleep(Duration::from_millis(20)).await;
            let half = usize::from(2 * before >= wanted);
            most[half] = most[half].max(server::memory(server.pid())?.resident);
            let have = self.sinks.count();
            if have > before {
                (before, since) = (have, now());
            }
            ensure!(since.elapsed() < PATIENCE, "only {have} of {wanted} deliveries came");
        }
        let last = self.sinks.times().last().copied().context("nothing came")?;
        let cpu = server::cpu_time(server.pid())?;
        let at_end = server::memory(server.pid())?.resident;
        server.stop()?;
        ensure!(self.sinks.count() == wanted, "{} deliveries came, not {wanted}", self.sinks.count());
        let count = f64::from(u32::try_from(wanted)?);
        Ok(Drained {
            per_second: count / (last - begin).as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / count,
            memory: [at_start, most[0].max(most[1]).max(at_end), at_end],
            more: most[1].saturating_sub(most[0]),
        })
    }
}

fn render(update: &Template, units: &[u64], written: u64, request: &mut Vec<u8>) {
    let number = written % UNITS as u64;
    let id = usize::try_from(number).ok().and_then(|number| units.get(number)).copied().unwrap_or(0);
    update.render(Numbers { id, number, counter: written }, request);
}

pub(super) fn start(place: &Place, sends: bool) -> anyhow::Result<Server> {
    let webhooks = if sends { "on" } else { "off" };
    let flags: Vec<&str> = FLAGS.into_iter().chain(["--webhooks", webhooks]).collect();
    Server::start_with(place, None, &flags)
}
