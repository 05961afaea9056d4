//! Structured logs on standard error.

use std::io::{IsTerminal as _, stderr};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging; `filter` is a level (`info`) or directives (`muster::request=off,info`).
fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("the log filter {filter:?}"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let started = match format {
        LogFormat::Text => builder.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging: {error}"))
}

/// How the log is written.
#[derive(Args)]
pub(crate) struct LogArgs {
    /// How the log is written to standard error.
    #[arg(long, env = "MUSTER_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// What is logged: a level, or directives such as `muster::request=off,info`.
    #[arg(long, env = "MUSTER_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

impl LogArgs {
    /// Starts the log.
    pub(crate) fn start(&self) -> anyhow::Result<()> {
        start(self.log_format, &self.log)
    }
}
