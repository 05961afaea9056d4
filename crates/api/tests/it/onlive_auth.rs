//! Who gets in over the Onlive dialect: signatures, dates, odd queries, bodies.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use muster_api::Settings;
use serde_json::json;

use crate::signing::{AccessKey, date};
use crate::support::{Call, World};

const USERS: &str = "/api/v1/users";

/// A call with the headers that are right for another one.
fn with_headers_of<'a>(
    call: Call<'a>,
    world: &World,
    key: &AccessKey,
    method: &str,
    target: &str,
    body: &[u8],
) -> Call<'a> {
    let authorization = key.authorization(method, target, &world.date(), body);
    call.header("authorization", &authorization).header("x-onlive-site-date", &world.date())
}

#[tokio::test]
async fn a_signed_request_gets_in_and_its_use_is_noted() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    insta::assert_snapshot!(world.get("/api/v1/users?limit=1").signed(&key).send().await);
    // The vendor's samples name a content type on calls without a body.
    let call = world.get(USERS).header("content-type", "application/json");
    assert_eq!(call.signed(&key).send().await.status, 200);
    world.settle().await;
    let all = world.directory().credential_list(&world.acme).await.unwrap();
    let noted = all.iter().find(|credential| credential.id == key.id).unwrap();
    assert_eq!(noted.last_used_at, Some(world.directory().now()));
}

