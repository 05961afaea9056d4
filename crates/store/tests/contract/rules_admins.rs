//! The rule of the last admin: an active Admin of the top unit remains, one with a password if any has one.

use muster_domain::user::{Role, User, UserPatch, UserStatus, UserStore as _};
use muster_domain::{Batch, Ctx, Directory, Error, Guard, OrgUnitId, Rule, Store, StoreError, UserId};

use crate::support::{Backend, all_at_once};
use crate::world::{Org, World, as_admin, entry, user_insert};

contract![
    who_counts_as_a_remaining_admin,
    the_last_admin_is_removed_in_no_way,
    an_admin_beside_another_is_removed_unless_only_it_has_a_password,
    who_does_not_govern_the_top_does_not_count,
    admins_of_lower_units_are_removed_freely,
    what_leaves_the_last_admin_in_its_place_is_allowed,
    an_admin_that_comes_back_counts_again,
    of_two_admins_removed_at_once_one_stays,
    of_many_admins_removed_at_once_one_stays,
    of_admins_removed_at_once_one_with_a_password_stays,
];

/// How an admin can stop to govern the top.
#[derive(Clone, Copy, Debug)]
enum Way {
    Demote,
    Deactivate,
    MoveAway,
    Delete,
    Erase,
}

const WAYS: [Way; 5] = [Way::Demote, Way::Deactivate, Way::MoveAway, Way::Delete, Way::Erase];

type Outcome = Result<User, Error>;

async fn remove<S: Store>(
    directory: &Directory<S>,
    ctx: &Ctx,
    id: UserId,
    way: Way,
    elsewhere: OrgUnitId,
) -> Outcome {
    let found = directory.user_get_writable(ctx, id).await?;
    let patch = match way {
        Way::Demote => UserPatch { role: Some(Role::Standard), ..UserPatch::default() },
        Way::Deactivate => UserPatch { status: Some(UserStatus::Inactive), ..UserPatch::default() },
        Way::MoveAway => UserPatch { org_unit_id: Some(elsewhere), ..UserPatch::default() },
        Way::Delete => return directory.user_delete(ctx, found, None).await,
        Way::Erase => return directory.user_erase(ctx, found, None).await.map(|ended| ended.after),
    };
    directory.user_update(ctx, found, patch.into(), None).await
}

fn is_refused(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Error::Rule(Rule::LastAdmin)))
}

/// Stores a further active Admin.
async fn add_admin<B: Backend>(
    world: &World<B>,
    org: &Org,
    unit: OrgUnitId,
    login: &str,
    with_password: bool,
) -> User {
    let admin = as_admin(world.user(org, unit, login).await, with_password);
    world.commit(org, vec![user_insert(&admin)]).await.unwrap();
    admin
}

/// A tenant whose admin has a password or not, with a lower unit.
async fn org_with_unit<B: Backend>(world: &World<B>, name: &str, with_password: bool) -> (Org, OrgUnitId) {
    let mut org = world.org(name).await;
    if with_password {
        let change = |user: &mut User| user.password_hash = Some("$stand-in".to_owned());
        org.admin = world.change_user(&org, &org.admin, change).await.unwrap();
    }
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    (org, unit)
}

async fn who_counts_as_a_remaining_admin<B: Backend>() {
    let world = World::<B>::new();
    world.org_with("with password", Some("correct horse battery")).await;
    for (n, (role, status, on_top, password, any, able)) in [
        (Role::Admin, UserStatus::Active, true, true, true, true),
        (Role::Admin, UserStatus::Active, true, false, true, false),
        (Role::Standard, UserStatus::Active, true, true, false, false),
        (Role::ReadOnly, UserStatus::Active, true, true, false, false),
        (Role::Admin, UserStatus::Inactive, true, true, false, false),
        (Role::Admin, UserStatus::Deleted, true, true, false, false),
        (Role::Admin, UserStatus::Active, false, true, false, false),
    ]
    .into_iter()
    .enumerate()
    {
        let (org, unit) = org_with_unit(&world, &format!("org {n}"), true).await;
        let user = world.user(&org, if on_top { org.top } else { unit }, "bob").await;
        let user = User { role, status, ..as_admin(user, password) };
        world.commit(&org, vec![user_insert(&user)]).await.unwrap();
        for (with_password, expected) in [(false, any), (true, able)] {
            let besides = org.admin.id;
            let found = world.store().admin_remains(org.tenant, besides, with_password).await.unwrap();
            assert_eq!(found, expected, "{user:?}");
            let guard = Guard::AdminRemains { besides, with_password };
            let batch = Batch::new(org.tenant).guard(guard).journal(entry(&org, 1));
            let outcome = world.store().commit(batch).await;
            assert_eq!(outcome, if expected { Ok(()) } else { Err(StoreError::GuardFailed) }, "{user:?}");
            // Besides the other one there is always the first.
            assert!(world.store().admin_remains(org.tenant, user.id, with_password).await.unwrap());
        }
    }
}

