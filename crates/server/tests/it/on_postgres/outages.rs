//! The database goes away and comes back.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::{self, sleep};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::callers::Callers;
use crate::place::{self, Place};
use crate::support::{Answer, Server, succeed, text};

/// A PostgreSQL for one test, with an empty database `directory`.
struct Cluster {
    bin: PathBuf,
    folder: TempDir,
    port: u16,
}

impl Cluster {
    fn start() -> Self {
        let versions = fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path());
        let bin = versions.max().unwrap().join("bin");
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let cluster = Self { bin, folder: TempDir::new().unwrap(), port: free.port() };
        let folder = cluster.folder.path();
        if let Some((user, group)) = servant() {
            std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
        }
        cluster.run("initdb", &["-D", "data", "-U", "muster", "-A", "trust", "--no-sync"]);
        cluster.serve();
        cluster.sql("CREATE DATABASE directory");
        cluster
    }

    fn run(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(self.bin.join(program));
        if let Some((user, group)) = servant() {
            command.uid(user).gid(group);
        }
        // What it starts must not keep a pipe open.
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        command
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let status = command.status().unwrap();
        assert!(status.success(), "{program} {args:?}: {}", fs::read_to_string(self.log()).unwrap());
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("tests-log")
    }

    fn serve(&self) {
        let folder = self.folder.path().display();
        let options = format!("-p {} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off", self.port);
        self.run("pg_ctl", &["-D", "data", "-l", "log", "-w", "-o", &options, "start"]);
    }

    fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["-D", "data", "-w", "-m", mode, "stop"]);
    }

    fn sql(&self, sql: &str) {
        let port = self.port.to_string();
        self.run("psql", &["-h", "127.0.0.1", "-p", &port, "-U", "muster", "-d", "postgres", "-qc", sql]);
    }

    /// A place whose store is here.
    fn place(&self) -> Place {
        let place = Place::file();
        let url = format!("postgres://muster@127.0.0.1:{}/directory", self.port);
        fs::write(place.path().join(place::URL), url).unwrap();
        place
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.stop("immediate");
        }
    }
}

/// Whose processes these are when the tests run as root, which PostgreSQL refuses.
fn servant() -> Option<(u32, u32)> {
    let id = |flag: &str, user: &[&str]| -> u32 {
        let output = Command::new("id").arg(flag).args(user).output().unwrap();
        text(&output.stdout).trim().parse().unwrap()
    };
    (id("-u", &[]) == 0).then(|| (id("-u", &["postgres"]), id("-g", &["postgres"])))
}

fn server_on(place: &Arc<Place>) -> Server {
    Server::start_in(Arc::clone(place), &["--rate-limits", "off"])
}

/// In the shape of each dialect, and with the time to come back.
fn assert_unavailable(answers: &[Answer; 3]) {
    for answer in answers {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.head.contains("\r\nretry-after: "), "{answer:?}");
    }
    let [convirza, lox24, onlive] = answers.each_ref().map(|answer| &answer.body);
    assert!(convirza["statusCode"] == 503 && convirza["requestId"].is_string(), "{convirza}");
    assert_eq!(lox24["hydra:description"], "Service Unavailable", "{lox24}");
    assert_eq!(onlive, &json!({"statusCode": 503, "message": "Service Unavailable"}));
}

