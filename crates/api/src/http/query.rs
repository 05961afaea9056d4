//! Query parameters, each checked, with every failing one named.
//!
//! As with bodies, the function that reads the parameters of a call also describes them.

use std::borrow::Cow;

use muster_domain::{FieldErrors, Kind, Problem, Slice, text};
use serde_json::{Value, json};

use super::Failure;
use super::shape::{Shape, Text, chosen};
use crate::Settings;

/// The parameters of a request. Unknown ones are ignored; of a repeated one the first counts.
pub(crate) struct Query<'a> {
    pairs: Vec<(String, String)>,
    settings: &'a Settings,
    errors: FieldErrors,
    /// Where the parameters are written down, if that is what is wanted.
    described: Option<&'a mut Vec<Value>>,
}

impl<'a> Query<'a> {
    /// What `read` makes of a query. A failure names every failing parameter.
    pub(crate) fn read<T>(
        raw: &str,
        settings: &'a Settings,
        read: impl FnOnce(&mut Query<'a>) -> T,
    ) -> Result<T, Failure> {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        let pairs = form_urlencoded::parse(raw.as_bytes()).map(owned).collect();
        let mut query = Self { pairs, settings, errors: FieldErrors::default(), described: None };
        let value = read(&mut query);
        let errors = query.errors.into_vec();
        if errors.is_empty() { Ok(value) } else { Err(Failure::Fields(errors)) }
    }

    /// The parameters that `read` reads, in the form of OpenAPI.
    pub(super) fn describe(settings: &Settings, read: fn(&mut Query<'_>)) -> Vec<Value> {
        let mut described = Vec::new();
        let errors = FieldErrors::default();
        read(&mut Query { pairs: Vec::new(), settings, errors, described: Some(&mut described) });
        described
    }

    /// A parameter as it was sent.
    fn text(&mut self, name: &'static str, shape: Shape, default: Option<Value>) -> Option<&str> {
        if let Some(described) = &mut self.described {
            let mut schema = shape.schema();
            if let Some(default) = default {
                schema.insert("default".to_owned(), default);
            }
            described.push(json!({"name": name, "in": "query", "schema": schema}));
        }
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All parameters as they were sent, for whoever reads names that are made of parts. They are published by
    /// [`Query::publish`].
    pub(crate) fn take_pairs(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.pairs)
    }

    /// Writes parameters down that are read from [`Query::take_pairs`], if that is what is wanted.
    pub(crate) fn publish(&mut self, parameters: impl FnOnce() -> Vec<Value>) {
        if let Some(described) = &mut self.described {
            described.extend(parameters());
        }
    }

    /// Notes a failing parameter.
    pub(crate) fn refuse(&mut self, name: impl Into<Cow<'static, str>>, problem: Problem) {
        self.errors.push(name, problem);
    }

    /// Text of at most `max` characters; empty text is none.
    pub(crate) fn limited_text(&mut self, name: &'static str, max: usize) -> Option<String> {
        let given = self.text(name, Shape::Text(Text::limited(max)), None);
        let parsed = text::limited(given.filter(|text| !text.is_empty())?, max);
        self.errors.take(name, parsed)
    }

    /// An integer within bounds.
    pub(crate) fn integer(&mut self, name: &'static str, min: i64, max: i64) -> Option<i64> {
        self.bounded(name, min, max, None)
    }

    fn bounded(&mut self, name: &'static str, min: i64, max: i64, default: Option<u32>) -> Option<i64> {
        let given = self.text(name, Shape::Integer { min, max }, default.map(Value::from));
        let parsed = match given?.parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number),
            Ok(_) => Err(Problem::OutOfRange { min, max }),
            Err(_) => Err(Problem::WrongType(Kind::Integer)),
        };
        self.errors.take(name, parsed)
    }

    /// The number of a page, from 1 on; `None` without the parameter.
    pub(crate) fn page(&mut self) -> Option<u64> {
        self.bounded("page", 1, i64::MAX, None).map(i64::unsigned_abs)
    }

    /// An integer within bounds; without the parameter, `default`.
    pub(crate) fn integer_or(&mut self, name: &'static str, min: u32, max: u32, default: u32) -> u32 {
        let number = self.bounded(name, min.into(), max.into(), Some(default));
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
    }

    /// What is read from text of the given form.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &'static str,
        form: Text,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let parsed = parse(self.text(name, Shape::Text(form), None)?);
        self.errors.take(name, parsed)
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        words: &'static [&'static str],
        values: &[T],
    ) -> Option<T> {
        let parsed = chosen(self.text(name, Shape::Words(words), None)?, words, values);
        self.errors.take(name, parsed)
    }

    /// One of some words; without the parameter, `default`.
    pub(crate) fn choice_or<T: Copy + PartialEq>(
        &mut self,
        name: &'static str,
        words: &'static [&'static str],
        values: &[T],
        default: T,
    ) -> T {
        let word = values.iter().position(|value| *value == default).and_then(|at| words.get(at));
        let shape = Shape::Words(words);
        let Some(given) = self.text(name, shape, word.map(|word| json!(word))) else {
            return default;
        };
        let parsed = chosen(given, words, values);
        self.errors.take(name, parsed).unwrap_or(default)
    }

    /// `true` or `false`; without the parameter, `default`.
    pub(crate) fn boolean_or(&mut self, name: &'static str, default: bool) -> bool {
        let Some(given) = self.text(name, Shape::Boolean, Some(json!(default))) else {
            return default;
        };
        let parsed = chosen(given, &["true", "false"], &[true, false]);
        self.errors.take(name, parsed).unwrap_or(default)
    }

    /// `limit` and `offset`.
    pub(crate) fn slice(&mut self) -> Slice {
        let Settings { default_page, max_page, .. } = *self.settings;
        let limit = self.bounded("limit", 1, i64::from(max_page), Some(default_page));
        let offset = self.bounded("offset", 0, i64::MAX, Some(0));
        Slice {
            limit: limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(default_page),
            offset: offset.and_then(|offset| u64::try_from(offset).ok()).unwrap_or(0),
        }
    }
}
