//! The configuration file: a TOML file whose keys are the long flags. A flag on the command line wins
//! over its environment variable, that over the file, and that over the default.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Command;
use toml::{Table, Value};

/// The file that `--config FILE` or `MUSTER_CONFIG` names, before the flags are parsed.
pub(crate) fn path(args: impl Iterator<Item = String>) -> Option<PathBuf> {
    let mut args = args.skip(1);
    while let Some(arg) = args.next() {
        if arg == "--config" {
            return args.next().map(PathBuf::from);
        }
        if let Some(path) = arg.strip_prefix("--config=") {
            return Some(PathBuf::from(path));
        }
    }
    env::var_os("MUSTER_CONFIG").map(PathBuf::from)
}

/// Makes the values of the file the defaults of the flags of the same names, in every command.
pub(crate) fn apply(command: Command, path: &PathBuf) -> anyhow::Result<Command> {
    let text = fs::read_to_string(path).with_context(|| format!("configuration file {}", path.display()))?;
    let table: Table = text.parse().with_context(|| format!("configuration file {}", path.display()))?;
    let mut values = Vec::new();
    for (key, value) in &table {
        let flag = key.replace('_', "-");
        if !has_flag(&command, &flag) {
            bail!("configuration file {}: there is no setting {key:?}", path.display());
        }
        let texts = texts(value).with_context(|| {
            format!("configuration file {}: {key} must be one value or a list", path.display())
        })?;
        values.push((flag, texts));
    }
    Ok(with_defaults(command, &values))
}

fn has_flag(command: &Command, flag: &str) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some(flag))
        || command.get_subcommands().any(|sub| has_flag(sub, flag))
}

fn texts(value: &Value) -> Option<Vec<String>> {
    Some(match value {
        Value::String(text) => vec![text.clone()],
        Value::Integer(number) => vec![number.to_string()],
        Value::Boolean(truth) => vec![truth.to_string()],
        Value::Array(items) => {
            let items: Option<Vec<Vec<String>>> = items.iter().map(texts).collect();
            items?.concat()
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => return None,
    })
}

fn with_defaults(command: Command, values: &[(String, Vec<String>)]) -> Command {
    command
        .mut_args(|arg| {
            let found = values.iter().find(|(flag, _)| arg.get_long() == Some(flag));
            match found {
                Some((_, texts)) => arg.default_values(texts.clone()).required(false),
                None => arg,
            }
        })
        .mut_subcommands(|sub| with_defaults(sub, values))
}
