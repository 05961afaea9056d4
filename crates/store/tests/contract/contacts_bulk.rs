//! Many contacts in one call: each entry is told what became of it, and all is one write.

use std::time::Duration;

use muster_domain::contact::{Added, Contact, ContactPatch, MAX_ADDED, Taken};
use muster_domain::{ContactGroupId, Draft, Error, FieldErrors, JournalRecord, Patch, Problem, Unique};
use serde_json::json;

use crate::contact_books::{EXPECT, Outcomes, nth, number, phone, saying, wishes};
use crate::support::Backend;
use crate::world::{Org, World};

contract![
    one_bad_entry_keeps_no_other_out,
    a_number_that_is_taken_is_refused,
    a_number_that_is_taken_is_updated,
    a_number_that_stands_twice_in_a_call,
    what_changes_nothing_is_not_written,
    the_journal_tells_how_many_and_which,
    ten_thousand_are_added_at_once_and_more_are_not,
];

async fn add_all<B: Backend>(
    world: &World<B>,
    org: &Org,
    group: ContactGroupId,
    patches: impl IntoIterator<Item = ContactPatch>,
    taken: Taken,
) -> Outcomes {
    let drafts = patches.into_iter().map(Draft::from).collect();
    world.directory.contacts_add(&world.now_ctx(org), group, wishes(drafts), taken, EXPECT).await.unwrap()
}

/// What became of each entry: a letter and the contact's id.
fn told(outcomes: &Outcomes) -> Vec<String> {
    let told = |outcome: &Result<Added, Error>| match outcome {
        Ok(Added::Created(contact)) => format!("c{}", contact.id),
        Ok(Added::Updated(contact)) => format!("u{}", contact.id),
        Ok(Added::Unchanged(contact)) => format!("={}", contact.id),
        Err(Error::Duplicate(Unique::ContactPhone)) => "taken".to_owned(),
        Err(Error::Invalid(fields)) => fields[0].field.to_string(),
        Err(error) => panic!("{error}"),
    };
    outcomes.iter().map(told).collect()
}

/// Every contact that was told stands in the list as it was told.
async fn assert_told<B: Backend>(world: &World<B>, org: &Org, group: ContactGroupId, outcomes: &Outcomes) {
    let stored = world.contacts(org, group).await;
    for added in outcomes.iter().flatten() {
        assert!(stored.contains(added.contact()), "{added:?}");
    }
}

async fn one_bad_entry_keeps_no_other_out<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1]).await;
    let mut errors = FieldErrors::default();
    errors.push("a", Problem::TooLong { max: 1530 });
    let drafts = vec![
        nth(2).into(),
        number("no number").into(),
        nth(1).into(),
        ContactPatch::default().into(),
        Draft { value: nth(3), errors },
        saying("four", nth(4)).into(),
    ];
    let outcomes = world
        .directory
        .contacts_add(&org.ctx, group.id, wishes(drafts), Taken::Refuse, EXPECT)
        .await
        .unwrap();
    let contacts = world.contacts(&org, group.id).await;
    let [_, two, four] = &contacts[..] else { panic!("{contacts:?}") };
    let expected = [&format!("c{}", two.id), "phone", "taken", "phone", "a", &format!("c{}", four.id)];
    assert_eq!(told(&outcomes), expected);
    let Err(Error::Invalid(fields)) = &outcomes[3] else { panic!("{outcomes:?}") };
    assert_eq!(fields[0].problem, Problem::Required);
    assert_told(&world, &org, group.id, &outcomes).await;
    assert_eq!((two.phone.as_str(), four.columns[0].as_deref()), (phone(2).as_str(), Some("four")));

    let before = world.backend.dump();
    assert_eq!(
        told(&add_all(&world, &org, group.id, [number("x"), number("y")], Taken::Update).await),
        ["phone"; 2]
    );
    assert_eq!(told(&add_all(&world, &org, group.id, [], Taken::Update).await), Vec::<String>::new());
    assert_eq!(world.backend.dump(), before);
}

