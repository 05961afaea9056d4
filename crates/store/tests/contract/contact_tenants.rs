//! Contacts and tenants: nobody sees or touches those of another, and they go with their own.

use std::collections::HashSet;
use std::sync::Arc;

use muster_domain::contact::{Contact, ContactGroup, ContactStore as _, PhoneNumber, Taken};
use muster_domain::session::Found;
use muster_domain::{
    Batch, Change, ContactGroupId, ContactId, Ctx, Error, Guard, IdKind, Store as _, StoreError, Unique,
};
use muster_store::{Limits, Store};

use crate::contact_books::{ALL, EXPECT, group_named, is_gone, nth, phone, wishes, with_list};
use crate::support::{Backend, START, all_at_once};
use crate::world::{Org, World, entry};

contract![
    nobody_sees_what_another_tenant_has,
    nobody_writes_what_another_tenant_has,
    no_batch_touches_a_row_of_another_tenant,
    what_is_asked_for_is_read_with_its_caller,
    writes_to_a_deleted_tenant_are_refused_cleanly,
    writes_during_a_deletion_do_not_stop_it,
    runs_of_ids_never_overlap,
];

async fn neighbours<B: Backend>() -> (World<B>, Org, Org, ContactGroup, Vec<Contact>) {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let group = world.group_of(&org, 0..3).await;
    world.group_of(&other, 0..3).await;
    let contacts = world.contacts(&org, group.id).await;
    (world, org, other, group, contacts)
}

async fn nobody_sees_what_another_tenant_has<B: Backend>() {
    let (world, _, other, group, contacts) = neighbours::<B>().await;
    let (ctx, directory) = (&other.ctx, &world.directory);
    assert!(is_gone(&directory.contact_group_get(ctx, group.id).await));
    assert!(is_gone(&directory.contact_list(ctx, group.id, ALL).await));
    assert!(is_gone(&directory.contacts_after(ctx, group.id, ContactId(0), 9).await));
    for contact in &contacts {
        assert!(is_gone(&directory.contact_get(ctx, contact.id).await));
    }
    assert!(!directory.contact_group_ids(ctx).await.unwrap().contains(&group.id));
    let page = directory.contact_group_list(ctx, ALL).await.unwrap();
    assert_eq!((page.items.len(), page.total), (1, 1));
    let phones = vec![PhoneNumber::from_stored(phone(1))];
    assert!(world.store().contacts_by_phone(other.tenant, group.id, START, phones).await.unwrap().is_none());
}

async fn nobody_writes_what_another_tenant_has<B: Backend>() {
    let (world, _, other, group, contacts) = neighbours::<B>().await;
    let (ctx, directory) = (&other.ctx, &world.directory);
    let before = world.backend.dump();
    assert!(is_gone(&directory.contact_create(ctx, group.id, nth(9).into()).await));
    assert!(is_gone(
        &directory.contacts_add(ctx, group.id, wishes(vec![nth(1).into()]), Taken::Update, EXPECT).await
    ));
    // With what they cannot have read.
    for patch in [group_named("x"), with_list([nth(9)]), with_list([])] {
        let outcome = directory.contact_group_update(ctx, group.clone(), patch.into(), None).await;
        assert!(outcome.is_err(), "{outcome:?}");
    }
    assert!(directory.contact_group_delete(ctx, group.clone(), None).await.is_err());
    assert!(directory.contact_update(ctx, contacts[0].clone(), nth(9).into(), None).await.is_err());
    assert!(directory.contact_delete(ctx, contacts[0].clone(), None).await.is_err());
    let theirs = Contact { tenant: other.tenant, ..contacts[0].clone() };
    assert!(is_gone(&directory.contact_update(ctx, theirs.clone(), nth(9).into(), None).await));
    assert!(is_gone(&directory.contact_delete(ctx, theirs, None).await));
    assert_eq!(world.backend.dump(), before);
}

