//! Renaming, disabling and enabling tenants.

use std::time::Duration;

use muster_domain::tenant::{Tenant, TenantStatus, TenantStore as _};
use muster_domain::{Change, Entity, Error, JournalRecord, TenantId};
use serde_json::{Value, json};

use crate::support::{Backend, all_at_once};
use crate::world::{Org, World, named};

contract![
    a_rename_renames_the_tenant_and_its_top,
    a_rename_to_the_same_name_commits_nothing,
    a_rename_mends_a_top_that_was_renamed_alone,
    renames_at_the_same_time_all_end_with_one_name,
    a_disabled_tenant_lets_nobody_in_until_it_is_enabled,
    a_status_that_does_not_change_commits_nothing,
    there_is_no_way_back_from_a_deletion,
    an_unknown_tenant_is_not_found,
    a_tenants_time_of_change_never_goes_back,
];

const PASSWORD: &str = "correct horse battery";

async fn stored<B: Backend>(world: &World<B>, org: &Org) -> Tenant {
    world.store().tenant(org.tenant).await.unwrap().unwrap()
}

/// What the last entries of a journal say.
fn said(records: &[JournalRecord]) -> Vec<(&str, String, i64, Value)> {
    let said = |record: &JournalRecord| (record.entity_id.clone(), record.version, record.payload.clone());
    records
        .iter()
        .map(|record| {
            let (id, version, payload) = said(record);
            (record.kind.as_str(), id, version, payload)
        })
        .collect()
}

async fn a_rename_renames_the_tenant_and_its_top<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let beside = (stored(&world, &other).await, world.stored_unit(&other, other.top).await);
    let (before, top, made) =
        (stored(&world, &org).await, world.stored_unit(&org, org.top).await, world.journal(&org).await.len());
    world.clock.advance(Duration::from_mins(1));
    let now = world.directory.now();
    let renamed = world.directory.tenant_rename(org.tenant, "Umbrella").await.unwrap();
    let expected = Tenant { name: "Umbrella".to_owned(), version: 2, modified_at: now, ..before };
    assert_eq!(renamed, expected);
    assert_eq!(stored(&world, &org).await, expected);
    let after = world.stored_unit(&org, org.top).await;
    assert_eq!(after.name_key(), "umbrella");
    let (name, version, modified_at) = ("Umbrella".to_owned(), 2, now);
    assert_eq!(after, muster_domain::org_unit::OrgUnit { name, version, modified_at, ..top });

    let payload = json!({"name": ["acme", "Umbrella"]});
    let expected = [
        ("tenant.renamed", org.tenant.to_string(), 2, payload.clone()),
        ("org_unit.updated", org.top.to_string(), 2, payload),
    ];
    assert_eq!(said(&world.journal(&org).await[made..]), expected);
    assert_eq!((stored(&world, &other).await, world.stored_unit(&other, other.top).await), beside);
}

async fn a_rename_to_the_same_name_commits_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let before = (stored(&world, &org).await, world.backend.dump());
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(world.directory.tenant_rename(org.tenant, "acme").await.unwrap(), before.0);
    assert_eq!(world.backend.dump(), before.1);
    // Other letters are another name.
    let renamed = world.directory.tenant_rename(org.tenant, "ACME").await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.version), ("ACME", 2));
}

async fn a_rename_mends_a_top_that_was_renamed_alone<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let found = world.directory.org_unit_get(&org.ctx, org.top).await.unwrap();
    world.directory.org_unit_update(&org.ctx, found, named("Top").into(), None).await.unwrap();
    let made = world.journal(&org).await.len();
    let tenant = world.directory.tenant_rename(org.tenant, "acme").await.unwrap();
    assert_eq!((tenant.version, stored(&world, &org).await), (1, tenant));
    assert_eq!(world.stored_unit(&org, org.top).await.name, "acme");
    let expected = ("org_unit.updated", org.top.to_string(), 3, json!({"name": ["Top", "acme"]}));
    assert_eq!(said(&world.journal(&org).await[made..]), [expected]);
    // And the other way round.
    let found = world.directory.org_unit_get(&org.ctx, org.top).await.unwrap();
    world.directory.org_unit_update(&org.ctx, found, named("New").into(), None).await.unwrap();
    world.directory.tenant_rename(org.tenant, "New").await.unwrap();
    assert_eq!(stored(&world, &org).await.version, 2);
    assert_eq!(world.stored_unit(&org, org.top).await.version, 4);
}

