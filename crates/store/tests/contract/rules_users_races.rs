//! The rules of users when several callers act at once; see also `rules_races` and `rules_admins`.

use muster_domain::org_unit::OrgUnitStatus;
use muster_domain::tenant::{TenantCounts, TenantStore as _};
use muster_domain::user::{User, UserPatch, UserStatus, UserStore as _, UserView};
use muster_domain::{Entity, Error, OrgUnitId, Precondition, Problem, Rule, Unique, UserId};

use crate::support::{Backend, all_at_once};
use crate::world::{Org, World, with_login, with_status};

contract![
    of_a_thousand_creates_of_one_login_exactly_one_wins,
    of_creates_that_claim_one_login_in_several_tenants_exactly_one_wins,
    of_changes_to_one_login_exactly_one_wins,
    of_passwords_for_one_login_in_several_tenants_exactly_one_claims_it,
    of_changes_with_one_expected_version_exactly_one_wins,
    changes_without_a_precondition_all_happen_one_after_the_other,
    of_deletions_exactly_one_happens,
    erasures_of_a_deleted_user_all_end_well_and_one_is_journaled,
    a_change_and_a_deletion_do_not_mix,
    a_user_is_not_moved_into_a_unit_being_archived,
    no_session_outlives_a_deactivation_at_the_same_time,
];

const ROUNDS: usize = 12;

type Outcome = Result<User, Error>;

fn creating<B: Backend>(
    world: &World<B>,
    org: &Org,
    new: UserPatch,
) -> impl Future<Output = Outcome> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move { directory.user_create(&ctx, new.into()).await }
}

/// A change that is read and made by a task of its own.
fn updating<B: Backend>(
    world: &World<B>,
    org: &Org,
    id: UserId,
    patch: UserPatch,
    precondition: Option<Precondition<UserView>>,
) -> impl Future<Output = Outcome> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.user_get_writable(&ctx, id).await?;
        directory.user_update(&ctx, found, patch.into(), precondition).await
    }
}

fn deleting<B: Backend>(
    world: &World<B>,
    org: &Org,
    id: UserId,
    for_good: bool,
) -> impl Future<Output = Outcome> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.user_get_writable(&ctx, id).await?;
        if for_good {
            directory.user_erase(&ctx, found, None).await.map(|ended| ended.after)
        } else {
            directory.user_delete(&ctx, found, None).await
        }
    }
}

/// Runs two tasks at once and returns their results in this order.
async fn both<T: Send + 'static, U: Send + 'static>(
    first: impl Future<Output = T> + Send + 'static,
    second: impl Future<Output = U> + Send + 'static,
) -> (T, U) {
    let (first, second) = (tokio::spawn(first), tokio::spawn(second));
    (first.await.unwrap(), second.await.unwrap())
}

fn first_name(name: &str) -> UserPatch {
    UserPatch { first_name: Some(name.to_owned()), ..UserPatch::default() }
}

/// Exactly one outcome is good, and all others are refused because the login is taken.
fn one_wins(outcomes: &[Outcome]) -> &User {
    let winners: Vec<&User> = outcomes.iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Duplicate(Unique::Login))));
    assert_eq!(refused.count(), outcomes.len() - 1, "{outcomes:?}");
    winners[0]
}

async fn counts<B: Backend>(world: &World<B>, org: &Org) -> TenantCounts {
    world.store().tenant_counts(org.tenant).await.unwrap().unwrap()
}

async fn of_a_thousand_creates_of_one_login_exactly_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (made, before) = (world.journal(&org).await.len(), counts(&world, &org).await);
    let logins = ["Straße", "STRASSE", " strasse", "straße"];
    let tasks: Vec<_> = (0..1000)
        .map(|n| {
            let claims_login = n % 3 == 0;
            creating(&world, &org, UserPatch { claims_login, ..with_login(logins[n % 4]) })
        })
        .collect();
    let outcomes = all_at_once(tasks).await;
    let winner = one_wins(&outcomes);
    assert_eq!(&world.stored_user(winner).await, winner);
    let holder = world.store().user_by_claim("strasse").await.unwrap();
    assert_eq!(holder.as_ref(), winner.login_claimed.then_some(winner));
    assert_eq!(world.journal(&org).await.len(), made + 1);
    let TenantCounts { users_active, journal, .. } = before;
    let expected = TenantCounts { users_active: users_active + 1, journal: journal + 1, ..before };
    assert_eq!(counts(&world, &org).await, expected);
    let stored = format!("SELECT COUNT(*) FROM users WHERE tenant_id = {}", org.tenant);
    assert_eq!(world.backend.look(&stored), 2);
}

