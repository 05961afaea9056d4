//! Every route of the server without credentials, with broken ones, and with each role.

use muster_api::Settings;
use muster_domain::user::Role;

use crate::cases::{self, Own, Who};
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

#[tokio::test]
async fn every_route_wants_a_valid_token() {
    let world = world().await;
    let token = world.admin().await;
    let mut broken = token.clone();
    broken.replace_range(broken.len() - 4.., "AAAA");
    insta::assert_snapshot!(world.get("/v3/groups/1002").send().await);
    insta::assert_snapshot!(world.get("/v3/groups/1002").bearer(&broken).send().await);
    let own = Own::of(&world, &token, ADA).await;
    let refresh = world.log_in(ADA).await.body["refresh_token"].as_str().unwrap().to_owned();
    let before = world.journal().await;
    for (route, case) in cases::all() {
        if matches!(case.who, Who::Anyone) {
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
async fn too_low_a_role_is_refused_before_anything_else_is_looked_at() {
    let world = world().await;
    let token = world.token("stan@acme.example").await;
    insta::assert_snapshot!(world.get("/v3/groups/1002").bearer(&token).send().await);
    let own = Own::of(&world, &world.admin().await, ADA).await;
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
            let id = case.path.map_or(0, |kind| own.id(kind)).to_string();
            for id in [id.as_str(), "99999", "abc"] {
                let path = route.path.replace("{id}", id);
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
    for (route, case) in cases::all() {
        let callers: Vec<&str> = match case.who {
            Who::Anyone => vec![ADA],
            Who::Roles(roles) => {
                ROLES.iter().filter(|(role, _)| roles.contains(role)).map(|(_, login)| *login).collect()
            }
        };
        assert!(!callers.is_empty(), "{} {}", route.method, route.path);
        for login in callers {
            let world = world().await;
            let own = Own::of(&world, &world.admin().await, login).await;
            let mut call = case.call(&world, route, &own);
            if !matches!(case.who, Who::Anyone) {
                call = call.bearer(&world.token(login).await);
            }
            let reply = call.send().await;
            assert!(reply.status.is_success(), "{login}: {} {}: {reply}", route.method, route.path);
        }
    }
}
