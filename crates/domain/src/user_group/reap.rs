//! Removing the rows of user groups that are gone.

use super::Reapable;
use crate::upkeep::{STEP, Tenants};
use crate::{Batch, Change, Directory, Error, Store, StoreError, TenantId};

impl<S: Store> Directory<S> {
    /// Removes what is left of deleted user groups. All of it is gone for every reader before; this gives its room back.
    pub async fn user_groups_reap(&self) -> Result<(), Error> {
        let mut tenants = Tenants::default();
        while let Some(tenant) = tenants.next(self).await? {
            while self.user_groups_reap_step(tenant).await? {}
        }
        Ok(())
    }

    /// One step; whether there may be another.
    async fn user_groups_reap_step(&self, tenant: TenantId) -> Result<bool, Error> {
        let change = match self.store.user_group_to_reap(tenant).await? {
            None => return Ok(false),
            Some(Reapable::Memberships(group)) => Change::MembershipsReap { group, limit: STEP },
            Some(Reapable::Emptied(group)) => Change::UserGroupRemove(group),
        };
        match self.store.commit(Batch::new(tenant).change(change)).await {
            Ok(()) => Ok(true),
            // Somebody else removes it. What is left is for the next round, so that damaged rows cannot keep this one
            // going.
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
