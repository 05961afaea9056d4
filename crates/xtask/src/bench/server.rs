//! The server under test: built, started and stopped as its operator would.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::caller::AccessKey;
use crate::clock::now;

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// After its start the server begins to remove what is gone (`upkeep.rs`), with this much to spare.
const BEFORE_UPKEEP: Duration = Duration::from_secs(7);
/// How many seconds that may take, and the CPU time of a second in which the server has nothing to do.
const REST_TRIES: usize = 600;
const RESTING: Duration = Duration::from_millis(30);

/// Builds the release server and returns the path of its binary.
pub(super) fn build() -> anyhow::Result<PathBuf> {
    eprintln!("building the release server");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(crate::root()?)
        .args(["build", "--release", "--package", "muster", "--message-format=json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "the server was not built");
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line)?;
        if let (Some("muster"), Some(path)) =
            (message["target"]["name"].as_str(), message["executable"].as_str())
        {
            return Ok(PathBuf::from(path));
        }
    }
    bail!("cargo named no binary")
}

/// What is run, and where.
pub(super) struct Place {
    /// The server's binary.
    pub(super) binary: PathBuf,
    /// For what it needs beside a database: its key, its log; and an embedded store.
    pub(super) folder: PathBuf,
    /// The URL of the store.
    pub(super) database: String,
}

impl Place {
    /// With an embedded store in this folder.
    pub(super) fn embedded(binary: PathBuf, folder: PathBuf) -> Self {
        let database = format!("sqlite:{}", folder.join("muster.db").display());
        Self { binary, folder, database }
    }
}

/// The tenant that is measured.
pub(super) struct Tenant {
    /// The id of the top of its tree.
    pub(super) top: u64,
    /// Its LOX24 key, as a request presents it.
    pub(super) lox24: String,
}

pub(super) const LARGE_TENANT: &str = "Bench";

/// Makes the store with one tenant.
pub(super) fn create_tenant(place: &Place, email: &str, password: &str) -> anyhow::Result<Tenant> {
    let mut child = tenant_create(place, LARGE_TENANT, email)
        .arg("--admin-password-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run the server's binary")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(password.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the tenant was not created");
    let made: Value = serde_json::from_slice(&output.stdout).context("the new tenant")?;
    Ok(Tenant {
        top: made["convirza"]["org_unit_id"].as_u64().context("the new tenant has no top org unit")?,
        lox24: made["lox24"]["token"].as_str().context("the new tenant has no LOX24 key")?.to_owned(),
    })
}

/// Makes the tenant whose user groups have the members; its key of the Onlive dialect, and its SCIM token.
pub(super) fn create_members_tenant(place: &Place) -> anyhow::Result<(AccessKey, String)> {
    let output = tenant_create(place, "Members", "admin@members.example").output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).context("the tenant of the members")?;
    let text = |dialect: &str, name: &str| made[dialect][name].as_str().map(str::to_owned);
    let key = text("onlive", "access_key_id").zip(text("onlive", "secret_access_key"));
    let (id, secret) = key.context("the new tenant has no Onlive key")?;
    let scim = text("scim", "token").context("the new tenant has no SCIM token")?;
    Ok((AccessKey { id, secret }, scim))
}

/// `muster import contacts` or `muster export contacts`, for the large tenant.
pub(super) fn contacts(place: &Place, verb: &str) -> Command {
    let mut command = muster(place);
    command.args([verb, "contacts", "--tenant", LARGE_TENANT]);
    command
}

/// Makes the tenants of these numbers, each with a top, an admin and its credentials.
pub(super) fn create_small_tenants(place: &Place, numbers: Range<usize>) -> anyhow::Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    let bar = super::fill::bar("creating small tenants", numbers.len());
    let next = AtomicUsize::new(numbers.start);
    std::thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return Ok(());
                }
                let name = format!("Small {number:05}");
                let email = format!("admin{number:05}@small.example");
                let output = tenant_create(place, &name, &email).output()?;
                ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                bar.inc(1);
            }
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(_) => bail!("a worker has failed"),
        })
    })?;
    bar.finish_and_clear();
    Ok(())
}

fn tenant_create(place: &Place, name: &str, email: &str) -> Command {
    let mut command = muster(place);
    command.args(["tenant", "create", "--json", "--name", name, "--admin-email", email]);
    command
}

/// A command without the settings of the environment, which would be measured too.
pub(super) fn muster(place: &Place) -> Command {
    let mut command = Command::new(&place.binary);
    command.current_dir(&place.folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MUSTER_") {
            command.env_remove(name);
        }
    }
    command.env("MUSTER_DATABASE", &place.database).env("MUSTER_DATA_DIR", &place.folder);
    command
}

/// Resident memory, in KiB: all of it, and what is the process's own (not mapped from files).
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) resident: u64,
    pub(super) anonymous: u64,
}

/// A running server; it is killed when this is dropped.
pub(super) struct Server {
    child: Child,
    log: PathBuf,
    pub(super) address: SocketAddr,
    /// From the start of the process to the first 200 of `/readyz`.
    pub(super) ready_after: Duration,
}

impl Server {
    /// Starts the server. `filter` is for its log, which goes to a file.
    pub(super) fn start(place: &Place, filter: Option<&str>) -> anyhow::Result<Self> {
        Self::start_with(place, filter, &[])
    }

