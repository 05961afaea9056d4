//! Two or more at once.

use std::sync::Arc;

use muster_domain::user::Role;
use serde_json::json;

use crate::people::{ADA, created, data, plain};
use crate::support::{Reply, World};
use crate::together::{all_at_once, count};

/// Sends `count` requests at once, each from a task of its own.
async fn at_once<F>(world: &Arc<World>, count: usize, call: impl Fn(Arc<World>, usize) -> F) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    all_at_once((0..count).map(|i| call(Arc::clone(world), i))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creates_of_one_name_one_wins() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let replies = at_once(&world, 50, |world, i| {
        let token = token.clone();
        async move {
            let name = if i % 2 == 0 { "Straße" } else { "STRASSE" };
            world.post("/v3/groups", json!({"org_unit_name": name})).bearer(&token).send().await
        }
    })
    .await;
    assert_eq!((count(&replies, 201), count(&replies, 400)), (1, 49));
    assert!(
        replies.iter().filter(|reply| reply.status == 400).all(|reply| reply.fields() == ["org_unit_name"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writes_on_one_version_one_wins() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let replies = at_once(&world, 30, |world, i| {
        let token = token.clone();
        async move {
            let call = world.patch("/v3/groups/1002", json!({"city": format!("City {i}")}));
            call.header("if-match", "W/\"1.3\"").bearer(&token).send().await
        }
    })
    .await;
    assert_eq!((count(&replies, 200), count(&replies, 412)), (1, 29));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn patches_of_different_fields_are_all_kept() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let fields = ["address", "city", "state", "zip", "phone_number", "org_unit_ext_id"];
    let replies = at_once(&world, fields.len(), |world, i| {
        let token = token.clone();
        async move { world.patch("/v3/groups/1002", json!({fields[i]: "7"})).bearer(&token).send().await }
    })
    .await;
    assert_eq!(count(&replies, 200), fields.len());
    let read = world.get("/v3/groups/1002").bearer(&token).send().await;
    for field in fields {
        assert_eq!(read.body["data"][field], "7", "{field}");
    }
    assert_eq!(read.header("etag"), "W/\"7.3\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_refreshes_with_one_token_one_wins() {
    let world = Arc::new(World::new().await);
    let refresh = world.log_in("ada@acme.example").await.body["refresh_token"].clone();
    let replies = at_once(&world, 20, |world, _| {
        let body = json!({"refresh_token": refresh});
        async move { world.post("/oauth/refresh-token", body).send().await }
    })
    .await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 19));
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    let token = winner.body["access_token"].as_str().unwrap();
    assert_eq!(world.get("/v3/auth/profile").bearer(token).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creates_of_one_login_one_wins() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let before = world.journal().await.len();
    let replies = at_once(&world, 200, |world, i| {
        let token = token.clone();
        async move {
            let login = if i % 2 == 0 { "stra\u{df}e@acme.example" } else { " STRASSE@acme.example" };
            world.post("/v3/users", plain(login)).bearer(&token).send().await
        }
    })
    .await;
    assert_eq!((count(&replies, 201), count(&replies, 400)), (1, 199));
    assert!(replies.iter().filter(|reply| reply.status == 400).all(|reply| reply.fields() == ["username"]));
    assert_eq!(world.journal().await.len(), before + 1);
    let list = world.get("/v3/users?email=strasse").bearer(&token).send().await;
    assert_eq!(list.body["data"]["total"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_tenants_who_want_one_login_one_gets_it() {
    let world = Arc::new(World::new().await);
    world.tenant("Other", "olga@other.example").await;
    let tokens = [world.admin().await, world.token("olga@other.example").await];
    let replies = at_once(&world, 40, |world, i| {
        let token = tokens[i % 2].clone();
        async move { world.post("/v3/users", plain("ann@shared.example")).bearer(&token).send().await }
    })
    .await;
    assert_eq!((count(&replies, 201), count(&replies, 400)), (1, 39));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_writes_on_one_version_of_a_user_one_wins() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let id = created(&world, &token, plain("bob@acme.example")).await;
    let path = format!("/v3/users/{id}");
    let tag = world.get(&path).bearer(&token).send().await.header("etag").to_owned();
    let replies = at_once(&world, 30, |world, i| {
        let (token, path, tag) = (token.clone(), path.clone(), tag.clone());
        async move {
            let call = world.patch(&path, json!({"agent_code": i + 1}));
            call.header("if-match", &tag).bearer(&token).send().await
        }
    })
    .await;
    assert_eq!((count(&replies, 200), count(&replies, 412)), (1, 29));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn patches_of_different_fields_of_a_user_are_all_kept() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let id = created(&world, &token, plain("bob@acme.example")).await;
    let changes = [
        ("first_name", json!("Rob")),
        ("user_ext_id", json!("7")),
        ("role", json!("ReadOnly")),
        ("agent_code", json!(7)),
        ("score_call", json!(true)),
        ("timezone", json!("UTC")),
    ];
    let replies =
        at_once(&world, changes.len(), |world, i| {
            let (token, (field, value)) = (token.clone(), changes[i].clone());
            async move {
                world.patch(&format!("/v3/users/{id}"), json!({field: value})).bearer(&token).send().await
            }
        })
        .await;
    assert_eq!(count(&replies, 200), changes.len());
    let read = data(&world, &token, id).await;
    for (field, value) in changes {
        assert_eq!(read[field], value, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn admins_who_all_leave_at_once_leave_one_behind() {
    let world = Arc::new(World::new().await);
    let mut people = vec![(ADA, world.admin().await)];
    for i in 0..5 {
        let login = format!("admin{i}@acme.example");
        let id = world.user(&login, Role::Admin, 1000).await;
        people.push((id, world.token(&login).await));
    }
    let replies = at_once(&world, people.len(), |world, i| {
        let (id, token) = people[i].clone();
        async move {
            let path = format!("/v3/users/{id}");
            let call = match i % 3 {
                0 => world.delete(&path),
                1 => world.patch(&path, json!({"role": "Standard"})),
                _ => world.patch(&path, json!({"ct_user_ou_id": 1001})),
            };
            call.bearer(&token).send().await
        }
    })
    .await;
    assert_eq!((count(&replies, 200), count(&replies, 400)), (5, 1));
    let (last, token) = &people[replies.iter().position(|reply| reply.status == 400).unwrap()];
    assert_eq!(data(&world, token, *last).await["role"], "Admin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_put_into_a_unit_while_it_is_archived() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let cal = created(&world, &token, plain("cal@acme.example")).await;
    for round in 0..60 {
        let unit = world.unit(&format!("Round {round}"), 1000).await;
        let replies = at_once(&world, 2, |world, i| {
            let token = token.clone();
            async move {
                if i == 0 {
                    return world.delete(&format!("/v3/groups/{unit}")).bearer(&token).send().await;
                }
                if round % 2 == 0 {
                    let body = json!({"ct_user_ou_id": unit});
                    return world.patch(&format!("/v3/users/{cal}"), body).bearer(&token).send().await;
                }
                let mut body = plain(&format!("user{round}@acme.example"));
                body["ct_user_ou_id"] = unit.into();
                world.post("/v3/users", body).bearer(&token).send().await
            }
        })
        .await;
        let (archived, put) = (replies[0].status == 200, replies[1].status.is_success());
        assert!(archived != put, "{} {}", replies[0], replies[1]);
        let refused = if archived { &replies[1] } else { &replies[0] };
        assert_eq!(refused.status, 400, "{refused}");
    }
}

/// What a condition named holds until the write: nothing that the row shows changes between the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_is_not_written_on_a_tag_that_a_renamed_unit_has_made_old() {
    let world = Arc::new(World::new().await);
    let token = world.admin().await;
    let id = created(&world, &token, plain("bob@acme.example")).await;
    let path = format!("/v3/users/{id}");
    for round in 0..60 {
        let tag = world.get(&path).bearer(&token).send().await.header("etag").to_owned();
        let replies = at_once(&world, 4, |world, i| {
            let (token, path, tag) = (token.clone(), path.clone(), tag.clone());
            async move {
                if i == round % 4 {
                    let name = json!({"org_unit_name": format!("Round {round}")});
                    return world.patch("/v3/groups/1000", name).bearer(&token).send().await;
                }
                let code = json!({"agent_code": round * 10 + i});
                world.patch(&path, code).header("if-match", &tag).bearer(&token).send().await
            }
        })
        .await;
        let written = count(&replies, 200);
        assert_eq!(written + count(&replies, 412), 4, "{}", replies[0]);
        let journal = world.journal().await;
        let last: Vec<&str> = journal[journal.len() - written..].iter().map(|entry| &*entry.kind).collect();
        assert!(last == ["org_unit.updated"] || last == ["user.updated", "org_unit.updated"], "{last:?}");
    }
}
