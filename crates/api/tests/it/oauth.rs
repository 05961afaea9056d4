//! Log-in, refresh, revocation, and the limit on log-ins.

use std::time::Duration;

use muster_api::Settings;
use muster_domain::user::Role;
use serde_json::{Value, json};

use crate::support::{PASSWORD, World};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

async fn profile_status(world: &World, token: &Value) -> u16 {
    world.get("/v3/auth/profile").bearer(token.as_str().unwrap()).send().await.status.as_u16()
}

async fn refresh(world: &World, token: &Value) -> crate::support::Reply {
    world.post("/oauth/refresh-token", json!({"refresh_token": token})).send().await
}

#[tokio::test]
async fn a_log_in_gives_a_pair_of_tokens() {
    let world = World::new().await;
    insta::assert_snapshot!(world.log_in("ada@acme.example").await);
}

#[tokio::test]
async fn logins_are_compared_without_case_blanks_and_normal_form() {
    let world = World::new().await;
    world.user("b\u{e4}rbel@acme.example", Role::Standard, 1000).await;
    for login in [" ADA@acme.EXAMPLE ", "BA\u{308}RBEL@acme.example"] {
        assert_eq!(world.log_in(login).await.status, 200, "{login}");
    }
    let body = json!({"username": "ada@acme.example", "password": PASSWORD});
    assert_eq!(world.post("/oauth/token", body).send().await.status, 200);
}

#[tokio::test]
async fn a_wrong_email_and_a_wrong_password_look_alike() {
    let world = World::new().await;
    let wrong = |email: &str| json!({"email": email, "password": "wrong horse battery"});
    let password = world.post("/oauth/token", wrong("ada@acme.example")).send().await;
    let email = world.post("/oauth/token", wrong("eve@acme.example")).send().await;
    assert_eq!(password.body["error"], email.body["error"]);
    insta::assert_snapshot!(password);
}

#[tokio::test]
async fn every_missing_field_of_a_log_in_is_named() {
    let world = World::new().await;
    insta::assert_snapshot!(world.post("/oauth/token", json!({"email": 5})).send().await);
    let both = json!({"email": "a@acme.example", "username": "b@acme.example", "password": null});
    assert_eq!(world.post("/oauth/token", both).send().await.fields(), ["email", "password"]);
    assert_eq!(world.post("/oauth/refresh-token", json!({})).send().await.fields(), ["refresh_token"]);
}

