//! Contacts, one by one: created, changed, deleted, and once in a group.

use std::time::Duration;

use muster_domain::contact::{Contact, ContactPatch, ContactStore as _, PhoneNumber};
use muster_domain::{
    Batch, Change, ContactGroupId, ContactId, Entity, Error, IdKind, Patch, Precondition, Problem, Slice,
    Store as _, StoreError, Unique,
};
use serde_json::{Value, json};

use crate::contact_books::{is_gone, nth, number, phone, saying};
use crate::support::{Backend, START};
use crate::world::{Org, World};

contract![
    a_contact_is_what_it_was_made_of,
    a_number_stands_once_in_a_group,
    a_contact_needs_a_number,
    a_patch_keeps_clears_and_sets,
    a_change_that_changes_nothing_commits_nothing,
    a_contact_gets_another_number,
    a_contact_is_taken_out,
    a_change_rests_on_what_was_read,
    a_list_is_read_by_id_in_slices_and_steps,
    a_batch_on_what_is_not_there_is_stale,
];

fn is_taken<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Duplicate(Unique::ContactPhone)))
}

fn full() -> ContactPatch {
    let set = |text: &str| Patch::Set(text.to_owned());
    ContactPatch {
        phone: Some("(201) 555-0123".to_owned()),
        columns: [set("Dr."), Patch::Keep, set("Kim"), Patch::Clear, set("")],
        callback_data: set("back"),
    }
}

async fn a_contact_is_what_it_was_made_of<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group(&org, "list").await;
    let made = world.journal(&org).await.len();
    world.clock.advance(Duration::from_mins(1));
    let now = world.directory.now();
    let contact = world.add(&org, group.id, full()).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    let expected = Contact {
        id: contact.id,
        tenant: org.tenant,
        group: group.id,
        phone: PhoneNumber::from_stored("+12015550123".to_owned()),
        columns: [some("Dr."), None, some("Kim"), None, some("")],
        callback_data: some("back"),
        version: 1,
        created_at: now,
        modified_at: now,
    };
    assert_eq!(contact, expected);
    assert_eq!(world.directory.contact_get(&org.ctx, contact.id).await.unwrap(), expected);
    assert_eq!(world.contacts(&org, group.id).await, [expected]);
    let stored = world.stored_group(&org, group.id).await;
    assert_eq!((stored.contacts, stored.contacts_version, stored.version), (1, 2, 1));
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!(
        (said[0].kind.as_str(), said[0].entity.as_str(), said[0].at),
        ("contact.created", "contact", now)
    );
    assert_eq!((said[0].entity_id.as_str(), said[0].version), (contact.id.to_string().as_str(), 1));
    let payload = json!({
        "group_id": [null, group.id.0], "phone": [null, "+12015550123"], "a": [null, "Dr."], "c": [null, "Kim"],
        "e": [null, ""], "callback_data": [null, "back"],
    });
    assert_eq!(said[0].payload, payload);
}

async fn a_number_stands_once_in_a_group<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (group, second) = (world.group(&org, "list").await, world.group(&org, "list").await);
    world.add(&org, group.id, full()).await.unwrap();
    let before = world.backend.dump();
    for raw in ["+12015550123", "201 555 0123", "1 201 555 0123", "001-201-555-0123", " 201.555.0123 "] {
        assert!(is_taken(&world.add(&org, group.id, number(raw)).await), "{raw}");
    }
    assert_eq!(world.backend.dump(), before);
    world.add(&org, second.id, full()).await.unwrap();
    world.add(&org, group.id, number("+442015550123")).await.unwrap();
    assert_eq!(world.phones(&org, group.id).await, ["+12015550123", "+442015550123"]);
}

