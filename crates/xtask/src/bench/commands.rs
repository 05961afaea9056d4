//! The commands that read and write a contact group as CSV: processes of their own, not load.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::contacts::{self, List};
use super::report::{thousands, verdict};
use super::server::{self, Memory, Place};
use crate::clock::now;

/// A command that has been measured.
pub(super) struct Ran {
    name: &'static str,
    contacts: usize,
    wall: Duration,
    /// Of all its threads, and of the kernel for them.
    cpu: Duration,
    /// The most memory that it had of its own, in KiB.
    memory: u64,
    /// How long it may take.
    level: Option<Duration>,
}

const IMPORT: &str = "muster import contacts";
const EXPORT: &str = "muster export contacts";
/// How long an import of a million contacts may take.
const IMPORT_LEVEL: Duration = Duration::from_secs(15);
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Imports `contacts` contacts into a new group of a store that is for this alone, and exports that group.
pub(super) fn measure(place: &Place, contacts: usize) -> anyhow::Result<Vec<Ran>> {
    server::create_tenant(place, "commands@example.org", "not a secret, only a bench")?;
    eprintln!("importing and exporting {contacts} contacts");
    let (import, group) = import(place, "Large", contacts, WHOLE)?;
    let file = place.folder.join("exported.csv");
    let mut command = server::contacts(place, "export");
    command.args(["--group", &group.to_string()]).arg(&file);
    let (export, _) = run(EXPORT, contacts, &mut command)?;
    let lines = BufReader::new(fs::File::open(&file)?).split(b'\n').count();
    ensure!(lines == contacts + 1, "{lines} lines were exported");
    Ok(vec![Ran { level: Some(IMPORT_LEVEL), ..import }, export])
}

/// Imports so many contacts into a new group of the large tenant; the group's id.
pub(super) fn fill(place: &Place, contacts: usize) -> anyhow::Result<u64> {
    eprintln!("importing contacts: {contacts}");
    import(place, "Large", contacts, WHOLE).map(|(_, group)| group)
}

/// The same into a group of this name, with numbers of mobile phones that no sandbox has something in mind with.
pub(super) fn fill_mobile(
    place: &Place,
    name: &str,
    contacts: usize,
    has_references: bool,
) -> anyhow::Result<u64> {
    eprintln!("importing contacts: {contacts}");
    let list = List { phone: contacts::mobile, has_references };
    import(place, name, contacts, list).map(|(_, group)| group)
}

/// Contacts with all that one can have.
const WHOLE: List = List { phone: contacts::phone, has_references: true };

fn import(place: &Place, name: &str, contacts: usize, list: List) -> anyhow::Result<(Ran, u64)> {
    let file = place.folder.join("contacts.csv");
    contacts::write_csv(&file, contacts, list)?;
    let mut command = server::contacts(place, "import");
    command.args(["--new-group", name, "--json"]).arg(&file);
    let (ran, output) = run(IMPORT, contacts, &mut command)?;
    fs::remove_file(file)?;
    let done: Value = serde_json::from_slice(&output).context("the import")?;
    ensure!(done["added"].as_u64() == u64::try_from(contacts).ok(), "not all were imported: {done}");
    Ok((ran, done["group_id"].as_u64().context("the import tells no group")?))
}

/// Runs a command to its end, and returns what it has printed too. Errors: it fails.
fn run(name: &'static str, contacts: usize, command: &mut Command) -> anyhow::Result<(Ran, Vec<u8>)> {
    let cpu_before = server::cpu_time_of_children()?;
    let begin = now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context(name)?;
    let mut memory = 0;
    // What it prints is a line or two, which the pipes hold until they are read.
    while child.try_wait()?.is_none() {
        // It can end in between.
        memory = memory.max(server::memory(child.id()).map_or(0, |Memory { anonymous, .. }| anonymous));
        sleep(LOOK);
    }
    let wall = begin.elapsed();
    let cpu = server::cpu_time_of_children()?.saturating_sub(cpu_before);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok((Ran { name, contacts, wall, cpu, memory, level: None }, output.stdout))
}

/// A table in Markdown.
pub(super) fn text(commands: &[Ran]) -> String {
    let mut text = String::from(
        "| Command, once | Contacts | Seconds | Contacts/s | CPU seconds | Most memory of its own, MiB | Level |\n\
         |---|--:|--:|--:|--:|--:|---|\n",
    );
    for ran in commands {
        let level = ran.level.map_or(String::new(), |most| {
            format!("≤ {} s: {}", most.as_secs_f64(), verdict(ran.wall <= most))
        });
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {:.2} | {} | {:.2} | {} | {level} |",
            ran.name,
            thousands(&ran.contacts),
            ran.wall.as_secs_f64(),
            thousands(&format!("{:.0}", ran.per_second())),
            ran.cpu.as_secs_f64(),
            ran.memory / 1024,
        );
    }
    text
}

impl Ran {
    fn per_second(&self) -> f64 {
        u32::try_from(self.contacts).map_or(f64::NAN, f64::from) / self.wall.as_secs_f64()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "command": self.name,
            "contacts": self.contacts,
            "seconds": self.wall.as_secs_f64(),
            "contacts_per_second": self.per_second(),
            "cpu_seconds": self.cpu.as_secs_f64(),
            "most_anonymous_kib": self.memory,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_with_their_levels() {
        let import = Ran {
            name: IMPORT,
            contacts: 1_000_000,
            wall: Duration::from_millis(12_500),
            cpu: Duration::from_millis(14_250),
            memory: 20_480,
            level: Some(IMPORT_LEVEL),
        };
        let slow = Ran { wall: Duration::from_secs(16), level: Some(IMPORT_LEVEL), ..import };
        let export = Ran { name: EXPORT, level: None, ..slow };
        let text = text(&[import, slow, export]);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines[0],
            "| `muster import contacts` | 1,000,000 | 12.50 | 80,000 | 14.25 | 20 | ≤ 15 s: met |"
        );
        assert!(lines[1].ends_with("| ≤ 15 s: **missed** |"), "{}", lines[1]);
        assert!(lines[2].ends_with("| 20 |  |"), "{}", lines[2]);
    }
}