#[tokio::test]
async fn the_header_is_taken_with_blanks_and_either_sign() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    let right = key.authorization("GET", USERS, &world.date(), b"");
    let send = async |authorization: &str| {
        let call = world.get(USERS).header("x-onlive-site-date", &world.date());
        call.header("authorization", authorization).send().await.status.as_u16()
    };
    for (authorization, status) in [
        (right.clone(), 200),
        (right.replace("Credential:", "Credential="), 200),
        (right.replace("Credential:", "Credential: "), 200),
        (right.replace(", Signature=", " ,  Signature = "), 200),
        (right.replace(", ", ","), 200),
        (right.replace("ONLIVESITE", "onlivesite"), 200),
        (right.replace(", ", " "), 401),
        (right.replace("ONLIVESITE ", ""), 401),
        (right.replace("Signature=", "Signature=0"), 401),
        (right.replace("Signature=", "Sig="), 401),
        (right[..right.len() - 1].to_owned(), 401),
        (right.split("Signature=").next().unwrap().to_owned(), 401),
        (format!("{}{}", &right[..right.len() - 64], right[right.len() - 64..].to_uppercase()), 401),
        (String::new(), 401),
    ] {
        assert_eq!(send(&authorization).await, status, "{authorization}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_gets_the_same_answer() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    insta::assert_snapshot!(world.get(USERS).send().await);
    let expected = json!({"statusCode": 401, "message": "Invalid or missing authorization credentials"});
    let body = json!({"firstName": "Ida", "lastName": "Moro", "email": "ida@acme.example"});
    let bytes = body.to_string().into_bytes();
    let other = body.to_string().replace("Ida", "Eva");
    let post = || world.post(USERS, body.clone());
    let of = |call, method, target, body: &[u8]| with_headers_of(call, &world, &key, method, target, body);
    let before = world.journal().await;
    for call in [
        // Another method, path, query or body than the one that is signed.
        of(post(), "GET", USERS, &bytes),
        of(post(), "post", USERS, &bytes),
        of(post(), "POST", "/api/v1/users/", &bytes),
        of(post(), "POST", "/api/v1/%75sers", &bytes),
        of(post(), "POST", "/api/v1/users?page=1", &bytes),
        of(post(), "POST", USERS, b""),
        of(post(), "POST", USERS, other.as_bytes()),
        of(post(), "POST", USERS, &[&bytes[..], b" "].concat()),
        of(world.call("POST", USERS), "POST", USERS, &bytes),
        of(world.get("/api/v1/users?limit=2"), "GET", "/api/v1/users?limit=20", b""),
        of(world.get(USERS).raw("{}"), "GET", USERS, b""),
        // Another date, or none.
        post().header("authorization", &key.authorization("POST", USERS, &world.date(), &bytes)),
        post()
            .header("authorization", &key.authorization("POST", USERS, "20260203T040506Z", &bytes))
            .header("x-onlive-site-date", "20260203T040507Z"),
    ] {
        let reply = call.send().await;
        assert_eq!((reply.status.as_u16(), &reply.body), (401, &expected), "{reply}");
    }
    assert_eq!(world.journal().await, before);
    assert_eq!(of(post(), "POST", USERS, &bytes).send().await.status, 201);
}

#[tokio::test]
async fn a_date_counts_for_a_quarter_of_an_hour_both_ways() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    let now = world.directory().now();
    let send = async |date: &str| {
        let authorization = key.authorization("GET", USERS, date, b"");
        let call = world.get(USERS).header("authorization", &authorization);
        call.header("x-onlive-site-date", date).send().await.status.as_u16()
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (date, status) in [
        (date(now.plus(minutes(15))), 200),
        (date(now.plus(minutes(15) + Duration::from_secs(1))), 401),
        (date(now.minus(Duration::from_secs(14 * 60 + 59))), 200),
        (date(now.minus(minutes(15) + Duration::from_secs(1))), 401),
        (now.seconds().to_string(), 401),
        (now.0.to_string(), 401),
        ("20260230T000000Z".to_owned(), 401),
    ] {
        assert_eq!(send(&date).await, status, "{date}");
    }
    let authorization = key.authorization("GET", USERS, &world.date(), b"");
    let call = || world.get(USERS).header("authorization", &authorization);
    let date = world.date();
    // A request can come twice, but not for ever.
    for (pause, status) in [(0, 200), (14, 200), (2, 401)] {
        world.advance(minutes(pause));
        assert_eq!(call().header("x-onlive-site-date", &date).send().await.status, status);
    }
}

#[tokio::test]
async fn odd_queries_are_signed_as_they_are_read() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    world.user("night@acme.example", muster_domain::user::Role::Standard, 1001).await;
    for (query, status) in [
        ("?search=ada+lee", 200),
        ("?search=ada%20lee", 200),
        ("?search=ad%61%20lee", 200),
        ("?page=1&limit=5&search=", 200),
        ("?search", 200),
        ("?", 200),
        ("?&&", 200),
        ("?limit=5&limit=500", 200),
        ("?limit=500&limit=5", 200),
        ("?limit=500&limit=600", 400),
        ("?z=%7e&a=%2B&=&b", 200),
        ("?q=%C3%A4&Q=%25", 200),
    ] {
        let reply = world.get(&format!("{USERS}{query}")).signed(&key).send().await;
        assert_eq!(reply.status, status, "{query}: {reply}");
    }
    // One form signs them all.
    for query in ["?search=ada+lee&limit=5", "?limit=5&search=ada%20lee", "?&limit=%35&search=%61da%20lee"] {
        let call = world.get(&format!("{USERS}{query}"));
        let target = format!("{USERS}?limit=5&search=ada%20lee");
        let reply = with_headers_of(call, &world, &key, "GET", &target, b"").send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["total"]), (200, &json!(2)), "{query}: {reply}");
    }
    // Of a repeated name the same counts in whatever order it is sent, for the signature does not tell it.
    for query in ["?limit=1&limit=2", "?limit=2&limit=1"] {
        let call = world.get(&format!("{USERS}{query}"));
        let target = format!("{USERS}?limit=1&limit=2");
        let reply = with_headers_of(call, &world, &key, "GET", &target, b"").send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["limit"]), (200, &json!(1)), "{query}");
    }
    // A value of a repeated name cannot be taken away or moved to another.
    let target = format!("{USERS}?search=a&search=b");
    for query in ["?search=a", "?search=b", "?search=ab", "?search=a&search=b&search=b"] {
        let call = world.get(&format!("{USERS}{query}"));
        assert_eq!(
            with_headers_of(call, &world, &key, "GET", &target, b"").send().await.status,
            401,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_told_to_whoever_names_a_key() {
    let world = World::with(Settings { max_body: 1000, ..Settings::default() }).await;
    let key = world.access_key(&world.acme).await;
    let unknown = AccessKey { name: "OL1-0000000000000000".to_owned(), ..key.clone() };
    let long = vec![b' '; 1001];
    let streamed = || {
        let chunk = || Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 600]));
        let chunks = [chunk(), chunk()];
        Body::from_stream(stream::iter(chunks))
    };
    let mut replies = Vec::new();
    for key in [&key, &unknown] {
        let whole = world.call("POST", USERS).raw(long.clone());
        replies.push(with_headers_of(whole, &world, key, "POST", USERS, &long).send().await);
        let in_pieces = world.call("POST", USERS).raw(streamed());
        replies.push(with_headers_of(in_pieces, &world, key, "POST", USERS, &long).send().await);
    }
    insta::assert_snapshot!(replies[0]);
    for reply in &replies {
        assert_eq!((reply.status.as_u16(), &reply.body), (413, &replies[0].body));
    }
    assert_eq!(world.call("POST", USERS).raw(long).send().await.status, 401);
    let call = world.call("POST", USERS).raw(vec![b' '; 1000]).signed(&key);
    assert_eq!(call.send().await.status, 400);
    let call = world.call("POST", USERS).raw(vec![b' '; 1000]).signed(&unknown);
    assert_eq!(call.send().await.status, 401);
}

