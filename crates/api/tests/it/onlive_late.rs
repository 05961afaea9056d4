//! Signed requests whose bodies arrive late: what holds is what is so by then.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::onlive::{Client, GROUPS, USERS};
use crate::support::{Reply, World};

/// Sends a request, does something when the server has begun to wait for the body, and then sends that.
async fn meanwhile(
    client: &Client<'_>,
    method: &str,
    path: &str,
    body: &'static str,
    done: impl Future<Output = ()>,
) -> Reply {
    let (waits, is_waited_for) = oneshot::channel();
    let (release, released) = oneshot::channel();
    let piece = async move {
        waits.send(()).unwrap();
        released.await.unwrap();
        Ok::<_, std::io::Error>(Bytes::from_static(body.as_bytes()))
    };
    let date = client.world.date();
    let authorization = client.key.authorization(method, path, &date, body.as_bytes());
    let call = client.world.call(method, path).raw(Body::from_stream(stream::once(piece)));
    let call = call.header("authorization", &authorization).header("x-onlive-site-date", &date);
    let acting = async {
        is_waited_for.await.unwrap();
        done.await;
        release.send(()).unwrap();
    };
    tokio::join!(Box::pin(call.send()), acting).0
}

#[tokio::test]
async fn a_key_that_is_revoked_meanwhile_writes_nothing() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let body = r#"{"name":"Late"}"#;
    let reply = meanwhile(&client, "POST", GROUPS, body, async {}).await;
    assert_eq!(reply.status, 201, "{reply}");
    let revoke = async {
        world.directory().credential_revoke(&world.acme, client.key.id).await.unwrap();
    };
    let reply = meanwhile(&client, "POST", GROUPS, body, revoke).await;
    assert_eq!(reply.status, 401, "{reply}");
    let other = Client::new(&world).await;
    assert_eq!(other.get(GROUPS).await.body["total"], 1);
}

#[tokio::test]
async fn a_request_that_is_too_old_when_it_is_whole_is_refused() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let wait = async { world.advance(std::time::Duration::from_secs(15 * 60 + 1)) };
    let reply = meanwhile(&client, "POST", GROUPS, r#"{"name":"Late"}"#, wait).await;
    assert_eq!(reply.status, 401, "{reply}");
}

#[tokio::test]
async fn a_deletion_answers_with_what_was_deleted() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    for (path, change) in [
        (client.group("Night").await, json!({"name": "Day", "externalId": "D"})),
        (client.user("ida@acme.example").await, json!({"firstName": "Eva", "role": "editor"})),
    ] {
        let mut last = Value::Null;
        let put = async { last = client.put(&path, change).await.body };
        let mut reply = Box::pin(meanwhile(&client, "DELETE", &path, "{}", put)).await;
        assert_eq!(reply.status, 200, "{reply}");
        reply.body.as_object_mut().unwrap().remove("deletedAt").unwrap();
        assert_eq!(reply.body, last);
    }
}

#[tokio::test]
async fn a_long_body_is_read_when_it_is_whole() {
    let world = World::new().await;
    let client = Client::new(&world).await;
    let avatar = format!("https://img.example.org/{}", "a".repeat(2000));
    let user = json!({
        "firstName": "Ida", "lastName": "Moro", "email": "ida@acme.example", "avatar": avatar,
        "unknown": "x".repeat(100_000)
    });
    assert_eq!(client.post(USERS, user).await.body["avatar"], avatar);
}
