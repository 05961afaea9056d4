//! The rows of what is gone are removed step by step, and nothing else is.

use std::sync::Arc;
use std::time::Duration;

use muster_domain::contact::{ContactGroup, ContactStore as _, Reapable, Taken};
use muster_domain::{Actor, Batch, Change, ContactGroupId, Dialect, Store as _, StoreError};
use serde_json::json;

use crate::contact_books::{EXPECT, expiring, is_gone, nth, wishes, with_list};
use crate::support::{Backend, START, all_at_once, findings};
use crate::world::{Org, World, entry};

contract![
    what_is_gone_is_removed_and_nothing_else,
    only_a_group_whose_time_came_is_said_to_have_ended,
    many_steps_lead_to_the_same_end,
    a_step_removes_at_most_so_many_rows,
    a_removal_that_was_broken_off_goes_on,
    a_group_that_got_more_time_stays_whole,
    a_live_group_is_not_removed,
    a_row_that_cannot_be_removed_does_not_keep_the_reaper_going,
    reaping_beside_writes_loses_nothing,
    the_doctor_finds_what_must_not_be,
];

fn hours(hours: u64) -> muster_domain::Timestamp {
    START.plus(Duration::from_hours(hours))
}

async fn ending<B: Backend>(world: &World<B>, org: &Org, size: usize, at: u64) -> ContactGroup {
    let group = world.group_of(org, 0..size).await;
    world.update_group(org, group.id, expiring(hours(at))).await.unwrap()
}

fn rows<B: Backend>(world: &World<B>, table: &str, group: ContactGroupId) -> i64 {
    let column = if table == "contacts" { "group_id" } else { "id" };
    world.backend.look(&format!("SELECT COUNT(*) FROM {table} WHERE {column} = {group}"))
}

/// Contacts and groups, without the journal, which grows.
fn books<B: Backend>(world: &World<B>, org: &Org) -> Vec<String> {
    let mut rows = world.backend.dump_of(Some(org.tenant));
    rows.retain(|row| row.starts_with("contact"));
    rows
}

async fn what_is_gone_is_removed_and_nothing_else<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    for org in [&org, &other] {
        world.group_of(org, 0..5).await;
        ending(&world, org, 3, 5).await;
    }
    let before = [books(&world, &org), books(&world, &other)];
    for org in [&org, &other] {
        let deleted = world.group_of(org, 0..4).await;
        world.delete_group(org, deleted.id).await.unwrap();
        ending(&world, org, 3, 1).await;
        let empty = world.group(org, "empty").await;
        world.delete_group(org, empty.id).await.unwrap();
    }
    let replaced = world.group_of(&org, 0..9).await;
    world.update_group(&org, replaced.id, with_list([nth(3)])).await.unwrap();
    // One that was replaced and then ended.
    let both = ending(&world, &org, 6, 1).await;
    world.update_group(&org, both.id, with_list([nth(1), nth(9)])).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    world.is_sound().await;
    world.directory.contacts_reap().await.unwrap();
    assert_eq!(books(&world, &other), before[1]);
    assert_eq!(rows(&world, "contacts", replaced.id), 1);
    assert_eq!(rows(&world, "contact_groups", both.id), 0);
    world.delete_group(&org, replaced.id).await.unwrap();
    world.directory.contacts_reap().await.unwrap();
    assert_eq!(books(&world, &org), before[0]);
    world.is_sound().await;
    let done = world.backend.dump();
    world.directory.contacts_reap().await.unwrap();
    assert_eq!(world.backend.dump(), done);
}

async fn only_a_group_whose_time_came_is_said_to_have_ended<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let ended = ending(&world, &org, 2, 1).await;
    let deleted = ending(&world, &org, 2, 1).await;
    world.delete_group(&org, deleted.id).await.unwrap();
    let replaced = world.group_of(&org, 0..3).await;
    world.update_group(&org, replaced.id, with_list([])).await.unwrap();
    let made = world.journal(&org).await.len();
    world.directory.contacts_reap().await.unwrap();
    assert_eq!(world.journal(&org).await.len(), made, "its time has not come");
    world.clock.advance(Duration::from_hours(2));
    for _ in 0..2 {
        world.directory.contacts_reap().await.unwrap();
        let said = world.said(&org, made).await;
        assert_eq!(said.len(), 1);
        assert_eq!(
            (said[0].kind.as_str(), &*said[0].entity_id),
            ("contact_group.expired", &*ended.id.to_string())
        );
        assert_eq!((said[0].actor, said[0].dialect), (Actor::Server, Dialect::Cli));
        assert_eq!((said[0].version, said[0].at), (ended.version + 1, hours(2)));
        assert_eq!(said[0].payload, json!({}));
    }
}

