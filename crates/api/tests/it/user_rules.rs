//! What holds for users whoever asks: logins, deletion, sessions, passwords, the last admin.

use muster_api::Settings;
use muster_domain::user::Role;
use serde_json::{Value, json};

use crate::people::{
    ADA, create, created, data, delete, full, get, log_in, patch, plain, profile, provisioned, put, with,
};
use crate::support::{PASSWORD, World};

/// A world in which people may log in as often as they like.
async fn unlimited() -> World {
    World::with(Settings { rate_limits: false, ..Settings::default() }).await
}

#[tokio::test]
async fn a_login_is_unique_in_the_tenant() {
    let world = World::new().await;
    let token = world.admin().await;
    let bob = created(&world, &token, plain("B\u{e4}rbel@acme.example")).await;
    let cal = created(&world, &token, plain("cal@acme.example")).await;
    provisioned(&world, "scim@acme.example", "", "").await;
    let before = world.journal().await;
    insta::assert_snapshot!(create(&world, &token, plain(" b\u{c4}RBEL@ACME.example")).await);
    for taken in ["BA\u{308}RBEL@acme.example ", "ada@acme.example", "SCIM@acme.example"] {
        for reply in [
            create(&world, &token, plain(taken)).await,
            create(&world, &token, with(full(), &json!({"username": taken}))).await,
            put(&world, &token, cal, plain(taken)).await,
            patch(&world, &token, cal, json!({"email": taken})).await,
        ] {
            assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["username"]), "{taken}");
        }
    }
    assert_eq!(world.journal().await, before);
    // Its own login in another case is no duplicate.
    let recased = json!({"username": "B\u{c4}RBEL@acme.example"});
    assert_eq!(patch(&world, &token, bob, recased).await.status, 200);
    assert_eq!(data(&world, &token, bob).await["email"], "B\u{c4}RBEL@acme.example");
    // One that was given up is free, and so is that of nobody but a deleted user; an inactive one keeps it.
    assert_eq!(patch(&world, &token, bob, json!({"username": "bob@acme.example"})).await.status, 200);
    assert_eq!(patch(&world, &token, bob, json!({"user_status": "inactive"})).await.status, 200);
    assert_eq!(create(&world, &token, plain("b\u{e4}rbel@acme.example")).await.status, 201);
    assert_eq!(create(&world, &token, plain("bob@acme.example")).await.status, 400);
    assert_eq!(delete(&world, &token, bob).await.status, 200);
    assert_eq!(create(&world, &token, plain("bob@acme.example")).await.status, 201);
}

#[tokio::test]
async fn a_login_is_unique_over_all_tenants_among_those_who_can_log_in() {
    let world = unlimited().await;
    world.tenant("Other", "olga@other.example").await;
    let (ada, olga) = (world.admin().await, world.token("olga@other.example").await);
    let taken =
        |reply: &crate::support::Reply| (reply.status.as_u16(), reply.fields()) == (400, vec!["username"]);

    // Made through this dialect, with a password or without one: claimed.
    let theirs = created(&world, &olga, plain("theirs@other.example")).await;
    assert!(taken(&create(&world, &ada, plain("Theirs@other.example")).await));
    assert!(taken(&patch(&world, &ada, ADA, json!({"username": "olga@OTHER.example"})).await));
    assert_eq!(delete(&world, &olga, theirs).await.status, 200);
    assert_eq!(create(&world, &ada, plain("theirs@other.example")).await.status, 201);

    // Provisioned without a password: not claimed, until one is given.
    let ann = provisioned(&world, "ann@acme.example", "Ann", "Lee").await;
    let foreign = created(&world, &olga, plain("ann@acme.example")).await;
    assert_eq!(patch(&world, &ada, ann, json!({"first_name": "Anne"})).await.status, 200);
    let before = world.journal().await;
    let password = json!({"password": "another long password"});
    let refused = patch(&world, &ada, ann, password.clone()).await;
    assert!(taken(&refused), "{refused}");
    assert_eq!(world.journal().await, before);
    assert_eq!(log_in(&world, "ann@acme.example", "another long password").await, 401);
    assert_eq!(delete(&world, &olga, foreign).await.status, 200);
    assert_eq!(patch(&world, &ada, ann, password).await.status, 200);
    let last = world.journal().await.pop().unwrap();
    assert_eq!((last.kind.as_str(), last.payload), ("user.password_changed", json!({})));
    assert_eq!(log_in(&world, "ann@acme.example", "another long password").await, 200);
    assert!(taken(&create(&world, &olga, plain("ann@acme.example")).await));

    // Who cannot log in may be given an address that somebody has elsewhere.
    let jon = provisioned(&world, "jon", "", "").await;
    assert_eq!(patch(&world, &ada, jon, json!({"username": "olga@other.example"})).await.status, 200);
    assert_eq!(world.log_in("olga@other.example").await.status, 200);
}

