//! The counts that a store keeps of each tenant are those of its rows, whatever happened.

use muster_domain::org_unit::{OrgUnitPatch, OrgUnitStatus};
use muster_domain::tenant::{TenantCounts, TenantStore as _};
use muster_domain::user::{User, UserFilter, UserOrder, UserPatch, UserSort, UserStatus, UserStore as _};
use muster_domain::{
    Batch, Change, Error, Guard, OrgUnitId, Slice, Store as _, StoreError, TenantId, Unique, UserId,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::random::try_cases;
use crate::support::{Backend, START, all_at_once, start};
use crate::world::{
    Org, World, entry, named, unit_insert, user_insert, user_update, with_login, with_status,
};

contract![
    a_new_tenant_has_what_it_was_made_with,
    random_operations_keep_the_counts_right,
    operations_at_once_keep_the_counts_right,
    a_batch_that_fails_leaves_the_counts_alone,
    batches_of_a_group_that_fail_leave_the_counts_of_the_others,
    a_batch_that_changes_a_user_twice_counts_it_once,
];

async fn kept<B: Backend>(world: &World<B>, org: &Org) -> TenantCounts {
    world.store().tenant_counts(org.tenant).await.unwrap().unwrap()
}

/// What a walk over all rows gives; nothing of the journal was trimmed.
fn counted<B: Backend>(world: &World<B>, org: &Org) -> TenantCounts {
    let count = |table: &str, and: &str| {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = {} {and}", org.tenant);
        u64::try_from(world.backend.look(&sql)).unwrap()
    };
    TenantCounts {
        messages: 0,
        incomings: 0,
        org_units: count("org_units", ""),
        users_active: count("users", "AND status = 1"),
        users_inactive: count("users", "AND status = 2"),
        users_deleted: count("users", "AND status = 3"),
        user_groups: count("user_groups", "AND deleted = 0"),
        journal: count("journal", ""),
    }
}

async fn a_new_tenant_has_what_it_was_made_with<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let made = TenantCounts { org_units: 1, users_active: 1, journal: 6, ..TenantCounts::default() };
    assert_eq!(kept(&world, &org).await, made);
    assert_eq!(counted(&world, &org), made);
    assert_eq!(world.store().tenant_counts(TenantId(i64::MAX)).await.unwrap(), None);
    world.create_user(&org, with_login("bob")).await.unwrap();
    let second = world.org("second").await;
    assert_eq!(kept(&world, &second).await, made);
    let world = world.reopened().await;
    assert_eq!(kept(&world, &org).await, TenantCounts { users_active: 2, journal: 7, ..made });
}

#[derive(Clone, Debug)]
enum Operation {
    Create { login: usize, status: usize },
    SetStatus { user: usize, status: usize },
    Rename { user: usize, login: usize },
    Delete { user: usize },
    Erase { user: usize },
    CreateUnit { name: usize },
    ArchiveUnit { unit: usize },
}

const STATUSES: [UserStatus; 2] = [UserStatus::Active, UserStatus::Inactive];

fn operation() -> impl Strategy<Value = Operation> {
    let (any, few) = (0..usize::MAX, 0..8_usize);
    prop_oneof![
        4 => (few.clone(), 0..2_usize).prop_map(|(login, status)| Operation::Create { login, status }),
        3 => (any.clone(), 0..2_usize).prop_map(|(user, status)| Operation::SetStatus { user, status }),
        2 => (any.clone(), few.clone()).prop_map(|(user, login)| Operation::Rename { user, login }),
        2 => any.clone().prop_map(|user| Operation::Delete { user }),
        2 => any.clone().prop_map(|user| Operation::Erase { user }),
        2 => few.prop_map(|name| Operation::CreateUnit { name }),
        1 => any.prop_map(|unit| Operation::ArchiveUnit { unit }),
    ]
}

/// What there is for operations to choose from.
struct Targets {
    users: Vec<UserId>,
    units: Vec<OrgUnitId>,
}

