//! The body of a PATCH request, as the operations on attributes that it stands for.

use serde_json::{Map, Value};

use super::edit::{Edit, ListEdit, Missing, Operation};
use super::members::Collector;
use super::{PATCH_OP, Patch, Profile, limits};
use crate::scim::filter::{Condition, Filter, Operator, Path, parse_path};
use crate::scim::read::limits::DOCUMENT;
use crate::scim::schema::{Attribute, Kind, Mutability, ResourceType, Schema, Target};
use crate::scim::value::{self, SubValue};
use crate::scim::{ScimError, ScimType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Replace,
    Remove,
}

pub(super) fn read(kind: &'static ResourceType, profile: Profile, body: Value) -> Result<Patch, ScimError> {
    let mut reader =
        Reader { kind, profile, operations: Vec::new(), comparisons: 0, members: Collector::default() };
    for operation in operations(body)? {
        reader.operation(operation)?;
    }
    Ok(Patch { kind, operations: reader.operations, members: reader.members.finish() })
}

/// The operations of a body, of which there is at least one.
fn operations(body: Value) -> Result<Vec<Value>, ScimError> {
    let Value::Object(mut body) = body else {
        return syntax("the body must be a JSON object");
    };
    if let Some(schemas) = take(&mut body, "schemas") {
        let is_patch = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_OP));
        if !schemas.as_array().is_some_and(|urns| urns.iter().any(is_patch)) {
            return syntax(format!("schemas must have {PATCH_OP}"));
        }
    }
    match take(&mut body, "Operations") {
        Some(Value::Array(operations)) if operations.is_empty() => syntax("Operations must not be empty"),
        Some(Value::Array(operations)) if operations.len() > limits::OPERATIONS => {
            value::refuse("Operations", "must not be more than 1000")
        }
        Some(Value::Array(operations)) => Ok(operations),
        _ => syntax("Operations must be an array"),
    }
}

struct Reader {
    kind: &'static ResourceType,
    profile: Profile,
    operations: Vec<Operation>,
    comparisons: usize,
    members: Collector,
}

impl Reader {
    fn operation(&mut self, operation: Value) -> Result<(), ScimError> {
        let Value::Object(mut operation) = operation else {
            return syntax("an operation must be an object");
        };
        let op = match take(&mut operation, "op").as_ref().and_then(Value::as_str) {
            Some(word) if word.eq_ignore_ascii_case("add") => Op::Add,
            Some(word) if word.eq_ignore_ascii_case("replace") => Op::Replace,
            Some(word) if word.eq_ignore_ascii_case("remove") => Op::Remove,
            _ => return syntax("op must be add, replace or remove"),
        };
        let value = take(&mut operation, "value");
        if value.is_none() && op != Op::Remove {
            return Err(ScimError::invalid_value("add and replace need a value"));
        }
        match take(&mut operation, "path") {
            None | Some(Value::Null) => match (op, value) {
                (Op::Remove, _) => Err(ScimError::new(ScimType::NoTarget, "remove needs a path")),
                (_, Some(Value::Object(members))) => self.pathless(op, members),
                _ => Err(ScimError::invalid_value("without a path, the value must be an object")),
            },
            Some(Value::String(path)) => self.path(op, &path, value),
            Some(_) => Err(ScimError::new(ScimType::InvalidPath, "path must be a string")),
        }
    }

    /// Each member is as an operation on its own; its name may be a path (`name.givenName`). As in the bodies of POST,
    /// what is read-only or unknown is passed over; but a filter is only sent by who means it.
    fn pathless(&mut self, op: Op, members: Map<String, Value>) -> Result<(), ScimError> {
        for (name, value) in members {
            if let Some(extension) = self.schema(&name) {
                self.attributes(op, extension, value)?;
                continue;
            }
            if name.contains('[') {
                self.path(op, &name, Some(value))?;
            } else if let Ok(path) = parse_path(&name)
                && let Some(target) = self.kind.resolve(&path.attribute)
                && !target.attribute.is_read_only()
                && !target.leaf().is_read_only()
            {
                self.target(op, target, &path, Some(value))?;
            }
        }
        Ok(())
    }

