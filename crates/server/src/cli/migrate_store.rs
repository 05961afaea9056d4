//! `muster migrate-store`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use indicatif::ProgressBar;
use muster_domain::secret::hex;
use muster_store::{Limits, Step, Sum};
use serde_json::json;

use super::StoreArgs;
use super::output::{bar, line, note};
use crate::system::{SystemClock, SystemEntropy};

/// Copy the whole store into another one: from a file into PostgreSQL, or back, or into another of its kind. Everything
/// stays valid there: ids, versions, journal, passwords, credentials and sessions; the server key goes along. No server
/// may run on either of them; nobody writes to the source meanwhile. In the end everything is read back and compared.
///
/// The target must be empty. A copy that was broken off goes on when the same command is started again; until it is
/// complete, nothing else opens the target. The source stays as it is.
#[derive(Args)]
pub(crate) struct MigrateStoreArgs {
    /// The database that is copied: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    #[arg(long, env = "MUSTER_FROM", value_name = "URL")]
    from: String,
    /// The database that it is copied to.
    #[arg(long, env = "MUSTER_TO", value_name = "URL")]
    to: String,
    /// The folder of the source's server key. The environment variable `MUSTER_SECRET_KEY` gives the key of both.
    /// [default: the folder of the database file, or muster-data]
    #[arg(long, env = "MUSTER_FROM_DATA_DIR", value_name = "FOLDER")]
    from_data_dir: Option<PathBuf>,
    /// The folder that the server key is copied to, if it is not there.
    /// [default: the folder of the database file, or muster-data]
    #[arg(long, env = "MUSTER_TO_DATA_DIR", value_name = "FOLDER")]
    to_data_dir: Option<PathBuf>,
    /// Print one JSON object for each table and tenant, and one for the whole.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

pub(crate) async fn run(args: MigrateStoreArgs) -> anyhow::Result<()> {
    let from = StoreArgs { database: args.from, data_dir: args.from_data_dir };
    let to = StoreArgs { database: args.to, data_dir: args.to_data_dir };
    let mut told = Told { json: args.json, bar: bar("", 0), rows: 0, there: 0, written: 0 };
    let mut outcome = Ok(());
    muster_store::migrate_store(
        &from.options(false, true, Limits::default()),
        &to.options(true, true, Limits::default()),
        &SystemClock,
        &SystemEntropy,
        &mut |step| {
            if outcome.is_ok() {
                outcome = told.tell(&step);
            }
        },
    )
    .await?;
    outcome?;
    told.end(&to)
}

/// What is told of a copy.
struct Told {
    json: bool,
    bar: ProgressBar,
    /// In the source, in the target before, and written by now.
    rows: u64,
    there: u64,
    written: u64,
}

impl Told {
    fn tell(&mut self, step: &Step<'_>) -> anyhow::Result<()> {
        match *step {
            Step::Begun { rows, there } => {
                (self.rows, self.there, self.written) = (rows, there, 0);
                // Each row is copied, and then read back.
                self.bar.set_length(2 * rows);
                self.bar.set_position(there);
                self.bar.reset_eta();
                if there > 0 {
                    self.bar.suspend(|| note(format!("Of {rows} rows {there} are there: the copy goes on.")));
                }
            }
            Step::Anew => self.bar.suspend(|| {
                note(
                    "The source is not what it was when the copy was broken off: everything is copied anew.",
                );
            }),
            Step::Copied { table, tenant, rows } => {
                self.written += rows;
                let of = tenant.map(|tenant| format!(", tenant {tenant}")).unwrap_or_default();
                self.bar.set_message(format!("copying {table}{of}"));
                self.bar.inc(rows);
            }
            Step::Verified { table, rows, sums } => {
                self.bar.set_message(format!("comparing {table}"));
                self.bar.inc(rows);
                return self.bar.suspend(|| sums_of(self.json, table, rows, sums));
            }
            Step::Completing => self.bar.set_message("completing the target"),
        }
        Ok(())
    }

    fn end(self, to: &StoreArgs) -> anyhow::Result<()> {
        let seconds = self.bar.elapsed().as_secs_f64();
        self.bar.finish_and_clear();
        let Self { rows, there, written, .. } = self;
        let (target, key) = (to.shown(), to.key_place());
        if self.json {
            return line(json!({
                "rows": rows, "there_before": there, "written": written, "seconds": seconds, "target": target,
                "server_key": key,
            }));
        }
        line(format!(
            "The store is copied to {target}: {rows} rows, of which {written} were written now, in {seconds:.1} s. Both \
             stores have the same.\nIts server key is in {key}. From now on let no server use the store of before."
        ))
    }
}

/// What was found to be the same in both stores.
fn sums_of(as_json: bool, table: &str, rows: u64, sums: &[Sum]) -> anyhow::Result<()> {
    if !as_json {
        let tenants = sums.iter().filter(|sum| sum.tenant.is_some()).count();
        return line(match tenants {
            0 => format!("{table}: {rows} rows"),
            1 => format!("{table}: {rows} rows of 1 tenant"),
            _ => format!("{table}: {rows} rows of {tenants} tenants"),
        });
    }
    sums.iter().try_for_each(|sum| {
        let tenant = sum.tenant.map(|tenant| tenant.0);
        line(json!({"table": table, "tenant_id": tenant, "rows": sum.rows, "sha256": hex(&sum.sha256)}))
    })
}