async fn carry_out<B: Backend>(
    world: &World<B>,
    org: &Org,
    targets: &mut Targets,
    operation: &Operation,
) -> Result<(), Error> {
    let user = |n: usize| targets.users[n % targets.users.len()];
    match *operation {
        Operation::Create { login, status } => {
            let status = Some(STATUSES[status]);
            let new = UserPatch { status, ..with_login(&format!("user {login}")) };
            let user = world.create_user(org, new).await?;
            targets.users.push(user.id);
        }
        Operation::SetStatus { user: n, status } => {
            let patch = UserPatch { status: Some(STATUSES[status]), ..UserPatch::default() };
            world.update_user(org, user(n), patch).await?;
        }
        Operation::Rename { user: n, login } => {
            world.update_user(org, user(n), with_login(&format!("user {login}"))).await?;
        }
        Operation::Delete { user: n } => drop(world.delete_user(org, user(n)).await?),
        Operation::Erase { user: n } => drop(world.erase_user(org, user(n)).await?),
        Operation::CreateUnit { name } => {
            let unit =
                world.directory.org_unit_create(&org.ctx, named(&format!("unit {name}")).into()).await?;
            targets.units.push(unit.id);
        }
        Operation::ArchiveUnit { unit } => {
            let id = targets.units[unit % targets.units.len()];
            let found = world.directory.org_unit_get(&org.ctx, id).await?;
            let archive: OrgUnitPatch = with_status(OrgUnitStatus::Inactive);
            world.directory.org_unit_update(&org.ctx, found, archive.into(), None).await?;
        }
    }
    Ok(())
}

async fn case<B: Backend>(operations: Vec<Operation>) -> TestCaseResult {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let neighbour = world.org("neighbour").await;
    let mut targets = Targets { users: vec![org.admin.id], units: vec![org.top] };
    let beside = kept(&world, &neighbour).await;
    for operation in operations {
        let before = kept(&world, &org).await;
        let outcome = carry_out(&world, &org, &mut targets, &operation).await;
        let after = kept(&world, &org).await;
        if outcome.is_err() {
            prop_assert_eq!(before, after, "{:?} was refused", operation);
        }
        prop_assert_eq!(after, counted(&world, &org), "{:?}: {:?}", operation, outcome);
        // Lists of all take their totals from the counts.
        let slice = Slice { limit: 1000, offset: 0 };
        let order = UserOrder { by: UserSort::Created, descending: true };
        let page = world.store().users(org.tenant, UserFilter::default(), order, slice).await.unwrap();
        prop_assert_eq!(page.total, page.items.len() as u64);
    }
    prop_assert_eq!(kept(&world, &neighbour).await, beside);
    Ok(())
}

async fn random_operations_keep_the_counts_right<B: Backend>() {
    try_cases::<B, _, _>(16, prop::collection::vec(operation(), 1..50), case::<B>);
}

async fn operations_at_once_keep_the_counts_right<B: Backend>() {
    let world = World::<B>::new();
    let orgs = [world.org("acme").await, world.org("other").await];
    let mut tasks = Vec::new();
    for n in 0..120 {
        let org = &orgs[usize::from(n % 3 == 0)];
        let (directory, ctx) = (world.node(), org.ctx.clone());
        let new = with_login(&format!("user {}", n % 40));
        tasks.push(async move {
            let user = directory.user_create(&ctx, new.into()).await?;
            directory.org_unit_create(&ctx, named(&format!("unit {}", n % 60)).into()).await?;
            let found = directory.user_get_writable(&ctx, user.id).await?;
            match n % 4 {
                0 => directory.user_delete(&ctx, found, None).await.map(drop),
                1 => directory.user_erase(&ctx, found, None).await.map(drop),
                2 => {
                    let patch = UserPatch { status: Some(UserStatus::Inactive), ..UserPatch::default() };
                    directory.user_update(&ctx, found, patch.into(), None).await.map(drop)
                }
                _ => Ok(()),
            }
        });
    }
    let outcomes = all_at_once(tasks).await;
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(Error::Duplicate(_)))),
        "{outcomes:?}"
    );
    for org in &orgs {
        let counts = kept(&world, org).await;
        assert_eq!(counts, counted(&world, org));
        assert!(
            counts.users_deleted > 0 && counts.users_inactive > 0 && counts.users_active > 1,
            "{counts:?}"
        );
    }
}

