//! The order of a list (RFC 7644, section 3.4.2.3).

use std::cmp::Reverse;

use muster_domain::{Timestamp, predicate, text};
use serde_json::{Map, Value};

use super::ScimError;
use super::path::AttrPath;
use super::schema::{Kind, ResourceType, Returned, Target};
use super::value::{is_primary, refuse};

/// By what a list is sorted.
#[derive(Clone, Copy, Debug)]
pub struct Sort {
    /// Not complex.
    pub by: Target,
    /// Whether resources of this kind have it.
    is_own: bool,
    pub descending: bool,
}

/// By how much of a text is sorted, in characters: a cursor has to hold it.
const LONGEST: usize = 255;

/// What resources are sorted by; what has no value comes last, or first when descending.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    Ascending(Place),
    Descending(Reverse<Place>),
}

/// The place of a value among others of its type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Boolean(bool),
    Time(Timestamp),
    /// As a key ([`text::key`]) unless the attribute is caseExact.
    Text(String),
    None,
}

impl Sort {
    /// Reads the two parameters; without `sortBy` there is no order.
    ///
    /// Errors: `invalidValue`, also for what cannot be sorted by.
    pub fn read(
        kind: &ResourceType,
        sort_by: Option<&str>,
        sort_order: Option<&str>,
    ) -> Result<Option<Self>, ScimError> {
        Self::read_among(kind, &[kind], sort_by, sort_order)
    }

    /// As [`Sort::read`], of one kind in a list of several: what only another one has is without a value here
    /// (RFC 7644, section 3.4.2.2 has it so for filters).
    pub fn read_among(
        kind: &ResourceType,
        kinds: &[&ResourceType],
        sort_by: Option<&str>,
        sort_order: Option<&str>,
    ) -> Result<Option<Self>, ScimError> {
        let descending = match sort_order {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("ascending") => false,
            Some(word) if word.eq_ignore_ascii_case("descending") => true,
            Some(_) => return refuse("sortOrder", "must be ascending or descending"),
        };
        let Some(name) = sort_by else {
            return Ok(None);
        };
        let path: Option<AttrPath> = name.parse().ok();
        let own = path.as_ref().and_then(|path| kind.resolve(path));
        let of_others = || path.as_ref().and_then(|path| kinds.iter().find_map(|kind| kind.resolve(path)));
        let Some(mut by) = own.or_else(of_others) else {
            return refuse("sortBy", "must name an attribute");
        };
        if by.leaf().kind == Kind::Complex {
            by.sub = by.attribute.sub("value");
        }
        let leaf = by.leaf();
        if leaf.kind == Kind::Complex || leaf.returned == Returned::Never || by.attribute.detached {
            return refuse("sortBy", "names what nothing is sorted by");
        }
        Ok(Some(Self { by, is_own: own.is_some(), descending }))
    }

    /// The key of a resource. Of several values the primary one counts, or else the first.
    pub fn key(&self, resource: &Map<String, Value>) -> SortKey {
        self.key_of(self.value(resource))
    }

    /// What a resource is sorted by.
    pub fn value(&self, resource: &Map<String, Value>) -> Place {
        if self.is_own { self.place(resource).unwrap_or(Place::None) } else { Place::None }
    }

    /// The key of whatever is sorted by this.
    pub fn key_of(&self, place: Place) -> SortKey {
        if self.descending { SortKey::Descending(Reverse(place)) } else { SortKey::Ascending(place) }
    }

    fn place(&self, resource: &Map<String, Value>) -> Option<Place> {
        let leaf = self.by.leaf();
        match (self.found(resource), leaf.kind) {
            (Some(Value::Bool(value)), _) => Some(Place::Boolean(*value)),
            (Some(Value::String(value)), Kind::DateTime) => text::instant(value).ok().map(Place::Time),
            (Some(Value::String(value)), _) if leaf.case_exact => Some(Place::of_text(value)),
            (Some(Value::String(value)), _) => Some(Place::of_text(&text::key(value))),
            _ => leaf.absence.map(Place::Boolean),
        }
    }

    fn found<'a>(&self, resource: &'a Map<String, Value>) -> Option<&'a Value> {
        let value = self.by.container(resource)?.get(self.by.attribute.name)?;
        let value = match value {
            Value::Array(values) => values.iter().find(|value| is_primary(value)).or(values.first())?,
            value => value,
        };
        match self.by.sub {
            Some(sub) => value.get(sub.name),
            None => Some(value),
        }
    }
}

impl Place {
    fn of_text(text: &str) -> Self {
        Self::Text(text.chars().take(LONGEST).collect())
    }
}

impl From<Option<predicate::SortKey>> for Place {
    /// What a column of the store is sorted by.
    fn from(key: Option<predicate::SortKey>) -> Self {
        match key {
            None => Self::None,
            Some(predicate::SortKey::Time(at)) => Self::Time(at),
            Some(predicate::SortKey::Text(text)) => Self::Text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{GROUPS, USERS};

    /// The ids of resources in the order that is asked for.
    fn sorted(by: &str, order: Option<&str>) -> String {
        let users = json!([
            {"id": "1", "userName": "bo", "emails": [{"value": "x"}, {"value": "a", "primary": true}]},
            {"id": "2", "userName": "Ann", "active": false, "meta": {"created": "2026-01-01T01:00:00+01:00"}},
            {"id": "3", "userName": "Cy", "active": true, "emails": [{"value": "B"}], "meta": {"created": "2026-01-01T00:30:00Z"}},
        ]);
        let mut users: Vec<&Map<String, Value>> =
            users.as_array().unwrap().iter().filter_map(Value::as_object).collect();
        let sort = Sort::read(&USERS, Some(by), order).unwrap().unwrap();
        users.sort_by_cached_key(|user| sort.key(user));
        users.iter().filter_map(|user| user["id"].as_str()).collect()
    }

    #[test]
    fn what_has_no_value_comes_last_unless_the_order_is_reversed() {
        assert_eq!(sorted("username", None), "213");
        assert_eq!(sorted("userName", Some("Descending")), "312");
        assert_eq!(sorted("emails", Some("ascending")), "132");
        assert_eq!(sorted("emails.value", Some("descending")), "231");
        assert_eq!(sorted("meta.created", None), "231");
        // Whoever is not said to be active is.
        assert_eq!(sorted("active", None), "213");
    }

    #[test]
    fn what_cannot_be_sorted_by_is_refused() {
        for wrong in ["", "color", "name", "addresses", "password", "a b"] {
            assert!(Sort::read(&USERS, Some(wrong), None).is_err(), "{wrong}");
        }
        assert!(Sort::read(&GROUPS, Some("members"), None).is_err());
        assert!(Sort::read(&USERS, None, Some("up")).is_err());
        assert!(Sort::read(&USERS, None, Some("descending")).is_ok_and(|sort| sort.is_none()));
    }
}
