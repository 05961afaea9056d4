//! Filters (RFC 7644, section 3.4.2.2).
//!
//! A text is parsed to a [`Filter`], which the schema makes a [`Condition`]: names found, values of the right types.
//! A condition is evaluated on resources, and lowered to what a store can look up.

mod check;
mod evaluate;
mod lower;
mod parse;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::Value;

use super::path::AttrPath;
pub use check::{Comparison, Condition};
pub use lower::{Lowered, lower};
pub use parse::{Path, limits, parse, parse_path};

/// A filter as it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Two or more, of which one holds.
    Or(Vec<Filter>),
    /// Two or more that all hold.
    And(Vec<Filter>),
    Not(Box<Filter>),
    Present(AttrPath),
    /// The value is a string, number, boolean or null.
    Compare(AttrPath, Operator, Value),
    /// There is an element that the filter holds for.
    Within(AttrPath, Box<Filter>),
}

/// The operators that take a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// Words are matched without case.
    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(word))
    }
}

/// Writes a filter so that it parses to itself.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(any) => joined(f, any, " or ", |inner| matches!(inner, Self::Or(_))),
            Self::And(all) => joined(f, all, " and ", |inner| matches!(inner, Self::Or(_) | Self::And(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(path, operator, value) => write!(f, "{path} {} {value}", operator.as_str()),
            Self::Within(path, inner) => write!(f, "{path}[{inner}]"),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    filters: &[Filter],
    word: &str,
    in_parentheses: fn(&Filter) -> bool,
) -> fmt::Result {
    for (n, filter) in filters.iter().enumerate() {
        if n > 0 {
            f.write_str(word)?;
        }
        if in_parentheses(filter) { write!(f, "({filter})") } else { write!(f, "{filter}") }?;
    }
    Ok(())
}
