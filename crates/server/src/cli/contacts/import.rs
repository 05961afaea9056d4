//! Reading a CSV file into a contact group.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use clap::builder::BoolishValueParser;
use muster_api::contact_csv::unguarded;
use muster_domain::contact::{Added, ContactGroup, ContactGroupPatch, ContactPatch, Taken, limits};
use muster_domain::{Ctx, Directory, Draft, Error, FieldError, Patch, Problem, text};
use muster_store::Store;
use serde_json::json;

use super::columns::{ColumnArgs, Columns, Labels, Part};
use super::errors::Errors;
use super::rows::{Broken, Encoding, Row};
use super::{find, is_standard, source};
use crate::cli::StoreArgs;
use crate::cli::explain::{explain, problem};
use crate::cli::output::line;
use crate::cli::tenant;

/// Rows that are written at once: enough to share the cost of a commit, few enough to keep no other writer waiting.
const STEP: usize = 5000;

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
    let (directory, _) = args.store.directory()?;
    let tenant = tenant::find(&directory, &args.tenant).await?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    let group = target(&directory, &ctx, &args).await?;
    let labels = group.as_ref().map_or_else(Labels::default, |group| group.labels.clone());

    let (file, bar) = source::open(&args.file)?;
    let mut rows = source::begin(file, args.delimiter, args.encoding)?;
    let (first, header) = match rows.next()? {
        None => bail!("{} is empty", args.file.display()),
        Some(row) if args.no_header => (Some(row), None),
        Some(Row { cells: Ok(header), .. }) => (None, Some(header)),
        Some(Row { cells: Err(broken), .. }) => bail!("the header cannot be read: {}", reason(&broken)),
    };
    let columns = match (&header, &first) {
        (Some(header), _) => Columns::by_header(header, &args.columns, &labels)?,
        (None, Some(Row { cells: Ok(cells), .. })) => Columns::by_place(cells.len(), &args.columns)?,
        (None, _) => bail!("the first row cannot be read"),
    };
    let group = match group {
        Some(group) => Some(with_labels(&directory, &ctx, group, &columns, args.dry_run).await?),
        None if args.dry_run => None,
        None => Some(new_group(&directory, &ctx, &args, &columns).await?),
    };

    let names = header.unwrap_or_else(|| {
        columns.parts.iter().map(|part| part.map_or(String::new(), |part| part.name().to_owned())).collect()
    });
    let mut import = Import {
        directory: &directory,
        ctx,
        group,
        dry_run: args.dry_run,
        seen: Seen::default(),
        errors: Errors::new(errors_path(&args)),
        columns,
        names,
        counts: Counts::default(),
    };
    let mut chunk: Vec<Row> = first.into_iter().collect();
    while let Some(row) = rows.next()? {
        chunk.push(row);
        if chunk.len() == STEP {
            import.write(std::mem::take(&mut chunk)).await?;
        }
    }
    import.write(chunk).await?;
    bar.finish_and_clear();
    directory.store.close().await;
    import.tell(args.json)
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
    if name.parse::<i64>().is_err() && find(directory, ctx, name).await.is_ok() {
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
}

/// One import on its way.
struct Import<'a> {
    directory: &'a Directory<Store>,
    ctx: Ctx,
    group: Option<ContactGroup>,
    dry_run: bool,
    seen: Seen,
    errors: Errors,
    columns: Columns,
    /// What the columns are called.
    names: Vec<String>,
    counts: Counts,
}

