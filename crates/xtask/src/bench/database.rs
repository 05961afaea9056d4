//! A PostgreSQL to measure: a schema of its own in it, and what `pgbench` reaches there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use super::load::Sample;

/// Rows of the table that `pgbench` works on.
const ROWS: u32 = 1_000_000;

/// A schema of a database, which is dropped with this.
pub(super) struct Schema {
    /// The database.
    server: String,
    name: String,
}

impl Schema {
    /// Makes a schema with this name. Errors: it is there already, or `psql` fails.
    pub(super) fn create(server: &str, name: &str) -> anyhow::Result<Self> {
        psql(server, &format!("CREATE SCHEMA {name}"))?;
        Ok(Self { server: server.to_owned(), name: name.to_owned() })
    }

    /// The URL of the database with this schema as the place of all tables.
    pub(super) fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-c%20search_path%3D{}", self.server, self.name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if let Err(error) = psql(&self.server, &format!("DROP SCHEMA {} CASCADE", self.name)) {
            eprintln!("the schema {} stays: {error:#}", self.name);
        }
    }
}

fn psql(url: &str, sql: &str) -> anyhow::Result<()> {
    let output = Command::new(program("psql"))
        .args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", url, "--command", sql])
        .output()
        .context("cannot run psql, of the Debian package postgresql-client")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// A program of PostgreSQL, which Debian keeps apart from the others.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

/// What `pgbench` does with the table of [`prepare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// One row by its primary key.
    Select,
    /// An update of a row and a new row, in a transaction.
    Update,
}

impl Script {
    fn sql(self) -> String {
        let id = format!("\\set id random(1, {ROWS})\n");
        match self {
            Self::Select => format!("{id}SELECT name FROM measured WHERE id = :id;\n"),
            Self::Update => format!(
                "{id}BEGIN;\nUPDATE measured SET name = 'changed', version = version + 1 WHERE id = :id;\n\
                 INSERT INTO entries (of, payload) VALUES (:id, 'changed');\nEND;\n"
            ),
        }
    }
}

/// Makes the tables for `pgbench`.
pub(super) fn prepare(url: &str) -> anyhow::Result<()> {
    psql(
        url,
        &format!(
            "CREATE TABLE measured (id BIGINT PRIMARY KEY, name TEXT NOT NULL, version BIGINT NOT NULL);
             INSERT INTO measured SELECT id, 'row ' || id, 1 FROM generate_series(1, {ROWS}) AS id;
             CREATE TABLE entries (id BIGSERIAL PRIMARY KEY, of BIGINT NOT NULL, payload TEXT NOT NULL);"
        ),
    )?;
    psql(url, "VACUUM ANALYZE measured")
}

/// Runs `pgbench` with prepared statements.
pub(super) fn measure(
    url: &str,
    script: Script,
    connections: u32,
    duration: Duration,
) -> anyhow::Result<Sample> {
    let folder = TempDir::new()?;
    let file = folder.path().join("script.sql");
    fs::write(&file, script.sql())?;
    let seconds = duration.as_secs().max(1).to_string();
    let output = Command::new(program("pgbench"))
        .current_dir(folder.path())
        .args(["--protocol", "prepared", "--no-vacuum", "--log", "--client", &connections.to_string()])
        .args(["--time", &seconds, "--file"])
        .arg(&file)
        .arg(url)
        .output()
        .context("cannot run pgbench, of the Debian package postgresql")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr).trim());
    let per_second = per_second(&text).with_context(|| format!("pgbench tells no tps: {text}"))?;
    let mut latencies = latencies(folder.path())?;
    latencies.sort_unstable_by(f64::total_cmp);
    let quantile =
        |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or(f64::NAN);
    Ok(Sample {
        per_second,
        p50: quantile(50),
        p99: quantile(99),
        // Muster's server does nothing meanwhile.
        server_cpu: 0.0,
        memory: 0,
        more_memory: 0,
    })
}

/// Transactions a second, without the time to connect.
fn per_second(output: &str) -> Option<f64> {
    let line = output.lines().find(|line| line.starts_with("tps = "))?;
    line.split_whitespace().nth(2)?.parse().ok()
}

/// How many milliseconds each transaction took, from the logs in a folder: client, number, microseconds, …
fn latencies(folder: &Path) -> anyhow::Result<Vec<f64>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench_log")) {
            let log = fs::read_to_string(path)?;
            let latency = |line: &str| line.split(' ').nth(2)?.parse::<f64>().ok();
            all.extend(log.lines().filter_map(latency).map(|microseconds| microseconds / 1e3));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_pgbench_is_understood() {
        let output = "number of clients: 64\nlatency average = 4.8 ms\ntps = 13247.123456 (without initial connection time)\n";
        assert_eq!(per_second(output).map(f64::round), Some(13247.0));
        assert_eq!(per_second("pgbench (15.18)"), None);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("pgbench_log.42"), "0 1 1500 0 1 2\n1 1 500 0 1 2\n").unwrap();
        let latencies: Vec<String> =
            latencies(folder.path()).unwrap().iter().map(|latency| format!("{latency:.1}")).collect();
        assert_eq!(latencies, ["1.5", "0.5"]);
    }
}
