//! Which column of a file is which part of a contact.

use anyhow::bail;
use clap::Args;
use muster_api::contact_csv::{CALLBACK_DATA, ID, PHONE, UNLABELLED, unguarded};
use muster_domain::contact::{COLUMN_NAMES, COLUMNS, label};
use muster_domain::text;

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Phone,
    /// The first is 0.
    Column(usize),
    CallbackData,
}

impl Part {
    const ALL: [Self; 7] = [
        Self::Phone,
        Self::Column(0),
        Self::Column(1),
        Self::Column(2),
        Self::Column(3),
        Self::Column(4),
        Self::CallbackData,
    ];

    /// The name in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Phone => PHONE,
            Self::Column(at) => COLUMN_NAMES[at],
            Self::CallbackData => CALLBACK_DATA,
        }
    }

    /// Whether a header is one of the names that always mean this part.
    fn is_named(self, key: &str) -> bool {
        match self {
            Self::Phone | Self::CallbackData => key == self.name(),
            Self::Column(at) => {
                key == self.name()
                    || key == format!("name_{}", self.name())
                    || key == text::key(UNLABELLED[at])
            }
        }
    }
}

/// The columns that the operator names.
#[derive(Args, Debug, Default)]
pub(super) struct ColumnArgs {
    /// The column with the numbers, by its header or its place (from 1). [default: `phone`]
    #[arg(long, env = "MUSTER_PHONE", value_name = "COLUMN")]
    phone: Option<String>,
    /// The column for a. [default: `name_a`, `a`, `col_A`, or the group's label]
    #[arg(long, env = "MUSTER_A", value_name = "COLUMN")]
    a: Option<String>,
    /// The column for b.
    #[arg(long, env = "MUSTER_B", value_name = "COLUMN")]
    b: Option<String>,
    /// The column for c.
    #[arg(long, env = "MUSTER_C", value_name = "COLUMN")]
    c: Option<String>,
    /// The column for d.
    #[arg(long, env = "MUSTER_D", value_name = "COLUMN")]
    d: Option<String>,
    /// The column for e.
    #[arg(long, env = "MUSTER_E", value_name = "COLUMN")]
    e: Option<String>,
    /// The column with what is sent back in events. [default: `callback_data`]
    #[arg(long, env = "MUSTER_CALLBACK_DATA", value_name = "COLUMN")]
    callback_data: Option<String>,
}

impl ColumnArgs {
    fn given(&self) -> impl Iterator<Item = (Part, &str)> {
        let given = [&self.phone, &self.a, &self.b, &self.c, &self.d, &self.e, &self.callback_data];
        Part::ALL.into_iter().zip(given).filter_map(|(part, given)| Some((part, given.as_deref()?)))
    }
}

/// The parts of the columns of a file.
#[derive(Debug)]
pub(super) struct Columns {
    /// What each column is; `None` is passed over.
    pub(super) parts: Vec<Option<Part>>,
    /// Labels that the file has for columns for which the group has none.
    pub(super) labels: [Option<String>; COLUMNS],
}

/// The labels of a group.
pub(super) type Labels = [Option<String>; COLUMNS];

impl Columns {
    /// By the headers: what the operator names; in an exported file its columns by the group's labels, else by their
    /// places; else what is called as a part is, or as the group's label.
    pub(super) fn by_header(header: &[String], args: &ColumnArgs, labels: &Labels) -> anyhow::Result<Self> {
        let header: Vec<&str> = header.iter().map(|cell| unguarded(cell).trim()).collect();
        let mut columns = Self { parts: vec![None; header.len()], labels: Labels::default() };
        let given: Vec<(Part, &str)> = args.given().collect();
        for (part, named) in &given {
            let at = place(&header, named)?;
            columns.take(at, *part)?;
            columns.adopt(*part, header[at], labels);
        }
        if is_exported(&header) {
            columns.parts[7] =
                columns.parts[7].or((!columns.has(Part::CallbackData)).then_some(Part::CallbackData));
            columns.of_export(&header, labels);
        }
        let keys: Vec<String> = header.iter().map(|cell| text::key(cell)).collect();
        for (at, key) in keys.iter().enumerate() {
            if columns.parts[at].is_some() {
                continue;
            }
            let labelled = |part: &Part| match part {
                Part::Column(at) => labels[*at].as_ref().is_some_and(|label| text::key(label.trim()) == *key),
                _ => false,
            };
            let free = |part: &Part| !columns.has(*part);
            let is_given = |part: &Part| given.iter().any(|(known, _)| known == part);
            let fixed = [Part::Phone, Part::CallbackData].into_iter();
            let fixed = fixed.filter(|part| !is_given(part)).find(|part| part.is_named(key));
            let labelled = || Part::ALL.into_iter().filter(labelled).find(free);
            let named = || Part::ALL.into_iter().find(|part| part.is_named(key) && free(part));
            if let Some(part) = fixed.or_else(labelled).or_else(named) {
                columns.take(at, part)?;
            }
        }
        columns.complete(&header)
    }

