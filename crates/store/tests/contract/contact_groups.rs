//! Contact groups: created, read, changed, deleted, and gone when their time comes.

use std::time::Duration;

use muster_domain::contact::{ContactGroup, ContactGroupPatch, Taken};
use muster_domain::user::{Role, User};
use muster_domain::{
    ContactGroupId, ContactId, Entity, Error, Patch, Precondition, Problem, Slice, Timestamp,
};
use serde_json::{Value, json};

use crate::contact_books::{ALL, EXPECT, expiring, group_named, is_gone, nth, wishes, with_list};
use crate::support::{Backend, START};
use crate::world::{Org, World, user_insert};

contract![
    a_group_is_what_it_was_made_of,
    a_group_needs_a_name_and_a_time_to_come,
    names_may_be_the_same,
    groups_are_listed_the_greatest_id_first,
    a_patch_keeps_clears_and_sets,
    a_change_that_changes_nothing_commits_nothing,
    a_group_is_gone_when_its_time_comes,
    a_deleted_group_is_gone,
    a_group_whose_time_has_come_is_not_brought_back,
    a_precondition_rests_on_the_group_and_on_its_contacts,
    without_the_role_for_it_nobody_reads_or_writes,
];

fn at(hours: u64) -> Timestamp {
    START.plus(Duration::from_hours(hours))
}

fn full() -> ContactGroupPatch {
    let set = |text: &str| Patch::Set(text.to_owned());
    ContactGroupPatch {
        name: Some("Nörd".to_owned()),
        description: set("all of them"),
        labels: [set("A"), Patch::Keep, set("C"), Patch::Clear, set("E")],
        expires_at: Patch::Set(at(1)),
        phones: None,
    }
}

async fn a_group_is_what_it_was_made_of<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let made = world.journal(&org).await.len();
    let group = world.directory.contact_group_create(&org.ctx, full().into()).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    let expected = ContactGroup {
        id: group.id,
        tenant: org.tenant,
        name: "Nörd".to_owned(),
        description: some("all of them"),
        labels: [some("A"), None, some("C"), None, some("E")],
        expires_at: Some(at(1)),
        contacts: 0,
        contacts_version: 1,
        version: 1,
        created_at: START,
        modified_at: START,
    };
    assert_eq!(group, expected);
    assert_eq!(world.stored_group(&org, group.id).await, expected);
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].kind.as_str(), said[0].entity.as_str()), ("contact_group.created", "contact_group"));
    assert_eq!((said[0].entity_id.as_str(), said[0].version), (group.id.to_string().as_str(), 1));
    let payload = json!({
        "name": [null, "Nörd"], "description": [null, "all of them"], "name_a": [null, "A"],
        "name_c": [null, "C"], "name_e": [null, "E"], "expires_at": [null, at(1).millis().to_string()],
    });
    assert_eq!(said[0].payload, payload);

    let listed = world.group_of(&org, 0..3).await;
    assert_eq!((listed.contacts, listed.contacts_version, listed.version), (3, 2, 1));
    assert_eq!(world.stored_group(&org, listed.id).await, listed);
    let ids: Vec<i64> = world.contacts(&org, listed.id).await.iter().map(|contact| contact.id.0).collect();
    let said = world.said(&org, made + 1).await;
    assert_eq!(said.len(), 1);
    let phones = json!({"added": 3, "added_ids": [[ids[0], ids[2]]], "removed": 0});
    assert_eq!(said[0].payload, json!({"name": [null, "list"], "phones": phones}));
    // An empty list is no list.
    let empty = world.group_of(&org, []).await;
    assert_eq!((empty.contacts, empty.contacts_version), (0, 1));
}

