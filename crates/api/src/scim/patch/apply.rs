//! Applying operations to a resource.

use std::mem;

use serde_json::{Map, Value};

use super::edit::{Edit, ListEdit, Missing, Operation};
use crate::scim::filter::Condition;
use crate::scim::read::limits::DOCUMENT;
use crate::scim::schema::Attribute;
use crate::scim::value::{check, is_primary, length, refuse, set, write};
use crate::scim::{ScimError, ScimType};

impl Operation {
    /// Errors: `noTarget`, `invalidValue`; the resource is then of no use.
    pub(super) fn apply(&self, resource: &mut Map<String, Value>) -> Result<(), ScimError> {
        match self.target.extension {
            None => self.apply_in(resource),
            Some(extension) => with_object(resource, extension.id, |values| self.apply_in(values)),
        }
    }

    /// Applies the operation in the object in which the attribute stands.
    fn apply_in(&self, container: &mut Map<String, Value>) -> Result<(), ScimError> {
        let attribute = self.target.attribute;
        match &self.edit {
            Edit::Set(value) => set(container, attribute.name, value.clone()),
            Edit::Merge(values) => {
                return with_object(container, attribute.name, |object| {
                    write(object, values.clone());
                    Ok(())
                });
            }
            Edit::List(edit) => {
                let mut list = match container.get_mut(attribute.name) {
                    Some(Value::Array(list)) => mem::take(list),
                    _ => Vec::new(),
                };
                let primary = edit_list(attribute, edit, &mut list)?;
                settle(attribute, &mut list, &primary)?;
                set(container, attribute.name, (!list.is_empty()).then(|| list.into()));
            }
        }
        Ok(())
    }
}

/// Edits the object under a name, which is made if there is none, and removed if nothing is left in it.
fn with_object(
    container: &mut Map<String, Value>,
    name: &str,
    edit: impl FnOnce(&mut Map<String, Value>) -> Result<(), ScimError>,
) -> Result<(), ScimError> {
    let value = container.entry(name).or_insert_with(|| Map::new().into());
    let mut is_empty = false;
    if let Value::Object(object) = value {
        edit(object)?;
        is_empty = object.is_empty();
    }
    if is_empty {
        set(container, name, None);
    }
    Ok(())
}

/// Edits a list; gives the places of the elements that it makes primary.
fn edit_list(attribute: &Attribute, edit: &ListEdit, list: &mut Vec<Value>) -> Result<Vec<usize>, ScimError> {
    let mut primary = Vec::new();
    match edit {
        ListEdit::Append(values) => {
            for value in values {
                let place = append(list, value);
                if is_primary(value) {
                    primary.push(place);
                }
            }
        }
        ListEdit::Subtract(values) => {
            list.retain(|element| !values.iter().any(|value| is_part(value, element)));
        }
        ListEdit::Remove(condition) => list.retain(|element| !is_chosen(condition.as_ref(), element)),
        ListEdit::Merge { condition, values, missing } => {
            let mut chosen: Vec<usize> =
                (0..list.len()).filter(|n| is_chosen(condition.as_ref(), &list[*n])).collect();
            let created = chosen.is_empty();
            if created {
                match missing {
                    Missing::Pass => return Ok(primary),
                    Missing::Refuse => {
                        let detail = format!("there is no such element of {}", attribute.name);
                        return Err(ScimError::new(ScimType::NoTarget, detail));
                    }
                    Missing::Create(element) => {
                        chosen.push(list.len());
                        list.push(element.clone().into());
                    }
                }
            }
            let written = values.iter().flat_map(|(_, value)| value).map(length);
            // Each value is written to each element: what would be too large is not even made.
            if written.sum::<usize>().saturating_mul(chosen.len()) > DOCUMENT {
                return refuse(attribute.name, "must not have more than 65536 bytes of JSON");
            }
            let is_said = values.iter().any(|(sub, _)| sub.name == "primary");
            for place in chosen {
                if let Value::Object(element) = &mut list[place] {
                    write(element, values.clone());
                }
                if is_primary(&list[place]) && (created || is_said) {
                    primary.push(place);
                }
            }
        }
    }
    Ok(primary)
}

/// Adds a value unless it is there; then what it says besides is written to that. Gives its place.
fn append(list: &mut Vec<Value>, value: &Value) -> usize {
    let Some(place) = list.iter().position(|element| is_same(value, element)) else {
        list.push(value.clone());
        return list.len() - 1;
    };
    if let (Value::Object(element), Value::Object(value)) = (&mut list[place], value) {
        element.extend(value.clone());
    }
    place
}

/// Whether an added value is one that is there: `value` and `type`, as far as it is told, tell values apart (RFC 7643,
/// section 2.4); where there is no `value`, everything does.
fn is_same(value: &Value, element: &Value) -> bool {
    match value.get("value") {
        Some(own) => {
            element.get("value") == Some(own)
                && value.get("type").is_none_or(|own| element.get("type") == Some(own))
        }
        None => value == element,
    }
}

/// Whether everything that a value says is true of an element.
fn is_part(value: &Value, element: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().all(|(name, value)| element.get(name) == Some(value)),
        value => value == element,
    }
}

fn is_chosen(condition: Option<&Condition>, element: &Value) -> bool {
    condition.is_none_or(|condition| element.as_object().is_some_and(|element| condition.holds(element)))
}

/// An element that becomes primary takes that from the others (RFC 7644, section 3.5.2); one without sub-attributes is
/// none.
fn settle(attribute: &Attribute, list: &mut Vec<Value>, primary: &[usize]) -> Result<(), ScimError> {
    if !primary.is_empty() {
        for (place, element) in list.iter_mut().enumerate() {
            if !primary.contains(&place) && is_primary(element) {
                element["primary"] = false.into();
            }
        }
    }
    list.retain(|element| element.as_object().is_none_or(|members| !members.is_empty()));
    check(attribute, list)
}