async fn a_number_that_is_taken_is_refused<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..10).await;
    let before = world.backend.dump();
    let outcomes =
        add_all(&world, &org, group.id, (0..10).map(|n| saying("new", nth(n))), Taken::Refuse).await;
    assert_eq!(told(&outcomes), ["taken"; 10]);
    assert_eq!(world.backend.dump(), before);
    let outcomes = add_all(&world, &org, group.id, (5..15).map(nth), Taken::Refuse).await;
    assert_eq!(told(&outcomes)[..5], ["taken"; 5]);
    assert!(outcomes[5..].iter().all(|outcome| matches!(outcome, Ok(Added::Created(_)))), "{outcomes:?}");
    assert_eq!(world.phones(&org, group.id).await, (0..15).map(phone).collect::<Vec<_>>());
    world.is_sound().await;
}

async fn a_number_that_is_taken_is_updated<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..4).await;
    let before = world.contacts(&org, group.id).await;
    world.clock.advance(Duration::from_mins(1));
    let now = world.directory.now();
    let national = phone(1).split_off(2);
    let wishes = [saying("three", nth(3)), nth(9), saying("one", number(&national)), nth(2)];
    let outcomes = add_all(&world, &org, group.id, wishes, Taken::Update).await;
    let after = world.contacts(&org, group.id).await;
    let ids: Vec<_> = after.iter().map(|contact| contact.id).collect();
    let expected =
        [format!("u{}", ids[3]), format!("c{}", ids[4]), format!("u{}", ids[1]), format!("={}", ids[2])];
    assert_eq!(told(&outcomes), expected);
    assert_told(&world, &org, group.id, &outcomes).await;
    assert_eq!([&after[0], &after[2]], [&before[0], &before[2]]);
    for (n, text) in [(1, "one"), (3, "three")] {
        let mut columns = before[n].columns.clone();
        columns[0] = Some(text.to_owned());
        assert_eq!(after[n], Contact { columns, version: 2, modified_at: now, ..before[n].clone() });
    }
    let stored = world.stored_group(&org, group.id).await;
    assert_eq!((stored.contacts, stored.contacts_version), (5, 5));
    // What a patch keeps, stays.
    let keep = ContactPatch { callback_data: Patch::Set("back".to_owned()), ..nth(3) };
    let outcomes = add_all(&world, &org, group.id, [keep], Taken::Update).await;
    let updated = outcomes[0].as_ref().unwrap().contact();
    assert_eq!((updated.columns[0].as_deref(), updated.version), (Some("three"), 3));
    let stored = world.stored_group(&org, group.id).await;
    assert_eq!((stored.contacts, stored.contacts_version), (5, 6), "one says something else");
}

async fn a_number_that_stands_twice_in_a_call<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1]).await;
    let wishes = || [saying("a", nth(2)), saying("b", nth(1)), saying("c", nth(2)), saying("d", nth(1))];
    let outcomes = add_all(&world, &org, group.id, wishes(), Taken::Refuse).await;
    assert_eq!(told(&outcomes)[1..], ["taken"; 3]);
    let [one, two] = world.contacts(&org, group.id).await.try_into().unwrap();
    assert_eq!((one.columns[0].as_deref(), two.columns[0].as_deref()), (None, Some("a")));

    let third = world.group_of(&org, [1]).await;
    let outcomes = add_all(&world, &org, third.id, wishes(), Taken::Update).await;
    let [one, two] = world.contacts(&org, third.id).await.try_into().unwrap();
    assert_eq!((one.columns[0].as_deref(), two.columns[0].as_deref()), (Some("d"), Some("c")));
    assert_eq!((one.version, two.version), (2, 1));
    let expected =
        [format!("c{}", two.id), format!("u{}", one.id), format!("u{}", two.id), format!("u{}", one.id)];
    assert_eq!(told(&outcomes), expected);
    assert_told(&world, &org, third.id, &outcomes).await;
    world.is_sound().await;
}