async fn many_steps_lead_to_the_same_end<B: Backend>() {
    for size in [999, 1000, 1001, 2500] {
        let world = World::<B>::new();
        let org = world.org("acme").await;
        let group = ending(&world, &org, size, 1).await;
        let kept = world.group_of(&org, 0..10).await;
        let before = world.contacts(&org, kept.id).await;
        world.clock.advance(Duration::from_hours(1));
        world.directory.contacts_reap().await.unwrap();
        assert_eq!(
            (rows(&world, "contacts", group.id), rows(&world, "contact_groups", group.id)),
            (0, 0),
            "{size}"
        );
        assert_eq!(world.contacts(&org, kept.id).await, before);
        assert_eq!(world.store().contacts_to_reap(org.tenant, hours(1)).await.unwrap(), None);
    }
}

async fn a_step_removes_at_most_so_many_rows<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (replaced, deleted) = (world.group_of(&org, 0..10).await, world.group_of(&org, 0..10).await);
    world.update_group(&org, replaced.id, with_list((8..12).map(nth))).await.unwrap();
    world.delete_group(&org, deleted.id).await.unwrap();
    for (group, left) in [(replaced.id, [9, 6, 4, 4]), (deleted.id, [7, 4, 1, 0])] {
        for left in left {
            let reap = Change::ContactsReap { group, limit: 3 };
            world.commit(&org, vec![reap]).await.unwrap();
            assert_eq!(rows(&world, "contacts", group), left);
            world.is_sound().await;
        }
    }
    let next = world.store().contacts_to_reap(org.tenant, START).await.unwrap();
    assert_eq!(next, Some(Reapable::Emptied(deleted.id)));
    world.commit(&org, vec![Change::ContactGroupRemove(deleted.id)]).await.unwrap();
    assert_eq!(world.store().contacts_to_reap(org.tenant, START).await.unwrap(), None);
    assert_eq!(world.contacts(&org, replaced.id).await.len(), 4);
}

async fn a_removal_that_was_broken_off_goes_on<B: Backend>() {
    for steps in 0..11 {
        let world = World::<B>::new();
        let org = world.org("acme").await;
        let (ended, deleted) = (ending(&world, &org, 5, 1).await, world.group_of(&org, 0..5).await);
        let kept = world.group_of(&org, 0..5).await;
        world.delete_group(&org, deleted.id).await.unwrap();
        let made = world.journal(&org).await.len();
        world.clock.advance(Duration::from_hours(1));
        let now = world.directory.now();
        // As the reaper does it, in smaller steps.
        for _ in 0..steps {
            let Some(next) = world.store().contacts_to_reap(org.tenant, now).await.unwrap() else { break };
            let batch = Batch::new(org.tenant);
            let batch = match next {
                Reapable::Contacts(group) => batch.change(Change::ContactsReap { group, limit: 2 }),
                Reapable::Emptied(id) => batch.change(Change::ContactGroupRemove(id)),
                Reapable::Expired { id, version } => {
                    batch.change(Change::ContactGroupDelete { id, version, at: now }).journal(entry(&org, id))
                }
            };
            world.store().commit(batch).await.unwrap();
            world.is_sound().await;
        }
        let world = world.reopened().await;
        world.clock.advance(Duration::from_hours(1));
        world.directory.contacts_reap().await.unwrap();
        for group in [ended.id, deleted.id] {
            assert_eq!((rows(&world, "contacts", group), rows(&world, "contact_groups", group)), (0, 0));
        }
        assert_eq!(world.contacts(&org, kept.id).await.len(), 5);
        assert_eq!(world.said(&org, made).await.len(), 1, "after {steps} steps");
        world.is_sound().await;
    }
}

