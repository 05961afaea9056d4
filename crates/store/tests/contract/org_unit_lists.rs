//! Org units: lists of children, subtrees and trees, and that all walks end.

use std::collections::BTreeSet;

use muster_domain::org_unit::{OrgUnit, OrgUnitFilter, OrgUnitStatus, OrgUnitStore as _};
use muster_domain::{OrgUnitId, Page, Slice, Store};

use crate::support::Backend;
use crate::world::{Org, World};

contract![
    children_stand_by_name_key_then_id,
    children_are_paged_without_gap_or_overlap,
    children_are_filtered_by_status,
    a_part_of_a_name_is_found_without_case,
    signs_of_patterns_are_taken_literally,
    a_subtree_is_listed_by_id_with_paths,
    a_subtree_is_paged_and_filtered,
    a_tree_of_active_units_leaves_out_what_hangs_below_archived_ones,
    ids_are_those_of_the_whole_subtree,
    what_is_unknown_has_nothing_below_it,
    walks_end_on_a_cycle,
];

const ALL: Slice = Slice { limit: 1000, offset: 0 };

fn containing(name: &str) -> OrgUnitFilter {
    OrgUnitFilter { name: Some(name.to_owned()), status: None }
}

fn of_status(status: OrgUnitStatus) -> OrgUnitFilter {
    OrgUnitFilter { name: None, status: Some(status) }
}

fn names(page: &Page<OrgUnit>) -> Vec<&str> {
    page.items.iter().map(|unit| unit.name.as_str()).collect()
}

async fn children<S: Store>(store: &S, org: &Org, filter: OrgUnitFilter, slice: Slice) -> Page<OrgUnit> {
    store.org_unit_children(org.tenant, org.top, filter, slice).await.unwrap()
}

async fn tree<S: Store>(store: &S, org: &Org, root: OrgUnitId, active_only: bool) -> BTreeSet<i64> {
    let rows = store.org_unit_tree(org.tenant, root, active_only).await.unwrap();
    let ids: BTreeSet<i64> = rows.iter().map(|(id, ..)| id.0).collect();
    assert_eq!(ids.len(), rows.iter().count(), "no unit stands twice");
    ids
}

fn numbers(ids: &[OrgUnitId]) -> BTreeSet<i64> {
    ids.iter().map(|id| id.0).collect()
}

async fn children_stand_by_name_key_then_id<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut units = Vec::new();
    for name in ["beta", "ALPHA", "Beta 2", "zeta", "Öst", "alpha 1", "B"] {
        units.push(world.add_unit(&org, org.top, name).await);
    }
    for name in ["alpha", "Alpha"] {
        units.push(world.add_archived(&org, org.top, name).await);
    }
    world.add_unit(&org, units[0].id, "a grandchild").await;
    units.sort_by_key(|unit| (unit.name_key(), unit.id));

    let page = children(world.store(), &org, OrgUnitFilter::default(), ALL).await;
    assert_eq!(page.items, units);
    assert_eq!(page.total, 9);
}

async fn children_are_paged_without_gap_or_overlap<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for n in 0..7 {
        world.add_unit(&org, org.top, &format!("unit {}", n * 5 % 7)).await;
    }
    let mut seen = Vec::new();
    for (offset, length) in [(0, 3), (3, 3), (6, 1), (7, 0)] {
        let slice = Slice { limit: 3, offset };
        let page = children(world.store(), &org, OrgUnitFilter::default(), slice).await;
        assert_eq!((page.items.len(), page.total), (length, 7));
        seen.extend(page.items.into_iter().map(|unit| unit.name));
    }
    assert_eq!(seen, (0..7).map(|n| format!("unit {n}")).collect::<Vec<_>>());

    for slice in [Slice { limit: 0, offset: 0 }, Slice { limit: u32::MAX, offset: u64::MAX }] {
        let page = children(world.store(), &org, OrgUnitFilter::default(), slice).await;
        assert_eq!((page.items.len(), page.total), (0, 7));
    }
}

