//! Contact groups and contacts when several callers act at once.
//!
//! Which of them is first is left to chance, so that every test asks for what must hold whoever wins.

use std::collections::{BTreeMap, BTreeSet};

use muster_domain::contact::{Contact, ContactGroup, ContactGroupPatch, ContactPatch, Taken};
use muster_domain::{ContactGroupId, ContactId, Error, Precondition, Unique};

use crate::contact_books::{EXPECT, Outcomes, group_named, nth, phone, saying, wishes, with_list};
use crate::support::{Backend, all_at_once};
use crate::world::{Org, World};

contract![
    a_number_that_many_add_at_once_stands_once,
    batches_that_update_beside_each_other_all_happen,
    a_replaced_list_beside_everything_else_stays_a_list,
    of_lists_that_are_sent_at_once_one_stands_whole,
    a_number_that_moves_beside_a_new_list_keeps_its_id,
    nothing_is_added_to_a_group_after_its_deletion,
    of_two_lists_at_once_one_stands_as_it_was_sent,
    a_group_changes_beside_its_contacts,
    of_changes_with_one_precondition_one_wins,
    of_changes_of_one_contact_each_rests_on_the_last,
];

const ROUNDS: usize = 10;

fn is_taken<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Duplicate(Unique::ContactPhone)))
}

fn is_gone<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NotFound(_)))
}

fn adding<B: Backend>(
    world: &World<B>,
    org: &Org,
    group: ContactGroupId,
    patches: Vec<ContactPatch>,
    taken: Taken,
) -> impl Future<Output = Result<Outcomes, Error>> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    let drafts = patches.into_iter().map(Into::into).collect();
    async move { directory.contacts_add(&ctx, group, wishes(drafts), taken, EXPECT).await }
}

fn creating<B: Backend>(
    world: &World<B>,
    org: &Org,
    group: ContactGroupId,
    patch: ContactPatch,
) -> impl Future<Output = Result<Contact, Error>> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move { directory.contact_create(&ctx, group, patch.into()).await }
}

fn updating<B: Backend>(
    world: &World<B>,
    org: &Org,
    group: ContactGroupId,
    patch: ContactGroupPatch,
    precondition: Option<Precondition<ContactGroup>>,
) -> impl Future<Output = Result<ContactGroup, Error>> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.contact_group_get(&ctx, group).await?;
        directory.contact_group_update(&ctx, found, patch.into(), precondition).await
    }
}

fn changing<B: Backend>(
    world: &World<B>,
    org: &Org,
    id: ContactId,
    patch: ContactPatch,
) -> impl Future<Output = Result<Contact, Error>> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.contact_get(&ctx, id).await?;
        directory.contact_update(&ctx, found, patch.into(), None).await
    }
}

fn removing<B: Backend>(
    world: &World<B>,
    org: &Org,
    id: ContactId,
) -> impl Future<Output = Result<(), Error>> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.contact_get(&ctx, id).await?;
        directory.contact_delete(&ctx, found, None).await
    }
}

async fn a_number_that_many_add_at_once_stands_once<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for _ in 0..ROUNDS {
        let group = world.group(&org, "list").await.id;
        let batches: Vec<_> = (0..6)
            .map(|n| tokio::spawn(adding(&world, &org, group, (n..n + 20).map(nth).collect(), Taken::Refuse)))
            .collect();
        let singles = all_at_once((0..26).map(|n| creating(&world, &org, group, nth(n)))).await;
        let mut told: Vec<Contact> = Vec::new();
        for single in singles {
            assert!(single.is_ok() || is_taken(&single), "{single:?}");
            told.extend(single);
        }
        for batch in batches {
            for outcome in batch.await.unwrap().unwrap() {
                assert!(outcome.is_ok() || is_taken(&outcome), "{outcome:?}");
                told.extend(outcome.map(|added| added.contact().clone()));
            }
        }
        told.sort_unstable_by_key(|contact| contact.id);
        assert_eq!(world.contacts(&org, group).await, told, "each was told to one caller");
        let numbers: BTreeSet<_> = told.iter().map(|contact| contact.phone.to_string()).collect();
        assert_eq!(numbers, (0..26).map(phone).collect());
    }
    world.is_sound().await;
}

