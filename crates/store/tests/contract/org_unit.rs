//! Org units: columns, versions, names of siblings, paths.

use muster_domain::org_unit::{Located, OrgUnit, OrgUnitStatus, OrgUnitStore as _};
use muster_domain::{OrgUnitId, StoreError, Timestamp, Unique};

use crate::support::{Backend, START};
use crate::world::{Org, World, unit_insert, unit_update, user_insert};

contract![
    a_unit_reads_back_with_every_column,
    a_unit_reads_back_with_every_optional_column_empty,
    an_update_writes_every_column,
    an_update_of_another_version_is_stale_and_changes_nothing,
    an_update_of_an_unknown_unit_is_stale,
    active_siblings_with_names_of_one_key_are_duplicates,
    an_update_cannot_take_the_name_of_an_active_sibling,
    names_repeat_among_archived_units_and_under_other_parents,
    a_tree_has_one_top,
    a_path_leads_from_the_unit_to_the_top,
    a_unit_is_vacant_without_active_children_and_living_users,
    the_tree_version_goes_up_by_one,
];

const DUPLICATE: Result<(), StoreError> = Err(StoreError::Duplicate(Unique::OrgUnitName));

/// The unit with every optional column set, each to a value of its own.
fn filled(unit: OrgUnit) -> OrgUnit {
    OrgUnit {
        external_id: Some("R-5002".to_owned()),
        billing_id: Some(88),
        address: Some("1 Elm St".to_owned()),
        city: Some("Reno".to_owned()),
        state: Some("NV".to_owned()),
        zip: Some("89501".to_owned()),
        phone_number: Some("+1-775-555-0100".to_owned()),
        industry_id: Some(4),
        timezone: "Europe/Zurich".to_owned(),
        version: 7,
        created_at: Timestamp(START.0 + 1),
        modified_at: Timestamp(START.0 + 2),
        ..unit
    }
}

/// A stored unit as it shall be after an update.
fn next(unit: &OrgUnit) -> OrgUnit {
    OrgUnit { version: unit.version + 1, ..unit.clone() }
}

async fn a_unit_reads_back_with_every_column<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = filled(world.unit(&org, org.top, "Région 1 — \u{1f600}").await);
    let unit = OrgUnit { status: OrgUnitStatus::Inactive, ..unit };
    world.commit(&org, vec![unit_insert(&unit)]).await.unwrap();
    assert_eq!(world.stored_unit(&org, unit.id).await, unit);
}

async fn a_unit_reads_back_with_every_optional_column_empty<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "Region 1").await;
    assert_eq!(world.stored_unit(&org, unit.id).await, unit);
    // The top is the unit without a parent.
    assert_eq!(world.stored_unit(&org, org.top).await.parent_id, None);
}

async fn an_update_writes_every_column<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let other = world.add_unit(&org, org.top, "Other").await;
    let before = world.add_unit(&org, org.top, "Region 1").await;
    let full = OrgUnit {
        parent_id: Some(other.id),
        status: OrgUnitStatus::Inactive,
        name: "Region 2".to_owned(),
        version: 2,
        created_at: before.created_at,
        ..filled(before.clone())
    };
    world.commit(&org, vec![unit_update(&full)]).await.unwrap();
    assert_eq!(world.stored_unit(&org, before.id).await, full);

    let emptied = OrgUnit { version: 3, ..before };
    world.commit(&org, vec![unit_update(&emptied)]).await.unwrap();
    assert_eq!(world.stored_unit(&org, emptied.id).await, emptied);
    assert_eq!(world.stored_unit(&org, other.id).await, other);
}

async fn an_update_of_another_version_is_stale_and_changes_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "Region 1").await;
    for version in [1, 3, 4] {
        let wrong = OrgUnit { name: "Never".to_owned(), version, ..unit.clone() };
        assert_eq!(world.commit(&org, vec![unit_update(&wrong)]).await, Err(StoreError::Stale));
    }
    assert_eq!(world.stored_unit(&org, unit.id).await, unit);
    world.commit(&org, vec![unit_update(&next(&unit))]).await.unwrap();
    assert_eq!(world.commit(&org, vec![unit_update(&next(&unit))]).await, Err(StoreError::Stale));
}

async fn an_update_of_an_unknown_unit_is_stale<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.unit(&org, org.top, "Region 1").await;
    assert_eq!(world.commit(&org, vec![unit_update(&next(&unit))]).await, Err(StoreError::Stale));
    assert_eq!(world.store().org_unit_located(org.tenant, unit.id).await.unwrap(), None);
}

async fn active_siblings_with_names_of_one_key_are_duplicates<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for (first, same) in [
        ("Region 1", ["Region 1", "REGION 1", "region 1"]),
        ("Zürich Straße", ["zürich strasse", "ZU\u{308}RICH STRASSE", "ZÜRICH STRAẞE"]),
        ("Ångström", ["\u{212b}ngstro\u{308}m", "A\u{30a}NGSTRÖM", "ångström"]),
    ] {
        world.add_unit(&org, org.top, first).await;
        for name in same {
            let unit = world.unit(&org, org.top, name).await;
            assert_eq!(world.commit(&org, vec![unit_insert(&unit)]).await, DUPLICATE, "{name}");
        }
    }
    // Alike is not the same.
    world.add_unit(&org, org.top, "Region 11").await;
    world.add_unit(&org, org.top, "Zurich Strasse").await;
}

