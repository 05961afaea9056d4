//! Writing the journal.

use muster_domain::{Entity, JournalEntry, StoreError, TenantId};
use uuid::Uuid;

use super::Outcome;
use crate::codes;
use crate::driver::{ONE_ROW, Write};
use crate::statements;
use crate::value::{Value, values};

/// The entries of a batch, after the `before` that its group has written.
pub(super) async fn insert(
    on: &mut impl Write,
    tenant: TenantId,
    before: i64,
    entries: &[JournalEntry],
) -> Outcome {
    let (mut plain, mut of_user_groups) = (Vec::new(), Vec::new());
    for (number, entry) in (before + 1..).zip(entries) {
        let (actor_kind, actor_id) = codes::actor(entry.actor);
        let is_of_user_group =
            entry.version == JournalEntry::AS_STORED && entry.entity == Entity::UserGroup.as_str();
        let version = if is_of_user_group {
            let group = Uuid::parse_str(&entry.entity_id);
            Value::from(group.map_err(|error| StoreError::Internal(error.to_string()))?)
        } else {
            Value::from(entry.version)
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
        (if is_of_user_group { &mut of_user_groups } else { &mut plain }).push(values.to_vec());
    }
    // A tenant that is gone has no journal.
    on.each(&statements::tenant::JOURNAL_INSERT, &plain, ONE_ROW).await?;
    on.each(&statements::tenant::JOURNAL_INSERT_OF_USER_GROUP, &of_user_groups, ONE_ROW).await
}