    /// Of a file without a header with so many columns: as in an exported file if there are as many, else phone, a to
    /// e, and `callback_data` in this order, unless the operator says otherwise.
    pub(super) fn by_place(count: usize, args: &ColumnArgs) -> anyhow::Result<Self> {
        let mut columns = Self { parts: vec![None; count], labels: Labels::default() };
        let given: Vec<(Part, &str)> = args.given().collect();
        for (part, named) in &given {
            columns.take(place(&vec![""; count], named)?, *part)?;
        }
        if given.is_empty() {
            let first = usize::from(count == Part::ALL.len() + 1);
            for (at, part) in Part::ALL.into_iter().enumerate().take(count.saturating_sub(first)) {
                columns.take(first + at, part)?;
            }
        }
        columns.complete(&[])
    }

    /// The columns of an exported file, beside what the operator names.
    fn of_export(&mut self, header: &[&str], labels: &Labels) {
        for (at, part) in [(1, Part::Phone), (header.len() - 1, Part::CallbackData)] {
            if !self.has(part) && self.parts[at].is_none() {
                self.parts[at] = Some(part);
            }
        }
        let places = 2..2 + COLUMNS;
        for by_label in [true, false] {
            for (at, label) in header.iter().enumerate().take(places.end).skip(places.start) {
                // Its own place before the others.
                let own = at - places.start;
                let fits = |column: &usize| {
                    !self.has(Part::Column(*column))
                        && (!by_label || labels[*column].as_deref() == Some(label))
                };
                let column = std::iter::once(own).chain(0..COLUMNS).find(fits);
                if let (None, Some(column)) = (self.parts[at], column) {
                    self.parts[at] = Some(Part::Column(column));
                    if *label != UNLABELLED[own] {
                        self.adopt(Part::Column(column), label, labels);
                    }
                }
            }
        }
    }

    /// Takes a header as the label of a column that has none.
    fn adopt(&mut self, part: Part, header: &str, labels: &Labels) {
        if let Part::Column(at) = part
            && labels[at].is_none()
            && let Ok(label) = label(header)
            && !label.is_empty()
        {
            self.labels[at] = Some(label);
        }
    }

    fn has(&self, part: Part) -> bool {
        self.parts.contains(&Some(part))
    }

    fn take(&mut self, at: usize, part: Part) -> anyhow::Result<()> {
        if self.has(part) || self.parts[at].is_some() {
            bail!("two columns are meant for {}, or one for two: say which is which", part.name());
        }
        self.parts[at] = Some(part);
        Ok(())
    }

    fn complete(self, header: &[&str]) -> anyhow::Result<Self> {
        if self.has(Part::Phone) {
            return Ok(self);
        }
        if header.is_empty() {
            bail!("no column is meant for phone; --phone names it");
        }
        bail!(
            "no column is called phone; --phone names it, and --delimiter what stands between the columns. The header \
             has: {}",
            header.join(" | ")
        )
    }
}

/// Whether these are the headers of an exported file.
fn is_exported(header: &[&str]) -> bool {
    matches!(header, [ID, PHONE, _, _, _, _, _, CALLBACK_DATA])
}

/// The place of a column that is named by its header, or by its number.
fn place(header: &[&str], named: &str) -> anyhow::Result<usize> {
    let key = text::key(named.trim());
    let by_header = header.iter().position(|cell| text::key(cell) == key);
    let by_number = || named.trim().parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < header.len());
    match by_header.or_else(by_number) {
        Some(at) => Ok(at),
        None => bail!("there is no column {named:?}; the file has {} columns", header.len()),
    }
}

/// What most often stands between the cells of a header.
pub(super) fn guess_delimiter(first_line: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in first_line.bytes() {
        quoted ^= byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| !quoted && *delimiter == byte) {
            *count += 1;
        }
    }
    // Of several as often the first.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}
