//! A server process in a folder of its own, and a plain HTTP client.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use crate::place::{self, Place};
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The binary, in a folder, on the store of that, without the environment of whoever runs the tests.
pub(crate) fn muster(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MUSTER_")) {
        command.env_remove(name);
    }
    command.envs(fs::read_to_string(folder.join(place::URL)).map(|url| ("MUSTER_DATABASE", url)));
    command
}

/// Runs a command that has to succeed; what it prints.
pub(crate) fn succeed(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that has to fail; all that it says.
pub(crate) fn fail(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(!output.status.success(), "{args:?}: {}", text(&output.stdout));
    text(&output.stdout) + &text(&output.stderr)
}

/// Runs a command to its end.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    muster(folder, args).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Creates a tenant whose admin has [`PASSWORD`]; the answer of `--json`.
pub(crate) fn create_tenant(folder: &Path, name: &str, email: &str) -> Value {
    let args =
        ["tenant", "create", "--name", name, "--admin-email", email, "--admin-password", PASSWORD, "--json"];
    let output = run(folder, &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Changes rows behind the back of whoever has the store open.
pub(crate) fn tamper(place: &Place, sql: &str) {
    let Some(schema) = &place.schema else {
        return Connection::open(place.path().join("muster-data/muster.db"))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    };
    schema.execute(sql);
}

/// A running server; it is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    place: Arc<Place>,
    number: u32,
}

impl Server {
    /// Starts a server on a free port in a new folder.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_in(Place::new(), args)
    }

    /// Starts a server in a folder that may hold a store already, or have other servers on its database.
    pub(crate) fn start_in(place: impl Into<Arc<Place>>, args: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (place, number) = (place.into(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let create = |name: &str| File::create(place.path().join(format!("{name}-{number}"))).unwrap();
        let mut child = muster(place.path(), &["serve", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(create("stdout"))
            .stderr(create("stderr"))
            .spawn()
            .unwrap();
        for _ in 0..500 {
            let log = fs::read_to_string(place.path().join(format!("stderr-{number}"))).unwrap();
            if let Some(address) = listening(&log) {
                return Self { child, address, place, number };
            }
            assert!(child.try_wait().unwrap().is_none(), "the server ended: {log}");
            sleep(Duration::from_millis(20));
        }
        panic!("the server did not begin to listen");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    pub(crate) fn stdout(&self) -> String {
        self.said("stdout")
    }

    pub(crate) fn log(&self) -> String {
        self.said("stderr")
    }

    fn said(&self, stream: &str) -> String {
        fs::read_to_string(self.folder().join(format!("{stream}-{}", self.number))).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits at most `patience` for the end of the process.
    pub(crate) fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let steps = patience.as_millis() / 20;
        for _ in 0..steps {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            sleep(Duration::from_millis(20));
        }
        None
    }

    /// Stops the server as an operator does, and gives its folder back.
    pub(crate) fn stop(mut self) -> Arc<Place> {
        self.signal("TERM");
        assert!(self.wait(Duration::from_secs(10)).is_some_and(|status| status.success()), "{}", self.log());
        self.place()
    }

    /// Kills the server as a power cut would, and gives its folder back.
    pub(crate) fn kill(mut self) -> Arc<Place> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.place()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a request on a connection of its own.
    pub(crate) fn send(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        self.send_with(method, path, &format!("Authorization: Bearer {token}"), body)
    }

    /// As [`Server::send`], with another header than that of an access token.
    pub(crate) fn send_with(&self, method: &str, path: &str, header: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = self.connect();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: muster\r\nConnection: close\r\n{header}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        read_answer(&mut stream)
    }

    /// An access token.
    pub(crate) fn log_in(&self, email: &str, password: &str) -> Option<String> {
        let body = serde_json::json!({"email": email, "password": password});
        let answer = self.send("POST", "/oauth/token", "", Some(&body));
        answer.body["access_token"].as_str().map(ToOwned::to_owned)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line that says so, in either format of the log.
fn listening(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("listening") && line.contains("address"))?;
    let rest = &line[line.find("127.0.0.1:")?..];
    let end = rest.find(|c: char| c != '.' && c != ':' && !c.is_ascii_digit()).unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

/// An answer, read to the end of the connection.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

pub(crate) fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let all = text(&bytes);
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {all:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    Answer { status, head: head.to_lowercase(), body }
}
