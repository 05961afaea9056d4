//! How many batches share a commit.

use muster_domain::{Batch, Change};

/// The most jobs that share a commit: more would keep the first one waiting for too long.
pub(crate) const JOBS: usize = 256;
/// The same, where jobs write many rows: the group ends with the one that reaches this.
pub(crate) const ROWS: usize = 5000;

/// About how many rows a batch writes.
pub(crate) fn rows(batch: &Batch) -> usize {
    let of_change = |change: &Change| match change {
        Change::ContactsInsert { contacts, .. } => contacts.len(),
        Change::BulkExpand(chunk) => chunk.messages.len(),
        Change::ContactsReplace { keep, .. } => keep.len(),
        Change::MessagesClaim { limit, .. } | Change::MessagesClaimLost { limit, .. } => *limit as usize,
        Change::MessagesUpdate { updates, .. } => updates.len(),
        Change::MessagesDelete(gone) => gone.len(),
        Change::CarrierPartsInsert { parts, .. } => parts.len(),
        Change::CarrierPartsUpdate(updates) => updates.len(),
        Change::PricesReplace(Some(table)) => table.iter().count(),
        Change::DeliveriesInsert { deliveries, .. } => deliveries.len(),
        _ => 1,
    };
    batch.changes.iter().map(of_change).sum()
}

/// Whether a batch only says what becomes of deliveries: what it holds is not shown to anybody who waits for it.
pub(crate) fn yields(batch: &Batch) -> bool {
    let is_noted = |change: &Change| {
        matches!(
            change,
            Change::DeliveriesInsert { .. } | Change::DeliveryAttempted { .. } | Change::WebhookKeep { .. }
        )
    };
    batch.journal.is_empty() && !batch.changes.is_empty() && batch.changes.iter().all(is_noted)
}
