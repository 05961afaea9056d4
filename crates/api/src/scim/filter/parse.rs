//! The grammar of filters and of the paths of PATCH (RFC 7644, sections 3.4.2.2 and 3.5.2).

use serde_json::{Number, Value};

use super::{Filter, Operator};
use crate::scim::path::{AttrPath, is_name};
use crate::scim::{ScimError, ScimType};

/// The greatest sizes (our decisions).
pub mod limits {
    /// Of a filter or path, in bytes.
    pub const LENGTH: usize = 8 * 1024;
    /// How deep parentheses and brackets may be nested.
    pub const DEPTH: usize = 32;
    /// How many comparisons a filter may have; a store makes a term of a statement of each.
    pub const TERMS: usize = 200;
}

/// The path of a PATCH operation: an attribute, which of its elements, and what of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub attribute: AttrPath,
    pub filter: Option<Filter>,
    /// What stands behind a filter.
    pub sub: Option<String>,
}

/// Parses a filter. Errors: `invalidFilter`, with the place.
pub fn parse(text: &str) -> Result<Filter, ScimError> {
    let filter = Parser::of(text).and_then(|mut parser| {
        let filter = parser.or(Scope::Resource)?;
        parser.end().map(|()| filter)
    });
    filter.map_err(|fault| fault.error(text, ScimType::InvalidFilter))
}

/// Parses the path of a PATCH operation. Errors: `invalidPath`, with the place.
pub fn parse_path(text: &str) -> Result<Path, ScimError> {
    let path = Parser::of(text).and_then(|mut parser| {
        let attribute = parser.path()?;
        let filter = if parser.eat('[') { Some(parser.bracketed()?) } else { None };
        let sub = if filter.is_some() && parser.eat('.') { Some(parser.name()?) } else { None };
        parser.end().map(|()| Path { attribute, filter, sub })
    });
    path.map_err(|fault| fault.error(text, ScimType::InvalidPath))
}

/// What was expected at some byte of the text.
struct Fault {
    at: usize,
    expected: &'static str,
}

impl Fault {
    fn error(&self, text: &str, scim_type: ScimType) -> ScimError {
        let place = text.get(..self.at).unwrap_or(text).chars().count() + 1;
        ScimError::new(scim_type, format!("{} expected at character {place}", self.expected))
    }
}

/// Where names are looked up; elements have no elements of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Resource,
    Element,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    terms: usize,
}

impl<'a> Parser<'a> {
    fn of(text: &'a str) -> Result<Self, Fault> {
        if text.len() > limits::LENGTH {
            return Err(Fault { at: limits::LENGTH, expected: "nothing beyond 8192 bytes" });
        }
        Ok(Self { text, at: 0, depth: 0, terms: 0 })
    }

    fn or(&mut self, scope: Scope) -> Result<Filter, Fault> {
        let mut any = vec![self.and(scope)?];
        while self.eat_word("or") {
            any.push(self.and(scope)?);
        }
        Ok(single_or(any, Filter::Or))
    }

    fn and(&mut self, scope: Scope) -> Result<Filter, Fault> {
        let mut all = vec![self.term(scope)?];
        while self.eat_word("and") {
            all.push(self.term(scope)?);
        }
        Ok(single_or(all, Filter::And))
    }

    fn term(&mut self, scope: Scope) -> Result<Filter, Fault> {
        if self.eat('(') {
            return self.nested(')', "`)`", scope);
        }
        let start = self.at;
        if self.eat_word("not") {
            if self.eat('(') {
                return Ok(Filter::Not(Box::new(self.nested(')', "`)`", scope)?)));
            }
            self.at = start;
        }
        let path = self.path()?;
        if scope == Scope::Resource && self.rest().starts_with('[') {
            self.at += 1;
            return self.elements(path);
        }
        self.comparison(path)
    }

