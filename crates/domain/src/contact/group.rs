//! Creating and changing a contact group.

use super::delete::precondition_guards;
use super::plan::ContactIds;
use super::replace::List;
use super::{Contact, ContactGroup, ContactGroupPatch};
use crate::directory::ATTEMPTS;
use crate::{
    Access, Batch, Change, ContactGroupId, Ctx, Directory, Draft, Entity, Error, FieldErrors, Guard, IdKind,
    JournalEntry, Patch, Precondition, Problem, Store, StoreError, Timestamp, Unique, journal,
};

impl<S: Store> Directory<S> {
    /// Creates a group, with its contacts if the patch has some.
    ///
    /// Errors: `Invalid` (no name; a time that has passed; a number that cannot be read), `Repeated`.
    pub async fn contact_group_create(
        &self,
        ctx: &Ctx,
        draft: Draft<ContactGroupPatch>,
    ) -> Result<ContactGroup, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: mut patch, mut errors } = draft;
        if patch.name.is_none() {
            errors.push("name", Problem::Required);
        }
        check_expiry(&patch, None, ctx.now(), &mut errors);
        let list = self.contact_list_read(ctx, &mut patch, &mut errors).await?;
        let name = errors.complete(patch.name.clone())?;
        list.as_ref().map_or(Ok(()), List::check)?;

        let id = ContactGroupId(self.store.next_id(IdKind::ContactGroup).await?);
        let mut group = ContactGroup::new(ctx.tenant(), id, name, ctx.now());
        patch.apply(&mut group);
        let mut payload = journal::created(group.fields());
        let mut batch = Batch::new(ctx.tenant()).change(Change::ContactGroupInsert(Box::new(group.clone())));
        if let Some(list) = list {
            let ids = &mut ContactIds::default();
            let change = list.change(self, ctx, &group, Vec::new(), ids, ctx.now()).await?;
            if let Some(change) = change {
                change.apply(&mut group);
                batch.changes.extend(change.changes());
                payload.insert("phones".to_owned(), change.payload());
            }
        }
        let entry = JournalEntry::new(ctx, "contact_group.created", id, group.version, payload);
        match self.store.commit(batch.journal(entry)).await {
            Ok(()) => Ok(group),
            // A new row rests on nothing but its tenant.
            Err(StoreError::Stale) => Err(Error::NotFound(Entity::Tenant)),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes a group that the caller has read. With a list, the contacts of the group become exactly that list;
    /// those whose number stays keep their ids. A change that changes nothing commits nothing.
    ///
    /// Errors: `Invalid`, `Repeated`, `Precondition`, `NotFound` when the group is gone meanwhile.
    pub async fn contact_group_update(
        &self,
        ctx: &Ctx,
        found: ContactGroup,
        draft: Draft<ContactGroupPatch>,
        precondition: Option<Precondition<ContactGroup>>,
    ) -> Result<ContactGroup, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: mut patch, mut errors } = draft;
        check_expiry(&patch, found.expires_at, self.now(), &mut errors);
        let list = self.contact_list_read(ctx, &mut patch, &mut errors).await?;
        errors.finish()?;
        let id = found.id;
        let mut found = Some(found);
        let mut ids = ContactIds::default();
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let (before, stored) = self.contact_group_for(ctx, id, found.take(), list.as_ref(), now).await?;
            let mut guards = precondition_guards(precondition.as_ref(), &before)?;
            list.as_ref().map_or(Ok(()), List::check)?;
            let mut after = before.clone();
            patch.apply(&mut after);
            let mut payload = journal::changed(before.fields(), after.fields());
            let mut changes = Vec::new();
            if !payload.is_empty() {
                after.version = before.version + 1;
                // Decided now, not when the request began: a slow body must not set the time back.
                after.modified_at = now.max(before.modified_at);
                changes.push(Change::ContactGroupUpdate(Box::new(after.clone())));
            }
            if let Some(list) = &list
                && let Some(change) = list.change(self, ctx, &before, stored, &mut ids, now).await?
            {
                guards.push(Guard::ContactsVersion { group: id, version: before.contacts_version });
                change.apply(&mut after);
                changes.extend(change.changes());
                payload.insert("phones".to_owned(), change.payload());
            }
            if changes.is_empty() {
                return Ok(before);
            }
            let entry = JournalEntry::new(ctx, "contact_group.updated", id, after.version, payload);
            let entry = JournalEntry { at: now, ..entry };
            let batch = Batch { tenant: ctx.tenant(), guards, changes, journal: vec![entry] };
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(
                    StoreError::Duplicate(Unique::ContactPhone) | StoreError::GuardFailed | StoreError::Stale,
                ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// The group as it is, and what is in it of the numbers of a list.
    async fn contact_group_for(
        &self,
        ctx: &Ctx,
        id: ContactGroupId,
        found: Option<ContactGroup>,
        list: Option<&List>,
        now: Timestamp,
    ) -> Result<(ContactGroup, Vec<Contact>), Error> {
        if let Some(list) = list {
            let read = self.store.contacts_by_phone(ctx.tenant(), id, now, list.phones()).await?;
            return read.ok_or(Error::NotFound(Entity::ContactGroup));
        }
        let group = match found {
            // One that has ended since it was read is not brought back.
            Some(found) if found.has_ended(now) => return Err(Error::NotFound(Entity::ContactGroup)),
            Some(found) => found,
            None => self.contact_group_get(ctx, id).await?,
        };
        Ok((group, Vec::new()))
    }

    /// The list that a patch wants, taken out of it.
    async fn contact_list_read(
        &self,
        ctx: &Ctx,
        patch: &mut ContactGroupPatch,
        errors: &mut FieldErrors,
    ) -> Result<Option<List>, Error> {
        let Some(wanted) = patch.phones.take() else {
            return Ok(None);
        };
        Ok(Some(List::read(wanted, &self.contact_country(ctx).await?, errors)))
    }
}

/// A group can only be given time that is yet to come.
fn check_expiry(
    patch: &ContactGroupPatch,
    stored: Option<Timestamp>,
    now: Timestamp,
    errors: &mut FieldErrors,
) {
    if let Patch::Set(at) = patch.expires_at
        && at <= now
        && stored != Some(at)
    {
        errors.push("expires_at", Problem::Format("must be in the future"));
    }
}
