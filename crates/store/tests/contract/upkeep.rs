//! Periodic work: expired sessions are forgotten, old journal entries removed from the front.

use std::time::Duration;

use muster_domain::session::{SessionStore as _, SessionToken, TokenKind};
use muster_domain::tenant::{Tenant, TenantStatus, TenantStore as _};
use muster_domain::{
    Batch, Change, JournalEntry, JournalFilter, OrgUnitId, Store as _, TenantId, Timestamp, UserId,
};
use uuid::Uuid;

use crate::support::{Backend, START, all_at_once};
use crate::world::{Org, World, entry};

contract![
    a_trim_removes_what_is_older_than_the_horizon,
    a_trim_leaves_no_gap,
    the_sequence_goes_on_after_a_trim_of_everything,
    a_trim_goes_over_the_borders_of_its_steps,
    a_trim_goes_through_every_tenant,
    a_trim_without_anything_old_does_nothing,
    expired_tokens_are_forgotten_and_no_others,
    tokens_of_many_steps_and_tenants_are_forgotten,
    upkeep_during_writes_loses_nothing,
];

fn at(n: i64) -> Timestamp {
    Timestamp(START.0 + n)
}

/// Adds entries with these times to a journal.
async fn note<B: Backend>(world: &World<B>, org: &Org, times: impl IntoIterator<Item = i64>) {
    let entries = times.into_iter().map(|n| JournalEntry { at: at(n), ..entry(org, n) });
    let journal: Vec<JournalEntry> = entries.collect();
    world.store().commit(Batch { journal, ..Batch::new(org.tenant) }).await.unwrap();
}

/// The sequences that a journal has, which are checked to be without gaps.
async fn sequences<B: Backend>(world: &World<B>, tenant: TenantId) -> Vec<i64> {
    let records = world.store().journal(tenant, 0, JournalFilter::default(), u32::MAX).await.unwrap();
    let sequences: Vec<i64> = records.iter().map(|record| record.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequences:?}");
    sequences
}

async fn trim<B: Backend>(world: &World<B>, horizon: i64) -> u64 {
    world.directory.journal_trim(at(horizon)).await.unwrap()
}

async fn a_trim_removes_what_is_older_than_the_horizon<B: Backend>() {
    let world = World::<B>::new();
    // What makes the tenant are six entries of the time 0.
    let org = world.org("acme").await;
    note(&world, &org, [10, 20, 20, 30]).await;
    let all = world.journal(&org).await;
    for (horizon, removed, left) in [(0, 0, 10), (1, 6, 4), (20, 1, 3), (21, 2, 1), (30, 0, 1), (31, 1, 0)] {
        assert_eq!(trim(&world, horizon).await, removed, "{horizon}");
        let records = world.store().journal(org.tenant, 0, JournalFilter::default(), 100).await.unwrap();
        assert_eq!(records, all[10 - left..], "{horizon}");
    }
}

async fn a_trim_leaves_no_gap<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    // A clock that was set back: old entries behind a newer one stay until that one is old.
    note(&world, &org, [5, 50, 1, 2, 60]).await;
    assert_eq!(trim(&world, 10).await, 7);
    assert_eq!(sequences(&world, org.tenant).await, [8, 9, 10, 11]);
    assert_eq!(trim(&world, 55).await, 3);
    assert_eq!(sequences(&world, org.tenant).await, [11]);
}

async fn the_sequence_goes_on_after_a_trim_of_everything<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    assert_eq!(trim(&world, 100).await, 6);
    assert!(sequences(&world, org.tenant).await.is_empty());
    assert_eq!(trim(&world, 100).await, 0);
    note(&world, &org, [200]).await;
    assert_eq!(sequences(&world, org.tenant).await, [7]);
    let counts = world.store().tenant_counts(org.tenant).await.unwrap().unwrap();
    assert_eq!(counts.journal, 7, "of all that it ever got");
    let world = world.reopened().await;
    note(&world, &org, [201]).await;
    assert_eq!(sequences(&world, org.tenant).await, [7, 8]);
}

async fn a_trim_goes_over_the_borders_of_its_steps<B: Backend>() {
    for old in [993, 994, 995, 1993, 1994, 1995, 1996, 2500] {
        let world = World::<B>::new();
        let org = world.org("acme").await;
        note(&world, &org, (0..old).map(|_| 1).chain([100, 101])).await;
        let removed = u64::try_from(old + 6).unwrap();
        assert_eq!(trim(&world, 50).await, removed);
        assert_eq!(sequences(&world, org.tenant).await, [old + 7, old + 8]);
    }
}

/// More tenants than are read at once, each with one journal entry and nothing else.
async fn many_tenants<B: Backend>(world: &World<B>, count: i64) -> Vec<TenantId> {
    let ids: Vec<TenantId> = (0..count).map(|n| TenantId(10_000 + n * 3)).collect();
    let tasks = ids.clone().into_iter().map(|id| {
        let directory = world.node();
        async move {
            let tenant = Tenant {
                tier: muster_domain::message::Tier::M,
                id,
                organization_id: Uuid::from_u128(u128::from(id.0.unsigned_abs())),
                name: "small".to_owned(),
                country: "US".to_owned(),
                currency: "EUR".to_owned(),
                status: TenantStatus::Active,
                top_org_unit_id: OrgUnitId(0),
                version: 1,
                created_at: START,
                modified_at: START,
            };
            let ctx = muster_domain::Ctx::operator(id, OrgUnitId(0), START);
            let made = JournalEntry::new(&ctx, "tenant.created", id, 1, serde_json::Map::new());
            let batch = Batch::new(id).change(Change::TenantInsert(Box::new(tenant))).journal(made);
            directory.store.commit(batch).await.unwrap();
        }
    });
    all_at_once(tasks).await;
    ids
}