    fn path(&mut self, op: Op, text: &str, value: Option<Value>) -> Result<(), ScimError> {
        if let Some(schema) = self.schema(text) {
            return match (op, value) {
                (Op::Remove, None | Some(Value::Null)) => self.remove_extension(schema),
                (Op::Remove, Some(_)) => Err(ScimError::invalid_value("remove takes no value here")),
                (_, value) => self.attributes(op, schema, value.unwrap_or_default()),
            };
        }
        let path = parse_path(text)?;
        let Some(target) = self.kind.resolve(&path.attribute) else {
            return Err(ScimError::new(
                ScimType::InvalidPath,
                format!("there is no attribute {}", path.attribute),
            ));
        };
        self.target(op, target, &path, value)
    }

    /// The schema that this is the URN of.
    fn schema(&self, urn: &str) -> Option<&'static Schema> {
        let own = Some(self.kind.schema).filter(|schema| schema.id.eq_ignore_ascii_case(urn));
        own.or_else(|| self.kind.extension(urn))
    }

    /// The attributes of a schema, in an object under its URN. Those not named stay.
    fn attributes(&mut self, op: Op, schema: &'static Schema, value: Value) -> Result<(), ScimError> {
        match value {
            Value::Null => self.remove_extension(schema),
            Value::Object(members) => {
                let prefixed =
                    members.into_iter().map(|(name, value)| (format!("{}:{name}", schema.id), value));
                self.pathless(op, prefixed.collect())
            }
            _ => value::refuse(schema.id, "must be an object"),
        }
    }

    fn remove_extension(&mut self, schema: &'static Schema) -> Result<(), ScimError> {
        let Some(extension) = self.kind.extension(schema.id) else {
            return Err(ScimError::new(ScimType::Mutability, format!("{} cannot be removed", schema.id)));
        };
        for attribute in extension.attributes {
            let target = Target { extension: Some(extension), attribute, sub: None };
            self.operations.push(Operation { target, edit: Edit::Set(None) });
        }
        Ok(())
    }

    fn target(
        &mut self,
        op: Op,
        mut target: Target,
        path: &Path,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        let attribute = target.attribute;
        if path.filter.is_some() && (!attribute.multi_valued || target.sub.is_some()) {
            return invalid_path(path, "has no elements to choose from");
        }
        if let Some(name) = &path.sub {
            target.sub = attribute.sub(name);
            if target.sub.is_none() {
                return invalid_path(path, "has no such sub-attribute");
            }
        }
        check_mutability(op, &target)?;
        if attribute.detached {
            return self.members.take(attribute, op, path.filter.as_ref(), value);
        }
        if value.as_ref().is_some_and(|value| value::length(value) > DOCUMENT) {
            return value::refuse(attribute.name, "must not have more than 65536 bytes of JSON");
        }
        let edit = match (attribute.multi_valued, &path.filter) {
            (true, None) if target.sub.is_none() => of_values(op, attribute, value)?,
            (true, filter) => Edit::List(self.of_elements(op, &target, filter.as_ref(), value)?),
            (false, _) => self.of_value(op, &target, value)?,
        };
        if let Edit::List(edit) = &edit {
            self.comparisons += edit.comparisons();
        }
        if self.comparisons > limits::COMPARISONS {
            return value::refuse("Operations", "must not have more than 2000 values and comparisons");
        }
        self.operations.push(Operation { target: Target { sub: None, ..target }, edit });
        Ok(())
    }

    fn of_value(&self, op: Op, target: &Target, value: Option<Value>) -> Result<Edit, ScimError> {
        let attribute = target.attribute;
        let value = if op == Op::Remove { Value::Null } else { self.single(target.leaf(), value) };
        match target.sub {
            Some(sub) => Ok(Edit::Merge(vec![(sub, value::sub_value(attribute, sub, value)?)])),
            None if attribute.kind == Kind::Complex && !value.is_null() => {
                value::sub_values(attribute, value).map(Edit::Merge)
            }
            None if attribute.mutability == Mutability::WriteOnly && value.is_null() => {
                value::refuse(attribute.name, "cannot be removed")
            }
            None => value::normalize(attribute, value).map(Edit::Set),
        }
    }

    /// The value of what has only one. Entra ID may send `[{"value": …}]`.
    fn single(&self, attribute: &Attribute, value: Option<Value>) -> Value {
        match value {
            Some(Value::Array(mut values)) if values.len() <= 1 => match values.pop() {
                None => Value::Null,
                Some(only) if attribute.kind == Kind::Complex => only,
                Some(Value::Object(mut only)) if self.profile == Profile::Entra => {
                    // What has no value is not understood, which is not the same as null.
                    take(&mut only, "value").unwrap_or_else(|| only.into())
                }
                Some(only) => vec![only].into(),
            },
            value => value.unwrap_or_default(),
        }
    }

    /// An edit of the elements that a filter chooses, or of a sub-attribute of all.
    fn of_elements(
        &self,
        op: Op,
        target: &Target,
        filter: Option<&Filter>,
        value: Option<Value>,
    ) -> Result<ListEdit, ScimError> {
        let attribute = target.attribute;
        let condition = filter.map(|filter| Condition::of_elements(filter, attribute)).transpose()?;
        let value = if op == Op::Remove { Value::Null } else { self.single(target.leaf(), value) };
        let values = match target.sub {
            None if value.is_null() && op != Op::Add => return Ok(ListEdit::Remove(condition)),
            None => value::sub_values(attribute, value)?,
            Some(sub) => vec![(sub, value::sub_value(attribute, sub, value)?)],
        };
        let creates = filter.is_none() || op == Op::Add || self.profile == Profile::Entra;
        let missing = if values.iter().all(|(_, value)| value.is_none()) {
            Missing::Pass
        } else if creates && let Some(values) = template(attribute, filter)? {
            let mut element = Map::new();
            value::write(&mut element, values);
            Missing::Create(element)
        } else {
            Missing::Refuse
        };
        Ok(ListEdit::Merge { condition, values, missing })
    }
}

