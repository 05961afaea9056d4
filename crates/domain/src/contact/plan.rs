//! What is to be written so that numbers stand in a group as somebody wants them.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::{Added, Contact, ContactPatch, PhoneNumber, Taken};
use crate::{Change, ContactGroupId, ContactId, Ctx, Directory, Error, IdKind, Store, Timestamp};

/// An entry that can be read.
pub(super) type Wish = (PhoneNumber, ContactPatch);

pub(super) fn phones(wishes: &[Wish]) -> Vec<PhoneNumber> {
    wishes.iter().map(|(phone, _)| phone.clone()).collect()
}

/// Where the contact of a number stands while it is planned.
#[derive(Clone, Copy)]
enum Place {
    Stored(usize),
    Insert(usize),
}

/// Entries put one after the other over what is stored.
pub(super) struct Plan {
    now: Timestamp,
    stored: Vec<Contact>,
    pub(super) inserts: Vec<Contact>,
    /// What entries make of stored contacts, by their places.
    touched: BTreeMap<usize, Contact>,
    places: HashMap<PhoneNumber, Place>,
    /// What became of each entry; `None` when its number was taken.
    outcomes: Vec<Option<Outcome>>,
}

#[derive(Clone, Copy)]
enum Outcome {
    Created(usize),
    /// A number that stood twice among the entries, and whether this one has changed its contact.
    Repeated(usize, bool),
    /// A number that is stored.
    Found(usize),
}

