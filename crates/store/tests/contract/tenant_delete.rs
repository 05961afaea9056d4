//! Deleting tenants: all of it goes, nothing of others does, and whoever still writes is refused cleanly.

use muster_domain::credential::{CredentialWish, Profile};
use muster_domain::org_unit::OrgUnit;
use muster_domain::tag::TagPatch;
use muster_domain::tenant::{Tenant, TenantStatus, TenantStore as _};
use muster_domain::user::{User, UserPatch, UserStatus};
use muster_domain::{Batch, Change, Dialect, Error, IdKind, OrgUnitId, Store as _, StoreError, UserId};

use crate::contact_books::{nth, with_list};
use crate::support::{Backend, all_at_once};
use crate::user_books::joining;
use crate::world::{
    Org, World, entry, named, under, unit_insert, unit_update, user_insert, user_update, with_login,
};

contract![
    nothing_of_a_deleted_tenant_is_left_and_all_of_the_others,
    a_tenant_larger_than_a_step_is_deleted,
    a_deletion_that_was_broken_off_goes_on,
    a_step_removes_at_most_so_many_rows_and_nobody_gets_in,
    a_tenant_that_is_not_being_deleted_is_not_purged,
    a_login_of_a_deleted_tenant_is_free,
    deletions_at_the_same_time_all_end_well,
    writes_to_a_deleted_tenant_are_refused_cleanly,
    batches_for_a_deleted_tenant_are_refused_cleanly,
    writes_during_a_deletion_do_not_stop_it,
];

const PASSWORD: &str = "correct horse battery";

/// A tenant with something of everything: a deep chain, units that hang below one of a greater and one of a
/// smaller id, an archived one, users of every status everywhere, sessions, credentials, user groups (one deleted),
/// contact groups (one replaced, one deleted), tags, media prompts and a journal.
async fn furnished<B: Backend>(world: &World<B>, name: &str) -> Org {
    let org = world.org_with(name, Some(PASSWORD)).await;
    let chain = world.add_chain(&org, 70).await;
    let mut units = vec![org.top, chain[0], chain[69]];
    for n in 0..6 {
        units.push(world.add_unit(&org, org.top, &format!("unit {n}")).await.id);
    }
    units.push(world.add_archived(&org, units[3], "archived").await.id);
    for (unit, parent) in [(units[3], units[5]), (units[7], units[4]), (chain[30], units[8])] {
        let found = world.directory.org_unit_get(&org.ctx, unit).await.unwrap();
        world.directory.org_unit_update(&org.ctx, found, under(parent).into(), None).await.unwrap();
    }
    for (n, unit) in units.iter().enumerate() {
        let login = format!("user {n} of {name}");
        let user = User { login_claimed: n % 2 == 0, ..world.user(&org, *unit, &login).await };
        world.commit(&org, vec![user_insert(&user)]).await.unwrap();
        world.session(&user).await;
        match n % 4 {
            1 => drop(world.delete_user(&org, user.id).await.unwrap()),
            2 => drop(world.erase_user(&org, user.id).await.unwrap()),
            3 => {
                let patch = UserPatch { status: Some(UserStatus::Inactive), ..UserPatch::default() };
                world.update_user(&org, user.id, patch).await.unwrap();
            }
            _ => {}
        }
    }
    let credential = world.directory.credential_create(&org.ctx, &world.key, wish()).await.unwrap();
    world.directory.credential_revoke(&org.ctx, credential.credential.id).await.unwrap();
    let [_, replaced, deleted] = [
        world.group_of(&org, 0..4).await,
        world.group_of(&org, 0..5).await,
        world.group_of(&org, 0..6).await,
    ];
    world.update_group(&org, replaced.id, with_list([nth(2), nth(8)])).await.unwrap();
    world.delete_group(&org, deleted.id).await.unwrap();
    for n in 0..2 {
        let group = world.user_group(&org, &format!("group {n}")).await.id;
        world.change_members(&org, group, joining([&org.admin])).await.unwrap();
        let tag = TagPatch { name: Some(format!("tag {n}")), ..TagPatch::default() };
        world.directory.tag_create(&org.ctx, tag.into()).await.unwrap();
        world.media_prompt(&org, &format!("prompt {n}")).await;
        if n == 0 {
            world.drop_user_group(&org, group).await.unwrap();
        }
    }
    org
}

