//! The rules of the tree, as use cases keep them over a real store: whatever is done in whatever
//! order, the tree stays a tree.

use std::collections::{HashMap, HashSet};

use muster_domain::org_unit::{Located, MAX_LEVEL, OrgUnit, OrgUnitFilter, OrgUnitPatch, OrgUnitStatus};
use muster_domain::{Error, OrgUnitId, Slice};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};

use crate::random::try_cases;
use crate::support::Backend;
use crate::world::{Org, World, named, under, with_status};

contract![random_operations_keep_the_tree_a_tree];

/// Few names, some of which differ in nothing but case or normal form, so that they collide often.
const NAMES: [&str; 7] = ["North", "NORTH", "Süd", "SÜD", "su\u{308}d", "Straße", "STRASSE"];

#[derive(Clone, Debug)]
enum Operation {
    Create {
        parent: usize,
        name: usize,
    },
    Rename {
        unit: usize,
        name: usize,
    },
    Move {
        unit: usize,
        parent: usize,
    },
    Archive {
        unit: usize,
    },
    Restore {
        unit: usize,
    },
    /// Several wishes at once.
    Replace {
        unit: usize,
        parent: usize,
        name: usize,
        active: bool,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let (unit, name) = (0..usize::MAX, 0..NAMES.len());
    prop_oneof![
        4 => (unit.clone(), name.clone()).prop_map(|(parent, name)| Operation::Create { parent, name }),
        2 => (unit.clone(), name.clone()).prop_map(|(unit, name)| Operation::Rename { unit, name }),
        4 => (unit.clone(), unit.clone()).prop_map(|(unit, parent)| Operation::Move { unit, parent }),
        3 => unit.clone().prop_map(|unit| Operation::Archive { unit }),
        2 => unit.clone().prop_map(|unit| Operation::Restore { unit }),
        2 => (unit.clone(), unit, name, any::<bool>())
            .prop_map(|(unit, parent, name, active)| Operation::Replace { unit, parent, name, active }),
    ]
}

async fn random_operations_keep_the_tree_a_tree<B: Backend>() {
    // A chain of units to begin with brings the deepest level into reach.
    let chains = prop_oneof![3 => Just(0), 1 => 60..MAX_LEVEL];
    let cases = (chains, prop::collection::vec(operation(), 1..60));
    try_cases::<B, _, _>(24, cases, |(chain, operations)| case::<B>(chain, operations));
}

async fn case<B: Backend>(chain: usize, operations: Vec<Operation>) -> TestCaseResult {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut ids = vec![org.top];
    if chain > 0 {
        ids.extend(world.add_chain(&org, chain).await);
    }
    let mut before = (world.journal(&org).await.len(), snapshot(&world, &org).await);
    for operation in operations {
        let outcome = carry_out(&world, &org, &mut ids, &operation).await;
        let after = (world.journal(&org).await.len(), snapshot(&world, &org).await);
        match outcome {
            Err(Error::Unavailable(_) | Error::Internal(_) | Error::NotFound(_)) => {
                return Err(TestCaseError::fail(format!("{operation:?}: {outcome:?}")));
            }
            Err(_) => {
                prop_assert_eq!(&before, &after, "a refused operation changes nothing: {:?}", operation);
            }
            Ok(id) => {
                let changes = before.1.get(&id) != after.1.get(&id);
                prop_assert_eq!(before.0 + usize::from(changes), after.0, "one entry: {:?}", operation);
                let others = after.1.iter().filter(|(other, unit)| before.1.get(other) != Some(unit)).count();
                prop_assert_eq!(others, usize::from(changes), "one unit changes: {:?}", operation);
                let Snapshot { unit, path } = &after.1[&id];
                // A version that goes up alone would be a change that changes nothing.
                let same = before.1.get(&id).is_some_and(|before| {
                    let (version, modified_at) = (unit.version, unit.modified_at);
                    *unit == OrgUnit { version, modified_at, ..before.unit.clone() }
                });
                prop_assert_eq!(same, !changes, "nothing but the version: {:?}", operation);
                let placed = before.1.get(&id).is_none_or(|unit| unit.path.get(1) != path.get(1));
                prop_assert!(!placed || path.len() <= MAX_LEVEL, "too deep: {:?}", operation);
            }
        }
        prop_assert_eq!(after.1.len(), ids.len(), "every unit hangs below the top: {:?}", operation);
        check_tree(&after.1, org.top)?;
        before = after;
    }
    Ok(())
}

/// Does one operation; the targets are taken modulo the units that there are.
async fn carry_out<B: Backend>(
    world: &World<B>,
    org: &Org,
    ids: &mut Vec<OrgUnitId>,
    operation: &Operation,
) -> Result<OrgUnitId, Error> {
    let pick = |n: usize| ids[n % ids.len()];
    let text = |n: usize| muster_domain::text::normalize(NAMES[n]);
    let (unit, patch) = match *operation {
        Operation::Create { parent, name } => {
            let patch = OrgUnitPatch { parent_id: Some(pick(parent)), ..named(&text(name)) };
            let unit = world.directory.org_unit_create(&org.ctx, patch.into()).await?;
            ids.push(unit.id);
            return Ok(unit.id);
        }
        Operation::Rename { unit, name } => (unit, named(&text(name))),
        Operation::Move { unit, parent } => (unit, under(pick(parent))),
        Operation::Archive { unit } => (unit, with_status(OrgUnitStatus::Inactive)),
        Operation::Restore { unit } => (unit, with_status(OrgUnitStatus::Active)),
        Operation::Replace { unit, parent, name, active } => {
            let status = if active { OrgUnitStatus::Active } else { OrgUnitStatus::Inactive };
            let parent_id = Some(pick(parent));
            (unit, OrgUnitPatch { status: Some(status), parent_id, ..named(&text(name)) })
        }
    };
    let found = world.directory.org_unit_get(&org.ctx, pick(unit)).await?;
    world.directory.org_unit_update(&org.ctx, found, patch.into(), None).await.map(|unit| unit.id)
}

/// All units that hang below the top.
async fn snapshot<B: Backend>(world: &World<B>, org: &Org) -> HashMap<OrgUnitId, Snapshot> {
    let slice = Slice { limit: u32::MAX, offset: 0 };
    let page = world.directory.org_unit_list(&org.ctx, OrgUnitFilter::default(), slice).await.unwrap();
    page.items.into_iter().map(|Located { unit, path }| (unit.id, Snapshot { unit, path })).collect()
}

#[derive(Debug)]
struct Snapshot {
    unit: OrgUnit,
    path: Vec<OrgUnitId>,
}

impl PartialEq for Snapshot {
    /// A move of what is above changes the path of a unit, but not the unit.
    fn eq(&self, other: &Self) -> bool {
        self.unit == other.unit
    }
}

fn check_tree(units: &HashMap<OrgUnitId, Snapshot>, top: OrgUnitId) -> TestCaseResult {
    let mut names = HashSet::new();
    for (id, Snapshot { unit, path }) in units {
        prop_assert_eq!(path.last(), Some(&top), "{} does not reach the top", id);
        prop_assert_eq!(path.iter().collect::<HashSet<_>>().len(), path.len(), "{} is in a cycle", id);
        if !unit.is_active() {
            continue;
        }
        prop_assert!(names.insert((unit.parent_id, unit.name_key())), "{} has a sibling's name", id);
        if let Some(parent) = unit.parent_id {
            prop_assert!(units[&parent].unit.is_active(), "{} is active under an archived parent", id);
        }
    }
    Ok(())
}