async fn a_contact_needs_a_number<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group(&org, "list").await;
    let contact = world.add(&org, group.id, nth(1)).await.unwrap();
    let before = world.backend.dump();
    let field = |outcome: Result<Contact, Error>| match outcome {
        Err(Error::Invalid(fields)) if fields.len() == 1 && fields[0].field == "phone" => {
            fields[0].problem.clone()
        }
        outcome => panic!("{outcome:?}"),
    };
    let outcome = world.add(&org, group.id, ContactPatch::default()).await;
    assert_eq!(field(outcome), Problem::Required);
    for raw in ["", "abc", "+1", "123456789012345678901"] {
        assert!(matches!(field(world.add(&org, group.id, number(raw)).await), Problem::Format(_)), "{raw}");
        let outcome = world.change_contact(&org, contact.id, number(raw)).await;
        assert!(matches!(field(outcome), Problem::Format(_)), "{raw}");
    }
    assert!(is_gone(&world.add(&org, ContactGroupId(group.id.0 + 999), nth(2)).await));
    assert_eq!(world.backend.dump(), before);
}

async fn a_patch_keeps_clears_and_sets<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group(&org, "list").await;
    let contact = world.add(&org, group.id, full()).await.unwrap();
    let made = world.journal(&org).await.len();
    world.clock.advance(Duration::from_mins(1));
    let set = |text: &str| Patch::Set(text.to_owned());
    let patch = ContactPatch {
        phone: None,
        columns: [Patch::Keep, set("B"), Patch::Clear, Patch::Clear, set("E")],
        callback_data: Patch::Clear,
    };
    let after = world.change_contact(&org, contact.id, patch).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    let expected = Contact {
        columns: [some("Dr."), some("B"), None, None, some("E")],
        callback_data: None,
        version: 2,
        modified_at: world.directory.now(),
        ..contact
    };
    assert_eq!(after, expected);
    assert_eq!(world.contacts(&org, group.id).await, [expected]);
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].kind.as_str(), said[0].version), ("contact.updated", 2));
    let payload = json!({
        "b": [null, "B"], "c": ["Kim", null], "e": ["", "E"], "callback_data": ["back", null],
    });
    assert_eq!(said[0].payload, payload);
    assert_eq!(world.stored_group(&org, group.id).await.contacts_version, 3, "the list says something else");
}

async fn a_change_that_changes_nothing_commits_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group(&org, "list").await;
    let contact = world.add(&org, group.id, full()).await.unwrap();
    let before = world.backend.dump();
    world.clock.advance(Duration::from_mins(1));
    for patch in
        [full(), ContactPatch::default(), number("+1 (201) 5550123"), saying("Dr.", ContactPatch::default())]
    {
        assert_eq!(world.change_contact(&org, contact.id, patch).await.unwrap(), contact);
    }
    assert_eq!(world.backend.dump(), before);
}

async fn a_contact_gets_another_number<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1, 2]).await;
    let [one, two] = world.contacts(&org, group.id).await.try_into().unwrap();
    let before = world.backend.dump();
    assert!(is_taken(&world.change_contact(&org, one.id, nth(2)).await));
    assert!(is_taken(&world.change_contact(&org, one.id, saying("x", number(&phone(2)[2..]))).await));
    assert_eq!(world.backend.dump(), before);
    let made = world.journal(&org).await.len();
    let moved = world.change_contact(&org, one.id, nth(3)).await.unwrap();
    assert_eq!((moved.id, moved.version, moved.phone.as_str()), (one.id, 2, phone(3).as_str()));
    assert_eq!(world.said(&org, made).await[0].payload, json!({"phone": [phone(1), phone(3)]}));
    // The number that it had is free.
    assert_eq!(world.change_contact(&org, two.id, nth(1)).await.unwrap().version, 2);
    assert_eq!(world.phones(&org, group.id).await, [phone(3), phone(1)]);
    world.add(&org, group.id, nth(2)).await.unwrap();
    let stored = world.stored_group(&org, group.id).await;
    assert_eq!((stored.contacts, stored.contacts_version), (3, 5), "two numbers replaced, one added");
    world.is_sound().await;
}

