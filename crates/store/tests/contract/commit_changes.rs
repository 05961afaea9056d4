//! Guards and changes one by one: when they hold, whose rows they touch, and that they go back with their batch.

use muster_domain::credential::CredentialStore as _;
use muster_domain::org_unit::OrgUnit;
use muster_domain::session::{SessionToken, TokenKind};
use muster_domain::tenant::{Tenant, TenantStatus, TenantStore as _};
use muster_domain::user::{User, UserStore as _};
use muster_domain::{
    Batch, Change, CredentialId, Guard, JournalFilter, OrgUnitId, Store as _, StoreError, Timestamp,
};
use uuid::Uuid;

use crate::support::{Backend, START};
use crate::world::{Org, World, as_admin, entry, unit_insert, unit_update, user_insert, user_update};

contract![
    the_guard_of_a_units_version,
    guards_see_no_row_of_another_tenant,
    an_update_of_a_tenant_writes_every_column_but_its_ids,
    an_update_of_another_version_of_a_tenant_is_stale,
    a_credential_is_revoked_once,
    a_journal_is_trimmed_up_to_a_sequence,
    expired_tokens_go_by_their_number,
    every_change_is_rolled_back_with_its_batch,
    every_change_touches_its_own_tenant_only,
];

async fn commit<B: Backend>(world: &World<B>, batch: Batch) -> Result<(), StoreError> {
    world.store().commit(batch).await
}

async fn the_guard_of_a_units_version<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let unit = world.add_unit(&org, org.top, "unit").await;
    let holds = async |id, version| {
        let batch = Batch::new(org.tenant).guard(Guard::UnitVersion { id, version }).journal(entry(&org, 1));
        let before = world.journal(&org).await.len();
        let outcome = commit(&world, batch).await;
        let held = outcome.is_ok();
        assert_eq!(outcome, if held { Ok(()) } else { Err(StoreError::GuardFailed) });
        assert_eq!(world.journal(&org).await.len(), before + usize::from(held));
        held
    };
    assert!(holds(unit.id, 1).await);
    assert!(!holds(unit.id, 0).await);
    assert!(!holds(unit.id, 2).await);
    assert!(!holds(OrgUnitId(i64::MAX), 1).await);
    let renamed = OrgUnit { name: "renamed".to_owned(), version: 2, ..unit.clone() };
    world.commit(&org, vec![unit_update(&renamed)]).await.unwrap();
    assert!(!holds(unit.id, 1).await);
    assert!(holds(unit.id, 2).await);
    assert!(holds(org.top, 1).await, "only its own");
}

async fn guards_see_no_row_of_another_tenant<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let second = as_admin(world.user(&org, org.top, "second").await, true);
    world.commit(&org, vec![user_insert(&second)]).await.unwrap();
    for guard in [
        Guard::UnitVersion { id: unit, version: 1 },
        Guard::UnitVersion { id: org.top, version: 1 },
        Guard::AdminRemains { besides: other.admin.id, with_password: false },
        Guard::AdminRemains { besides: other.admin.id, with_password: true },
    ] {
        let batch = Batch::new(other.tenant).guard(guard.clone());
        assert_eq!(commit(&world, batch).await, Err(StoreError::GuardFailed), "{guard:?}");
    }
    assert!(!world.store().admin_remains(other.tenant, other.admin.id, false).await.unwrap());
}

async fn an_update_of_a_tenant_writes_every_column_but_its_ids<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let before = world.store().tenant(org.tenant).await.unwrap().unwrap();
    let beside = world.store().tenant(other.tenant).await.unwrap();
    for (version, status) in
        [(2, TenantStatus::Disabled), (3, TenantStatus::Active), (4, TenantStatus::Deleting)]
    {
        let after = Tenant {
            name: format!("Österreich {version}"),
            country: "AT".to_owned(),
            currency: "CHF".to_owned(),
            status,
            version,
            modified_at: Timestamp(START.0 + version),
            ..before.clone()
        };
        world.commit(&org, vec![Change::TenantUpdate(Box::new(after.clone()))]).await.unwrap();
        assert_eq!(world.store().tenant(org.tenant).await.unwrap(), Some(after));
    }
    assert_eq!(world.store().tenant(other.tenant).await.unwrap(), beside);
}

async fn an_update_of_another_version_of_a_tenant_is_stale<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let stored = world.store().tenant(org.tenant).await.unwrap().unwrap();
    for version in [0, 1, 3] {
        let wrong = Tenant { name: "Never".to_owned(), version, ..stored.clone() };
        let outcome = world.commit(&org, vec![Change::TenantUpdate(Box::new(wrong))]).await;
        assert_eq!(outcome, Err(StoreError::Stale));
    }
    assert_eq!(world.store().tenant(org.tenant).await.unwrap(), Some(stored));
}

async fn a_credential_is_revoked_once<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let all = world.store().credentials(org.tenant).await.unwrap();
    let revoke = |id, n| Change::CredentialRevoke { id, at: Timestamp(START.0 + n) };
    world.commit(&org, vec![revoke(all[1].id, 1)]).await.unwrap();
    for id in [all[1].id, CredentialId(i64::MAX)] {
        assert_eq!(world.commit(&org, vec![revoke(id, 2)]).await, Err(StoreError::Stale));
    }
    let revoked: Vec<_> = world.store().credentials(org.tenant).await.unwrap();
    let revoked: Vec<_> = revoked.into_iter().map(|credential| credential.revoked_at).collect();
    assert_eq!(revoked, [None, Some(Timestamp(START.0 + 1)), None]);
}