async fn what_changes_nothing_is_not_written<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group(&org, "list").await;
    let wishes = || (0..5).map(|n| saying("same", nth(n)));
    add_all(&world, &org, group.id, wishes(), Taken::Update).await;
    let contacts = world.contacts(&org, group.id).await;
    world.clock.advance(Duration::from_mins(1));
    let before = world.backend.dump();
    let outcomes = add_all(&world, &org, group.id, wishes(), Taken::Update).await;
    let unchanged: Vec<_> = contacts.iter().map(|contact| format!("={}", contact.id)).collect();
    assert_eq!(told(&outcomes), unchanged);
    // There and back in one call.
    let there = [saying("other", nth(0)), saying("same", nth(0))];
    add_all(&world, &org, group.id, there, Taken::Update).await;
    assert_eq!(world.backend.dump(), before);
    assert_eq!(world.contacts(&org, group.id).await, contacts);
}

async fn the_journal_tells_how_many_and_which<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, 0..6).await;
    let old: Vec<i64> = world.contacts(&org, group.id).await.iter().map(|contact| contact.id.0).collect();
    let made = world.journal(&org).await.len();
    let numbers = [5, 20, 0, 1, 21, 3, 22, 0];
    let wishes = numbers.map(|n| saying("x", nth(n)));
    let outcomes = add_all(&world, &org, group.id, wishes, Taken::Update).await;
    let new = outcomes[1].as_ref().unwrap().contact().id.0;
    let said: Vec<JournalRecord> = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].kind.as_str(), said[0].version), ("contact_group.contacts_added", 1));
    assert_eq!(said[0].entity_id, group.id.to_string());
    let payload = json!({
        "added": 3, "added_ids": [[new, new + 2]],
        "updated": 4, "updated_ids": [[old[0], old[1]], [old[3], old[3]], [old[5], old[5]]],
    });
    assert_eq!(said[0].payload, json!({"phones": payload}));
    // One in bulk is told as bulk.
    let one = add_all(&world, &org, group.id, [nth(30)], Taken::Refuse).await;
    let one = one[0].as_ref().unwrap().contact().id.0;
    let said = world.said(&org, made + 1).await;
    assert_eq!((said.len(), said[0].kind.as_str()), (1, "contact_group.contacts_added"));
    assert_eq!(said[0].payload, json!({"phones": {"added": 1, "added_ids": [[one, one]]}}));
}

async fn ten_thousand_are_added_at_once_and_more_are_not<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [7]).await;
    let made = world.journal(&org).await.len();
    let before = world.backend.dump();
    let drafts = (0..=MAX_ADDED).map(|n| nth(n).into()).collect();
    let outcome =
        world.directory.contacts_add(&org.ctx, group.id, wishes(drafts), Taken::Refuse, EXPECT).await;
    assert!(matches!(outcome, Err(Error::Internal(_))), "{outcome:?}");
    assert_eq!(world.backend.dump(), before);
    let outcomes = add_all(&world, &org, group.id, (0..MAX_ADDED).map(nth), Taken::Update).await;
    assert_eq!(outcomes.len(), MAX_ADDED);
    for (n, outcome) in outcomes.iter().enumerate() {
        let added = outcome.as_ref().unwrap();
        assert_eq!(added.contact().phone.as_str(), phone(n));
        assert_eq!(matches!(added, Added::Unchanged(_)), n == 7);
    }
    let contacts = world.contacts(&org, group.id).await;
    assert_eq!(contacts.len(), MAX_ADDED);
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].payload["phones"]["added"], json!(MAX_ADDED - 1));
    assert_eq!(said[0].payload["phones"]["added_ids"].as_array().unwrap().len(), 1);
    world.is_sound().await;
}
