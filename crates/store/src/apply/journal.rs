//! Writing the journal.

use muster_domain::{Entity, JournalEntry, StoreError, TenantId};
use uuid::Uuid;

use super::Outcome;
use crate::codes;
use crate::driver::Write;
use crate::statements;
use crate::value::{Value, values};

/// `number`: the how-manieth entry of the group of batches.
pub(super) async fn insert(
    on: &mut impl Write,
    tenant: TenantId,
    number: i64,
    entry: &JournalEntry,
) -> Outcome {
    let (actor_kind, actor_id) = codes::actor(entry.actor);
    let (statement, version) =
        if entry.version == JournalEntry::AS_STORED && entry.entity == Entity::UserGroup.as_str() {
            let group = Uuid::parse_str(&entry.entity_id);
            let group = group.map_err(|error| StoreError::Internal(error.to_string()))?;
            (&statements::tenant::JOURNAL_INSERT_OF_USER_GROUP, Value::from(group))
        } else {
            (&statements::tenant::JOURNAL_INSERT, Value::from(entry.version))
        };
    let values = values![
        tenant.0,
        number,
        entry.at.0,
        actor_kind,
        actor_id,
        codes::dialect(entry.dialect),
        entry.kind,
        entry.entity,
        &entry.entity_id,
        version,
        entry.payload.to_string(),
        entry.org_unit_id.map(|unit| unit.0),
    ];
    // A tenant that is gone has no journal.
    on.one_row(statement, &values).await
}
