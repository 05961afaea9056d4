//! What a field or a parameter takes: published as a JSON schema, and read. Both come from one value, so that
//! what is published is what is accepted.

use muster_domain::message::limits;
use muster_domain::{Kind, Problem, Timestamp, text};
use serde_json::{Map, Value, json};

/// A set of values, as far as a schema can tell it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Any,
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    Text(Text),
    Words(&'static [&'static str]),
    /// Objects, and what else the schema says of them.
    Object {
        more: fn() -> Map<String, Value>,
    },
    /// Arrays of at most `max` entries, and what else the schema says of them.
    List {
        max: usize,
        more: fn() -> Map<String, Value>,
    },
}

/// Texts of `min` to `max` characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) min: usize,
    pub(crate) max: usize,
    /// A regular expression, in the common ground of ECMA 262, Python and Rust.
    pub(crate) pattern: Option<&'static str>,
    /// What else the text must be, for people.
    pub(crate) description: Option<&'static str>,
}

impl Text {
    pub(crate) const ANY: Self = Self { min: 0, max: usize::MAX, pattern: None, description: None };

    /// Any that is not blank and has no U+0000.
    pub(crate) const SOME: Self = Self { min: 1, pattern: Some(NOT_BLANK), ..Self::ANY };

    /// At most `max` characters, none of them U+0000.
    pub(crate) const fn limited(max: usize) -> Self {
        Self { max, pattern: Some(WITHOUT_NUL), ..Self::ANY }
    }
}

/// No store takes U+0000.
const WITHOUT_NUL: &str = r"^[^\u0000]*$";
/// And one character that is no white space, named one by one: engines differ in what `\s` is.
const NOT_BLANK: &str = concat!(
    r"^[^\u0000]*",
    r"[^\u0000\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
    r"[^\u0000]*$"
);
/// Neither part holds white space or control characters, and the second has a dot inside.
const EMAIL: &str = concat!(
    r"^[^@\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+",
    r"@[^@.\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+",
    r"(\.[^@.\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+)+$"
);
const TRIMMED: &str = "White space at both ends is removed.";

impl Shape {
    /// The schema of these values.
    pub(crate) fn schema(self) -> Map<String, Value> {
        let mut schema = Map::new();
        let mut put = |name: &str, value: Value| schema.insert(name.to_owned(), value);
        match self {
            Self::Any => {}
            Self::Boolean => {
                put("type", json!("boolean"));
            }
            Self::Integer { min, max } => {
                put("type", json!("integer"));
                put("format", json!("int64"));
                if min > i64::MIN {
                    put("minimum", json!(min));
                }
                if max < i64::MAX {
                    put("maximum", json!(max));
                }
            }
            Self::Text(Text { min, max, pattern, description }) => {
                put("type", json!("string"));
                if min > 0 {
                    put("minLength", json!(min));
                }
                if max < usize::MAX {
                    put("maxLength", json!(max));
                }
                if let Some(pattern) = pattern {
                    put("pattern", json!(pattern));
                }
                if let Some(description) = description {
                    put("description", json!(description));
                }
            }
            Self::Words(words) => {
                put("type", json!("string"));
                put("enum", json!(words));
            }
            Self::Object { more } => {
                put("type", json!("object"));
                schema.extend(more());
            }
            Self::List { max, more } => {
                put("type", json!("array"));
                put("maxItems", json!(max));
                schema.extend(more());
            }
        }
        schema
    }

    /// The schema of these values and null.
    pub(crate) fn nullable_schema(self) -> Map<String, Value> {
        let mut schema = self.schema();
        if let Some(kind) = schema.get_mut("type") {
            *kind = json!([kind.clone(), "null"]);
        }
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.push(Value::Null);
        }
        schema
    }
}

/// How a JSON value is read: what may be sent, and what becomes of it.
pub(crate) struct Parser<P> {
    pub(super) shape: Shape,
    pub(super) parse: P,
}

impl<P> Parser<P> {
    /// The schema of what may be sent.
    pub(crate) fn schema(&self) -> Value {
        self.shape.schema().into()
    }

    /// Looks further at what was read, for what no schema tells.
    pub(crate) fn then<T, U>(
        self,
        next: impl FnOnce(T) -> Result<U, Problem>,
    ) -> Parser<impl FnOnce(&Value) -> Result<U, Problem>>
    where
        P: FnOnce(&Value) -> Result<T, Problem>,
    {
        Parser { shape: self.shape, parse: move |value: &Value| (self.parse)(value).and_then(next) }
    }

    /// Takes some values without a look at them.
    pub(crate) fn unless<T>(
        self,
        known: impl FnOnce(&Value) -> Option<T>,
    ) -> Parser<impl FnOnce(&Value) -> Result<T, Problem>>
    where
        P: FnOnce(&Value) -> Result<T, Problem>,
    {
        Parser {
            shape: self.shape,
            parse: move |value: &Value| known(value).map_or_else(|| (self.parse)(value), Ok),
        }
    }
}

/// Parses a string of the given form.
pub(crate) fn string<T>(
    form: Text,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
) -> Parser<impl FnOnce(&Value) -> Result<T, Problem>> {
    Parser {
        shape: Shape::Text(form),
        parse: move |value: &Value| value.as_str().ok_or(Problem::WrongType(Kind::Text)).and_then(parse),
    }
}

