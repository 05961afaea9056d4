//! Which carriers there are, as a file of the operator says.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;
use muster_carrier::Config;

/// The carriers of messages.
#[derive(Args, Clone, Debug)]
pub(crate) struct CarrierArgs {
    /// A TOML file that names those who carry messages, and which messages go by whom. [default: a sandbox, which carries
    /// nothing and says that it did]
    #[arg(long, env = "MUSTER_CARRIERS", value_name = "FILE")]
    carriers: Option<PathBuf>,
}

impl CarrierArgs {
    /// The configuration; the error names every value that cannot be used.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let Some(path) = &self.carriers else {
            return Ok(Config::default());
        };
        let text = fs::read_to_string(path).with_context(|| format!("carriers file {}", path.display()))?;
        Config::parse(&text).map_err(|faults| {
            let faults: Vec<String> =
                faults.iter().map(|fault| fault.to_string().trim_start_matches(": ").to_owned()).collect();
            anyhow!("carriers file {}: {}", path.display(), faults.join("; "))
        })
    }
}