async fn batches_that_update_beside_each_other_all_happen<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..10).await.id;
    let tasks: Vec<_> = (0..16_usize)
        .map(|n| {
            let patches = (0..20).map(|m| saying(&n.to_string(), nth((m + n) % 20))).collect();
            adding(&world, &org, group, patches, Taken::Update)
        })
        .collect();
    for outcomes in all_at_once(tasks).await {
        assert!(outcomes.unwrap().iter().all(Result::is_ok));
    }
    let contacts = world.contacts(&org, group).await;
    assert_eq!(contacts.len(), 20);
    let texts: BTreeSet<_> = contacts.iter().map(|contact| contact.columns[0].clone()).collect();
    assert_eq!(texts.len(), 1, "one was the last, with all of its entries");
    // Created or found, then changed by each of the others.
    assert!(contacts[..10].iter().all(|contact| contact.version == 17), "{contacts:?}");
    assert!(contacts[10..].iter().all(|contact| contact.version == 16), "{contacts:?}");
}

async fn a_replaced_list_beside_everything_else_stays_a_list<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let group = world.group_of(&org, 0..30).await.id;
        let contacts = world.contacts(&org, group).await;
        let lists = [0..20, 10..40, 5..25, 0..0];
        let replaced: Vec<_> = lists
            .into_iter()
            .map(|list| tokio::spawn(updating(&world, &org, group, with_list(list.map(nth)), None)))
            .collect();
        let added: Vec<_> = (0..10)
            .map(|n| tokio::spawn(creating(&world, &org, group, nth(100 + n))))
            .chain((0..5).map(|n| tokio::spawn(creating(&world, &org, group, nth(n * 8)))))
            .collect();
        let removed: Vec<_> =
            (0..10).map(|n| tokio::spawn(removing(&world, &org, contacts[n * 3].id))).collect();
        let changed: Vec<_> = (0..10)
            .map(|n| {
                let patch = if n % 2 == 0 { nth(200 + n) } else { saying("new", ContactPatch::default()) };
                tokio::spawn(changing(&world, &org, contacts[n * 3 + 1].id, patch))
            })
            .collect();
        for outcome in replaced {
            outcome.await.unwrap().unwrap();
        }
        let mut created = Vec::new();
        for outcome in added {
            let outcome = outcome.await.unwrap();
            assert!(outcome.is_ok() || is_taken(&outcome), "{outcome:?}");
            created.extend(outcome);
        }
        for (n, outcome) in removed.into_iter().enumerate() {
            let outcome = outcome.await.unwrap();
            assert!(outcome.is_ok() || is_gone(&outcome), "{outcome:?}");
            assert!(!world.has_contact(&org, contacts[n * 3].id).await, "either way it is gone");
        }
        for outcome in changed {
            let outcome = outcome.await.unwrap();
            assert!(outcome.is_ok() || is_gone(&outcome), "{outcome:?}");
        }
        // The count equals the rows, whichever way they are read.
        let now = world.contacts(&org, group).await;
        let numbers: BTreeSet<_> = now.iter().map(|contact| contact.phone.clone()).collect();
        assert_eq!(numbers.len(), now.len(), "round {round}");
        for contact in contacts.iter().chain(&created) {
            let is_listed = now.iter().any(|listed| listed.id == contact.id);
            assert_eq!(world.has_contact(&org, contact.id).await, is_listed);
        }
        world.is_sound().await;
        world.directory.contacts_reap().await.unwrap();
        let rows = world.backend.look(&format!("SELECT COUNT(*) FROM contacts WHERE group_id = {group}"));
        assert_eq!(usize::try_from(rows).unwrap(), now.len());
        assert_eq!(world.contacts(&org, group).await, now);
    }
}

