//! Clients that write, and note what was acknowledged.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use serde_json::{Value, json};

/// A write that was answered: what is read at `path` has `value` in `field`, or for a counter a greater one.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    path: String,
    field: &'static str,
    value: Value,
}

/// A client with one connection to each of some servers, which it uses in turn until they end.
struct Client {
    servers: Vec<TcpStream>,
    turn: usize,
    token: String,
}

impl Client {
    fn new(addresses: &[String], token: &str) -> Self {
        let connect = |address: &String| {
            let stream = TcpStream::connect(address).ok()?;
            stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
            Some(stream)
        };
        Self { servers: addresses.iter().filter_map(connect).collect(), turn: 0, token: token.to_owned() }
    }

    /// The data of a good answer of the next server; `None` when that is gone. Another answer fails the test.
    fn call(&mut self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: muster\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.turn = (self.turn + 1) % self.servers.len().max(1);
        let data = exchange(self.servers.get_mut(self.turn)?, &request);
        if data.is_none() {
            self.servers.remove(self.turn);
        }
        data
    }
}

fn exchange(stream: &mut TcpStream, request: &str) -> Option<Value> {
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length =
                head.split("content-length: ").nth(1)?.lines().next()?.trim().parse::<usize>().ok()?;
            if body.len() >= length {
                assert!(head.starts_with("http/1.1 20"), "{request}: {text}");
                return Some(serde_json::from_str::<Value>(body).unwrap()["data"].clone());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => answer.extend_from_slice(&chunk[..read]),
        }
    }
}

/// Writers at work.
pub(crate) struct Load {
    writers: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    done: Arc<Mutex<Vec<Acknowledged>>>,
}

impl Load {
    /// Starts so many writers, whose names no other load may have.
    pub(crate) fn start(addresses: &[String], token: &str, name: &str, writers: usize) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let start = |n| {
            let client = Client::new(addresses, token);
            let (name, stop, done) = (format!("{name} writer {n}"), Arc::clone(&stop), Arc::clone(&done));
            thread::spawn(move || write(client, &name, &stop, &done))
        };
        Self { writers: (0..writers).map(start).collect(), stop, done }
    }

    /// Waits until `more` writes are acknowledged.
    pub(crate) fn wait_for(&self, more: usize) {
        let enough = self.done.lock().unwrap().len() + more;
        for _ in 0..3000 {
            if self.done.lock().unwrap().len() >= enough {
                return;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("there were too few writes in 30 s");
    }

    /// What was acknowledged until now, where writers end.
    pub(crate) fn end(self) -> Vec<Acknowledged> {
        self.stop.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.join().unwrap();
        }
        std::mem::take(&mut *self.done.lock().unwrap())
    }
}

/// Writes until the servers are gone or `stop` says so: groups, users, and a counter in a group of its own.
fn write(mut client: Client, name: &str, stop: &AtomicBool, done: &Mutex<Vec<Acknowledged>>) {
    let note = |path: String, field, value: &Value| {
        done.lock().unwrap().push(Acknowledged { path, field, value: value.clone() });
    };
    let mut mine = None;
    for n in 0_u32.. {
        if stop.load(Ordering::Relaxed) || client.servers.is_empty() {
            return;
        }
        let group = json!({"org_unit_name": format!("{name} {n}"), "zip": "0"});
        let Some(made) = client.call("POST", "/v3/groups", &group) else {
            continue;
        };
        let path = format!("/v3/groups/{}", made["orgUnitId"]);
        note(path.clone(), "org_unit_name", &group["org_unit_name"]);
        let mine: &String = mine.get_or_insert(path);
        let login = format!("{}{n}@acme.example", name.replace(' ', "-"));
        let user = json!({"username": login, "first_name": "Ann", "last_name": "Lee"});
        let Some(made) = client.call("POST", "/v3/users", &user) else {
            continue;
        };
        note(format!("/v3/users/{}", made["userId"]), "username", &json!(login));
        let counter = json!({"zip": (n + 1).to_string()});
        if client.call("PATCH", mine, &counter).is_none() {
            continue;
        }
        note(mine.clone(), "zip", &counter["zip"]);
        // The next server has it at once.
        if let Some(read) = client.call("GET", mine, &Value::Null) {
            assert_eq!(read["zip"], counter["zip"], "{name} {n}");
        }
    }
}

fn number(value: &Value) -> u32 {
    value.as_str().unwrap_or_default().parse().unwrap_or(0)
}

/// Reads everything that was acknowledged, from each server in turn.
pub(crate) fn assert_all_there(addresses: &[String], token: &str, done: &[Acknowledged]) {
    let mut client = Client::new(addresses, token);
    assert_eq!(client.servers.len(), addresses.len());
    for write in done {
        let read =
            client.call("GET", &write.path, &Value::Null).unwrap_or_else(|| panic!("{write:?} is lost"));
        let value = &read[write.field];
        if write.field == "zip" {
            assert!(number(value) >= number(&write.value), "{write:?}, but {value}");
        } else {
            assert_eq!(value, &write.value, "{write:?}");
        }
    }
}
