//! Creating, reading, replacing and changing users.

use muster_api::Settings;
use muster_domain::user::Role;
use serde_json::{Value, json};

use crate::people::{ADA, create, created, data, full, get, log_in, patch, plain, provisioned, put, with};
use crate::support::World;

#[tokio::test]
async fn a_user_is_created_with_all_its_fields() {
    let world = World::new().await;
    let token = world.admin().await;
    for (unit, external_id) in [(1000, "A-1000"), (1001, "R-1001"), (1002, "G-1002")] {
        let body = json!({"org_unit_ext_id": external_id});
        world.patch(&format!("/v3/groups/{unit}"), body).bearer(&token).send().await;
    }
    let reply = create(&world, &token, full()).await;
    insta::assert_snapshot!(reply);
    let id = reply.body["data"]["userId"].as_i64().unwrap();
    insta::assert_snapshot!(get(&world, &token, id).await);
    insta::assert_debug_snapshot!(world.journal().await.pop().unwrap());
    let row = world.get("/v3/users/list?role_id=3").bearer(&token).send().await;
    insta::assert_snapshot!(row);
}

#[tokio::test]
async fn a_user_needs_only_a_login_and_names() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    let berlin = json!({"timezone": "Europe/Berlin"});
    world.patch("/v3/groups/1001", berlin).bearer(&token).send().await;
    let id = created(&world, &token, plain("bob@acme.example")).await;
    insta::assert_json_snapshot!(data(&world, &token, id).await);
    assert_eq!(log_in(&world, "bob@acme.example", "").await, 401, "a user without a password cannot log in");
}

#[tokio::test]
async fn a_user_at_the_top_has_no_parent_group() {
    let world = World::new().await;
    let token = world.admin().await;
    insta::assert_snapshot!(get(&world, &token, ADA).await);
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let world = World::new().await;
    let token = world.admin().await;
    let bob = created(&world, &token, plain("bob@acme.example")).await;
    let before = world.journal().await;
    let wrong = json!({
        "username": "no address", "first_name": " ", "last_name": "x".repeat(101), "role": "Owner",
        "role_id": 4, "ct_user_ou_id": 77, "user_ext_id": "x".repeat(101), "aliases": "x".repeat(4095),
        "agent_ring_to": "3035550110", "agent_code": -1, "user_status": "deleted", "timezone": "Mars/Olympus",
        "score_call": "yes", "access_audio": 1, "password": "too short"
    });
    insta::assert_snapshot!(create(&world, &token, wrong.clone()).await);
    let all: Vec<String> = wrong.as_object().unwrap().keys().cloned().collect();
    let sorted = |mut fields: Vec<String>| {
        fields.sort();
        fields
    };
    for method in ["PUT", "PATCH"] {
        let call = world.call(method, &format!("/v3/users/{bob}")).json(wrong.clone()).bearer(&token);
        let reply = call.send().await;
        let named = reply.fields().into_iter().map(ToOwned::to_owned).collect();
        assert_eq!((reply.status.as_u16(), sorted(named)), (400, sorted(all.clone())), "{method}");
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn login_and_names_are_required_but_in_a_patch() {
    let world = World::new().await;
    let token = world.admin().await;
    let required = ["username", "first_name", "last_name"];
    assert_eq!(create(&world, &token, json!({})).await.fields(), required);
    assert_eq!(put(&world, &token, ADA, json!({})).await.fields(), required);
    let nulls = json!({"username": null, "first_name": null, "last_name": null});
    for reply in [
        create(&world, &token, nulls.clone()).await,
        put(&world, &token, ADA, nulls.clone()).await,
        patch(&world, &token, ADA, nulls).await,
    ] {
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, required.to_vec()));
    }
    assert_eq!(patch(&world, &token, ADA, json!({})).await.status, 200);
}

