//! Slices of long lists.

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// At most so many rows.
    pub limit: u32,
    /// Rows that are passed over first.
    pub offset: u64,
}

/// A slice of a list, with the length of the whole list.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub total: u64,
}

impl<T> Page<T> {
    /// The same slice of a list of other things.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), total: self.total }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), total: 0 }
    }
}