async fn of_lists_that_are_sent_at_once_one_stands_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for _ in 0..ROUNDS {
        let group = world.group_of(&org, 0..10).await.id;
        let before = world.contacts(&org, group).await;
        let lists = |n: usize| (n * 3..n * 3 + 10).map(move |m| saying(&n.to_string(), nth(m)));
        let tasks: Vec<_> =
            (0..8).map(|n| updating(&world, &org, group, with_list(lists(n)), None)).collect();
        for outcome in all_at_once(tasks).await {
            assert_eq!(outcome.unwrap().contacts, 10);
        }
        let now = world.contacts(&org, group).await;
        let texts: BTreeSet<_> = now.iter().map(|contact| contact.columns[0].clone().unwrap()).collect();
        assert_eq!(texts.len(), 1, "{now:?}");
        let winner: usize = texts.first().unwrap().parse().unwrap();
        let numbers: BTreeSet<_> = now.iter().map(|contact| contact.phone.to_string()).collect();
        assert_eq!(numbers, (winner * 3..winner * 3 + 10).map(phone).collect());
        // An id has one number for ever here.
        let old: BTreeMap<_, _> = before.iter().map(|contact| (contact.id, &contact.phone)).collect();
        assert!(now.iter().all(|contact| old.get(&contact.id).is_none_or(|phone| **phone == contact.phone)));
    }
    world.is_sound().await;
}

/// The number is in the list before or after: if the change came first, its contact is kept.
async fn a_number_that_moves_beside_a_new_list_keeps_its_id<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for _ in 0..ROUNDS * 2 {
        let group = world.group_of(&org, [1, 2]).await.id;
        let moved = world.contacts(&org, group).await.remove(0).id;
        let change = tokio::spawn(changing(&world, &org, moved, nth(7)));
        let replace = tokio::spawn(updating(&world, &org, group, with_list([nth(7), nth(3)]), None));
        let (change, replace) = (change.await.unwrap(), replace.await.unwrap());
        replace.unwrap();
        let now = world.contacts(&org, group).await;
        let seven = now.iter().find(|contact| contact.phone.as_str() == phone(7)).unwrap();
        assert_eq!(now.len(), 2);
        assert_eq!(seven.id == moved, change.is_ok(), "{change:?}");
        assert!(change.is_ok() || is_gone(&change), "{change:?}");
    }
}

async fn nothing_is_added_to_a_group_after_its_deletion<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for _ in 0..ROUNDS {
        let group = world.group_of(&org, 0..5).await;
        let old = world.contacts(&org, group.id).await;
        let (directory, ctx) = (world.node(), org.ctx.clone());
        let found = group.clone();
        let batches: Vec<_> = (1..6)
            .map(|n| {
                let patches = (n * 10..n * 10 + 10).chain(0..3).map(|m| saying("x", nth(m))).collect();
                tokio::spawn(adding(&world, &org, group.id, patches, Taken::Update))
            })
            .collect();
        let delete = tokio::spawn(async move { directory.contact_group_delete(&ctx, found, None).await });
        let changes: Vec<_> = old
            .iter()
            .zip(900..)
            .map(|(contact, n)| tokio::spawn(changing(&world, &org, contact.id, nth(n))))
            .collect();
        let list = tokio::spawn(updating(&world, &org, group.id, with_list((3..9).map(nth)), None));
        let reap = {
            let directory = world.node();
            tokio::spawn(async move { directory.contacts_reap().await })
        };
        delete.await.unwrap().unwrap();
        reap.await.unwrap().unwrap();
        let mut known = old;
        for batch in batches {
            match batch.await.unwrap() {
                Ok(outcomes) => {
                    known.extend(outcomes.into_iter().map(|added| added.unwrap().contact().clone()));
                }
                refused => assert!(is_gone(&refused), "{refused:?}"),
            }
        }
        for change in changes {
            let change = change.await.unwrap();
            assert!(change.is_ok() || is_gone(&change), "{change:?}");
        }
        let list = list.await.unwrap();
        assert!(list.is_ok() || is_gone(&list), "{list:?}");
        for contact in known {
            assert!(!world.has_contact(&org, contact.id).await);
        }
        world.directory.contacts_reap().await.unwrap();
        assert_eq!(world.backend.look("SELECT COUNT(*) FROM contacts"), 0);
        assert_eq!(world.backend.look("SELECT COUNT(*) FROM contact_groups"), 0);
    }
    world.is_sound().await;
}