async fn children_are_filtered_by_status<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.add_unit(&org, org.top, "a").await;
    world.add_archived(&org, org.top, "b").await;
    world.add_unit(&org, org.top, "c").await;
    for (filter, expected) in [
        (of_status(OrgUnitStatus::Active), vec!["a", "c"]),
        (of_status(OrgUnitStatus::Inactive), vec!["b"]),
        (OrgUnitFilter::default(), vec!["a", "b", "c"]),
    ] {
        let page = children(world.store(), &org, filter, ALL).await;
        assert_eq!(names(&page), expected);
        assert_eq!(page.total, expected.len() as u64);
    }
}

async fn a_part_of_a_name_is_found_without_case<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for name in ["Große Straße", "Cafe\u{301} Süd", "North"] {
        world.add_unit(&org, org.top, name).await;
    }
    for (part, expected) in [
        ("STRASSE", vec!["Große Straße"]),
        ("ße s", vec!["Große Straße"]),
        ("CAFÉ", vec!["Cafe\u{301} Süd"]),
        ("SU\u{308}D", vec!["Cafe\u{301} Süd"]),
        ("or", vec!["North"]),
        ("r", vec!["Große Straße", "North"]),
        ("", vec!["Cafe\u{301} Süd", "Große Straße", "North"]),
        ("nowhere", vec![]),
    ] {
        let page = children(world.store(), &org, containing(part), ALL).await;
        assert_eq!(names(&page), expected, "{part}");
        assert_eq!(page.total, expected.len() as u64, "{part}");
    }
}

async fn signs_of_patterns_are_taken_literally<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all = ["100 %", "100 percent", "a_b", "a\\b", "a\\_b", "axb", "it's \"[x]*?\""];
    for name in all {
        world.add_unit(&org, org.top, name).await;
    }
    for part in ["%", "100 %", "_", "a_b", "\\", "a\\b", "\\_", "\\%", "'", "\"[x]", "*", "?", "%%", "__"] {
        let page = children(world.store(), &org, containing(part), ALL).await;
        let mut expected: Vec<&str> = all.into_iter().filter(|name| name.contains(part)).collect();
        expected.sort_unstable();
        assert_eq!(names(&page), expected, "{part}");
    }
}

/// Units under the top: `a` with `a1`, `a2` (archived) and below that `a21`; and `b`.
async fn small_tree<B: Backend>(world: &World<B>, org: &Org) -> [OrgUnitId; 5] {
    let a = world.add_unit(org, org.top, "a").await.id;
    let b = world.add_unit(org, org.top, "b").await.id;
    let a2 = world.add_archived(org, a, "a2").await.id;
    let a1 = world.add_unit(org, a, "a1").await.id;
    let a21 = world.add_unit(org, a2, "a21").await.id;
    [a, b, a1, a2, a21]
}

async fn a_subtree_is_listed_by_id_with_paths<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [a, _, a1, a2, a21] = small_tree(&world, &org).await;
    let page = world.store().org_unit_subtree(org.tenant, a, OrgUnitFilter::default(), ALL).await.unwrap();
    let mut expected =
        vec![vec![a, org.top], vec![a1, a, org.top], vec![a2, a, org.top], vec![a21, a2, a, org.top]];
    expected.sort();
    assert_eq!(page.total, 4);
    for located in &page.items {
        assert_eq!(located.unit, world.stored_unit(&org, located.path[0]).await);
    }
    assert_eq!(page.items.into_iter().map(|located| located.path).collect::<Vec<_>>(), expected);
}

