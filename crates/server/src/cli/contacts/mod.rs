//! `muster import contacts` and `muster export contacts`.

mod chunk;
mod columns;
mod errors;
mod export;
mod files;
mod import;
mod rows;
mod source;

use std::path::Path;

use anyhow::bail;
use clap::Subcommand;
use muster_domain::contact::{ContactGroup, ContactStore as _};
use muster_domain::{ContactGroupId, Ctx, Directory, Error, Slice, text};
use muster_store::Store;

use super::explain::explain;

#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    /// Put the rows of a CSV file into a contact group. A number that stands in the group already is updated, so the
    /// same file can be imported again, also after an import that was broken off: it goes on where that ended.
    Contacts(Box<import::ImportArgs>),
}

#[derive(Subcommand)]
pub(crate) enum ExportCommand {
    /// Write a contact group as CSV, in the form that `muster import contacts` reads.
    Contacts(export::ExportArgs),
}

pub(crate) async fn import(command: ImportCommand) -> anyhow::Result<()> {
    let ImportCommand::Contacts(args) = command;
    import::run(*args).await
}

pub(crate) async fn export(command: ExportCommand) -> anyhow::Result<()> {
    let ExportCommand::Contacts(args) = command;
    export::run(args).await
}

/// Stands for standard input or output.
const STANDARD: &str = "-";

fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD)
}

/// Groups that are read at once.
const PAGE: u32 = 500;

/// The group that is meant by an id, or by a name that no other group has.
async fn find(directory: &Directory<Store>, ctx: &Ctx, meant: &str) -> anyhow::Result<ContactGroup> {
    let by_id = match meant.trim().parse() {
        Ok(id) => match directory.contact_group_get(ctx, ContactGroupId(id)).await {
            Ok(group) => Some(group),
            Err(Error::NotFound(_)) => None,
            Err(error) => return Err(explain(error)),
        },
        Err(_) => None,
    };
    let mut named = named(directory, ctx, meant).await?;
    let ids: Vec<String> = named.iter().map(|group| group.id.to_string()).collect();
    let ids = ids.join(", ");
    match (by_id, named.len()) {
        (Some(group), _) if named.iter().all(|named| named.id == group.id) => Ok(group),
        (Some(group), _) => bail!(
            "{meant:?} is the id of the contact group {:?}, and the name of another; say that by its id ({ids}), or \
             this by its name",
            group.name
        ),
        (None, 0) => bail!("there is no contact group {meant:?}; `--new-group` makes one of this name"),
        (None, 1) => Ok(named.remove(0)),
        (None, _) => bail!("several contact groups are named {meant:?}; say which by its id: {ids}"),
    }
}

/// All groups of a name.
async fn named(directory: &Directory<Store>, ctx: &Ctx, name: &str) -> anyhow::Result<Vec<ContactGroup>> {
    let key = text::key(&text::normalize(name));
    let mut found = Vec::new();
    let mut offset = 0;
    loop {
        let slice = Slice { limit: PAGE, offset };
        let page = directory.store.contact_groups(ctx.tenant(), ctx.now(), slice).await?;
        if page.items.is_empty() {
            return Ok(found);
        }
        offset += u64::from(PAGE);
        found.extend(page.items.into_iter().filter(|group| text::key(&group.name) == key));
    }
}
