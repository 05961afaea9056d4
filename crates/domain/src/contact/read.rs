//! Reading contact groups and contacts.

use super::{Contact, ContactGroup};
use crate::session::Found;
use crate::{Access, ContactGroupId, ContactId, Ctx, Directory, Entity, Error, Page, Slice, Store};

impl<S: Store> Directory<S> {
    /// The groups of the tenant, the greatest id first.
    pub async fn contact_group_list(&self, ctx: &Ctx, slice: Slice) -> Result<Page<ContactGroup>, Error> {
        ctx.allow(Access::Read)?;
        Ok(self.store.contact_groups(ctx.tenant(), ctx.now(), slice).await?)
    }

    /// The ids of all groups of the tenant, ascending.
    pub async fn contact_group_ids(&self, ctx: &Ctx) -> Result<Vec<ContactGroupId>, Error> {
        ctx.allow(Access::Read)?;
        Ok(self.store.contact_group_ids(ctx.tenant(), ctx.now()).await?)
    }

    /// One group. Errors: `NotFound`.
    pub async fn contact_group_get(&self, ctx: &Ctx, id: ContactGroupId) -> Result<ContactGroup, Error> {
        ctx.allow(Access::Read)?;
        let group = self.store.contact_group(ctx.tenant(), id, ctx.now()).await?;
        group.ok_or(Error::NotFound(Entity::ContactGroup))
    }

    /// As [`Directory::contact_group_get`], of a group that was read with its caller.
    pub fn contact_group_found(&self, ctx: &Ctx, found: Option<Found>) -> Result<ContactGroup, Error> {
        ctx.allow(Access::Read)?;
        match found {
            Some(Found::ContactGroup(group)) => Ok(*group),
            _ => Err(Error::NotFound(Entity::ContactGroup)),
        }
    }

    /// A page of the contacts of a group, by id. Errors: `NotFound`.
    pub async fn contact_list(
        &self,
        ctx: &Ctx,
        group: ContactGroupId,
        slice: Slice,
    ) -> Result<Page<Contact>, Error> {
        ctx.allow(Access::Read)?;
        let page = self.store.contacts(ctx.tenant(), group, ctx.now(), slice).await?;
        page.ok_or(Error::NotFound(Entity::ContactGroup))
    }

    /// The contacts of a group after `after` (at first 0), by id, at most `limit`: a whole list is read step by step,
    /// so that no read lasts long while others write. What stays in the list is met once. Errors: `NotFound`, also
    /// when the group goes between two steps.
    pub async fn contacts_after(
        &self,
        ctx: &Ctx,
        group: ContactGroupId,
        after: ContactId,
        limit: u32,
    ) -> Result<Vec<Contact>, Error> {
        ctx.allow(Access::Read)?;
        let contacts = self.store.contacts_after(ctx.tenant(), group, self.now(), after, limit).await?;
        contacts.ok_or(Error::NotFound(Entity::ContactGroup))
    }

    /// One contact. Errors: `NotFound`.
    pub async fn contact_get(&self, ctx: &Ctx, id: ContactId) -> Result<Contact, Error> {
        ctx.allow(Access::Read)?;
        let contact = self.store.contact(ctx.tenant(), id, ctx.now()).await?;
        contact.ok_or(Error::NotFound(Entity::Contact))
    }

    /// As [`Directory::contact_get`], of a contact that was read with its caller.
    pub fn contact_found(&self, ctx: &Ctx, found: Option<Found>) -> Result<Contact, Error> {
        ctx.allow(Access::Read)?;
        match found {
            Some(Found::Contact(contact)) => Ok(*contact),
            _ => Err(Error::NotFound(Entity::Contact)),
        }
    }
}