async fn a_subtree_is_paged_and_filtered<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [a, b, a1, a2, a21] = small_tree(&world, &org).await;
    let list = async |root, filter, slice| {
        let page = world.store().org_unit_subtree(org.tenant, root, filter, slice).await.unwrap();
        (page.items.into_iter().map(|located| located.unit.id).collect::<Vec<_>>(), page.total)
    };
    // Filters choose among the units and do not cut off what hangs below those that are left out.
    let mut active = vec![org.top, a, b, a1, a21];
    active.sort_unstable();
    assert_eq!(list(org.top, of_status(OrgUnitStatus::Active), ALL).await, (active, 5));
    assert_eq!(list(org.top, of_status(OrgUnitStatus::Inactive), ALL).await, (vec![a2], 1));
    assert_eq!(list(org.top, containing("A21"), ALL).await, (vec![a21], 1));
    assert_eq!(list(b, containing("a"), ALL).await, (vec![], 0));

    let mut paged = Vec::new();
    for offset in [0, 2, 4, 6] {
        let (ids, total) = list(org.top, OrgUnitFilter::default(), Slice { limit: 2, offset }).await;
        assert_eq!(total, 6);
        paged.extend(ids);
    }
    let mut all = vec![org.top, a, b, a1, a2, a21];
    all.sort_unstable();
    assert_eq!(paged, all);
}

async fn a_tree_of_active_units_leaves_out_what_hangs_below_archived_ones<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [a, b, a1, a2, a21] = small_tree(&world, &org).await;
    let store = world.store();
    assert_eq!(tree(store, &org, org.top, true).await, numbers(&[org.top, a, b, a1]));
    assert_eq!(tree(store, &org, org.top, false).await, numbers(&[org.top, a, b, a1, a2, a21]));
    assert_eq!(tree(store, &org, a, true).await, numbers(&[a, a1]));
    assert_eq!(tree(store, &org, b, false).await, numbers(&[b]));

    let rows = store.org_unit_tree(org.tenant, a1, false).await.unwrap();
    assert_eq!(rows.iter().collect::<Vec<_>>(), [(a1, Some(a), "a1", "a1")]);
}

async fn ids_are_those_of_the_whole_subtree<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let [a, b, a1, a2, a21] = small_tree(&world, &org).await;
    for (root, expected) in [
        (org.top, vec![org.top, a, b, a1, a2, a21]),
        (a, vec![a, a1, a2, a21]),
        (a2, vec![a2, a21]),
        (b, vec![b]),
    ] {
        let ids = world.store().org_unit_ids(org.tenant, root).await.unwrap();
        assert_eq!(ids.len(), expected.len());
        assert_eq!(numbers(&ids), numbers(&expected));
    }
}

async fn what_is_unknown_has_nothing_below_it<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (store, unknown) = (world.store(), OrgUnitId(i64::MAX));
    let page = store.org_unit_children(org.tenant, unknown, OrgUnitFilter::default(), ALL).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, 0));
    let page = store.org_unit_subtree(org.tenant, unknown, OrgUnitFilter::default(), ALL).await.unwrap();
    assert_eq!((page.items.len(), page.total), (0, 0));
    assert_eq!(store.org_unit_tree(org.tenant, unknown, false).await.unwrap().iter().count(), 0);
    assert_eq!(store.org_unit_ids(org.tenant, unknown).await.unwrap(), []);
}

async fn walks_end_on_a_cycle<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let a = world.add_unit(&org, org.top, "a").await.id;
    let b = world.add_unit(&org, a, "b").await.id;
    let c = world.add_unit(&org, b, "c").await.id;
    // No batch of a use case makes a cycle; a fault of ours must not hang the server all the same.
    world.backend.tamper(&format!("UPDATE org_units SET parent_id = {b} WHERE id = {a}"));

    let store = world.store();
    let located = store.org_unit_located(org.tenant, c).await.unwrap().unwrap();
    assert_eq!(located.path[..3], [c, b, a]);
    let page = store.org_unit_subtree(org.tenant, a, OrgUnitFilter::default(), ALL).await.unwrap();
    assert_eq!(page.total, 3);
    assert_eq!(tree(store, &org, a, true).await, numbers(&[a, b, c]));
    assert_eq!(numbers(&store.org_unit_ids(org.tenant, b).await.unwrap()), numbers(&[a, b, c]));
    assert_eq!(tree(store, &org, org.top, true).await, numbers(&[org.top]));
}
