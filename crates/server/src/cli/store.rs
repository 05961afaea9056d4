//! `muster backup`, `restore`, `doctor` and `key rotate`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use serde_json::json;

use super::StoreArgs;
use super::output::{bar, line, spinner};
use crate::system::{SystemClock, SystemEntropy};

/// Copy the whole store, as it is at one moment, to a new file. It works while a server is running. The server
/// key is not in it: keep that too, in another place.
#[derive(Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The file to make; it must not be there.
    file: PathBuf,
}

/// Put a backup in the place of the store. No server and no worker may run, and the server key has to be the one that the store
/// had when the backup was made.
#[derive(Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The backup.
    file: PathBuf,
    /// Take a store that is there out of the way: it is kept beside the new one, as `….before-restore`.
    #[arg(long, env = "MUSTER_REPLACE", value_parser = BoolishValueParser::new())]
    replace: bool,
}

/// Look for what must never be in a store: a broken tree, counts that disagree, gaps in the journal, indexes that
/// do not fit their rows, secrets that do not open. It works while a server is running, tells what it finds, and fails
/// if that is anything.
#[derive(Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON object for each finding.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Seal every secret of the store under a new server key, which takes the place of the present one. No server
    /// and no worker may run. The key of before is kept beside it, since backups of before need it.
    Rotate(RotateArgs),
}

#[derive(Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The new key, as 64 hexadecimal characters. Better given in the environment. [default: a random one]
    #[arg(long, env = "MUSTER_NEW_SECRET_KEY", hide_env_values = true, value_name = "HEX")]
    new_secret_key: Option<String>,
}

pub(crate) async fn backup(args: BackupArgs) -> anyhow::Result<()> {
    if args.file.exists() {
        bail!("{} is there already; a backup is never overwritten", args.file.display());
    }
    let (directory, _) = args.store.directory().await?;
    let bar = bar("copying", directory.store.size());
    let partial = muster_store::partial(&args.file);
    let copy = directory.store.backup(args.file.clone());
    tokio::pin!(copy);
    loop {
        tokio::select! {
            done = &mut copy => break done.context("the backup")?,
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                bar.set_position(std::fs::metadata(&partial).map_or(0, |file| file.len()));
            }
        }
    }
    bar.finish_and_clear();
    directory.store.close().await;
    line(format!(
        "The store is copied to {}.\nThe copy is of no use without the server key ({}): keep that too, in another place.",
        args.file.display(),
        args.store.key_place()
    ))
}

pub(crate) fn restore(args: &RestoreArgs) -> anyhow::Result<()> {
    let spinner = spinner().with_message("checking and copying");
    let options = args.store.options(true, true, muster_store::Limits::default());
    let aside = muster_store::restore(&options, &args.file, args.replace, &SystemEntropy)?;
    spinner.finish_and_clear();
    line(format!("{} is restored to {}.", args.file.display(), args.store.shown()))?;
    if let Some(aside) = aside {
        line(format!("The store of before is kept as {}.", aside.display()))?;
    }
    Ok(())
}

pub(crate) async fn doctor(args: DoctorArgs) -> anyhow::Result<()> {
    let (directory, key) = args.store.directory().await?;
    let spinner = spinner();
    let shown = spinner.clone();
    let progress = move |what: &str| shown.set_message(format!("looking at {what}"));
    let findings = directory.store.doctor(key, progress).await?;
    spinner.finish_and_clear();
    directory.store.close().await;
    for finding in &findings {
        let tenant = finding.tenant.map(|tenant| tenant.0);
        line(match (args.json, tenant) {
            (true, _) => json!({"tenant_id": tenant, "finding": finding.what}).to_string(),
            (false, Some(tenant)) => format!("tenant {tenant}: {}", finding.what),
            (false, None) => finding.what.clone(),
        })?;
    }
    if !findings.is_empty() {
        bail!(
            "{}: something has changed the store behind muster's back, or muster has a fault",
            if findings.len() == 1 { "1 finding".to_owned() } else { format!("{} findings", findings.len()) }
        );
    }
    if args.json { Ok(()) } else { line("Nothing is wrong with the store.") }
}

pub(crate) async fn key(command: &KeyCommand) -> anyhow::Result<()> {
    let KeyCommand::Rotate(args) = command;
    let options = args.store.options(false, true, muster_store::Limits::default());
    let given = args.new_secret_key.as_deref();
    let done = muster_store::rotate_key(&options, given, &SystemClock, &SystemEntropy).await?;
    line(format!(
        "The server key is a new one ({}); {} sealed under it.",
        args.store.key_place(),
        if done.secrets == 1 { "1 secret is".to_owned() } else { format!("{} secrets are", done.secrets) }
    ))?;
    line(match done.kept {
        Some(kept) => {
            format!("Backups of before need the key of before, which is kept as {}.", kept.display())
        }
        None => "Set MUSTER_SECRET_KEY to it now. Backups of before need the key of before.".to_owned(),
    })
}