fn wish() -> CredentialWish {
    CredentialWish {
        dialect: Dialect::Scim,
        name: "extra".to_owned(),
        read_only: false,
        profile: Profile::Rfc,
        expires_at: None,
    }
}

async fn set_deleting<B: Backend>(world: &World<B>, org: &Org) {
    let before = world.store().tenant(org.tenant).await.unwrap().unwrap();
    let after = Tenant { status: TenantStatus::Deleting, version: before.version + 1, ..before };
    world.commit(org, vec![Change::TenantUpdate(Box::new(after))]).await.unwrap();
}

async fn nothing_of_a_deleted_tenant_is_left_and_all_of_the_others<B: Backend>() {
    let world = World::<B>::new();
    let other = furnished(&world, "other").await;
    let before = world.backend.dump();
    let org = furnished(&world, "acme").await;
    let tables = world.backend.rows_of(org.tenant);
    assert_eq!(tables.len(), 14, "it has something in every table: {tables:?}");
    let mut removed = Vec::new();
    world.directory.tenant_delete(org.tenant, |rows| removed.push(rows)).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), []);
    assert_eq!(world.backend.dump(), before);
    assert!(removed.is_sorted() && !removed.is_empty(), "{removed:?}");
    let outcome = world.directory.tenant_delete(org.tenant, |_| {}).await;
    assert!(matches!(outcome, Err(Error::NotFound(_))), "{outcome:?}");
    world.session(&other.admin).await;
    world.directory.session_open("admin@other", PASSWORD.into()).await.unwrap();
    assert!(world.store().tenant_counts(org.tenant).await.unwrap().is_none());
}

async fn a_tenant_larger_than_a_step_is_deleted<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut parent = org.top;
    let mut batch = Batch::new(org.tenant);
    for n in 0..2300 {
        let unit = world.unit(&org, parent, &format!("unit {n}")).await;
        let user = world.user(&org, unit.id, &format!("user {n}")).await;
        // Long chains beside wide rows of siblings.
        if n % 3 == 0 {
            parent = unit.id;
        }
        let user = User { login_claimed: true, ..user };
        batch = batch.change(unit_insert(&unit)).change(user_insert(&user)).journal(entry(&org, n));
    }
    world.store().commit(batch).await.unwrap();
    let rows: i64 = world.backend.rows_of(org.tenant).iter().map(|(_, rows)| rows).sum();
    let mut removed = 0;
    world.directory.tenant_delete(org.tenant, |rows| removed = rows).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), []);
    assert!(removed >= rows.unsigned_abs(), "{removed} of {rows}");
}

async fn a_deletion_that_was_broken_off_goes_on<B: Backend>() {
    let world = World::<B>::new();
    world.org("other").await;
    let before = world.backend.dump();
    for steps in [0, 1, 3, 10, 25, 40] {
        let org = furnished(&world, &format!("org {steps}")).await;
        set_deleting(&world, &org).await;
        for _ in 0..steps {
            world.commit(&org, vec![Change::TenantPurge { limit: 3 }]).await.unwrap();
        }
        world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
        assert_eq!(world.backend.rows_of(org.tenant), [], "after {steps} steps");
        assert_eq!(world.backend.dump(), before);
    }
}

async fn a_step_removes_at_most_so_many_rows_and_nobody_gets_in<B: Backend>() {
    let world = World::<B>::new();
    let org = furnished(&world, "acme").await;
    let [access, _] = world.session(&org.admin).await;
    set_deleting(&world, &org).await;
    let rows = || world.backend.rows_of(org.tenant).iter().map(|(_, rows)| rows).sum::<i64>();
    let mut left = rows();
    while world.store().tenant(org.tenant).await.unwrap().is_some() {
        assert!(!world.lets_in(&access).await);
        world.commit(&org, vec![Change::TenantPurge { limit: 7 }]).await.unwrap();
        let now = rows();
        assert!(now < left && left - now <= 7, "{left} to {now}");
        left = now;
    }
    assert_eq!(left, 0);
}

