//! Random sequences of everything that is done with contact groups, against a model that keeps them in maps.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_domain::contact::{Added, Contact, Taken};
use muster_domain::{ContactGroupId, ContactId, Error, Patch, Unique};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::contact_books::{ALL, EXPECT, expiring, nth, phone, saying, wishes, with_list};
use crate::random::try_cases;
use crate::support::Backend;
use crate::world::{Org, World};

contract![random_operations_do_what_a_model_does];

/// A number, and a text if there is one.
type Entry = (usize, Option<u8>);

#[derive(Clone, Debug)]
enum Operation {
    Create {
        list: Vec<Entry>,
    },
    Replace {
        group: usize,
        list: Vec<Entry>,
    },
    Add {
        group: usize,
        entry: Entry,
    },
    AddMany {
        group: usize,
        entries: Vec<Entry>,
        update: bool,
    },
    Change {
        contact: usize,
        number: Option<usize>,
        text: Option<u8>,
    },
    Remove {
        contact: usize,
    },
    Delete {
        group: usize,
    },
    /// The group has an hour left.
    Hurry {
        group: usize,
    },
    Wait,
    Reap,
}

fn operation() -> impl Strategy<Value = Operation> {
    let entry = || (0..9_usize, prop::option::of(0..3_u8));
    let list = move || {
        let list = prop::collection::vec(entry(), 0..8);
        list.prop_map(|list| list.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect::<Vec<Entry>>())
    };
    let any = || 0..usize::MAX;
    prop_oneof![
        2 => list().prop_map(|list| Operation::Create { list }),
        4 => (any(), list()).prop_map(|(group, list)| Operation::Replace { group, list }),
        4 => (any(), entry()).prop_map(|(group, entry)| Operation::Add { group, entry }),
        4 => (any(), prop::collection::vec(entry(), 0..8), prop::bool::ANY)
            .prop_map(|(group, entries, update)| Operation::AddMany { group, entries, update }),
        4 => (any(), prop::option::of(0..9_usize), prop::option::of(0..3_u8))
            .prop_map(|(contact, number, text)| Operation::Change { contact, number, text }),
        3 => any().prop_map(|contact| Operation::Remove { contact }),
        1 => any().prop_map(|group| Operation::Delete { group }),
        1 => any().prop_map(|group| Operation::Hurry { group }),
        1 => Just(Operation::Wait),
        1 => Just(Operation::Reap),
    ]
}

/// What the model knows of a contact: number, text, version.
type Line = (String, Option<String>, i64);
type Model = BTreeMap<ContactGroupId, BTreeMap<ContactId, Line>>;

fn patch((number, text): Entry) -> muster_domain::contact::ContactPatch {
    match text {
        Some(text) => saying(&text.to_string(), nth(number)),
        None => nth(number),
    }
}

fn line(contact: &Contact) -> Line {
    (contact.phone.to_string(), contact.columns[0].clone(), contact.version)
}

fn text_of(text: Option<u8>) -> Option<String> {
    text.map(|text| text.to_string())
}

struct Case<'a, B: Backend> {
    world: &'a World<B>,
    org: &'a Org,
    model: Model,
    /// Groups with an hour left.
    hurried: Vec<ContactGroupId>,
    /// Every contact that there ever was.
    known: Vec<Contact>,
}

