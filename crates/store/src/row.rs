//! A row that a statement has found, in either store.

use muster_domain::{StoreError, Timestamp};
use uuid::Uuid;

/// The columns of a row, by their places; what is there is of the asked type, or null.
pub(crate) trait Row {
    fn integer(&self, at: usize) -> Result<Option<i64>, StoreError>;
    fn text(&self, at: usize) -> Result<Option<&str>, StoreError>;
    fn bytes(&self, at: usize) -> Result<Option<&[u8]>, StoreError>;
}

/// A stored value that no release has written.
pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::Internal(format!("the stored {what} is not understood"))
}

/// The column of a row as a value of its own.
pub(crate) fn get<T: Column>(row: &dyn Row, at: usize) -> Result<T, StoreError> {
    T::read(row, at)
}

/// What a column can be read as.
pub(crate) trait Column: Sized {
    /// `None` for null.
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError>;

    fn read(row: &dyn Row, at: usize) -> Result<Self, StoreError> {
        let value = Self::read_or_none(row, at)?;
        value.ok_or_else(|| StoreError::Internal(format!("column {at} is null")))
    }
}

impl<T: Column> Column for Option<T> {
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError> {
        T::read_or_none(row, at).map(Some)
    }
}

impl Column for i64 {
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError> {
        row.integer(at)
    }
}

impl Column for bool {
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.integer(at)?.map(|value| value != 0))
    }
}

impl Column for Timestamp {
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.integer(at)?.map(Timestamp))
    }
}

impl Column for String {
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.text(at)?.map(str::to_owned))
    }
}

impl Column for Vec<u8> {
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.bytes(at)?.map(<[u8]>::to_vec))
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError> {
        let bytes = row.bytes(at)?.map(<[u8; N]>::try_from);
        bytes.transpose().map_err(|_| StoreError::Internal(format!("column {at} is not {N} bytes long")))
    }
}

impl Column for Uuid {
    fn read_or_none(row: &dyn Row, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(<[u8; 16]>::read_or_none(row, at)?.map(Uuid::from_bytes))
    }
}