#[tokio::test]
async fn put_replaces_and_patch_changes_what_is_named() {
    let world = World::new().await;
    let token = world.admin().await;
    let id = created(&world, &token, full()).await;
    world.advance(std::time::Duration::from_mins(1));
    let reply = patch(&world, &token, id, json!({"last_name": "Ray", "agent_code": null})).await;
    insta::assert_snapshot!(reply);
    insta::assert_json_snapshot!(data(&world, &token, id).await);
    let body = plain("zo\u{eb}.lee@acme.example");
    assert_eq!(put(&world, &token, id, body).await.status, 200);
    // Role, unit, status, time zone and password stay, all else is cleared.
    insta::assert_json_snapshot!(data(&world, &token, id).await);
    assert_eq!(log_in(&world, "zo\u{eb}.lee@acme.example", "a password of full()").await, 200);
    let inactive = json!({"user_status": "inactive"});
    assert_eq!(patch(&world, &token, id, inactive).await.status, 200);
    assert_eq!(put(&world, &token, id, plain("zoe@acme.example")).await.status, 200);
    assert_eq!(data(&world, &token, id).await["user_status"], "inactive", "an absent status stays");
}

#[tokio::test]
async fn null_clears_or_takes_the_default() {
    let world = World::new().await;
    world.user("branch@acme.example", Role::Admin, 1001).await;
    let token = world.token("branch@acme.example").await;
    let tokyo = json!({"timezone": "Asia/Tokyo"});
    world.patch("/v3/groups/1001", tokyo).bearer(&token).send().await;
    let nulls = json!({
        "role": null, "ct_user_ou_id": null, "user_ext_id": null, "aliases": null, "agent_ring_to": null,
        "agent_code": null, "user_status": null, "timezone": null, "score_call": null, "access_audio": null,
        "password": null
    });
    let mut seen = Vec::new();
    for method in ["PUT", "PATCH"] {
        let login = format!("{method}@acme.example");
        let changes = json!({"username": login, "user_status": "inactive"});
        let id = created(&world, &token, with(full(), &changes)).await;
        let body = with(nulls.clone(), &plain(&login));
        let call = world.call(method, &format!("/v3/users/{id}")).json(body).bearer(&token);
        assert_eq!(call.send().await.status, 200);
        let user = data(&world, &token, id).await;
        assert_eq!(log_in(&world, &login, "a password of full()").await, 200, "null takes no password away");
        seen.push(with(user, &json!({"username": "", "email": "", "ct_user_id": 0})));
    }
    insta::assert_json_snapshot!(seen[0]);
    assert_eq!(seen[0], seen[1]);
    let user =
        data(&world, &token, created(&world, &token, with(nulls, &plain("new@acme.example"))).await).await;
    assert_eq!(with(user, &json!({"username": "", "email": "", "ct_user_id": 0})), seen[0]);
}

#[tokio::test]
async fn what_get_returns_can_be_sent_back() {
    let world = World::new().await;
    let token = world.admin().await;
    let mut ids = vec![ADA, created(&world, &token, full()).await];
    ids.push(created(&world, &token, plain("bob@acme.example")).await);
    // Made by a dialect that wants neither an address nor names, or allows longer ones.
    ids.push(provisioned(&world, "jdoe", "", "").await);
    ids.push(provisioned(&world, &"x".repeat(255), &"y".repeat(300), " ").await);
    let before = world.journal().await;
    for id in ids {
        let read = get(&world, &token, id).await;
        for method in ["PUT", "PATCH"] {
            let call = world.call(method, &format!("/v3/users/{id}")).json(read.body["data"].clone());
            let reply = call.header("if-match", read.header("etag")).bearer(&token).send().await;
            assert_eq!(reply.status, 200, "{method} {id}: {reply}");
        }
        let again = get(&world, &token, id).await;
        assert_eq!((again.header("etag"), &again.body["data"]), (read.header("etag"), &read.body["data"]));
    }
    assert_eq!(world.journal().await, before, "a change that changes nothing commits nothing");
}

#[tokio::test]
async fn what_another_dialect_wrote_stays_but_is_not_written_anew() {
    let world = World::new().await;
    let token = world.admin().await;
    let id = provisioned(&world, "jdoe", "", "Doe").await;
    let mut object = data(&world, &token, id).await;
    object["last_name"] = "Roe".into();
    assert_eq!(put(&world, &token, id, object.clone()).await.status, 200);
    let user = data(&world, &token, id).await;
    assert_eq!((&user["username"], &user["first_name"]), (&json!("jdoe"), &json!("")));
    for (field, value) in [("username", "jroe"), ("first_name", " ")] {
        object = data(&world, &token, id).await;
        object[field] = value.into();
        object.as_object_mut().unwrap().remove("email");
        let reply = put(&world, &token, id, object).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]));
    }
    // What nobody else may have, nobody may be given.
    let reply = create(&world, &token, plain("jroe")).await;
    assert_eq!(reply.fields(), ["username"]);
}

