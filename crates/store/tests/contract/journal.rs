//! The journal: its content, its slices, and a sequence without gaps whatever happens at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use muster_domain::{
    Actor, Batch, CredentialId, Dialect, JournalEntry, JournalFilter, JournalRecord, OrgUnitId, Store as _,
    StoreError, Timestamp, Unique, UserId,
};
use muster_store::Limits;
use serde_json::json;

use crate::support::{Backend, START, all_at_once};
use crate::world::{Org, World, entry, unit_insert};

contract![
    an_entry_reads_back_whole,
    entries_stand_in_the_order_of_their_batch,
    a_slice_begins_after_a_sequence,
    each_tenant_has_a_sequence_of_its_own,
    a_batch_without_entries_takes_no_number,
    concurrent_commits_leave_no_gap_and_lose_nothing,
    two_open_stores_share_one_sequence,
];

async fn an_entry_reads_back_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let made = world.journal(&org).await.len();
    let actors = [
        (Actor::Operator, Dialect::Cli),
        (Actor::User(UserId(5)), Dialect::Convirza),
        (Actor::User(UserId(i64::MAX)), Dialect::Onlive),
        (Actor::Credential(CredentialId(6)), Dialect::Lox24),
        (Actor::Credential(CredentialId(7)), Dialect::Scim),
    ];
    let entries: Vec<JournalEntry> = (1..)
        .zip(actors)
        .map(|(n, (actor, dialect))| JournalEntry {
            at: Timestamp(START.0 + n),
            actor,
            dialect,
            kind: "org_unit.moved",
            entity: "org_unit",
            entity_id: format!("id {n}"),
            version: n * 10,
            org_unit_id: (n % 2 == 0).then_some(OrgUnitId(n)),
            payload: json!({"name": ["Nörd", null], "n": [n, 1.5], "deep": [null, {"a": [true]}]}),
        })
        .collect();
    world.store().commit(Batch { journal: entries.clone(), ..Batch::new(org.tenant) }).await.unwrap();

    let records = world.journal(&org).await;
    let expected = (1..).zip(entries).map(|(n, entry)| JournalRecord {
        sequence: i64::try_from(made).unwrap() + n,
        at: entry.at,
        actor: entry.actor,
        dialect: entry.dialect,
        kind: entry.kind.to_owned(),
        entity: entry.entity.to_owned(),
        entity_id: entry.entity_id,
        version: entry.version,
        org_unit_id: entry.org_unit_id,
        payload: entry.payload,
    });
    assert_eq!(records[made..], expected.collect::<Vec<_>>());
}

async fn note<B: Backend>(world: &World<B>, org: &Org, ids: impl IntoIterator<Item = i64>) {
    let journal = ids.into_iter().map(|id| entry(org, id)).collect();
    world.store().commit(Batch { journal, ..Batch::new(org.tenant) }).await.unwrap();
}

/// The ids of the entries that [`entry`] made, in their order.
async fn noted<B: Backend>(world: &World<B>, org: &Org) -> Vec<i64> {
    let records = world.journal(org).await;
    let noted = records.into_iter().filter(|record| record.kind == "test.noted");
    noted.map(|record| record.entity_id.parse().unwrap()).collect()
}

async fn entries_stand_in_the_order_of_their_batch<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    note(&world, &org, [3, 1, 2]).await;
    note(&world, &org, [9, 7]).await;
    assert_eq!(noted(&world, &org).await, [3, 1, 2, 9, 7]);
}

async fn a_slice_begins_after_a_sequence<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    note(&world, &org, 1..=4).await;
    let all = world.journal(&org).await;
    let head = i64::try_from(all.len()).unwrap();
    let filter = JournalFilter::default;
    let slice = async |after, limit| world.store().journal(org.tenant, after, filter(), limit).await.unwrap();
    assert_eq!(slice(0, 2).await, all[..2]);
    assert_eq!(slice(2, 3).await, all[2..5]);
    assert_eq!(slice(head - 1, 100).await, all[all.len() - 1..]);
    assert_eq!(slice(head, 100).await, []);
    assert_eq!(slice(0, 0).await, []);
}

async fn each_tenant_has_a_sequence_of_its_own<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    for n in 0..3 {
        note(&world, &org, [n]).await;
        note(&world, &other, [10 + n, 20 + n]).await;
    }
    assert_eq!(noted(&world, &org).await, [0, 1, 2]);
    assert_eq!(noted(&world, &other).await, [10, 20, 11, 21, 12, 22]);
}

async fn a_batch_without_entries_takes_no_number<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let made = world.journal(&org).await;
    world.add_unit(&org, org.top, "North").await;
    world.commit(&org, vec![]).await.unwrap();
    assert_eq!(world.journal(&org).await, made);
}

async fn concurrent_commits_leave_no_gap_and_lose_nothing<B: Backend>() {
    let world = World::<B>::new();
    let orgs = [world.org("acme").await, world.org("other").await];
    for org in &orgs {
        world.add_unit(org, org.top, "Taken").await;
    }
    let mut tasks = Vec::new();
    for n in 0..150 {
        let org = &orgs[usize::from(n % 5 == 0)];
        let fails = n % 3 == 0;
        let good = world.unit(org, org.top, &format!("unit {n}")).await;
        let bad = world.unit(org, org.top, "taken").await;
        // What fails does so after a change that has succeeded.
        let mut batch = Batch::new(org.tenant).change(unit_insert(&good)).journal(entry(org, good.id));
        if fails {
            batch = batch.change(unit_insert(&bad)).journal(entry(org, bad.id));
        }
        let directory = world.node();
        tasks.push(async move { (good, fails, directory.store.commit(batch).await) });
    }
    let mut succeeded = [BTreeSet::new(), BTreeSet::new()];
    for (unit, fails, outcome) in all_at_once(tasks).await {
        let expected = if fails { Err(StoreError::Duplicate(Unique::OrgUnitName)) } else { Ok(()) };
        assert_eq!(outcome, expected, "{}", unit.name);
        if !fails {
            succeeded[usize::from(unit.tenant == orgs[1].tenant)].insert(unit.id.0);
        }
    }
    for (org, succeeded) in orgs.iter().zip(succeeded) {
        let ids = noted(&world, org).await;
        assert_eq!(ids.len(), succeeded.len());
        assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), succeeded);
        // The top and "Taken" are there besides.
        let page = world.directory.org_unit_ids(&org.ctx, org.top).await.unwrap();
        assert_eq!(page.len(), succeeded.len() + 2);
    }
}

async fn two_open_stores_share_one_sequence<B: Backend>() {
    let world = World::<B>::new();
    let org = Arc::new(world.org("acme").await);
    let second = Arc::new(world.backend.open(Limits::default()).0);
    let tasks = (0..60_i64).map(|n| {
        let (directory, second, org) = (world.node(), Arc::clone(&second), Arc::clone(&org));
        async move {
            let batch = Batch::new(org.tenant).journal(entry(&org, n));
            let store = if n % 2 == 0 { &directory.store } else { &*second };
            store.commit(batch).await
        }
    });
    assert_eq!(all_at_once(tasks).await, vec![Ok(()); 60]);
    let ids: BTreeSet<i64> = noted(&world, &org).await.into_iter().collect();
    assert_eq!(ids, (0..60).collect());
}