async fn the_last_admin_is_removed_in_no_way<B: Backend>() {
    let world = World::<B>::new();
    for (n, way) in WAYS.into_iter().enumerate() {
        for with_password in [false, true] {
            let (org, unit) = org_with_unit(&world, &format!("org {n} {with_password}"), with_password).await;
            let journal = world.journal(&org).await;
            let outcome = remove(&world.directory, &org.ctx, org.admin.id, way, unit).await;
            assert!(is_refused(&outcome), "{way:?}: {outcome:?}");
            assert_eq!(world.stored_user(&org.admin).await, org.admin);
            assert_eq!(world.journal(&org).await, journal);
        }
    }
}

async fn an_admin_beside_another_is_removed_unless_only_it_has_a_password<B: Backend>() {
    let world = World::<B>::new();
    for (n, way) in WAYS.into_iter().enumerate() {
        for (own, others, allowed) in [
            (true, vec![true], true),
            (true, vec![false], false),
            (true, vec![false, false], false),
            (true, vec![false, true], true),
            (false, vec![true], true),
            (false, vec![false], true),
        ] {
            let (org, unit) = org_with_unit(&world, &format!("org {n} {own} {others:?}"), own).await;
            for (n, with_password) in others.iter().enumerate() {
                add_admin(&world, &org, org.top, &format!("admin {n}"), *with_password).await;
            }
            let outcome = remove(&world.directory, &org.ctx, org.admin.id, way, unit).await;
            let case = format!("{way:?} {own} {others:?}: {outcome:?}");
            assert_eq!((outcome.is_ok(), is_refused(&outcome)), (allowed, !allowed), "{case}");
            let stays = world.stored_user(&org.admin).await == org.admin;
            assert_eq!(stays, !allowed, "{case}");
        }
    }
}

async fn who_does_not_govern_the_top_does_not_count<B: Backend>() {
    let world = World::<B>::new();
    let (org, unit) = org_with_unit(&world, "acme", true).await;
    world.org_with("neighbour", Some("correct horse battery")).await;
    add_admin(&world, &org, unit, "of the unit", true).await;
    for (login, role, status) in [
        ("standard", Role::Standard, UserStatus::Active),
        ("reader", Role::ReadOnly, UserStatus::Active),
        ("inactive", Role::Admin, UserStatus::Inactive),
        ("deleted", Role::Admin, UserStatus::Deleted),
    ] {
        let user = as_admin(world.user(&org, org.top, login).await, true);
        world.commit(&org, vec![user_insert(&User { role, status, ..user })]).await.unwrap();
    }
    for way in WAYS {
        let outcome = remove(&world.directory, &org.ctx, org.admin.id, way, unit).await;
        assert!(is_refused(&outcome), "{way:?}: {outcome:?}");
    }
}

async fn admins_of_lower_units_are_removed_freely<B: Backend>() {
    let world = World::<B>::new();
    let (org, unit) = org_with_unit(&world, "acme", false).await;
    let elsewhere = world.add_unit(&org, org.top, "elsewhere").await.id;
    for (n, way) in WAYS.into_iter().enumerate() {
        let admin = add_admin(&world, &org, unit, &format!("admin {n}"), true).await;
        remove(&world.directory, &org.ctx, admin.id, way, elsewhere).await.unwrap();
    }
    // So are those of the top who are no admins.
    for (n, way) in WAYS.into_iter().enumerate() {
        let user = world.add_user(&org, org.top, &format!("user {n}")).await;
        remove(&world.directory, &org.ctx, user.id, way, elsewhere).await.unwrap();
    }
}

async fn what_leaves_the_last_admin_in_its_place_is_allowed<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let patch = UserPatch {
        first_name: Some("Beth".to_owned()),
        login: Some("beth@acme".to_owned()),
        role: Some(Role::Admin),
        status: Some(UserStatus::Active),
        org_unit_id: Some(org.top),
        password: Some("correct horse battery".into()),
        ..UserPatch::default()
    };
    let changed = world.update_user(&org, org.admin.id, patch).await.unwrap();
    assert_eq!((changed.version, changed.role), (2, Role::Admin));
    assert_eq!(world.stored_user(&org.admin).await, changed);
}

