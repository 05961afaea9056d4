//! The caller's own record and password.

use muster_domain::user::Role;
use serde_json::json;

use crate::support::{PASSWORD, World};

#[tokio::test]
async fn every_role_reads_its_profile() {
    let world = World::new().await;
    world.user("rea@acme.example", Role::ReadOnly, 1002).await;
    let token = world.token("rea@acme.example").await;
    let reply = world.get("/v3/auth/profile").bearer(&token).send().await;
    insta::assert_snapshot!(reply);
    let again = world
        .get("/v3/auth/profile")
        .bearer(&token)
        .header("if-none-match", reply.header("etag"))
        .send()
        .await;
    assert_eq!((again.status.as_u16(), again.body.is_null()), (304, true));
}

#[tokio::test]
async fn the_tag_of_a_profile_follows_the_names_that_it_shows() {
    let world = World::new().await;
    world.user("rea@acme.example", Role::ReadOnly, 1002).await;
    let token = world.token("rea@acme.example").await;
    let admin = world.admin().await;
    let tag = || async {
        let reply = world.get("/v3/auth/profile").bearer(&token).send().await;
        reply.header("etag").to_owned()
    };
    let mut seen = vec![tag().await];
    for unit in [1002, 1001, 1000] {
        let renamed = json!({"org_unit_name": format!("Renamed {unit}")});
        let reply = world.patch(&format!("/v3/groups/{unit}"), renamed).bearer(&admin).send().await;
        assert_eq!(reply.status, 200);
        seen.push(tag().await);
    }
    seen.dedup();
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[tokio::test]
async fn a_password_change_ends_the_other_sessions() {
    let world = World::new().await;
    let (here, there) = (world.admin().await, world.admin().await);
    let new = "another long password";
    let body = json!({"current_password": PASSWORD, "new_password": new});
    insta::assert_snapshot!(world.post("/v3/auth/password", body).bearer(&here).send().await);
    assert_eq!(world.get("/v3/auth/profile").bearer(&here).send().await.status, 200);
    assert_eq!(world.get("/v3/auth/profile").bearer(&there).send().await.status, 401);
    assert_eq!(world.log_in("ada@acme.example").await.status, 401);
    let body = json!({"email": "ada@acme.example", "password": new});
    assert_eq!(world.post("/oauth/token", body).send().await.status, 200);
    let last = world.journal().await.pop().unwrap();
    assert_eq!((last.kind.as_str(), last.payload), ("user.password_changed", json!({})));
}

#[tokio::test]
async fn a_wrong_or_unfit_password_changes_nothing() {
    let world = World::new().await;
    let token = world.admin().await;
    let before = world.journal().await.len();
    let wrong = json!({"current_password": "wrong", "new_password": "another long password"});
    insta::assert_snapshot!(world.post("/v3/auth/password", wrong).bearer(&token).send().await);
    let unfit = json!({"new_password": "short"});
    let reply = world.post("/v3/auth/password", unfit).bearer(&token).send().await;
    assert_eq!(reply.fields(), ["current_password", "new_password"]);
    assert_eq!(world.log_in("ada@acme.example").await.status, 200);
    assert_eq!(world.journal().await.len(), before);
}