async fn of_creates_that_claim_one_login_in_several_tenants_exactly_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let orgs = [world.org("acme").await, world.org("other").await, world.org("third").await];
    let new = UserPatch { claims_login: true, ..with_login("ann") };
    let tasks: Vec<_> = (0..90).map(|n| creating(&world, &orgs[n % 3], new.clone())).collect();
    let outcomes = all_at_once(tasks).await;
    let winner = one_wins(&outcomes);
    assert_eq!(world.store().user_by_claim("ann").await.unwrap().as_ref(), Some(winner));
    for org in &orgs {
        let wins = u64::from(org.tenant == winner.tenant);
        assert_eq!(counts(&world, org).await.users_active, 1 + wins);
        assert_eq!(counts(&world, org).await.journal, 6 + wins);
    }
}

async fn of_changes_to_one_login_exactly_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut tasks = Vec::new();
    for n in 0..30 {
        let new = UserPatch { claims_login: n % 2 == 0, ..with_login(&format!("user {n}")) };
        let user = world.create_user(&org, new).await.unwrap();
        tasks.push(updating(&world, &org, user.id, with_login("Taken"), None));
    }
    let outcomes = all_at_once(tasks).await;
    let winner = one_wins(&outcomes);
    let claims = "SELECT COUNT(*) FROM login_claims";
    assert_eq!(world.backend.look(claims), 16, "of the admin and of every other user");
    let holder = world.store().user_by_claim("taken").await.unwrap();
    assert_eq!(holder.as_ref(), winner.login_claimed.then_some(winner));
}

async fn of_passwords_for_one_login_in_several_tenants_exactly_one_claims_it<B: Backend>() {
    let world = World::<B>::new();
    let mut tasks = Vec::new();
    let mut users = Vec::new();
    for n in 0..6 {
        let org = world.org(&format!("org {n}")).await;
        let user = world.create_user(&org, with_login("ann")).await.unwrap();
        let patch = UserPatch { password: Some("correct horse battery".into()), ..UserPatch::default() };
        tasks.push(updating(&world, &org, user.id, patch, None));
        users.push(user);
    }
    let outcomes = all_at_once(tasks).await;
    let winner = one_wins(&outcomes);
    assert_eq!(world.store().user_by_claim("ann").await.unwrap().as_ref(), Some(winner));
    for user in users.iter().filter(|user| user.id != winner.id) {
        assert_eq!(&world.stored_user(user).await, user);
    }
}

async fn of_changes_with_one_expected_version_exactly_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    let made = world.journal(&org).await.len();
    for expected in 1..=5 {
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let holds: Precondition<UserView> = Box::new(move |view| view.user.version == expected);
                updating(&world, &org, user.id, first_name(&format!("{expected} {n}")), Some(holds))
            })
            .collect();
        let outcomes = all_at_once(tasks).await;
        let winners: Vec<&User> = outcomes.iter().flatten().collect();
        assert_eq!(winners, [&world.stored_user(&user).await]);
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Precondition)));
        assert_eq!(refused.count(), 15, "{outcomes:?}");
    }
    assert_eq!(world.journal(&org).await.len(), made + 5);
}

async fn changes_without_a_precondition_all_happen_one_after_the_other<B: Backend>() {
    const CROWD: usize = 24;

    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    let made = world.journal(&org).await.len();
    // Half of them change one field, half another: none may be lost.
    let tasks: Vec<_> = (0..CROWD)
        .map(|n| {
            let last_name = Some(format!("last {n}"));
            let patch = if n % 2 == 0 {
                first_name(&format!("first {n}"))
            } else {
                UserPatch { last_name, ..UserPatch::default() }
            };
            updating(&world, &org, user.id, patch, None)
        })
        .collect();
    let outcomes = all_at_once(tasks).await;
    let mut versions: Vec<i64> = outcomes.into_iter().map(|outcome| outcome.unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..).take(CROWD).collect::<Vec<_>>());
    assert_eq!(world.journal(&org).await.len(), made + CROWD);
    let stored = world.stored_user(&user).await;
    assert!(stored.first_name.starts_with("first") && stored.last_name.starts_with("last"), "{stored:?}");
}

fn is_gone(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Error::NotFound(Entity::User)))
}

