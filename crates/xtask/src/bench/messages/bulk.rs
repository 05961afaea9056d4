//! One bulk, from the request to its end.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::client::{self, Connection};
use super::super::server::{self, Server};
use super::super::template::{Numbers, Template};
use super::world::World;
use crate::clock::now;

/// How long a bulk may take.
const PATIENCE: Duration = Duration::from_mins(15);
/// From one look at a bulk to the next, and from one count of what was delivered to the next.
const LOOK: Duration = Duration::from_millis(10);
const COUNT: Duration = Duration::from_millis(100);
const TEXT: &str = "Hello [First name] [Last name], your parcel comes today between 10 and 12.";
/// As its status is shown: processed.
const PROCESSED: u64 = 10;

/// How far a bulk is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// All messages are made.
    Expanded,
    /// None waits to be handed over.
    Sent,
}

/// What a bulk took.
pub(super) struct Ran {
    pub(super) begun: Instant,
    pub(super) per_second: f64,
    /// Microseconds of the server for each message.
    pub(super) cpu: f64,
    /// The server's resident memory in KiB: before, the most, and after.
    pub(super) memory: [u64; 3],
}

impl World<'_> {
    /// Sends a bulk to the group and follows it; what it took, and its id. Errors: fewer messages were made, or sent, than the
    /// group has contacts.
    pub(super) async fn bulk(&self, server: &Server, until: Until) -> anyhow::Result<(Ran, String)> {
        let mut connection = Connection::open(server.address).await?;
        let wanted = u64::try_from(self.recipients)?;
        let memory = || server::memory(server.pid()).map(|memory| memory.resident);
        let cpu = server::cpu_time(server.pid())?;
        let mut found = [memory()?; 3];
        let begun = now();
        let body = json!({ "sender_id": "Muster", "text": TEXT, "msg_groups": [self.group] });
        let made =
            connection.call(&client::post("/bulks", &self.program, &body)).await.context("the bulk")?;
        let made: Value = serde_json::from_slice(made.body)?;
        let id = made["uuid"].as_str().context("the bulk has no id")?.to_owned();
        let look = request(&format!("/bulks/{id}/status"), &self.program);
        let status = loop {
            let status: Value = serde_json::from_slice(connection.call(&look).await?.body)?;
            found[1] = found[1].max(memory()?);
            let done = match until {
                Until::Expanded => status["msg_total_count"].as_u64() == Some(wanted),
                Until::Sent => status["status_code"].as_u64() == Some(PROCESSED),
            };
            if done {
                break status;
            }
            ensure!(begun.elapsed() < PATIENCE, "the bulk does not come to its end: {status}");
            sleep(LOOK).await;
        };
        let elapsed = begun.elapsed();
        found[2] = memory()?;
        found[1] = found[1].max(found[2]);
        let cpu = server::cpu_time(server.pid())?.saturating_sub(cpu);
        ensure!(status["msg_total_count"].as_u64() == Some(wanted), "not all messages were made: {status}");
        if until == Until::Sent {
            let sent = self.count(&mut connection, &id, "status_code=100").await?;
            ensure!(sent == wanted, "{sent} messages were sent, not {wanted}");
        }
        let count = f64::from(u32::try_from(wanted)?);
        let per_second = count / elapsed.as_secs_f64();
        Ok((Ran { begun, per_second, cpu: cpu.as_secs_f64() * 1e6 / count, memory: found }, id))
    }

    /// Waits until all messages of a bulk are known to be delivered; how many a second since it began.
    pub(super) async fn delivered(&self, server: &Server, bulk: &str, begun: Instant) -> anyhow::Result<f64> {
        let mut connection = Connection::open(server.address).await?;
        let wanted = u64::try_from(self.recipients)?;
        loop {
            let delivered = self.count(&mut connection, bulk, "dlr_code=1").await?;
            if delivered == wanted {
                return Ok(f64::from(u32::try_from(wanted)?) / begun.elapsed().as_secs_f64());
            }
            ensure!(begun.elapsed() < PATIENCE, "{delivered} messages were delivered, not {wanted}");
            sleep(COUNT).await;
        }
    }

    /// How many messages of a bulk a filter selects.
    async fn count(&self, connection: &mut Connection, bulk: &str, filter: &str) -> anyhow::Result<u64> {
        let answer = connection.call(&request(&format!("/sms?bulk={bulk}&{filter}"), &self.counting)).await?;
        let answer: Value = serde_json::from_slice(answer.body)?;
        answer["hydra:totalItems"].as_u64().context("a list has no total")
    }
}

fn request(path: &str, caller: &super::super::caller::Caller) -> Vec<u8> {
    let mut request = Vec::new();
    Template::get(path, caller).render(Numbers { id: 0, number: 0, counter: 0 }, &mut request);
    request
}