/// An edit of all values of an attribute. A single value may stand without its array.
fn of_values(op: Op, attribute: &Attribute, value: Option<Value>) -> Result<Edit, ScimError> {
    let values = value::listed(attribute, value)?;
    Ok(match (op, values) {
        // Entra ID names what is to be removed. Nothing named is not everything.
        (Op::Remove, Some(values)) => Edit::List(ListEdit::Subtract(values)),
        (Op::Add, values) => Edit::List(ListEdit::Append(values.unwrap_or_default())),
        (Op::Replace, Some(values)) if !values.is_empty() => Edit::Set(Some(values.into())),
        (Op::Remove | Op::Replace, _) => Edit::Set(None),
    })
}

/// What an element has to have for a filter to hold: the values of its comparisons, if these are all `eq` and
/// joined by `and`.
fn template(attribute: &Attribute, filter: Option<&Filter>) -> Result<Option<Vec<SubValue>>, ScimError> {
    match filter {
        None => Ok(Some(Vec::new())),
        Some(Filter::And(all)) => {
            let mut values = Vec::new();
            for filter in all {
                match template(attribute, Some(filter))? {
                    Some(more) => values.extend(more),
                    None => return Ok(None),
                }
            }
            Ok(Some(values))
        }
        Some(Filter::Compare(path, Operator::Eq, value)) => match attribute.sub(&path.name) {
            Some(sub) => Ok(Some(vec![(sub, value::sub_value(attribute, sub, value.clone())?)])),
            None => Ok(None),
        },
        Some(_) => Ok(None),
    }
}

/// What is read-only cannot be named; what is required or written only cannot be removed.
fn check_mutability(op: Op, target: &Target) -> Result<(), ScimError> {
    let (attribute, leaf) = (target.attribute, target.leaf());
    let fixed = attribute.is_read_only() || leaf.is_read_only() || leaf.mutability == Mutability::Immutable;
    let kept = leaf.required || leaf.mutability == Mutability::WriteOnly;
    if fixed || (op == Op::Remove && kept) {
        let what = if fixed { "changed" } else { "removed" };
        return Err(ScimError::new(ScimType::Mutability, format!("{} cannot be {what}", target.name())));
    }
    Ok(())
}

/// Takes a member out of an object, by its name without case.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = object.keys().rev().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    object.shift_remove(&key)
}

fn invalid_path<T>(path: &Path, problem: &str) -> Result<T, ScimError> {
    Err(ScimError::new(ScimType::InvalidPath, format!("{} {problem}", path.attribute)))
}

fn syntax<T>(detail: impl Into<String>) -> Result<T, ScimError> {
    Err(ScimError::new(ScimType::InvalidSyntax, detail))
}
