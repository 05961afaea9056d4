//! Commits: guards, all or nothing, groups, what becomes of callers that go away, and reopening.

use muster_domain::org_unit::{OrgUnit, OrgUnitStatus, OrgUnitStore as _};
use muster_domain::session::{SessionStore as _, SessionToken, TokenKind};
use muster_domain::user::{UserStatus, UserStore as _};
use muster_domain::{Batch, Change, Guard, IdKind, OrgUnitId, Store as _, StoreError, Unique, UserId};
use muster_store::Limits;
use uuid::Uuid;

use crate::support::{Backend, START, start};
use crate::world::{Org, World, entry, unit_insert, unit_update, user_insert};

contract![
    the_guard_of_an_active_unit,
    the_guard_of_a_vacant_unit,
    the_guard_of_the_tree_version,
    the_guard_of_a_users_version,
    one_failed_guard_among_others_refuses_the_batch,
    guards_are_asked_before_the_changes,
    a_batch_whose_last_change_fails_leaves_nothing,
    the_changes_of_a_batch_see_those_before_them,
    batches_that_fail_do_not_harm_those_of_their_group,
    batches_of_a_group_see_those_before_them,
    a_commit_whose_caller_goes_away_is_carried_out,
    a_full_queue_refuses_and_does_nothing,
    a_closed_store_is_unavailable,
    a_reopened_store_has_everything,
];

/// Whether a batch with this guard is carried out; the journal is checked to agree.
async fn holds<B: Backend>(world: &World<B>, org: &Org, guard: Guard) -> bool {
    let before = world.journal(org).await.len();
    let outcome = world.store().commit(Batch::new(org.tenant).guard(guard).journal(entry(org, 1))).await;
    let entries = world.journal(org).await.len() - before;
    match outcome {
        Ok(()) => assert_eq!(entries, 1),
        Err(error) => assert_eq!((error, entries), (StoreError::GuardFailed, 0)),
    }
    entries == 1
}

async fn the_guard_of_an_active_unit<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let active = world.add_unit(&org, org.top, "a").await.id;
    let archived = world.add_archived(&org, org.top, "b").await.id;
    assert!(holds(&world, &org, Guard::UnitActive(active)).await);
    assert!(!holds(&world, &org, Guard::UnitActive(archived)).await);
    assert!(!holds(&world, &org, Guard::UnitActive(OrgUnitId(i64::MAX))).await);
}

async fn the_guard_of_a_vacant_unit<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "a").await.id;
    let vacant = Guard::UnitVacant(unit);
    world.add_archived(&org, unit, "archived").await;
    assert!(holds(&world, &org, vacant.clone()).await);

    let child = world.add_unit(&org, unit, "child").await;
    assert!(!holds(&world, &org, vacant.clone()).await);
    let child = OrgUnit { status: OrgUnitStatus::Inactive, version: 2, ..child };
    world.commit(&org, vec![unit_update(&child)]).await.unwrap();
    assert!(holds(&world, &org, vacant.clone()).await);

    let user = world.add_user(&org, unit, "bob").await;
    assert!(!holds(&world, &org, vacant.clone()).await);
    let user = world.change_user(&org, &user, |user| user.status = UserStatus::Inactive).await.unwrap();
    assert!(!holds(&world, &org, vacant.clone()).await);
    world.change_user(&org, &user, |user| user.status = UserStatus::Deleted).await.unwrap();
    assert!(holds(&world, &org, vacant).await);
}

async fn the_guard_of_the_tree_version<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let version = world.store().tree_version(org.tenant).await.unwrap();
    assert!(holds(&world, &org, Guard::TreeVersion(version)).await);
    assert!(!holds(&world, &org, Guard::TreeVersion(version - 1)).await);
    assert!(!holds(&world, &org, Guard::TreeVersion(version + 1)).await);
    world.commit(&org, vec![Change::TreeChanged]).await.unwrap();
    assert!(!holds(&world, &org, Guard::TreeVersion(version)).await);
    assert!(holds(&world, &org, Guard::TreeVersion(version + 1)).await);
}

async fn the_guard_of_a_users_version<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    let guard = |version| Guard::UserVersion { id: user.id, version };
    assert!(holds(&world, &org, guard(1)).await);
    assert!(!holds(&world, &org, guard(2)).await);
    world.change_user(&org, &user, |_| {}).await.unwrap();
    assert!(!holds(&world, &org, guard(1)).await);
    assert!(holds(&world, &org, guard(2)).await);
    assert!(!holds(&world, &org, Guard::UserVersion { id: UserId(i64::MAX), version: 1 }).await);
}