async fn a_group_needs_a_name_and_a_time_to_come<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let before = world.backend.dump();
    for past in [START, at(0), Timestamp(START.0 - 1), Timestamp(0)] {
        let outcome = world.directory.contact_group_create(&org.ctx, expiring(past).into()).await;
        let Err(Error::Invalid(fields)) = outcome else { panic!("{outcome:?}") };
        let fields: Vec<_> = fields.iter().map(|field| (&*field.field, &field.problem)).collect();
        assert!(
            matches!(fields[..], [("name", Problem::Required), ("expires_at", Problem::Format(_))]),
            "{fields:?}"
        );
    }
    let bad = ContactGroupPatch { phones: with_list([nth(1), nth(1)]).phones, ..expiring(START) };
    let outcome = world.directory.contact_group_create(&org.ctx, bad.into()).await;
    assert!(matches!(outcome, Err(Error::Invalid(_))), "what cannot be read goes before what is repeated");
    assert_eq!(world.backend.dump(), before);
    let group = world.group(&org, "list").await;
    let outcome = world.update_group(&org, group.id, expiring(START)).await;
    assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    assert_eq!(world.stored_group(&org, group.id).await, group);
}

async fn names_may_be_the_same<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (one, two) = (world.group(&org, "list").await, world.group(&org, "list").await);
    assert_ne!(one.id, two.id);
    assert_eq!(one.name, two.name);
}

async fn listed<B: Backend>(world: &World<B>, org: &Org, slice: Slice) -> (Vec<ContactGroupId>, u64) {
    let page = world.directory.contact_group_list(&world.now_ctx(org), slice).await.unwrap();
    (page.items.iter().map(|group| group.id).collect(), page.total)
}

async fn groups_are_listed_the_greatest_id_first<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    assert_eq!(listed(&world, &org, ALL).await, (vec![], 0));
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(world.group(&org, &format!("group {}", 7 - n)).await.id);
        world.group(&other, "beside").await;
    }
    assert_eq!(world.directory.contact_group_ids(&org.ctx).await.unwrap(), ids);
    ids.reverse();
    assert_eq!(listed(&world, &org, ALL).await, (ids.clone(), 7));
    for (limit, offset) in [(3, 0), (3, 3), (3, 6), (3, 7), (0, 0), (1, u64::MAX)] {
        let slice = Slice { limit, offset };
        let expected: Vec<_> = ids
            .iter()
            .copied()
            .skip(usize::try_from(offset).unwrap())
            .take(usize::try_from(limit).unwrap())
            .collect();
        assert_eq!(listed(&world, &org, slice).await, (expected, 7), "{slice:?}");
    }
    world.delete_group(&org, ids[2]).await.unwrap();
    ids.remove(2);
    assert_eq!(listed(&world, &org, ALL).await, (ids, 6));
}

async fn a_patch_keeps_clears_and_sets<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.directory.contact_group_create(&org.ctx, full().into()).await.unwrap();
    let made = world.journal(&org).await.len();
    world.clock.advance(Duration::from_mins(5));
    let set = |text: &str| Patch::Set(text.to_owned());
    let patch = ContactGroupPatch {
        description: Patch::Clear,
        labels: [Patch::Keep, set("B"), Patch::Clear, Patch::Clear, set("E")],
        expires_at: Patch::Set(at(2)),
        ..ContactGroupPatch::default()
    };
    let after = world.update_group(&org, group.id, patch).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    let expected = ContactGroup {
        description: None,
        labels: [some("A"), some("B"), None, None, some("E")],
        expires_at: Some(at(2)),
        version: 2,
        modified_at: world.directory.now(),
        ..group.clone()
    };
    assert_eq!(after, expected);
    assert_eq!(world.stored_group(&org, group.id).await, expected);
    let clear = ContactGroupPatch { expires_at: Patch::Clear, ..group_named("New") };
    let last = world.update_group(&org, group.id, clear).await.unwrap();
    let expected = ContactGroup { name: "New".to_owned(), expires_at: None, version: 3, ..expected };
    assert_eq!(last, expected);
    assert_eq!(world.stored_group(&org, group.id).await, expected);
    let said = world.said(&org, made).await;
    let millis = |hours| json!(at(hours).millis().to_string());
    let payloads: Vec<(&str, i64, &Value)> =
        said.iter().map(|record| (record.kind.as_str(), record.version, &record.payload)).collect();
    let first = json!({
        "description": ["all of them", null], "name_b": [null, "B"], "name_c": ["C", null],
        "expires_at": [millis(1), millis(2)],
    });
    let second = json!({"name": ["Nörd", "New"], "expires_at": [millis(2), null]});
    assert_eq!(payloads, [("contact_group.updated", 2, &first), ("contact_group.updated", 3, &second)]);
}

