//! Tenants: columns, lists, credentials, ids, and that none sees another's rows.

use std::collections::HashSet;
use std::sync::Arc;

use muster_domain::credential::{Credential, CredentialStore as _, Profile};
use muster_domain::org_unit::{OrgUnit, OrgUnitFilter, OrgUnitStore as _};
use muster_domain::session::{SessionStore as _, SessionToken, TokenKind};
use muster_domain::tenant::{Tenant, TenantStatus, TenantStore as _};
use muster_domain::user::{User, UserStore as _};
use muster_domain::{
    Batch, Change, CredentialId, Dialect, Guard, IdKind, OrgUnitId, Slice, Store as _, StoreError, TenantId,
    Timestamp,
};
use muster_store::{Limits, Store};
use uuid::Uuid;

use crate::support::{Backend, START, all_at_once};
use crate::world::{Org, World, entry, unit_update, user_update};

contract![
    a_tenant_reads_back_with_every_column,
    tenants_are_listed_by_id,
    a_tenant_is_made_with_all_it_needs,
    a_tenant_whose_admin_is_taken_is_not_made,
    credentials_read_back_with_every_column,
    no_read_shows_a_row_of_another_tenant,
    no_walk_leaves_the_tenant,
    no_write_touches_a_row_of_another_tenant,
    no_guard_sees_a_row_of_another_tenant,
    ids_are_unique_over_open_stores,
];

fn tenant(id: i64, status: TenantStatus) -> Tenant {
    Tenant {
        tier: muster_domain::message::Tier::L,
        id: TenantId(id),
        organization_id: Uuid::from_u128(u128::from(id.unsigned_abs()) << 64),
        name: "Österreich & Söhne".to_owned(),
        country: "AT".to_owned(),
        currency: "CHF".to_owned(),
        status,
        top_org_unit_id: OrgUnitId(id + 100),
        version: 3,
        created_at: Timestamp(START.0 + 1),
        modified_at: Timestamp(START.0 + 2),
    }
}

async fn insert<B: Backend>(world: &World<B>, tenant: &Tenant) -> Result<(), StoreError> {
    let change = Change::TenantInsert(Box::new(tenant.clone()));
    world.store().commit(Batch::new(tenant.id).change(change)).await
}

async fn a_tenant_reads_back_with_every_column<B: Backend>() {
    let world = World::<B>::new();
    for tenant in [tenant(1001, TenantStatus::Active), tenant(1002, TenantStatus::Disabled)] {
        insert(&world, &tenant).await.unwrap();
        let stored = world.store().tenant(tenant.id).await.unwrap();
        assert_eq!(stored, Some(tenant));
    }
    assert_eq!(world.store().tenant(TenantId(1003)).await.unwrap(), None);
    // The ids under which a dialect knows a tenant stand once.
    let twice = Tenant { id: TenantId(1004), ..tenant(1001, TenantStatus::Active) };
    assert!(insert(&world, &twice).await.is_err());
    assert_eq!(world.store().tenant(twice.id).await.unwrap(), None);
}

async fn tenants_are_listed_by_id<B: Backend>() {
    let world = World::<B>::new();
    for id in [1005, 1001, 1003] {
        insert(&world, &tenant(id, TenantStatus::Active)).await.unwrap();
    }
    let list = async |after: Option<i64>, limit| -> Vec<i64> {
        let tenants = world.store().tenants(after.map(TenantId), limit).await.unwrap();
        tenants.into_iter().map(|tenant| tenant.id.0).collect()
    };
    assert_eq!(list(None, 10).await, [1001, 1003, 1005]);
    assert_eq!(list(None, 2).await, [1001, 1003]);
    assert_eq!(list(Some(1001), 10).await, [1003, 1005]);
    assert_eq!(list(Some(1002), 1).await, [1003]);
    assert!(list(Some(1005), 10).await.is_empty());
}

async fn a_tenant_is_made_with_all_it_needs<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let stored = world.store().tenant(org.tenant).await.unwrap().unwrap();
    assert_eq!((stored.name.as_str(), stored.top_org_unit_id), ("acme", org.top));
    assert!(stored.is_active());
    let top = world.stored_unit(&org, org.top).await;
    assert_eq!((top.name.as_str(), top.timezone.as_str(), top.parent_id), ("acme", "America/New_York", None));
    assert_eq!(world.store().user(org.tenant, org.admin.id).await.unwrap(), Some(org.admin.clone()));
    let credentials = world.store().credentials(org.tenant).await.unwrap();
    let dialects: Vec<Dialect> = credentials.iter().map(|credential| credential.dialect).collect();
    assert_eq!(dialects, [Dialect::Lox24, Dialect::Onlive, Dialect::Scim]);
    let kinds: Vec<String> = world.journal(&org).await.into_iter().map(|record| record.kind).collect();
    let made = "credential.created";
    assert_eq!(kinds, ["tenant.created", "org_unit.created", "user.created", made, made, made]);
}