async fn of_two_lists_at_once_one_stands_as_it_was_sent<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for _ in 0..ROUNDS * 4 {
        let group = world.group_of(&org, 0..0).await.id;
        let said = |text: &'static str, numbers: std::ops::Range<usize>| {
            with_list(numbers.map(move |n| saying(text, nth(n))))
        };
        updating(&world, &org, group, said("x", 0..20), None).await.unwrap();
        let lists = [said("y", 0..20), said("x", 0..19), said("x", 1..20)];
        let tasks = lists.map(|list| Box::pin(updating(&world, &org, group, list, None)));
        let outcomes = all_at_once(tasks).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        let now = world.contacts(&org, group).await;
        let text = now[0].columns[0].clone();
        assert!(now.iter().all(|contact| contact.columns[0] == text), "{now:?}");
        assert_eq!(now.len(), if text.as_deref() == Some("y") { 20 } else { 19 });
    }
}

async fn a_group_changes_beside_its_contacts<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..20).await.id;
    let contacts = world.contacts(&org, group).await;
    let names: Vec<_> = (0..20)
        .map(|n| tokio::spawn(updating(&world, &org, group, group_named(&format!("name {n}")), None)))
        .collect();
    let added = all_at_once((100..140).map(|n| creating(&world, &org, group, nth(n)))).await;
    assert!(added.iter().all(Result::is_ok), "{added:?}");
    let removed = all_at_once(contacts.iter().map(|contact| removing(&world, &org, contact.id))).await;
    assert!(removed.iter().all(Result::is_ok), "{removed:?}");
    let mut versions = Vec::new();
    for outcome in names {
        versions.push(outcome.await.unwrap().unwrap().version);
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..22).collect::<Vec<_>>());
    let stored = world.stored_group(&org, group).await;
    assert_eq!((stored.version, stored.contacts, stored.contacts_version), (21, 40, 62));
    assert_eq!(world.contacts(&org, group).await.len(), 40);
}

async fn of_changes_with_one_precondition_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS * 2 {
        let group = world.group_of(&org, [1, 2]).await;
        let as_read = || -> Option<Precondition<ContactGroup>> {
            let read = (group.version, group.contacts_version);
            Some(Box::new(move |group| (group.version, group.contacts_version) == read))
        };
        let patches = [
            group_named("New"),
            with_list([nth(1)]),
            with_list((0..5).map(nth)),
            with_list([]),
            group_named("Newer"),
        ];
        let tasks: Vec<_> =
            patches.into_iter().map(|patch| updating(&world, &org, group.id, patch, as_read())).collect();
        let outcomes = all_at_once(tasks).await;
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Precondition))).count();
        assert_eq!(refused, 4, "{outcomes:?}");
        let winner = outcomes.into_iter().flatten().next().unwrap();
        assert_eq!(world.stored_group(&org, group.id).await, winner, "round {round}");
        world.contacts(&org, group.id).await;
    }
}

async fn of_changes_of_one_contact_each_rests_on_the_last<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1, 2]).await.id;
    let contact = world.contacts(&org, group).await.remove(0).id;
    let made = world.journal(&org).await.len();
    let tasks: Vec<_> = (0..24_usize)
        .map(|n| {
            let patch =
                if n % 2 == 0 { nth(10 + n) } else { saying(&n.to_string(), ContactPatch::default()) };
            changing(&world, &org, contact, patch)
        })
        .collect();
    let mut versions: Vec<i64> =
        all_at_once(tasks).await.into_iter().map(|done| done.unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..26).collect::<Vec<_>>());
    assert_eq!(world.said(&org, made).await.len(), 24);
    let outcomes = all_at_once((0..8).map(|_| removing(&world, &org, contact))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.is_ok() || is_gone(outcome)), "{outcomes:?}");
    assert_eq!(world.contacts(&org, group).await.len(), 1);
}
