//! Every route of the server without credentials, with broken ones, and with each role or kind of key.

use std::time::Duration;

use muster_api::Settings;
use muster_domain::Access;
use muster_domain::user::Role;

use crate::cases::{self, Own, Who, Worlds};
use crate::lox24::Key;
use crate::support::World;

const ADA: &str = "ada@acme.example";

/// A login for each role, at the top of Acme.
const ROLES: [(Role, &str); 3] =
    [(Role::Admin, ADA), (Role::Standard, "stan@acme.example"), (Role::ReadOnly, "rea@acme.example")];

async fn world() -> World {
    let world = World::with(Settings { rate_limits: false, ..Settings::default() }).await;
    for (role, login) in &ROLES[1..] {
        world.user(login, *role, 1000).await;
    }
    world
}

/// A world with what somebody has in it.
pub(crate) async fn world_of(login: &str) -> (World, Own) {
    let world = world().await;
    let own = Own::of(&world, &world.acme, &world.admin().await, login).await;
    (world, own)
}

#[tokio::test]
async fn every_route_wants_a_valid_token() {
    let world = world().await;
    let token = world.admin().await;
    let mut broken = token.clone();
    broken.replace_range(broken.len() - 4.., "AAAA");
    insta::assert_snapshot!(world.get("/v3/groups/1002").send().await);
    insta::assert_snapshot!(world.get("/v3/groups/1002").bearer(&broken).send().await);
    let own = Own::of(&world, &world.acme, &token, ADA).await;
    let refresh = world.log_in(ADA).await.body["refresh_token"].as_str().unwrap().to_owned();
    let before = world.journal().await;
    for (route, case) in cases::all() {
        if !matches!(case.who, Who::Roles(_)) {
            continue;
        }
        let call = || case.call(&world, route, &own);
        let calls = [
            call(),
            call().bearer(""),
            call().bearer("nonsense"),
            call().bearer(&broken),
            call().bearer(&refresh),
            call().bearer(&token.replacen("_1_", "_2_", 1)),
            call().header("authorization", &format!("Basic {token}")),
            call().header("authorization", &token),
            cases::call(&world, route, "99999", serde_json::json!("no object")),
            cases::call(&world, route, "abc", serde_json::Value::Null),
        ];
        for call in calls {
            let reply = call.send().await;
            assert_eq!(reply.status, 401, "{} {}", route.method, route.path);
            assert_eq!(reply.header("www-authenticate"), "Bearer");
            assert!(reply.body.get("data").is_none(), "{reply}");
        }
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn every_route_wants_a_valid_key() {
    let world = world().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let key = world.key(&world.acme).await;
    let with = |secret: &str| Key { secret: secret.to_owned(), ..key.clone() };
    let elsewhere = |client_id| Key { client_id, ..key.clone() };
    let expired = world.expiring_key(&world.acme, Duration::from_secs(1)).await;
    let foreign = world.key(&other).await;
    let wrong = [
        with(&format!("{}0", &key.secret[..31])),
        with(&key.secret.to_uppercase()),
        with(""),
        elsewhere(foreign.client_id),
        elsewhere(key.client_id + 98),
        elsewhere(0),
        Key { client_id: key.client_id, ..foreign },
        world.revoked_key(&world.acme).await,
        expired,
    ];
    let (token, own) = (world.admin().await, Own::of(&world, &world.acme, &world.admin().await, ADA).await);
    world.advance(Duration::from_secs(1));
    let before = world.journal().await;
    for (route, case) in cases::all() {
        if !matches!(case.who, Who::Keys(_)) {
            continue;
        }
        let call = || case.call(&world, route, &own);
        let mut calls: Vec<_> = wrong.iter().map(|key| call().key(key)).collect();
        calls.extend([
            call(),
            call().bearer(&token),
            call().bearer(&key.secret),
            call().header("x-lox24-auth-token", &key.secret),
            call().header("x-lox24-client-id", &key.client_id.to_string()),
            call().key(&key).header("x-lox24-client-id", "1000099"),
            cases::call(&world, route, "99999", serde_json::json!("no object")).header("accept", "image/png"),
            cases::call(&world, route, "abc", serde_json::Value::Null),
        ]);
        for call in calls {
            let reply = call.send().await;
            assert_eq!(reply.status, 401, "{} {}", route.method, route.path);
            assert_eq!(reply.header("www-authenticate"), "X-LOX24-AUTH-TOKEN");
            let title = ["hydra:title", "title"].iter().find_map(|name| reply.body[name].as_str());
            assert_eq!(title, Some("An error occurred"));
        }
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn a_read_only_key_writes_nothing() {
    let world = world().await;
    let (key, own) = (
        world.read_only_key(&world.acme).await,
        Own::of(&world, &world.acme, &world.admin().await, ADA).await,
    );
    let before = world.journal().await;
    for (route, case) in cases::all() {
        if !matches!(case.who, Who::Keys(Access::Write)) {
            continue;
        }
        for id in ["99999", "abc"] {
            let call = world.call(route.method.as_str(), &cases::path(route, id, 1));
            let call = call.raw("{").header("content-type", "application/json").key(&key);
            assert_eq!(call.send().await.status, 403, "{} {}", route.method, route.path);
        }
        let reply = case.call(&world, route, &own).key(&key).send().await;
        assert_eq!(reply.status, 403, "{} {}", route.method, route.path);
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn too_low_a_role_is_refused_before_anything_else_is_looked_at() {
    let world = world().await;
    let token = world.token("stan@acme.example").await;
    insta::assert_snapshot!(world.get("/v3/groups/1002").bearer(&token).send().await);
    let own = Own::of(&world, &world.acme, &world.admin().await, ADA).await;
    let before = world.journal().await;
    for (role, login) in ROLES {
        let token = world.token(login).await;
        for (route, case) in cases::all() {
            let Who::Roles(roles) = case.who else {
                continue;
            };
            if roles.contains(&role) {
                continue;
            }
            let id = case.path.map_or_else(String::new, |kind| own.path_id(kind));
            for id in [id.as_str(), "99999", "abc"] {
                let path = cases::path(route, id, 1);
                let call = world.call(route.method.as_str(), &format!("{path}?limit=x&org_unit_id=99999"));
                let call = call.raw("{").header("content-type", "application/json").bearer(&token);
                assert_eq!(call.send().await.status, 403, "{login}: {} {path}", route.method);
            }
            let reply = case.call(&world, route, &own).bearer(&token).send().await;
            assert_eq!(reply.status, 403, "{login}: {} {}", route.method, route.path);
        }
    }
    assert_eq!(world.journal().await, before);
}

/// Without it the table could say of a call whatever makes it fail.
#[tokio::test]
async fn whoever_may_call_gets_an_answer() {
    let mut worlds = ROLES.map(|(_, login)| (login, Worlds::new()));
    for (route, case) in cases::all() {
        let callers: Vec<&str> = match case.who {
            Who::Anyone => vec![ADA],
            Who::Roles(roles) => {
                ROLES.iter().filter(|(role, _)| roles.contains(role)).map(|(_, login)| *login).collect()
            }
            Who::Keys(_) | Who::Signers(_) | Who::Tokens(_) => continue,
        };
        assert!(!callers.is_empty(), "{} {}", route.method, route.path);
        for (login, worlds) in worlds.iter_mut().filter(|(login, _)| callers.contains(login)) {
            let own = worlds.of(route, async || world_of(login).await).await;
            let (world, own) = &*own;
            let mut call = case.call(world, route, own);
            if !matches!(case.who, Who::Anyone) {
                call = call.bearer(&world.token(login).await);
            }
            let reply = call.send().await;
            assert!(reply.status.is_success(), "{login}: {} {}: {reply}", route.method, route.path);
        }
    }
}

/// As the one above, for keys.
#[tokio::test]
async fn whoever_has_a_key_gets_an_answer() {
    let mut worlds = Worlds::new();
    for (route, case) in cases::all() {
        let Who::Keys(needed) = case.who else {
            continue;
        };
        let own = worlds.of(route, async || world_of(ADA).await).await;
        let (world, own) = &*own;
        let mut keys = vec![world.key(&world.acme).await];
        if needed < Access::Write {
            keys.push(world.read_only_key(&world.acme).await);
        }
        for key in keys {
            let reply = case.call(world, route, own).key(&key).send().await;
            assert!(reply.status.is_success(), "{} {}: {reply}", route.method, route.path);
        }
    }
}