async fn a_tenant_whose_admin_is_taken_is_not_made<B: Backend>() {
    use muster_domain::tenant::NewTenant;
    use muster_domain::user::UserPatch;
    use muster_domain::{Error, Unique};

    let world = World::<B>::new();
    world.org("acme").await;
    let admin = UserPatch { login: Some("ADMIN@acme".to_owned()), ..UserPatch::default() };
    let new =
        NewTenant { name: "Second".to_owned(), country: "US".to_owned(), admin, timezone: "UTC".to_owned() };
    let outcome = world.directory.tenant_create(&world.key, new).await;
    assert!(matches!(outcome, Err(Error::Duplicate(Unique::Login))), "{outcome:?}");
    assert_eq!(world.store().tenants(None, 10).await.unwrap().len(), 1);
}

async fn credentials_read_back_with_every_column<B: Backend>() {
    let world = World::<B>::new();
    insert(&world, &tenant(1001, TenantStatus::Active)).await.unwrap();
    let empty = Credential {
        id: CredentialId(12),
        tenant: TenantId(1001),
        dialect: Dialect::Scim,
        name: String::new(),
        public_id: None,
        secret_hash: None,
        secret_sealed: None,
        read_only: false,
        profile: Profile::Rfc,
        expires_at: None,
        revoked_at: None,
        created_at: START,
        last_used_at: None,
    };
    let full = Credential {
        id: CredentialId(11),
        dialect: Dialect::Onlive,
        name: "Bureau".to_owned(),
        public_id: Some("OL1001-AB".to_owned()),
        secret_hash: Some([5; 32]),
        secret_sealed: Some(vec![0, 255, 7]),
        read_only: true,
        profile: Profile::Entra,
        expires_at: Some(Timestamp(START.0 + 1)),
        revoked_at: Some(Timestamp(START.0 + 2)),
        last_used_at: Some(Timestamp(START.0 + 3)),
        ..empty.clone()
    };
    for credential in [&empty, &full] {
        let change = Change::CredentialInsert(Box::new(credential.clone()));
        world.store().commit(Batch::new(TenantId(1001)).change(change)).await.unwrap();
    }
    assert_eq!(world.store().credentials(TenantId(1001)).await.unwrap(), [full, empty]);
    assert_eq!(world.store().credentials(TenantId(1002)).await.unwrap(), []);
}

/// Two tenants; the first has a unit with a child and a user, and that user has a token.
async fn neighbours<B: Backend>() -> (World<B>, Org, Org, OrgUnit, User, SessionToken) {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let unit = world.add_unit(&org, org.top, "North").await;
    world.add_unit(&org, unit.id, "Child").await;
    let user = world.add_user(&org, unit.id, "bob").await;
    let token = SessionToken {
        tenant: org.tenant,
        hash: [1; 32],
        kind: TokenKind::Access,
        family: Uuid::from_u128(7),
        user: user.id,
        created_at: START,
        expires_at: Timestamp(START.0 + 10),
        retired_at: None,
    };
    world.commit(&org, vec![Change::TokenInsert(Box::new(token.clone()))]).await.unwrap();
    (world, org, other, unit, user, token)
}

async fn no_read_shows_a_row_of_another_tenant<B: Backend>() {
    let (world, org, other, unit, user, token) = neighbours::<B>().await;
    let store = world.store();
    for id in [org.top, unit.id] {
        let slice = Slice { limit: 100, offset: 0 };
        let all = OrgUnitFilter::default;
        assert_eq!(store.org_unit_located(other.tenant, id).await.unwrap(), None);
        let children = store.org_unit_children(other.tenant, id, all(), slice).await.unwrap();
        assert_eq!((children.items, children.total), (vec![], 0));
        let subtree = store.org_unit_subtree(other.tenant, id, all(), slice).await.unwrap();
        assert_eq!((subtree.items, subtree.total), (vec![], 0));
        assert_eq!(store.org_unit_tree(other.tenant, id, false).await.unwrap().iter().count(), 0);
        assert_eq!(store.org_unit_tree(other.tenant, id, true).await.unwrap().iter().count(), 0);
        assert_eq!(store.org_unit_ids(other.tenant, id).await.unwrap(), []);
        assert!(store.org_unit_vacant(other.tenant, id).await.unwrap(), "as if it were unknown");
    }
    assert_eq!(store.user(other.tenant, user.id).await.unwrap(), None);
    assert_eq!(store.user_view(other.tenant, user.id).await.unwrap(), None);
    assert!(store.session_caller(other.tenant, token.hash, START).await.unwrap().is_none());
    assert_eq!(store.session_token(other.tenant, token.kind, token.hash).await.unwrap(), None);
    for credential in store.credentials(other.tenant).await.unwrap() {
        assert_eq!(credential.tenant, other.tenant);
    }
    assert_eq!(world.journal(&other).await.len(), 6, "what made the tenant, and nothing of its neighbour");
    // What the other tenant has lies beside it, not in it.
    assert_eq!(store.org_unit_ids(other.tenant, other.top).await.unwrap(), [other.top]);
}