async fn a_tenant_that_is_not_being_deleted_is_not_purged<B: Backend>() {
    let world = World::<B>::new();
    let org = furnished(&world, "acme").await;
    let other = world.org("other").await;
    set_deleting(&world, &other).await;
    for _ in 0..2 {
        let before = world.backend.dump();
        let outcome = world.commit(&org, vec![Change::TenantPurge { limit: 1000 }]).await;
        assert_eq!(outcome, Err(StoreError::GuardFailed));
        assert_eq!(world.backend.dump(), before);
        world.directory.tenant_disable(org.tenant).await.unwrap();
    }
}

async fn a_login_of_a_deleted_tenant_is_free<B: Backend>() {
    let world = World::<B>::new();
    for _ in 0..3 {
        let org = world.org_with("acme", Some(PASSWORD)).await;
        world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
        let outcome = world.directory.session_open("admin@acme", PASSWORD.into()).await;
        assert!(matches!(outcome, Err(Error::Unauthenticated(_))), "{outcome:?}");
    }
}

async fn deletions_at_the_same_time_all_end_well<B: Backend>() {
    let world = World::<B>::new();
    for round in 0..8 {
        let org = furnished(&world, &format!("org {round}")).await;
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (directory, id) = (world.node(), org.tenant);
                async move { directory.tenant_delete(id, |_| {}).await }
            })
            .collect();
        for outcome in all_at_once(tasks).await {
            assert!(matches!(outcome, Ok(()) | Err(Error::NotFound(_))), "{outcome:?}");
        }
        assert_eq!(world.backend.rows_of(org.tenant), []);
    }
}

/// Every use case that writes, with what was read before the tenant went.
async fn writes_to_a_deleted_tenant_are_refused_cleanly<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org_with("acme", Some(PASSWORD)).await;
    let unit = world.add_unit(&org, org.top, "unit").await.id;
    let user = world.add_user(&org, unit, "bob").await;
    let [access, refresh] = world.session(&org.admin).await;
    let directory = &world.directory;
    let (ctx, caller) = directory.session_authenticate(Dialect::Convirza, &access).await.unwrap();
    let view = directory.user_get_writable(&ctx, user.id).await.unwrap();
    let located = directory.org_unit_get(&ctx, unit).await.unwrap();
    let credential = directory.credential_list(&ctx).await.unwrap()[0].id;
    directory.tenant_delete(org.tenant, |_| {}).await.unwrap();

    let name = || UserPatch { first_name: Some("Late".to_owned()), ..UserPatch::default() };
    let password = || UserPatch { password: Some(PASSWORD.into()), ..UserPatch::default() };
    let outcomes = [
        directory.user_create(&ctx, with_login("late").into()).await.map(drop),
        directory.user_update(&ctx, view.clone(), name().into(), None).await.map(drop),
        directory.user_update(&ctx, view.clone(), password().into(), None).await.map(drop),
        directory.user_delete(&ctx, view.clone(), None).await.map(drop),
        directory.user_erase(&ctx, view, None).await.map(drop),
        directory.org_unit_create(&ctx, named("late").into()).await.map(drop),
        directory.org_unit_update(&ctx, located.clone(), named("late").into(), None).await.map(drop),
        directory
            .org_unit_update(&ctx, located.clone(), under(org.top).into(), Some(Box::new(|_| true)))
            .await
            .map(drop),
        directory.org_unit_archive(&ctx, located, None).await.map(drop),
        directory.credential_create(&ctx, &world.key, wish()).await.map(drop),
        directory.credential_revoke(&ctx, credential).await.map(drop),
        directory.password_change(&ctx, &caller, PASSWORD.into(), "battery staple horse".into()).await,
        directory.password_set("admin@acme", "battery staple horse").await.map(drop),
        directory.session_open("admin@acme", PASSWORD.into()).await.map(drop),
        directory.session_refresh(&refresh).await.map(drop),
        directory.session_authenticate(Dialect::Convirza, &access).await.map(drop),
        directory.tenant_rename(org.tenant, "late").await.map(drop),
        directory.tenant_disable(org.tenant).await.map(drop),
        directory.tenant_enable(org.tenant).await.map(drop),
    ];
    for (n, outcome) in outcomes.iter().enumerate() {
        let clean =
            matches!(outcome, Err(Error::NotFound(_) | Error::Invalid(_) | Error::Unauthenticated(_)));
        assert!(clean, "{n}: {outcome:?}");
    }
    assert_eq!(world.backend.rows_of(org.tenant), []);
}

