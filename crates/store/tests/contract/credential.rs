//! Credentials: creating, listing and revoking them.

use std::time::Duration;

use muster_domain::credential::{
    Credential, CredentialStore as _, CredentialWish, Profile, lox24_client_id, seal_context,
};
use muster_domain::user::{Role, User};
use muster_domain::{CredentialId, Dialect, Entity, Error, Problem, Timestamp, secret};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::{Backend, all_at_once};
use crate::world::{Org, World, user_insert};

contract![
    a_new_credential_is_stored_and_journaled_without_its_secret,
    each_dialect_has_its_kind_of_secret,
    an_expiry_lies_in_the_future,
    credentials_are_listed_by_id_with_those_that_have_ended,
    a_revocation_is_stored_and_journaled_once,
    what_is_unknown_is_not_revoked,
    of_revocations_at_once_one_is_journaled,
    only_admins_handle_credentials,
];

fn wish(dialect: Dialect) -> CredentialWish {
    CredentialWish {
        dialect,
        name: "Büro".to_owned(),
        read_only: false,
        profile: Profile::Rfc,
        expires_at: None,
    }
}

async fn create<B: Backend>(world: &World<B>, org: &Org, wish: CredentialWish) -> Credential {
    world.directory.credential_create(&org.ctx, &world.key, wish).await.unwrap().credential
}

async fn stored<B: Backend>(world: &World<B>, org: &Org, id: CredentialId) -> Credential {
    let all = world.store().credentials(org.tenant).await.unwrap();
    all.into_iter().find(|credential| credential.id == id).unwrap()
}

async fn a_new_credential_is_stored_and_journaled_without_its_secret<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let expires_at = Some(world.directory.now().plus(Duration::from_hours(24)));
    for read_only in [false, true] {
        let wish = CredentialWish { read_only, expires_at, ..wish(Dialect::Scim) };
        let new = world.directory.credential_create(&org.ctx, &world.key, wish).await.unwrap();
        let made = new.credential;
        assert_eq!(stored(&world, &org, made.id).await, made);
        assert_eq!((made.tenant, made.name.as_str(), made.read_only), (org.tenant, "Büro", read_only));
        assert_eq!(
            (made.expires_at, made.revoked_at, made.created_at),
            (expires_at, None, world.directory.now())
        );
        let record = world.journal(&org).await.pop().unwrap();
        assert_eq!((record.kind.as_str(), record.entity.as_str()), ("credential.created", "credential"));
        assert_eq!((record.entity_id, record.version), (made.id.to_string(), 1));
        let payload = json!({
            "dialect": [null, "scim"], "name": [null, "Büro"], "read_only": [null, read_only],
            "expires_at": [null, "2026-02-03T02:40:00.000Z"],
        });
        assert_eq!(record.payload, payload);
    }
    let made = create(&world, &org, wish(Dialect::Lox24)).await;
    assert_eq!(made.expires_at, None);
    assert!(world.journal(&org).await.pop().unwrap().payload.get("expires_at").is_none());
}

async fn each_dialect_has_its_kind_of_secret<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut secrets = Vec::new();
    for dialect in [Dialect::Lox24, Dialect::Onlive, Dialect::Scim, Dialect::Scim] {
        let new = world.directory.credential_create(&org.ctx, &world.key, wish(dialect)).await.unwrap();
        let (made, plain) = (stored(&world, &org, new.credential.id).await, new.secret.expose_secret());
        assert_eq!(made.dialect, dialect);
        if dialect == Dialect::Onlive {
            let sealed = made.secret_sealed.unwrap();
            let opened = world.key.open(&seal_context(org.tenant, made.id), &sealed);
            assert_eq!((opened.as_deref(), made.secret_hash), (Some(plain.as_bytes()), None));
        } else {
            assert_eq!((made.secret_hash, made.secret_sealed), (Some(secret::digest(plain)), None));
        }
        match dialect {
            Dialect::Lox24 => assert_eq!(made.public_id, Some(lox24_client_id(org.tenant).to_string())),
            Dialect::Scim => assert_eq!(made.public_id, None),
            _ => assert!(made.public_id.unwrap().starts_with(&format!("OL{}-", org.tenant))),
        }
        let journal = world.journal(&org).await.pop().unwrap().payload.to_string();
        assert!(!journal.contains(plain));
        assert!(!secrets.contains(&plain.to_owned()), "no secret is made twice");
        secrets.push(plain.to_owned());
    }
}