async fn a_change_that_changes_nothing_commits_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.directory.contact_group_create(&org.ctx, full().into()).await.unwrap();
    let before = world.backend.dump();
    world.clock.advance(Duration::from_mins(5));
    for patch in [full(), ContactGroupPatch::default(), group_named("Nörd"), expiring(at(1)), with_list([])]
    {
        assert_eq!(world.update_group(&org, group.id, patch).await.unwrap(), group);
    }
    assert_eq!(world.backend.dump(), before);
}

/// Nobody finds the group or anything of it.
async fn assert_gone<B: Backend>(world: &World<B>, org: &Org, group: &ContactGroup, contacts: &[ContactId]) {
    let (ctx, id) = (world.now_ctx(org), group.id);
    let directory = &world.directory;
    assert!(is_gone(&directory.contact_group_get(&ctx, id).await));
    assert!(!listed(world, org, ALL).await.0.contains(&id));
    assert_eq!(listed(world, org, ALL).await.0.len() as u64, listed(world, org, ALL).await.1);
    assert!(!directory.contact_group_ids(&ctx).await.unwrap().contains(&id));
    assert!(is_gone(&directory.contact_list(&ctx, id, ALL).await));
    assert!(is_gone(&directory.contacts_after(&ctx, id, ContactId(0), 10).await));
    for contact in contacts {
        assert!(is_gone(&directory.contact_get(&ctx, *contact).await));
    }
    let before = world.backend.dump();
    assert!(is_gone(&directory.contact_create(&ctx, id, nth(900).into()).await));
    for taken in [Taken::Refuse, Taken::Update] {
        let drafts = vec![nth(901).into(), nth(902).into()];
        assert!(is_gone(&directory.contacts_add(&ctx, id, wishes(drafts), taken, EXPECT).await));
        assert!(is_gone(&directory.contacts_add(&ctx, id, wishes(vec![]), taken, EXPECT).await));
    }
    // Also for those who have read it before.
    for patch in [group_named("late"), with_list([nth(903)]), with_list([])] {
        let outcome = directory.contact_group_update(&ctx, group.clone(), patch.into(), None).await;
        assert!(matches!(outcome, Err(Error::NotFound(Entity::ContactGroup))), "{outcome:?}");
    }
    assert!(is_gone(&directory.contact_group_delete(&ctx, group.clone(), None).await));
    assert_eq!(world.backend.dump(), before);
}

async fn a_group_is_gone_when_its_time_comes<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let patch = ContactGroupPatch { expires_at: Patch::Set(at(1)), ..with_list([nth(1), nth(2)]) };
    let patch = ContactGroupPatch { name: Some("list".to_owned()), ..patch };
    let group = world.directory.contact_group_create(&org.ctx, patch.into()).await.unwrap();
    let kept = world.group_of(&org, [1, 2]).await;
    let contacts: Vec<_> = world.contacts(&org, group.id).await.iter().map(|contact| contact.id).collect();
    world.clock.advance(Duration::from_hours(1).checked_sub(Duration::from_micros(1)).unwrap());
    assert_eq!(world.contacts(&org, group.id).await.len(), 2, "it has until then");
    world.clock.advance(Duration::from_micros(1));
    assert_gone(&world, &org, &group, &contacts).await;
    assert_eq!(world.contacts(&org, kept.id).await.len(), 2);
    world.directory.contacts_reap().await.unwrap();
    assert_gone(&world, &org, &group, &contacts).await;
}

async fn a_deleted_group_is_gone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1, 2]).await;
    let kept = world.group_of(&org, [1, 2]).await;
    let contacts: Vec<_> = world.contacts(&org, group.id).await.iter().map(|contact| contact.id).collect();
    let made = world.journal(&org).await.len();
    world.delete_group(&org, group.id).await.unwrap();
    assert_gone(&world, &org, &group, &contacts).await;
    let said = world.said(&org, made).await;
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].kind.as_str(), said[0].version), ("contact_group.deleted", 2));
    assert_eq!(said[0].payload, json!({}));
    assert_eq!(world.contacts(&org, kept.id).await.len(), 2);
    world.directory.contacts_reap().await.unwrap();
    assert_gone(&world, &org, &group, &contacts).await;
    assert_eq!(world.said(&org, made).await, said);
}

