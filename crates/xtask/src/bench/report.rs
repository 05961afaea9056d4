//! What the bench prints.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::commands::{self, Ran};
use super::levels::{FAST_SYNC, Level};
use super::load::Sample;
use super::machine::Machine;
use super::rows::{Items, RowKind};
use super::server::Memory;
use super::told::{self, Told};
use super::world::Sizes;

/// A line of the table: one row with one number of connections, measured in every round.
pub(super) struct Line {
    pub(super) kind: RowKind,
    pub(super) title: String,
    pub(super) connections: u32,
    pub(super) items: Option<Items>,
    pub(super) samples: Vec<Sample>,
}

impl Line {
    fn median(&self, of: fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(of).collect())
    }

    fn per_second(&self) -> f64 {
        self.median(|sample| sample.per_second)
    }

    /// The items of all requests of a second, where requests have items.
    fn items_per_second(&self) -> Option<f64> {
        let per_request = u32::try_from(self.items?.per_request).ok()?;
        Some(self.per_second() * f64::from(per_request))
    }

    /// Requests a second, and their items.
    pub(super) fn throughput(&self) -> String {
        let rate = match self.per_second() {
            few if few < 10.0 => format!("{few:.2}"),
            many => thousands(&format!("{many:.0}")),
        };
        match (self.items, self.items_per_second()) {
            (Some(items), Some(per_second)) => {
                format!("{rate} ({} {})", thousands(&format!("{per_second:.0}")), items.name)
            }
            _ => rate,
        }
    }

    /// The most memory of its own, in millions of bytes, by which the server grew in a round.
    fn more_memory(&self) -> f64 {
        let kib = self.samples.iter().map(|sample| sample.more_memory).max().unwrap_or(0);
        u32::try_from(kib).map_or(f64::INFINITY, f64::from) * 1024.0 / 1e6
    }
}

/// What the measurements gave.
pub(super) struct Measured {
    pub(super) lines: Vec<Line>,
    /// The server's, after its start and after the load.
    pub(super) memory: [Memory; 2],
    /// The most that it had of its own under the load, in KiB.
    pub(super) most_memory: u64,
    /// The share of the machine's CPU time that went to neither the server nor the load generator.
    pub(super) others: f64,
}

/// Everything that a run has found.
pub(super) struct Report {
    pub(super) machine: Machine,
    /// What was measured instead of a build of this checkout.
    pub(super) binary: Option<String>,
    /// The server's log filter, if it was not the default.
    pub(super) log: Option<String>,
    /// Whether a database is measured, not the embedded store.
    pub(super) is_database: bool,
    pub(super) sizes: Sizes,
    pub(super) rounds: u32,
    pub(super) duration: Duration,
    pub(super) ready_after: Duration,
    pub(super) measured: Measured,
    /// The commands, if they were asked for.
    pub(super) commands: Vec<Ran>,
    /// The rows of webhooks that were asked for.
    pub(super) webhooks: Vec<Told>,
    /// The rows of messages that were asked for.
    pub(super) messages: Vec<Told>,
}