async fn no_walk_leaves_the_tenant<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let unit = world.add_unit(&org, org.top, "North").await.id;
    let stray = world.add_unit(&other, other.top, "Stray").await.id;
    let user = world.add_user(&other, stray, "bob").await.id;
    // No use case hangs anything under another tenant's unit; a fault of ours must not show it.
    world.backend.tamper(&format!("UPDATE org_units SET parent_id = {unit} WHERE id = {stray}"));
    world.backend.tamper(&format!("UPDATE users SET org_unit_id = {unit} WHERE id = {user}"));

    let (store, slice) = (world.store(), Slice { limit: 100, offset: 0 });
    assert_eq!(store.org_unit_ids(org.tenant, unit).await.unwrap(), [unit]);
    assert_eq!(store.org_unit_tree(org.tenant, unit, false).await.unwrap().iter().count(), 1);
    assert!(store.org_unit_vacant(org.tenant, unit).await.unwrap());
    let all = OrgUnitFilter::default;
    assert_eq!(store.org_unit_subtree(org.tenant, unit, all(), slice).await.unwrap().total, 1);
    assert_eq!(store.org_unit_children(org.tenant, unit, all(), slice).await.unwrap().total, 0);
    assert_eq!(store.user_view(other.tenant, user).await.unwrap(), None);
}

async fn no_write_touches_a_row_of_another_tenant<B: Backend>() {
    let (world, org, other, unit, user, token) = neighbours::<B>().await;
    let foreign = OrgUnit { tenant: other.tenant, version: 2, ..unit.clone() };
    assert_eq!(world.commit(&other, vec![unit_update(&foreign)]).await, Err(StoreError::Stale));
    let foreign = User { tenant: other.tenant, version: 2, ..user.clone() };
    assert_eq!(world.commit(&other, vec![user_update(&user, &foreign)]).await, Err(StoreError::Stale));

    let refresh = SessionToken { hash: [2; 32], kind: TokenKind::Refresh, ..token.clone() };
    world.commit(&org, vec![Change::TokenInsert(Box::new(refresh.clone()))]).await.unwrap();
    let retire = Change::RefreshRetire { hash: refresh.hash, at: START };
    assert_eq!(world.commit(&other, vec![retire]).await, Err(StoreError::Stale));
    let (hash, until) = (token.hash, Timestamp(START.0 + 99));
    let changes = vec![
        Change::AccessRetire { family: token.family, at: START, until: START },
        Change::AccessExtend { hash, from: token.expires_at, until },
        Change::TokenDelete { kind: TokenKind::Access, hash },
        Change::FamilyDelete { family: token.family },
        Change::UserTokensDelete { user: user.id, keep: None },
    ];
    world.commit(&other, changes).await.unwrap();

    assert_eq!(world.stored_unit(&org, unit.id).await, unit);
    assert_eq!(world.store().user(org.tenant, user.id).await.unwrap(), Some(user));
    for token in [token, refresh] {
        let stored = world.store().session_token(org.tenant, token.kind, token.hash).await.unwrap();
        assert_eq!(stored, Some(token));
    }
    assert_eq!(world.journal(&org).await.len(), 6);
}

async fn no_guard_sees_a_row_of_another_tenant<B: Backend>() {
    let (world, _, other, unit, user, _) = neighbours::<B>().await;
    for guard in [Guard::UnitActive(unit.id), Guard::UserVersion { id: user.id, version: 1 }] {
        let batch = Batch::new(other.tenant).guard(guard).journal(entry(&other, 1));
        assert_eq!(world.store().commit(batch).await, Err(StoreError::GuardFailed));
    }
    assert_eq!(world.journal(&other).await.len(), 6);
}

async fn ids_are_unique_over_open_stores<B: Backend>() {
    const EACH: usize = 150;

    let world = World::<B>::new();
    let stores: Vec<Arc<Store>> = (0..2).map(|_| Arc::new(world.backend.open(Limits::default()).0)).collect();
    for kind in IdKind::ALL {
        let takers = (0..4).map(|n| {
            let store = Arc::clone(&stores[n % 2]);
            async move {
                let mut ids = Vec::with_capacity(EACH);
                for _ in 0..EACH {
                    ids.push(store.next_id(kind).await.unwrap());
                }
                ids
            }
        });
        let ids: Vec<i64> = all_at_once(takers).await.concat();
        assert_eq!(ids.len(), 4 * EACH);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{kind:?}");
        assert!(ids.iter().all(|id| *id > 0));
    }
}
