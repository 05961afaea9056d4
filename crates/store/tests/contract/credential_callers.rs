//! Who is let in with the secret of a credential, what it may do, and that its use is noted.

use std::time::Duration;

use muster_domain::credential::{
    Credential, CredentialCaller, CredentialStore as _, CredentialWish, Profile,
};
use muster_domain::org_unit::OrgUnitPatch;
use muster_domain::session::{Found, Subject};
use muster_domain::{
    Access, Actor, Batch, Change, CredentialId, Ctx, Dialect, Error, OrgUnitId, Store as _, TenantId,
    Timestamp, UserId,
};
use secrecy::ExposeSecret as _;

use crate::support::{Backend, START};
use crate::world::{Org, World};

contract![
    the_right_secret_lets_in_at_the_top,
    a_read_only_credential_may_not_write,
    a_secret_holds_for_its_tenant_and_dialect_only,
    a_credential_that_expired_or_was_revoked_lets_nobody_in,
    the_programs_of_a_disabled_tenant_are_told_so,
    nobody_of_a_tenant_that_is_being_deleted_is_let_in,
    a_caller_is_read_together_with_what_it_asks_for,
    a_use_is_noted_once_a_minute,
    of_notes_on_one_use_the_first_counts,
    a_stopped_store_lets_in_without_a_note,
];

const MINUTE: Duration = Duration::from_mins(1);

fn later(minutes: u32) -> Timestamp {
    START.plus(MINUTE * minutes)
}

fn wish(dialect: Dialect) -> CredentialWish {
    CredentialWish {
        dialect,
        name: "key".to_owned(),
        read_only: false,
        profile: Profile::Rfc,
        expires_at: None,
    }
}

/// A new credential and its secret.
async fn create<B: Backend>(world: &World<B>, org: &Org, wish: CredentialWish) -> (CredentialId, String) {
    let new = world.directory.credential_create(&org.ctx, &world.key, wish).await.unwrap();
    (new.credential.id, new.secret.expose_secret().to_owned())
}

async fn enter<B: Backend>(world: &World<B>, tenant: TenantId, secret: &str) -> Result<Ctx, Error> {
    world.directory.credential_authenticate(Dialect::Lox24, tenant, secret).await
}

async fn is_refused<B: Backend>(world: &World<B>, tenant: TenantId, secret: &str) -> bool {
    let alone = enter(world, tenant, secret).await;
    let subject = Subject::User(UserId(1));
    let directory = &world.directory;
    let both = directory.credential_authenticate_for(Dialect::Lox24, tenant, secret, subject).await;
    let refused = matches!(alone, Err(Error::Unauthenticated(_)));
    assert_eq!(refused, matches!(both, Err(Error::Unauthenticated(_))), "{alone:?} {both:?}");
    refused
}

/// A credential as it is stored, when all that was handed in is done.
async fn stored<B: Backend>(world: &World<B>, org: &Org, id: CredentialId) -> Credential {
    world.commit(org, Vec::new()).await.unwrap();
    let all = world.store().credentials(org.tenant).await.unwrap();
    all.into_iter().find(|credential| credential.id == id).unwrap()
}

async fn the_right_secret_lets_in_at_the_top<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, secret) = create(&world, &org, wish(Dialect::Lox24)).await;
    let ctx = enter(&world, org.tenant, &secret).await.unwrap();
    assert_eq!(
        (ctx.tenant(), ctx.actor(), ctx.dialect()),
        (org.tenant, Actor::Credential(id), Dialect::Lox24)
    );
    assert_eq!((ctx.scope(), ctx.top(), ctx.now()), (org.top, org.top, world.directory.now()));
    assert!(ctx.allow(Access::Write).is_ok());
    // It acts under its own name.
    let patch = OrgUnitPatch { name: Some("North".to_owned()), ..OrgUnitPatch::default() };
    world.directory.org_unit_create(&ctx, patch.into()).await.unwrap();
    let entry = world.journal(&org).await.pop().unwrap();
    assert_eq!((entry.actor, entry.dialect), (Actor::Credential(id), Dialect::Lox24));
}

async fn a_read_only_credential_may_not_write<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let reader = CredentialWish { read_only: true, ..wish(Dialect::Lox24) };
    let (_, secret) = create(&world, &org, reader).await;
    let ctx = enter(&world, org.tenant, &secret).await.unwrap();
    assert!(ctx.allow(Access::Read).is_ok());
    assert!(matches!(ctx.allow(Access::Write), Err(Error::Forbidden(_))));
}

async fn a_secret_holds_for_its_tenant_and_dialect_only<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let (_, secret) = create(&world, &org, wish(Dialect::Lox24)).await;
    let (_, token) = create(&world, &org, wish(Dialect::Scim)).await;
    assert!(!is_refused(&world, org.tenant, &secret).await);
    for (tenant, secret) in [
        (other.tenant, secret.as_str()),
        (TenantId(99), &secret),
        (TenantId(i64::MIN), &secret),
        (org.tenant, &token),
        (org.tenant, ""),
        (org.tenant, &secret.to_uppercase()),
        (org.tenant, &secret[1..]),
    ] {
        assert!(is_refused(&world, tenant, secret).await, "{tenant} {secret}");
    }
    let scim = world.directory.credential_authenticate(Dialect::Scim, org.tenant, &secret).await;
    assert!(matches!(scim, Err(Error::Unauthenticated(_))), "{scim:?}");
    assert!(world.directory.credential_authenticate(Dialect::Scim, org.tenant, &token).await.is_ok());
}

