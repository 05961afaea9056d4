//! Who is let in with the signature of an access key.

use std::time::Duration;

use muster_domain::credential::{CredentialStore as _, CredentialWish, Signed};
use muster_domain::credential::{
    Profile,
    signature::{BodyHash, SignedRequest, date},
};
use muster_domain::secret::ServerKey;
use muster_domain::session::{Found, Subject};
use muster_domain::tenant::TenantStore as _;
use muster_domain::{Access, CredentialId, Dialect, Error, TenantId};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::support::{Backend, START};
use crate::world::{Org, World};

contract![
    the_right_signature_lets_in_at_the_top,
    an_access_key_holds_for_its_tenant_and_dialect_only,
    an_access_key_that_expired_or_was_revoked_lets_nobody_in,
    the_signers_of_a_disabled_or_deleted_tenant_are_refused,
    what_a_signed_request_is_about_is_read_with_its_signer,
    another_server_key_opens_no_secret,
];

struct AccessKey {
    id: CredentialId,
    name: String,
    secret: String,
}

async fn create<B: Backend>(
    world: &World<B>,
    org: &Org,
    read_only: bool,
    lives: Option<Duration>,
) -> AccessKey {
    let expires_at = lives.map(|lives| START.plus(lives));
    let wish = CredentialWish {
        dialect: Dialect::Onlive,
        name: "key".to_owned(),
        read_only,
        profile: Profile::Rfc,
        expires_at,
    };
    let new = world.directory.credential_create(&org.ctx, &world.key, wish).await.unwrap();
    let name = new.credential.public_id.unwrap();
    AccessKey { id: new.credential.id, name, secret: new.secret.expose_secret().to_owned() }
}

/// What comes of a request that is signed with this key now; `None` if nobody has the key.
async fn enter<B: Backend>(
    world: &World<B>,
    key: &AccessKey,
    subject: Option<Subject>,
) -> Option<Result<Signed, Error>> {
    let directory = &world.directory;
    let date = date(directory.now());
    let body = BodyHash::of(b"{}");
    let request = SignedRequest { method: "GET", path: "/x", query: "a=1", date: &date, body: &body };
    let claim = directory.signature_claim(&world.key, &key.name, subject).await.unwrap()?;
    Some(directory.signature_authenticate(claim, &request, &request.sign(key.secret.as_bytes())))
}

async fn the_right_signature_lets_in_at_the_top<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let key = create(&world, &org, false, None).await;
    let signed = enter(&world, &key, None).await.unwrap().unwrap();
    assert_eq!(
        (signed.ctx.tenant(), signed.ctx.scope(), signed.ctx.dialect()),
        (org.tenant, org.top, Dialect::Onlive)
    );
    assert!(signed.ctx.allow(Access::Write).is_ok());
    let tenant = world.store().tenant(org.tenant).await.unwrap().unwrap();
    assert_eq!(signed.organization_id, tenant.organization_id);
    let wrong = AccessKey { secret: "wrong".to_owned(), ..key };
    assert!(matches!(enter(&world, &wrong, None).await, Some(Err(Error::Unauthenticated(_)))));
    let reader = create(&world, &org, true, None).await;
    let signed = enter(&world, &reader, None).await.unwrap().unwrap();
    assert!(signed.ctx.allow(Access::Read).is_ok() && signed.ctx.allow(Access::Write).is_err());
}

async fn an_access_key_holds_for_its_tenant_and_dialect_only<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let key = create(&world, &org, false, None).await;
    let read = async |tenant, dialect, name: &str| {
        let read = world.store().credential_signed_caller(tenant, dialect, name, START, None).await;
        read.unwrap().map(|(signer, _)| signer.caller.credential)
    };
    assert_eq!(read(org.tenant, Dialect::Onlive, &key.name).await, Some(key.id));
    for (tenant, dialect, name) in [
        (other.tenant, Dialect::Onlive, key.name.as_str()),
        (TenantId(i64::MIN), Dialect::Onlive, &key.name),
        (org.tenant, Dialect::Scim, &key.name),
        (org.tenant, Dialect::Onlive, &key.name.to_lowercase()),
        (org.tenant, Dialect::Onlive, ""),
        // The client id of LOX24 is the public id of keys that sign nothing.
        (org.tenant, Dialect::Lox24, &muster_domain::credential::lox24_client_id(org.tenant).to_string()),
    ] {
        assert_eq!(read(tenant, dialect, name).await, None, "{tenant} {dialect:?} {name}");
    }
}

async fn an_access_key_that_expired_or_was_revoked_lets_nobody_in<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let expiring = create(&world, &org, false, Some(Duration::from_secs(10))).await;
    let revoked = create(&world, &org, false, None).await;
    world.clock.advance(Duration::from_micros(9_999_999));
    assert!(enter(&world, &expiring, None).await.is_some());
    world.clock.advance(Duration::from_micros(1));
    assert!(enter(&world, &expiring, None).await.is_none());
    assert!(enter(&world, &revoked, None).await.is_some());
    world.directory.credential_revoke(&org.ctx, revoked.id).await.unwrap();
    assert!(enter(&world, &revoked, None).await.is_none());
}

async fn the_signers_of_a_disabled_or_deleted_tenant_are_refused<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let key = create(&world, &org, false, None).await;
    world.directory.tenant_disable(org.tenant).await.unwrap();
    assert!(matches!(enter(&world, &key, None).await, Some(Err(Error::TenantDisabled))));
    world.directory.tenant_enable(org.tenant).await.unwrap();
    assert!(matches!(enter(&world, &key, None).await, Some(Ok(_))));
    world.backend.tamper(&format!("UPDATE tenants SET status = 3 WHERE id = {}", org.tenant));
    assert!(enter(&world, &key, None).await.is_none());
    world.directory.tenant_delete(org.tenant, |_| ()).await.unwrap();
    assert!(enter(&world, &key, None).await.is_none());
}

async fn what_a_signed_request_is_about_is_read_with_its_signer<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let key = create(&world, &org, false, None).await;
    let found = async |subject| enter(&world, &key, subject).await.unwrap().unwrap().found;
    match found(Some(Subject::UserByUuid(org.admin.uuid))).await {
        Some(Found::User(found)) => assert_eq!(found.user, org.admin),
        found => panic!("{found:?}"),
    }
    for nothing in [None, Some(Subject::UserByUuid(other.admin.uuid)), Some(Subject::UserByUuid(Uuid::nil()))]
    {
        assert!(found(nothing).await.is_none());
    }
}

async fn another_server_key_opens_no_secret<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let key = create(&world, &org, false, None).await;
    let claim = world.directory.signature_claim(&ServerKey::new([0; 32]), &key.name, None).await;
    assert!(matches!(claim, Err(Error::Internal(_))), "{claim:?}");
}
