//! The rules of org units one by one: where each begins to refuse, and that it refuses no more.

use muster_domain::org_unit::Located;
use muster_domain::org_unit::{MAX_LEVEL, OrgUnit, OrgUnitPatch, OrgUnitStatus};
use muster_domain::{Ctx, Error, OrgUnitId, Patch, Precondition, Problem, Rule, Unique};

use crate::support::{Backend, START};
use crate::world::{Org, World, named, under, with_status};

contract![
    a_unit_is_not_moved_under_itself_or_a_descendant,
    the_deepest_level_holds_for_the_unit_itself,
    the_top_and_the_callers_own_unit_stay,
    only_a_vacant_unit_is_archived,
    a_unit_is_restored_under_an_active_parent_with_a_free_name,
    a_new_parent_is_active_and_an_old_one_is_not_asked_again,
    nothing_is_seen_or_used_outside_of_the_callers_scope,
    a_change_that_changes_nothing_commits_nothing,
    a_cleared_time_zone_is_that_of_the_parent,
    a_precondition_is_asked_on_what_is_stored,
    the_journal_names_what_a_change_was,
];

async fn create<B: Backend>(
    world: &World<B>,
    ctx: &Ctx,
    parent: OrgUnitId,
    name: &str,
) -> Result<OrgUnit, Error> {
    let patch = OrgUnitPatch { parent_id: Some(parent), ..named(name) };
    world.directory.org_unit_create(ctx, patch.into()).await
}

async fn update<B: Backend>(
    world: &World<B>,
    ctx: &Ctx,
    id: OrgUnitId,
    patch: OrgUnitPatch,
) -> Result<OrgUnit, Error> {
    let found = world.directory.org_unit_get(ctx, id).await?;
    world.directory.org_unit_update(ctx, found, patch.into(), None).await
}

/// The rule that refused an operation.
fn rule(outcome: Result<OrgUnit, Error>) -> Rule {
    match outcome {
        Err(Error::Rule(rule)) => rule,
        other => panic!("{other:?}"),
    }
}

/// What is wrong with the only failing field, which is the parent.
fn parent_problem(outcome: Result<OrgUnit, Error>) -> Problem {
    match outcome {
        Err(Error::Invalid(fields)) if fields.len() == 1 && fields[0].field == "parent_id" => {
            fields[0].problem.clone()
        }
        other => panic!("{other:?}"),
    }
}

fn duplicate(outcome: &Result<OrgUnit, Error>) -> bool {
    matches!(outcome, Err(Error::Duplicate(Unique::OrgUnitName)))
}

const ARCHIVED: OrgUnitStatus = OrgUnitStatus::Inactive;
const ACTIVE: OrgUnitStatus = OrgUnitStatus::Active;

async fn a_unit_is_not_moved_under_itself_or_a_descendant<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let chain = world.add_chain(&org, 4).await;
    for parent in &chain {
        assert_eq!(rule(update(&world, &org.ctx, chain[0], under(*parent)).await), Rule::Cycle);
    }
    // Up and aside is fine.
    update(&world, &org.ctx, chain[2], under(org.top)).await.unwrap();
    update(&world, &org.ctx, chain[0], under(chain[3])).await.unwrap();
    let ids = world.directory.org_unit_ids(&org.ctx, chain[2]).await.unwrap();
    assert_eq!(ids, [chain[2], chain[0], chain[1], chain[3]], "the whole subtree moves along");
}

async fn the_deepest_level_holds_for_the_unit_itself<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let chain = world.add_chain(&org, MAX_LEVEL - 2).await;
    let last = *chain.last().unwrap();
    let deepest = create(&world, &org.ctx, last, "deepest").await.unwrap();
    assert_eq!(world.directory.org_unit_get(&org.ctx, deepest.id).await.unwrap().path.len(), 64);
    assert_eq!(rule(create(&world, &org.ctx, deepest.id, "deeper").await), Rule::TooDeep);

    let moved = create(&world, &org.ctx, org.top, "moved").await.unwrap();
    let child = create(&world, &org.ctx, moved.id, "child").await.unwrap();
    assert_eq!(rule(update(&world, &org.ctx, moved.id, under(deepest.id)).await), Rule::TooDeep);
    update(&world, &org.ctx, moved.id, under(last)).await.unwrap();
    let located = world.directory.org_unit_get(&org.ctx, child.id).await.unwrap();
    assert_eq!(located.path.len(), MAX_LEVEL + 1, "what hangs below may go deeper");
    update(&world, &org.ctx, child.id, named("renamed")).await.unwrap();
}

