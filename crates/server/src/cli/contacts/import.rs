//! Reading a CSV file into a contact group.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use clap::builder::BoolishValueParser;
use muster_domain::contact::{Added, Contact, ContactGroup, ContactGroupPatch, Expect, Taken, limits};
use muster_domain::{Ctx, Directory, Error, FieldError, Patch, text};
use muster_store::Store;
use serde_json::json;

use super::chunk::{self, BadRow, Chunk, Layout};
use super::columns::{ColumnArgs, Columns, Labels};
use super::errors::Errors;
use super::rows::{Encoding, Row, Rows};
use super::source::{self, Lines};
use super::{find, is_standard, named};
use crate::cli::StoreArgs;
use crate::cli::explain::{explain, problem};
use crate::cli::output::line;
use crate::cli::tenant;

#[derive(Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The CSV file. `-` is standard input.
    file: PathBuf,
    /// The tenant's id, or its name.
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: String,
    /// The id of the group, or its name.
    #[arg(long, env = "MUSTER_GROUP", required_unless_present = "new_group")]
    group: Option<String>,
    /// Make a group of this name, with the labels that the file has.
    #[arg(long, env = "MUSTER_NEW_GROUP", conflicts_with = "group", value_name = "NAME")]
    new_group: Option<String>,
    #[command(flatten)]
    columns: ColumnArgs,
    /// The first row is a contact like the others: the columns are phone, a to e and `callback_data` in this order,
    /// unless options name them by their places.
    #[arg(long, env = "MUSTER_NO_HEADER", value_parser = BoolishValueParser::new())]
    no_header: bool,
    /// What stands between the columns: one character, or `tab`. [default: what the first line has most of]
    #[arg(long, env = "MUSTER_DELIMITER", value_parser = delimiter)]
    delimiter: Option<u8>,
    #[arg(long, env = "MUSTER_ENCODING", default_value = "utf-8")]
    encoding: Encoding,
    /// Say what would be done, and which rows are bad; write nothing to the group.
    #[arg(long, env = "MUSTER_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,
    /// Where bad rows are told, as CSV: line, column, reason. [default: the file's name and `.errors.csv`]
    #[arg(long, env = "MUSTER_ERRORS", value_name = "FILE")]
    errors: Option<PathBuf>,
    /// Print the result as one JSON object.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

fn delimiter(given: &str) -> Result<u8, String> {
    match given.as_bytes() {
        _ if given == "tab" || given == "\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err("one character such as ; or the word tab".to_owned()),
    }
}

pub(super) async fn run(args: ImportArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.bulk_directory().await?;
    let tenant = tenant::find(&directory, &args.tenant).await?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    let group = target(&directory, &ctx, &args).await?;
    let labels = group.as_ref().map_or_else(Labels::default, |group| group.labels.clone());

    let (file, bar) = source::open(&args.file)?;
    let mut rows = source::begin(file, args.delimiter, args.encoding)?;
    let (first, header, columns) = if args.no_header {
        let (first, count) = without_header(&mut rows, &args.file)?;
        (first, None, Columns::by_place(count, &args.columns)?)
    } else {
        let header = match rows.next()? {
            None => bail!("{} is empty", args.file.display()),
            Some(Row { cells: Ok(header), .. }) => header,
            Some(Row { cells: Err(broken), .. }) => bail!("the header cannot be read: {broken}"),
        };
        let columns = Columns::by_header(&header, &args.columns, &labels)?;
        (Vec::new(), Some(header), columns)
    };
    let errors = Errors::new(errors_path(&args), &args.file)?;
    let group = match group {
        Some(group) => Some(with_labels(&directory, &ctx, group, &columns, args.dry_run).await?),
        None if args.dry_run => None,
        None => Some(new_group(&directory, &ctx, &args, &columns).await?),
    };

    let names = header.unwrap_or_else(|| {
        columns.parts.iter().map(|part| part.map_or(String::new(), |part| part.name().to_owned())).collect()
    });
    let layout = Arc::new(Layout { columns, names, country: tenant.country.clone() });
    let mut import = Import {
        directory: &directory,
        ctx,
        tenant: tenant.name,
        group,
        dry_run: args.dry_run,
        seen: Seen::default(),
        errors,
        layout: Arc::clone(&layout),
        expect: Expect::AllNew,
        counts: Counts::default(),
    };
    let mut chunks = chunk::read(first, rows, layout);
    while let Some(chunk) = chunks.recv().await {
        import.write(chunk.with_context(|| args.file.display().to_string())?).await?;
    }
    bar.finish_and_clear();
    directory.store.close().await;
    import.tell(args.json)
}

