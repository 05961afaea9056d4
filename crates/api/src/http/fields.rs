//! The fields of a JSON body, read into patches, with every failing one named.
//!
//! The function that reads a body also describes it: the same calls, made on [`Fields::describe`], write down
//! which fields there are instead of looking for them.

use muster_domain::{Draft, FieldErrors, Kind, Patch, Problem};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::Failure;
use super::raw::{self, RawObject};
use super::shape::{Parser, Shape};

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

/// The longest name of a place that is told, in characters.
const MAX_PLACE: usize = 64;

/// The name of a field on the wire, or two for the same.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    name: &'static str,
    alias: Option<&'static str>,
}

impl From<&'static str> for Names {
    fn from(name: &'static str) -> Self {
        Self { name, alias: None }
    }
}

impl From<(&'static str, &'static str)> for Names {
    fn from((name, alias): (&'static str, &'static str)) -> Self {
        Self { name, alias: Some(alias) }
    }
}

/// Reads fields by their names on the wire, and notes problems under their names in the domain.
pub(crate) struct Fields<'a> {
    body: &'a RawObject<'a>,
    mode: Mode,
    /// A list has more entries than it may have.
    too_many: Option<usize>,
    pub(crate) errors: FieldErrors,
    /// Where the fields are written down, if that is what is wanted.
    described: Option<&'a mut Described>,
}

/// The fields of a body, as they are published.
#[derive(Default)]
struct Described {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    /// Of fields that are required under either of two names.
    either: Vec<Value>,
}

impl<'a> Fields<'a> {
    fn of(body: &'a RawObject<'a>, mode: Mode) -> Self {
        Self { body, mode, too_many: None, errors: FieldErrors::default(), described: None }
    }

