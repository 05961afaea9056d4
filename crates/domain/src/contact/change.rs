//! Changing one contact, and taking one out of its group.

use super::{Contact, ContactPatch, PhoneNumber};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Batch, Change, Ctx, Directory, Draft, Entity, Error, JournalEntry, Precondition, Store,
    StoreError, journal,
};

impl<S: Store> Directory<S> {
    /// Changes a contact that the caller has read. A change that changes nothing commits nothing.
    ///
    /// Errors: `Invalid`, `Precondition`, `Duplicate` when the number stands in the group already, `NotFound` when
    /// the contact is gone meanwhile.
    pub async fn contact_update(
        &self,
        ctx: &Ctx,
        found: Contact,
        draft: Draft<ContactPatch>,
        precondition: Option<Precondition<Contact>>,
    ) -> Result<Contact, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        let phone = match &patch.phone {
            Some(raw) => errors.take("phone", PhoneNumber::read(raw, &self.contact_country(ctx).await?)),
            None => None,
        };
        errors.finish()?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let before = match found.take() {
                Some(found) => found,
                None => self.contact_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &before)?;
            let mut after = before.clone();
            patch.apply(&mut after);
            if let Some(phone) = &phone {
                after.phone.clone_from(phone);
            }
            let changes = journal::changed(before.fields(), after.fields());
            if changes.is_empty() {
                return Ok(before);
            }
            after.version = before.version + 1;
            // Decided now, not when the request began: a slow body must not set the time back.
            after.modified_at = self.now().max(before.modified_at);
            let entry = JournalEntry::new(ctx, "contact.updated", id, after.version, changes);
            let entry = JournalEntry { at: after.modified_at, ..entry };
            let change = Change::ContactUpdate(Box::new(after.clone()));
            match self.store.commit(Batch::new(ctx.tenant()).change(change).journal(entry)).await {
                Ok(()) => return Ok(after),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Takes a contact that the caller has read out of its group, for good.
    ///
    /// Errors: `Precondition`, `NotFound` when it is gone already.
    pub async fn contact_delete(
        &self,
        ctx: &Ctx,
        found: Contact,
        precondition: Option<Precondition<Contact>>,
    ) -> Result<(), Error> {
        ctx.allow(Access::Write)?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let contact = match found.take() {
                Some(found) => found,
                None => self.contact_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &contact)?;
            let payload = journal::created(vec![("group_id", contact.group.0.into())]);
            let entry = JournalEntry::new(ctx, "contact.deleted", id, contact.version + 1, payload);
            let change = Change::ContactDelete(Box::new(contact));
            match self.store.commit(Batch::new(ctx.tenant()).change(change).journal(entry)).await {
                Ok(()) => return Ok(()),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// The country by which the tenant's national numbers are read.
    pub async fn contact_country(&self, ctx: &Ctx) -> Result<String, Error> {
        let tenant = self.store.tenant(ctx.tenant()).await?;
        Ok(tenant.ok_or(Error::NotFound(Entity::Tenant))?.country)
    }
}
