//! A list that becomes exactly what is sent.

use std::time::Duration;

use muster_domain::contact::{Contact, ContactGroupPatch, Taken};
use muster_domain::{Draft, Error, FieldErrors, Patch, Problem, Unique};
use serde_json::json;

use crate::contact_books::{EXPECT, group_named, is_gone, nth, number, phone, saying, wishes, with_list};
use crate::support::Backend;
use crate::world::{Org, World};

contract![
    a_list_becomes_what_is_sent_and_keeps_ids,
    an_entry_is_a_whole_contact,
    the_same_list_changes_nothing,
    group_and_list_change_together,
    a_list_that_only_grows_touches_nothing_else,
    an_empty_list_takes_all_out,
    a_number_that_stands_twice_is_told_with_its_places,
    a_number_that_cannot_be_read_is_told_with_its_place,
    what_a_big_list_had_is_nowhere_after_a_small_one,
    lists_replaced_again_and_again_are_right_before_and_after_the_reaper,
];

/// The list as far as it is sent: number and first column.
async fn list<B: Backend>(world: &World<B>, org: &Org, group: muster_domain::ContactGroupId) -> Vec<String> {
    let shown =
        |contact: Contact| format!("{} {}", contact.phone, contact.columns[0].as_deref().unwrap_or("-"));
    world.contacts(org, group).await.into_iter().map(shown).collect()
}

async fn a_list_becomes_what_is_sent_and_keeps_ids<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..5).await;
    let before = world.contacts(&org, group.id).await;
    let made = world.journal(&org).await.len();
    world.clock.advance(Duration::from_mins(1));
    let national = phone(3).split_off(2);
    let sent = [nth(7), saying("three", number(&national)), nth(1), saying("eight", nth(8))];
    let after = world.update_group(&org, group.id, with_list(sent)).await.unwrap();
    assert_eq!((after.contacts, after.contacts_version, after.version), (4, 5, 1));
    assert_eq!(world.stored_group(&org, group.id).await, after);
    let contacts = world.contacts(&org, group.id).await;
    let [one, three, seven, eight] = &contacts[..] else { panic!("{contacts:?}") };
    assert_eq!(*one, before[1]);
    let columns = [Some("three".to_owned()), None, None, None, None];
    let modified_at = world.directory.now();
    assert_eq!(*three, Contact { columns, version: 2, modified_at, ..before[3].clone() });
    assert_eq!((seven.phone.as_str(), eight.phone.as_str()), (phone(7).as_str(), phone(8).as_str()));
    assert_eq!(
        (eight.columns[0].as_deref(), eight.version, eight.created_at),
        (Some("eight"), 1, modified_at)
    );
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].kind.as_str(), said[0].version), ("contact_group.updated", 1));
    let phones = json!({
        "added": 2, "added_ids": [[seven.id.0, eight.id.0]], "updated": 1, "updated_ids": [[three.id.0, three.id.0]],
        "removed": 3,
    });
    assert_eq!(said[0].payload, json!({ "phones": phones }));
    world.is_sound().await;
}

async fn an_entry_is_a_whole_contact<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group(&org, "list").await;
    let mut full = saying("a", nth(1));
    full.columns[4] = Patch::Set("e".to_owned());
    full.callback_data = Patch::Set("back".to_owned());
    let id = world.add(&org, group.id, full).await.unwrap().id;
    world.update_group(&org, group.id, with_list([saying("b", nth(1))])).await.unwrap();
    let contact = world.contacts(&org, group.id).await.remove(0);
    assert_eq!((contact.id, contact.version, contact.callback_data), (id, 2, None));
    assert_eq!(contact.columns, [Some("b".to_owned()), None, None, None, None]);
}

async fn the_same_list_changes_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..5).await;
    world.clock.advance(Duration::from_mins(1));
    let before = world.backend.dump();
    for sent in [(0..5).collect::<Vec<_>>(), (0..5).rev().collect()] {
        let patch =
            ContactGroupPatch { name: Some("list".to_owned()), ..with_list(sent.into_iter().map(nth)) };
        assert_eq!(world.update_group(&org, group.id, patch).await.unwrap(), group);
    }
    assert_eq!(world.update_group(&org, group.id, ContactGroupPatch::default()).await.unwrap(), group);
    assert_eq!(world.backend.dump(), before);
}

async fn group_and_list_change_together<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1, 2]).await;
    let made = world.journal(&org).await.len();
    let patch = ContactGroupPatch { name: Some("New".to_owned()), ..with_list([nth(2)]) };
    let after = world.update_group(&org, group.id, patch).await.unwrap();
    assert_eq!((after.name.as_str(), after.version, after.contacts), ("New", 2, 1));
    assert_eq!(world.stored_group(&org, group.id).await, after);
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].payload, json!({"name": ["list", "New"], "phones": {"removed": 1}}));
}

async fn a_list_that_only_grows_touches_nothing_else<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1, 2]).await;
    let before = world.contacts(&org, group.id).await;
    let sent = [nth(3), nth(1), saying("two", nth(2))];
    let after = world.update_group(&org, group.id, with_list(sent)).await.unwrap();
    assert_eq!((after.contacts, after.contacts_version), (3, 4));
    assert_eq!(world.contacts(&org, group.id).await[0], before[0]);
    let rows = world.backend.look("SELECT COUNT(*) FROM contacts WHERE edition <> 1");
    assert_eq!(rows, 0, "nothing has gone, so nothing has to be told from the others");
    let wanted = [format!("{} -", phone(1)), format!("{} two", phone(2)), format!("{} -", phone(3))];
    assert_eq!(list(&world, &org, group.id).await, wanted);
}