async fn a_contact_is_taken_out<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1, 2, 3]).await;
    let contacts = world.contacts(&org, group.id).await;
    let made = world.journal(&org).await.len();
    world.remove_contact(&org, contacts[1].id).await.unwrap();
    assert_eq!(world.phones(&org, group.id).await, [phone(1), phone(3)]);
    let stored = world.stored_group(&org, group.id).await;
    assert_eq!((stored.contacts, stored.contacts_version, stored.version), (2, 3, 1));
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].kind.as_str(), said[0].version), ("contact.deleted", 2));
    assert_eq!(said[0].payload["group_id"], json!([Value::Null, group.id.0]));
    assert!(is_gone(&world.remove_contact(&org, contacts[1].id).await));
    let before = world.backend.dump();
    let late = contacts[1].clone();
    let outcome = world.directory.contact_update(&org.ctx, late.clone(), nth(4).into(), None).await;
    assert!(matches!(outcome, Err(Error::NotFound(Entity::Contact))), "{outcome:?}");
    assert!(is_gone(&world.directory.contact_delete(&org.ctx, late, None).await));
    assert_eq!(world.backend.dump(), before);
    let again = world.add(&org, group.id, nth(2)).await.unwrap();
    assert!(contacts.iter().all(|contact| contact.id != again.id), "an id is not used again");
    assert_eq!(world.phones(&org, group.id).await, [phone(1), phone(3), phone(2)]);
    world.is_sound().await;
}

async fn a_change_rests_on_what_was_read<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1]).await;
    let read = world.contacts(&org, group.id).await.remove(0);
    world.change_contact(&org, read.id, saying("mine", ContactPatch::default())).await.unwrap();
    let commit = async |change| world.commit(&org, vec![change]).await;
    let late = Contact { version: 2, ..read.clone() };
    assert_eq!(commit(Change::ContactUpdate(Box::new(late.clone()))).await, Err(StoreError::Stale));
    let other = PhoneNumber::from_stored(phone(5));
    let late = Contact { phone: other, ..late };
    assert_eq!(commit(Change::ContactUpdate(Box::new(late))).await, Err(StoreError::Stale));
    assert_eq!(commit(Change::ContactDelete(Box::new(read.clone()))).await, Err(StoreError::Stale));
    let as_read = || -> Option<Precondition<Contact>> { Some(Box::new(|contact| contact.version == 1)) };
    let directory = &world.directory;
    let outcome = directory.contact_update(&org.ctx, read.clone(), nth(2).into(), as_read()).await;
    assert!(matches!(outcome, Err(Error::Precondition)), "{outcome:?}");
    let outcome = directory.contact_delete(&org.ctx, read.clone(), as_read()).await;
    assert!(matches!(outcome, Err(Error::Precondition)), "{outcome:?}");
    // Without one the change is decided again on what is there.
    let mut patch = nth(2);
    patch.callback_data = Patch::Set("theirs".to_owned());
    let after = directory.contact_update(&org.ctx, read.clone(), patch.into(), None).await.unwrap();
    assert_eq!((after.version, after.columns[0].as_deref()), (3, Some("mine")));
    directory.contact_delete(&org.ctx, read, None).await.unwrap();
    assert!(world.contacts(&org, group.id).await.is_empty());
}

async fn a_list_is_read_by_id_in_slices_and_steps<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    // Two lists whose ids are mixed, and whose numbers are not in their order.
    let (group, beside) = (world.group(&org, "list").await, world.group(&org, "beside").await);
    for n in 0..8 {
        world.add(&org, group.id, nth(100 - n)).await.unwrap();
        world.add(&org, beside.id, nth(n)).await.unwrap();
    }
    let all = world.contacts(&org, group.id).await;
    assert_eq!(all.len(), 8);
    for (limit, offset) in [(3, 0), (3, 6), (3, 8), (0, 0), (5, 2), (1, u64::MAX)] {
        let page = world.directory.contact_list(&org.ctx, group.id, Slice { limit, offset }).await.unwrap();
        let from = usize::try_from(offset.min(8)).unwrap();
        let to = (from + usize::try_from(limit).unwrap()).min(8);
        assert_eq!((page.items.as_slice(), page.total), (&all[from..to], 8), "{limit} {offset}");
    }
    let mut read = Vec::new();
    let mut last = ContactId(0);
    loop {
        let step = world.directory.contacts_after(&org.ctx, group.id, last, 3).await.unwrap();
        let Some(end) = step.last() else { break };
        assert!(step.len() <= 3);
        last = end.id;
        read.extend(step);
    }
    assert_eq!(read, all);
}

