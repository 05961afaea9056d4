//! Removing the rows of lists and groups that are gone.

use super::Reapable;
use crate::upkeep::{STEP, Tenants};
use crate::{Batch, Change, Directory, Error, JournalEntry, Store, StoreError, TenantId};

impl<S: Store> Directory<S> {
    /// Removes what is left of contact groups that were deleted or whose time has come, and of lists that were
    /// replaced. All of it is gone for every reader before; this gives its room back.
    pub async fn contacts_reap(&self) -> Result<(), Error> {
        let mut tenants = Tenants::default();
        while let Some(tenant) = tenants.next(self).await? {
            while self.contacts_reap_step(tenant).await? {}
        }
        Ok(())
    }

    /// One step; whether there may be another.
    async fn contacts_reap_step(&self, tenant: TenantId) -> Result<bool, Error> {
        let now = self.now();
        let Some(reapable) = self.store.contacts_to_reap(tenant, now).await? else {
            return Ok(false);
        };
        let batch = Batch::new(tenant);
        let batch = match reapable {
            // Deleted before anything of it is removed: from then on nobody can give it more time.
            Reapable::Expired { id, version } => batch
                .change(Change::ContactGroupDelete { id, version, at: now })
                .journal(JournalEntry::by_server("contact_group.expired", id, version + 1, now)),
            Reapable::Contacts(group) => batch.change(Change::ContactsReap { group, limit: STEP }),
            Reapable::Emptied(id) => batch.change(Change::ContactGroupRemove(id)),
        };
        match self.store.commit(batch).await {
            Ok(()) => Ok(true),
            // Somebody else has changed the group, or removes it. What is left is for the next round, so that
            // damaged rows cannot keep this one going.
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