async fn an_empty_list_takes_all_out<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..3).await;
    let made = world.journal(&org).await.len();
    let after = world.update_group(&org, group.id, with_list([])).await.unwrap();
    assert_eq!((after.contacts, after.contacts_version), (0, 3));
    assert!(world.contacts(&org, group.id).await.is_empty());
    assert_eq!(world.said(&org, made).await[0].payload, json!({"phones": {"removed": 3}}));
    world.add(&org, group.id, nth(1)).await.unwrap();
    assert_eq!(world.phones(&org, group.id).await, [phone(1)]);
    world.is_sound().await;
}

fn fields(outcome: &Result<muster_domain::contact::ContactGroup, Error>) -> Vec<&str> {
    match outcome {
        Err(Error::Repeated { rule: Unique::ContactPhone, fields }) => {
            fields.iter().map(AsRef::as_ref).collect()
        }
        Err(Error::Invalid(fields)) => fields.iter().map(|field| &*field.field).collect(),
        outcome => panic!("{outcome:?}"),
    }
}

async fn a_number_that_stands_twice_is_told_with_its_places<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1]).await;
    let before = world.backend.dump();
    let national = phone(2).split_off(2);
    let sent = || [nth(2), nth(1), number(&national), nth(3), nth(1), nth(2)];
    let outcome = world.update_group(&org, group.id, with_list(sent())).await;
    assert!(matches!(outcome, Err(Error::Repeated { .. })), "{outcome:?}");
    assert_eq!(fields(&outcome), ["phones[2].phone", "phones[4].phone", "phones[5].phone"]);
    let patch = ContactGroupPatch { name: Some("list".to_owned()), ..with_list(sent()) };
    let outcome = world.directory.contact_group_create(&org.ctx, patch.into()).await;
    assert_eq!(fields(&outcome).len(), 3);
    assert_eq!(world.backend.dump(), before);
}

async fn a_number_that_cannot_be_read_is_told_with_its_place<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1]).await;
    let before = world.backend.dump();
    let places = ["first", "b", "c d", "first"];
    let entries = [number("x"), nth(1), number("123"), nth(1)];
    let phones = places.iter().map(ToString::to_string).zip(entries).collect();
    let patch = ContactGroupPatch { phones: Some(phones), ..ContactGroupPatch::default() };
    let outcome = world.update_group(&org, group.id, patch).await;
    assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    assert_eq!(fields(&outcome), ["phones[first].phone", "phones[c d].phone"]);
    // What the dialect has noted comes with it.
    let mut errors = FieldErrors::default();
    errors.push("name", Problem::Blank);
    let draft = Draft { value: with_list([number("y")]), errors };
    let outcome = world.directory.contact_group_update(&org.ctx, group, draft, None).await;
    assert_eq!(fields(&outcome), ["name", "phones[0].phone"]);
    assert_eq!(world.backend.dump(), before);
}

async fn what_a_big_list_had_is_nowhere_after_a_small_one<B: Backend>() {
    const BIG: usize = 2500;

    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..BIG).await;
    let old = world.contacts(&org, group.id).await;
    world.update_group(&org, group.id, with_list([nth(5), nth(BIG)])).await.unwrap();
    let rows = || world.backend.look("SELECT COUNT(*) FROM contacts");
    assert_eq!(rows(), 2501);
    for reaped in [false, true] {
        let now = world.contacts(&org, group.id).await;
        assert_eq!((now.len(), now[0].id, now[1].phone.as_str()), (2, old[5].id, phone(BIG).as_str()));
        for gone in old.iter().filter(|contact| contact.id != old[5].id).step_by(250) {
            let ctx = &org.ctx;
            assert!(is_gone(&world.directory.contact_get(ctx, gone.id).await));
            assert!(is_gone(
                &world.directory.contact_update(ctx, gone.clone(), nth(9999).into(), None).await
            ));
            assert!(is_gone(&world.directory.contact_delete(ctx, gone.clone(), None).await));
        }
        world.is_sound().await;
        if !reaped {
            world.directory.contacts_reap().await.unwrap();
            assert_eq!(rows(), 2);
        }
    }
    // What they had is free again.
    let drafts = [0, 1, 5, 2499].map(|n| nth(n).into()).into();
    let outcomes = world
        .directory
        .contacts_add(&org.ctx, group.id, wishes(drafts), Taken::Refuse, EXPECT)
        .await
        .unwrap();
    let created: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(created, [true, true, false, true]);
    assert_eq!(world.contacts(&org, group.id).await.len(), 5);
}

async fn lists_replaced_again_and_again_are_right_before_and_after_the_reaper<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, []).await;
    for round in 0..12_usize {
        let numbers: Vec<usize> = (0..30).filter(|n| (n * 7 + round * 5) % 11 < 5).collect();
        let text = format!("{}", round / 3);
        let sent = numbers.iter().map(|n| saying(&text, nth(*n)));
        let after = world.update_group(&org, group.id, with_list(sent)).await.unwrap();
        assert_eq!(after, world.stored_group(&org, group.id).await);
        let mut expected: Vec<String> = numbers.iter().map(|n| format!("{} {text}", phone(*n))).collect();
        let mut found = list(&world, &org, group.id).await;
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "round {round}");
        if round % 4 == 3 {
            world.directory.contacts_reap().await.unwrap();
            let rows = world.backend.look("SELECT COUNT(*) FROM contacts");
            assert_eq!(rows.unsigned_abs(), after.contacts);
            assert_eq!(world.contacts(&org, group.id).await.len(), numbers.len());
        }
        world.is_sound().await;
    }
    world.update_group(&org, group.id, group_named("New")).await.unwrap();
}