async fn a_group_whose_time_has_come_is_not_brought_back<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1]).await;
    let group = world.update_group(&org, group.id, expiring(at(1))).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    let before = world.backend.dump();
    // Whoever read it in time and was slow has the same time as before in hand.
    for patch in [expiring(at(2)), ContactGroupPatch { expires_at: Patch::Clear, ..group_named("late") }] {
        let outcome = world.directory.contact_group_update(&org.ctx, group.clone(), patch.into(), None).await;
        assert!(is_gone(&outcome), "{outcome:?}");
    }
    assert!(is_gone(&world.directory.contact_group_delete(&org.ctx, group, None).await));
    assert_eq!(world.backend.dump(), before);
}

async fn a_precondition_rests_on_the_group_and_on_its_contacts<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1, 2]).await;
    let as_read = || -> Precondition<ContactGroup> {
        let (version, contacts) = (group.version, group.contacts_version);
        Box::new(move |group| (group.version, group.contacts_version) == (version, contacts))
    };
    let contact = world.contacts(&org, group.id).await[0].id;
    world.remove_contact(&org, contact).await.unwrap();
    let before = world.backend.dump();
    // What they have read is not what there is; the store tells them.
    for patch in [group_named("New"), with_list([nth(9)]), with_list([nth(2)])] {
        let outcome = world
            .directory
            .contact_group_update(&org.ctx, group.clone(), patch.into(), Some(as_read()))
            .await;
        assert!(matches!(outcome, Err(Error::Precondition)), "{outcome:?}");
    }
    let outcome = world.directory.contact_group_delete(&org.ctx, group.clone(), Some(as_read())).await;
    assert!(matches!(outcome, Err(Error::Precondition)), "{outcome:?}");
    assert_eq!(world.backend.dump(), before);
    let group = world.stored_group(&org, group.id).await;
    let now = group.contacts_version;
    let holds: Precondition<ContactGroup> = Box::new(move |group| group.contacts_version == now);
    let found = group.clone();
    let renamed = world
        .directory
        .contact_group_update(&org.ctx, found, group_named("New").into(), Some(holds))
        .await
        .unwrap();
    assert_eq!(renamed.name, "New");
    let holds: Precondition<ContactGroup> = Box::new(|group| group.version == 2);
    world.directory.contact_group_delete(&org.ctx, renamed, Some(holds)).await.unwrap();
}

async fn without_the_role_for_it_nobody_reads_or_writes<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.group_of(&org, [1]).await;
    let contact = world.contacts(&org, group.id).await.remove(0);
    let user = User { role: Role::ReadOnly, ..world.user(&org, org.top, "reader").await };
    world.commit(&org, vec![user_insert(&user)]).await.unwrap();
    let ctx = world.ctx_of(&user).await;
    let directory = &world.directory;
    let made = world.journal(&org).await.len();
    let outcomes = [
        directory.contact_group_get(&ctx, group.id).await.map(drop),
        directory.contact_group_list(&ctx, ALL).await.map(drop),
        directory.contact_group_ids(&ctx).await.map(drop),
        directory.contact_get(&ctx, contact.id).await.map(drop),
        directory.contact_list(&ctx, group.id, ALL).await.map(drop),
        directory.contacts_after(&ctx, group.id, ContactId(0), 1).await.map(drop),
        directory.contact_group_create(&ctx, group_named("x").into()).await.map(drop),
        directory.contact_group_update(&ctx, group.clone(), group_named("x").into(), None).await.map(drop),
        directory.contact_group_delete(&ctx, group.clone(), None).await,
        directory.contact_create(&ctx, group.id, nth(5).into()).await.map(drop),
        directory
            .contacts_add(&ctx, group.id, wishes(vec![nth(5).into()]), Taken::Update, EXPECT)
            .await
            .map(drop),
        directory.contact_update(&ctx, contact.clone(), nth(6).into(), None).await.map(drop),
        directory.contact_delete(&ctx, contact, None).await,
    ];
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Forbidden(_)))), "{outcomes:?}");
    assert_eq!(world.journal(&org).await.len(), made);
    assert_eq!(world.stored_group(&org, group.id).await, group);
}