async fn a_trim_goes_through_every_tenant<B: Backend>() {
    for count in [499, 500, 1001] {
        let world = World::<B>::new();
        let ids = many_tenants(&world, count).await;
        assert_eq!(trim(&world, 0).await, 0);
        assert_eq!(trim(&world, 1).await, ids.len() as u64);
        for id in ids {
            assert!(sequences(&world, id).await.is_empty());
        }
    }
}

async fn a_trim_without_anything_old_does_nothing<B: Backend>() {
    let world = World::<B>::new();
    assert_eq!(trim(&world, 100).await, 0, "there is no tenant");
    let (org, other) = (world.org("acme").await, world.org("other").await);
    note(&world, &org, [50]).await;
    note(&world, &other, [60]).await;
    let before = world.backend.dump();
    assert_eq!(trim(&world, 0).await, 0);
    assert_eq!(world.backend.dump(), before);
    assert_eq!(trim(&world, 55).await, 13);
    assert_eq!(sequences(&world, other.tenant).await, [7]);
}

fn token(org: &Org, user: UserId, n: i64, expires_at: Timestamp) -> SessionToken {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&n.to_be_bytes());
    SessionToken {
        tenant: org.tenant,
        hash,
        kind: if n % 2 == 0 { TokenKind::Access } else { TokenKind::Refresh },
        family: Uuid::from_u128(u128::from(n.unsigned_abs())),
        user,
        created_at: START,
        expires_at,
        retired_at: (n % 3 == 0).then_some(START),
    }
}

async fn insert<B: Backend>(world: &World<B>, org: &Org, tokens: &[SessionToken]) {
    let changes = tokens.iter().map(|token| Change::TokenInsert(Box::new(token.clone()))).collect();
    world.commit(org, changes).await.unwrap();
}

async fn is_there<B: Backend>(world: &World<B>, token: &SessionToken) -> bool {
    world.store().session_token(token.tenant, token.kind, token.hash).await.unwrap().is_some()
}

async fn expired_tokens_are_forgotten_and_no_others<B: Backend>() {
    let world = World::<B>::new();
    let orgs = [world.org("acme").await, world.org("other").await];
    let mut all = Vec::new();
    for org in &orgs {
        let tokens: Vec<_> = (0..8).map(|n| token(org, org.admin.id, n, at(n))).collect();
        insert(&world, org, &tokens).await;
        all.extend(tokens);
    }
    let journals = [world.journal(&orgs[0]).await, world.journal(&orgs[1]).await];
    for now in [-1, 0, 3, 3, 7] {
        let gap = u64::try_from(at(now).0 - world.directory.now().0).unwrap_or(0);
        if now >= 0 {
            world.clock.advance(Duration::from_micros(gap));
            world.directory.sessions_reap().await.unwrap();
        }
        for token in &all {
            // Its last moment is over when it is reached.
            assert_eq!(is_there(&world, token).await, token.expires_at > at(now), "{now}: {token:?}");
        }
        for org in &orgs {
            let left =
                all.iter().filter(|token| token.tenant == org.tenant && token.expires_at > at(now)).count();
            let counted = format!("SELECT COUNT(*) FROM session_tokens WHERE tenant_id = {}", org.tenant);
            assert_eq!(usize::try_from(world.backend.look(&counted)).unwrap(), left);
            let expired = world.store().has_expired_tokens(org.tenant, at(now)).await.unwrap();
            assert!(!expired);
        }
    }
    assert_eq!([world.journal(&orgs[0]).await, world.journal(&orgs[1]).await], journals);
}

async fn tokens_of_many_steps_and_tenants_are_forgotten<B: Backend>() {
    let world = World::<B>::new();
    world.org("without any").await;
    let orgs = [world.org("acme").await, world.org("other").await];
    for (org, count) in orgs.iter().zip([2001, 1000]) {
        let mut tokens: Vec<_> = (0..count).map(|n| token(org, org.admin.id, n, at(-n))).collect();
        tokens.push(token(org, org.admin.id, 9999, at(1)));
        insert(&world, org, &tokens).await;
    }
    world.directory.sessions_reap().await.unwrap();
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM session_tokens"), 2);
    let before = world.backend.dump();
    world.directory.sessions_reap().await.unwrap();
    assert_eq!(world.backend.dump(), before);
}

async fn upkeep_during_writes_loses_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = std::sync::Arc::new(world.org("acme").await);
    note(&world, &org, (0..1500).map(|_| 0)).await;
    let tasks: Vec<_> = (0..60_i64)
        .map(|n| {
            let (directory, org) = (world.node(), std::sync::Arc::clone(&org));
            async move {
                if n % 10 == 0 {
                    directory.sessions_reap().await.unwrap();
                    directory.journal_trim(at(10)).await.unwrap();
                } else {
                    let fresh = JournalEntry { at: at(20), ..entry(&org, n) };
                    let kept = token(&org, org.admin.id, n, at(5));
                    let batch = Batch::new(org.tenant).change(Change::TokenInsert(Box::new(kept)));
                    directory.store.commit(batch.journal(fresh)).await.unwrap();
                }
            }
        })
        .collect();
    all_at_once(tasks).await;
    assert_eq!(sequences(&world, org.tenant).await, (1507..1507 + 54).collect::<Vec<_>>());
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM session_tokens"), 54);
}