async fn an_expiry_lies_in_the_future<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let before = world.backend.dump();
    let now = org.ctx.now().0;
    let expiring = |at| CredentialWish { expires_at: Some(Timestamp(at)), ..wish(Dialect::Scim) };
    for at in [i64::MIN, 0, now - 1, now] {
        match world.directory.credential_create(&org.ctx, &world.key, expiring(at)).await {
            Err(Error::Invalid(fields)) => {
                assert_eq!(fields[0].field, "expires");
                assert!(matches!(fields[0].problem, Problem::Format(_)));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.backend.dump(), before);
    for at in [now + 1, i64::MAX] {
        let made = create(&world, &org, expiring(at)).await;
        assert_eq!(stored(&world, &org, made.id).await.expires_at, Some(Timestamp(at)));
    }
}

async fn credentials_are_listed_by_id_with_those_that_have_ended<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let mut expected = world.directory.credential_list(&org.ctx).await.unwrap();
    assert_eq!(expected.len(), 3);
    let expires_at = Some(world.directory.now().plus(Duration::from_secs(1)));
    expected.push(create(&world, &org, CredentialWish { expires_at, ..wish(Dialect::Scim) }).await);
    create(&world, &other, wish(Dialect::Scim)).await;
    let revoked = create(&world, &org, wish(Dialect::Onlive)).await;
    world.clock.advance(Duration::from_hours(1));
    expected.push(world.directory.credential_revoke(&org.ctx, revoked.id).await.unwrap());
    assert_eq!(world.directory.credential_list(&org.ctx).await.unwrap(), expected);
    assert!(expected.is_sorted_by_key(|credential| credential.id));
}

async fn a_revocation_is_stored_and_journaled_once<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let expires_at = Some(world.directory.now().plus(Duration::from_secs(1)));
    let others = world.directory.credential_list(&org.ctx).await.unwrap();
    // One that lives, and one that has expired before it is revoked.
    for expires_at in [None, expires_at] {
        let made = create(&world, &org, CredentialWish { expires_at, ..wish(Dialect::Scim) }).await;
        world.clock.advance(Duration::from_mins(1));
        let at = world.directory.now();
        let revoked = world.directory.credential_revoke(&org.ctx, made.id).await.unwrap();
        assert_eq!(revoked, Credential { revoked_at: Some(at), ..made });
        assert_eq!(stored(&world, &org, revoked.id).await, revoked);
        let journal = world.journal(&org).await;
        let last = journal.last().unwrap();
        assert_eq!((last.kind.as_str(), last.version), ("credential.revoked", 2));
        assert_eq!((&last.entity_id, &last.payload), (&revoked.id.to_string(), &json!({})));

        world.clock.advance(Duration::from_mins(1));
        let again = world.directory.credential_revoke(&org.ctx, revoked.id).await.unwrap();
        assert_eq!(again, revoked);
        assert_eq!(stored(&world, &org, revoked.id).await, revoked);
        assert_eq!(world.journal(&org).await, journal);
    }
    assert_eq!(world.directory.credential_list(&org.ctx).await.unwrap()[..3], others);
}

async fn what_is_unknown_is_not_revoked<B: Backend>() {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let foreign = world.directory.credential_list(&other.ctx).await.unwrap()[0].id;
    let before = world.backend.dump();
    for id in [foreign, CredentialId(i64::MAX), CredentialId(0)] {
        let outcome = world.directory.credential_revoke(&org.ctx, id).await;
        assert!(matches!(outcome, Err(Error::NotFound(Entity::Credential))), "{outcome:?}");
    }
    assert_eq!(world.backend.dump(), before);
}

async fn of_revocations_at_once_one_is_journaled<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for _ in 0..6 {
        let made = create(&world, &org, wish(Dialect::Lox24)).await;
        let journal = world.journal(&org).await.len();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (directory, ctx) = (world.node(), org.ctx.clone());
                async move { directory.credential_revoke(&ctx, made.id).await.unwrap() }
            })
            .collect();
        let expected = stored(&world, &org, made.id).await;
        for revoked in all_at_once(tasks).await {
            assert_eq!(Credential { revoked_at: None, ..revoked.clone() }, expected);
            assert!(revoked.revoked_at.is_some());
        }
        assert_eq!(world.journal(&org).await.len(), journal + 1);
    }
}

async fn only_admins_handle_credentials<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let id = world.directory.credential_list(&org.ctx).await.unwrap()[0].id;
    for (login, role) in [("standard", Role::Standard), ("reader", Role::ReadOnly)] {
        let user = User { role, ..world.user(&org, org.top, login).await };
        world.commit(&org, vec![user_insert(&user)]).await.unwrap();
        let ctx = world.ctx_of(&user).await;
        let outcomes = [
            world.directory.credential_create(&ctx, &world.key, wish(Dialect::Scim)).await.map(drop),
            world.directory.credential_list(&ctx).await.map(drop),
            world.directory.credential_revoke(&ctx, id).await.map(drop),
        ];
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Forbidden(_)))), "{outcomes:?}");
    }
}
