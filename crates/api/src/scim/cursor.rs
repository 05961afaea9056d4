//! Cursors (RFC 9865): a place in a list, which is behind the last resource of a page and where the next goes on, whatever
//! is written meanwhile. Nothing is kept of it on the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster_domain::Timestamp;
use muster_domain::predicate::{self, Among, SortColumn, SortKey};
use serde_json::{Value, json};

use super::list::Listed;
use super::schema::RESOURCE_TYPES;
use super::sort::Place;
use super::wanted::Wanted;
use super::{ScimError, ScimType};

/// Where a slice of a list begins.
#[derive(Clone, Debug)]
pub(super) enum Start<Id> {
    /// After so many resources.
    Offset(u64),
    /// Beyond those before this value, and among those with the same.
    At(Place, Among<Id>),
}

/// The place behind a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Of which order.
    pub(super) order: String,
    /// The kind of the resource, as its place among [`RESOURCE_TYPES`]: of two kinds with the same value the first goes first.
    pub(super) kind: usize,
    /// What the resource is sorted by, or else when it was created.
    pub(super) value: Place,
    pub(super) created_at: Timestamp,
    pub(super) id: String,
}

impl Cursor {
    /// Reads the cursor that is asked for; `None` for the first page.
    ///
    /// Errors: `invalidCursor`, also for a place in another order.
    pub(super) fn read(text: &str, wanted: &Wanted) -> Result<Option<Self>, ScimError> {
        if text.is_empty() {
            return Ok(None);
        }
        let cursor = Self::parse(text).ok_or_else(foreign)?;
        if cursor.order != wanted.order() {
            let detail = "the cursor is that of a list with another sortBy or sortOrder";
            return Err(ScimError::new(ScimType::InvalidCursor, detail));
        }
        Ok(Some(cursor))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (order, kind, value, created_at, id): (String, usize, Value, i64, String) =
            serde_json::from_slice(&bytes).ok()?;
        let value = match value {
            Value::Null => Place::None,
            Value::Bool(value) => Place::Boolean(value),
            Value::Number(at) => Place::Time(Timestamp(at.as_i64()?)),
            // No text that is stored has it, and not every store can be asked for it.
            Value::String(text) if !text.contains('\0') => Place::Text(text),
            _ => return None,
        };
        (kind < RESOURCE_TYPES.len()).then_some(Self {
            order,
            kind,
            value,
            created_at: Timestamp(created_at),
            id,
        })
    }

    /// As it is sent.
    pub(super) fn write(&self) -> String {
        let value = match &self.value {
            Place::None => Value::Null,
            Place::Boolean(value) => (*value).into(),
            Place::Time(at) => at.0.into(),
            Place::Text(text) => text.as_str().into(),
        };
        let parts = json!([self.order, self.kind, value, self.created_at.0, self.id]);
        URL_SAFE_NO_PAD.encode(parts.to_string())
    }

    /// Where the resources of a kind begin that stand behind it in an order of all kinds together.
    pub(super) fn start<R: Listed>(self) -> Result<Start<R::Id>, ScimError> {
        let among = match self.kind.cmp(&rank::<R>()) {
            std::cmp::Ordering::Less => Among::First,
            std::cmp::Ordering::Equal => {
                Among::After(self.created_at, R::id_of(&self.id).ok_or_else(foreign)?)
            }
            std::cmp::Ordering::Greater => Among::Last,
        };
        Ok(Start::At(self.value, among))
    }
}

impl<Id> Start<Id> {
    /// The same in a column of the store. Errors: `invalidCursor` for a value that cannot be one of the column's.
    pub(super) fn of_column(self, column: SortColumn) -> Result<predicate::Start<Id>, ScimError> {
        let is_time = matches!(column, SortColumn::Created | SortColumn::Modified);
        let (value, among) = match self {
            Self::Offset(offset) => return Ok(predicate::Start::Offset(offset)),
            Self::At(value, among) => (value, among),
        };
        let key = match value {
            Place::None => None,
            Place::Time(at) if is_time => Some(SortKey::Time(at)),
            Place::Text(text) if !is_time => Some(SortKey::Text(text)),
            _ => return Err(foreign()),
        };
        Ok(predicate::Start::At(predicate::Place { key, among }))
    }
}

/// The place of a kind among the others.
pub(super) fn rank<R: Listed>() -> usize {
    RESOURCE_TYPES.iter().position(|kind| kind.name == R::KIND.name).unwrap_or_default()
}

/// For a cursor that is none of the list's.
pub(super) fn foreign() -> ScimError {
    ScimError::new(ScimType::InvalidCursor, "the cursor is none of this list")
}
