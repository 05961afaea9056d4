//! Who sees and touches what within a tenant: a caller's own unit and everything below.

use muster_domain::user::Role;
use serde_json::json;

use crate::people::{ADA, create, created, data, delete, get, patch, plain, put, with};
use crate::support::World;

/// Acme with a branch admin in North; the token of that admin.
async fn branch() -> (World, String) {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    (world, token)
}

#[tokio::test]
async fn a_branch_admin_sees_its_branch_and_nothing_else() {
    let (world, token) = branch().await;
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
async fn a_branch_admin_reaches_the_users_of_its_branch_alone() {
    let (world, token) = branch().await;
    let admin = world.admin().await;
    let inside = world.user("in@acme.example", Role::Standard, 1003).await;
    let outside = world.user("out@acme.example", Role::Standard, 1004).await;
    let gone = world.user("gone@acme.example", Role::Standard, 1004).await;
    assert_eq!(delete(&world, &admin, gone).await.status, 200);
    assert_eq!(data(&world, &token, inside).await["group"], "Team B");
    assert_eq!(patch(&world, &token, inside, json!({"agent_code": 5})).await.status, 200);
    let before = world.journal().await;
    insta::assert_snapshot!(get(&world, &token, outside).await);
    for id in [ADA, outside, gone, 99_999] {
        for reply in [
            get(&world, &token, id).await,
            put(&world, &token, id, plain("mine@acme.example")).await,
            patch(&world, &token, id, json!({"ct_user_ou_id": 1001})).await,
            patch(&world, &token, id, json!({"agent_code": -1})).await,
            delete(&world, &token, id).await,
        ] {
            assert_eq!(
                (reply.status.as_u16(), &reply.body["error"]),
                (404, &json!("User not found")),
                "{id}"
            );
        }
    }
    assert_eq!(world.journal().await, before);
    // Who is moved into the branch comes into reach, and who is moved out leaves it, also when deleted.
    assert_eq!(patch(&world, &admin, outside, json!({"ct_user_ou_id": 1002})).await.status, 200);
    assert_eq!(get(&world, &token, outside).await.status, 200);
    assert_eq!(delete(&world, &token, outside).await.status, 200);
    assert_eq!(data(&world, &token, outside).await["status"], "deleted");
    assert_eq!(patch(&world, &admin, inside, json!({"ct_user_ou_id": 1004})).await.status, 200);
    assert_eq!(get(&world, &token, inside).await.status, 404);
}

#[tokio::test]
async fn users_are_put_into_active_units_of_the_scope_alone() {
    let (world, token) = branch().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let archived = world.unit("Archived", 1001).await;
    assert_eq!(world.delete(&format!("/v3/groups/{archived}")).bearer(&token).send().await.status, 200);
    let bob = created(&world, &token, with(plain("bob@acme.example"), &json!({"ct_user_ou_id": 1002}))).await;
    let before = world.journal().await;
    let mut texts = Vec::new();
    for unit in [1000, 1004, other.top().0, 99_999, archived] {
        let into = json!({"ct_user_ou_id": unit});
        for reply in [
            create(&world, &token, with(plain("new@acme.example"), &into)).await,
            put(&world, &token, bob, with(plain("bob@acme.example"), &into)).await,
            patch(&world, &token, bob, into).await,
        ] {
            assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["ct_user_ou_id"]), "{unit}");
            texts.push(reply.body["error"].clone());
        }
    }
    assert_eq!(world.journal().await, before);
    texts.dedup();
    insta::assert_json_snapshot!(texts);
    for unit in [1003, 1001] {
        assert_eq!(patch(&world, &token, bob, json!({"ct_user_ou_id": unit})).await.status, 200);
    }
    // A move takes the time zone of the new unit only when it is asked to.
    let zoned = json!({"timezone": "Asia/Tokyo"});
    world.patch("/v3/groups/1002", zoned).bearer(&token).send().await;
    assert_eq!(patch(&world, &token, bob, json!({"ct_user_ou_id": 1002})).await.status, 200);
    assert_eq!(data(&world, &token, bob).await["timezone"], "America/New_York");
    assert_eq!(
        patch(&world, &token, bob, json!({"ct_user_ou_id": 1001, "timezone": null})).await.status,
        200
    );
    assert_eq!(data(&world, &token, bob).await["timezone"], "America/New_York");
    let both = json!({"ct_user_ou_id": 1002, "timezone": null});
    assert_eq!(patch(&world, &token, bob, both).await.status, 200);
    assert_eq!(data(&world, &token, bob).await["timezone"], "Asia/Tokyo");
    for (wish, zone) in [(json!("UTC"), "UTC"), (json!(null), "Asia/Tokyo")] {
        assert_eq!(patch(&world, &token, bob, json!({"timezone": wish})).await.status, 200);
        assert_eq!(data(&world, &token, bob).await["timezone"], zone);
    }
}

#[tokio::test]
async fn a_unit_with_users_is_not_archived() {
    let (world, token) = branch().await;
    let bob = created(&world, &token, with(plain("bob@acme.example"), &json!({"ct_user_ou_id": 1002}))).await;
    let archive = || world.delete("/v3/groups/1002").bearer(&token).send();
    assert_eq!(archive().await.status, 400);
    assert_eq!(patch(&world, &token, bob, json!({"user_status": "inactive"})).await.status, 200);
    assert_eq!(archive().await.status, 400, "an inactive user may come back");
    assert_eq!(delete(&world, &token, bob).await.status, 200);
    assert_eq!(archive().await.status, 200);
    assert_eq!(data(&world, &token, bob).await["group"], "Team A");
    for (status, total) in [("active", 0), ("deleted", 1)] {
        let path = format!("/v3/users/list?org_unit_id=1002&user_status={status}");
        let list = world.get(&path).bearer(&token).send().await;
        assert_eq!((list.status.as_u16(), &list.body["data"]["total"]), (200, &json!(total)), "{status}");
    }
}

#[tokio::test]
async fn rights_are_read_with_every_request() {
    let world = World::new().await;
    let branch_id = world.user("branch@acme.example", Role::Admin, 1002).await;
    let admin = world.admin().await;
    let branch = world.token("branch@acme.example").await;
    assert_eq!(world.get("/v3/groups/1002").bearer(&branch).send().await.body["data"]["group_level"], 1);
    // The scope moves with the unit, and stays the caller's own.
    world.patch("/v3/groups/1002", json!({"org_unit_parent_id": 1004})).bearer(&admin).send().await;
    assert_eq!(world.get("/v3/groups/1002").bearer(&branch).send().await.status, 200);
    assert_eq!(world.get("/v3/groups/1004").bearer(&branch).send().await.status, 404);
    // It follows the caller to another unit, and goes with its role.
    assert_eq!(patch(&world, &admin, branch_id, json!({"ct_user_ou_id": 1004})).await.status, 200);
    assert_eq!(world.get("/v3/groups/1004").bearer(&branch).send().await.status, 200);
    assert_eq!(patch(&world, &branch, branch_id, json!({"role": "ReadOnly"})).await.status, 200);
    assert_eq!(world.get("/v3/groups/1004").bearer(&branch).send().await.status, 403);
    assert_eq!(world.get("/v3/users").bearer(&branch).send().await.status, 403);
    assert_eq!(world.get("/v3/auth/profile").bearer(&branch).send().await.body["data"]["role_id"], 3);
}
