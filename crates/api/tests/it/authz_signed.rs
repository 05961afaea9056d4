//! Every route of the server that wants a signature, without one, with broken ones, and with each kind of access key.

use std::time::Duration;

use muster_api::Settings;
use muster_domain::Access;

use crate::authz_coverage::world_of;
use crate::cases::{self, Own, Who, Worlds};
use crate::signing::AccessKey;
use crate::support::World;

const ADA: &str = "ada@acme.example";

async fn world() -> World {
    World::with(Settings { rate_limits: false, ..Settings::default() }).await
}

#[tokio::test]
async fn every_route_wants_a_valid_signature() {
    let world = world().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let key = world.access_key(&world.acme).await;
    let foreign = world.access_key(&other).await;
    let another = world.access_key(&world.acme).await;
    let with = |secret: &str| AccessKey { secret: secret.to_owned(), ..key.clone() };
    let named = |name: &str| AccessKey { name: name.to_owned(), ..key.clone() };
    let expired = world.expiring_access_key(&world.acme, Duration::from_secs(1)).await;
    let wrong = [
        with(&key.secret.to_uppercase()),
        with(&key.secret[1..]),
        with(&another.secret),
        with(&foreign.secret),
        named(&foreign.name),
        named(&key.name.replacen("OL1-", "OL2-", 1)),
        named(&key.name.to_lowercase()),
        named("OL1-0000000000000000"),
        named("OLDEMO0001"),
        world.revoked_access_key(&world.acme).await,
        expired,
    ];
    let (token, own) = (world.admin().await, Own::of(&world, &world.acme, &world.admin().await, ADA).await);
    let lox24 = world.key(&world.acme).await;
    world.advance(Duration::from_secs(1));
    let date = world.date();
    let before = world.journal().await;
    let mut routes = 0;
    for (route, case) in cases::all() {
        if !matches!(case.who, Who::Signers(_)) {
            continue;
        }
        routes += 1;
        let call = || case.call(&world, route, &own);
        let mut calls: Vec<_> = wrong.iter().map(|key| call().signed(key)).collect();
        calls.extend([
            call(),
            call().bearer(&token),
            call().key(&lox24),
            call().header("authorization", &key.authorization("GET", "/api/v1/other", &date, b"")),
            call()
                .header("authorization", &key.authorization("GET", "/api/v1/other", &date, b""))
                .header("x-onlive-site-date", &date),
            cases::call(&world, route, "99999", serde_json::json!("no object")).signed(&wrong[0]),
            cases::call(&world, route, "abc", serde_json::Value::Null),
        ]);
        for call in calls {
            let reply = call.send().await;
            assert_eq!(reply.status, 401, "{} {}", route.method, route.path);
            assert_eq!(reply.header("www-authenticate"), "ONLIVESITE");
            assert_eq!(reply.body["message"], "Invalid or missing authorization credentials");
        }
    }
    assert!(routes > 4);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn a_read_only_access_key_writes_nothing() {
    let world = world().await;
    let key = world.read_only_access_key(&world.acme).await;
    let own = Own::of(&world, &world.acme, &world.admin().await, ADA).await;
    let before = world.journal().await;
    for (route, case) in cases::all() {
        if !matches!(case.who, Who::Signers(Access::Write)) {
            continue;
        }
        for id in ["99999", "abc"] {
            let call = world.call(route.method.as_str(), &route.path.replace("{id}", id));
            let call = call.raw("{").header("content-type", "application/json").signed(&key);
            assert_eq!(call.send().await.status, 403, "{} {}", route.method, route.path);
        }
        let reply = case.call(&world, route, &own).signed(&key).send().await;
        assert_eq!(reply.status, 403, "{} {}", route.method, route.path);
    }
    assert_eq!(world.journal().await, before);
}

/// Without it the table could say of a call whatever makes it fail.
#[tokio::test]
async fn whoever_has_an_access_key_gets_an_answer() {
    let mut worlds = Worlds::new();
    for (route, case) in cases::all() {
        let Who::Signers(needed) = case.who else {
            continue;
        };
        let own = worlds.of(route, async || world_of(ADA).await).await;
        let (world, own) = &*own;
        let mut keys = vec![world.access_key(&world.acme).await];
        if needed < Access::Write {
            keys.push(world.read_only_access_key(&world.acme).await);
        }
        for key in keys {
            let reply = case.call(world, route, own).signed(&key).send().await;
            assert!(reply.status.is_success(), "{} {}: {reply}", route.method, route.path);
        }
    }
}
