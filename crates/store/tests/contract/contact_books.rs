//! Contact groups and contacts to test on.

use muster_domain::contact::{
    Added, Contact, ContactGroup, ContactGroupPatch, ContactPatch, ContactWishes, Expect,
};
use muster_domain::{ContactGroupId, ContactId, Ctx, Draft, Error, JournalRecord, Patch, Slice, Timestamp};

use crate::support::{Backend, findings};
use crate::world::{Org, World};

pub(crate) type Outcomes = Vec<Result<Added, Error>>;

/// The way that has more steps: what is expected turns out to be wrong.
pub(crate) const EXPECT: Expect = Expect::AllNew;

/// Entries to be added, national numbers being read by the tenants' country.
pub(crate) fn wishes(drafts: Vec<Draft<ContactPatch>>) -> ContactWishes {
    ContactWishes::read(drafts, "US")
}

pub(crate) fn group_named(name: &str) -> ContactGroupPatch {
    ContactGroupPatch { name: Some(name.to_owned()), ..ContactGroupPatch::default() }
}

pub(crate) fn expiring(at: Timestamp) -> ContactGroupPatch {
    ContactGroupPatch { expires_at: Patch::Set(at), ..ContactGroupPatch::default() }
}

pub(crate) fn with_list(list: impl IntoIterator<Item = ContactPatch>) -> ContactGroupPatch {
    let places = (0..).map(|n: usize| n.to_string());
    ContactGroupPatch { phones: Some(places.zip(list).collect()), ..ContactGroupPatch::default() }
}

/// A number of the tenants' country, by its own number.
pub(crate) fn phone(n: usize) -> String {
    format!("+12{n:09}")
}

pub(crate) fn number(raw: &str) -> ContactPatch {
    ContactPatch { phone: Some(raw.to_owned()), ..ContactPatch::default() }
}

pub(crate) fn nth(n: usize) -> ContactPatch {
    number(&phone(n))
}

/// The patch with a text in the first column.
pub(crate) fn saying(text: &str, patch: ContactPatch) -> ContactPatch {
    let mut columns = patch.columns;
    columns[0] = Patch::Set(text.to_owned());
    ContactPatch { columns, ..patch }
}

pub(crate) const ALL: Slice = Slice { limit: u32::MAX, offset: 0 };

pub(crate) fn is_gone<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NotFound(_)))
}

impl<B: Backend> World<B> {
    /// The operator's rights, now.
    pub(crate) fn now_ctx(&self, org: &Org) -> Ctx {
        Ctx::operator(org.tenant, org.top, self.directory.now())
    }

    pub(crate) async fn group(&self, org: &Org, name: &str) -> ContactGroup {
        self.directory.contact_group_create(&self.now_ctx(org), group_named(name).into()).await.unwrap()
    }

    /// A group with the contacts of these numbers.
    pub(crate) async fn group_of(&self, org: &Org, numbers: impl IntoIterator<Item = usize>) -> ContactGroup {
        let patch =
            ContactGroupPatch { name: Some("list".to_owned()), ..with_list(numbers.into_iter().map(nth)) };
        self.directory.contact_group_create(&self.now_ctx(org), patch.into()).await.unwrap()
    }

    pub(crate) async fn update_group(
        &self,
        org: &Org,
        id: ContactGroupId,
        patch: ContactGroupPatch,
    ) -> Result<ContactGroup, Error> {
        let ctx = self.now_ctx(org);
        let found = self.directory.contact_group_get(&ctx, id).await?;
        self.directory.contact_group_update(&ctx, found, patch.into(), None).await
    }

    pub(crate) async fn delete_group(&self, org: &Org, id: ContactGroupId) -> Result<(), Error> {
        let ctx = self.now_ctx(org);
        let found = self.directory.contact_group_get(&ctx, id).await?;
        self.directory.contact_group_delete(&ctx, found, None).await
    }

    pub(crate) async fn stored_group(&self, org: &Org, id: ContactGroupId) -> ContactGroup {
        self.directory.contact_group_get(&self.now_ctx(org), id).await.unwrap()
    }

    pub(crate) async fn add(
        &self,
        org: &Org,
        group: ContactGroupId,
        patch: ContactPatch,
    ) -> Result<Contact, Error> {
        self.directory.contact_create(&self.now_ctx(org), group, patch.into()).await
    }

    pub(crate) async fn change_contact(
        &self,
        org: &Org,
        id: ContactId,
        patch: ContactPatch,
    ) -> Result<Contact, Error> {
        let ctx = self.now_ctx(org);
        let found = self.directory.contact_get(&ctx, id).await?;
        self.directory.contact_update(&ctx, found, patch.into(), None).await
    }

    pub(crate) async fn remove_contact(&self, org: &Org, id: ContactId) -> Result<(), Error> {
        let ctx = self.now_ctx(org);
        let found = self.directory.contact_get(&ctx, id).await?;
        self.directory.contact_delete(&ctx, found, None).await
    }

    /// The contacts of a group. However they are read, they are the same, and as many as the group says.
    pub(crate) async fn contacts(&self, org: &Org, group: ContactGroupId) -> Vec<Contact> {
        let ctx = self.now_ctx(org);
        let page = self.directory.contact_list(&ctx, group, ALL).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64, "of {group}");
        assert_eq!(self.stored_group(org, group).await.contacts, page.total);
        assert!(page.items.is_sorted_by_key(|contact| contact.id));
        assert!(page.items.iter().all(|contact| contact.group == group && contact.tenant == org.tenant));
        let whole = self.directory.contacts_after(&ctx, group, ContactId(0), u32::MAX).await.unwrap();
        assert_eq!(whole, page.items);
        page.items
    }

    pub(crate) async fn phones(&self, org: &Org, group: ContactGroupId) -> Vec<String> {
        let contacts = self.contacts(org, group).await;
        contacts.into_iter().map(|contact| contact.phone.to_string()).collect()
    }

    /// Whether the contact is there for a reader.
    pub(crate) async fn has_contact(&self, org: &Org, id: ContactId) -> bool {
        match self.directory.contact_get(&self.now_ctx(org), id).await {
            Ok(_) => true,
            outcome => !is_gone(&outcome),
        }
    }

    /// What the journal says since it had so many entries.
    pub(crate) async fn said(&self, org: &Org, made: usize) -> Vec<JournalRecord> {
        self.journal(org).await.split_off(made)
    }

    /// The doctor finds nothing.
    pub(crate) async fn is_sound(&self) {
        assert_eq!(findings(self.store(), &self.key).await, Vec::<String>::new());
    }
}