async fn no_batch_touches_a_row_of_another_tenant<B: Backend>() {
    let (world, org, other, group, contacts) = neighbours::<B>().await;
    let own = world.directory.contact_group_ids(&other.ctx).await.unwrap()[0];
    let id = ContactId(world.store().next_id(IdKind::Contact).await.unwrap());
    let made = |group| Contact { id, tenant: other.tenant, group, version: 1, ..contacts[0].clone() };
    let new = |group| Contact { phone: PhoneNumber::from_stored(phone(9)), ..made(group) };
    let later = |contact: &Contact| Contact { tenant: other.tenant, version: 2, ..contact.clone() };
    let keep = contacts.iter().map(|contact| contact.id).collect::<Vec<_>>();
    let before = world.backend.dump();
    let stale = [
        Change::ContactsInsert { group: group.id, contacts: vec![new(group.id)] },
        Change::ContactsReplace { group: group.id, keep: vec![] },
        Change::ContactsReplace { group: own, keep },
        Change::ContactUpdate(Box::new(later(&contacts[0]))),
        Change::ContactDelete(Box::new(Contact { tenant: other.tenant, ..contacts[0].clone() })),
        Change::ContactGroupUpdate(Box::new(ContactGroup {
            tenant: other.tenant,
            version: 2,
            ..group.clone()
        })),
        Change::ContactGroupDelete { id: group.id, version: 1, at: START },
        Change::ContactsReap { group: group.id, limit: 9 },
        Change::ContactGroupRemove(group.id),
    ];
    for change in stale {
        assert_eq!(world.commit(&other, vec![change.clone()]).await, Err(StoreError::Stale), "{change:?}");
    }
    let strange = [
        Change::ContactsInsert { group: own, contacts: vec![Contact { tenant: org.tenant, ..new(own) }] },
        Change::ContactUpdate(Box::new(Contact { version: 2, ..contacts[0].clone() })),
        Change::ContactDelete(Box::new(contacts[0].clone())),
        Change::ContactGroupInsert(Box::new(group.clone())),
    ];
    for change in strange {
        let outcome = world.commit(&other, vec![change.clone()]).await;
        assert!(matches!(outcome, Err(StoreError::Internal(_))), "{change:?}: {outcome:?}");
    }
    for guard in [
        Guard::ContactGroupVersion { id: group.id, version: group.version },
        Guard::ContactsVersion { group: group.id, version: group.contacts_version },
    ] {
        let batch = |org: &Org| Batch::new(org.tenant).guard(guard.clone());
        assert_eq!(world.store().commit(batch(&other)).await, Err(StoreError::GuardFailed));
        world.store().commit(batch(&org)).await.unwrap();
    }
    assert_eq!(world.backend.dump(), before);
    let taken = Change::ContactsInsert { group: own, contacts: vec![made(own)] };
    assert_eq!(world.commit(&other, vec![taken]).await, Err(StoreError::Duplicate(Unique::ContactPhone)));
}

async fn what_is_asked_for_is_read_with_its_caller<B: Backend>() {
    use muster_domain::Dialect;
    use muster_domain::session::Subject;

    let (world, org, other, group, contacts) = neighbours::<B>().await;
    let [token, _] = world.session(&org.admin).await;
    let [others, _] = world.session(&other.admin).await;
    let read = async |token: &str, subject| {
        world.directory.session_authenticate_for(Dialect::Convirza, token, subject).await.unwrap()
    };
    let (ctx, _, found) = read(&token, Subject::ContactGroup(group.id)).await;
    assert_eq!(world.directory.contact_group_found(&ctx, found).unwrap(), group);
    let (ctx, _, found) = read(&token, Subject::Contact(contacts[1].id)).await;
    assert_eq!(world.directory.contact_found(&ctx, found).unwrap(), contacts[1]);
    let (ctx, _, found) = read(&others, Subject::ContactGroup(group.id)).await;
    assert!(is_gone(&world.directory.contact_group_found(&ctx, found)));
    let (ctx, _, found) = read(&others, Subject::Contact(contacts[1].id)).await;
    assert!(is_gone(&world.directory.contact_found(&ctx, found)));
    let wrong = Some(Found::Contact(Box::new(contacts[1].clone())));
    assert!(is_gone(&world.directory.contact_group_found(&ctx, wrong)));
    world.delete_group(&org, group.id).await.unwrap();
    let (ctx, _, found) = read(&token, Subject::Contact(contacts[1].id)).await;
    assert!(is_gone(&world.directory.contact_found(&ctx, found)));
}