impl Plan {
    /// `stored`: what is there of the numbers.
    pub(super) fn new(stored: Vec<Contact>, now: Timestamp) -> Self {
        let places = stored
            .iter()
            .enumerate()
            .map(|(at, contact)| (contact.phone.clone(), Place::Stored(at)))
            .collect();
        let (inserts, touched) = (Vec::new(), BTreeMap::new());
        Self { now, stored, inserts, touched, places, outcomes: Vec::new() }
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
                let before = self.inserts[at].clone();
                patch.apply(&mut self.inserts[at]);
                Some(Outcome::Repeated(at, !self.inserts[at].has_content_of(&before)))
            }
            (Some(Place::Stored(at)), Taken::Update) => {
                patch.apply(self.touched.entry(at).or_insert_with(|| self.stored[at].clone()));
                Some(Outcome::Found(at))
            }
        };
        self.outcomes.push(outcome);
    }

    /// What a stored contact becomes, if it changes: a later entry may have made it what it was.
    fn changed(&self, at: usize) -> Option<Contact> {
        let before = &self.stored[at];
        let after = self.touched.get(&at).filter(|after| !after.has_content_of(before))?;
        let modified_at = self.now.max(before.modified_at);
        Some(Contact { version: before.version + 1, modified_at, ..after.clone() })
    }

    /// What the stored contacts that change become.
    pub(super) fn updates(&self) -> Vec<Contact> {
        self.touched.keys().filter_map(|at| self.changed(*at)).collect()
    }

    /// What became of each entry once all are written, its contact as it is then; `None` when its number was taken.
    pub(super) fn done(self) -> Vec<Option<Added>> {
        let added = |outcome: Outcome| match outcome {
            Outcome::Created(at) => Added::Created(self.inserts[at].clone()),
            Outcome::Repeated(at, true) => Added::Updated(self.inserts[at].clone()),
            Outcome::Repeated(at, false) => Added::Unchanged(self.inserts[at].clone()),
            Outcome::Found(at) => match self.changed(at) {
                Some(after) => Added::Updated(after),
                None => Added::Unchanged(self.stored[at].clone()),
            },
        };
        self.outcomes.iter().map(|outcome| outcome.map(added)).collect()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{OrgUnitId, Patch, TenantId};

    const NOW: Timestamp = Timestamp(9);

    fn ctx() -> Ctx {
        Ctx::operator(TenantId(1), OrgUnitId(1), NOW)
    }

    fn phone(n: usize) -> PhoneNumber {
        PhoneNumber::from_stored(format!("+1201555{n:04}"))
    }

    fn contact(n: usize, text: Option<String>) -> Contact {
        let id = ContactId(i64::try_from(n).unwrap());
        let mut contact = Contact::new(TenantId(1), ContactGroupId(1), id, phone(n), Timestamp(1));
        contact.columns[0] = text;
        contact
    }

    fn patch() -> impl Strategy<Value = ContactPatch> {
        let wish = prop_oneof![
            Just(Patch::Keep),
            Just(Patch::Clear),
            (0..3).prop_map(|text: i32| Patch::Set(text.to_string()))
        ];
        (wish.clone(), wish).prop_map(|(column, callback_data)| {
            let mut patch = ContactPatch { callback_data, ..ContactPatch::default() };
            patch.columns[0] = column;
            patch
        })
    }

    /// What the entries say to somebody who carries them out one after the other.
    fn one_by_one(
        stored: &[Contact],
        wishes: &[(usize, ContactPatch)],
        taken: Taken,
    ) -> (BTreeMap<PhoneNumber, Contact>, Vec<bool>) {
        let mut list: BTreeMap<_, _> = stored.iter().map(|c| (c.phone.clone(), c.clone())).collect();
        let mut put = Vec::new();
        let mut next = 1000;
        for (n, patch) in wishes {
            let known = list.contains_key(&phone(*n));
            put.push(!known || taken == Taken::Update);
            if known && taken == Taken::Refuse {
                continue;
            }
            let contact = list.entry(phone(*n)).or_insert_with(|| {
                next += 1;
                Contact::new(TenantId(1), ContactGroupId(1), ContactId(next - 1), phone(*n), NOW)
            });
            patch.apply(contact);
        }
        (list, put)
    }

    proptest! {
        #[test]
        fn a_plan_does_what_its_entries_do_one_by_one(
            texts in prop::collection::btree_map(0..6_usize, prop::option::of("[0-2]"), 0..6),
            wishes in prop::collection::vec((0..9_usize, patch()), 0..14),
            taken in prop_oneof![Just(Taken::Refuse), Just(Taken::Update)],
        ) {
            let stored: Vec<Contact> = texts.into_iter().map(|(n, text)| contact(n, text)).collect();
            let phones: Vec<PhoneNumber> = wishes.iter().map(|(n, _)| phone(*n)).collect();
            // As the store does it: of the numbers that are asked for.
            let asked: Vec<Contact> =
                stored.iter().filter(|contact| phones.contains(&contact.phone)).cloned().collect();
            let mut plan = Plan::new(asked, NOW);
            let new = plan.count_new(&phones);
            for (n, patch) in &wishes {
                plan.put(&ctx(), ContactGroupId(1), 1000, &phone(*n), patch, taken);
            }
            let (inserts, updates) = (plan.inserts.clone(), plan.updates());
            prop_assert_eq!(inserts.len(), new);

            let (expected, put) = one_by_one(&stored, &wishes, taken);
            let mut list: BTreeMap<_, _> = stored.iter().map(|c| (c.phone.clone(), c.clone())).collect();
            for after in &updates {
                let before = list.insert(after.phone.clone(), after.clone()).unwrap();
                prop_assert!(!after.has_content_of(&before));
                prop_assert_eq!((after.id, after.version), (before.id, before.version + 1));
                prop_assert_eq!((after.created_at, after.modified_at), (before.created_at, NOW));
            }
            for new in inserts {
                prop_assert!(list.insert(new.phone.clone(), new).is_none());
            }
            prop_assert_eq!(list.len(), expected.len());
            for (phone, contact) in &list {
                prop_assert!(contact.has_content_of(&expected[phone]), "{:?}", contact);
                prop_assert_eq!(contact.id, expected[phone].id);
            }
            let done = plan.done();
            prop_assert_eq!(done.iter().map(Option::is_some).collect::<Vec<_>>(), put);
            let mut created = Vec::new();
            for (added, phone) in done.into_iter().zip(phones) {
                let Some(added) = added else { continue };
                prop_assert_eq!(added.contact(), &list[&phone]);
                match added {
                    Added::Created(contact) => created.push(contact.id.0),
                    Added::Updated(contact) => {
                        let before = stored.iter().find(|stored| stored.id == contact.id);
                        prop_assert!(before.is_none_or(|before| !contact.has_content_of(before)));
                    }
                    Added::Unchanged(contact) => {
                        prop_assert!(stored.contains(&contact) || created.contains(&contact.id.0));
                    }
                }
            }
            // Ids in the order of the entries.
            prop_assert_eq!(created, (1000..).take(new).collect::<Vec<_>>());
        }

        #[test]
        fn an_entry_that_says_the_same_again_changes_nothing(patch in patch()) {
            let mut plan = Plan::new(Vec::new(), NOW);
            for _ in 0..2 {
                plan.put(&ctx(), ContactGroupId(1), 1000, &phone(1), &patch, Taken::Update);
            }
            let done = plan.done();
            prop_assert!(matches!(done[..], [Some(Added::Created(_)), Some(Added::Unchanged(_))]), "{:?}", done);
        }

        #[test]
        fn ranges_name_every_id_once(ids in prop::collection::btree_set(0..40_usize, 0..30)) {
            let contacts: Vec<Contact> = ids.iter().rev().map(|n| contact(*n, None)).collect();
            let ranges = ranges(&contacts);
            let named: Vec<i64> = ranges.iter().flat_map(|[first, last]| *first..=*last).collect();
            prop_assert_eq!(named, ids.iter().map(|n| i64::try_from(*n).unwrap()).collect::<Vec<_>>());
            prop_assert!(ranges.windows(2).all(|pair| pair[0][1] + 1 < pair[1][0]));
        }
    }
}
