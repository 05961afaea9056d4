//! A message centre by others (`tests/smsc/smsc.js`), as a process of its own; also for the tests of the server.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../carrier/tests/smsc/smsc.js");
/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(20);

/// It ends with the test.
pub(crate) struct Smsc {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) port: u16,
}

impl Smsc {
    pub(crate) async fn start() -> Self {
        Self::start_at(0).await
    }

    /// Listens on this port, or on a free one if it is 0.
    pub(crate) async fn start_at(port: u16) -> Self {
        let folder = std::env::var("MUSTER_TEST_SMSC")
            .expect("run the tests with crates/carrier/tests/smsc.sh, which brings a message centre");
        let mut child = Command::new("node")
            .arg(SCRIPT)
            .arg(port.to_string())
            .env("NODE_PATH", format!("{folder}/node_modules"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(LIMIT, lines.next_line()).await.unwrap().unwrap().expect("it does not listen");
        let port = line.strip_prefix("listening ").unwrap().parse().unwrap();
        Self { child, stdin, lines, port }
    }

    /// Kills it, as a machine that fails does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Tells it what to do.
    pub(crate) async fn tell(&mut self, what: Value) {
        self.stdin.write_all(format!("{what}\n").as_bytes()).await.unwrap();
    }

    pub(crate) async fn set(&mut self, mut what: Value) {
        what["do"] = "set".into();
        self.tell(what).await;
        // What is done in order is done when the answer comes.
        self.stats().await;
    }

    /// The next event of this name; others are passed over.
    pub(crate) async fn next(&mut self, name: &str) -> Value {
        let found = timeout(LIMIT, async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the message centre has ended");
                let event: Value = serde_json::from_str(&line).unwrap();
                if event["event"] == name {
                    return event;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("there is no {name}"))
    }

    pub(crate) async fn stats(&mut self) -> Value {
        self.tell(json!({"do": "stats"})).await;
        self.next("stats").await
    }
}
