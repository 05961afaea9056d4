//! Every route of SCIM without a token, with broken ones, and with one that may only read.

use std::time::Duration;

use muster_api::Settings;
use muster_domain::Access;

use crate::authz_coverage::world_of;
use crate::cases::{self, Own, Who, Worlds};
use crate::scim::refused;
use crate::support::World;

const ADA: &str = "ada@acme.example";

async fn world() -> World {
    World::with(Settings { rate_limits: false, ..Settings::default() }).await
}

#[tokio::test]
async fn every_route_wants_a_valid_bearer_token() {
    let world = world().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let (token, foreign) =
        (world.scim_token(&world.acme, false).await, world.scim_token(&other, false).await);
    let revoked = world.scim_token(&world.acme, false).await;
    let newest = world.directory().credential_list(&world.acme).await.unwrap().pop().unwrap();
    world.directory().credential_revoke(&world.acme, newest.id).await.unwrap();
    let own = Own::of(&world, &world.acme, &world.admin().await, ADA).await;
    let wrong = [
        String::new(),
        "nonsense".to_owned(),
        format!("{}AAAA", &token[..token.len() - 4]),
        token.replacen("_1_", "_2_", 1),
        foreign.replacen("_2_", "_1_", 1),
        revoked,
        world.admin().await,
    ];
    world.advance(Duration::from_secs(1));
    let before = world.journal().await;
    let mut routes = 0;
    for (route, case) in cases::all() {
        if !matches!(case.who, Who::Tokens(_)) {
            continue;
        }
        routes += 1;
        let call = || case.call(&world, route, &own);
        let mut calls: Vec<_> = wrong.iter().map(|token| call().bearer(token)).collect();
        calls.extend([
            call(),
            call().header("authorization", &token),
            call().header("authorization", &format!("Basic {token}")),
            cases::call(&world, route, "99999", serde_json::json!("no object")),
        ]);
        for call in calls {
            let reply = call.send().await;
            assert_eq!(refused(&reply), (401, ""), "{} {}", route.method, route.path);
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    assert!(routes > 20);
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn a_read_only_token_writes_nothing() {
    let world = world().await;
    let token = world.scim_token(&world.acme, true).await;
    let own = Own::of(&world, &world.acme, &world.admin().await, ADA).await;
    let before = world.journal().await;
    for (route, case) in cases::all() {
        if !matches!(case.who, Who::Tokens(Access::Write)) {
            continue;
        }
        for id in ["99999", "abc"] {
            let call = world.call(route.method.as_str(), &route.path.replace("{id}", id));
            let call = call.raw("{").header("content-type", "application/json").bearer(&token);
            let reply = call.send().await;
            assert_eq!(refused(&reply), (403, ""), "{} {}", route.method, route.path);
        }
        let reply = case.call(&world, route, &own).bearer(&token).send().await;
        assert_eq!(refused(&reply), (403, ""), "{} {}", route.method, route.path);
    }
    assert_eq!(world.journal().await, before);
}

/// Without it the table could say of a call whatever makes it fail.
#[tokio::test]
async fn whoever_has_a_token_gets_an_answer() {
    let mut worlds = Worlds::new();
    for (route, case) in cases::all() {
        let Who::Tokens(needed) = case.who else {
            continue;
        };
        for read_only in [false, true] {
            if read_only && needed == Access::Write {
                continue;
            }
            let own = worlds.of(route, async || world_of(ADA).await).await;
            let (world, own) = &*own;
            let token = world.scim_token(&world.acme, read_only).await;
            let reply = case.call(world, route, own).bearer(&token).send().await;
            assert!(case.answers(reply.status), "{} {}: {reply}", route.method, route.path);
        }
    }
}