#[tokio::test]
async fn a_deleted_user_is_hidden_but_can_be_read() {
    let world = World::new().await;
    let token = world.admin().await;
    let zoe = created(&world, &token, full()).await;
    let session = log_in_tokens(&world, "zo\u{eb}.lee@acme.example", "a password of full()").await;
    world.advance(std::time::Duration::from_mins(1));
    insta::assert_snapshot!(delete(&world, &token, zoe).await);
    let last = world.journal().await.pop().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.payload),
        ("user.deleted", json!({"status": ["active", "deleted"]}))
    );
    let user = data(&world, &token, zoe).await;
    insta::assert_json_snapshot!(user);

    // Its sessions ended at once.
    assert_eq!(profile(&world, session["access_token"].as_str().unwrap()).await, 401);
    let refresh = json!({"refresh_token": session["refresh_token"]});
    assert_eq!(world.post("/oauth/refresh-token", refresh).send().await.status, 401);
    assert_eq!(log_in(&world, "zo\u{eb}.lee@acme.example", "a password of full()").await, 401);

    let listed = |query: &str| world.get(&format!("/v3/users{query}")).bearer(&token).send();
    assert_eq!(listed("").await.body["data"]["total"], 1);
    assert_eq!(listed("?user_status=deleted").await.body["data"]["users"][0]["ct_user_id"], zoe);

    // It is no longer there to be written; that comes before the body and the condition.
    let before = world.journal().await;
    for reply in [
        put(&world, &token, zoe, user.clone()).await,
        patch(&world, &token, zoe, json!({"user_status": "active", "agent_code": -1})).await,
        delete(&world, &token, zoe).await,
        world.delete(&format!("/v3/users/{zoe}")).header("if-match", "\"x\"").bearer(&token).send().await,
    ] {
        assert_eq!((reply.status.as_u16(), &reply.body["error"]), (404, &json!("User not found")));
    }
    assert_eq!(world.journal().await, before);
    // The address is free, and its next owner is somebody else.
    assert_ne!(created(&world, &token, full()).await, zoe);
    assert_eq!(log_in(&world, "zo\u{eb}.lee@acme.example", "a password of full()").await, 200);
    assert_eq!(get(&world, &token, zoe).await.body["data"]["status"], "deleted");
}

async fn log_in_tokens(world: &World, login: &str, password: &str) -> Value {
    let body = json!({"email": login, "password": password});
    let reply = world.post("/oauth/token", body).send().await;
    assert_eq!(reply.status, 200, "{reply}");
    reply.body
}

