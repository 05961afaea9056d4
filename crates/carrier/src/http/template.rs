//! Requests as the operator writes them, with places for what a message is made of.

use std::fmt::{self, Write as _};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::{Encoding, Outgoing};

/// What can stand in a template.
pub(super) const NAMES: [&str; 8] =
    ["to", "to_digits", "from", "text", "reference", "encoding", "parts", "validity"];

/// Those whose values have no characters that a header cannot hold.
const IN_HEADERS: [&str; 4] = ["reference", "encoding", "parts", "validity"];

/// What a message puts into the places.
pub(super) struct Values<'m>(pub(super) &'m Outgoing);

impl Values<'_> {
    /// The value of a place as text; without a validity it is empty.
    fn text(&self, name: &str) -> String {
        let message = self.0;
        match name {
            "to" => message.to.clone(),
            "to_digits" => message.to.trim_start_matches('+').to_owned(),
            "from" => message.from.clone(),
            "text" => message.text.clone(),
            "reference" => message.reference.clone(),
            "encoding" => match message.encoding {
                Encoding::Gsm => "gsm".to_owned(),
                Encoding::Ucs2 => "ucs2".to_owned(),
            },
            "parts" => message.parts.len().to_string(),
            "validity" => self.seconds().map(|seconds| seconds.to_string()).unwrap_or_default(),
            _ => String::new(),
        }
    }

    fn seconds(&self) -> Option<u64> {
        self.0.validity.as_ref().map(Duration::as_secs)
    }

    /// The value of a JSON text that is one place and nothing else: what counts is a number there.
    fn value(&self, name: &str) -> Value {
        match name {
            "parts" => self.0.parts.len().into(),
            "validity" => self.seconds().map_or(Value::Null, Value::from),
            _ => self.text(name).into(),
        }
    }
}

/// A piece of a template: text that stays, or the name of a place.
enum Piece<'t> {
    Text(&'t str),
    Place(&'t str),
}

/// Cuts a template into its pieces. A place is `{name}`; other braces are text.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let Some((name, begin, end)) = place(rest) else {
            pieces.push(Piece::Text(rest));
            break;
        };
        if begin > 0 {
            pieces.push(Piece::Text(&rest[..begin]));
        }
        pieces.push(Piece::Place(name));
        rest = &rest[end..];
    }
    pieces
}

/// The first place, where it begins and where it ends.
fn place(text: &str) -> Option<(&str, usize, usize)> {
    text.match_indices('{').find_map(|(begin, _)| {
        let inner = &text[begin + 1..];
        let length = inner.find('}')?;
        let name = &inner[..length];
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_name.then_some((name, begin, begin + length + 2))
    })
}

/// The first place of a template that there is not, or that cannot stand there.
fn unknown<'t>(template: &'t str, names: &[&str]) -> Option<&'t str> {
    pieces(template).into_iter().find_map(|piece| match piece {
        Piece::Place(name) if !names.contains(&name) => Some(name),
        _ => None,
    })
}

fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    pieces(template).into_iter().fold(String::new(), |filled, piece| match piece {
        Piece::Text(text) => filled + text,
        Piece::Place(name) => filled + &value(name),
    })
}

/// Fills a URL: values are percent-encoded whole, so that they stay within their place (RFC 3986, section 2.3).
pub(super) fn url(template: &str, values: &Values<'_>) -> String {
    fill(template, |name| {
        values.text(name).bytes().fold(String::new(), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                encoded.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        })
    })
}

/// Fills the value of a header.
pub(super) fn header(template: &str, values: &Values<'_>) -> String {
    fill(template, |name| values.text(name))
}

pub(super) fn check_header(template: &str) -> Result<(), String> {
    check(template, &IN_HEADERS)
}

pub(super) fn check_url(template: &str) -> Result<(), String> {
    check(template, &NAMES)?;
    let rest = template.strip_prefix("https://").or_else(|| template.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    match host {
        Some(host) if !host.is_empty() && !host.contains('{') => Ok(()),
        _ => Err("must begin with https:// or http:// and a host without places".to_owned()),
    }
}

fn check(template: &str, names: &[&str]) -> Result<(), String> {
    match unknown(template, names) {
        Some(name) => Err(format!("has a place {{{name}}}; there can be {{{}}}", names.join("}, {"))),
        None => Ok(()),
    }
}

/// The body of a request.
#[derive(Clone)]
pub(super) enum Body {
    Json(Value),
    Form(Vec<(String, String)>),
    Empty,
}

/// It may hold a key, so that it is not shown.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json(_) => "Json",
            Self::Form(_) => "Form",
            Self::Empty => "Empty",
        })
    }
}

impl Body {
    /// Reads a JSON text with places in its strings.
    pub(super) fn json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        check_json(&value)?;
        Ok(Self::Json(value))
    }

    /// Reads a form, `name=value&…`, with places in its values.
    pub(super) fn form(text: &str) -> Result<Self, String> {
        let fields: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        fields.iter().try_for_each(|(_, value)| check(value, &NAMES))?;
        Ok(Self::Form(fields))
    }

    /// The body for a message, and its type.
    pub(super) fn fill(&self, values: &Values<'_>) -> Option<(&'static str, String)> {
        match self {
            Self::Json(template) => Some(("application/json", fill_json(template, values).to_string())),
            Self::Form(fields) => {
                let filled = fields.iter().map(|(name, value)| (name, fill(value, |name| values.text(name))));
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(filled).finish();
                Some(("application/x-www-form-urlencoded", body))
            }
            Self::Empty => None,
        }
    }
}

fn check_json(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => check(text, &NAMES),
        Value::Array(items) => items.iter().try_for_each(check_json),
        Value::Object(members) => members.values().try_for_each(check_json),
        _ => Ok(()),
    }
}

/// Fills the strings of a value. They are escaped when the whole is written, so no text can break out of its place.
fn fill_json(value: &Value, values: &Values<'_>) -> Value {
    match value {
        Value::String(text) => match pieces(text).as_slice() {
            [Piece::Place(name)] => values.value(name),
            _ => fill(text, |name| values.text(name)).into(),
        },
        Value::Array(items) => items.iter().map(|item| fill_json(item, values)).collect(),
        Value::Object(members) => {
            let filled = members.iter().map(|(name, value)| (name.clone(), fill_json(value, values)));
            Value::Object(filled.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
