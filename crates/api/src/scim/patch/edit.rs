//! What an operation does to an attribute.

use serde_json::{Map, Value};

use crate::scim::filter::Condition;
use crate::scim::schema::Target;
use crate::scim::value::SubValue;

/// One operation on one attribute.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The attribute; which sub-attribute it is about is part of the edit.
    pub(super) target: Target,
    pub(super) edit: Edit,
}

#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// The attribute gets this value and no other, or none.
    Set(Option<Value>),
    /// The sub-attributes of a complex value get these; the others stay.
    Merge(Vec<SubValue>),
    /// The list of a multi-valued attribute is edited.
    List(ListEdit),
}

#[derive(Clone, Debug)]
pub(super) enum ListEdit {
    /// These values are added to those that are there.
    Append(Vec<Value>),
    /// The values that are like one of these are removed.
    Subtract(Vec<Value>),
    /// The elements that the condition holds for, or all, are removed.
    Remove(Option<Condition>),
    /// The sub-attributes of these elements get these values; the others stay.
    Merge { condition: Option<Condition>, values: Vec<SubValue>, missing: Missing },
}

/// What happens if there is no such element.
#[derive(Clone, Debug)]
pub(super) enum Missing {
    /// It is created from this.
    Create(Map<String, Value>),
    /// `noTarget`.
    Refuse,
    /// Nothing.
    Pass,
}

impl ListEdit {
    /// With how much each element is compared.
    pub(super) fn comparisons(&self) -> usize {
        match self {
            Self::Append(values) | Self::Subtract(values) => values.len(),
            Self::Remove(condition) | Self::Merge { condition, .. } => {
                condition.as_ref().map_or(0, Condition::comparisons)
            }
        }
    }
}