/// What a use case may have handed in before the tenant went.
async fn batches_for_a_deleted_tenant_are_refused_cleanly<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let admin = org.admin.clone();
    let unit = world.stored_unit(&org, org.top).await;
    let fresh =
        OrgUnit { id: OrgUnitId(world.store().next_id(IdKind::OrgUnit).await.unwrap()), ..unit.clone() };
    let user = world.user(&org, org.top, "bob").await;
    let changed = User { version: 2, ..admin.clone() };
    let credential = world.directory.credential_list(&org.ctx).await.unwrap().remove(0);
    let tenant = world.store().tenant(org.tenant).await.unwrap().unwrap();
    world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();

    let at = world.directory.now();
    let changes = [
        user_insert(&user),
        user_update(&admin, &changed),
        unit_insert(&fresh),
        unit_update(&OrgUnit { version: 2, ..unit }),
        Change::TreeChanged,
        Change::TenantUpdate(Box::new(Tenant { version: 2, ..tenant })),
        Change::TenantPurge { limit: 10 },
        Change::CredentialRevoke { id: credential.id, at },
        Change::CredentialInsert(Box::new(credential)),
    ];
    for change in changes {
        for journaled in [false, true] {
            let mut batch = Batch::new(org.tenant).change(change.clone());
            if journaled {
                batch = batch.journal(entry(&org, 1));
            }
            let outcome = world.store().commit(batch).await;
            let clean = matches!(outcome, Err(StoreError::Stale | StoreError::GuardFailed));
            assert!(clean, "{change:?}: {outcome:?}");
        }
    }
    // Nothing to be removed is nothing removed.
    for change in [
        Change::UserJournalForget(UserId(1)),
        Change::JournalTrim { through: 9 },
        Change::TokensExpire { now: at, limit: 9 },
    ] {
        world.commit(&org, vec![change]).await.unwrap();
    }
    let only_journal = Batch::new(org.tenant).journal(entry(&org, 1));
    assert_eq!(world.store().commit(only_journal).await, Err(StoreError::Stale));
    assert_eq!(world.backend.dump(), Vec::<String>::new());
}

async fn writes_during_a_deletion_do_not_stop_it<B: Backend>() {
    let world = World::<B>::new();
    let org = furnished(&world, "acme").await;
    let tasks: Vec<_> = (0..60)
        .map(|n| {
            let (directory, ctx, key) = (world.node(), org.ctx.clone(), world.key.clone());
            async move {
                match n % 4 {
                    0 if n == 20 => directory.tenant_delete(ctx.tenant(), |_| {}).await,
                    0 => directory.org_unit_create(&ctx, named(&format!("late {n}")).into()).await.map(drop),
                    1 => directory.credential_create(&ctx, &key, wish()).await.map(drop),
                    _ => directory.user_create(&ctx, with_login(&format!("late {n}")).into()).await.map(drop),
                }
            }
        })
        .collect();
    for outcome in all_at_once(tasks).await {
        assert!(matches!(outcome, Ok(()) | Err(Error::NotFound(_) | Error::Invalid(_))), "{outcome:?}");
    }
    assert_eq!(world.backend.rows_of(org.tenant), []);
}