async fn one_failed_guard_among_others_refuses_the_batch<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let archived = world.add_archived(&org, org.top, "b").await.id;
    let unit = world.unit(&org, org.top, "a").await;
    for guards in [[org.top, archived], [archived, org.top]] {
        let guards = guards.into_iter().map(Guard::UnitActive).collect();
        let batch = Batch { guards, ..Batch::new(org.tenant).change(unit_insert(&unit)) };
        assert_eq!(world.store().commit(batch).await, Err(StoreError::GuardFailed));
    }
    assert_eq!(world.store().org_unit_located(org.tenant, unit.id).await.unwrap(), None);
}

async fn guards_are_asked_before_the_changes<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "a").await;
    // The batch itself ends what its guards ask for.
    let archived = OrgUnit { status: OrgUnitStatus::Inactive, version: 2, ..unit.clone() };
    let version = world.store().tree_version(org.tenant).await.unwrap();
    let batch = Batch::new(org.tenant)
        .guard(Guard::UnitActive(unit.id))
        .guard(Guard::TreeVersion(version))
        .change(unit_update(&archived))
        .change(Change::TreeChanged);
    world.store().commit(batch).await.unwrap();
    assert_eq!(world.stored_unit(&org, unit.id).await, archived);
}

async fn a_batch_whose_last_change_fails_leaves_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let stored = world.add_unit(&org, org.top, "stored").await;
    let fresh = world.unit(&org, org.top, "fresh").await;
    let user = world.user(&org, org.top, "bob").await;
    let user = muster_domain::user::User { login_claimed: true, ..user };
    let renamed = OrgUnit { name: "renamed".to_owned(), version: 2, ..stored.clone() };
    let stale = OrgUnit { version: 9, ..stored.clone() };
    let taken = world.unit(&org, org.top, "FRESH").await;
    let (journal, version) =
        (world.journal(&org).await, world.store().tree_version(org.tenant).await.unwrap());

    for (last, expected) in [
        (unit_update(&stale), StoreError::Stale),
        (unit_insert(&taken), StoreError::Duplicate(Unique::OrgUnitName)),
        (Change::RefreshRetire { hash: [9; 32], at: START }, StoreError::Stale),
    ] {
        let mut batch = Batch::new(org.tenant).journal(entry(&org, 1)).journal(entry(&org, 2));
        batch.changes =
            vec![unit_insert(&fresh), unit_update(&renamed), Change::TreeChanged, user_insert(&user), last];
        assert_eq!(world.store().commit(batch).await, Err(expected));
    }
    assert_eq!(world.stored_unit(&org, stored.id).await, stored);
    assert_eq!(world.store().org_unit_located(org.tenant, fresh.id).await.unwrap(), None);
    assert_eq!(world.store().user(org.tenant, user.id).await.unwrap(), None);
    assert_eq!(world.store().user_by_claim("bob").await.unwrap(), None);
    assert_eq!(world.store().tree_version(org.tenant).await.unwrap(), version);
    assert_eq!(world.journal(&org).await, journal);
}

async fn the_changes_of_a_batch_see_those_before_them<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let first = world.add_unit(&org, org.top, "name").await;
    let renamed = OrgUnit { name: "other".to_owned(), version: 2, ..first };
    let second = world.unit(&org, org.top, "Name").await;
    let third = world.unit(&org, second.id, "child").await;
    let changes = vec![unit_update(&renamed), unit_insert(&second), unit_insert(&third)];
    world.commit(&org, changes).await.unwrap();
    assert_eq!(world.stored_unit(&org, third.id).await, third);
}

async fn batches_that_fail_do_not_harm_those_of_their_group<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.add_unit(&org, org.top, "taken").await;
    let made = world.journal(&org).await.len();
    let mut units = Vec::new();
    for n in 0..30 {
        units.push(world.unit(&org, org.top, &format!("unit {n}")).await);
    }
    let taken = world.unit(&org, org.top, "taken").await;

    let hold = world.backend.hold_writes();
    let mut started = Vec::new();
    for (n, unit) in units.iter().enumerate() {
        let mut batch = Batch::new(org.tenant).change(unit_insert(unit)).journal(entry(&org, unit.id));
        match n % 3 {
            1 => batch = batch.change(unit_insert(&taken)),
            2 => batch = batch.guard(Guard::UnitActive(OrgUnitId(i64::MAX))),
            _ => {}
        }
        started.push(start(world.store().commit(batch)).unwrap_or_else(|done| panic!("{done:?}")));
    }
    drop(hold);
    for (n, future) in started.into_iter().enumerate() {
        let expected = match n % 3 {
            1 => Err(StoreError::Duplicate(Unique::OrgUnitName)),
            2 => Err(StoreError::GuardFailed),
            _ => Ok(()),
        };
        assert_eq!(future.await, expected);
    }
    for (n, unit) in units.iter().enumerate() {
        let stored = world.store().org_unit_located(org.tenant, unit.id).await.unwrap();
        assert_eq!(stored.is_some(), n % 3 == 0);
    }
    assert_eq!(world.journal(&org).await.len(), made + 10);
}

