//! Slices of the journal: filters, both directions, and what a filter does not see.

use muster_domain::{
    Actor, Batch, CredentialId, Dialect, JournalEntry, JournalFilter, JournalRecord, Store as _, Timestamp,
    UserId,
};
use serde_json::json;

use crate::support::{Backend, START};
use crate::world::{Org, World};

contract![
    entries_are_filtered_by_what_they_are_about,
    entries_are_filtered_by_who_acted,
    entries_are_filtered_by_time,
    the_newest_entries_stand_first,
    every_slice_is_that_of_a_simple_evaluation,
    filters_see_the_entries_of_one_tenant_only,
];

/// Entities, of which two share a number and one has an odd name; actors, of which two share a number.
const ENTITIES: [(&str, &str); 4] = [("user", "5"), ("org_unit", "5"), ("user", "6"), ("user", "%' --")];
const ACTORS: [Actor; 4] =
    [Actor::Operator, Actor::User(UserId(5)), Actor::Credential(CredentialId(5)), Actor::User(UserId(6))];

fn at(n: i64) -> Timestamp {
    Timestamp(START.0 + n)
}

/// A tenant whose journal has each entity with each actor; the times go up and down.
async fn filled<B: Backend>(world: &World<B>, name: &str) -> (Org, Vec<JournalRecord>) {
    let org = world.org(name).await;
    let mut entries = Vec::new();
    for (m, (entity, entity_id)) in ENTITIES.into_iter().enumerate() {
        for (n, actor) in ACTORS.into_iter().enumerate() {
            entries.push(JournalEntry {
                at: at(i64::try_from((m * 3 + n * 5) % 7).unwrap()),
                actor,
                dialect: Dialect::Scim,
                kind: "test.noted",
                entity,
                entity_id: entity_id.to_owned(),
                version: 1,
                org_unit_id: None,
                payload: json!({}),
            });
        }
    }
    world.store().commit(Batch { journal: entries, ..Batch::new(org.tenant) }).await.unwrap();
    let all = world.journal(&org).await;
    (org, all)
}

fn fits(filter: &JournalFilter, record: &JournalRecord) -> bool {
    filter.entity.as_ref().is_none_or(|entity| *entity == record.entity)
        && filter.entity_id.as_ref().is_none_or(|id| *id == record.entity_id)
        && filter.actor.is_none_or(|actor| actor == record.actor)
        && filter.since.is_none_or(|since| record.at >= since)
        && filter.until.is_none_or(|until| record.at < until)
}

/// What a filter leaves, by the store, compared with the simple evaluation in both directions.
async fn check<B: Backend>(
    world: &World<B>,
    org: &Org,
    all: &[JournalRecord],
    filter: &JournalFilter,
) -> Vec<JournalRecord> {
    let expected: Vec<JournalRecord> = all.iter().filter(|record| fits(filter, record)).cloned().collect();
    let found = world.store().journal(org.tenant, 0, filter.clone(), 1000).await.unwrap();
    assert_eq!(found, expected, "{filter:?}");
    let mut newest = world.store().journal_newest(org.tenant, filter.clone(), 1000).await.unwrap();
    newest.reverse();
    assert_eq!(newest, expected, "{filter:?}");
    expected
}

async fn entries_are_filtered_by_what_they_are_about<B: Backend>() {
    let world = World::<B>::new();
    let (org, all) = filled(&world, "acme").await;
    for (entity, entity_id, expected) in [
        (Some("user"), Some("5"), 4),
        (Some("org_unit"), Some("5"), 4),
        (None, Some("5"), 8),
        (None, Some("%' --"), 4),
        (Some("user"), Some("7"), 0),
        (None, Some("%"), 0),
        (Some("USER"), None, 0),
        (Some("user"), None, 13),
        (Some("tenant"), None, 1),
    ] {
        let filter = JournalFilter {
            entity: entity.map(str::to_owned),
            entity_id: entity_id.map(str::to_owned),
            ..JournalFilter::default()
        };
        assert_eq!(check(&world, &org, &all, &filter).await.len(), expected, "{filter:?}");
    }
}