    /// The same with more flags.
    pub(super) fn start_with(place: &Place, filter: Option<&str>, flags: &[&str]) -> anyhow::Result<Self> {
        let log = place.folder.join("server.log");
        let mut command = muster(place);
        command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limits", "off"]).args(flags);
        if let Some(filter) = filter {
            // The line that tells the port is always wanted.
            command.args(["--log", &format!("{filter},muster::serve=info")]);
        }
        let started = now();
        let child = command.stdin(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, log, address: unknown, ready_after: Duration::ZERO };
        server.address = server.wait_for_address(started)?;
        while !is_ready(server.address) {
            ensure!(started.elapsed() < PATIENCE, "the server is not ready:\n{}", server.log_text());
            sleep(Duration::from_micros(500));
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }

    fn wait_for_address(&mut self, started: Instant) -> anyhow::Result<SocketAddr> {
        loop {
            let text = self.log_text();
            if let Some(address) = listening_address(&text) {
                return Ok(address);
            }
            let ended = self.child.try_wait()?.is_some();
            ensure!(!ended && started.elapsed() < PATIENCE, "the server did not start:\n{text}");
            sleep(Duration::from_micros(500));
        }
    }

    fn log_text(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The last warnings and errors of the log.
    pub(super) fn complaints(&self) -> String {
        let Ok(log) = File::open(&self.log) else {
            return String::new();
        };
        let lines = BufReader::new(log).lines().map_while(Result::ok);
        let complaints: Vec<String> =
            lines.filter(|line| line.contains(" WARN ") || line.contains("ERROR ")).collect();
        complaints[complaints.len().saturating_sub(5)..].join("\n")
    }

    /// Waits until the server does nothing of its own: it removes the rows of what was deleted some seconds after its
    /// start. Errors: it does not come to rest.
    pub(super) fn rest(&self) -> anyhow::Result<()> {
        sleep(BEFORE_UPKEEP);
        let mut before = cpu_time(self.pid())?;
        for _ in 0..REST_TRIES {
            sleep(Duration::from_secs(1));
            let after = cpu_time(self.pid())?;
            if after.saturating_sub(before) < RESTING {
                return Ok(());
            }
            before = after;
        }
        bail!("the server does not come to rest");
    }

    /// Asks the server to end, and checks that it does so without an error.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        crate::output_of("kill", &["-TERM", &self.pid().to_string()])?;
        let asked = now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status}:\n{}", self.complaints());
                return Ok(());
            }
            ensure!(asked.elapsed() < PATIENCE, "the server does not end");
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a good end there is nothing left to kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The CPU time that a process has used, in its own code and in the kernel.
pub(super) fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("the server is gone")?;
    ticks(&stat, OWN).map(|ticks| Duration::from_millis(ticks * 10)).context("the server's CPU time")
}

/// The CPU time of all processes that this program has run and that have ended.
pub(super) fn cpu_time_of_children() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    ticks(&stat, OF_CHILDREN)
        .map(|ticks| Duration::from_millis(ticks * 10))
        .context("the CPU time of children")
}

/// Where the user time stands in `/proc/PID/stat`, behind the name: the process's own, and that of its children. The
/// system time comes next.
const OWN: usize = 11;
const OF_CHILDREN: usize = 13;

/// The user and system time in `/proc/PID/stat`, in hundredths of a second.
fn ticks(stat: &str, whose: usize) -> Option<u64> {
    // The name of the program stands in parentheses and can hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(whose);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The memory that a process has.
pub(super) fn memory(process: u32) -> anyhow::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("the server is gone")?;
    memory_in(&status).context("the server's memory")
}

fn memory_in(status: &str) -> Option<Memory> {
    let of = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Memory { resident: of("VmRSS:")?, anonymous: of("RssAnon:")? })
}

/// The address in the log line that says where the server listens.
fn listening_address(log: &str) -> Option<SocketAddr> {
    // Without its end a line may be half written.
    let complete = &log[..=log.rfind('\n')?];
    let line = complete.lines().find(|line| line.contains("listening address="))?;
    line.split_once("address=")?.1.split_whitespace().next()?.parse().ok()
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line.starts_with("HTTP/1.1 200 "))
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_a_complete_line() {
        let line =
            "2026-11-21T06:00:00Z  INFO muster::serve: listening address=127.0.0.1:4242 database=\"x\"";
        assert_eq!(listening_address(line), None);
        let log = format!("2026-11-21T06:00:00Z  WARN muster::serve: rate limits are off\n{line}\nx");
        assert_eq!(listening_address(&log), Some(SocketAddr::from(([127, 0, 0, 1], 4242))));
    }

    #[test]
    fn memory_and_time_are_read_from_proc() {
        let memory = memory_in("Name:\tmuster\nVmRSS:\t   12345 kB\nRssAnon:\t    6789 kB\n").unwrap();
        assert_eq!((memory.resident, memory.anonymous), (12345, 6789));
        let stat = "42 (a ) b) S 1 2 3 0 -1 4194560 1000 0 2 0 150 50 7 3 20 0 4 0 100 1 1";
        assert_eq!(ticks(stat, OWN), Some(200));
        assert_eq!(ticks(stat, OF_CHILDREN), Some(10));
    }
}
