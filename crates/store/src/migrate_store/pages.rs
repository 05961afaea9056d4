//! Rows on their way from one store to the other, in pages that bound the memory they take.

use std::mem::take;

use muster_domain::StoreError;
use tokio::sync::mpsc::Receiver;

use super::Cells;
use crate::value::Value;

/// A page ends with the row that reaches one of these.
const ROWS: usize = 10_000;
const BYTES: usize = 4 << 20;

/// Pages that are read ahead.
pub(crate) const QUEUE: usize = 2;

/// Pages as they are read, or why there are no more.
pub(crate) type Pages = Receiver<Result<Vec<Cells>, StoreError>>;

/// Puts rows into pages.
#[derive(Default)]
pub(crate) struct Pager {
    page: Vec<Cells>,
    bytes: usize,
}

impl Pager {
    /// The page that is full with this row.
    pub(crate) fn add(&mut self, cells: Cells) -> Option<Vec<Cells>> {
        self.bytes += cells.iter().map(weight).sum::<usize>();
        self.page.push(cells);
        (self.page.len() >= ROWS || self.bytes >= BYTES).then(|| {
            self.bytes = 0;
            take(&mut self.page)
        })
    }

    /// The last page, if there is anything on it.
    pub(crate) fn rest(self) -> Option<Vec<Cells>> {
        Some(self.page).filter(|page| !page.is_empty())
    }
}

fn weight(value: &Value<'_>) -> usize {
    match value {
        Value::Text(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 0,
    }
}