fn assert_recovers(server: &Server) {
    for _ in 0..200 {
        if server.send("GET", "/readyz", "", None).status == 200 {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("it is not ready 10 s later: {}", server.log());
}

fn assert_written(answers: [Answer; 3]) {
    for answer in answers {
        assert!(answer.status == 200 || answer.status == 201, "{answer:?}");
    }
}

/// What was refused has left nothing.
fn assert_sound(folder: &Path, reads: &[Answer; 3]) {
    for read in reads {
        assert_eq!(read.status, 200, "{read:?}");
        let all = read.body.to_string();
        assert!(all.contains("before") && all.contains("after") && !all.contains("during"), "{all}");
    }
    succeed(folder, &["doctor"]);
}

#[test]
fn a_database_that_stops_and_starts_is_waited_for() {
    let cluster = Cluster::start();
    let place = cluster.place().into();
    let server = server_on(&place);
    let callers = Callers::new(&place, &server);
    assert_written(callers.write(&server, "before"));
    for mode in ["fast", "immediate"] {
        cluster.stop(mode);
        assert_unavailable(&callers.read(&server));
        assert_unavailable(&callers.write(&server, "during"));
        assert_eq!(server.send("GET", "/readyz", "", None).status, 503);
        assert_eq!(server.send("GET", "/healthz", "", None).status, 200);
        cluster.serve();
        assert_recovers(&server);
        assert_written(callers.write(&server, &format!("after {mode}")));
    }
    assert_sound(place.path(), &callers.read(&server));
}

#[test]
fn a_primary_that_does_not_write_is_read() {
    let cluster = Cluster::start();
    let place = cluster.place().into();
    let server = server_on(&place);
    let callers = Callers::new(&place, &server);
    assert_written(callers.write(&server, "before"));
    cluster.sql("ALTER DATABASE directory SET default_transaction_read_only = on");
    cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster'");
    assert_eq!(callers.statuses(&server), [200; 3]);
    assert_unavailable(&callers.write(&server, "during"));
    assert_eq!(server.send("GET", "/readyz", "", None).status, 503);
    cluster.sql("ALTER DATABASE directory RESET default_transaction_read_only");
    assert_recovers(&server);
    assert_written(callers.write(&server, "after"));
    assert_sound(place.path(), &callers.read(&server));
}

#[test]
fn a_lock_that_somebody_holds_delays_neither_reads_nor_the_end() {
    let place = Place::on_postgres().into();
    let mut server = server_on(&place);
    let callers = Callers::new(&place, &server);
    let (runtime, holder) = place.schema.as_ref().unwrap().connect();
    runtime.block_on(holder.batch_execute("BEGIN; LOCK TABLE tenant_state IN EXCLUSIVE MODE")).unwrap();
    thread::scope(|scope| {
        let write =
            || server.send("POST", "/v3/groups", &callers.token, Some(&json!({"org_unit_name": "during"})));
        let waiting = scope.spawn(write);
        assert_eq!(callers.statuses(&server), [200; 3]);
        assert_eq!(server.send("GET", "/readyz", "", None).status, 503);
        server.signal("TERM");
        assert_eq!(waiting.join().unwrap().status, 503);
    });
    assert!(server.wait(Duration::from_secs(10)).is_some_and(|status| status.success()), "{}", server.log());
    runtime.block_on(holder.batch_execute("ROLLBACK")).unwrap();
    succeed(place.path(), &["doctor"]);
}

#[test]
fn connections_that_are_cut_under_load_lose_nothing() {
    let place = Place::on_postgres().into();
    let server = server_on(&place);
    let callers = Callers::new(&place, &server);
    let write = |writer: usize| -> Vec<String> {
        let names = (0..60).map(|n| format!("unit {writer}-{n};"));
        let is_made = |name: &String| {
            let answer =
                server.send("POST", "/v3/groups", &callers.token, Some(&json!({"org_unit_name": name})));
            let refused = answer.status == 503 && answer.head.contains("\r\nretry-after: ");
            assert!(answer.status == 201 || refused, "{answer:?}");
            answer.status == 201
        };
        names.filter(is_made).collect()
    };
    let made: Vec<String> = thread::scope(|scope| {
        let writers: Vec<_> = (0..4).map(|writer| scope.spawn(move || write(writer))).collect();
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            place.schema.as_ref().unwrap().hang_up();
            sleep(Duration::from_millis(50));
        }
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    assert!(!made.is_empty());
    assert_recovers(&server);
    let tree = server.send("GET", "/v3/groups/tree", &callers.token, None).body.to_string();
    for name in &made {
        assert!(tree.contains(name), "{name} is lost");
    }
    assert_written(callers.write(&server, "after"));
    succeed(place.path(), &["doctor"]);
}