/// The first rows of a file without a header, up to one that can be read, and how many cells that has.
fn without_header(rows: &mut Rows<Lines>, file: &Path) -> anyhow::Result<(Vec<Row>, usize)> {
    let mut first = Vec::new();
    while first.len() < chunk::STEP
        && let Some(row) = rows.next()?
    {
        let count = row.cells.as_ref().map(Vec::len).ok();
        first.push(row);
        if let Some(count) = count {
            return Ok((first, count));
        }
    }
    match first.first() {
        Some(Row { line, cells: Err(broken) }) => {
            bail!("none of the first {} rows can be read; line {line}: {broken}", first.len())
        }
        _ => bail!("{} is empty", file.display()),
    }
}

/// The group that is there, or `None` for one that is to be made.
async fn target(
    directory: &Directory<Store>,
    ctx: &Ctx,
    args: &ImportArgs,
) -> anyhow::Result<Option<ContactGroup>> {
    if let Some(meant) = &args.group {
        return find(directory, ctx, meant).await.map(Some);
    }
    let name = args.new_group.as_deref().unwrap_or_default();
    text::required(name, limits::NAME).map_err(|problem| explain(Error::field("new_group", problem)))?;
    // An import that was broken off must not make a second group.
    if !named(directory, ctx, name).await?.is_empty() {
        bail!("there is a contact group named {name:?}; --group imports into it");
    }
    Ok(None)
}

async fn new_group(
    directory: &Directory<Store>,
    ctx: &Ctx,
    args: &ImportArgs,
    columns: &Columns,
) -> anyhow::Result<ContactGroup> {
    let name = text::normalize(args.new_group.as_deref().unwrap_or_default());
    let labels = columns.labels.clone().map(|label| label.map_or(Patch::Keep, Patch::Set));
    let patch = ContactGroupPatch { name: Some(name), labels, ..ContactGroupPatch::default() };
    directory.contact_group_create(ctx, patch.into()).await.map_err(explain)
}

/// The group with the labels that only the file has.
async fn with_labels(
    directory: &Directory<Store>,
    ctx: &Ctx,
    group: ContactGroup,
    columns: &Columns,
    dry_run: bool,
) -> anyhow::Result<ContactGroup> {
    if dry_run {
        return Ok(group);
    }
    let labels = columns.labels.clone().map(|label| label.map_or(Patch::Keep, Patch::Set));
    let patch = ContactGroupPatch { labels, ..ContactGroupPatch::default() };
    directory.contact_group_update(ctx, group, patch.into(), None).await.map_err(explain)
}

fn errors_path(args: &ImportArgs) -> PathBuf {
    args.errors.clone().unwrap_or_else(|| {
        let name = if is_standard(&args.file) { Path::new("import") } else { &args.file };
        let mut name = name.as_os_str().to_owned();
        name.push(".errors.csv");
        name.into()
    })
}

#[derive(Default)]
struct Counts {
    rows: u64,
    added: u64,
    updated: u64,
    unchanged: u64,
    bad: u64,
    national: u64,
}

