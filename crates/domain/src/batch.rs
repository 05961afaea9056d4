//! A write as data: what a use case has decided, for the store to apply whole or to refuse.

use crate::{Change, Guard, JournalEntry, TenantId};

/// Changes of one tenant, the conditions they rest on, and their journal entries. The store applies
/// all of it in one transaction, or nothing.
#[derive(Clone, Debug)]
pub struct Batch {
    pub tenant: TenantId,
    /// Checked before the changes, in the same transaction.
    pub guards: Vec<Guard>,
    pub changes: Vec<Change>,
    pub journal: Vec<JournalEntry>,
}

impl Batch {
    pub fn new(tenant: TenantId) -> Self {
        Self { tenant, guards: Vec::new(), changes: Vec::new(), journal: Vec::new() }
    }

    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }

    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    #[must_use]
    pub fn journal(mut self, entry: JournalEntry) -> Self {
        self.journal.push(entry);
        self
    }
}
