//! What a request says of the resources that it wants, in its query or in the body of a search.

use serde_json::Value;

use super::projection::Projection;
use super::schema::ResourceType;
use super::value::refuse;
use super::{ScimError, ScimType};
use crate::http::{Call, Failure, Query, Text};

/// The page when nothing is said of its size, and the greatest.
pub(super) const PAGE: u32 = 100;
pub(super) const MAX_PAGE: u32 = 200;

#[derive(Debug, Default)]
pub(super) struct Wanted {
    attributes: Option<String>,
    excluded: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) sort_by: Option<String>,
    pub(super) sort_order: Option<String>,
    /// How many resources are passed over.
    pub(super) offset: u64,
    /// At most so many are sent.
    pub(super) count: u32,
    /// Empty for the first page.
    pub(super) cursor: Option<String>,
}

/// Reads the parameters about the attributes of an answer.
pub(super) fn attributes(query: &mut Query<'_>) -> Wanted {
    let mut text = |name| query.parsed(name, Text::ANY, |text| Ok(text.to_owned()));
    Wanted { attributes: text("attributes"), excluded: text("excludedAttributes"), ..Wanted::default() }
}

/// Reads all parameters of a list.
pub(super) fn list(query: &mut Query<'_>) -> Wanted {
    let of_answer = attributes(query);
    let mut text = |name| query.parsed(name, Text::ANY, |text| Ok(text.to_owned()));
    let filter = text("filter");
    let (sort_by, sort_order, cursor) = (text("sortBy"), text("sortOrder"), text("cursor"));
    let start = query.integer("startIndex", i64::MIN, i64::MAX);
    let count = query.integer("count", i64::MIN, i64::MAX);
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    Wanted {
        filter: some(filter),
        sort_by: some(sort_by),
        sort_order: some(sort_order),
        cursor,
        ..of_answer.paged(start, count)
    }
}

impl Wanted {
    /// What the query says of an answer.
    pub(super) fn of_answer(call: &Call) -> Result<Self, Failure> {
        call.query(attributes)
    }

    /// What the query says of a list.
    pub(super) fn of_list(call: &Call) -> Result<Self, Failure> {
        call.query(list)
    }

    /// RFC 7644, section 3.4.2.4: less than 1 means 1, and a negative count 0.
    fn paged(self, start: Option<i64>, count: Option<i64>) -> Self {
        let offset = start.unwrap_or(1).saturating_sub(1).max(0).unsigned_abs();
        let count = count.unwrap_or(PAGE.into()).clamp(0, MAX_PAGE.into());
        Self { offset, count: u32::try_from(count).unwrap_or(PAGE), ..self }
    }

    /// The body of a search (RFC 7644, section 3.4.3).
    pub(super) fn of_search(body: &Value) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(ScimError::new(ScimType::InvalidSyntax, "the body must be a JSON object"));
        };
        let value = |name: &str| {
            let found = body.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value).filter(|value| !value.is_null())
        };
        let text = |name: &str| match value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => refuse(name, "must be a string"),
        };
        let names = |name: &str| match value(name) {
            None => Ok(None),
            Some(Value::Array(names)) => match names.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
                Some(names) => Ok(Some(names.join(","))),
                None => refuse(name, "must be an array of strings"),
            },
            Some(Value::String(names)) => Ok(Some(names.clone())),
            Some(_) => refuse(name, "must be an array of strings"),
        };
        let integer = |name: &str| match value(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).map_or_else(|| refuse(name, "must be an integer"), Ok),
        };
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let wanted = Self {
            attributes: names("attributes")?,
            excluded: names("excludedAttributes")?,
            filter: some(text("filter")?),
            sort_by: some(text("sortBy")?),
            sort_order: some(text("sortOrder")?),
            cursor: text("cursor")?,
            ..Self::default()
        };
        Ok(wanted.paged(integer("startIndex")?, integer("count")?))
    }

    /// The order that is asked for; the same text for the same order.
    pub(super) fn order(&self) -> String {
        let is_descending = |order: &str| order.eq_ignore_ascii_case("descending");
        let sign = if self.sort_order.as_deref().is_some_and(is_descending) { '-' } else { '+' };
        self.sort_by.as_ref().map_or_else(String::new, |by| format!("{sign}{}", by.to_ascii_lowercase()))
    }

    /// Whether attributes are asked for by name.
    pub(super) fn names_attributes(&self) -> bool {
        self.attributes.as_deref().is_some_and(|names| !names.trim().is_empty())
    }

    pub(super) fn projection(&self, kind: &'static ResourceType) -> Result<Projection, ScimError> {
        Projection::read(kind, self.attributes.as_deref(), self.excluded.as_deref())
    }
}
