//! A message centre by others, that of the tests of carriers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::super::server;

/// What it takes to have one.
pub(super) const NEEDS: &str =
    "run the bench with crates/carrier/tests/smsc.sh, which brings a message centre (MUSTER_TEST_SMSC)";
/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A process of its own, which ends when this is dropped.
pub(super) struct Smsc {
    child: Child,
    stdin: ChildStdin,
    stats: Receiver<Value>,
    pub(super) port: u16,
}

impl Smsc {
    /// `None` where none is installed.
    pub(super) fn start() -> anyhow::Result<Option<Self>> {
        let Some(folder) = std::env::var_os("MUSTER_TEST_SMSC") else { return Ok(None) };
        let modules = std::path::Path::new(&folder).join("node_modules");
        let mut child = Command::new("node")
            .arg(crate::root()?.join("crates/carrier/tests/smsc/smsc.js"))
            .env("NODE_PATH", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run node")?;
        let stdin = child.stdin.take().context("the message centre takes nothing")?;
        let mut lines =
            BufReader::new(child.stdout.take().context("the message centre says nothing")?).lines();
        let line = lines.next().context("the message centre does not listen")??;
        let port = line.strip_prefix("listening ").context("the message centre says no port")?.parse()?;
        // It says more than is wanted here, and would wait for who does not read that.
        let (sender, stats) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let said = serde_json::from_str::<Value>(&line).unwrap_or_default();
                if said["event"] == "stats" && sender.send(said).is_err() {
                    return;
                }
            }
        });
        let mut smsc = Self { child, stdin, stats, port };
        smsc.tell(&json!({ "do": "set", "quiet": true, "receipts": "text" }))?;
        Ok(Some(smsc))
    }

    fn tell(&mut self, what: &Value) -> anyhow::Result<()> {
        writeln!(self.stdin, "{what}").context("the message centre has ended")
    }

    /// How many submissions it has accepted.
    pub(super) fn accepted(&mut self) -> anyhow::Result<u64> {
        self.tell(&json!({ "do": "stats" }))?;
        let stats = self.stats.recv_timeout(LIMIT).context("the message centre does not answer")?;
        stats["accepted"].as_u64().context("the message centre does not count")
    }

    /// The CPU time that it has used.
    pub(super) fn cpu(&self) -> anyhow::Result<Duration> {
        server::cpu_time(self.child.id())
    }
}

impl Drop for Smsc {
    fn drop(&mut self) {
        // After its end there is nothing left to kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
