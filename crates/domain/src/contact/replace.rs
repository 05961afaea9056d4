//! A list that becomes exactly what somebody sends.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::plan::{self, ContactIds, Wish};
use super::{Contact, ContactGroup, ContactPatch, PhoneNumber};
use crate::{
    Change, ContactGroupId, ContactId, Ctx, Directory, Error, FieldErrors, Store, Timestamp, Unique,
};

/// The contacts that a group shall have, as they were sent.
pub(super) struct List {
    entries: Vec<Wish>,
    /// Where a number stands that stood before.
    repeated: Vec<Cow<'static, str>>,
}

impl List {
    /// Reads the numbers; problems are noted under the places of the entries.
    pub(super) fn read(wanted: Vec<(String, ContactPatch)>, country: &str, errors: &mut FieldErrors) -> Self {
        let mut list = Self { entries: Vec::new(), repeated: Vec::new() };
        let mut known = HashSet::new();
        for (place, patch) in wanted {
            let path = format!("phones[{place}].phone");
            // One without a number was noted when it was decoded.
            let Some(raw) = &patch.phone else { continue };
            match PhoneNumber::read(raw, country) {
                Ok(phone) => {
                    if !known.insert(phone.clone()) {
                        list.repeated.push(path.into());
                    }
                    list.entries.push((phone, patch));
                }
                Err(problem) => errors.add(path, problem),
            }
        }
        list
    }

    pub(super) fn phones(&self) -> Vec<PhoneNumber> {
        plan::phones(&self.entries)
    }

    /// The rule that a number stands once in a list. Errors: `Repeated`.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.repeated.is_empty() {
            return Ok(());
        }
        Err(Error::Repeated { rule: Unique::ContactPhone, fields: self.repeated.clone() })
    }

    /// What has to be written so that the list of `group` becomes this one; `None` when it is. `stored`: what is
    /// there of the numbers.
    pub(super) async fn change<S: Store>(
        &self,
        directory: &Directory<S>,
        ctx: &Ctx,
        group: &ContactGroup,
        stored: Vec<Contact>,
        ids: &mut ContactIds,
        now: Timestamp,
    ) -> Result<Option<ListChange>, Error> {
        let mut stored: HashMap<PhoneNumber, Contact> =
            stored.into_iter().map(|contact| (contact.phone.clone(), contact)).collect();
        let new = self.entries.len() - stored.len().min(self.entries.len());
        let mut id = ids.at_least(directory, new).await?;
        let mut change = ListChange { group: group.id, removed: group.contacts, ..ListChange::default() };
        for (phone, patch) in &self.entries {
            let before = stored.remove(phone);
            let kept = before.as_ref().map_or(ContactId(id), |contact| contact.id);
            let mut contact = Contact::new(ctx.tenant(), group.id, kept, phone.clone(), now);
            patch.apply(&mut contact);
            let Some(before) = before else {
                id += 1;
                change.inserts.push(contact);
                continue;
            };
            change.keep.push(before.id);
            change.removed = change.removed.saturating_sub(1);
            if !contact.has_content_of(&before) {
                contact.version = before.version + 1;
                contact.created_at = before.created_at;
                contact.modified_at = now.max(before.modified_at);
                change.updates.push(contact);
            }
        }
        let unchanged = change.removed == 0 && change.inserts.is_empty() && change.updates.is_empty();
        Ok((!unchanged).then_some(change))
    }
}

/// The way from one list to another.
#[derive(Default)]
pub(super) struct ListChange {
    group: ContactGroupId,
    keep: Vec<ContactId>,
    updates: Vec<Contact>,
    inserts: Vec<Contact>,
    removed: u64,
}

impl ListChange {
    /// The group as it is once the changes are written.
    pub(super) fn apply(&self, group: &mut ContactGroup) {
        let inserts = u64::try_from(self.inserts.len()).unwrap_or(u64::MAX);
        // As the store raises it: once for what goes, once for what comes, and with each contact that changes.
        let updates = i64::try_from(self.updates.len()).unwrap_or(i64::MAX);
        group.contacts_version += i64::from(self.removed > 0) + updates + i64::from(inserts > 0);
        group.contacts = group.contacts.saturating_sub(self.removed).saturating_add(inserts);
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        // Where nothing goes, what stays need not be touched.
        let replace = (self.removed > 0)
            .then(|| Change::ContactsReplace { group: self.group, keep: self.keep.clone() });
        replace.into_iter().chain(plan::writes(self.group, &self.inserts, &self.updates)).collect()
    }

    /// What the journal says of it.
    pub(super) fn payload(&self) -> Value {
        let mut payload: Map<String, Value> = plan::payload(&self.inserts, &self.updates);
        payload.insert("removed".to_owned(), json!(self.removed));
        payload.into()
    }
}