async fn an_admin_that_comes_back_counts_again<B: Backend>() {
    let world = World::<B>::new();
    let (org, unit) = org_with_unit(&world, "acme", false).await;
    let second = add_admin(&world, &org, org.top, "second", false).await;
    for way in [Way::Demote, Way::Deactivate, Way::MoveAway] {
        remove(&world.directory, &org.ctx, second.id, way, unit).await.unwrap();
        let outcome = remove(&world.directory, &org.ctx, org.admin.id, way, unit).await;
        assert!(is_refused(&outcome), "{way:?}: {outcome:?}");
        let back = UserPatch {
            role: Some(Role::Admin),
            status: Some(UserStatus::Active),
            org_unit_id: Some(org.top),
            ..UserPatch::default()
        };
        for id in [second.id, org.admin.id] {
            world.update_user(&org, id, back.clone()).await.unwrap();
            // Now either may go, and comes back before the other does.
            remove(&world.directory, &org.ctx, org.admin.id, way, unit).await.unwrap();
            world.update_user(&org, org.admin.id, back.clone()).await.unwrap();
        }
    }
}

/// Removes admins at once, each in its way; the outcomes stand in the order of the admins.
async fn remove_at_once<B: Backend>(
    world: &World<B>,
    org: &Org,
    admins: &[(UserId, Way)],
    elsewhere: OrgUnitId,
) -> Vec<(UserId, Outcome)> {
    let tasks = admins.iter().map(|(id, way)| {
        let (directory, ctx) = (world.node(), org.ctx.clone());
        let (id, way) = (*id, *way);
        async move { (id, remove(&directory, &ctx, id, way, elsewhere).await) }
    });
    all_at_once(tasks.collect::<Vec<_>>()).await
}

async fn of_two_admins_removed_at_once_one_stays<B: Backend>() {
    let world = World::<B>::new();
    for (m, first) in WAYS.into_iter().enumerate() {
        for (n, second) in WAYS.into_iter().enumerate() {
            let (org, unit) = org_with_unit(&world, &format!("org {m} {n}"), false).await;
            let other = add_admin(&world, &org, org.top, "other", false).await;
            let outcomes =
                remove_at_once(&world, &org, &[(org.admin.id, first), (other.id, second)], unit).await;
            let case = format!("{first:?} {second:?}: {outcomes:?}");
            assert_eq!(outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count(), 1, "{case}");
            assert_eq!(outcomes.iter().filter(|(_, outcome)| is_refused(outcome)).count(), 1, "{case}");
            assert!(world.store().admin_remains(org.tenant, UserId(0), false).await.unwrap(), "{case}");
        }
    }
}

async fn of_many_admins_removed_at_once_one_stays<B: Backend>() {
    let world = World::<B>::new();
    for round in 0..5 {
        let (org, unit) = org_with_unit(&world, &format!("org {round}"), round % 2 == 0).await;
        let mut admins = vec![(org.admin.id, Way::Delete)];
        for n in 0..20 {
            let admin = add_admin(&world, &org, org.top, &format!("admin {n}"), round % 2 == 0).await;
            admins.push((admin.id, WAYS[(n + round) % 5]));
        }
        let outcomes = remove_at_once(&world, &org, &admins, unit).await;
        assert_eq!(outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count(), 20, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|(_, outcome)| is_refused(outcome)).count(), 1, "{outcomes:?}");
    }
}

async fn of_admins_removed_at_once_one_with_a_password_stays<B: Backend>() {
    let world = World::<B>::new();
    for (round, way) in WAYS.into_iter().enumerate() {
        let (org, unit) = org_with_unit(&world, &format!("org {round}"), true).await;
        let mut admins = vec![(org.admin.id, way)];
        let mut able = vec![org.admin.id];
        for n in 0..9 {
            let with_password = n % 2 == 0;
            let admin = add_admin(&world, &org, org.top, &format!("admin {n}"), with_password).await;
            admins.push((admin.id, way));
            if with_password {
                able.push(admin.id);
            }
        }
        let outcomes = remove_at_once(&world, &org, &admins, unit).await;
        let refused: Vec<UserId> =
            outcomes.iter().filter(|(_, outcome)| is_refused(outcome)).map(|(id, _)| *id).collect();
        // Nobody without a password is missed while one with a password is there.
        assert_eq!(refused.len(), 1, "{outcomes:?}");
        assert!(able.contains(&refused[0]), "{outcomes:?}");
        assert!(world.store().admin_remains(org.tenant, UserId(0), true).await.unwrap());
    }
}