#[tokio::test]
async fn the_eleventh_log_in_of_a_minute_is_too_many_for_its_address_alone() {
    let world = World::new().await;
    for _ in 0..10 {
        assert_eq!(world.post("/oauth/token", json!({})).send().await.status, 400);
    }
    insta::assert_snapshot!(world.log_in("ada@acme.example").await);
    let body = json!({"email": "ada@acme.example", "password": PASSWORD});
    let elsewhere = world.post("/oauth/token", body).from("192.0.2.2").send().await;
    assert_eq!(elsewhere.status, 200);
    world.advance(MINUTE);
    assert_eq!(world.log_in("ada@acme.example").await.status, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_client_is_counted() {
    let settings = Settings {
        trusted_proxies: vec!["192.0.2.0/24".parse().unwrap()],
        logins_per_minute: 1,
        ..Settings::default()
    };
    let world = World::with(settings).await;
    let from = |client: &str| world.post("/oauth/token", json!({})).header("x-forwarded-for", client);
    assert_eq!(from("198.51.100.1").send().await.status, 400);
    assert_eq!(from("198.51.100.1").send().await.status, 429);
    assert_eq!(from("198.51.100.2").send().await.status, 400);
    assert_eq!(from("198.51.100.2").from("203.0.113.9").send().await.status, 400);
}

#[tokio::test]
async fn limits_can_be_switched_off() {
    let world = World::with(Settings { rate_limits: false, ..Settings::default() }).await;
    for _ in 0..30 {
        assert_eq!(world.post("/oauth/token", json!({})).send().await.status, 400);
    }
}

#[tokio::test]
async fn a_refresh_gives_a_new_pair_and_uses_the_old_one_up() {
    let world = World::new().await;
    let first = world.log_in("ada@acme.example").await.body;
    world.advance(MINUTE);
    let second = refresh(&world, &first["refresh_token"]).await;
    insta::assert_snapshot!(second);
    assert_eq!(profile_status(&world, &second.body["access_token"]).await, 200);

    // Requests in flight still get through with the old token, for a minute.
    assert_eq!(profile_status(&world, &first["access_token"]).await, 200);
    world.advance(Duration::from_secs(59));
    assert_eq!(profile_status(&world, &first["access_token"]).await, 200);
    world.advance(Duration::from_secs(1));
    assert_eq!(profile_status(&world, &first["access_token"]).await, 401);
    assert_eq!(profile_status(&world, &second.body["access_token"]).await, 200);
}

#[tokio::test]
async fn a_used_refresh_token_is_a_race_at_first_and_a_theft_later() {
    let world = World::new().await;
    let first = world.log_in("ada@acme.example").await.body;
    let second = refresh(&world, &first["refresh_token"]).await.body;
    world.advance(MINUTE);
    insta::assert_snapshot!(refresh(&world, &first["refresh_token"]).await);
    assert_eq!(profile_status(&world, &second["access_token"]).await, 200);
    world.advance(Duration::from_secs(1));
    assert_eq!(refresh(&world, &first["refresh_token"]).await.status, 401);
    // The thief or the owner: neither goes on.
    assert_eq!(profile_status(&world, &second["access_token"]).await, 401);
    assert_eq!(refresh(&world, &second["refresh_token"]).await.status, 401);
}

#[tokio::test]
async fn access_tokens_slide_and_refresh_tokens_do_not() {
    let world = World::new().await;
    let tokens = world.log_in("ada@acme.example").await.body;
    for _ in 0..5 {
        world.advance(6 * DAY);
        assert_eq!(profile_status(&world, &tokens["access_token"]).await, 200);
        world.settle().await;
    }
    world.advance(7 * DAY);
    assert_eq!(profile_status(&world, &tokens["access_token"]).await, 401);
    world.advance(142 * DAY);
    let again = refresh(&world, &tokens["refresh_token"]).await;
    assert_eq!(again.status, 200);
    world.advance(180 * DAY);
    assert_eq!(refresh(&world, &again.body["refresh_token"]).await.status, 401);
}

#[tokio::test]
async fn guesses_of_the_current_password_are_limited_too() {
    let world = World::new().await;
    let token = world.admin().await;
    let guess = json!({"current_password": "a guess", "new_password": "another long password"});
    for _ in 0..10 {
        assert_eq!(world.post("/v3/auth/password", guess.clone()).bearer(&token).send().await.status, 400);
    }
    assert_eq!(world.post("/v3/auth/password", guess).bearer(&token).send().await.status, 429);
}

#[tokio::test]
async fn a_revocation_ends_one_token_and_is_idempotent() {
    let world = World::new().await;
    let tokens = world.log_in("ada@acme.example").await.body;
    let revoke = |kind: &str, token: &Value| {
        world.post("/oauth/revoke-token", json!({"token_type": kind, "token": token})).send()
    };
    insta::assert_snapshot!(revoke("access", &tokens["access_token"]).await);
    assert_eq!(profile_status(&world, &tokens["access_token"]).await, 401);
    assert_eq!(revoke("access", &tokens["access_token"]).await.status, 200);
    assert_eq!(revoke("access", &json!("nonsense")).await.status, 200);
    // A token of the other kind is an unknown one.
    assert_eq!(revoke("access", &tokens["refresh_token"]).await.status, 200);
    let again = refresh(&world, &tokens["refresh_token"]).await.body;
    assert_eq!(revoke("refresh", &again["refresh_token"]).await.status, 200);
    assert_eq!(refresh(&world, &again["refresh_token"]).await.status, 401);
    assert_eq!(profile_status(&world, &again["access_token"]).await, 200);
    insta::assert_snapshot!(world.post("/oauth/revoke-token", json!({"token_type": "id"})).send().await);
}

#[tokio::test]
async fn no_secret_is_journaled() {
    let world = World::new().await;
    world.log_in("ada@acme.example").await;
    for record in world.journal().await {
        let text = record.payload.to_string();
        assert!(!text.contains("argon2") && !text.contains(PASSWORD), "{text}");
    }
}
