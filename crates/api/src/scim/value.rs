//! The values of attributes as clients send them, made those that are kept.
//!
//! Names take the spelling of the schema and booleans become booleans; all else is kept as it was sent. What is
//! read-only or unknown is passed over, as RFC 7644, section 3.3 has it of the former: clients send what they have.

use std::io;

use muster_domain::text;
use serde_json::{Map, Value};

use super::ScimError;
use super::read::limits::VALUES;
use super::schema::{Attribute, Kind};

/// What a request makes of a sub-attribute; `None` takes its value away.
pub(super) type SubValue = (&'static Attribute, Option<Value>);

/// The value of an attribute; `None` if it is unassigned, as null and the empty array say (RFC 7643, section 2.5).
///
/// Errors: `invalidValue`, with the path.
pub(super) fn normalize(attribute: &Attribute, value: Value) -> Result<Option<Value>, ScimError> {
    if !attribute.multi_valued {
        return one(attribute, attribute.name, value);
    }
    match value {
        Value::Null => Ok(None),
        Value::Array(values) => {
            let values = many(attribute, values)?;
            Ok(if values.is_empty() { None } else { Some(values.into()) })
        }
        _ => refuse(attribute.name, "must be an array"),
    }
}

/// The values of a multi-valued attribute.
fn many(attribute: &Attribute, values: Vec<Value>) -> Result<Vec<Value>, ScimError> {
    let values: Result<Vec<Option<Value>>, ScimError> =
        values.into_iter().map(|value| one(attribute, attribute.name, value)).collect();
    let values: Vec<Value> = values?.into_iter().flatten().collect();
    check(attribute, &values)?;
    Ok(values)
}

/// The values that an operation names, of which a single one may stand alone; `None` if there is nothing. A list of
/// which nothing is understood is refused: it is not an empty one, which clears.
pub(super) fn listed(attribute: &Attribute, value: Option<Value>) -> Result<Option<Vec<Value>>, ScimError> {
    let sent = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(values)) => values,
        Some(value) => vec![value],
    };
    let is_empty = sent.is_empty();
    let values = many(attribute, sent)?;
    if values.is_empty() && !is_empty {
        return refuse(attribute.name, "has no value that is understood");
    }
    Ok(Some(values))
}

/// Refuses too many values, and more than one primary one (RFC 7643, section 2.4).
pub(super) fn check(attribute: &Attribute, values: &[Value]) -> Result<(), ScimError> {
    if values.len() > VALUES && !attribute.detached {
        return refuse(attribute.name, "must not have more than 1000 values");
    }
    if values.iter().filter(|value| is_primary(value)).count() > 1 {
        return refuse(attribute.name, "must not have more than one primary value");
    }
    Ok(())
}

pub(super) fn is_primary(value: &Value) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}

/// A truth value, also as a string, as Entra ID sends it.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// What the value of a complex attribute says of its sub-attributes. A plain string is its `value`.
pub(super) fn sub_values(attribute: &Attribute, value: Value) -> Result<Vec<SubValue>, ScimError> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(_) => match attribute.sub("value") {
            Some(sub) => Ok(vec![(sub, sub_value(attribute, sub, value)?)]),
            None => refuse(attribute.name, "must be an object"),
        },
        Value::Object(members) => members
            .into_iter()
            .filter_map(|(name, value)| attribute.sub(&name).map(|sub| (sub, value)))
            .filter(|(sub, _)| !sub.is_read_only())
            .map(|(sub, value)| Ok((sub, sub_value(attribute, sub, value)?)))
            .collect(),
        _ => refuse(attribute.name, "must be an object"),
    }
}

/// The value of a sub-attribute.
pub(super) fn sub_value(
    attribute: &Attribute,
    sub: &Attribute,
    value: Value,
) -> Result<Option<Value>, ScimError> {
    one(sub, &format!("{}.{}", attribute.name, sub.name), value)
}

/// Writes what is said of sub-attributes into an object.
pub(super) fn write(into: &mut Map<String, Value>, values: Vec<SubValue>) {
    for (sub, value) in values {
        set(into, sub.name, value);
    }
}

/// Gives a name its value, or takes it away.
pub(super) fn set(into: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => into.insert(name.to_owned(), value),
        None => into.shift_remove(name),
    };
}

fn one(attribute: &Attribute, path: &str, value: Value) -> Result<Option<Value>, ScimError> {
    if value.is_null() {
        return Ok(None);
    }
    match attribute.kind {
        Kind::Complex => {
            let mut object = Map::new();
            write(&mut object, sub_values(attribute, value)?);
            let missing = attribute.sub_attributes.iter().find(|sub| is_missing(sub, &object));
            match missing {
                Some(sub) => refuse(path, &format!("must have a {}", sub.name)),
                None if object.is_empty() => Ok(None),
                None => Ok(Some(object.into())),
            }
        }
        Kind::Boolean => match boolean(&value) {
            Some(value) => Ok(Some(value.into())),
            None => refuse(path, "must be a boolean"),
        },
        Kind::String | Kind::Reference | Kind::Binary | Kind::DateTime => {
            let Value::String(text) = &value else {
                return refuse(path, "must be a string");
            };
            let fits = match attribute.kind {
                Kind::Binary => is_base64(text),
                Kind::DateTime => text::instant(text).is_ok(),
                _ => text::limited(text, usize::MAX).is_ok(),
            };
            if fits { Ok(Some(value)) } else { refuse(path, "is not well-formed") }
        }
    }
}

/// Whether an attribute that is needed has no value, or an empty one.
pub(super) fn is_missing(attribute: &Attribute, object: &Map<String, Value>) -> bool {
    let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    attribute.required && object.get(attribute.name).is_none_or(is_blank)
}

/// How many bytes of JSON a value is.
pub(super) fn length(value: &Value) -> usize {
    struct Counted(usize);
    impl io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    // Neither a value nor a count fails.
    _ = serde_json::to_writer(&mut counted, value);
    counted.0
}

/// RFC 4648, sections 4 and 5: either alphabet, with or without padding.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    text.len() - digits.len() <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
}

pub(super) fn refuse<T>(path: &str, problem: &str) -> Result<T, ScimError> {
    Err(ScimError::invalid_value(format!("{path} {problem}")))
}