async fn a_batch_on_what_is_not_there_is_stale<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (group, ended) = (world.group_of(&org, [1, 2]).await, world.group_of(&org, [1]).await);
    let [one, two] = world.contacts(&org, group.id).await.try_into().unwrap();
    let dead = world.contacts(&org, ended.id).await.remove(0);
    world.delete_group(&org, ended.id).await.unwrap();
    let made = |id: i64, group, n| Contact {
        id: ContactId(id),
        group,
        phone: PhoneNumber::from_stored(phone(n)),
        version: 1,
        created_at: START,
        ..one.clone()
    };
    let id = world.store().next_ids(IdKind::Contact, 3).await.unwrap();
    let insert = |group, contacts| Change::ContactsInsert { group, contacts };
    let keep = |group, keep: &[&Contact]| Change::ContactsReplace {
        group,
        keep: keep.iter().map(|contact| contact.id).collect(),
    };
    let nowhere = ContactGroupId(i64::MAX);
    let before = world.backend.dump();
    let stale = [
        insert(ended.id, vec![made(id, ended.id, 7)]),
        insert(nowhere, vec![made(id, nowhere, 7)]),
        insert(nowhere, vec![]),
        keep(ended.id, &[]),
        keep(ended.id, &[&dead]),
        keep(nowhere, &[]),
        keep(group.id, &[&one, &one]),
        keep(group.id, &[&one, &dead]),
        Change::ContactUpdate(Box::new(Contact { version: 2, ..dead.clone() })),
        Change::ContactDelete(Box::new(dead)),
        Change::ContactGroupUpdate(Box::new(muster_domain::contact::ContactGroup {
            version: 3,
            ..ended.clone()
        })),
        Change::ContactGroupDelete { id: ended.id, version: 2, at: START },
        Change::ContactGroupDelete { id: group.id, version: 7, at: START },
        Change::ContactGroupRemove(group.id),
        Change::ContactGroupRemove(ended.id),
        Change::ContactsReap { group: nowhere, limit: 9 },
    ];
    for change in stale {
        // What stands before it in the batch is undone.
        let good = insert(group.id, vec![made(id + 1, group.id, 8)]);
        let outcome = world.commit(&org, vec![good, change.clone()]).await;
        assert_eq!(outcome, Err(StoreError::Stale), "{change:?}");
    }
    let taken = Err(StoreError::Duplicate(Unique::ContactPhone));
    let twice = vec![made(id, group.id, 7), made(id + 1, group.id, 7)];
    assert_eq!(world.commit(&org, vec![insert(group.id, twice)]).await, taken);
    assert_eq!(world.commit(&org, vec![insert(group.id, vec![made(id, group.id, 2)])]).await, taken);
    let moved = Contact { phone: two.phone.clone(), version: 2, ..one.clone() };
    assert_eq!(world.commit(&org, vec![Change::ContactUpdate(Box::new(moved))]).await, taken);
    let strange = insert(group.id, vec![made(id, ended.id, 7)]);
    assert!(matches!(world.commit(&org, vec![strange]).await, Err(StoreError::Internal(_))));
    assert_eq!(world.backend.dump(), before);
    assert_eq!(found(&world, &org, group.id, &[1, 2, 2, 1, 5]).await, [one.id, two.id]);
    let kept = keep(group.id, &[&two]);
    world.commit(&org, vec![kept, insert(group.id, vec![made(id, group.id, 1)])]).await.unwrap();
    assert_eq!(found(&world, &org, group.id, &[1, 2]).await, [two.id, ContactId(id)]);
    world.store().commit(Batch::new(org.tenant)).await.unwrap();
}

async fn found<B: Backend>(
    world: &World<B>,
    org: &Org,
    group: ContactGroupId,
    numbers: &[usize],
) -> Vec<ContactId> {
    let phones = numbers.iter().map(|n| PhoneNumber::from_stored(phone(*n))).collect();
    let read = world.store().contacts_by_phone(org.tenant, group, START, phones).await.unwrap();
    read.unwrap().1.iter().map(|contact| contact.id).collect()
}
