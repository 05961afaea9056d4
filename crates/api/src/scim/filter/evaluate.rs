//! Whether a condition holds for a resource in memory.

use muster_domain::text;
use serde_json::{Map, Value};

use super::{Comparison, Condition};
use crate::scim::schema::{Attribute, Target};

impl Condition {
    /// Whether the condition holds for a resource, or for an element if it is about these. All values are looked at
    /// where there are several; an attribute without one fits nothing.
    pub fn holds(&self, resource: &Map<String, Value>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|condition| condition.holds(resource)),
            Self::Any(any) => any.iter().any(|condition| condition.holds(resource)),
            Self::Not(condition) => !condition.holds(resource),
            Self::Present(target) => values(target, resource).any(is_present),
            Self::Test(target, comparison) => {
                let leaf = target.leaf();
                let mut values = values(target, resource).peekable();
                match leaf.absence {
                    Some(meant) if values.peek().is_none() => fits(leaf, comparison, &meant.into()),
                    _ => values.any(|value| fits(leaf, comparison, value)),
                }
            }
            Self::Within(target, condition) => {
                values(target, resource).filter_map(Value::as_object).any(|element| condition.holds(element))
            }
        }
    }
}

/// The values of an attribute, one by one.
fn values<'a>(target: &Target, resource: &'a Map<String, Value>) -> impl Iterator<Item = &'a Value> {
    let value = target.container(resource).and_then(|container| container.get(target.attribute.name));
    let values = match value {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    let sub = target.sub;
    values.iter().filter_map(move |value| match sub {
        Some(sub) => value.get(sub.name),
        None => Some(value),
    })
}

/// RFC 7644, section 3.4.2.2: a value that is neither empty nor null; a complex one has a sub-attribute that is so.
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

pub(super) fn fits(attribute: &Attribute, comparison: &Comparison, value: &Value) -> bool {
    match (comparison, value) {
        (Comparison::Text(how, with), Value::String(value)) if attribute.case_exact => how.holds(value, with),
        (Comparison::Text(how, with), Value::String(value)) => how.holds(&text::key(value), with),
        (Comparison::Boolean(with), Value::Bool(value)) => value == with,
        (Comparison::Time(order, with), Value::String(value)) => {
            text::instant(value).is_ok_and(|value| order.holds(value.cmp(with)))
        }
        _ => false,
    }
}
