//! Renaming, disabling, enabling and deleting a tenant. For the operator.

use serde_json::{Map, Value, json};

use super::{Tenant, TenantStatus};
use crate::directory::ATTEMPTS;
use crate::org_unit::OrgUnit;
use crate::{
    Batch, Change, Ctx, Directory, Entity, Error, JournalEntry, Problem, Store, StoreError, TenantId, journal,
};

/// Rows that one step of a deletion removes: other writers wait for a step, not for the whole.
const PURGE_STEP: u32 = 1000;

impl<S: Store> Directory<S> {
    /// The tenant. Errors: `NotFound`.
    pub async fn tenant_get(&self, id: TenantId) -> Result<Tenant, Error> {
        self.store.tenant(id).await?.ok_or(Error::NotFound(Entity::Tenant))
    }

    /// The operator's rights in a tenant. Errors: `NotFound`.
    pub async fn tenant_operator(&self, id: TenantId) -> Result<Ctx, Error> {
        let tenant = self.tenant_get(id).await?;
        Ok(Ctx::operator(tenant.id, tenant.top_org_unit_id, self.now()))
    }

    /// Renames a tenant and the top of its tree, which bears its name. `name` is normalised and has at most
    /// [`super::MAX_NAME`] characters. Errors: `NotFound`.
    pub async fn tenant_rename(&self, id: TenantId, name: &str) -> Result<Tenant, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.tenant_get(id).await?;
            let ctx = Ctx::operator(id, before.top_org_unit_id, self.now());
            let mut batch = Batch::new(id);
            let mut after = before.clone();
            if before.name != name {
                name.clone_into(&mut after.name);
                let payload = payload("name", &before.name, name);
                after = tenant_change(&ctx, &mut batch, after, "tenant.renamed", payload);
            }
            let top = self.store.org_unit_located(id, before.top_org_unit_id).await?;
            if let Some(top) = top.map(|top| top.unit).filter(|top| top.name != name) {
                batch = batch.change(Change::OrgUnitUpdate {
                    unit: Box::new(OrgUnit {
                        name: name.to_owned(),
                        version: top.version + 1,
                        modified_at: ctx.now().max(top.modified_at),
                        ..top.clone()
                    }),
                    in_place: false,
                });
                let payload = payload("name", &top.name, name);
                let entry = JournalEntry::new(&ctx, "org_unit.updated", top.id, top.version + 1, payload);
                batch = batch.journal(entry.in_unit(top.id));
            }
            if batch.changes.is_empty() {
                return Ok(before);
            }
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Keeps everybody of a tenant out. Their sessions and credentials work again when it is enabled.
    /// Errors: `NotFound`, `Invalid` for a tenant that is being deleted.
    pub async fn tenant_disable(&self, id: TenantId) -> Result<Tenant, Error> {
        self.tenant_set_status(id, TenantStatus::Disabled).await
    }

    /// Lets the people and programs of a tenant in again. Errors as of [`Directory::tenant_disable`].
    pub async fn tenant_enable(&self, id: TenantId) -> Result<Tenant, Error> {
        self.tenant_set_status(id, TenantStatus::Active).await
    }

    /// Deletes a tenant with all that it owns, its journal too. Nobody gets in from the first step on; a
    /// deletion that was broken off goes on when it is asked for again. `progress` is told how many rows were
    /// removed so far, at most. Errors: `NotFound`.
    pub async fn tenant_delete(&self, id: TenantId, mut progress: impl FnMut(u64)) -> Result<(), Error> {
        self.tenant_set_status(id, TenantStatus::Deleting).await?;
        let mut removed = 0;
        while self.store.tenant(id).await?.is_some() {
            let purge = Change::TenantPurge { limit: PURGE_STEP };
            match self.store.commit(Batch::new(id).change(purge)).await {
                // Somebody else deletes it too and came to the end first.
                Err(StoreError::GuardFailed) if self.store.tenant(id).await?.is_none() => break,
                done => done?,
            }
            removed += u64::from(PURGE_STEP);
            progress(removed);
        }
        Ok(())
    }

    async fn tenant_set_status(&self, id: TenantId, status: TenantStatus) -> Result<Tenant, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.tenant_get(id).await?;
            if before.status == status {
                return Ok(before);
            }
            if before.status == TenantStatus::Deleting {
                let problem = Problem::Format("is being deleted; there is no way back");
                return Err(Error::field("tenant", problem));
            }
            let kind = match status {
                TenantStatus::Active => "tenant.enabled",
                TenantStatus::Disabled => "tenant.disabled",
                TenantStatus::Deleting => "tenant.deleting",
            };
            let ctx = Ctx::operator(id, before.top_org_unit_id, self.now());
            let payload = payload("status", before.status.as_str(), status.as_str());
            let mut batch = Batch::new(id);
            let after = tenant_change(&ctx, &mut batch, Tenant { status, ..before }, kind, payload);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

fn payload(field: &'static str, before: &str, after: &str) -> Map<String, Value> {
    journal::changed(vec![(field, json!(before))], vec![(field, json!(after))])
}

/// Adds a changed tenant, still with its old version, and its journal entry to a batch; the tenant as it will
/// be stored.
pub(super) fn tenant_change(
    ctx: &Ctx,
    batch: &mut Batch,
    changed: Tenant,
    kind: &'static str,
    payload: Map<String, Value>,
) -> Tenant {
    let after =
        Tenant { version: changed.version + 1, modified_at: ctx.now().max(changed.modified_at), ..changed };
    batch.changes.push(Change::TenantUpdate(Box::new(after.clone())));
    batch.journal.push(JournalEntry::new(ctx, kind, after.id, after.version, payload));
    after
}
