//! Writing a contact group as CSV.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use muster_api::contact_csv::Writer;
use muster_domain::ContactId;

use super::files::Draft;
use super::{STANDARD, find, is_standard};
use crate::cli::StoreArgs;
use crate::cli::explain::explain;
use crate::cli::output::{bar, note};
use crate::cli::tenant;

/// Contacts that are read at once.
const STEP: u32 = 5000;

#[derive(Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: String,
    /// The group's id, or its name.
    #[arg(long, env = "MUSTER_GROUP")]
    group: String,
    /// The file to make; it must not be there. It has its name when it is complete. `-` is standard output.
    #[arg(default_value = STANDARD)]
    file: PathBuf,
}

pub(super) async fn run(args: ExportArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = tenant::find(&directory, &args.tenant).await?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    let group = find(&directory, &ctx, &args.group).await?;
    let shown = args.file.display();
    let (draft, to): (_, Box<dyn Write + Send>) = if is_standard(&args.file) {
        (None, Box::new(io::stdout()))
    } else if args.file.exists() {
        bail!("{shown} is there already; an export never overwrites");
    } else {
        let (draft, file) = Draft::begin(&args.file).with_context(|| shown.to_string())?;
        (Some(draft), Box::new(file))
    };
    let mut writer = Writer::new(BufWriter::new(to));
    writer.header(&group)?;
    let bar = bar("contacts", group.contacts);
    let (mut after, mut written) = (ContactId(0), 0_u64);
    loop {
        let contacts = directory.contacts_after(&ctx, group.id, after, STEP).await.map_err(explain)?;
        let Some(last) = contacts.last() else {
            break;
        };
        after = last.id;
        writer.contacts(&contacts)?;
        written += contacts.len() as u64;
        bar.set_position(written);
    }
    writer.finish()?.flush()?;
    if let Some(draft) = draft {
        draft.complete().with_context(|| shown.to_string())?;
    }
    bar.finish_and_clear();
    directory.store.close().await;
    note(format!("{written} contacts of group {} ({}) were exported.", group.id, group.name));
    Ok(())
}