    /// What follows `path[`. With `path[filter].sub eq "x"`, which is in no grammar but is sent, the same element has
    /// to fit both.
    fn elements(&mut self, path: AttrPath) -> Result<Filter, Fault> {
        let mut filter = self.bracketed()?;
        if self.rest().starts_with('.') {
            self.at += 1;
            let name = self.name()?;
            let comparison = self.comparison(AttrPath { schema: None, name, sub: None })?;
            filter = match filter {
                Filter::And(mut all) => {
                    all.push(comparison);
                    Filter::And(all)
                }
                other => Filter::And(vec![other, comparison]),
            };
        }
        Ok(Filter::Within(path, Box::new(filter)))
    }

    fn bracketed(&mut self) -> Result<Filter, Fault> {
        self.nested(']', "`]`", Scope::Element)
    }

    fn nested(&mut self, close: char, expected: &'static str, scope: Scope) -> Result<Filter, Fault> {
        self.depth += 1;
        if self.depth > limits::DEPTH {
            return self.fault("no more than 32 levels of parentheses");
        }
        let filter = self.or(scope)?;
        self.depth -= 1;
        if self.eat(close) { Ok(filter) } else { self.fault(expected) }
    }

    fn comparison(&mut self, path: AttrPath) -> Result<Filter, Fault> {
        self.terms += 1;
        if self.terms > limits::TERMS {
            return self.fault("no more than 200 comparisons");
        }
        if self.eat_word("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(operator) = Operator::of(self.peek_word()) else {
            return self.fault("an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)");
        };
        self.at += operator.as_str().len();
        let value = self.literal()?;
        Ok(Filter::Compare(path, operator, value))
    }

    /// A JSON value; the words are matched without case, as clients write `True`.
    fn literal(&mut self) -> Result<Value, Fault> {
        const EXPECTED: &str = "a value (a string in double quotes, a number, true, false or null)";
        self.skip_white_space();
        if self.rest().starts_with('"') {
            let length = quoted(self.rest());
            let text: Option<String> = serde_json::from_str(&self.rest()[..length]).ok();
            let Some(text) = text else {
                return self.fault("a string as JSON has them");
            };
            self.at += length;
            return Ok(text.into());
        }
        let word = self.peek_word();
        let value = match word.to_ascii_lowercase().as_str() {
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            "null" => Some(Value::Null),
            _ => serde_json::from_str::<Number>(word).ok().map(Value::Number),
        };
        let Some(value) = value else {
            return self.fault(EXPECTED);
        };
        self.at += word.len();
        Ok(value)
    }

    fn path(&mut self) -> Result<AttrPath, Fault> {
        let word = self.peek_word();
        let Ok(path) = word.parse() else {
            return self.fault("the name of an attribute");
        };
        self.at += word.len();
        Ok(path)
    }

    fn name(&mut self) -> Result<String, Fault> {
        let word = self.peek_word();
        if !is_name(word) {
            return self.fault("the name of a sub-attribute");
        }
        self.at += word.len();
        Ok(word.to_owned())
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.skip_white_space();
        if self.rest().is_empty() { Ok(()) } else { self.fault("`and`, `or` or the end") }
    }

    /// The next word, up to white space, a parenthesis, a bracket or a quotation mark.
    fn peek_word(&mut self) -> &'a str {
        self.skip_white_space();
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || "()[]\"".contains(c);
        &rest[..rest.find(ends).unwrap_or(rest.len())]
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let is_next = self.peek_word().eq_ignore_ascii_case(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    fn eat(&mut self, mark: char) -> bool {
        self.skip_white_space();
        let is_next = self.rest().starts_with(mark);
        if is_next {
            self.at += mark.len_utf8();
        }
        is_next
    }

    fn skip_white_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fault<T>(&mut self, expected: &'static str) -> Result<T, Fault> {
        self.skip_white_space();
        Err(Fault { at: self.at, expected })
    }
}

fn single_or(mut filters: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    if filters.len() == 1 { filters.swap_remove(0) } else { many(filters) }
}

/// The length in bytes of the string that a text begins with, with its quotation marks.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
