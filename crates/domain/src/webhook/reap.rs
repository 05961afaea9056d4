//! Removing what is left of webhooks that are gone, and of deliveries that ended long ago.

use super::Reapable;
use crate::upkeep::{STEP, Tenants};
use crate::{Batch, Change, Directory, Error, Store, StoreError, TenantId, Timestamp};

impl<S: Store> Directory<S> {
    /// Removes the deliveries that have ended, of events before `horizon`, and what is left of deleted webhooks.
    pub async fn webhooks_reap(&self, horizon: Timestamp) -> Result<(), Error> {
        let mut tenants = Tenants::default();
        while let Some(tenant) = tenants.next(self).await? {
            while self.webhooks_reap_step(tenant, horizon).await? {}
        }
        Ok(())
    }

    /// One step; whether there may be another.
    async fn webhooks_reap_step(&self, tenant: TenantId, horizon: Timestamp) -> Result<bool, Error> {
        let change = match self.store.webhook_to_reap(tenant, horizon).await? {
            None => return Ok(false),
            Some(Reapable::Deliveries(webhook)) => Change::DeliveriesReap { webhook, horizon, limit: STEP },
            Some(Reapable::Emptied(webhook)) => Change::WebhookRemove(webhook),
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
