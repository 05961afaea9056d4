//! Lines of what is not measured by requests alone, and how they are shown.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::report::thousands;

/// A line of such a table.
#[derive(Default)]
pub(super) struct Told {
    pub(super) title: String,
    /// What is counted, a second: deliveries, messages, or writes.
    pub(super) per_second: Option<f64>,
    /// Milliseconds of a write, or from a write to the arrival of what follows from it.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
    /// Microseconds of the server for each.
    pub(super) cpu: Option<f64>,
    /// The server's resident memory in KiB: at its start, the most, and at the end.
    pub(super) memory: Option<[u64; 3]>,
    pub(super) level: String,
}

impl Told {
    pub(super) fn json(&self) -> Value {
        json!({
            "row": self.title,
            "per_second": self.per_second,
            "p50_ms": self.p50,
            "p99_ms": self.p99,
            "server_cpu_us": self.cpu,
            "resident_kib": self.memory,
            "level": self.level,
        })
    }
}

/// A table, in Markdown, of what the head of its first column says.
pub(super) fn text(head: &str, told: &[Told]) -> String {
    let mut text = format!(
        "| {head} | A second | p50 ms | p99 ms | Server CPU µs each | Server MiB: start, most, end | Level |\n\
         |---|--:|--:|--:|--:|--:|---|\n"
    );
    let shown =
        |number: Option<f64>, digits| number.map_or(String::new(), |number| format!("{number:.digits$}"));
    for row in told {
        let memory =
            row.memory.map_or(String::new(), |memory| memory.map(|kib| (kib / 1024).to_string()).join(", "));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {memory} | {} |",
            row.title,
            row.per_second.map_or(String::new(), |rate| thousands(&format!("{rate:.0}"))),
            shown(row.p50, 3),
            shown(row.p99, 3),
            shown(row.cpu, 1),
            row.level,
        );
    }
    text
}
