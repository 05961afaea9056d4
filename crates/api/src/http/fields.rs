//! The fields of a JSON body, read into patches, with every failing one named.

use muster_domain::{FieldErrors, Patch, Problem};
use serde_json::{Map, Value};

/// What the absence of a field means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A new entity: required fields must be there, others take their default.
    Create,
    /// The whole entity: required fields must be there, others are cleared.
    Replace,
    /// A part of the entity: what is absent stays.
    Merge,
}

/// Reads fields by their names on the wire, and notes problems under their names in the domain.
pub(crate) struct Fields<'a> {
    body: &'a Map<String, Value>,
    mode: Mode,
    pub(crate) errors: FieldErrors,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(body: &'a Map<String, Value>, mode: Mode) -> Self {
        Self { body, mode, errors: FieldErrors::default() }
    }

    /// The value of a field that has two names. Both with different values are a problem.
    pub(crate) fn alias(
        &mut self,
        wire: &'static str,
        alias: &'static str,
        field: &'static str,
    ) -> Option<&'a Value> {
        match (self.body.get(wire), self.body.get(alias)) {
            (Some(one), Some(other)) if one != other => {
                self.errors.push(field, Problem::Conflict(alias));
                None
            }
            (one, other) => one.or(other),
        }
    }

    /// A field that an entity always has: `None` keeps it, which only a merge may want.
    pub(crate) fn required<T>(
        &mut self,
        wire: &'static str,
        field: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Option<T> {
        self.required_value(self.body.get(wire), field, parse)
    }

    /// As [`Fields::required`], of a value that was looked up already.
    pub(crate) fn required_value<T>(
        &mut self,
        value: Option<&Value>,
        field: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Option<T> {
        match value {
            None if self.mode == Mode::Merge => None,
            None | Some(Value::Null) => {
                self.errors.push(field, Problem::Required);
                None
            }
            Some(value) => self.errors.take(field, parse(value)),
        }
    }

    /// A field that can be without a value: null clears it, and so does its absence in a replacement.
    pub(crate) fn optional<T>(
        &mut self,
        wire: &'static str,
        field: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Patch<T> {
        if self.mode == Mode::Replace && !self.body.contains_key(wire) {
            return Patch::Clear;
        }
        self.lasting(wire, field, parse)
    }

    /// A field that stays when it is absent, also in a replacement; null clears it.
    pub(crate) fn lasting<T>(
        &mut self,
        wire: &'static str,
        field: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Patch<T> {
        match self.body.get(wire) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => self.errors.take(field, parse(value)).map_or(Patch::Keep, Patch::Set),
        }
    }
}

/// A parser of JSON strings.
pub(crate) fn string<T>(
    parse: impl FnOnce(&str) -> Result<T, Problem>,
) -> impl FnOnce(&Value) -> Result<T, Problem> {
    move |value| value.as_str().ok_or(Problem::WrongType("a string")).and_then(parse)
}

/// Parses a JSON integer.
pub(crate) fn integer(value: &Value) -> Result<i64, Problem> {
    value.as_i64().ok_or(Problem::WrongType("an integer"))
}

/// Parses `true` or `false`.
pub(crate) fn boolean(value: &Value) -> Result<bool, Problem> {
    value.as_bool().ok_or(Problem::WrongType("true or false"))
}
