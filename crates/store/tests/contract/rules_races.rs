//! The rules of org units when several callers act at once.
//!
//! Which of them is first is left to chance, so that every test runs rounds or crowds and asks for
//! what must hold whoever wins.

use muster_domain::org_unit::{Located, OrgUnit, OrgUnitPatch, OrgUnitStatus, OrgUnitStore as _};
use muster_domain::user::{UserPatch, UserStore as _};
use muster_domain::{Error, OrgUnitId, Precondition, Rule, Unique};

use crate::support::{Backend, all_at_once};
use crate::world::{Org, World, named, under, with_status};

contract![
    moves_that_make_a_cycle_together_do_not_both_happen,
    moves_in_a_ring_leave_a_tree,
    of_creates_with_one_name_exactly_one_wins,
    of_renames_to_one_name_exactly_one_wins,
    a_child_is_not_created_under_a_parent_being_archived,
    a_user_is_not_created_in_a_unit_being_archived,
    a_unit_is_not_restored_under_a_parent_being_archived,
    a_unit_is_not_moved_under_a_parent_being_archived,
    of_updates_with_one_expected_version_exactly_one_wins,
    updates_without_a_precondition_all_happen_one_after_the_other,
    moves_that_have_nothing_to_do_with_each_other_all_happen,
];

const ROUNDS: usize = 12;

/// Callers that change one row at once: fewer than a use case has attempts, so that none gives up.
const CROWD: usize = 24;

type Outcome = Result<OrgUnit, Error>;

/// An update that is read and made by a task of its own.
fn updating<B: Backend>(
    world: &World<B>,
    org: &Org,
    id: OrgUnitId,
    patch: OrgUnitPatch,
    precondition: Option<Precondition<Located>>,
) -> impl Future<Output = Outcome> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    async move {
        let found = directory.org_unit_get(&ctx, id).await?;
        directory.org_unit_update(&ctx, found, patch.into(), precondition).await
    }
}

fn creating<B: Backend>(
    world: &World<B>,
    org: &Org,
    parent: OrgUnitId,
    name: &str,
) -> impl Future<Output = Outcome> + Send + use<B> {
    let (directory, ctx) = (world.node(), org.ctx.clone());
    let patch = OrgUnitPatch { parent_id: Some(parent), ..named(name) };
    async move { directory.org_unit_create(&ctx, patch.into()).await }
}

/// Runs two tasks at once and returns their results in this order.
async fn both<T: Send + 'static, U: Send + 'static>(
    first: impl Future<Output = T> + Send + 'static,
    second: impl Future<Output = U> + Send + 'static,
) -> (T, U) {
    let (first, second) = (tokio::spawn(first), tokio::spawn(second));
    (first.await.unwrap(), second.await.unwrap())
}

/// Whether every unit still hangs below the top.
async fn reaches_top<B: Backend>(world: &World<B>, org: &Org, ids: &[OrgUnitId]) -> bool {
    let below = world.store().org_unit_ids(org.tenant, org.top).await.unwrap();
    ids.iter().all(|id| below.contains(id))
}

async fn moves_that_make_a_cycle_together_do_not_both_happen<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let a = world.add_unit(&org, org.top, &format!("a{round}")).await.id;
        let b = world.add_unit(&org, org.top, &format!("b{round}")).await.id;
        let (first, second) =
            both(updating(&world, &org, a, under(b), None), updating(&world, &org, b, under(a), None)).await;
        assert!(reaches_top(&world, &org, &[a, b]).await);
        let refused = |outcome: &Outcome| matches!(outcome, Err(Error::Rule(Rule::Cycle)));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert!(refused(&first) != refused(&second), "{first:?} {second:?}");
    }
}

async fn moves_in_a_ring_leave_a_tree<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let mut ids = Vec::new();
        for n in 0..4 {
            ids.push(world.add_unit(&org, org.top, &format!("unit {round} {n}")).await.id);
        }
        let moves: Vec<_> =
            (0..4).map(|n| updating(&world, &org, ids[n], under(ids[(n + 1) % 4]), None)).collect();
        let outcomes = all_at_once(moves).await;
        assert!(reaches_top(&world, &org, &ids).await);
        // Any three of the four fit together.
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3, "{outcomes:?}");
    }
}

async fn of_creates_with_one_name_exactly_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let made = world.journal(&org).await.len();
    let names = ["Straße", "STRASSE", "strasse", "straße"];
    let tasks: Vec<_> = (0..50).map(|n| creating(&world, &org, org.top, names[n % 4])).collect();
    let outcomes = all_at_once(tasks).await;
    let duplicates =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Duplicate(Unique::OrgUnitName))));
    assert_eq!(duplicates.count(), 49, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(world.store().org_unit_ids(org.tenant, org.top).await.unwrap().len(), 2);
    assert_eq!(world.journal(&org).await.len(), made + 1);
}

async fn of_renames_to_one_name_exactly_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut tasks = Vec::new();
    for n in 0..20 {
        let unit = world.add_unit(&org, org.top, &format!("unit {n}")).await;
        tasks.push(updating(&world, &org, unit.id, named("Taken"), None));
    }
    let outcomes = all_at_once(tasks).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(_) | Err(Error::Duplicate(_)))));
}