#[tokio::test]
async fn both_names_of_a_field_are_understood_unless_they_differ() {
    let world = World::new().await;
    let token = world.admin().await;
    let named = |body: Value| with(json!({"first_name": "Bob", "last_name": "Ray"}), &body);
    let bob = created(&world, &token, named(json!({"email": "bob@acme.example"}))).await;
    let same = json!({"email": "b@acme.example", "username": "b@acme.example"});
    assert_eq!(patch(&world, &token, bob, same).await.status, 200);
    assert_eq!(data(&world, &token, bob).await["username"], "b@acme.example");
    let differing = json!({
        "email": "b@acme.example", "username": "c@acme.example", "role": "Standard User", "role_id": 3
    });
    insta::assert_snapshot!(patch(&world, &token, bob, differing).await);

    let forms = [
        (json!({"role": "Admin"}), 1),
        (json!({"role": "Standard"}), 2),
        (json!({"role": "ReadOnly"}), 3),
        (json!({"role": "Standard User"}), 2),
        (json!({"role": "Read Only User"}), 3),
        (json!({"role_id": 1}), 1),
        (json!({"role_id": 3}), 3),
        (json!({"role_id": 2}), 2),
        (json!({"role_id": 3, "role": "Read Only User"}), 3),
        (json!({"role_id": 1, "role": "Admin"}), 1),
    ];
    for (form, id) in forms {
        assert_eq!(patch(&world, &token, bob, form.clone()).await.status, 200, "{form}");
        let user = data(&world, &token, bob).await;
        let words = ["Admin", "Standard", "ReadOnly"];
        assert_eq!((&user["role_id"], &user["role"]), (&json!(id), &json!(words[id - 1])), "{form}");
    }
    for (form, field) in [
        (json!({"role": "admin"}), "role"),
        (json!({"role": 1}), "role"),
        (json!({"role_id": "1"}), "role_id"),
        (json!({"role_id": 0}), "role_id"),
    ] {
        let reply = patch(&world, &token, bob, form.clone()).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]), "{form}");
    }
}

#[tokio::test]
async fn read_only_and_unknown_fields_are_ignored() {
    let world = World::new().await;
    let token = world.admin().await;
    let bob = created(&world, &token, plain("bob@acme.example")).await;
    let before = (data(&world, &token, bob).await, world.journal().await);
    let body = json!({
        "ct_user_id": 1, "status": "deleted", "agent_id": 5, "group": 1, "group_org_unit_id": 1003,
        "account": null, "parent_group": [], "group_access": 7, "report_access": "x", "assign_scorecard": true,
        "user_created": 0, "updated_at": {}, "password_hash": "x", "login_claimed": true, "no such": 1
    });
    assert_eq!(patch(&world, &token, bob, body).await.status, 200);
    assert_eq!((data(&world, &token, bob).await, world.journal().await), before);
}

#[tokio::test]
async fn aliases_are_any_json_kept_as_given() {
    let world = World::new().await;
    let token = world.admin().await;
    let bob = created(&world, &token, plain("bob@acme.example")).await;
    let nested = |levels: usize| (1..levels).fold(json!([]), |inner, _| json!([inner]));
    let fits = [
        json!("nick"),
        json!(""),
        json!(0),
        json!(-1.5),
        // Numbers that a quick parser misses by their last digit.
        json!([-7.583_853_387_499_527e267, -8.176_326_659_264_936e-66, u64::MAX, i64::MIN]),
        json!(false),
        json!([]),
        json!({}),
        json!({"z": {"y": null}, "a": [1, "\u{1f469}", " "]}),
        nested(64),
        json!("x".repeat(4094)),
    ];
    for aliases in fits {
        let reply = patch(&world, &token, bob, json!({"aliases": aliases})).await;
        assert_eq!(reply.status, 200, "{aliases}");
        let user = data(&world, &token, bob).await;
        // As text, since objects are equal in any order of their fields.
        assert_eq!(user["aliases"].to_string(), aliases.to_string());
        assert_eq!(put(&world, &token, bob, user).await.status, 200);
    }
    let before = world.journal().await;
    for aliases in [nested(65), json!("x".repeat(4095)), json!({"k": "x".repeat(4096)})] {
        let reply = patch(&world, &token, bob, json!({"aliases": aliases})).await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["aliases"]));
    }
    assert_eq!(world.journal().await, before);
}

