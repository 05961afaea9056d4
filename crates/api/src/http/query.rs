//! Query parameters, each checked, with every failing one named.

use std::borrow::Cow;

use muster_domain::{FieldErrors, Problem, Slice, text};

use super::Failure;
use crate::Settings;

/// The parameters of a request. Unknown ones are ignored; of a repeated one the first counts.
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    errors: FieldErrors,
}

impl Query {
    pub(super) fn parse(raw: &str) -> Self {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        Self {
            pairs: form_urlencoded::parse(raw.as_bytes()).map(owned).collect(),
            errors: FieldErrors::default(),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Text of at most `max` characters; empty text is none.
    pub(crate) fn limited_text(&mut self, name: &'static str, max: usize) -> Option<String> {
        let parsed = text::limited(self.text(name).filter(|text| !text.is_empty())?, max);
        self.errors.take(name, parsed)
    }

    /// An integer within bounds.
    pub(crate) fn integer(&mut self, name: &'static str, min: i64, max: i64) -> Option<i64> {
        let parsed = match self.text(name)?.parse::<i64>() {
            Ok(number) if (min..=max).contains(&number) => Ok(number),
            Ok(_) => Err(Problem::OutOfRange { min, max }),
            Err(_) => Err(Problem::WrongType("an integer")),
        };
        self.errors.take(name, parsed)
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        words: &'static [&'static str],
        values: &[T],
    ) -> Option<T> {
        let given = self.text(name)?;
        let found = words.iter().position(|word| *word == given).and_then(|at| values.get(at)).copied();
        self.errors.take(name, found.ok_or(Problem::NotOneOf(words)))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.choice(name, &["true", "false"], &[true, false])
    }

    /// `limit` and `offset`.
    pub(crate) fn slice(&mut self, settings: &Settings) -> Slice {
        let limit = self.integer("limit", 1, i64::from(settings.max_page));
        let offset = self.integer("offset", 0, i64::MAX);
        Slice {
            limit: limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(settings.default_page),
            offset: offset.and_then(|offset| u64::try_from(offset).ok()).unwrap_or(0),
        }
    }

    /// A failure with every failing parameter, if there is one.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let errors = self.errors.into_vec();
        if errors.is_empty() { Ok(()) } else { Err(Failure::Fields(errors)) }
    }
}