    /// What `read` makes of a body. Errors: `TooManyEntries`.
    pub(super) fn read<T>(
        body: &'a RawObject<'a>,
        mode: Mode,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Result<Draft<T>, Failure> {
        let mut fields = Self::of(body, mode);
        let value = read(&mut fields);
        match fields.too_many {
            None => Ok(Draft { value, errors: fields.errors }),
            Some(max) => Err(Failure::TooManyEntries { max }),
        }
    }

    /// The schema of the bodies that `read` reads.
    pub(super) fn describe(mode: Mode, read: impl FnOnce(&mut Fields<'_>)) -> Value {
        let mut described = Described::default();
        read(&mut Fields { described: Some(&mut described), ..Fields::of(&RawObject::default(), mode) });
        let mut schema = json!({"type": "object", "properties": described.properties});
        if !described.required.is_empty() {
            schema["required"] = described.required.into();
        }
        if !described.either.is_empty() {
            schema["allOf"] = described.either.into();
        }
        schema
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// A field that an entity always has: `None` keeps it, which only a merge may want.
    pub(crate) fn required<T>(
        &mut self,
        names: impl Into<Names>,
        field: &'static str,
        parser: Parser<impl FnOnce(&Value) -> Result<T, Problem>>,
    ) -> Option<T> {
        let names = names.into();
        let must = self.mode != Mode::Merge;
        if let Some(described) = &mut self.described {
            described.add(names, parser.shape, false);
            if must {
                described.require(names);
            }
        }
        match self.value(names, field) {
            None if !must => None,
            None | Some(Value::Null) => {
                self.errors.push(field, Problem::Required);
                None
            }
            Some(value) => self.errors.take(field, (parser.parse)(&value)),
        }
    }

    /// A field that an entity always has, but nobody must send: `None` keeps it, or leaves it to its default.
    pub(crate) fn present<T>(
        &mut self,
        names: impl Into<Names>,
        field: &'static str,
        parser: Parser<impl FnOnce(&Value) -> Result<T, Problem>>,
    ) -> Option<T> {
        let names = names.into();
        if let Some(described) = &mut self.described {
            described.add(names, parser.shape, false);
        }
        match self.value(names, field)? {
            Value::Null => {
                self.errors.push(field, Problem::Required);
                None
            }
            value => self.errors.take(field, (parser.parse)(&value)),
        }
    }

    /// A field that can be without a value: null clears it, and so does its absence in a replacement.
    pub(crate) fn optional<T>(
        &mut self,
        names: impl Into<Names>,
        field: &'static str,
        parser: Parser<impl FnOnce(&Value) -> Result<T, Problem>>,
    ) -> Patch<T> {
        let absent = if self.mode == Mode::Replace { Patch::Clear } else { Patch::Keep };
        self.nullable(names.into(), field, parser, absent)
    }

    /// A field that stays when it is absent, also in a replacement; null clears it.
    pub(crate) fn lasting<T>(
        &mut self,
        names: impl Into<Names>,
        field: &'static str,
        parser: Parser<impl FnOnce(&Value) -> Result<T, Problem>>,
    ) -> Patch<T> {
        self.nullable(names.into(), field, parser, Patch::Keep)
    }

    fn nullable<T>(
        &mut self,
        names: Names,
        field: &'static str,
        parser: Parser<impl FnOnce(&Value) -> Result<T, Problem>>,
        absent: Patch<T>,
    ) -> Patch<T> {
        if let Some(described) = &mut self.described {
            described.add(names, parser.shape, true);
        }
        match self.value(names, field) {
            None => absent,
            Some(Value::Null) => Patch::Clear,
            Some(value) => self.errors.take(field, (parser.parse)(&value)).map_or(Patch::Keep, Patch::Set),
        }
    }

    /// A list of entities, as an array or as an object whose keys say nothing; `None` when it is absent or null. What
    /// fails in an entry is noted under its place, as `field[place].name`.
    pub(crate) fn entries<T>(
        &mut self,
        name: &'static str,
        max: usize,
        read: fn(&mut Fields<'_>) -> T,
    ) -> Option<Vec<(String, T)>> {
        if let Some(described) = &mut self.described {
            described.properties.insert(name.to_owned(), entries_schema(max, read));
        }
        let list = self.body.get(name).filter(|list| list.get() != "null")?;
        let is_list = ['[', '{'].into_iter().any(|mark| raw::begins_with(list, mark));
        if !is_list {
            self.errors.push(name, Problem::WrongType(Kind::Array));
            return None;
        }
        let mut entries = Vec::new();
        let all = raw::entries(list.get().as_bytes(), max, |place, entry| {
            let Draft { value, errors } = Fields::read_entry(entry, read);
            let place: String = place.chars().take(MAX_PLACE).collect();
            for error in errors.into_vec() {
                let within = if error.field.is_empty() { String::new() } else { format!(".{}", error.field) };
                self.errors.add(format!("{name}[{place}]{within}"), error.problem);
            }
            entries.push((place, value));
        });
        // What stands in a body that was read has no faults.
        if !all.unwrap_or(false) {
            self.too_many = Some(max);
        }
        Some(entries)
    }

    /// What `read` makes of an entry of a list; one that is no object fails as a whole.
    pub(super) fn read_entry<T>(entry: &RawValue, read: fn(&mut Fields<'_>) -> T) -> Draft<T> {
        let fails_as_a_whole = |problem| {
            let value = read(&mut Fields::of(&RawObject::default(), Mode::Create));
            let mut errors = FieldErrors::default();
            errors.push("", problem);
            Draft { value, errors }
        };
        if !raw::begins_with(entry, '{') {
            return fails_as_a_whole(Problem::WrongType(Kind::Object));
        }
        let object = RawObject::parse(entry.get().as_bytes()).ok();
        let draft = object.and_then(|object| Fields::read(&object, Mode::Create, |fields| read(fields)).ok());
        draft.unwrap_or_else(|| fails_as_a_whole(Problem::Format("must have fewer properties")))
    }

    /// The value under either name. Both with different values are a problem.
    fn value(&mut self, names: Names, field: &'static str) -> Option<Value> {
        let value = self.body.get(names.name).map(raw::value);
        let Some(alias) = names.alias else {
            return value;
        };
        match (value, self.body.get(alias).map(raw::value)) {
            (Some(one), Some(other)) if one != other => {
                self.errors.push(field, Problem::Conflict(alias));
                None
            }
            (one, other) => one.or(other),
        }
    }
}

/// The schema of what [`Fields::entries`] reads.
fn entries_schema<T>(max: usize, read: fn(&mut Fields<'_>) -> T) -> Value {
    let entry = Fields::describe(Mode::Create, |fields| _ = read(fields));
    json!({"oneOf": [
        {"type": "array", "items": entry, "maxItems": max},
        {"type": "object", "additionalProperties": entry, "maxProperties": max},
        {"type": "null"},
    ]})
}

impl Described {
    fn add(&mut self, names: Names, shape: Shape, nullable: bool) {
        let schema = if nullable { shape.nullable_schema() } else { shape.schema() };
        if let Some(alias) = names.alias {
            let mut schema = schema.clone();
            schema.insert("description".to_owned(), format!("Another name of {}.", names.name).into());
            self.properties.insert(alias.to_owned(), schema.into());
        }
        self.properties.insert(names.name.to_owned(), schema.into());
    }

    fn require(&mut self, names: Names) {
        match names.alias {
            None => self.required.push(names.name),
            Some(alias) => {
                self.either.push(json!({"anyOf": [{"required": [names.name]}, {"required": [alias]}]}));
            }
        }
    }
}