impl<B: Backend> Case<'_, B> {
    fn group(&self, n: usize) -> Option<ContactGroupId> {
        self.model.keys().nth(n.checked_rem(self.model.len())?).copied()
    }

    /// Who has a number in a group.
    fn holder(&self, group: ContactGroupId, number: usize) -> Option<ContactId> {
        let mut lines = self.model[&group].iter();
        lines.find(|(_, line)| line.0 == phone(number)).map(|(id, _)| *id)
    }

    /// Takes a list over as it is stored, after it was checked to be `list` with what it could keep.
    async fn took(&mut self, group: ContactGroupId, list: &[Entry]) -> TestCaseResult {
        let before = self.model.get(&group).cloned().unwrap_or_default();
        let contacts = self.world.contacts(self.org, group).await;
        prop_assert_eq!(contacts.len(), list.len());
        for (number, text) in list {
            let contact = contacts.iter().find(|contact| contact.phone.as_str() == phone(*number)).unwrap();
            prop_assert_eq!(&contact.columns[0], &text_of(*text));
            let old = before.iter().find(|(_, line)| line.0 == phone(*number));
            let is_new = self.known.iter().all(|known| known.id != contact.id);
            prop_assert_eq!(is_new, old.is_none());
            let expected =
                old.map_or((contact.id, 1), |(id, line)| (*id, line.2 + i64::from(line.1 != text_of(*text))));
            prop_assert_eq!((contact.id, contact.version), expected);
        }
        self.known.extend(contacts.iter().cloned());
        self.model.insert(group, contacts.iter().map(|contact| (contact.id, line(contact))).collect());
        Ok(())
    }

    async fn add_many(&mut self, group: ContactGroupId, entries: &[Entry], update: bool) -> TestCaseResult {
        let taken = if update { Taken::Update } else { Taken::Refuse };
        let drafts = entries.iter().map(|entry| patch(*entry).into()).collect();
        let ctx = self.world.now_ctx(self.org);
        let outcomes =
            self.world.directory.contacts_add(&ctx, group, wishes(drafts), taken, EXPECT).await.unwrap();
        let before = self.model[&group].clone();
        for ((number, text), outcome) in entries.iter().zip(outcomes) {
            let holder = self.holder(group, *number);
            match (holder, outcome) {
                (None, Ok(Added::Created(contact))) => {
                    self.known.push(contact.clone());
                    self.model
                        .get_mut(&group)
                        .unwrap()
                        .insert(contact.id, (phone(*number), text_of(*text), 1));
                }
                (Some(_), Err(Error::Duplicate(Unique::ContactPhone))) if !update => {}
                (Some(id), Ok(added)) if update => {
                    prop_assert_eq!(added.contact().id, id);
                    let line = self.model.get_mut(&group).unwrap().get_mut(&id).unwrap();
                    line.1 = text_of(*text).or_else(|| line.1.clone());
                }
                (holder, outcome) => prop_assert!(false, "{:?} {:?}", holder, outcome),
            }
        }
        for (id, before) in before {
            let line = self.model.get_mut(&group).unwrap().get_mut(&id).unwrap();
            line.2 += i64::from(line.1 != before.1);
        }
        Ok(())
    }

    async fn change(&mut self, n: usize, number: Option<usize>, text: Option<u8>) -> TestCaseResult {
        let Some(known) = n.checked_rem(self.known.len()).map(|n| self.known[n].clone()) else {
            return Ok(());
        };
        let mut wish = number.map(nth).unwrap_or_default();
        wish.columns[0] = text_of(text).map_or(Patch::Keep, Patch::Set);
        let outcome = self.world.change_contact(self.org, known.id, wish).await;
        let here = self.model.get(&known.group).is_some_and(|list| list.contains_key(&known.id));
        let taken =
            here && number.is_some_and(|n| self.holder(known.group, n).is_some_and(|id| id != known.id));
        match outcome {
            Err(Error::NotFound(_)) => prop_assert!(!here),
            Err(Error::Duplicate(Unique::ContactPhone)) => prop_assert!(taken),
            Ok(contact) => {
                prop_assert!(here && !taken);
                let line = self.model.get_mut(&known.group).unwrap().get_mut(&known.id).unwrap();
                let after =
                    (number.map_or_else(|| line.0.clone(), phone), text_of(text).or_else(|| line.1.clone()));
                let changed = after != (line.0.clone(), line.1.clone());
                *line = (after.0, after.1, line.2 + i64::from(changed));
                prop_assert_eq!(&self::line(&contact), &*line);
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
        Ok(())
    }

    async fn carry_out(&mut self, operation: Operation) -> TestCaseResult {
        let (world, org) = (self.world, self.org);
        match operation {
            Operation::Create { list } => {
                let mut new = with_list(list.iter().map(|entry| patch(*entry)));
                new.name = Some("list".to_owned());
                let group =
                    world.directory.contact_group_create(&world.now_ctx(org), new.into()).await.unwrap();
                self.took(group.id, &list).await?;
            }
            Operation::Replace { group, list } => {
                let Some(group) = self.group(group) else { return Ok(()) };
                let sent = with_list(list.iter().map(|entry| patch(*entry)));
                let after = world.update_group(org, group, sent).await.unwrap();
                prop_assert_eq!(after, world.stored_group(org, group).await);
                self.took(group, &list).await?;
            }
            Operation::Add { group, entry } => {
                let Some(group) = self.group(group) else { return Ok(()) };
                match (self.holder(group, entry.0), world.add(org, group, patch(entry)).await) {
                    (None, Ok(contact)) => {
                        self.model.get_mut(&group).unwrap().insert(contact.id, line(&contact));
                        self.known.push(contact);
                    }
                    (Some(_), Err(Error::Duplicate(Unique::ContactPhone))) => {}
                    (holder, outcome) => prop_assert!(false, "{:?} {:?}", holder, outcome),
                }
            }
            Operation::AddMany { group, entries, update } => {
                let Some(group) = self.group(group) else { return Ok(()) };
                self.add_many(group, &entries, update).await?;
            }
            Operation::Change { contact, number, text } => self.change(contact, number, text).await?,
            Operation::Remove { contact } => {
                let Some(n) = contact.checked_rem(self.known.len()) else { return Ok(()) };
                let known = &self.known[n];
                let removed = self.model.get_mut(&known.group).and_then(|list| list.remove(&known.id));
                prop_assert_eq!(world.remove_contact(org, known.id).await.is_ok(), removed.is_some());
            }
            Operation::Delete { group } => {
                let Some(group) = self.group(group) else { return Ok(()) };
                world.delete_group(org, group).await.unwrap();
                self.model.remove(&group);
            }
            Operation::Hurry { group } => {
                let Some(group) = self.group(group) else { return Ok(()) };
                let end = world.directory.now().plus(Duration::from_hours(1));
                world.update_group(org, group, expiring(end)).await.unwrap();
                self.hurried.push(group);
            }
            Operation::Wait => {
                world.clock.advance(Duration::from_hours(1));
                for group in self.hurried.drain(..) {
                    self.model.remove(&group);
                }
            }
            Operation::Reap => {
                world.directory.contacts_reap().await.unwrap();
                let rows = world
                    .backend
                    .look(&format!("SELECT COUNT(*) FROM contacts WHERE tenant_id = {}", org.tenant));
                let lines: usize = self.model.values().map(BTreeMap::len).sum();
                prop_assert_eq!(usize::try_from(rows).unwrap(), lines);
            }
        }
        self.compare().await
    }

    async fn compare(&self) -> TestCaseResult {
        let ctx = self.world.now_ctx(self.org);
        let groups = self.world.directory.contact_group_list(&ctx, ALL).await.unwrap();
        prop_assert_eq!(groups.total, self.model.len() as u64);
        let ids: Vec<_> = groups.items.iter().rev().map(|group| group.id).collect();
        prop_assert_eq!(ids, self.model.keys().copied().collect::<Vec<_>>());
        for (group, list) in &self.model {
            let stored = self.world.contacts(self.org, *group).await;
            let stored: BTreeMap<_, _> = stored.iter().map(|contact| (contact.id, line(contact))).collect();
            prop_assert_eq!(&stored, list);
        }
        for known in &self.known {
            let here = self.model.get(&known.group).is_some_and(|list| list.contains_key(&known.id));
            prop_assert_eq!(self.world.has_contact(self.org, known.id).await, here);
        }
        Ok(())
    }
}

async fn case<B: Backend>(operations: Vec<Operation>) -> TestCaseResult {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    world.group_of(&other, 0..9).await;
    let beside = world.backend.dump_of(Some(other.tenant));
    let (model, hurried, known) = (Model::new(), Vec::new(), Vec::new());
    let mut case = Case { world: &world, org: &org, model, hurried, known };
    for operation in operations {
        case.carry_out(operation).await?;
    }
    world.journal(&org).await;
    world.is_sound().await;
    prop_assert_eq!(world.backend.dump_of(Some(other.tenant)), beside);
    Ok(())
}

async fn random_operations_do_what_a_model_does<B: Backend>() {
    try_cases::<B, _, _>(16, prop::collection::vec(operation(), 1..60), case::<B>);
}