#[tokio::test]
async fn whoever_is_deactivated_is_logged_out_and_stays_out() {
    let world = unlimited().await;
    let token = world.admin().await;
    let bob = world.user("bob@acme.example", Role::Standard, 1001).await;
    let session = log_in_tokens(&world, "bob@acme.example", PASSWORD).await;
    let access = session["access_token"].as_str().unwrap();
    assert_eq!(profile(&world, access).await, 200);
    assert_eq!(patch(&world, &token, bob, json!({"user_status": "inactive"})).await.status, 200);
    assert_eq!(profile(&world, access).await, 401);
    let refresh = json!({"refresh_token": session["refresh_token"]});
    assert_eq!(world.post("/oauth/refresh-token", refresh.clone()).send().await.status, 401);
    assert_eq!(log_in(&world, "bob@acme.example", PASSWORD).await, 401);
    let last = world.journal().await.pop().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.payload),
        ("user.updated", json!({"status": ["active", "inactive"]}))
    );

    assert_eq!(patch(&world, &token, bob, json!({"user_status": "active"})).await.status, 200);
    assert_eq!(profile(&world, access).await, 401, "what ended does not come back");
    assert_eq!(world.post("/oauth/refresh-token", refresh).send().await.status, 401);
    assert_eq!(log_in(&world, "bob@acme.example", PASSWORD).await, 200);
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_and_is_shown_nowhere() {
    let world = unlimited().await;
    let token = world.admin().await;
    let bob = world.user("bob@acme.example", Role::Standard, 1001).await;
    let old = [world.token("bob@acme.example").await, world.token("bob@acme.example").await];
    let new = "Gr\u{fc}ner Tee, hei\u{df}";
    // Other changes end no session.
    assert_eq!(patch(&world, &token, bob, json!({"role": "ReadOnly", "agent_code": 3})).await.status, 200);
    assert_eq!(profile(&world, &old[0]).await, 200);
    let reply = patch(&world, &token, bob, json!({"password": new})).await;
    assert_eq!(reply.status, 200);
    let last = world.journal().await.pop().unwrap();
    assert_eq!((last.kind.as_str(), last.payload), ("user.password_changed", json!({})));
    for access in old {
        assert_eq!(profile(&world, &access).await, 401);
    }
    assert_eq!(log_in(&world, "bob@acme.example", PASSWORD).await, 401);
    assert_eq!(log_in(&world, "bob@acme.example", new).await, 200);
    let both = json!({"password": PASSWORD, "agent_code": 4});
    assert_eq!(patch(&world, &token, bob, both).await.status, 200);
    let last = world.journal().await.pop().unwrap();
    let payload = json!({"agent_code": [3, 4], "password_changed": [false, true]});
    assert_eq!((last.kind.as_str(), last.payload), ("user.updated", payload));

    // One's own too: the session that asks for it ends with the others.
    assert_eq!(patch(&world, &token, ADA, json!({"password": new})).await.status, 200);
    assert_eq!(profile(&world, &token).await, 401);
    let again = log_in_tokens(&world, "ada@acme.example", new).await;
    let token = again["access_token"].as_str().unwrap().to_owned();

    // A password is in no answer, not even where it is refused, and in no journal.
    let short = patch(&world, &token, bob, json!({"password": "geheim"})).await;
    assert_eq!(short.fields(), ["password"]);
    let list = world.get("/v3/users").bearer(&token).send().await;
    let one = get(&world, &token, bob).await;
    for text in [short.to_string(), reply.to_string(), list.to_string(), one.to_string()] {
        assert!(!text.contains("geheim") && !text.contains("Tee") && !text.contains("argon2"), "{text}");
        assert!(!text.contains("\"password\":") && !text.contains("hash"), "{text}");
    }
    for record in world.journal().await {
        let text = record.payload.to_string();
        assert!(!text.contains("argon2") && !text.contains("Tee") && !text.contains(PASSWORD), "{text}");
    }
}

#[tokio::test]
async fn a_new_login_is_the_one_to_log_in_with() {
    let world = unlimited().await;
    let token = world.admin().await;
    let bob = world.user("bob@acme.example", Role::Standard, 1001).await;
    let session = world.token("bob@acme.example").await;
    assert_eq!(patch(&world, &token, bob, json!({"username": "rob@acme.example"})).await.status, 200);
    assert_eq!(log_in(&world, "bob@acme.example", PASSWORD).await, 401);
    assert_eq!(log_in(&world, "rob@acme.example", PASSWORD).await, 200);
    assert_eq!(profile(&world, &session).await, 200);
    // One that is refused leaves the old one as it was.
    assert_eq!(patch(&world, &token, bob, json!({"username": "ada@acme.example"})).await.status, 400);
    assert_eq!(log_in(&world, "rob@acme.example", PASSWORD).await, 200);
}