async fn a_credential_that_expired_or_was_revoked_lets_nobody_in<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let expiring = CredentialWish { expires_at: Some(later(10)), ..wish(Dialect::Lox24) };
    let (id, expiring) = create(&world, &org, expiring).await;
    let (revoked, key) = create(&world, &org, wish(Dialect::Lox24)).await;
    world.clock.advance(Duration::from_micros(599_999_999));
    assert!(!is_refused(&world, org.tenant, &expiring).await);
    world.clock.advance(Duration::from_micros(1));
    assert!(is_refused(&world, org.tenant, &expiring).await);
    assert_eq!(stored(&world, &org, id).await.last_used_at, Some(Timestamp(later(10).0 - 1)));
    assert!(!is_refused(&world, org.tenant, &key).await);
    world.directory.credential_revoke(&org.ctx, revoked).await.unwrap();
    assert!(is_refused(&world, org.tenant, &key).await);
}

async fn the_programs_of_a_disabled_tenant_are_told_so<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, secret) = create(&world, &org, wish(Dialect::Lox24)).await;
    world.directory.tenant_disable(org.tenant).await.unwrap();
    assert!(matches!(enter(&world, org.tenant, &secret).await, Err(Error::TenantDisabled)));
    // Only who has the right secret learns it.
    assert!(is_refused(&world, org.tenant, "wrong").await);
    assert_eq!(stored(&world, &org, id).await.last_used_at, None);
    world.directory.tenant_enable(org.tenant).await.unwrap();
    assert!(enter(&world, org.tenant, &secret).await.is_ok());
}

async fn nobody_of_a_tenant_that_is_being_deleted_is_let_in<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (_, secret) = create(&world, &org, wish(Dialect::Lox24)).await;
    world.backend.tamper(&format!("UPDATE tenants SET status = 3 WHERE id = {}", org.tenant));
    assert!(is_refused(&world, org.tenant, &secret).await);
    world.directory.tenant_delete(org.tenant, |_| ()).await.unwrap();
    assert!(is_refused(&world, org.tenant, &secret).await);
}

async fn a_caller_is_read_together_with_what_it_asks_for<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let (id, secret) = create(&world, &org, wish(Dialect::Lox24)).await;
    let hash = muster_domain::secret::digest(&secret);
    let expected = CredentialCaller {
        profile: Profile::Rfc,
        tenant: org.tenant,
        credential: id,
        read_only: false,
        top: org.top,
        tenant_active: true,
        last_used_at: None,
    };
    let read = async |subject| {
        let store = world.store();
        let read = store.credential_caller_and(org.tenant, Dialect::Lox24, hash, START, subject).await;
        let (caller, found) = read.unwrap().unwrap();
        assert_eq!(caller, expected);
        found
    };
    let alone = world.store().credential_caller(org.tenant, Dialect::Lox24, hash, START).await.unwrap();
    assert_eq!(alone.as_ref(), Some(&expected));
    match read(Subject::OrgUnit(org.top)).await {
        Some(Found::OrgUnit(found)) => assert_eq!(found.unit.id, org.top),
        found => panic!("{found:?}"),
    }
    match read(Subject::User(org.admin.id)).await {
        Some(Found::User(found)) => assert_eq!(found.user, org.admin),
        found => panic!("{found:?}"),
    }
    for nothing in
        [Subject::OrgUnit(other.top), Subject::OrgUnit(OrgUnitId(0)), Subject::User(other.admin.id)]
    {
        assert!(read(nothing).await.is_none());
    }
}

async fn a_use_is_noted_once_a_minute<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (id, secret) = create(&world, &org, wish(Dialect::Lox24)).await;
    let (other, _) = create(&world, &org, wish(Dialect::Lox24)).await;
    let journal = world.journal(&org).await;
    assert_eq!(stored(&world, &org, id).await.last_used_at, None);
    for (pause, noted) in [(0, 0), (30, 0), (29, 0), (1, 60), (59, 60), (120, 239)] {
        world.clock.advance(Duration::from_secs(pause));
        enter(&world, org.tenant, &secret).await.unwrap();
        let expected = START.plus(Duration::from_secs(noted));
        assert_eq!(stored(&world, &org, id).await.last_used_at, Some(expected), "{pause} {noted}");
    }
    assert_eq!(stored(&world, &org, other).await.last_used_at, None);
    assert_eq!(world.journal(&org).await, journal, "no use is journaled");
}

async fn of_notes_on_one_use_the_first_counts<B: Backend>() {
    let world = World::<B>::new();
    let (org, neighbour) = (world.org("acme").await, world.org("other").await);
    let (id, _) = create(&world, &org, wish(Dialect::Lox24)).await;
    let note = async |org: &Org, from: Option<u32>, at| {
        let used = Change::CredentialUsed { id, from: from.map(later), at: later(at) };
        world.store().commit(Batch::new(org.tenant).change(used)).await.unwrap();
    };
    for (from, at, expected) in [
        (Some(1), 2, None),
        (None, 3, Some(3)),
        (None, 4, Some(3)),
        (Some(2), 5, Some(3)),
        (Some(3), 6, Some(6)),
    ] {
        note(&org, from, at).await;
        assert_eq!(stored(&world, &org, id).await.last_used_at, expected.map(later));
    }
    note(&neighbour, Some(6), 7).await;
    assert_eq!(stored(&world, &org, id).await.last_used_at, Some(later(6)));
}

async fn a_stopped_store_lets_in_without_a_note<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let (_, secret) = create(&world, &org, wish(Dialect::Lox24)).await;
    world.store().close().await;
    assert!(enter(&world, org.tenant, &secret).await.is_ok());
}