async fn a_group_that_got_more_time_stays_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = ending(&world, &org, 5, 1).await;
    // The reaper looks, somebody gives it more time, the reaper acts.
    let next = world.store().contacts_to_reap(org.tenant, hours(1)).await.unwrap();
    let Some(Reapable::Expired { id, version }) = next else { panic!("{next:?}") };
    assert_eq!((id, version), (group.id, group.version));
    world.update_group(&org, group.id, expiring(hours(9))).await.unwrap();
    let delete = Change::ContactGroupDelete { id, version, at: hours(1) };
    assert_eq!(world.commit(&org, vec![delete.clone()]).await, Err(StoreError::Stale));
    world.clock.advance(Duration::from_hours(2));
    world.directory.contacts_reap().await.unwrap();
    assert_eq!(world.contacts(&org, group.id).await.len(), 5);

    // The other way round nothing comes back, however little is removed.
    let group = ending(&world, &org, 5, 3).await;
    let Change::ContactGroupDelete { at, .. } = delete else { unreachable!() };
    let delete = Change::ContactGroupDelete { id: group.id, version: group.version, at };
    world.commit(&org, vec![delete]).await.unwrap();
    world.commit(&org, vec![Change::ContactsReap { group: group.id, limit: 2 }]).await.unwrap();
    let more = ContactGroup { version: group.version + 1, expires_at: None, ..group.clone() };
    let update = Change::ContactGroupUpdate(Box::new(more));
    assert_eq!(world.commit(&org, vec![update]).await, Err(StoreError::Stale));
    let outcome =
        world.directory.contact_group_update(&org.ctx, group, expiring(hours(9)).into(), None).await;
    assert!(is_gone(&outcome), "{outcome:?}");
}

async fn a_live_group_is_not_removed<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = ending(&world, &org, 5, 1).await;
    let empty = world.group(&org, "empty").await;
    world.clock.advance(Duration::from_hours(1));
    let before = books(&world, &org);
    for id in [group.id, empty.id] {
        assert_eq!(world.commit(&org, vec![Change::ContactGroupRemove(id)]).await, Err(StoreError::Stale));
        world.commit(&org, vec![Change::ContactsReap { group: id, limit: 100 }]).await.unwrap();
    }
    assert_eq!(books(&world, &org), before);
    // Nor is one that is deleted while it has contacts.
    world.delete_group(&org, empty.id).await.unwrap();
    let deleted = world.group_of(&org, [1]).await;
    world.delete_group(&org, deleted.id).await.unwrap();
    assert_eq!(
        world.commit(&org, vec![Change::ContactGroupRemove(deleted.id)]).await,
        Err(StoreError::Stale)
    );
    world.commit(&org, vec![Change::ContactGroupRemove(empty.id)]).await.unwrap();
}

async fn a_row_that_cannot_be_removed_does_not_keep_the_reaper_going<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let group = world.group_of(&org, [1]).await;
    world.delete_group(&org, group.id).await.unwrap();
    world.backend.tamper(&format!(
        "CREATE TABLE keeps (tenant_id BIGINT, id BIGINT, FOREIGN KEY ({key}) REFERENCES contact_groups ({key}));
         INSERT INTO keeps VALUES ({}, {})",
        org.tenant,
        group.id,
        key = B::KEY,
    ));
    let beside = world.group_of(&other, [1]).await;
    world.delete_group(&other, beside.id).await.unwrap();
    world.directory.contacts_reap().await.unwrap();
    assert_eq!(rows(&world, "contact_groups", group.id), 1);
    assert_eq!(rows(&world, "contact_groups", beside.id), 0);
}

