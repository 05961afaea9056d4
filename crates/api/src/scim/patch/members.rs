//! What operations want of the members of a group, which may be a million and are never loaded for it.

use std::collections::HashMap;

use serde_json::Value;

use super::parse::Op;
use crate::scim::auth;
use crate::scim::filter::{Filter, Operator};
use crate::scim::read::{ids, spelled};
use crate::scim::schema::Attribute;
use crate::scim::value::{listed, refuse};
use crate::scim::{ScimError, ScimType};

/// Who joins and who leaves, taking all operations together. An id is the text that the client sent; whether there is
/// such a user is not known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberDelta {
    /// Whoever is in the group and does not join leaves.
    pub replace_all: bool,
    /// Whoever joins has to be known, as where a body replaces the group: else a list that is not understood would
    /// clear it.
    pub all_known: bool,
    /// In the order in which they are first named.
    pub join: Vec<String>,
    /// None of them joins; empty if all are replaced.
    pub leave: Vec<String>,
}

impl MemberDelta {
    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The wishes so far; of several about one member the last counts.
#[derive(Default)]
pub(super) struct Collector {
    replace_all: bool,
    all_known: bool,
    wishes: Vec<(String, bool)>,
    places: HashMap<String, usize>,
}

impl Collector {
    /// Takes an operation on the members as a whole, or on those that a filter names.
    pub(super) fn take(
        &mut self,
        members: &'static Attribute,
        op: Op,
        filter: Option<&Filter>,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        match (op, filter) {
            (Op::Add, None) => self.wish_all(ids_of(members, value)?, true),
            (Op::Replace, None) => {
                let ids = ids_of(members, value)?;
                self.leave_all();
                self.all_known = !ids.is_empty();
                self.wish_all(ids, true);
            }
            (Op::Remove, None) if value.as_ref().is_none_or(Value::is_null) => self.leave_all(),
            // An empty list names nobody, which is not everybody.
            (Op::Remove, None) => {
                let ids = ids_of(members, value)?;
                if !ids.is_empty() && ids.iter().all(|id| auth::id(id).is_none()) {
                    return refuse(members.name, "has no value that is an id");
                }
                self.wish_all(ids, false);
            }
            (Op::Remove, Some(filter)) => self.wish_all(named(filter)?, false),
            // An element that is not there is created, one that is has nothing else that could change.
            (Op::Add, Some(filter)) => match named(filter)?.as_slice() {
                [id] => self.wish(id.clone(), true),
                _ => return Err(ScimError::new(ScimType::NoTarget, "the filter names several members")),
            },
            (Op::Replace, Some(_)) => {
                let detail = "a member cannot be changed; it is removed, and another one added";
                return Err(ScimError::new(ScimType::Mutability, detail));
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> MemberDelta {
        let (join, leave): (Vec<_>, Vec<_>) = self.wishes.into_iter().partition(|(_, joins)| *joins);
        let ids = |wishes: Vec<(String, bool)>| wishes.into_iter().map(|(id, _)| id).collect();
        let leave = if self.replace_all { Vec::new() } else { ids(leave) };
        MemberDelta { replace_all: self.replace_all, all_known: self.all_known, join: ids(join), leave }
    }

    fn leave_all(&mut self) {
        *self = Self { replace_all: true, ..Self::default() };
    }

    fn wish_all(&mut self, ids: Vec<String>, joins: bool) {
        for id in ids {
            self.wish(id, joins);
        }
    }

    fn wish(&mut self, id: String, joins: bool) {
        if let Some(wish) = self.places.get(&id).and_then(|place| self.wishes.get_mut(*place)) {
            wish.1 = joins;
        } else {
            self.places.insert(id.clone(), self.wishes.len());
            self.wishes.push((id, joins));
        }
    }
}

/// The ids of a list of members, or of one.
fn ids_of(members: &Attribute, value: Option<Value>) -> Result<Vec<String>, ScimError> {
    Ok(ids(listed(members, value)?.map(Value::from).as_ref()))
}

/// The ids that a filter names: `value eq "…"`, or several of these. Others would need all members to be looked at.
fn named(filter: &Filter) -> Result<Vec<String>, ScimError> {
    match filter {
        Filter::Or(any) => {
            let ids: Result<Vec<Vec<String>>, ScimError> = any.iter().map(named).collect();
            Ok(ids?.concat())
        }
        Filter::Compare(path, Operator::Eq, Value::String(id))
            if path.name.eq_ignore_ascii_case("value") && path.sub.is_none() && path.schema.is_none() =>
        {
            Ok(vec![spelled(id)])
        }
        _ => Err(ScimError::new(
            ScimType::InvalidFilter,
            "members are selected by their ids: value eq \"…\", joined by or",
        )),
    }
}
