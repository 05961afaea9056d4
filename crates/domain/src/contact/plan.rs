//! What is to be written so that numbers stand in a group as somebody wants them.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::{Added, Contact, ContactPatch, PhoneNumber, Taken};
use crate::{Batch, Change, ContactGroupId, ContactId, Ctx, Directory, Error, IdKind, Store, Timestamp};

/// Where a contact stands while it is planned.
#[derive(Clone, Copy)]
enum Place {
    Stored(usize),
    Insert(usize),
    Update(usize),
}

/// Entries put one after the other over what is stored.
pub(super) struct Plan {
    now: Timestamp,
    stored: Vec<Contact>,
    pub(super) inserts: Vec<Contact>,
    /// Each with the place of what is stored.
    updates: Vec<(usize, Contact)>,
    places: HashMap<PhoneNumber, Place>,
    /// What became of each entry; `None` when its number was taken.
    outcomes: Vec<Option<Outcome>>,
}

#[derive(Clone, Copy)]
enum Outcome {
    Created(usize),
    /// A number that stood twice among the entries.
    Repeated(usize),
    Updated(usize),
    Unchanged(usize),
}

impl Plan {
    /// `stored`: what is there of the numbers.
    pub(super) fn new(stored: Vec<Contact>, now: Timestamp) -> Self {
        let places = stored
            .iter()
            .enumerate()
            .map(|(at, contact)| (contact.phone.clone(), Place::Stored(at)))
            .collect();
        Self { now, stored, inserts: Vec::new(), updates: Vec::new(), places, outcomes: Vec::new() }
    }

    /// How many of these numbers are not there.
    pub(super) fn count_new(&self, phones: &[PhoneNumber]) -> usize {
        phones.iter().filter(|phone| !self.places.contains_key(phone)).collect::<HashSet<_>>().len()
    }

    /// Puts an entry; a new contact gets the next id from `first` on.
    pub(super) fn put(
        &mut self,
        ctx: &Ctx,
        group: ContactGroupId,
        first: i64,
        phone: &PhoneNumber,
        patch: &ContactPatch,
        taken: Taken,
    ) {
        let outcome = match (self.places.get(phone).copied(), taken) {
            (None, _) => {
                let at = self.inserts.len();
                let id = ContactId(first.saturating_add(i64::try_from(at).unwrap_or(i64::MAX)));
                let mut contact = Contact::new(ctx.tenant(), group, id, phone.clone(), self.now);
                patch.apply(&mut contact);
                self.inserts.push(contact);
                self.places.insert(phone.clone(), Place::Insert(at));
                Some(Outcome::Created(at))
            }
            (Some(_), Taken::Refuse) => None,
            (Some(Place::Insert(at)), Taken::Update) => {
                patch.apply(&mut self.inserts[at]);
                Some(Outcome::Repeated(at))
            }
            (Some(Place::Update(at)), Taken::Update) => {
                patch.apply(&mut self.updates[at].1);
                Some(Outcome::Updated(at))
            }
            (Some(Place::Stored(at)), Taken::Update) => Some(self.change(at, phone, patch)),
        };
        self.outcomes.push(outcome);
    }

    fn change(&mut self, at: usize, phone: &PhoneNumber, patch: &ContactPatch) -> Outcome {
        let before = &self.stored[at];
        let mut after = before.clone();
        patch.apply(&mut after);
        if after.has_content_of(before) {
            return Outcome::Unchanged(at);
        }
        after.version = before.version + 1;
        after.modified_at = self.now.max(before.modified_at);
        self.updates.push((at, after));
        let at = self.updates.len() - 1;
        self.places.insert(phone.clone(), Place::Update(at));
        Outcome::Updated(at)
    }

    /// The contacts that will say something else than they do.
    pub(super) fn updates(&self) -> Vec<Contact> {
        // An entry can take back what the one before has changed.
        let changes = |(at, after): &&(usize, Contact)| !after.has_content_of(&self.stored[*at]);
        self.updates.iter().filter(changes).map(|(_, after)| after.clone()).collect()
    }

    /// The writes; none when nothing changes.
    pub(super) fn batch(&self, ctx: &Ctx, group: ContactGroupId) -> Batch {
        let mut batch = Batch::new(ctx.tenant());
        batch.changes.extend(writes(group, &self.inserts, &self.updates()));
        batch
    }

    /// What became of each entry once it is written; `None` when its number was taken.
    pub(super) fn done(self) -> Vec<Option<Added>> {
        let added = |outcome: Outcome| match outcome {
            Outcome::Created(at) => Added::Created(self.inserts[at].clone()),
            Outcome::Repeated(at) => Added::Updated(self.inserts[at].clone()),
            Outcome::Updated(at) => {
                let (stored, after) = &self.updates[at];
                let before = &self.stored[*stored];
                if after.has_content_of(before) {
                    Added::Unchanged(before.clone())
                } else {
                    Added::Updated(after.clone())
                }
            }
            Outcome::Unchanged(at) => Added::Unchanged(self.stored[at].clone()),
        };
        self.outcomes.into_iter().map(|outcome| outcome.map(added)).collect()
    }
}

/// The changes that write these contacts.
pub(super) fn writes(group: ContactGroupId, inserts: &[Contact], updates: &[Contact]) -> Vec<Change> {
    let mut changes: Vec<Change> =
        updates.iter().map(|contact| Change::ContactUpdate(Box::new(contact.clone()))).collect();
    if !inserts.is_empty() {
        changes.push(Change::ContactsInsert { group, contacts: inserts.to_vec() });
    }
    changes
}

/// What the journal says of work on many contacts: how many, and which as ranges of ids.
pub(super) fn payload(inserts: &[Contact], updates: &[Contact]) -> Map<String, Value> {
    let mut payload = Map::new();
    for (name, contacts) in [("added", inserts), ("updated", updates)] {
        if !contacts.is_empty() {
            payload.insert(name.to_owned(), contacts.len().into());
            payload.insert(format!("{name}_ids"), json!(ranges(contacts)));
        }
    }
    payload
}

/// The ids as ranges, both ends included.
fn ranges(contacts: &[Contact]) -> Vec<[i64; 2]> {
    let mut ids: Vec<i64> = contacts.iter().map(|contact| contact.id.0).collect();
    ids.sort_unstable();
    let mut ranges: Vec<[i64; 2]> = Vec::new();
    for id in ids {
        match ranges.last_mut() {
            Some([_, last]) if *last + 1 == id => *last = id,
            _ => ranges.push([id, id]),
        }
    }
    ranges
}

/// Ids in a row for new contacts, which are asked for once, unless more turn out to be needed.
#[derive(Default)]
pub(super) struct ContactIds {
    first: i64,
    count: usize,
}

impl ContactIds {
    /// The first of at least `count` ids.
    pub(super) async fn at_least<S: Store>(
        &mut self,
        directory: &Directory<S>,
        count: usize,
    ) -> Result<i64, Error> {
        if count > self.count {
            let wanted = u32::try_from(count).unwrap_or(u32::MAX);
            *self = Self { first: directory.store.next_ids(IdKind::Contact, wanted).await?, count };
        }
        Ok(self.first)
    }
}