#[tokio::test]
async fn values_at_their_limits_are_taken_and_beyond_refused() {
    let world = World::with(Settings { rate_limits: false, ..Settings::default() }).await;
    let token = world.admin().await;
    let bob = created(&world, &token, plain("bob@acme.example")).await;
    let text = |length: usize| Value::from("\u{e4}".repeat(length));
    let address = |length: usize| Value::from(format!("{}@acme.example", "x".repeat(length - 13)));
    let cases = [
        ("username", vec![address(254)], vec![address(255), json!("a b@c.org"), json!("a@b"), json!(5)]),
        ("first_name", vec![text(1), text(100)], vec![text(0), text(101), json!("a\u{0}b"), json!(5)]),
        ("last_name", vec![text(1), text(100)], vec![text(0), text(101), json!("\u{0}"), json!([])]),
        ("user_ext_id", vec![text(0), text(100)], vec![text(101), json!("\u{0}"), json!(5)]),
        (
            "agent_ring_to",
            vec![json!("+12"), json!("+123456789012345"), json!("+1234567890")],
            vec![
                json!("+1"),
                json!("+1234567890123456"),
                json!("+0123"),
                json!("123"),
                json!("+1 2"),
                json!(""),
            ],
        ),
        (
            "agent_code",
            vec![json!(0), json!(i64::MAX)],
            vec![json!(-1), json!(1.5), json!("1"), json!(u64::MAX), json!(true)],
        ),
        (
            "password",
            vec![text(12), text(128)],
            vec![text(11), text(129), json!(""), json!(123_456_789_012_i64)],
        ),
        ("timezone", vec![json!("UTC"), json!("america/new_york")], vec![json!(""), json!("X/Y"), json!(1)]),
        ("score_call", vec![json!(true), json!(false)], vec![json!("true"), json!(1), json!("Yes")]),
        ("access_audio", vec![json!(true), json!(false)], vec![json!("Yes"), json!(0)]),
        (
            "user_status",
            vec![json!("inactive"), json!("active")],
            vec![json!("deleted"), json!(""), json!(1)],
        ),
        ("ct_user_ou_id", vec![json!(1002)], vec![json!(99_999), json!(-1), json!(i64::MAX), json!("1002")]),
    ];
    for (field, right, wrong) in cases {
        for value in right {
            let reply = patch(&world, &token, bob, json!({field: value})).await;
            assert_eq!(reply.status, 200, "{field}: {reply}");
        }
        for value in wrong {
            let reply = patch(&world, &token, bob, json!({field: value})).await;
            assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec![field]), "{value}");
        }
    }
}

#[tokio::test]
async fn a_path_that_names_no_user_is_not_found() {
    let world = World::new().await;
    let token = world.admin().await;
    for id in ["99999", "0", "-1", "+1", "01", "1.0", "abc", "9223372036854775808", "%31%00", "LIST"] {
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            let call = world.call(method, &format!("/v3/users/{id}")).json(plain("bob@acme.example"));
            let reply = call.bearer(&token).send().await;
            assert_eq!(
                (reply.status.as_u16(), &reply.body["error"]),
                (404, &json!("User not found")),
                "{id}"
            );
        }
    }
    insta::assert_snapshot!(get(&world, &token, 99_999).await);
}

#[tokio::test]
async fn what_is_no_json_object_is_no_user() {
    let world = World::new().await;
    let token = world.admin().await;
    let before = world.journal().await;
    for body in ["", "{", "[]", "null", "{\"username\":\"\\ud800\"}", "{\"agent_code\":1e400}"] {
        for (method, path) in [("POST", "/v3/users"), ("PUT", "/v3/users/1"), ("PATCH", "/v3/users/1")] {
            let call = world.call(method, path).raw(body).header("content-type", "application/json");
            let reply = call.bearer(&token).send().await;
            assert_eq!((reply.status.as_u16(), reply.fields().len()), (400, 0), "{method} {body}");
        }
    }
    assert_eq!(world.journal().await, before);
}
