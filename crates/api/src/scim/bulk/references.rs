//! References to what other operations of a bulk request create (RFC 7644, section 3.7.2).

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::scim::ScimError;

/// What a reference begins with.
const PREFIX: &str = "bulkId:";

/// What has become of an operation that creates something under a `bulkId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Made {
    NotYet,
    /// Under this id.
    As(String),
    /// Nothing, for it failed.
    Nothing,
}

/// The `bulkId`s of a request.
pub(super) type Names = HashMap<String, Made>;

/// What comes of resolving the references of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolved<T> {
    All(T),
    /// Some are to what is still to be made, under these names.
    Waits(BTreeSet<String>),
}

/// Reads references on the way through one operation.
pub(super) struct Resolver<'a> {
    names: &'a Names,
    waits: BTreeSet<String>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(names: &'a Names) -> Self {
        Self { names, waits: BTreeSet::new() }
    }

    /// What is resolved with this, unless something is still to be waited for.
    pub(super) fn finish<T>(self, resolved: T) -> Resolved<T> {
        if self.waits.is_empty() { Resolved::All(resolved) } else { Resolved::Waits(self.waits) }
    }

    /// A text that may be a reference as a whole.
    pub(super) fn text(&mut self, text: &mut String) -> Result<(), ScimError> {
        if let Some(name) = text.strip_prefix(PREFIX)
            && let Some(id) = self.id(name)?
        {
            *text = id.to_owned();
        }
        Ok(())
    }

    /// A body: any text in it may be a reference, and an address (`$ref`) or the path of a PATCH may have one in it.
    pub(super) fn value(&mut self, value: &mut Value) -> Result<(), ScimError> {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(values) => values.iter_mut().try_for_each(|value| self.value(value)),
            Value::Object(members) => members.iter_mut().try_for_each(|(name, value)| match value {
                Value::String(text)
                    if ["$ref", "path"].iter().any(|known| name.eq_ignore_ascii_case(known)) =>
                {
                    self.within(text)
                }
                value => self.value(value),
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    /// A text with references between `/` or quotation marks.
    fn within(&mut self, text: &mut String) -> Result<(), ScimError> {
        let mut resolved = String::new();
        for part in text.split_inclusive(['/', '"']) {
            let name = part.trim_end_matches(['/', '"']);
            let mut name_only = name.to_owned();
            self.text(&mut name_only)?;
            resolved.push_str(&name_only);
            resolved.push_str(&part[name.len()..]);
        }
        *text = resolved;
        Ok(())
    }

    /// The id of what was made under a name, if it is there yet.
    fn id(&mut self, name: &str) -> Result<Option<&'a str>, ScimError> {
        match self.names.get(name) {
            Some(Made::As(id)) => Ok(Some(id)),
            Some(Made::NotYet) => {
                self.waits.insert(name.to_owned());
                Ok(None)
            }
            Some(Made::Nothing) => {
                Err(ScimError::invalid_value(format!("{PREFIX}{name} is that of an operation that failed")))
            }
            None => {
                Err(ScimError::invalid_value(format!("{PREFIX}{name} is that of no POST of the request")))
            }
        }
    }
}

/// Whether there can be references in a JSON text at all.
pub(super) fn may_refer(text: &str) -> bool {
    // What is escaped may be anything.
    text.contains(PREFIX) || text.contains("\\u")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::ScimType;

    fn resolved(mut value: Value) -> Result<Resolved<Value>, ScimError> {
        let names = Names::from([
            ("a".to_owned(), Made::As("1".to_owned())),
            ("b/c".to_owned(), Made::As("2".to_owned())),
            ("late".to_owned(), Made::NotYet),
            ("bad".to_owned(), Made::Nothing),
        ]);
        let mut resolver = Resolver::new(&names);
        resolver.value(&mut value)?;
        Ok(resolver.finish(value))
    }

    #[test]
    fn references_become_ids_wherever_they_stand() {
        let body = json!({
            "members": [{"value": "bulkId:a", "$ref": "../Users/bulkId:a"}, {"value": "bulkId:b/c"}, "bulkId:a"],
            "Operations": [{"path": "members[value eq \"bulkId:a\"]", "value": "bulkId:a"}],
            "displayName": "a bulkId:a",
            "count": 1,
        });
        let expected = json!({
            "members": [{"value": "1", "$ref": "../Users/1"}, {"value": "2"}, "1"],
            "Operations": [{"path": "members[value eq \"1\"]", "value": "1"}],
            "displayName": "a bulkId:a",
            "count": 1,
        });
        assert_eq!(resolved(body), Ok(Resolved::All(expected)));
    }

    #[test]
    fn what_cannot_be_resolved_waits_or_is_refused() {
        let late = BTreeSet::from(["late".to_owned()]);
        assert_eq!(resolved(json!(["bulkId:a", "bulkId:late"])), Ok(Resolved::Waits(late)));
        for name in ["bad", "other", ""] {
            let error = resolved(json!([format!("bulkId:{name}")])).unwrap_err();
            assert_eq!(error.scim_type, ScimType::InvalidValue);
            assert!(error.detail.contains(&format!("bulkId:{name} ")), "{error}");
        }
        assert!(may_refer("\"bulkId:a\"") && may_refer(r#""\u0062ulkId:a""#) && !may_refer("\"bulk\""));
    }
}