/// Any string, to be looked at later.
pub(crate) fn any_text() -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    string(Text::ANY, |raw| Ok(raw.to_owned()))
}

/// Text of at most `max` characters, kept as it was sent.
pub(crate) fn limited_text(max: usize) -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    string(Text::limited(max), move |raw| text::limited(raw, max))
}

/// The text of one message, kept as it was sent. How many parts it needs is looked at later.
pub(crate) fn message_text() -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    let description = Some("At most 1530 characters of the GSM alphabet, or 670 of UCS-2.");
    let form = Text { max: limits::TEXT, description, ..Text::SOME };
    string(form, |raw| text::limited(raw, limits::TEXT))
}

/// Trimmed text of at most `max` characters; it may be empty.
pub(crate) fn trimmed_text(max: usize) -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    let form = Text { description: Some(TRIMMED), ..Text::limited(max) };
    string(form, move |raw| text::trimmed(raw, max))
}

/// Trimmed text of 1 to `max` characters.
pub(crate) fn required_text(max: usize) -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    let form = Text { min: 1, max, pattern: Some(NOT_BLANK), description: Some(TRIMMED) };
    string(form, move |raw| text::required(raw, max))
}

/// An email address.
pub(crate) fn email() -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    string(Text { min: 1, max: 254, pattern: Some(EMAIL), description: Some(TRIMMED) }, text::email)
}

/// The name of a time zone.
pub(crate) fn time_zone() -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    let description = Some("An IANA time zone name, such as America/New_York.");
    string(Text { description, ..Text::ANY }, text::time_zone)
}

/// One of some words, and the value that stands for it.
pub(crate) fn choice<T: Copy>(
    words: &'static [&'static str],
    values: &[T],
) -> Parser<impl FnOnce(&Value) -> Result<T, Problem>> {
    Parser {
        shape: Shape::Words(words),
        parse: move |value: &Value| {
            let word = value.as_str().ok_or(Problem::WrongType(Kind::Text))?;
            chosen(word, words, values)
        },
    }
}

/// The value of a word.
pub(super) fn chosen<T: Copy>(
    word: &str,
    words: &'static [&'static str],
    values: &[T],
) -> Result<T, Problem> {
    let at = words.iter().position(|known| *known == word);
    at.and_then(|at| values.get(at)).copied().ok_or(Problem::NotOneOf(words))
}

/// A JSON integer of 64 bits.
pub(crate) fn integer() -> Parser<impl FnOnce(&Value) -> Result<i64, Problem>> {
    integer_within(i64::MIN, i64::MAX)
}

/// A JSON integer within bounds.
pub(crate) fn integer_within(min: i64, max: i64) -> Parser<impl FnOnce(&Value) -> Result<i64, Problem>> {
    Parser {
        shape: Shape::Integer { min, max },
        parse: move |value: &Value| match value.as_i64() {
            Some(number) if (min..=max).contains(&number) => Ok(number),
            Some(_) => Err(Problem::OutOfRange { min, max }),
            None => Err(Problem::WrongType(Kind::Integer)),
        },
    }
}

/// An integer of 64 bits as it is written in a form.
pub(crate) fn integer_text() -> Parser<impl FnOnce(&Value) -> Result<i64, Problem>> {
    Parser {
        shape: Shape::Integer { min: i64::MIN, max: i64::MAX },
        parse: |value: &Value| {
            let number = value.as_str().and_then(|text| text.trim().parse().ok());
            number.ok_or(Problem::WrongType(Kind::Integer))
        },
    }
}

/// `true` or `false`.
pub(crate) fn boolean() -> Parser<impl FnOnce(&Value) -> Result<bool, Problem>> {
    Parser {
        shape: Shape::Boolean,
        parse: |value: &Value| value.as_bool().ok_or(Problem::WrongType(Kind::Boolean)),
    }
}

/// A time (RFC 3339).
pub(crate) fn date_time() -> Parser<impl FnOnce(&Value) -> Result<Timestamp, Problem>> {
    const FORM: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$";
    let description = Some("A time with an offset (RFC 3339).");
    string(Text { pattern: Some(FORM), description, ..Text::ANY }, text::date_time)
}

/// Any JSON value.
pub(crate) fn any<T>(
    parse: impl FnOnce(&Value) -> Result<T, Problem>,
) -> Parser<impl FnOnce(&Value) -> Result<T, Problem>> {
    Parser { shape: Shape::Any, parse }
}

/// A list of at most `max` entries, of which each is still to be read; `schema` says what they are.
pub(crate) fn list(
    schema: fn() -> Map<String, Value>,
    max: usize,
) -> Parser<impl FnOnce(&Value) -> Result<Vec<Value>, Problem>> {
    Parser {
        shape: Shape::List { max, more: schema },
        parse: move |value: &Value| match value.as_array() {
            None => Err(Problem::WrongType(Kind::Array)),
            Some(list) if list.len() > max => Err(Problem::TooManyEntries { max }),
            Some(list) => Ok(list.clone()),
        },
    }
}

/// A JSON object, of which `schema` says what is in it; `parse` refuses what is none.
pub(crate) fn object<T>(
    schema: fn() -> Map<String, Value>,
    parse: impl FnOnce(&Value) -> Result<T, Problem>,
) -> Parser<impl FnOnce(&Value) -> Result<T, Problem>> {
    Parser { shape: Shape::Object { more: schema }, parse }
}