async fn writes_to_a_deleted_tenant_are_refused_cleanly<B: Backend>() {
    let (world, org, other, group, contacts) = neighbours::<B>().await;
    let (ctx, directory) = (&org.ctx, &world.directory);
    let beside = world.backend.dump_of(Some(other.tenant));
    directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    let outcomes = [
        directory.contact_group_create(ctx, group_named("late").into()).await.map(drop),
        directory.contact_group_create(ctx, with_list([nth(1)]).into()).await.map(drop),
        directory.contact_group_update(ctx, group.clone(), group_named("late").into(), None).await.map(drop),
        directory
            .contact_group_update(ctx, group.clone(), group_named("late").into(), Some(Box::new(|_| true)))
            .await
            .map(drop),
        directory.contact_group_update(ctx, group.clone(), with_list([]).into(), None).await.map(drop),
        directory.contact_group_delete(ctx, group.clone(), None).await,
        directory.contact_create(ctx, group.id, nth(9).into()).await.map(drop),
        directory
            .contacts_add(ctx, group.id, wishes(vec![nth(9).into()]), Taken::Update, EXPECT)
            .await
            .map(drop),
        directory.contact_update(ctx, contacts[0].clone(), nth(9).into(), None).await.map(drop),
        directory.contact_delete(ctx, contacts[0].clone(), None).await,
    ];
    for (n, outcome) in outcomes.iter().enumerate() {
        let clean = matches!(outcome, Err(Error::NotFound(_) | Error::Invalid(_)));
        assert!(clean, "{n}: {outcome:?}");
    }
    let later = Contact { version: 2, ..contacts[0].clone() };
    let changes = [
        Change::ContactGroupInsert(Box::new(group.clone())),
        Change::ContactsInsert { group: group.id, contacts: contacts.clone() },
        Change::ContactsReplace { group: group.id, keep: vec![] },
        Change::ContactUpdate(Box::new(later)),
        Change::ContactDelete(Box::new(contacts[0].clone())),
        Change::ContactGroupDelete { id: group.id, version: 1, at: START },
        Change::ContactsReap { group: group.id, limit: 9 },
        Change::ContactGroupRemove(group.id),
    ];
    for change in changes {
        for journaled in [false, true] {
            let batch = Batch::new(org.tenant).change(change.clone());
            let batch = if journaled { batch.journal(entry(&org, 1)) } else { batch };
            assert_eq!(world.store().commit(batch).await, Err(StoreError::Stale), "{change:?}");
        }
    }
    assert_eq!(world.store().contacts_to_reap(org.tenant, START).await.unwrap(), None);
    assert_eq!(world.backend.rows_of(org.tenant), []);
    assert_eq!(world.backend.dump_of(Some(other.tenant)), beside);
}

async fn writes_during_a_deletion_do_not_stop_it<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group: ContactGroupId = world.group_of(&org, 0..3000).await.id;
    let ctx = Arc::new(org.ctx.clone());
    let tasks: Vec<_> = (0..60_usize)
        .map(|n| {
            let (directory, ctx): (_, Arc<Ctx>) = (world.node(), Arc::clone(&ctx));
            async move {
                match n % 6 {
                    0 if n == 18 => directory.tenant_delete(ctx.tenant(), |_| {}).await,
                    0 => directory.contact_group_create(&ctx, group_named("late").into()).await.map(drop),
                    1 => directory.contact_create(&ctx, group, nth(5000 + n).into()).await.map(drop),
                    2 => directory.contacts_reap().await,
                    3 => {
                        let found = directory.contact_group_get(&ctx, group).await?;
                        let list = with_list((n..n + 900).map(nth));
                        directory.contact_group_update(&ctx, found, list.into(), None).await.map(drop)
                    }
                    _ => {
                        let drafts = (0..50).map(|m| nth(n * 50 + m).into()).collect();
                        directory
                            .contacts_add(&ctx, group, wishes(drafts), Taken::Update, EXPECT)
                            .await
                            .map(drop)
                    }
                }
            }
        })
        .collect();
    for outcome in all_at_once(tasks).await {
        assert!(matches!(outcome, Ok(()) | Err(Error::NotFound(_) | Error::Invalid(_))), "{outcome:?}");
    }
    assert_eq!(world.backend.rows_of(org.tenant), []);
}

async fn runs_of_ids_never_overlap<B: Backend>() {
    let world = World::<B>::new();
    let stores: Vec<Arc<Store>> = (0..2).map(|_| Arc::new(world.backend.open(Limits::default()).0)).collect();
    let sizes = [1, 7, 4096, 3, 10_000, 500, 1, 4097, 64, 2];
    let takers = (0..6_usize).map(|n| {
        let store = Arc::clone(&stores[n % 2]);
        async move {
            let mut runs = Vec::new();
            for round in 0..15 {
                let count: u32 = sizes[(n * 3 + round) % sizes.len()];
                runs.push((store.next_ids(IdKind::Contact, count).await.unwrap(), i64::from(count)));
            }
            runs
        }
    });
    let mut ids = HashSet::new();
    for (first, count) in all_at_once(takers).await.concat() {
        assert!(first > 0);
        assert!((first..first + count).all(|id| ids.insert(id)), "{count} from {first}");
    }
}