async fn reaping_beside_writes_loses_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = Arc::new(world.org("acme").await);
    let kept = world.group_of(&org, 0..50).await;
    for _ in 0..4 {
        ending(&world, &org, 700, 1).await;
    }
    world.clock.advance(Duration::from_hours(1));
    let tasks: Vec<_> = (0..40_usize)
        .map(|n| {
            let (directory, org) = (world.node(), Arc::clone(&org));
            async move {
                let ctx = muster_domain::Ctx::operator(org.tenant, org.top, directory.now());
                if n % 8 == 0 {
                    directory.contacts_reap().await.unwrap();
                } else {
                    let drafts = vec![nth(1000 + n).into()];
                    directory
                        .contacts_add(&ctx, kept.id, wishes(drafts), Taken::Refuse, EXPECT)
                        .await
                        .unwrap();
                }
            }
        })
        .collect();
    all_at_once(tasks).await;
    world.directory.contacts_reap().await.unwrap();
    assert_eq!(world.contacts(&org, kept.id).await.len(), 85);
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM contacts"), 85);
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM contact_groups"), 1);
    let said = world.journal(&org).await;
    assert_eq!(said.iter().filter(|record| record.kind == "contact_group.expired").count(), 4);
    world.is_sound().await;
}

async fn the_doctor_finds_what_must_not_be<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let (group, beside) = (world.group_of(&org, 0..3).await, world.group_of(&other, 0..3).await);
    let contact = world.contacts(&org, group.id).await[1].id;
    let count = format!("its contacts are not as many as are counted: contact group {}", group.id);
    let lost = format!("in no list, or in one of another tenant: contact {contact}");
    let (nameless, number) = (
        format!("the name is empty: contact group {}", group.id),
        format!("the number is not in E.164: contact {contact}"),
    );
    let unread = |what: &str| format!("a row is not understood: {what}");
    let (group_unread, contact_unread) =
        (unread(&format!("contact group {}", group.id)), unread(&format!("contact {contact}")));
    let mut damages = vec![
        (format!("UPDATE contact_groups SET contacts = 4 WHERE id = {}", group.id), vec![&count]),
        (format!("DELETE FROM contacts WHERE id = {contact}"), vec![&count]),
        (format!("UPDATE contacts SET edition = 2 WHERE id = {contact}"), vec![&count, &lost]),
        (format!("UPDATE contacts SET edition = 0 WHERE id = {contact}"), vec![&count, &lost]),
        (format!("UPDATE contacts SET group_id = {} WHERE id = {contact}", beside.id), vec![&count, &lost]),
        (format!("UPDATE contact_groups SET name = ' ' WHERE id = {}", group.id), vec![&nameless]),
    ];
    if let Some(text) = B::BROKEN_TEXT {
        let of_group = format!("UPDATE contact_groups SET name = {text} WHERE id = {}", group.id);
        damages.push((of_group, vec![&group_unread]));
        let of_contact = format!("UPDATE contacts SET c = {text} WHERE id = {contact}");
        damages.push((of_contact, vec![&contact_unread]));
    }
    for phone in ["", "12015550123", "+123", "+1234567890123456", "+1201555012x", "+1 2015550123"] {
        damages.push((format!("UPDATE contacts SET phone = '{phone}' WHERE id = {contact}"), vec![&number]));
    }
    for (damage, expected) in damages {
        world.is_sound().await;
        world.backend.tamper(
            "CREATE TABLE g AS SELECT * FROM contact_groups; CREATE TABLE c AS SELECT * FROM contacts;",
        );
        world.backend.tamper(&damage);
        let found = findings(world.store(), &world.key).await;
        // What is between brackets is said by the file's library.
        let plain = |what: &String| match (what.split_once(" ("), what.split_once("): ")) {
            (Some((begin, _)), Some((_, end))) => format!("{begin}: {end}"),
            _ => what.clone(),
        };
        let found: Vec<String> = found.iter().map(plain).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{damage}");
        world.backend.tamper(
            "DELETE FROM contacts; UPDATE contact_groups SET contacts = 3,
                 name = (SELECT name FROM g WHERE g.id = contact_groups.id); INSERT INTO contacts SELECT * FROM c;
             DROP TABLE g; DROP TABLE c;",
        );
    }
    world.backend.tamper("UPDATE id_blocks SET next_id = 2 WHERE kind IN ('contact', 'contact_group')");
    let found = findings(world.store(), &world.key).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("contact_groups has id") && found[1].contains("contacts has id"), "{found:?}");
}
