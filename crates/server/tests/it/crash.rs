//! What was acknowledged is there, whatever happens to the server, and whoever else writes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use serde_json::{Value, json};

use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, succeed};

const ROUNDS: u32 = 4;
const WRITERS: u32 = 6;

/// A write that was answered: what is read at `path` has `value` in `field`, or for a counter a greater one.
#[derive(Clone, Debug)]
struct Acknowledged {
    path: String,
    field: &'static str,
    value: Value,
}

/// A client on one connection, which ends with the server.
struct Client {
    stream: TcpStream,
    token: String,
}

impl Client {
    fn new(address: &str, token: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
        Some(Self { stream, token: token.to_owned() })
    }

    /// The data of a good answer; `None` when the server is gone. Another answer fails the test.
    fn call(&mut self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: muster\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_lowercase();
                let length =
                    head.split("content-length: ").nth(1)?.lines().next()?.trim().parse::<usize>().ok()?;
                if body.len() >= length {
                    assert!(head.starts_with("http/1.1 20"), "{method} {path}: {text}");
                    return Some(serde_json::from_str::<Value>(body).unwrap()["data"].clone());
                }
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) | Err(_) => return None,
                Ok(read) => answer.extend_from_slice(&chunk[..read]),
            }
        }
    }
}

/// Writes until the server is gone or `stop` says so: groups, users, and a counter in a group of its own.
fn writer(
    address: String,
    token: String,
    name: String,
    stop: Arc<AtomicBool>,
    done: Arc<Mutex<Vec<Acknowledged>>>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let Some(mut client) = Client::new(&address, &token) else {
            return;
        };
        let note = |path: String, field, value: &Value| {
            done.lock().unwrap().push(Acknowledged { path, field, value: value.clone() });
        };
        let mut mine = None;
        for n in 0_u32.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let group = json!({"org_unit_name": format!("{name} {n}"), "zip": "0"});
            let Some(made) = client.call("POST", "/v3/groups", &group) else {
                return;
            };
            let path = format!("/v3/groups/{}", made["orgUnitId"]);
            note(path.clone(), "org_unit_name", &group["org_unit_name"]);
            let mine: &String = mine.get_or_insert(path);
            let login = format!("{}{n}@acme.example", name.replace(' ', "-"));
            let user = json!({"username": login, "first_name": "Ann", "last_name": "Lee"});
            let Some(made) = client.call("POST", "/v3/users", &user) else {
                return;
            };
            note(format!("/v3/users/{}", made["userId"]), "username", &json!(login));
            let counter = json!({"zip": (n + 1).to_string()});
            if client.call("PATCH", mine, &counter).is_none() {
                return;
            }
            note(mine.clone(), "zip", &counter["zip"]);
        }
    })
}

fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("there were too few writes in 30 s");
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap_or_default().parse().unwrap_or(0)
}

/// Reads everything that was acknowledged.
fn assert_all_there(server: &Server, token: &str, done: &[Acknowledged]) {
    let mut client = Client::new(&server.address, token).unwrap();
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

#[test]
fn what_was_acknowledged_survives_a_kill_under_load() {
    let mut folder = Arc::new(Place::new());
    create_tenant(folder.path(), "Acme", "ada@acme.example");
    let done = Arc::new(Mutex::new(Vec::new()));
    for round in 0..ROUNDS {
        let server = Server::start_in(
            folder,
            &["--rate-limits", "off", "--log", "warn,muster=info,muster::request=off"],
        );
        let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
        assert_all_there(&server, &token, &done.lock().unwrap());
        let before = done.lock().unwrap().len();
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| {
                let name = format!("round {round} writer {n}");
                writer(server.address.clone(), token.clone(), name, Arc::clone(&stop), Arc::clone(&done))
            })
            .collect();
        // In the middle of the load, however fast the machine is.
        let enough = before + 150 + 40 * usize::try_from(round).unwrap();
        wait_until(|| done.lock().unwrap().len() >= enough);
        folder = server.kill();
        for writer in writers {
            writer.join().unwrap();
        }
        succeed(folder.path(), &["doctor"]);
    }
    let server = Server::start_in(folder, &["--rate-limits", "off"]);
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    assert_all_there(&server, &token, &done.lock().unwrap());
}

#[test]
fn commands_write_beside_the_server() {
    let server = Server::start(&["--rate-limits", "off"]);
    create_tenant(server.folder(), "Acme", "ada@acme.example");
    let token = server.log_in("ada@acme.example", PASSWORD).unwrap();
    let done = Arc::new(Mutex::new(Vec::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|n| {
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            writer(server.address.clone(), token.clone(), format!("writer {n}"), stop, done)
        })
        .collect();
    for n in 0..5 {
        let name = format!("Tenant {n}");
        create_tenant(server.folder(), &name, &format!("admin{n}@other.example"));
        succeed(server.folder(), &["user", "set-password", "--email", &format!("admin{n}@other.example")]);
        let create = ["credential", "create", "--tenant", "Acme", "--dialect", "onlive", "--name", &name];
        succeed(server.folder(), &create);
        succeed(server.folder(), &["tenant", "rename", &name, &format!("Renamed {n}")]);
        succeed(server.folder(), &["doctor"]);
    }
    succeed(server.folder(), &["tenant", "delete", "Renamed 0", "--confirm", "Renamed 0"]);
    wait_until(|| done.lock().unwrap().len() >= 50);
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.join().unwrap();
    }
    let done = done.lock().unwrap();
    assert_all_there(&server, &token, &done);
    succeed(server.folder(), &["doctor"]);
    assert_eq!(succeed(server.folder(), &["tenant", "list"]).lines().count(), 5);
}