async fn the_top_and_the_callers_own_unit_stay<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let own = world.add_unit(&org, org.top, "own").await.id;
    let other = world.add_unit(&org, org.top, "other").await.id;
    let below = world.add_unit(&org, own, "below").await.id;

    assert_eq!(rule(update(&world, &org.ctx, org.top, under(other)).await), Rule::TopMoved);
    assert_eq!(rule(update(&world, &org.ctx, org.top, with_status(ARCHIVED)).await), Rule::TopArchived);

    let ctx = Ctx::operator(org.tenant, own, START);
    assert_eq!(rule(update(&world, &ctx, own, under(below)).await), Rule::OwnUnitMoved);
    update(&world, &ctx, below, with_status(ARCHIVED)).await.unwrap();
    assert_eq!(rule(update(&world, &ctx, own, with_status(ARCHIVED)).await), Rule::OwnUnitArchived);
    update(&world, &ctx, own, named("mine")).await.unwrap();
    update(&world, &org.ctx, own, with_status(ARCHIVED)).await.unwrap();
}

async fn only_a_vacant_unit_is_archived<B: Backend>() {
    use muster_domain::user::UserStatus;

    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let child = world.add_unit(&org, unit, "child").await.id;
    let archive = async |id| {
        let found = world.directory.org_unit_get(&org.ctx, id).await.unwrap();
        world.directory.org_unit_archive(&org.ctx, found, None).await
    };
    assert_eq!(rule(archive(unit).await), Rule::NotVacant);
    archive(child).await.unwrap();
    let user = world.add_user(&org, unit, "bob").await;
    assert_eq!(rule(archive(unit).await), Rule::NotVacant);
    world.change_user(&org, &user, |user| user.status = UserStatus::Deleted).await.unwrap();
    assert!(!archive(unit).await.unwrap().is_active());
}

async fn a_unit_is_restored_under_an_active_parent_with_a_free_name<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let parent = world.add_archived(&org, org.top, "parent").await.id;
    let unit = world.add_archived(&org, parent, "unit").await.id;
    let restore = async |id| update(&world, &org.ctx, id, with_status(ACTIVE)).await;

    assert_eq!(rule(restore(unit).await), Rule::ParentArchived);
    restore(parent).await.unwrap();
    let namesake = create(&world, &org.ctx, parent, "UNIT").await.unwrap();
    assert!(duplicate(&restore(unit).await));
    update(&world, &org.ctx, namesake.id, with_status(ARCHIVED)).await.unwrap();
    let restored = restore(unit).await.unwrap();
    assert!(restored.is_active());
    assert!(duplicate(&restore(namesake.id).await));
    // A restoration can take another name along.
    let patch = OrgUnitPatch { status: Some(ACTIVE), ..named("another") };
    update(&world, &org.ctx, namesake.id, patch).await.unwrap();
}

async fn a_new_parent_is_active_and_an_old_one_is_not_asked_again<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let archived = world.add_archived(&org, org.top, "archived").await.id;
    let below = world.add_archived(&org, archived, "below").await.id;
    let unit = world.add_unit(&org, org.top, "unit").await.id;

    let inactive = Problem::Inactive("org unit");
    assert_eq!(parent_problem(create(&world, &org.ctx, archived, "new").await), inactive);
    assert_eq!(parent_problem(update(&world, &org.ctx, unit, under(archived)).await), inactive);
    let unknown = Problem::Unknown("org unit");
    assert_eq!(parent_problem(create(&world, &org.ctx, OrgUnitId(i64::MAX), "new").await), unknown);
    assert_eq!(parent_problem(update(&world, &org.ctx, unit, under(OrgUnitId(0))).await), unknown);

    // What was read can be sent back, also below an archived parent.
    let patch = OrgUnitPatch { name: Some("renamed".to_owned()), ..under(archived) };
    assert_eq!(update(&world, &org.ctx, below, patch).await.unwrap().name, "renamed");
}

async fn nothing_is_seen_or_used_outside_of_the_callers_scope<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let own = world.add_unit(&org, org.top, "own").await.id;
    let inside = world.add_unit(&org, own, "inside").await.id;
    let outside = world.add_unit(&org, org.top, "outside").await.id;
    let ctx = Ctx::operator(org.tenant, own, START);

    for hidden in [org.top, outside, other.top, OrgUnitId(i64::MAX)] {
        let directory = &world.directory;
        assert!(matches!(directory.org_unit_get(&ctx, hidden).await, Err(Error::NotFound(_))));
        assert!(matches!(directory.org_unit_ids(&ctx, hidden).await, Err(Error::NotFound(_))));
        let unknown = Problem::Unknown("org unit");
        assert_eq!(parent_problem(create(&world, &ctx, hidden, "new").await), unknown);
        assert_eq!(parent_problem(update(&world, &ctx, inside, under(hidden)).await), unknown);
    }
    let tree = world.directory.org_unit_tree(&ctx, false).await.unwrap();
    assert_eq!(tree.iter().map(|node| node.id).collect::<Vec<_>>(), [own, inside]);
    // Whoever has read a unit has lost it when it has left the scope by the time of the change.
    let found = world.directory.org_unit_get(&ctx, inside).await.unwrap();
    update(&world, &org.ctx, inside, under(outside)).await.unwrap();
    let outcome = world.directory.org_unit_update(&ctx, found, named("never").into(), None).await;
    assert!(matches!(outcome, Err(Error::NotFound(_))), "{outcome:?}");
}