impl Import<'_> {
    async fn write(&mut self, rows: Vec<Row>) -> anyhow::Result<()> {
        let mut lines = Vec::with_capacity(rows.len());
        let mut drafts = Vec::with_capacity(rows.len());
        for row in rows {
            self.counts.rows += 1;
            match row.cells {
                Ok(cells) if cells.len() == self.columns.parts.len() => {
                    lines.push(row.line);
                    drafts.push(self.draft(&cells));
                }
                Ok(cells) => {
                    let wanted = self.columns.parts.len();
                    self.bad(
                        row.line,
                        [(String::new(), format!("has {} cells instead of {wanted}", cells.len()))],
                    )?;
                }
                Err(broken) => {
                    let column = match broken {
                        Broken::NotUtf8(at) => self.names.get(at).cloned().unwrap_or_default(),
                        Broken::Open | Broken::Trailing => String::new(),
                    };
                    self.bad(row.line, [(column, reason(&broken).to_owned())])?;
                }
            }
        }
        let group = self.group.as_ref().map(|group| group.id);
        let done = match group {
            Some(group) if !self.dry_run => {
                self.directory.contacts_add(&self.ctx, group, drafts, Taken::Update).await
            }
            _ => self.directory.contacts_preview(&self.ctx, group, drafts, Taken::Update).await,
        };
        for (line, done) in lines.into_iter().zip(done.map_err(explain)?) {
            match done {
                Ok(added) => self.count(&added),
                Err(Error::Invalid(fields)) => {
                    let told = |error: &FieldError| (self.name_of(&error.field), problem(&error.problem));
                    let problems: Vec<(String, String)> = fields.iter().map(told).collect();
                    self.bad(line, problems)?;
                }
                Err(other) => self.bad(line, [(String::new(), explain(other).to_string())])?,
            }
        }
        Ok(())
    }

    fn count(&mut self, added: &Added) {
        let is_new = match added {
            Added::Created(_) => !self.dry_run || self.seen.is_new(added.contact().phone.as_str()),
            Added::Updated(_) | Added::Unchanged(_) => false,
        };
        match added {
            Added::Created(_) if is_new => self.counts.added += 1,
            Added::Created(_) | Added::Updated(_) => self.counts.updated += 1,
            Added::Unchanged(_) => self.counts.unchanged += 1,
        }
    }

    /// The contact in a row. An empty cell clears what is there.
    fn draft(&self, cells: &[String]) -> Draft<ContactPatch> {
        let mut draft = Draft::<ContactPatch>::default();
        for (part, cell) in self.columns.parts.iter().zip(cells) {
            let Some(part) = part else { continue };
            let cell = unguarded(cell);
            let max = match part {
                Part::Phone => limits::PHONE,
                Part::Column(_) => limits::COLUMN,
                Part::CallbackData => limits::CALLBACK_DATA,
            };
            if *part == Part::Phone {
                let number =
                    if cell.trim().is_empty() { Err(Problem::Blank) } else { text::limited(cell, max) };
                draft.value.phone = draft.errors.take(part.name(), number);
                continue;
            }
            let wish = match draft.errors.take(part.name(), text::limited(cell, max)) {
                Some(text) if !text.is_empty() => Patch::Set(text),
                _ => Patch::Clear,
            };
            match part {
                Part::Column(at) => draft.value.columns[*at] = wish,
                Part::Phone | Part::CallbackData => draft.value.callback_data = wish,
            }
        }
        draft
    }

    /// What the file calls a part.
    fn name_of(&self, field: &str) -> String {
        let is_it = |part: &Option<Part>| part.is_some_and(|part| part.name() == field);
        let at = self.columns.parts.iter().position(is_it);
        at.and_then(|at| self.names.get(at)).map_or_else(|| field.to_owned(), Clone::clone)
    }

    /// Tells why a row is left out: columns and reasons.
    fn bad(&mut self, line: u64, problems: impl IntoIterator<Item = (String, String)>) -> anyhow::Result<()> {
        self.counts.bad += 1;
        problems.into_iter().try_for_each(|(column, reason)| self.errors.tell(line, &column, &reason))
    }

    fn tell(mut self, as_json: bool) -> anyhow::Result<()> {
        self.errors.finish()?;
        let Counts { rows, added, updated, unchanged, bad } = self.counts;
        let group = self.group.as_ref().map(|group| group.id.0);
        if as_json {
            line(json!({
                "group_id": group, "rows": rows, "added": added, "updated": updated, "unchanged": unchanged,
                "bad": bad, "dry_run": self.dry_run, "errors": (bad > 0).then_some(&self.errors.path),
            }))?;
        } else {
            let would = if self.dry_run { " (a dry run: nothing was written)" } else { "" };
            let group = group.map_or_else(|| "a new group".to_owned(), |id| format!("group {id}"));
            line(format!(
                "{rows} rows for {group}{would}: {added} added, {updated} updated, {unchanged} unchanged, {bad} bad"
            ))?;
        }
        if bad > 0 {
            bail!("{bad} rows were left out; {} says why", self.errors.path.display());
        }
        Ok(())
    }
}

fn reason(broken: &Broken) -> &'static str {
    match broken {
        Broken::Open => "a quotation mark is not closed",
        Broken::Trailing => "something stands between a closing quotation mark and the end of the cell",
        Broken::NotUtf8(_) => "is not UTF-8; if the file is Latin-1, say --encoding latin-1",
    }
}

/// The numbers that a dry run has met, by their hashes.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    fn is_new(&mut self, phone: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(phone))
    }
}
