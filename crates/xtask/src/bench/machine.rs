//! What the numbers were measured on.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::clock::now;
use crate::output_of;

/// Facts about the machine, taken before the load.
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) cpus: usize,
    pub(super) kernel: String,
    pub(super) file_system: String,
    pub(super) rustc: String,
    /// The commit, with `-dirty` if the checkout differs from it.
    pub(super) commit: String,
    /// Processes that ran or wanted to, over the last 1, 5 and 15 minutes.
    pub(super) load: String,
    /// What making a small append durable costs.
    pub(super) sync: Duration,
}

/// Looks at the machine, and at the disk of `folder`.
pub(super) fn look(folder: &Path) -> anyhow::Result<Machine> {
    let load = fs::read_to_string("/proc/loadavg").context("the load average")?;
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let commit = output_of("git", &["rev-parse", "--short=12", "HEAD"])?;
    let changed = !output_of("git", &["status", "--porcelain"])?.is_empty();
    let folder_text = folder.to_str().context("the folder has a strange path")?;
    let file_system = output_of("df", &["--output=fstype", folder_text])?;
    let machine = Machine {
        cpu: cpu_model(&cpu_info).unwrap_or("unknown").to_owned(),
        cpus: std::thread::available_parallelism()?.get(),
        kernel: kernel.trim().to_owned(),
        file_system: file_system.lines().last().unwrap_or_default().trim().to_owned(),
        rustc: output_of("rustc", &["--version"])?.trim().to_owned(),
        commit: format!("{}{}", commit.trim(), if changed { "-dirty" } else { "" }),
        load: load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
        sync: sync_cost(folder)?,
    };
    if machine.file_system == "tmpfs" {
        eprintln!("warning: {folder_text} is in memory: syncs cost nothing here, see --dir");
    }
    Ok(machine)
}

fn cpu_model(cpu_info: &str) -> Option<&str> {
    let line = cpu_info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

/// The median of many appends of one page, each synced.
fn sync_cost(folder: &Path) -> anyhow::Result<Duration> {
    let path = folder.join("sync");
    let mut file = File::create(&path)?;
    let mut costs = Vec::new();
    for _ in 0..200 {
        let begin = now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        costs.push(begin.elapsed());
    }
    fs::remove_file(&path)?;
    costs.sort_unstable();
    Ok(costs[costs.len() / 2])
}

/// The CPU time that everything on the machine has used since its start, what the hypervisor gave to
/// others included.
pub(super) fn busy() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("the machine's CPU time")?;
    busy_ticks(&stat).map(|ticks| Duration::from_millis(ticks * 10)).context("the machine's CPU time")
}

/// The first line of `/proc/stat`, in hundredths of a second, without the fields that are idleness.
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields: Vec<u64> =
        stat.lines().next()?.split_whitespace().skip(1).map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = fields[..] else {
        return None;
    };
    Some(user + nice + system + irq + softirq + steal)
}

impl Machine {
    pub(super) fn text(&self) -> String {
        format!(
            "- Machine: {}, {} CPUs, Linux {}, {}; a synced append of 4 KiB takes {:.3} ms\n\
             - Load average before: {}\n\
             - {}, commit {}\n",
            self.cpu,
            self.cpus,
            self.kernel,
            self.file_system,
            self.sync.as_secs_f64() * 1e3,
            self.load,
            self.rustc,
            self.commit,
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cpus": self.cpus,
            "kernel": self.kernel,
            "file_system": self.file_system,
            "rustc": self.rustc,
            "commit": self.commit,
            "load": self.load,
            "sync_ms": self.sync.as_secs_f64() * 1e3,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_the_cpu_is_found() {
        let text = "processor\t: 0\nmodel\t\t: 1\nmodel name\t: A CPU @ 2 GHz\n\nmodel name\t: other\n";
        assert_eq!(cpu_model(text), Some("A CPU @ 2 GHz"));
        assert_eq!(cpu_model("processor: 0\n"), None);
    }

    #[test]
    fn idleness_is_not_work() {
        assert_eq!(busy_ticks("cpu  1 2 4 1000 1000 8 16 32 0 0\ncpu0 9 9\n"), Some(63));
        assert_eq!(busy_ticks("cpu  1 2\n"), None);
    }
}