/// One import on its way.
struct Import<'a> {
    directory: &'a Directory<Store>,
    ctx: Ctx,
    /// What the tenant is called.
    tenant: String,
    group: Option<ContactGroup>,
    dry_run: bool,
    seen: Seen,
    errors: Errors,
    layout: Arc<Layout>,
    /// As long as nothing was there, nothing is thought to be.
    expect: Expect,
    counts: Counts,
}

impl Import<'_> {
    async fn write(&mut self, chunk: Chunk) -> anyhow::Result<()> {
        let Chunk { lines, wishes, mut bad, national } = chunk;
        self.counts.national += national;
        self.counts.rows += (lines.len() + bad.len()) as u64;
        let group = self.group.as_ref().map(|group| group.id);
        let done = match group {
            Some(group) if !self.dry_run => {
                self.directory.contacts_add(&self.ctx, group, wishes, Taken::Update, self.expect).await
            }
            _ => self.directory.contacts_preview(&self.ctx, group, wishes, Taken::Update).await,
        };
        for (line, done) in lines.into_iter().zip(done.map_err(explain)?) {
            let problems = match done {
                Ok(added) => {
                    self.count(&added);
                    continue;
                }
                Err(Error::Invalid(fields)) => {
                    let told =
                        |error: &FieldError| (self.layout.name_of(&error.field), problem(&error.problem));
                    fields.iter().map(told).collect()
                }
                Err(other) => vec![(String::new(), explain(other).to_string())],
            };
            bad.push(BadRow { line, problems });
        }
        bad.sort_by_key(|row| row.line);
        for BadRow { line, problems } in bad {
            self.counts.bad += 1;
            for (column, reason) in problems {
                self.errors.tell(line, &column, &reason)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, added: &Added) {
        let seen = match added {
            Added::Created(contact) if self.dry_run => self.seen.put(contact),
            _ => None,
        };
        match (added, seen) {
            (Added::Created(_), None) => self.counts.added += 1,
            (Added::Created(_), Some(false)) | (Added::Updated(_), _) => self.counts.updated += 1,
            (Added::Created(_), Some(true)) | (Added::Unchanged(_), _) => self.counts.unchanged += 1,
        }
        if !matches!(added, Added::Created(_)) {
            self.expect = Expect::Any;
        }
    }

    fn tell(mut self, as_json: bool) -> anyhow::Result<()> {
        self.errors.finish()?;
        let Counts { rows, added, updated, unchanged, bad, national } = self.counts;
        let country = &self.layout.country;
        let group = self.group.as_ref().map(|group| group.id.0);
        if as_json {
            line(json!({
                "group_id": group, "rows": rows, "added": added, "updated": updated, "unchanged": unchanged,
                "bad": bad, "national": national, "country": country, "dry_run": self.dry_run,
                "errors": (bad > 0).then_some(&self.errors.path),
            }))?;
        } else {
            let would = if self.dry_run { " (a dry run: nothing was written)" } else { "" };
            let group = group.map_or_else(|| "a new group".to_owned(), |id| format!("group {id}"));
            line(format!(
                "{rows} rows for {group}{would}: {added} added, {updated} updated, {unchanged} unchanged, {bad} bad"
            ))?;
            if self.dry_run || national > 0 {
                line(format!(
                    "National numbers are read as those of {country} (tenant {}); of the rows, {national} have one.",
                    self.tenant
                ))?;
            }
        }
        if bad > 0 {
            bail!("{bad} rows were left out; {} says why", self.errors.path.display());
        }
        Ok(())
    }
}

/// The numbers that a dry run has met and what it would have made of them, by their hashes.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    hashes: HashMap<u64, u64>,
}

impl Seen {
    /// Whether the number was met with the same contents; `None` when it was not met.
    fn put(&mut self, contact: &Contact) -> Option<bool> {
        let contents = self.hasher.hash_one((&contact.columns, &contact.callback_data));
        self.hashes
            .insert(self.hasher.hash_one(contact.phone.as_str()), contents)
            .map(|before| before == contents)
    }
}
