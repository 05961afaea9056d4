//! Connections that are used again, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use muster_delivery::{Client, Limits, Settings};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Barrier;
use tokio::time::{sleep, timeout};

use crate::endpoint::{Endpoint, client, open, request, send, until_closed};

/// What an endpoint says in turn, all of which leaves the connection good.
const IN_TURN: [(&str, u16, &str); 4] = [
    ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none", 200, "one"),
    ("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n", 500, "two"),
    ("HTTP/1.1 302 There\r\nLocation: /\r\nContent-Length: 5\r\n\r\nthree", 302, "three"),
    ("HTTP/1.1 204 Nothing\r\n\r\n", 204, ""),
];

#[tokio::test]
async fn one_connection_carries_many_requests_each_with_its_answer() {
    let endpoint = Endpoint::new(|mut stream| async move {
        for (answer, ..) in IN_TURN.iter().cycle() {
            if request(&mut stream).await.is_none() {
                break;
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let client = client();
    for (_, status, excerpt) in IN_TURN.iter().cycle().take(12) {
        let answer = send(&client, &endpoint.url()).await.answer.unwrap();
        assert_eq!((answer.status, answer.excerpt.as_str(), answer.whole), (*status, *excerpt, true));
    }
    assert_eq!(endpoint.accepted(), 1);
}

#[tokio::test]
async fn who_wants_to_close_is_connected_to_anew() {
    let endpoint =
        Endpoint::ending("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    let client = client();
    for count in 1..=3 {
        assert_eq!(send(&client, &endpoint.url()).await.verdict, Ok(()));
        assert_eq!(endpoint.accepted(), count);
    }
}

/// Waits until a number is as wanted; a test that waits for more than this has failed.
async fn until(number: &AtomicUsize, wanted: usize) {
    let equal = async {
        while number.load(Ordering::SeqCst) != wanted {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), equal).await.unwrap();
}

/// Sends six requests at once, with these limits for what is kept, to an endpoint that counts the connections that are
/// open; the client is to be kept for as long as its connections.
async fn six_at_once(limits: Limits) -> (Client, Arc<AtomicUsize>) {
    let (together, open_now) = (Arc::new(Barrier::new(6)), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&open_now);
    let endpoint = Endpoint::new(move |mut stream| {
        let (together, count) = (Arc::clone(&together), Arc::clone(&count));
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            request(&mut stream).await;
            // None is answered before all are there, so each has a connection of its own.
            together.wait().await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            until_closed(&mut stream).await;
            count.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let client = Client::new(Settings { limits, ..open() }).unwrap();
    let sent: Vec<_> = (0..6)
        .map(|_| {
            let (client, url) = (client.clone(), endpoint.url());
            tokio::spawn(async move { send(&client, &url).await })
        })
        .collect();
    for outcome in sent {
        assert_eq!(outcome.await.unwrap().verdict, Ok(()));
    }
    assert_eq!(endpoint.accepted(), 6);
    (client, open_now)
}

#[tokio::test]
async fn few_connections_are_kept_for_a_host() {
    let limits = Limits { idle: Duration::from_hours(1), idle_per_host: 2, ..Limits::default() };
    let (_client, open_now) = six_at_once(limits).await;
    until(&open_now, 2).await;
}

#[tokio::test]
async fn a_connection_is_not_kept_for_ever() {
    let limits = Limits { idle: Duration::from_millis(100), idle_per_host: 6, ..Limits::default() };
    let (_client, open_now) = six_at_once(limits).await;
    until(&open_now, 0).await;
}
