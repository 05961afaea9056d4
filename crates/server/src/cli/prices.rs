//! `muster prices`: the operator's price table.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use muster_domain::message::PriceTable;

use super::StoreArgs;
use super::explain::explain;
use super::output::{line, note};

/// The longest file that is read, in bytes: a table of every country in many currencies has some hundred kilobytes.
const MOST: u64 = 8 * 1024 * 1024;

#[derive(Subcommand)]
pub(crate) enum PricesCommand {
    /// Put a price table in the place of the one before: whole, or not at all if anything in it is wrong.
    ///
    /// The file is CSV with a head: country,name,currency,s,m,l,xl and, if wanted, requirements. Prices are those of one part of
    /// a message in the four tiers. A country that is not in the table in a tenant's currency has no operator for it.
    Import(ImportArgs),
    /// Write the price table as CSV to standard output.
    Export(StoreArgs),
    /// Remove the price table: no message costs anything.
    Remove(StoreArgs),
}

#[derive(Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The file; `-` is standard input.
    file: PathBuf,
    /// Only say whether it could be taken.
    #[arg(long, env = "MUSTER_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,
}

pub(crate) async fn run(command: PricesCommand) -> anyhow::Result<()> {
    match command {
        PricesCommand::Import(args) => import(args).await,
        PricesCommand::Export(store) => export(store).await,
        PricesCommand::Remove(store) => remove(store).await,
    }
}

async fn import(args: ImportArgs) -> anyhow::Result<()> {
    let shown = args.file.display().to_string();
    let table = match PriceTable::from_csv(&read(&args.file).with_context(|| shown.clone())?) {
        Ok(table) => table,
        Err(errors) => {
            for error in &errors {
                note(format!("{shown}: {error}"));
            }
            bail!("nothing was changed");
        }
    };
    let prices = table.iter().count();
    if prices == 0 {
        bail!("{shown} has no prices; `muster prices remove` makes messages free");
    }
    if args.dry_run {
        return line(format!("{prices} prices could be taken."));
    }
    let (directory, _) = args.store.directory().await?;
    directory.prices_load(Some(table)).await.map_err(explain)?;
    directory.store.close().await;
    line(format!("{prices} prices hold from now on."))
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(MOST + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(MOST + 1).read_to_end(&mut bytes)?;
    }
    if u64::try_from(bytes.len())? > MOST {
        bail!("it is larger than {} MiB: that is no price table", MOST / 1024 / 1024);
    }
    Ok(bytes)
}

async fn export(store: StoreArgs) -> anyhow::Result<()> {
    let (directory, _) = store.directory().await?;
    let prices = directory.price_list(None, None).await.map_err(explain)?;
    directory.store.close().await;
    let Some(prices) = prices else {
        bail!("there is no price table: no message costs anything");
    };
    let csv = PriceTable::new(prices).to_csv();
    line(csv.trim_end_matches('\n'))
}

async fn remove(store: StoreArgs) -> anyhow::Result<()> {
    let (directory, _) = store.directory().await?;
    directory.prices_load(None).await.map_err(explain)?;
    directory.store.close().await;
    line("No message costs anything from now on.")
}
