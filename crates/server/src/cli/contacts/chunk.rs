//! Rows on their way from the file to the group: read and understood on a thread of their own, while those before are
//! written.

use std::io;
use std::sync::Arc;

use muster_api::contact_csv::unguarded;
use muster_domain::contact::{ContactPatch, ContactWishes, MAX_ADDED, limits};
use muster_domain::{Draft, Patch, Problem, text};
use tokio::sync::mpsc::{Receiver, channel};

use super::columns::{Columns, Part};
use super::rows::{Broken, Row, Rows};
use super::source::Lines;

/// Rows that are written at once. Numbers are all over their index, so a page of it is shared by more of them the more
/// there are; other writers wait some tenth of a second for them.
pub(super) const STEP: usize = MAX_ADDED;
/// Chunks that are read before they are wanted.
const AHEAD: usize = 2;

/// Some rows of the file.
pub(super) struct Chunk {
    /// Where the rows of `wishes` begin.
    pub(super) lines: Vec<u64>,
    pub(super) wishes: ContactWishes,
    pub(super) bad: Vec<BadRow>,
    /// Numbers without the code of a country.
    pub(super) national: u64,
}

/// A row that is no contact.
pub(super) struct BadRow {
    pub(super) line: u64,
    /// Columns, as the file calls them, and what is wrong with them.
    pub(super) problems: Vec<(String, String)>,
}

/// What is known of the file before its rows are read.
pub(super) struct Layout {
    pub(super) columns: Columns,
    /// What the columns are called.
    pub(super) names: Vec<String>,
    /// By which national numbers are read.
    pub(super) country: String,
}

impl Layout {
    /// What the file calls a part.
    pub(super) fn name_of(&self, field: &str) -> String {
        let is_it = |part: &Option<Part>| part.is_some_and(|part| part.name() == field);
        let at = self.columns.parts.iter().position(is_it);
        at.and_then(|at| self.names.get(at)).map_or_else(|| field.to_owned(), Clone::clone)
    }

    fn chunk(&self, read: Read) -> Chunk {
        let Read { lines, drafts, bad, national } = read;
        Chunk { lines, wishes: ContactWishes::read(drafts, &self.country), bad, national }
    }

    /// The contact in a row, or what is wrong in which column. An empty cell clears what is there.
    fn draft(&self, cells: Result<Vec<String>, Broken>) -> Result<Draft<ContactPatch>, (String, String)> {
        let wanted = self.columns.parts.len();
        let cells = match cells {
            Ok(cells) if cells.len() == wanted => cells,
            Ok(cells) => {
                return Err((
                    String::new(),
                    format!("the row has {} cells instead of {wanted}", cells.len()),
                ));
            }
            Err(broken) => {
                let column = match broken {
                    Broken::NotUtf8(at) => self.names.get(at).cloned().unwrap_or_default(),
                    _ => String::new(),
                };
                return Err((column, broken.to_string()));
            }
        };
        let mut draft = Draft::<ContactPatch>::default();
        for (part, cell) in self.columns.parts.iter().zip(&cells) {
            let Some(part) = part else { continue };
            let cell = unguarded(cell);
            let max = match part {
                Part::Phone => limits::PHONE,
                Part::Column(_) => limits::COLUMN,
                Part::CallbackData => limits::CALLBACK_DATA,
            };
            let text = match text::limited(cell, max) {
                Ok(_) if *part == Part::Phone && cell.trim().is_empty() => Err(Problem::Blank),
                text => text,
            };
            let text = draft.errors.take(part.name(), text);
            let wish =
                |text: Option<String>| text.filter(|text| !text.is_empty()).map_or(Patch::Clear, Patch::Set);
            match part {
                Part::Phone => draft.value.phone = text,
                Part::Column(at) => draft.value.columns[*at] = wish(text),
                Part::CallbackData => draft.value.callback_data = wish(text),
            }
        }
        Ok(draft)
    }
}

/// Rows that are understood: a row may be long, what is taken from it is not.
#[derive(Default)]
struct Read {
    lines: Vec<u64>,
    drafts: Vec<Draft<ContactPatch>>,
    bad: Vec<BadRow>,
    national: u64,
}

impl Read {
    fn push(&mut self, layout: &Layout, row: Row) {
        match layout.draft(row.cells) {
            Ok(draft) => {
                self.national += u64::from(draft.value.phone.as_deref().is_some_and(is_national));
                self.lines.push(row.line);
                self.drafts.push(draft);
            }
            Err(problem) => self.bad.push(BadRow { line: row.line, problems: vec![problem] }),
        }
    }

    fn len(&self) -> usize {
        self.lines.len() + self.bad.len()
    }
}

/// Whether what a number means depends on the country in which it is dialled.
fn is_national(phone: &str) -> bool {
    let mut dialled = phone.chars().filter(|character| *character == '+' || character.is_ascii_digit());
    match dialled.next() {
        None | Some('+') => false,
        Some('0') => dialled.next() != Some('0'),
        Some(_) => true,
    }
}

/// Reads the rows, `first` before those that are still in the file. An error of reading is the last that comes.
pub(super) fn read(
    first: Vec<Row>,
    mut rows: Rows<Lines>,
    layout: Arc<Layout>,
) -> Receiver<io::Result<Chunk>> {
    let (sender, chunks) = channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut next = Read::default();
        for row in first {
            next.push(&layout, row);
        }
        loop {
            let failure = loop {
                if next.len() >= STEP {
                    break None;
                }
                match rows.next() {
                    Ok(Some(row)) => next.push(&layout, row),
                    Ok(None) => break Some(None),
                    Err(error) => break Some(Some(error)),
                }
            };
            // Nobody may want more.
            let sent = sender.blocking_send(Ok(layout.chunk(std::mem::take(&mut next))));
            match failure {
                None if sent.is_ok() => {}
                Some(Some(error)) => {
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
                _ => return,
            }
        }
    });
    chunks
}