async fn batches_of_a_group_see_those_before_them<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.unit(&org, org.top, "parent").await;
    let child = world.unit(&org, unit.id, "child").await;
    let archived = OrgUnit { status: OrgUnitStatus::Inactive, version: 2, ..unit.clone() };
    let batches = [
        Batch::new(org.tenant).change(unit_insert(&unit)),
        Batch::new(org.tenant).guard(Guard::UnitActive(unit.id)).change(unit_insert(&child)),
        Batch::new(org.tenant).guard(Guard::UnitVacant(unit.id)).change(unit_update(&archived)),
    ];
    let hold = world.backend.hold_writes();
    let started: Vec<_> =
        batches.into_iter().filter_map(|batch| start(world.store().commit(batch)).ok()).collect();
    drop(hold);
    let mut outcomes = Vec::new();
    for future in started {
        outcomes.push(future.await);
    }
    assert_eq!(outcomes, [Ok(()), Ok(()), Err(StoreError::GuardFailed)]);
}

async fn a_commit_whose_caller_goes_away_is_carried_out<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.unit(&org, org.top, "orphan").await;
    let hold = world.backend.hold_writes();
    let batch = Batch::new(org.tenant).change(unit_insert(&unit)).journal(entry(&org, unit.id));
    drop(start(world.store().commit(batch)));
    drop(hold);
    // Batches are carried out in the order in which they were handed in.
    world.add_unit(&org, org.top, "later").await;
    assert_eq!(world.stored_unit(&org, unit.id).await, unit);
    assert_eq!(world.journal(&org).await.last().unwrap().entity_id, unit.id.to_string());
}

async fn a_full_queue_refuses_and_does_nothing<B: Backend>() {
    let world = World::<B>::with(Limits { writer_queue: 3, ..Limits::default() });
    let org = world.org("acme").await;
    let made = world.journal(&org).await.len();
    // More than one group takes (256) and the queue holds.
    let hold = world.backend.hold_writes();
    let started: Vec<_> = (0..600)
        .map(|n| start(world.store().commit(Batch::new(org.tenant).journal(entry(&org, n)))))
        .collect();
    drop(hold);
    let (mut done, mut refused) = (Vec::new(), 0);
    for (n, outcome) in started.into_iter().enumerate() {
        let outcome = match outcome {
            Ok(future) => future.await,
            Err(at_once) => at_once,
        };
        match outcome {
            Ok(()) => done.push(n.to_string()),
            Err(StoreError::Unavailable(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(!done.is_empty() && refused > 0, "{} done, {refused} refused", done.len());
    let records = world.journal(&org).await;
    assert_eq!(records[made..].iter().map(|record| record.entity_id.clone()).collect::<Vec<_>>(), done);
    world.add_unit(&org, org.top, "afterwards").await;
}

async fn a_closed_store_is_unavailable<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let handed_in = start(world.store().commit(Batch::new(org.tenant).journal(entry(&org, 1))));
    world.store().close().await;
    let outcome = match handed_in {
        Ok(future) => future.await,
        Err(at_once) => at_once,
    };
    assert_eq!(outcome, Ok(()), "what was handed in before is finished");
    let outcome = world.store().commit(Batch::new(org.tenant).journal(entry(&org, 2))).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}

async fn a_reopened_store_has_everything<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "North").await;
    let user = world.add_user(&org, unit.id, "bob").await;
    let token = SessionToken {
        tenant: org.tenant,
        hash: [1; 32],
        kind: TokenKind::Refresh,
        family: Uuid::from_u128(7),
        user: user.id,
        created_at: START,
        expires_at: START,
        retired_at: None,
    };
    let changes = vec![Change::TokenInsert(Box::new(token.clone())), Change::TreeChanged];
    world.commit(&org, changes).await.unwrap();
    let journal = world.journal(&org).await;
    let version = world.store().tree_version(org.tenant).await.unwrap();
    let last_id = world.store().next_id(IdKind::User).await.unwrap();
    let fingerprint = world.key.fingerprint();

    let world = world.reopened().await;
    assert_eq!(world.key.fingerprint(), fingerprint);
    assert_eq!(world.stored_unit(&org, unit.id).await, unit);
    assert_eq!(world.store().user(org.tenant, user.id).await.unwrap(), Some(user));
    assert_eq!(world.store().user_by_claim("admin@acme").await.unwrap(), Some(org.admin.clone()));
    let stored = world.store().session_token(org.tenant, token.kind, token.hash).await.unwrap();
    assert_eq!(stored, Some(token));
    assert_eq!(world.store().tree_version(org.tenant).await.unwrap(), version);
    assert_eq!(world.journal(&org).await, journal);
    // Numbers go on where they were.
    assert!(world.store().next_id(IdKind::User).await.unwrap() > last_id);
    world.store().commit(Batch::new(org.tenant).journal(entry(&org, "new"))).await.unwrap();
    assert_eq!(world.journal(&org).await.len(), journal.len() + 1);
}
