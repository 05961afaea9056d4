//! Rows on their way from the file to the group: read and understood on a thread of their own, while those before are
//! written.

use std::io;
use std::sync::Arc;

use muster_api::contact_csv::unguarded;
use muster_domain::contact::{ContactPatch, ContactWishes, limits};
use muster_domain::{Draft, Patch, Problem, text};
use tokio::sync::mpsc::{Receiver, channel};

use super::columns::{Columns, Part};
use super::rows::{Broken, Row, Rows};
use super::source::Source;

/// Rows that are written at once: enough to share the cost of a commit, few enough to keep no other writer waiting.
const STEP: usize = 5000;
/// Chunks that are read before they are wanted.
const AHEAD: usize = 2;

/// Some rows of the file.
pub(super) struct Chunk {
    /// Where the rows of `wishes` begin.
    pub(super) lines: Vec<u64>,
    pub(super) wishes: ContactWishes,
    pub(super) bad: Vec<BadRow>,
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

    fn chunk(&self, rows: Vec<Row>) -> Chunk {
        let (mut lines, mut drafts, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match self.draft(row.cells) {
                Ok(draft) => {
                    lines.push(row.line);
                    drafts.push(draft);
                }
                Err(problem) => bad.push(BadRow { line: row.line, problems: vec![problem] }),
            }
        }
        Chunk { lines, wishes: ContactWishes::read(drafts, &self.country), bad }
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
                    Broken::Open | Broken::Trailing => String::new(),
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

/// Reads the rows, `first` before those that are still in the file. An error of reading is the last that comes.
pub(super) fn read(
    first: Option<Row>,
    mut rows: Rows<Source>,
    layout: Arc<Layout>,
) -> Receiver<io::Result<Chunk>> {
    let (sender, chunks) = channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut first = first;
        loop {
            let mut next: Vec<Row> = first.take().into_iter().collect();
            let failure = loop {
                match rows.next() {
                    Ok(Some(row)) => next.push(row),
                    Ok(None) => break Some(None),
                    Err(error) => break Some(Some(error)),
                }
                if next.len() == STEP {
                    break None;
                }
            };
            // Nobody may want more.
            let sent = sender.blocking_send(Ok(layout.chunk(next)));
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