#[tokio::test]
async fn nobody_of_a_tenant_that_is_disabled_or_deleted_gets_in() {
    let world = World::new().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let key = world.access_key(&other).await;
    let missing = world.get(USERS).send().await.body;
    world.directory().tenant_disable(other.tenant()).await.unwrap();
    let reply = world.get(USERS).signed(&key).send().await;
    assert_eq!((reply.status.as_u16(), &reply.body), (401, &missing));
    world.directory().tenant_enable(other.tenant()).await.unwrap();
    assert_eq!(world.get(USERS).signed(&key).send().await.status, 200);
    world.directory().tenant_delete(other.tenant(), |_| ()).await.unwrap();
    assert_eq!(world.get(USERS).signed(&key).send().await.body, missing);
}

#[tokio::test]
async fn ids_in_paths_are_uuids() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    insta::assert_snapshot!(world.get("/api/v1/users/71").signed(&key).send().await);
    let id = "550e8400-e29b-41d4-a716-446655440000";
    insta::assert_snapshot!(world.get(&format!("{USERS}/{id}")).signed(&key).send().await);
    let simple = id.replace('-', "");
    for wrong in ["x", &simple, &format!("%7B{id}%7D"), &format!("{id}0"), "%00", "%ff", "-1"] {
        for method in ["GET", "PUT", "DELETE"] {
            let call = world.call(method, &format!("{USERS}/{wrong}")).signed(&key);
            let reply = call.send().await;
            assert_eq!(
                (reply.status.as_u16(), reply.fields()),
                (400, vec!["id"]),
                "{method} {wrong}: {reply}"
            );
        }
    }
    assert_eq!(world.get(&format!("{USERS}/{}", id.to_uppercase())).signed(&key).send().await.status, 404);
    assert_eq!(world.get("/api/v1/users/71").send().await.status, 401);
}

#[tokio::test]
async fn unknown_paths_and_methods_get_the_dialects_failures() {
    let world = World::new().await;
    insta::assert_snapshot!(world.get("/api/v1/nothing").send().await);
    insta::assert_snapshot!(world.call("PATCH", USERS).send().await);
    for path in ["/api/v1", "/api/v1/", "/api/v1/users/1/2", "/api/v1/user"] {
        let reply = world.get(path).send().await;
        assert_eq!(reply.body, json!({"statusCode": 404, "message": "Not Found"}), "{path}");
    }
    for path in ["/api", "/api/v2/users", "/api/v11"] {
        assert_eq!(world.get(path).send().await.body, json!({"error": "Not Found"}), "{path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_collection_says_the_same() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    let plain = world.get(USERS).signed(&key).send().await;
    let slash = world.get("/api/v1/users/").signed(&key).send().await;
    assert_eq!((slash.status.as_u16(), &slash.body), (200, &plain.body));
    let body = json!({"firstName": "Ida", "lastName": "Moro", "email": "ida@acme.example"});
    assert_eq!(world.post("/api/v1/users/", body).signed(&key).send().await.status, 201);
}

#[tokio::test]
async fn a_head_is_signed_as_one() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    let reply = world.call("HEAD", USERS).signed(&key).send().await;
    assert_eq!((reply.status.as_u16(), reply.body.is_null()), (200, true));
    let call = world.call("HEAD", USERS);
    assert_eq!(with_headers_of(call, &world, &key, "GET", USERS, b"").send().await.status, 401);
}

#[tokio::test]
async fn bodies_are_json_objects() {
    let world = World::new().await;
    let key = world.access_key(&world.acme).await;
    let send = async |body: &'static [u8], kind: &str| {
        let call = world.call("POST", USERS).raw(body).header("content-type", kind);
        call.signed(&key).send().await
    };
    insta::assert_snapshot!(send(b"{", "application/json").await);
    insta::assert_snapshot!(send(b"{}", "text/plain").await);
    for body in [&b""[..], b"[]", b"null", b"\"x\"", b"{\"a\":\"\xff\"}", b"{} {}"] {
        assert_eq!(send(body, "application/json").await.status, 400, "{}", String::from_utf8_lossy(body));
    }
    // Whoever is unknown does not learn what is wrong with a body.
    let call = world.call("POST", USERS).raw("{").header("content-type", "text/plain");
    assert_eq!(call.send().await.status, 401);
}