async fn a_change_that_changes_nothing_commits_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await;
    let journal = world.journal(&org).await;
    world.clock.advance(std::time::Duration::from_secs(1));
    let later = Ctx::operator(org.tenant, org.top, START.plus(std::time::Duration::from_secs(1)));
    let patches = [
        OrgUnitPatch::default(),
        named("unit"),
        under(org.top),
        with_status(ACTIVE),
        OrgUnitPatch { city: Patch::Clear, timezone: Patch::Set("UTC".to_owned()), ..Default::default() },
    ];
    for patch in patches {
        assert_eq!(update(&world, &later, unit.id, patch).await.unwrap(), unit);
    }
    assert_eq!(world.journal(&org).await, journal);

    let changed = update(&world, &later, unit.id, named("Unit")).await.unwrap();
    assert_eq!((changed.version, changed.modified_at), (2, later.now()));
    assert_eq!(world.stored_unit(&org, unit.id).await, changed);
    assert_eq!(world.journal(&org).await.len(), journal.len() + 1);
}

async fn a_cleared_time_zone_is_that_of_the_parent<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = create(&world, &org.ctx, org.top, "unit").await.unwrap();
    assert_eq!(unit.timezone, "America/New_York", "a new unit takes its parent's");
    let zone = |timezone| OrgUnitPatch { timezone, ..OrgUnitPatch::default() };
    let paris = zone(Patch::Set("Europe/Paris".to_owned()));
    assert_eq!(update(&world, &org.ctx, unit.id, paris).await.unwrap().timezone, "Europe/Paris");
    let child = create(&world, &org.ctx, unit.id, "child").await.unwrap();
    assert_eq!(child.timezone, "Europe/Paris");
    let moved = OrgUnitPatch { timezone: Patch::Clear, ..under(org.top) };
    assert_eq!(update(&world, &org.ctx, child.id, moved).await.unwrap().timezone, "America/New_York");
    let cleared = update(&world, &org.ctx, unit.id, zone(Patch::Clear)).await.unwrap();
    assert_eq!(cleared.timezone, "America/New_York");
}

/// A precondition that the unit has a version.
fn version_is(version: i64) -> Precondition<Located> {
    Box::new(move |located| located.unit.version == version)
}

async fn a_precondition_is_asked_on_what_is_stored<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let found = world.directory.org_unit_get(&org.ctx, unit).await.unwrap();
    update(&world, &org.ctx, unit, named("second")).await.unwrap();
    let journal = world.journal(&org).await;

    let attempt = async |name: &str, precondition| {
        let patch = named(name).into();
        world.directory.org_unit_update(&org.ctx, found.clone(), patch, precondition).await
    };
    for name in ["third", "second"] {
        let outcome = attempt(name, Some(version_is(1))).await;
        assert!(matches!(outcome, Err(Error::Precondition)), "{outcome:?}");
    }
    assert_eq!(world.journal(&org).await, journal);
    assert_eq!(attempt("third", Some(version_is(2))).await.unwrap().version, 3);
    // Without one the change is made to whatever is there.
    assert_eq!(attempt("fourth", None).await.unwrap().version, 4);
}

/// Kind, id and version of the last entry, with its payload.
async fn last_entry<B: Backend>(world: &World<B>, org: &Org) -> (String, String, i64, serde_json::Value) {
    let record = world.journal(org).await.pop().unwrap();
    (record.kind, record.entity_id, record.version, record.payload)
}

async fn the_journal_names_what_a_change_was<B: Backend>() {
    use serde_json::json;

    let world = World::<B>::new();
    let org = world.org("acme").await;
    let parent = world.add_unit(&org, org.top, "parent").await.id;
    let unit = create(&world, &org.ctx, org.top, "unit").await.unwrap();
    let id = unit.id.to_string();
    let entry = |kind: &str, version, payload| (kind.to_owned(), id.clone(), version, payload);
    let made = json!({
        "name": [null, "unit"], "parent_id": [null, org.top.0], "status": [null, "active"],
        "timezone": [null, "America/New_York"]
    });
    assert_eq!(last_entry(&world, &org).await, entry("org_unit.created", 1, made));
    for (version, (kind, patch, payload)) in (2..).zip([
        ("org_unit.updated", named("Unit"), json!({"name": ["unit", "Unit"]})),
        ("org_unit.moved", under(parent), json!({"parent_id": [org.top.0, parent.0]})),
        ("org_unit.archived", with_status(ARCHIVED), json!({"status": ["active", "inactive"]})),
        ("org_unit.restored", with_status(ACTIVE), json!({"status": ["inactive", "active"]})),
    ]) {
        update(&world, &org.ctx, unit.id, patch).await.unwrap();
        assert_eq!(last_entry(&world, &org).await, entry(kind, version, payload));
    }
}
