//! Removing the rows of lists and groups that are gone.

use crate::upkeep::{STEP, Tenants};
use crate::{Batch, Change, Directory, Error, JournalEntry, Store, StoreError, TenantId, Timestamp};

impl<S: Store> Directory<S> {
    /// Removes what is left of contact groups that were deleted or whose time has come, and of lists that were
    /// replaced. All of it is gone for every reader before; this gives its room back.
    pub async fn contacts_reap(&self) -> Result<(), Error> {
        let mut tenants = Tenants::default();
        while let Some(tenant) = tenants.next(self).await? {
            let now = self.now();
            while self.contacts_reap_step(tenant, now).await? {}
        }
        Ok(())
    }

    /// One step; whether there may be another.
    async fn contacts_reap_step(&self, tenant: TenantId, now: Timestamp) -> Result<bool, Error> {
        let Some(reapable) = self.store.contacts_to_reap(tenant, now).await? else {
            return Ok(false);
        };
        let mut batch = Batch::new(tenant);
        if reapable.ended && !reapable.has_contacts {
            batch = batch.change(Change::ContactGroupRemove { id: reapable.id, now });
            if !reapable.deleted {
                let version = reapable.version + 1;
                batch = batch.journal(JournalEntry::by_server(
                    "contact_group.expired",
                    reapable.id,
                    version,
                    now,
                ));
            }
        } else {
            batch = batch.change(Change::ContactsReap { group: reapable.id, now, limit: STEP });
        }
        match self.store.commit(batch).await {
            // A group that somebody gave more time is looked at again.
            Ok(()) | Err(StoreError::Stale) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}
