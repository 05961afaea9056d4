//! The journal: one append-only record of every change, written in the change's own transaction.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::{Actor, Ctx, Dialect, OrgUnitId, Timestamp};

/// The named fields of an entity, as the journal shows them. One function per entity lists them, so
/// that creating, changing and comparing cannot disagree.
pub type Fields = Vec<(&'static str, Value)>;

/// A change to be recorded; the store gives it its place in the tenant's sequence.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    pub at: Timestamp,
    pub actor: Actor,
    pub dialect: Dialect,
    /// Such as `org_unit.moved`.
    pub kind: &'static str,
    /// Such as `org_unit`.
    pub entity: &'static str,
    pub entity_id: String,
    /// The version that the change made, or [`JournalEntry::AS_STORED`].
    pub version: i64,
    /// The unit that the entity is or is in, if it is in one.
    pub org_unit_id: Option<OrgUnitId>,
    /// `{field: [before, after]}` in domain names, never a secret.
    pub payload: Value,
}

/// An entry as it stands in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalRecord {
    /// From 1, without gaps, per tenant.
    pub sequence: i64,
    pub at: Timestamp,
    pub actor: Actor,
    pub dialect: Dialect,
    pub kind: String,
    pub entity: String,
    pub entity_id: String,
    pub version: i64,
    pub org_unit_id: Option<OrgUnitId>,
    pub payload: Value,
}

/// Which entries of a journal are wanted; what is `None` is not looked at.
#[derive(Clone, Debug, Default)]
pub struct JournalFilter {
    /// Such as `user`.
    pub entity: Option<String>,
    pub entity_id: Option<String>,
    pub actor: Option<Actor>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

impl JournalEntry {
    /// Stands for the version that a user group has after the changes of the batch: who joins or leaves it does not
    /// wait for others who do, so only the store knows.
    pub const AS_STORED: i64 = 0;

    /// An entry of `ctx`; `kind` begins with the entity's name and a dot.
    pub fn new(
        ctx: &Ctx,
        kind: &'static str,
        entity_id: impl Display,
        version: i64,
        payload: Map<String, Value>,
    ) -> Self {
        Self {
            at: ctx.now(),
            actor: ctx.actor(),
            dialect: ctx.dialect(),
            kind,
            entity: entity_of(kind),
            entity_id: entity_id.to_string(),
            version,
            org_unit_id: None,
            payload: Value::Object(payload),
        }
    }

    /// The entry of an entity that is this unit or in it.
    #[must_use]
    pub(crate) fn in_unit(mut self, unit: OrgUnitId) -> Self {
        self.org_unit_id = Some(unit);
        self
    }

    /// An entry about what the server did by itself.
    pub(crate) fn by_server(
        kind: &'static str,
        entity_id: impl Display,
        version: i64,
        at: Timestamp,
    ) -> Self {
        Self {
            at,
            actor: Actor::Server,
            dialect: Dialect::Cli,
            kind,
            entity: entity_of(kind),
            entity_id: entity_id.to_string(),
            version,
            org_unit_id: None,
            payload: Value::Object(Map::new()),
        }
    }
}

/// What a kind of entry is about.
fn entity_of(kind: &'static str) -> &'static str {
    kind.split('.').next().unwrap_or(kind)
}

/// `{field: [null, value]}` for a new entity; fields without a value are left out.
pub(crate) fn created(fields: Fields) -> Map<String, Value> {
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), Value::Array(vec![Value::Null, value])))
        .collect()
}

/// `{field: [before, after]}` of the fields that differ; empty when nothing changes.
pub(crate) fn changed(before: Fields, after: Fields) -> Map<String, Value> {
    before
        .into_iter()
        .zip(after)
        .filter(|((_, before), (_, after))| before != after)
        .map(|((name, before), (_, after))| (name.to_owned(), Value::Array(vec![before, after])))
        .collect()
}
