//! Entity tags and the conditions on them (RFC 9110, sections 8.8.3 and 13.1).

use std::fmt;

use http::{HeaderMap, HeaderName};

/// An entity tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    opaque: String,
    weak: bool,
}

impl Tag {
    /// A weak one of the versions of all that an answer shows, the entity's own first, and other numbers that it shows.
    pub(crate) fn of(numbers: &[i64]) -> Self {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        Self { opaque: numbers.join("."), weak: true }
    }

    /// One of content that is the same byte for byte. It has no `"`.
    pub(crate) fn strong(opaque: String) -> Self {
        Self { opaque, weak: false }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.weak { "W/" } else { "" };
        write!(f, "{mark}\"{}\"", self.opaque)
    }
}

/// The tags of an `If-Match` or `If-None-Match`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tags {
    Any,
    These(Vec<String>),
}

impl Tags {
    /// Weak comparison: most tags of ours are weak, so all are compared as if they were.
    pub(super) fn matches(&self, tag: &Tag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.contains(&tag.opaque),
        }
    }
}

impl Tags {
    /// Whether one of them begins with this version.
    pub(super) fn begin_with(&self, version: i64) -> bool {
        let version = version.to_string();
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.split('.').next() == Some(&version)),
        }
    }
}

/// The tags of a header, or `None` without it. What is no tag matches nothing.
pub(super) fn list(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    if let [value] = values[..]
        && value.trim() == "*"
    {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    for value in values {
        for item in value.split(',').map(str::trim) {
            let opaque = item.strip_prefix("W/").unwrap_or(item);
            if let Some(tag) = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                tags.push(tag.to_owned());
            }
        }
    }
    Some(Tags::These(tags))
}

#[cfg(test)]
mod tests {
    use http::header::IF_MATCH;

    use super::*;

    fn holds(value: &'static str, tag: &Tag) -> Option<bool> {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, http::HeaderValue::from_static(value));
        list(&headers, &IF_MATCH).map(|tags| tags.matches(tag))
    }

    #[test]
    fn conditions_compare_weakly() {
        let tag = Tag::of(&[3, 2]);
        assert_eq!(tag.to_string(), "W/\"3.2\"");
        for value in ["W/\"3.2\"", "\"3.2\"", "\"x\", W/\"3.2\"", "*"] {
            assert_eq!(holds(value, &tag), Some(true), "{value}");
        }
        for value in ["W/\"3.1\"", "3.2", "", "w/\"3.2\"", "\"x\", *", "*, *"] {
            assert_eq!(holds(value, &tag), Some(false), "{value}");
        }
        assert_eq!(list(&HeaderMap::new(), &IF_MATCH), None);
    }
}
