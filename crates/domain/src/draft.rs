//! Input that has been read but may have failing fields.

use std::borrow::Cow;

use crate::{Error, FieldError, Problem};

/// The failing fields of one input, gathered before any is reported.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Notes a failing field, such as `name` or `phones[3].phone`; only the first problem of a field is kept.
    pub fn push(&mut self, field: impl Into<Cow<'static, str>>, problem: Problem) {
        let field = field.into();
        if !self.0.iter().any(|known| known.field == field) {
            self.0.push(FieldError { field, problem });
        }
    }

    /// Notes a failing field of which nothing is known yet: there may be many, so nobody looks.
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, problem: Problem) {
        self.0.push(FieldError { field: field.into(), problem });
    }

    /// The value, or `None` with the problem noted.
    pub fn take<T>(&mut self, field: impl Into<Cow<'static, str>>, parsed: Result<T, Problem>) -> Option<T> {
        parsed.map_err(|problem| self.push(field, problem)).ok()
    }

    /// Whether this field fails, or something in it.
    pub fn names(&self, field: &str) -> bool {
        let within = |known: &str| {
            known.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        self.0.iter().any(|known| within(&known.field))
    }

    /// Whether no field fails.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Invalid` with every failing field, if there is one.
    pub fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    /// The value of an input in which no field fails. `value` is `None` only where a field failed.
    pub fn complete<T>(self, value: Option<T>) -> Result<T, Error> {
        self.finish()?;
        value.ok_or_else(|| Error::Internal("a field without a value was not reported".to_owned()))
    }

    /// The failing fields.
    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }
}

/// What a dialect read from a body, with the fields that it could not read. The use case adds what
/// only stored data can tell (an unknown parent) and refuses all of them in one answer.
#[derive(Debug, Default)]
pub struct Draft<T> {
    pub value: T,
    pub errors: FieldErrors,
}

impl<T> From<T> for Draft<T> {
    fn from(value: T) -> Self {
        Self { value, errors: FieldErrors::default() }
    }
}