async fn entries_are_filtered_by_who_acted<B: Backend>() {
    let world = World::<B>::new();
    let (org, all) = filled(&world, "acme").await;
    for (actor, expected) in [
        // Those that made the tenant are the operator's too.
        (Actor::Operator, 10),
        (Actor::User(UserId(5)), 4),
        (Actor::Credential(CredentialId(5)), 4),
        (Actor::User(UserId(6)), 4),
        (Actor::Credential(CredentialId(6)), 0),
    ] {
        let filter = JournalFilter { actor: Some(actor), ..JournalFilter::default() };
        assert_eq!(check(&world, &org, &all, &filter).await.len(), expected, "{actor}");
    }
}

async fn entries_are_filtered_by_time<B: Backend>() {
    let world = World::<B>::new();
    let (org, all) = filled(&world, "acme").await;
    for (since, until) in [
        (Some(2), Some(5)),
        (Some(3), None),
        (None, Some(3)),
        (Some(3), Some(3)),
        (Some(5), Some(2)),
        (Some(6), Some(7)),
    ] {
        let filter = JournalFilter { since: since.map(at), until: until.map(at), ..JournalFilter::default() };
        let found = check(&world, &org, &all, &filter).await;
        // The first moment belongs to it, the last one does not.
        let bounds = (since.unwrap_or(0), until.unwrap_or(100));
        assert!(found.iter().all(|record| (bounds.0..bounds.1).contains(&(record.at.0 - START.0))));
        assert_eq!(found.is_empty(), bounds.0 >= bounds.1, "{filter:?}");
    }
}

async fn the_newest_entries_stand_first<B: Backend>() {
    let world = World::<B>::new();
    let (org, all) = filled(&world, "acme").await;
    let newest = async |limit| {
        world.store().journal_newest(org.tenant, JournalFilter::default(), limit).await.unwrap()
    };
    let mut reversed = all.clone();
    reversed.reverse();
    assert_eq!(newest(1000).await, reversed);
    assert_eq!(newest(3).await, reversed[..3]);
    assert_eq!(newest(0).await, []);
    let filter = JournalFilter { entity: Some("user".to_owned()), ..JournalFilter::default() };
    let found = world.store().journal_newest(org.tenant, filter.clone(), 2).await.unwrap();
    let expected: Vec<_> = reversed.into_iter().filter(|record| fits(&filter, record)).take(2).collect();
    assert_eq!(found, expected);
}

async fn every_slice_is_that_of_a_simple_evaluation<B: Backend>() {
    let world = World::<B>::new();
    let (org, all) = filled(&world, "acme").await;
    let entities = [None, Some("user"), Some("org_unit")];
    let ids = [None, Some("5"), Some("6")];
    let actors = [None, Some(ACTORS[0]), Some(ACTORS[1]), Some(ACTORS[2])];
    for n in 0..3 * 3 * 4 * 4 {
        let filter = JournalFilter {
            entity: entities[n % 3].map(str::to_owned),
            entity_id: ids[n / 3 % 3].map(str::to_owned),
            actor: actors[n / 9 % 4],
            since: (n / 36 % 2 == 1).then(|| at(2)),
            until: (n / 72 % 2 == 1).then(|| at(5)),
        };
        let fitting = check(&world, &org, &all, &filter).await;
        for (after, limit) in [(0, 2), (9, 3), (12, 100), (i64::MAX, 5)] {
            let expected: Vec<_> =
                fitting.iter().filter(|record| record.sequence > after).take(limit).cloned().collect();
            let limit = u32::try_from(limit).unwrap();
            let found = world.store().journal(org.tenant, after, filter.clone(), limit).await.unwrap();
            assert_eq!(found, expected, "{filter:?} after {after}");
        }
    }
}

async fn filters_see_the_entries_of_one_tenant_only<B: Backend>() {
    let world = World::<B>::new();
    let (org, all) = filled(&world, "acme").await;
    let (other, others) = filled(&world, "other").await;
    assert_eq!(all.len(), others.len());
    for entity in [None, Some("user".to_owned())] {
        let filter = JournalFilter { entity, ..JournalFilter::default() };
        check(&world, &org, &all, &filter).await;
        check(&world, &other, &others, &filter).await;
    }
}