#[tokio::test]
async fn the_last_admin_of_the_top_stays() {
    let world = World::new().await;
    let token = world.admin().await;
    // None of these could take over: a branch admin, one who cannot log in, one who is inactive.
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let admin = json!({"role": "Admin", "ct_user_ou_id": 1000});
    created(&world, &token, with(plain("nopass@acme.example"), &admin)).await;
    let inactive = with(with(full(), &admin), &json!({"user_status": "inactive"}));
    created(&world, &token, inactive).await;
    world.user("stan@acme.example", Role::Standard, 1000).await;
    let before = world.journal().await;
    insta::assert_snapshot!(delete(&world, &token, ADA).await);
    let ends = [
        json!({"role": "Standard"}),
        json!({"role_id": 3}),
        json!({"role": null}),
        json!({"user_status": "inactive"}),
        json!({"ct_user_ou_id": 1001}),
        json!({"first_name": "Adele", "role": "Standard User"}),
        json!({"password": "another long password", "role": "Standard"}),
    ];
    for body in ends {
        let reply = patch(&world, &token, ADA, body.clone()).await;
        assert_eq!(reply.status, 400, "{body}");
        let whole = with(plain("ada@acme.example"), &body);
        assert_eq!(put(&world, &token, ADA, whole).await.status, 400, "{body}");
    }
    assert_eq!(world.journal().await, before);
    assert_eq!(profile(&world, &token).await, 200);
    assert_eq!(patch(&world, &token, ADA, json!({"first_name": "Adele"})).await.status, 200);
    // Those who could not take over may go.
    for login in ["branch@acme.example", "nopass@acme.example", "zo%C3%AB.lee@acme.example"] {
        let list = world.get(&format!("/v3/users?email={login}")).bearer(&token).send().await;
        let id = list.body["data"]["users"][0]["ct_user_id"].as_i64().unwrap();
        assert_eq!(delete(&world, &token, id).await.status, 200, "{login}");
    }
}

#[tokio::test]
async fn an_admin_may_go_when_another_remains() {
    for end in [
        Some(json!({"role": "Standard"})),
        Some(json!({"user_status": "inactive"})),
        Some(json!({"ct_user_ou_id": 1001})),
        None,
    ] {
        let world = World::new().await;
        let token = world.admin().await;
        let bella = world.user("bella@acme.example", Role::Admin, 1000).await;
        let second = world.token("bella@acme.example").await;
        let go = |token: String, id: i64| {
            let (world, end) = (&world, end.clone());
            async move {
                match end {
                    Some(body) => patch(world, &token, id, body).await.status.as_u16(),
                    None => delete(world, &token, id).await.status.as_u16(),
                }
            }
        };
        // Ada ends herself; then Bella is the last.
        assert_eq!(go(token.clone(), ADA).await, 200, "{end:?}");
        let gone = profile(&world, &token).await == 401;
        assert_eq!(gone, end.is_none() || end == Some(json!({"user_status": "inactive"})), "{end:?}");
        assert_eq!(go(second.clone(), bella).await, 400, "{end:?}");
        assert_eq!(profile(&world, &second).await, 200);
    }
}

#[tokio::test]
async fn a_null_beside_the_other_name_of_the_role_is_not_given() {
    let world = World::new().await;
    let token = world.admin().await;
    let bob = created(&world, &token, plain("bob@acme.example")).await;
    for (role, id, shown) in [
        (json!("Admin"), Value::Null, "Admin"),
        (Value::Null, json!(3), "ReadOnly"),
        (json!("Standard"), json!(2), "Standard"),
        (Value::Null, json!(1), "Admin"),
        (Value::Null, Value::Null, "Standard"),
    ] {
        let body = json!({"role": role, "role_id": id});
        let reply = patch(&world, &token, bob, body.clone()).await;
        assert_eq!(reply.status, 200, "{body}");
        assert_eq!(data(&world, &token, bob).await["role"], shown, "{body}");
    }
    let both = json!({"role": "Admin", "role_id": 2});
    assert_eq!(patch(&world, &token, bob, both).await.status, 400);
}
