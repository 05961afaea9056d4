//! Contact groups: lists of phone numbers with five columns of text and a datum for the caller's own use.
//!
//! Rules: a number stands once in a group; numbers are kept in E.164, national ones being read by the tenant's
//! country; a group whose time has come is gone for every reader at once, with its list. A list that is replaced
//! or deleted costs the writer no more than what stays of it: the rows of the others are left to
//! [`crate::Directory::contacts_reap`].

mod add;
mod change;
mod delete;
mod group;
mod model;
mod phone;
mod plan;
mod read;
mod reap;
mod replace;

use crate::{ContactGroupId, ContactId, Page, Slice, StoreError, TenantId, Timestamp};

pub use add::{Added, ContactWishes, Expect, Taken};
pub use model::{
    COLUMN_NAMES, COLUMNS, Contact, ContactGroup, ContactGroupPatch, ContactPatch, LABEL_NAMES, label, limits,
};
pub use phone::PhoneNumber;

/// The most contacts that one write adds (LOX24 contract, section 4).
pub const MAX_ADDED: usize = 10_000;

/// Reads of contact groups and contacts. Groups that have ended by `now`, and what was in them, are not there.
pub trait ContactStore {
    fn contact_group(
        &self,
        tenant: TenantId,
        id: ContactGroupId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<ContactGroup>, StoreError>> + Send;

    /// The greatest id first.
    fn contact_groups(
        &self,
        tenant: TenantId,
        now: Timestamp,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<ContactGroup>, StoreError>> + Send;

    /// The ids of all groups, ascending.
    fn contact_group_ids(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<ContactGroupId>, StoreError>> + Send;

    fn contact(
        &self,
        tenant: TenantId,
        id: ContactId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Contact>, StoreError>> + Send;

    /// A slice of the contacts of a group, by id, or `None` when there is no such group.
    fn contacts(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        slice: Slice,
    ) -> impl Future<Output = Result<Option<Page<Contact>>, StoreError>> + Send;

    /// At most `limit` contacts of a group with an id above `after`, by id, or `None` when there is no such group.
    fn contacts_after(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        after: ContactId,
        limit: u32,
    ) -> impl Future<Output = Result<Option<Vec<Contact>>, StoreError>> + Send;

    /// The group, and the contacts in it that have one of these numbers; `None` when there is no such group.
    fn contacts_by_phone(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        phones: Vec<PhoneNumber>,
    ) -> impl Future<Output = Result<Option<(ContactGroup, Vec<Contact>)>, StoreError>> + Send;

    /// A group of which rows are to be removed.
    fn contacts_to_reap(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Reapable>, StoreError>> + Send;
}

/// What is next to be done with a group of which rows are to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reapable {
    /// Its time has come; it is not deleted yet.
    Expired { id: ContactGroupId, version: i64 },
    /// It has contacts that are not in its list any more, or none any more but has not noted that.
    Contacts(ContactGroupId),
    /// It was deleted, and its contacts are removed.
    Emptied(ContactGroupId),
}