async fn a_journal_is_trimmed_up_to_a_sequence<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let all = world.journal(&org).await;
    for (through, left) in [(0, 6), (2, 4), (1, 4), (5, 1), (i64::MAX, 0)] {
        world.commit(&org, vec![Change::JournalTrim { through }]).await.unwrap();
        let records = world.store().journal(org.tenant, 0, JournalFilter::default(), 100).await.unwrap();
        assert_eq!(records, all[6 - left..], "{through}");
    }
    assert_eq!(world.journal(&other).await.len(), 6);
}

fn token(org: &Org, n: u8) -> SessionToken {
    SessionToken {
        tenant: org.tenant,
        hash: [n; 32],
        kind: TokenKind::Access,
        family: Uuid::from_u128(u128::from(n)),
        user: org.admin.id,
        created_at: START,
        expires_at: Timestamp(START.0 + i64::from(n)),
        retired_at: None,
    }
}

async fn expired_tokens_go_by_their_number<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let tokens = (1..=6).map(|n| Change::TokenInsert(Box::new(token(&org, n))));
    world.commit(&org, tokens.collect()).await.unwrap();
    let now = Timestamp(START.0 + 5);
    for (limit, left) in [(0, 6), (2, 4), (2, 2), (9, 1), (9, 1)] {
        world.commit(&org, vec![Change::TokensExpire { now, limit }]).await.unwrap();
        assert_eq!(world.backend.look("SELECT COUNT(*) FROM session_tokens"), left);
    }
}

/// Every change that touches rows of what there is, as a use case of this tenant could ask for.
async fn changes<B: Backend>(world: &World<B>, org: &Org, target: &Org) -> Vec<Change> {
    let (tenant, user) = (org.tenant, target.admin.clone());
    let stored = world.store().tenant(target.tenant).await.unwrap().unwrap();
    let unit = world.stored_unit(target, target.top).await;
    let credential = world.store().credentials(target.tenant).await.unwrap().remove(0);
    let later = Timestamp(START.0 + 1_000_000);
    let inserted = world.user(org, org.top, "inserted").await;
    vec![
        Change::TenantUpdate(Box::new(Tenant {
            id: tenant,
            name: "renamed".to_owned(),
            version: 2,
            ..stored
        })),
        Change::TenantPurge { limit: 100 },
        unit_insert(&world.unit(org, org.top, "inserted").await),
        unit_update(&OrgUnit { tenant, name: "renamed".to_owned(), version: 2, ..unit }),
        Change::TreeChanged,
        user_insert(&inserted),
        user_update(&user, &User { tenant, version: 2, first_name: "Changed".to_owned(), ..user.clone() }),
        Change::UserJournalForget(user.id),
        Change::JournalTrim { through: 3 },
        Change::CredentialRevoke { id: credential.id, at: later },
        Change::TokenInsert(Box::new(token(org, 77))),
        Change::RefreshRetire { hash: [2; 32], at: later },
        Change::AccessRetire { family: Uuid::from_u128(1), at: later, until: later },
        Change::AccessExtend { hash: [1; 32], from: Timestamp(START.0 + 1), until: later },
        Change::TokensExpire { now: later, limit: 100 },
        Change::UserTokensExpire { user: user.id, now: later },
        Change::TokenDelete { kind: TokenKind::Access, hash: [1; 32] },
        Change::FamilyDelete { family: Uuid::from_u128(1) },
        Change::UserTokensDelete { user: user.id, keep: None },
    ]
}

/// A tenant with an access and a refresh token.
async fn with_tokens<B: Backend>(world: &World<B>, name: &str) -> Org {
    let org = world.org(name).await;
    let refresh = SessionToken { kind: TokenKind::Refresh, ..token(&org, 2) };
    let tokens = [token(&org, 1), refresh].map(|token| Change::TokenInsert(Box::new(token)));
    world.commit(&org, tokens.into()).await.unwrap();
    org
}

async fn every_change_is_rolled_back_with_its_batch<B: Backend>() {
    let world = World::<B>::new();
    let org = with_tokens(&world, "acme").await;
    let before = world.backend.dump();
    let fails = Change::CredentialRevoke { id: CredentialId(i64::MAX), at: START };
    for change in changes(&world, &org, &org).await {
        let mut batch = Batch::new(org.tenant).journal(entry(&org, 1));
        if matches!(change, Change::TenantPurge { .. }) {
            let tenant = world.store().tenant(org.tenant).await.unwrap().unwrap();
            let deleting = Tenant { status: TenantStatus::Deleting, version: 2, ..tenant };
            batch = batch.change(Change::TenantUpdate(Box::new(deleting)));
        }
        let batch = batch.change(change.clone());
        let outcome = commit(&world, batch.clone().change(fails.clone())).await;
        assert_eq!(outcome, Err(StoreError::Stale), "{change:?}");
        assert_eq!(world.backend.dump(), before, "{change:?}");
    }
    // Alone, each of them changes something.
    for n in 0..changes(&world, &org, &org).await.len() {
        let world = World::<B>::new();
        let org = with_tokens(&world, "acme").await;
        let change = changes(&world, &org, &org).await.remove(n);
        if matches!(change, Change::TenantPurge { .. }) {
            continue;
        }
        let before = world.backend.dump();
        world.commit(&org, vec![change.clone()]).await.unwrap();
        assert_ne!(world.backend.dump(), before, "{change:?}");
    }
}

async fn every_change_touches_its_own_tenant_only<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (with_tokens(&world, "acme").await, world.org("other").await);
    let before = world.backend.dump_of(Some(org.tenant));
    for change in changes(&world, &other, &org).await {
        let outcome = world.commit(&other, vec![change.clone()]).await;
        assert!(!matches!(outcome, Err(StoreError::Internal(_))), "{change:?}: {outcome:?}");
        assert_eq!(world.backend.dump_of(Some(org.tenant)), before, "{change:?}");
    }
}
