//! SCIM, several at once: names stay unique, no change is lost, and of those that name one version one wins.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::scim::{Client, GROUPS, USERS, id, refused};
use crate::support::{Reply, World};
use crate::together::{all_at_once, count};

/// Sends requests at once, each from a task of its own: method, path, body, and a version that is named.
async fn at_once(
    world: &Arc<World>,
    calls: Vec<(&'static str, String, Value, Option<String>)>,
) -> Vec<Reply> {
    let token = Client::new(world).await.token;
    all_at_once(calls.into_iter().map(|(method, path, body, tag)| {
        let (world, token) = (Arc::clone(world), token.clone());
        async move {
            let client = Client { world: &world, token };
            let mut call = client.call(method, &path).header("content-type", "application/scim+json");
            if let Some(tag) = &tag {
                call = call.header("if-match", tag);
            }
            let call = if body.is_null() { call } else { call.raw(body.to_string()) };
            call.send().await
        }
    }))
    .await
}

#[expect(clippy::needless_pass_by_value, reason = "bodies are made with json!()")]
fn operation(op: &str, path: &str, value: Value) -> Value {
    json!({"Operations": [{"op": op, "path": path, "value": value}]})
}

/// All but one are refused because the value is taken.
fn one_has_it(replies: &[Reply], status: u16) {
    assert_eq!(count(replies, status), 1);
    for reply in replies.iter().filter(|reply| reply.status != status) {
        assert_eq!(refused(reply), (409, "uniqueness"), "{reply}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_name_is_given_once_however_it_is_asked_for() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    let posts = (0..12).map(|n| {
        let name = if n % 2 == 0 { "Straße" } else { "STRASSE" };
        ("POST", USERS.to_owned(), json!({"userName": name, "title": n.to_string()}), None)
    });
    one_has_it(&at_once(&world, posts.collect()).await, 201);
    for round in 0..3 {
        let mut calls = Vec::new();
        for n in 0..9 {
            let name = format!("wanted {round}");
            let own = format!("own {round} {n}");
            calls.push(match n % 3 {
                0 => ("POST", USERS.to_owned(), json!({"userName": name}), None),
                1 => ("PUT", client.user(&own).await, json!({"userName": name.to_uppercase()}), None),
                _ => {
                    let path = client.user(&own).await;
                    ("PATCH", path, operation("replace", "userName", json!(name)), None)
                }
            });
        }
        let replies = at_once(&world, calls).await;
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status.is_success());
        assert_eq!((won.len(), lost.len()), (1, 8));
        assert!(lost.iter().all(|reply| refused(reply) == (409, "uniqueness")));
        let filter = format!("userName eq \"WANTED {round}\"");
        assert_eq!(client.select(USERS, &filter, "id").await, [won[0].body["id"].as_str().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_external_id_of_a_group_is_given_once() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    let mut calls = Vec::new();
    for n in 0..9 {
        let body = json!({"displayName": "G", "externalId": "x"});
        calls.push(match n % 3 {
            0 => ("POST", GROUPS.to_owned(), body, None),
            1 => ("PUT", client.group("G", &[]).await, body, None),
            _ => ("PATCH", client.group("G", &[]).await, operation("add", "externalId", json!("X")), None),
        });
    }
    let replies = at_once(&world, calls).await;
    let lost: Vec<_> = replies.iter().filter(|reply| !reply.status.is_success()).collect();
    assert_eq!(lost.len(), 8);
    assert!(lost.iter().all(|reply| refused(reply) == (409, "uniqueness")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_joins_and_leaves_at_once_is_never_lost() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    let mut users = Vec::new();
    for n in 0..16 {
        users.push(client.user(&format!("u{n}")).await);
    }
    // The first half is in, and leaves; the second joins; and the name is changed meanwhile.
    let group = client.group("Night", &users[..8].iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut calls: Vec<_> = users
        .iter()
        .enumerate()
        .map(|(n, user)| {
            let body = match n {
                0..8 => operation("remove", &format!("members[value eq \"{}\"]", id(user)), Value::Null),
                _ => operation("add", "members", json!([{"value": id(user)}])),
            };
            ("PATCH", group.clone(), body, None)
        })
        .collect();
    for n in 0..3 {
        calls.push((
            "PATCH",
            group.clone(),
            operation("replace", "displayName", json!(format!("N{n}"))),
            None,
        ));
    }
    let replies = at_once(&world, calls).await;
    assert_eq!(count(&replies, 200), 19, "{}", replies.iter().map(ToString::to_string).collect::<String>());
    let read = client.get(&group).await;
    let mut members: Vec<&str> = read.body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["value"].as_str().unwrap())
        .collect();
    members.sort_unstable();
    let mut expected: Vec<&str> = users[8..].iter().map(|path| id(path)).collect();
    expected.sort_unstable();
    assert_eq!(members, expected);
    assert!(read.body["displayName"].as_str().unwrap().starts_with('N'), "{read}");
    assert_eq!(
        world
            .directory()
            .user_group_list(&world.acme, None, muster_domain::Slice { limit: 9, offset: 0 })
            .await
            .unwrap()
            .items[0]
            .members,
        8
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_changes_that_name_one_version_one_happens() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    let user = client.user("ann").await;
    let group = client.group("Night", &[]).await;
    for path in [&user, &group] {
        let tag = client.get(path).await.header("etag").to_owned();
        let name = if path == &user { "userName" } else { "displayName" };
        let calls = (0..12).map(|n| {
            let value = json!(format!("name {n}"));
            let (method, body) = match n % 2 {
                0 => ("PUT", json!({ name: value })),
                _ => ("PATCH", operation("replace", name, value)),
            };
            (method, path.clone(), body, Some(tag.clone()))
        });
        let replies = at_once(&world, calls.collect()).await;
        assert_eq!((count(&replies, 200), count(&replies, 412)), (1, 11));
        let won = replies.iter().find(|reply| reply.status == 200).unwrap();
        let read = client.get(path).await;
        assert_eq!((&read.body[name], read.header("etag")), (&won.body[name], won.header("etag")));
        // And a deletion is a change like any other.
        let tag = read.header("etag").to_owned();
        let mut calls: Vec<_> =
            (0..3).map(|_| ("DELETE", path.clone(), Value::Null, Some(tag.clone()))).collect();
        calls.push(("PATCH", path.clone(), operation("replace", name, json!("late")), Some(tag)));
        let replies = at_once(&world, calls).await;
        assert_eq!(replies.iter().filter(|reply| reply.status.is_success()).count(), 1);
        assert!(replies.iter().all(|reply| [200, 204, 404, 412].contains(&reply.status.as_u16())));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_and_a_membership_do_not_mix() {
    let world = Arc::new(World::new().await);
    let client = Client::new(&world).await;
    for round in 0..6 {
        let (user, group) = (client.user(&format!("u{round}")).await, client.group("Night", &[]).await);
        let replies = at_once(
            &world,
            vec![
                ("DELETE", user.clone(), Value::Null, None),
                ("PATCH", group.clone(), operation("add", "members", json!([{"value": id(&user)}])), None),
                ("PUT", group.clone(), json!({"displayName": "G", "members": [{"value": id(&user)}]}), None),
            ],
        )
        .await;
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
        assert_eq!((statuses[0], statuses[1]), (204, 200));
        assert!(matches!(statuses[2], 200 | 400), "{}", replies[2]);
        assert_eq!(client.get(&group).await.body.get("members"), None, "nobody who is gone is a member");
    }
}