async fn an_update_cannot_take_the_name_of_an_active_sibling<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let parent = world.add_unit(&org, org.top, "North").await;
    world.add_unit(&org, org.top, "Süd").await;
    let named = world.add_unit(&org, org.top, "West").await;
    let below = world.add_unit(&org, parent.id, "SÜD").await;
    let archived = world.add_archived(&org, org.top, "su\u{308}d").await;

    let renamed = OrgUnit { name: "süd".to_owned(), ..next(&named) };
    assert_eq!(world.commit(&org, vec![unit_update(&renamed)]).await, DUPLICATE);
    let moved = OrgUnit { parent_id: Some(org.top), ..next(&below) };
    assert_eq!(world.commit(&org, vec![unit_update(&moved)]).await, DUPLICATE);
    let restored = OrgUnit { status: OrgUnitStatus::Active, ..next(&archived) };
    assert_eq!(world.commit(&org, vec![unit_update(&restored)]).await, DUPLICATE);
    for unit in [named, below, archived] {
        assert_eq!(world.stored_unit(&org, unit.id).await, unit);
    }
}

async fn names_repeat_among_archived_units_and_under_other_parents<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let north = world.add_unit(&org, org.top, "North").await;
    world.add_unit(&org, north.id, "North").await;
    world.add_archived(&org, org.top, "NORTH").await;
    world.add_archived(&org, org.top, "north").await;
    world.add_unit(&other, other.top, "North").await;

    // An archived name is free again.
    let archived = OrgUnit { status: OrgUnitStatus::Inactive, ..next(&north) };
    world.commit(&org, vec![unit_update(&archived)]).await.unwrap();
    world.add_unit(&org, org.top, "North").await;
}

async fn a_tree_has_one_top<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let second = OrgUnit { parent_id: None, ..world.unit(&org, org.top, "Second").await };
    assert!(world.commit(&org, vec![unit_insert(&second)]).await.is_err());
    assert_eq!(world.store().org_unit_located(org.tenant, second.id).await.unwrap(), None);
}

async fn a_path_leads_from_the_unit_to_the_top<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let chain = world.add_chain(&org, 70).await;
    let last = *chain.last().unwrap();
    let located = world.store().org_unit_located(org.tenant, last).await.unwrap().unwrap();
    let expected: Vec<OrgUnitId> = chain.iter().rev().copied().chain([org.top]).collect();
    assert_eq!(located.path, expected);

    let top = world.stored_unit(&org, org.top).await;
    let located = world.store().org_unit_located(org.tenant, org.top).await.unwrap();
    assert_eq!(located, Some(Located { unit: top, path: vec![org.top] }));
    assert_eq!(world.store().org_unit_located(org.tenant, OrgUnitId(i64::MAX)).await.unwrap(), None);
}

async fn a_unit_is_vacant_without_active_children_and_living_users<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "North").await;
    let vacant = async || world.store().org_unit_vacant(org.tenant, unit.id).await.unwrap();

    assert!(vacant().await);
    let child = world.add_archived(&org, unit.id, "Child").await;
    assert!(vacant().await, "an archived child does not count");
    let restored = OrgUnit { status: OrgUnitStatus::Active, ..next(&child) };
    world.commit(&org, vec![unit_update(&restored)]).await.unwrap();
    assert!(!vacant().await);
    let archived = OrgUnit { status: OrgUnitStatus::Inactive, ..next(&restored) };
    world.commit(&org, vec![unit_update(&archived)]).await.unwrap();
    // What hangs below an archived child is not a child of this unit.
    world.add_unit(&org, child.id, "Grandchild").await;
    assert!(vacant().await);

    assert!(user_counts(&world, &org, &unit, &vacant).await);
}

/// Whether a user keeps a vacant unit from being vacant until it is deleted.
async fn user_counts<B: Backend>(
    world: &World<B>,
    org: &Org,
    unit: &OrgUnit,
    vacant: &impl AsyncFn() -> bool,
) -> bool {
    use muster_domain::user::UserStatus;

    let user = world.user(org, unit.id, "bob").await;
    world.commit(org, vec![user_insert(&user)]).await.unwrap();
    let active = vacant().await;
    let user = world.change_user(org, &user, |user| user.status = UserStatus::Inactive).await.unwrap();
    let inactive = vacant().await;
    world.change_user(org, &user, |user| user.status = UserStatus::Deleted).await.unwrap();
    !active && !inactive && vacant().await
}

async fn the_tree_version_goes_up_by_one<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let version = async |org: &Org| world.store().tree_version(org.tenant).await.unwrap();

    let (first, untouched) = (version(&org).await, version(&other).await);
    world.commit(&org, vec![muster_domain::Change::TreeChanged]).await.unwrap();
    assert_eq!(version(&org).await, first + 1);
    assert_eq!(version(&other).await, untouched);
}