impl Report {
    /// Tables and a list, in Markdown.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if !self.measured.lines.is_empty() {
            text.push_str(
                "| Row | Connections | Requests/s | Of the bare route | p50 ms | p99 ms | Server CPU µs/request | Level |\n\
                 |---|--:|--:|--:|--:|--:|--:|---|\n",
            );
        }
        for line in &self.measured.lines {
            let ratio = self.ratio(line).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {ratio} | {:.3} | {:.3} | {:.1} | {} |",
                line.title,
                line.connections,
                line.throughput(),
                line.median(|sample| sample.p50),
                line.median(|sample| sample.p99),
                line.median(|sample| sample.server_cpu),
                self.levels(line),
            );
        }
        if !self.commands.is_empty() {
            let space = if text.is_empty() { "" } else { "\n" };
            let _ = write!(text, "{space}{}", commands::text(&self.commands));
        }
        for (head, told) in [("Webhooks", &self.webhooks), ("Messages", &self.messages)] {
            if !told.is_empty() {
                let space = if text.is_empty() { "" } else { "\n" };
                let _ = write!(text, "{space}{}", told::text(head, told));
            }
        }
        let memory = self
            .measured
            .memory
            .map(|memory| format!("{} MiB ({} of its own)", memory.resident / 1024, memory.anonymous / 1024));
        if let Some(binary) = &self.binary {
            let _ = writeln!(text, "\nMeasured: {binary}, which need not be of the commit below.");
        }
        let _ = write!(
            text,
            "\n- Medians of {} rounds of {:.1} s; {} org units, {} users and a group of {} contacts in one tenant, two user groups of {} members in another, beside {} small ones; {}; log filter: {}\n\
             - Other processes took {:.0} % of the CPU time meanwhile\n{}\
             - Server: ready after {:.0} ms; memory {} after its start, {} after the load; at most {} MiB of its own under it\n",
            self.rounds,
            self.duration.as_secs_f64(),
            thousands(&self.sizes.units),
            thousands(&self.sizes.users),
            thousands(&self.sizes.contacts),
            thousands(&self.sizes.members),
            thousands(&self.sizes.tenants),
            if self.is_database { "on PostgreSQL" } else { "on SQLite" },
            self.log.as_deref().unwrap_or("the default"),
            self.measured.others * 100.0,
            self.machine.text(),
            self.ready_after.as_secs_f64() * 1e3,
            memory[0],
            memory[1],
            self.measured.most_memory / 1024,
        );
        text
    }

    pub(super) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .measured
            .lines
            .iter()
            .map(|line| {
                json!({
                    "row": line.kind.to_string(),
                    "connections": line.connections,
                    "requests_per_second": line.per_second(),
                    "of_bare": self.ratio(line),
                    "p50_ms": line.median(|sample| sample.p50),
                    "p99_ms": line.median(|sample| sample.p99),
                    "server_cpu_us": line.median(|sample| sample.server_cpu),
                    "items_per_request": line.items.map(|items| items.per_request),
                    "items_per_second": line.items_per_second(),
                    "more_memory_mb": line.more_memory(),
                })
            })
            .collect();
        let memory = self
            .measured
            .memory
            .map(|memory| json!({ "resident_kib": memory.resident, "anonymous_kib": memory.anonymous }));
        json!({
            "rows": rows,
            "commands": self.commands.iter().map(Ran::json).collect::<Vec<_>>(),
            "webhooks": self.webhooks.iter().map(Told::json).collect::<Vec<_>>(),
            "messages": self.messages.iter().map(Told::json).collect::<Vec<_>>(),
            "rounds": self.rounds,
            "seconds": self.duration.as_secs_f64(),
            "units": self.sizes.units,
            "users": self.sizes.users,
            "contacts": self.sizes.contacts,
            "members": self.sizes.members,
            "small_tenants": self.sizes.tenants,
            "log": self.log,
            "is_database": self.is_database,
            "binary": self.binary,
            "ready_after_ms": self.ready_after.as_secs_f64() * 1e3,
            "memory_at_start": memory[0],
            "memory_after_load": memory[1],
            "most_anonymous_kib": self.measured.most_memory,
            "others_share": self.measured.others,
            "machine": self.machine.json(),
        })
    }

    /// What the row has to reach, and whether it does.
    fn levels(&self, line: &Line) -> String {
        let levels = line.kind.levels(line.connections, self.is_database).iter();
        levels.filter_map(|level| self.level(line, *level)).collect::<Vec<_>>().join("; ")
    }

    /// `None` if there is nothing to compare with.
    fn level(&self, line: &Line, level: Level) -> Option<String> {
        let p50 = line.median(|sample| sample.p50);
        Some(match level {
            Level::Of(base, least) => {
                let ratio = line.per_second() / self.beside(line, base)?.per_second();
                let name = if base == RowKind::Bare {
                    "the bare route".to_owned()
                } else {
                    format!("`{base}` ({ratio:.2})")
                };
                format!("≥ {least} of {name}: {}", verdict(ratio >= least))
            }
            Level::P50OnFastDisk(most) if self.machine.sync >= FAST_SYNC => {
                format!("p50 ≤ {most} ms where a sync takes < 0.1 ms: not this disk")
            }
            Level::P50(most) | Level::P50OnFastDisk(most) => {
                format!("p50 ≤ {most} ms: {}", verdict(p50 <= most))
            }
            Level::P50Like(base, more) => {
                let over = p50 / self.beside(line, base)?.median(|sample| sample.p50) - 1.0;
                let (most, shown) = (more * 100.0, over * 100.0);
                format!("p50 within {most:.0} % of `{base}` ({shown:+.0} %): {}", verdict(over <= more))
            }
            Level::Items(least) => {
                let name = line.items?.name;
                let least_shown = thousands(&least);
                format!("≥ {least_shown} {name}/s: {}", verdict(line.items_per_second()? >= least))
            }
            Level::MoreMemory(most) => {
                let more = line.more_memory();
                format!("{more:.1} MB more memory, < {most}: {}", verdict(more < most))
            }
        })
    }

    /// The throughput compared with that of the bare route with as many connections, if it was measured.
    fn ratio(&self, line: &Line) -> Option<f64> {
        self.beside(line, RowKind::Bare).map(|base| line.per_second() / base.per_second())
    }

    /// The line of another row with as many connections, if it was measured.
    fn beside(&self, line: &Line, kind: RowKind) -> Option<&Line> {
        self.measured.lines.iter().find(|other| other.kind == kind && other.connections == line.connections)
    }
}