fn is_parent_inactive<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Invalid(fields))
        if matches!(fields[0].problem, muster_domain::Problem::Inactive(_)))
}

fn is_rule<T>(outcome: &Result<T, Error>, rule: Rule) -> bool {
    matches!(outcome, Err(Error::Rule(found)) if *found == rule)
}

async fn a_child_is_not_created_under_a_parent_being_archived<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let parent = world.add_unit(&org, org.top, &format!("unit {round}")).await.id;
        let archive = updating(&world, &org, parent, with_status(OrgUnitStatus::Inactive), None);
        let (archived, created) = both(archive, creating(&world, &org, parent, "child")).await;
        let fits = match (&archived, &created) {
            (Ok(_), refused) => is_parent_inactive(refused),
            (refused, Ok(_)) => is_rule(refused, Rule::NotVacant),
            _ => false,
        };
        assert!(fits, "{archived:?} {created:?}");
        assert_eq!(world.stored_unit(&org, parent).await.is_active(), created.is_ok());
    }
}

async fn a_user_is_not_created_in_a_unit_being_archived<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let unit = world.add_unit(&org, org.top, &format!("unit {round}")).await.id;
        let new = UserPatch {
            login: Some(format!("user {round}")),
            org_unit_id: Some(unit),
            ..UserPatch::default()
        };
        let (directory, ctx) = (world.node(), org.ctx.clone());
        let create = async move { directory.user_create(&ctx, new.into()).await };
        let archive = updating(&world, &org, unit, with_status(OrgUnitStatus::Inactive), None);
        let (archived, created) = both(archive, create).await;
        let fits = match (&archived, &created) {
            (Ok(_), refused) => is_parent_inactive(refused),
            (refused, Ok(user)) => {
                let stored = world.store().user(org.tenant, user.id).await.unwrap();
                is_rule(refused, Rule::NotVacant) && stored.as_ref() == Some(user)
            }
            _ => false,
        };
        assert!(fits, "{archived:?} {created:?}");
    }
}

async fn a_unit_is_not_restored_under_a_parent_being_archived<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let parent = world.add_unit(&org, org.top, &format!("unit {round}")).await.id;
        let child = world.add_archived(&org, parent, "child").await.id;
        let archive = updating(&world, &org, parent, with_status(OrgUnitStatus::Inactive), None);
        let restore = updating(&world, &org, child, with_status(OrgUnitStatus::Active), None);
        let (archived, restored) = both(archive, restore).await;
        let fits = match (&archived, &restored) {
            (Ok(_), refused) => is_rule(refused, Rule::ParentArchived),
            (refused, Ok(_)) => is_rule(refused, Rule::NotVacant),
            _ => false,
        };
        assert!(fits, "{archived:?} {restored:?}");
    }
}

async fn a_unit_is_not_moved_under_a_parent_being_archived<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for round in 0..ROUNDS {
        let parent = world.add_unit(&org, org.top, &format!("unit {round}")).await.id;
        let unit = world.add_unit(&org, org.top, &format!("moved {round}")).await.id;
        let archive = updating(&world, &org, parent, with_status(OrgUnitStatus::Inactive), None);
        let (archived, moved) = both(archive, updating(&world, &org, unit, under(parent), None)).await;
        let fits = match (&archived, &moved) {
            (Ok(_), refused) => is_parent_inactive(refused),
            (refused, Ok(_)) => is_rule(refused, Rule::NotVacant),
            _ => false,
        };
        assert!(fits, "{archived:?} {moved:?}");
    }
}

async fn of_updates_with_one_expected_version_exactly_one_wins<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let made = world.journal(&org).await.len();
    for expected in 1..=5 {
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let precondition: Precondition<Located> =
                    Box::new(move |located| located.unit.version == expected);
                let patch = named(&format!("name {expected} {n}"));
                updating(&world, &org, unit, patch, Some(precondition))
            })
            .collect();
        let outcomes = all_at_once(tasks).await;
        let winners: Vec<&OrgUnit> = outcomes.iter().flatten().collect();
        assert_eq!(winners, [&world.stored_unit(&org, unit).await]);
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Precondition)));
        assert_eq!(refused.count(), 15, "{outcomes:?}");
    }
    assert_eq!(world.journal(&org).await.len(), made + 5);
}

async fn updates_without_a_precondition_all_happen_one_after_the_other<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let made = world.journal(&org).await.len();
    let tasks: Vec<_> =
        (0..CROWD).map(|n| updating(&world, &org, unit, named(&format!("name {n}")), None)).collect();
    let mut versions: Vec<i64> =
        all_at_once(tasks).await.into_iter().map(|outcome| outcome.unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..).take(CROWD).collect::<Vec<_>>());
    assert_eq!(world.journal(&org).await.len(), made + CROWD);
}

async fn moves_that_have_nothing_to_do_with_each_other_all_happen<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let parent = world.add_unit(&org, org.top, "parent").await.id;
    let mut tasks = Vec::new();
    for n in 0..CROWD {
        let unit = world.add_unit(&org, org.top, &format!("unit {n}")).await.id;
        tasks.push(updating(&world, &org, unit, under(parent), None));
    }
    let outcomes = all_at_once(tasks).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let below = world.store().org_unit_ids(org.tenant, parent).await.unwrap();
    assert_eq!(below.len(), CROWD + 1);
}