/// Changes that count, of a tenant with the stored user `bob`.
async fn counting<B: Backend>(world: &World<B>, org: &Org, bob: &User) -> Vec<Change> {
    let n = bob.id;
    let inactive = User { status: UserStatus::Inactive, version: bob.version + 1, ..bob.clone() };
    let deleted =
        User { status: UserStatus::Deleted, ..world.user(org, org.top, &format!("gone {n}")).await };
    let active = world.user(org, org.top, &format!("new {n}")).await;
    let unit = world.unit(org, org.top, &format!("unit {n}")).await;
    vec![user_update(bob, &inactive), user_insert(&deleted), user_insert(&active), unit_insert(&unit)]
}

async fn a_batch_that_fails_leaves_the_counts_alone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let bob = world.add_user(&org, org.top, "bob").await;
    let before = (kept(&world, &org).await, world.backend.dump());
    let taken = world.user(&org, org.top, "BOB").await;
    let stale = User { version: 7, ..bob.clone() };
    for (last, expected) in [
        (user_insert(&taken), StoreError::Duplicate(Unique::Login)),
        (user_update(&User { version: 6, ..bob.clone() }, &stale), StoreError::Stale),
        (Change::RefreshRetire { hash: [9; 32], at: START }, StoreError::Stale),
        (Change::TenantPurge { limit: 9 }, StoreError::GuardFailed),
    ] {
        let mut changes = counting(&world, &org, &bob).await;
        changes.push(last);
        let batch = Batch { changes, ..Batch::new(org.tenant).journal(entry(&org, 1)) };
        assert_eq!(world.store().commit(batch).await, Err(expected));
        assert_eq!((kept(&world, &org).await, world.backend.dump()), before);
    }
    let changes = counting(&world, &org, &bob).await;
    let guarded = Batch::new(org.tenant).guard(Guard::UnitActive(OrgUnitId(i64::MAX)));
    assert_eq!(world.store().commit(Batch { changes, ..guarded }).await, Err(StoreError::GuardFailed));
    assert_eq!((kept(&world, &org).await, world.backend.dump()), before);
}

async fn batches_of_a_group_that_fail_leave_the_counts_of_the_others<B: Backend>() {
    let world = World::<B>::new();
    let orgs = [world.org("acme").await, world.org("other").await];
    let mut before = Vec::new();
    let mut batches = Vec::new();
    for n in 0..40 {
        let org = &orgs[n % 2];
        let bob = world.add_user(org, org.top, &format!("bob {n}")).await;
        let mut changes = counting(&world, org, &bob).await;
        match n % 5 {
            1 | 2 => changes.push(user_insert(&world.user(org, org.top, &format!("BOB {n}")).await)),
            3 => changes.push(Change::RefreshRetire { hash: [9; 32], at: START }),
            _ => {}
        }
        batches.push(Batch { changes, ..Batch::new(org.tenant).journal(entry(org, n)) });
    }
    for org in &orgs {
        before.push(kept(&world, org).await);
    }
    let hold = world.backend.hold_writes();
    let started: Vec<_> =
        batches.into_iter().filter_map(|batch| start(world.store().commit(batch)).ok()).collect();
    drop(hold);
    let mut done = [0, 0];
    for (n, future) in started.into_iter().enumerate() {
        let good = matches!(n % 5, 0 | 4);
        assert_eq!(future.await.is_ok(), good);
        done[n % 2] += u64::from(good);
    }
    assert_eq!(done, [8, 8]);
    for (org, before) in orgs.iter().zip(before) {
        let expected = TenantCounts {
            messages: 0,
            incomings: 0,
            org_units: before.org_units + 8,
            users_active: before.users_active,
            users_inactive: before.users_inactive + 8,
            users_deleted: before.users_deleted + 8,
            user_groups: before.user_groups,
            journal: before.journal + 8,
        };
        assert_eq!(kept(&world, org).await, expected);
        assert_eq!(counted(&world, org), expected);
    }
}

async fn a_batch_that_changes_a_user_twice_counts_it_once<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let first = world.user(&org, org.top, "bob").await;
    let second = User { status: UserStatus::Inactive, version: 2, ..first.clone() };
    let third = User { status: UserStatus::Deleted, version: 3, ..first.clone() };
    let changes = vec![user_insert(&first), user_update(&first, &second), user_update(&second, &third)];
    world.commit(&org, changes).await.unwrap();
    assert_eq!(kept(&world, &org).await, counted(&world, &org));
    assert_eq!(kept(&world, &org).await.users_deleted, 1);
}