pub(super) fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**missed**" }
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// A whole number with a comma after each three digits.
pub(super) fn thousands(number: &impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_follow_an_outlier() {
        assert!((median(vec![900.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(thousands(&999), "999");
        assert_eq!(thousands(&1000), "1,000");
        assert_eq!(thousands(&1_234_567), "1,234,567");
    }

    fn line(kind: RowKind, connections: u32, per_second: f64) -> Line {
        let sample =
            Sample { per_second, p50: 0.1, p99: 0.5, server_cpu: 12.0, memory: 1, more_memory: 10_000 };
        let items = matches!(kind, RowKind::ContactBatch | RowKind::CsvExport)
            .then_some(Items { name: "phones", per_request: 1000 });
        Line { kind, title: kind.to_string(), connections, items, samples: vec![sample] }
    }

    /// With requests that take a quarter longer.
    fn slower(mut line: Line) -> Line {
        line.samples[0].p50 *= 1.25;
        line
    }

    #[test]
    fn rows_are_compared_with_the_bare_route_of_the_same_connections() {
        let machine = Machine {
            cpu: "A CPU".into(),
            cpus: 2,
            kernel: "6".into(),
            file_system: "ext4".into(),
            rustc: "rustc 1".into(),
            commit: "abc".into(),
            load: "0 0 0".into(),
            sync: Duration::from_micros(30),
        };
        let report = Report {
            machine,
            binary: None,
            log: None,
            is_database: false,
            sizes: Sizes { units: 1000, users: 2000, tenants: 3, contacts: 4000, members: 5000 },
            rounds: 1,
            duration: Duration::from_secs(3),
            ready_after: Duration::from_millis(12),
            measured: Measured {
                memory: [Memory { resident: 10_240, anonymous: 2048 }; 2],
                most_memory: 4096,
                others: 0.04,
                lines: vec![
                    line(RowKind::Bare, 1, 10_000.0),
                    line(RowKind::Bare, 64, 100_000.0),
                    line(RowKind::Read, 64, 70_000.0),
                    line(RowKind::Read, 8, 1.0),
                    line(RowKind::ContactBatch, 4, 65.0),
                    line(RowKind::CsvExport, 1, 0.25),
                    line(RowKind::UserGroupJoin, 1, 2000.0),
                    slower(line(RowKind::UserGroupJoinGreat, 1, 2000.0)),
                ],
            },
            commands: Vec::new(),
            webhooks: Vec::new(),
            messages: Vec::new(),
        };
        let text = report.text();
        let met = "≥ 0.6 of the bare route: met";
        assert!(text.contains(&format!("| 64 | 70,000 | 0.70 | 0.100 | 0.500 | 12.0 | {met} |")), "{text}");
        assert!(
            text.contains(
                "1,000 org units, 2,000 users and a group of 4,000 contacts in one tenant, two user groups of 5,000 members in another, beside 3 "
            ),
            "{text}"
        );
        assert!(text.contains("at most 4 MiB of its own"), "{text}");
        assert!(text.contains("| 8 | 1.00 | – |"), "{text}");
        assert!(text.contains("| 4 | 65 (65,000 phones) | – |"), "{text}");
        assert!(text.contains("| ≥ 60,000 phones/s: met |"), "{text}");
        assert!(text.contains("| 1 | 0.25 (250 phones) | 0.00 |"), "{text}");
        assert!(text.contains("| p50 ≤ 5000 ms: met; 10.2 MB more memory, < 20: met |"), "{text}");
        assert!(text.contains("| p50 within 20 % of `user-group-join` (+25 %): **missed** |"), "{text}");
        assert!(text.contains("10 MiB (2 of its own)"), "{text}");
        assert!(text.contains("took 4 % of"), "{text}");
        let json = report.json();
        assert_eq!(json["rows"][2]["of_bare"], json!(0.7));
        assert_eq!(json["rows"][3]["of_bare"], Value::Null);
        assert_eq!(json["rows"][3]["items_per_second"], Value::Null);
        assert_eq!(json["rows"][4]["items_per_second"], json!(65_000.0));
    }
}