async fn of_deletions_exactly_one_happens<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let user = world.add_user(&org, org.top, &format!("user {round}")).await;
        let made = world.journal(&org).await.len();
        // In every third round some of them are for good.
        let tasks: Vec<_> =
            (0..10).map(|n| deleting(&world, &org, user.id, round % 3 == 0 && n % 2 == 0)).collect();
        let outcomes = all_at_once(tasks).await;
        let winners: Vec<&User> = outcomes.iter().flatten().collect();
        assert_eq!(winners, [&world.stored_user(&user).await]);
        assert_eq!(outcomes.iter().filter(|outcome| is_gone(outcome)).count(), 9, "{outcomes:?}");
        assert_eq!(world.journal(&org).await.len(), made + 1);
    }
    let counts = counts(&world, &org).await;
    assert_eq!((counts.users_active, counts.users_deleted), (1, ROUNDS as u64));
}

async fn erasures_of_a_deleted_user_all_end_well_and_one_is_journaled<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let user = world.create_user(&org, with_login(&format!("user {round}"))).await.unwrap();
        world.delete_user(&org, user.id).await.unwrap();
        let made = world.journal(&org).await.len();
        // All have read the user before the first of them erases it.
        let found = world.directory.user_get(&org.ctx, user.id).await.unwrap();
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (directory, ctx, found) = (world.node(), org.ctx.clone(), found.clone());
                async move { directory.user_erase(&ctx, found, None).await.map(|ended| ended.after) }
            })
            .collect();
        let stored = all_at_once(tasks).await.into_iter().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(stored, vec![world.stored_user(&user).await; 6]);
        assert_eq!(world.journal(&org).await.len(), made + 1);
    }
}

async fn a_change_and_a_deletion_do_not_mix<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let user = world.add_user(&org, org.top, &format!("user {round}")).await;
        let delete = deleting(&world, &org, user.id, round % 2 == 0);
        let (changed, deleted) =
            both(updating(&world, &org, user.id, first_name("Late"), None), delete).await;
        let deleted = deleted.unwrap();
        assert_eq!(world.stored_user(&user).await, deleted);
        assert!(deleted.is_deleted());
        match changed {
            Ok(changed) => assert_eq!((changed.version, deleted.version), (2, 3)),
            refused => assert!(is_gone(&refused), "{refused:?}"),
        }
    }
}

async fn a_user_is_not_moved_into_a_unit_being_archived<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let user = world.add_user(&org, org.top, "bob").await;
    for round in 0..ROUNDS {
        let unit = world.add_unit(&org, org.top, &format!("unit {round}")).await.id;
        let into = |unit: OrgUnitId| UserPatch { org_unit_id: Some(unit), ..UserPatch::default() };
        let (directory, ctx) = (world.node(), org.ctx.clone());
        let archive = async move {
            let found = directory.org_unit_get(&ctx, unit).await?;
            directory.org_unit_update(&ctx, found, with_status(OrgUnitStatus::Inactive).into(), None).await
        };
        let (archived, moved) = both(archive, updating(&world, &org, user.id, into(unit), None)).await;
        let fits = match (&archived, &moved) {
            (Ok(_), Err(Error::Invalid(fields))) => matches!(fields[0].problem, Problem::Inactive(_)),
            (Err(Error::Rule(Rule::NotVacant)), Ok(_)) => true,
            _ => false,
        };
        assert!(fits, "{archived:?} {moved:?}");
        assert_eq!(world.stored_unit(&org, unit).await.is_active(), moved.is_ok());
        world.update_user(&org, user.id, into(org.top)).await.unwrap();
    }
}

async fn no_session_outlives_a_deactivation_at_the_same_time<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let tokens = format!("SELECT COUNT(*) FROM session_tokens WHERE tenant_id = {}", org.tenant);
    for round in 0..ROUNDS {
        let user = world.add_user(&org, org.top, &format!("user {round}")).await;
        let [_, refresh] = world.session(&user).await;
        let directory = world.node();
        let renew = async move { directory.session_refresh(&refresh).await.map(drop) };
        let status = Some(UserStatus::Inactive);
        let patch = UserPatch { status, ..UserPatch::default() };
        let (renewed, changed) = both(renew, updating(&world, &org, user.id, patch, None)).await;
        changed.unwrap();
        assert!(matches!(renewed, Ok(()) | Err(Error::Unauthenticated(_))), "{renewed:?}");
        assert_eq!(world.backend.look(&tokens), 0, "a session was renewed: {renewed:?}");
    }
}
