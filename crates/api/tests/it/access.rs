//! Who may call what: every route without credentials, with too low a role, and from another tenant.

use muster_api::Route;
use muster_domain::user::Role;
use serde_json::json;

use crate::support::World;

/// The calls that need no bearer.
fn is_open(route: &Route) -> bool {
    route.path.starts_with("/oauth/")
}

/// The calls that every role may make.
const ANY_ROLE: [&str; 3] = ["/v3/auth/profile", "/v3/auth/password", "/v3/industry"];

fn path(route: &Route, id: i64) -> String {
    route.path.replace("{id}", &id.to_string())
}

#[tokio::test]
async fn every_route_wants_a_valid_token() {
    let world = World::new().await;
    let token = world.admin().await;
    let mut broken = token.clone();
    broken.replace_range(broken.len() - 4.., "AAAA");
    let refresh = world.log_in("ada@acme.example").await.body["refresh_token"].as_str().unwrap().to_owned();
    for route in muster_api::routes().filter(|route| !is_open(route)) {
        let call =
            || world.call(route.method.as_str(), &path(route, 1002)).json(json!({"org_unit_name": "X"}));
        let calls = [
            call(),
            call().bearer(""),
            call().bearer("nonsense"),
            call().bearer(&broken),
            call().bearer(&refresh),
            call().bearer(&token.replacen("_1_", "_2_", 1)),
            call().header("authorization", &format!("Basic {token}")),
            call().header("authorization", &token),
        ];
        for call in calls {
            let reply = call.send().await;
            assert_eq!(reply.status, 401, "{} {}", route.method, route.path);
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
    insta::assert_snapshot!(world.get("/v3/groups/1002").send().await);
    insta::assert_snapshot!(world.get("/v3/groups/1002").bearer(&broken).send().await);
}

#[tokio::test]
async fn groups_are_for_admins_alone() {
    let world = World::new().await;
    world.user("stan@acme.example", Role::Standard, 1000).await;
    world.user("rea@acme.example", Role::ReadOnly, 1000).await;
    for login in ["stan@acme.example", "rea@acme.example"] {
        let token = world.token(login).await;
        for route in muster_api::routes().filter(|route| !is_open(route)) {
            // The role comes before the path, the existence and the body.
            for id in ["1002", "99999", "abc"] {
                let path = route.path.replace("{id}", id);
                let call = world.call(route.method.as_str(), &path).raw("{").bearer(&token);
                let status = call.header("content-type", "application/json").send().await.status.as_u16();
                let any_role = ANY_ROLE.contains(&route.path);
                assert_eq!(status == 403, !any_role, "{} {path}: {status}", route.method);
            }
        }
    }
    let token = world.token("stan@acme.example").await;
    insta::assert_snapshot!(world.get("/v3/groups/1002").bearer(&token).send().await);
}

#[tokio::test]
async fn no_tenant_sees_or_touches_anothers_groups() {
    let world = World::new().await;
    world.tenant("Other", "olga@other.example").await;
    let stranger = world.token("olga@other.example").await;
    let before = world.journal().await;
    for route in muster_api::routes().filter(|route| route.path.contains("{id}")) {
        for id in [1000, 1001, 1002] {
            let call =
                world.call(route.method.as_str(), &path(route, id)).json(json!({"org_unit_name": "Mine"}));
            let foreign = call.bearer(&stranger).send().await;
            let call = world.call(route.method.as_str(), &path(route, 99_999));
            let unknown = call.json(json!({"org_unit_name": "Mine"})).bearer(&stranger).send().await;
            let expected = if route.verb == "org_unit_ids" { 401 } else { 404 };
            assert_eq!(foreign.status, expected, "{} {}", route.method, route.path);
            assert_eq!((foreign.status, &foreign.body["error"]), (unknown.status, &unknown.body["error"]));
        }
    }
    let under = json!({"org_unit_name": "Mine", "org_unit_parent_id": 1001});
    let reply = world.post("/v3/groups", under).bearer(&stranger).send().await;
    assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["org_unit_parent_id"]));
    for list in ["/v3/groups", "/v3/groups/list", "/v3/groups/tree?active=false", "/v3/auth/profile"] {
        let text = world.get(list).bearer(&stranger).send().await.body.to_string();
        assert!(!text.contains("North") && !text.contains("Acme"), "{list}: {text}");
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn a_branch_admin_sees_its_branch_and_nothing_else() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    for (id, status) in [(1001, 200), (1002, 200), (1000, 404), (1004, 404)] {
        let reply = world.get(&format!("/v3/groups/{id}")).bearer(&token).send().await;
        assert_eq!(reply.status, status, "{id}");
    }
    let put = world.put("/v3/groups/1004", json!({"org_unit_name": "Mine"})).bearer(&token).send().await;
    assert_eq!(put.status, 404);
    let top = world.get("/v3/groups/1000").bearer(&token).send().await;
    insta::assert_snapshot!(top);
}

#[tokio::test]
async fn rights_are_read_with_every_request() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1002).await;
    let admin = world.admin().await;
    let branch = world.token("branch@acme.example").await;
    assert_eq!(world.get("/v3/groups/1002").bearer(&branch).send().await.body["data"]["group_level"], 1);
    // The scope moves with the unit, and stays the caller's own.
    world.patch("/v3/groups/1002", json!({"org_unit_parent_id": 1004})).bearer(&admin).send().await;
    assert_eq!(world.get("/v3/groups/1002").bearer(&branch).send().await.status, 200);
    assert_eq!(world.get("/v3/groups/1004").bearer(&branch).send().await.status, 404);
}