async fn renames_at_the_same_time_all_end_with_one_name<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (directory, id) = (world.node(), org.tenant);
            async move { directory.tenant_rename(id, &format!("name {n}")).await }
        })
        .collect();
    let mut versions: Vec<i64> =
        all_at_once(tasks).await.into_iter().map(|outcome| outcome.unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..22).collect::<Vec<_>>());
    assert_eq!(stored(&world, &org).await.name, world.stored_unit(&org, org.top).await.name);
    assert_eq!(world.journal(&org).await.len(), 6 + 2 * 20);
}

async fn a_disabled_tenant_lets_nobody_in_until_it_is_enabled<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org_with("acme", Some(PASSWORD)).await;
    let other = world.org_with("other", Some(PASSWORD)).await;
    let [access, refresh] = world.session(&org.admin).await;
    let [others, _] = world.session(&other.admin).await;
    let directory = &world.directory;
    let before = stored(&world, &org).await;
    world.clock.advance(Duration::from_mins(1));
    let disabled = directory.tenant_disable(org.tenant).await.unwrap();
    let modified_at = directory.now();
    assert_eq!(
        disabled,
        Tenant { status: TenantStatus::Disabled, version: 2, modified_at, ..before.clone() }
    );
    assert_eq!(stored(&world, &org).await, disabled);
    assert!(!world.lets_in(&access).await);
    assert!(matches!(directory.session_refresh(&refresh).await, Err(Error::Unauthenticated(_))));
    let outcome = directory.session_open("admin@acme", PASSWORD.into()).await;
    assert!(matches!(outcome, Err(Error::Unauthenticated(_))));
    assert!(world.lets_in(&others).await);

    let enabled = directory.tenant_enable(org.tenant).await.unwrap();
    assert_eq!(enabled, Tenant { version: 3, modified_at, ..before });
    assert!(world.lets_in(&access).await);
    directory.session_refresh(&refresh).await.unwrap();
    directory.session_open("admin@acme", PASSWORD.into()).await.unwrap();
    let id = org.tenant.to_string();
    let expected = [
        ("tenant.disabled", id.clone(), 2, json!({"status": ["active", "disabled"]})),
        ("tenant.enabled", id, 3, json!({"status": ["disabled", "active"]})),
    ];
    assert_eq!(said(&world.journal(&org).await[6..]), expected);
}

async fn a_status_that_does_not_change_commits_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let directory = &world.directory;
    let before = world.backend.dump();
    world.clock.advance(Duration::from_mins(1));
    directory.tenant_enable(org.tenant).await.unwrap();
    assert_eq!(world.backend.dump(), before);
    directory.tenant_disable(org.tenant).await.unwrap();
    let before = world.backend.dump();
    directory.tenant_disable(org.tenant).await.unwrap();
    assert_eq!(world.backend.dump(), before);
}

async fn there_is_no_way_back_from_a_deletion<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let tenant = Tenant { status: TenantStatus::Deleting, version: 2, ..stored(&world, &org).await };
    world.commit(&org, vec![Change::TenantUpdate(Box::new(tenant.clone()))]).await.unwrap();
    for outcome in
        [world.directory.tenant_enable(org.tenant).await, world.directory.tenant_disable(org.tenant).await]
    {
        assert!(
            matches!(&outcome, Err(Error::Invalid(fields)) if fields[0].field == "tenant"),
            "{outcome:?}"
        );
    }
    assert_eq!(stored(&world, &org).await, tenant);
    assert!(!world.lets_in(&world.session(&org.admin).await[0]).await);
}

async fn an_unknown_tenant_is_not_found<B: Backend>() {
    let world = World::<B>::new();
    let (directory, id) = (&world.directory, TenantId(i64::MAX));
    let outcomes = [
        directory.tenant_get(id).await.map(drop),
        directory.tenant_operator(id).await.map(drop),
        directory.tenant_rename(id, "name").await.map(drop),
        directory.tenant_disable(id).await.map(drop),
        directory.tenant_enable(id).await.map(drop),
        directory.tenant_delete(id, |_| panic!("there is nothing to remove")).await,
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(Error::NotFound(Entity::Tenant))), "{outcome:?}");
    }
}

async fn a_tenants_time_of_change_never_goes_back<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let later = world.directory.now().plus(Duration::from_hours(1));
    let tenant = Tenant { modified_at: later, version: 2, ..stored(&world, &org).await };
    world.commit(&org, vec![Change::TenantUpdate(Box::new(tenant))]).await.unwrap();
    for tenant in [
        world.directory.tenant_rename(org.tenant, "Umbrella").await.unwrap(),
        world.directory.tenant_disable(org.tenant).await.unwrap(),
    ] {
        assert_eq!(tenant.modified_at, later);
        assert_eq!(stored(&world, &org).await.modified_at, later);
    }
}
