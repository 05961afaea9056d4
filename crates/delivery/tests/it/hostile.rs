//! Endpoints that hold up, fill the memory, or speak nonsense.

use std::io;
use std::time::{Duration, SystemTime};

use muster_delivery::{Failure, Limits};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::endpoint::{Endpoint, call, client, hurried, request, send, until_closed};

const SHORT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let outcome = send(&client(), &url).await;
    assert_eq!(outcome.verdict, Err(Failure::Connect(io::ErrorKind::ConnectionRefused)));
}

#[tokio::test]
async fn no_answer_ends_at_the_limit_and_closes_the_connection() {
    let (closed, mut closings) = mpsc::unbounded_channel();
    let endpoint = Endpoint::new(move |mut stream| {
        let closed = closed.clone();
        async move {
            until_closed(&mut stream).await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let outcome = send(&hurried(SHORT), &endpoint.url()).await;
    assert_eq!(outcome.verdict, Err(Failure::Timeout));
    assert!(outcome.duration >= SHORT, "{:?}", outcome.duration);
    closings.recv().await.unwrap();
}

#[tokio::test]
async fn who_does_not_read_is_given_up() {
    let endpoint = Endpoint::new(|stream| async move {
        sleep(Duration::from_mins(1)).await;
        drop(stream);
    })
    .await;
    let large = call(&endpoint.url(), vec![b' '; 32 << 20]);
    let outcome = hurried(SHORT).send(large, SystemTime::UNIX_EPOCH).await;
    assert_eq!(outcome.verdict, Err(Failure::Timeout));
}

/// Says `first`, then `again` every few milliseconds for as long as anybody listens.
async fn dripping(first: &'static str, again: &'static str) -> Endpoint {
    Endpoint::new(move |mut stream| async move {
        request(&mut stream).await;
        let mut said = stream.write_all(first.as_bytes()).await;
        while said.is_ok() {
            sleep(Duration::from_millis(20)).await;
            said = stream.write_all(again.as_bytes()).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_header_that_drips_ends_at_the_limit() {
    for (first, again) in [("HTTP/1.1 200 OK\r\nX: ", "a"), ("", "HTTP/1.1 103 Early Hints\r\n\r\n")] {
        let outcome = send(&hurried(SHORT), &dripping(first, again).await.url()).await;
        assert_eq!(outcome.verdict, Err(Failure::Timeout), "{again}");
    }
}

#[tokio::test]
async fn a_body_that_drips_changes_no_verdict_but_ends_at_the_limit() {
    let endpoint = dripping("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nthanks", ".").await;
    // Long enough that the header is there by then, also on a machine that is busy.
    let limit = Duration::from_secs(3);
    let outcome = send(&hurried(limit), &endpoint.url()).await;
    assert_eq!(outcome.verdict, Ok(()));
    assert!(outcome.duration >= limit, "{:?}", outcome.duration);
    let answer = outcome.answer.unwrap();
    assert!(!answer.whole && answer.excerpt.starts_with("thanks"), "{answer:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inner = Endpoint::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    for status in [301, 302, 303, 307, 308] {
        let answer =
            format!("HTTP/1.1 {status} There\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", inner.url());
        let endpoint = Endpoint::saying(answer).await;
        let outcome = send(&client(), &endpoint.url()).await;
        assert_eq!(outcome.verdict, Err(Failure::Redirect), "{status}");
        assert_eq!(outcome.answer.unwrap().status, status);
    }
    assert_eq!(inner.accepted(), 0);
}

#[tokio::test]
async fn an_endless_answer_is_read_to_a_bound_and_closed() {
    let (ended, mut endings) = mpsc::unbounded_channel();
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let ended = ended.clone();
        let endpoint = Endpoint::new(move |mut stream| {
            let ended = ended.clone();
            async move {
                request(&mut stream).await;
                let mut said = stream.write_all(head.as_bytes()).await;
                // A chunk of 1000 bytes, or simply a text.
                let piece = format!("3e8\r\n{}\r\n", "a".repeat(1000));
                while said.is_ok() {
                    said = stream.write_all(piece.as_bytes()).await;
                }
                ended.send(()).unwrap();
            }
        })
        .await;
        let outcome = send(&client(), &endpoint.url()).await;
        assert_eq!(outcome.verdict, Ok(()));
        let answer = outcome.answer.unwrap();
        assert_eq!((answer.whole, answer.excerpt.len()), (false, 1024));
        // It is the bound that ended it, not the time.
        assert!(outcome.duration < Limits::default().total, "{:?}", outcome.duration);
        endings.recv().await.unwrap();
    }
}

#[tokio::test]
async fn a_compressed_answer_stays_as_it_is() {
    // A million zeros, as gzip (RFC 1952) has them.
    let head = *b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xed\xc1\x01\x01\0\0\0\x82\x20\xff\xaf\x6e\x48\x40\x01";
    let bomb = [&head[..], &[0; 968], b"\xaf\x06\x9e\xcb\x79\x12\x40\x42\x0f\0"].concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
    let endpoint = Endpoint::saying([head.into_bytes(), bomb.clone()].concat()).await;
    let answer = send(&client(), &endpoint.url()).await.answer.unwrap();
    assert_eq!(answer.excerpt, String::from_utf8_lossy(&bomb).replace('\0', "\u{fffd}"));
    assert!(answer.whole);
}

#[tokio::test]
async fn a_header_has_a_bound() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(40 << 10));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: a\r\n".repeat(101));
    let endless_reason = format!("HTTP/1.1 200 {}", "a".repeat(1 << 20));
    for answer in [long, many, endless_reason] {
        let endpoint = Endpoint::ending(answer).await;
        let outcome = send(&client(), &endpoint.url()).await;
        assert_eq!(outcome.verdict, Err(Failure::HeadTooLarge));
    }
    let fitting = format!("HTTP/1.1 204 OK\r\n{}X: {}\r\n\r\n", "X: a\r\n".repeat(99), "a".repeat(8000));
    let endpoint = Endpoint::ending(fitting).await;
    assert_eq!(send(&client(), &endpoint.url()).await.verdict, Ok(()));
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    for answer in [
        "nonsense\r\n\r\n",
        "\0\0\0\0\0\0\0\0\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 20000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "220 mail.example.org ESMTP\r\n",
    ] {
        let endpoint = Endpoint::saying(answer).await;
        let outcome = send(&client(), &endpoint.url()).await;
        assert_eq!(outcome.verdict, Err(Failure::BrokenAnswer), "{answer:?}");
        assert_eq!(outcome.answer, None);
    }
}

#[tokio::test]
async fn closing_early_is_told_apart() {
    let at_once = Endpoint::new(|stream| async move { drop(stream) }).await;
    assert_eq!(send(&client(), &at_once.url()).await.verdict, Err(Failure::Closed));
    for answer in ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-"] {
        let endpoint = Endpoint::ending(answer).await;
        assert_eq!(send(&client(), &endpoint.url()).await.verdict, Err(Failure::Closed), "{answer:?}");
    }
    for answer in [
        "HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ] {
        let endpoint = Endpoint::ending(answer).await;
        let outcome = send(&client(), &endpoint.url()).await;
        assert_eq!(outcome.verdict, Err(Failure::Status), "{answer:?}");
        let answer = outcome.answer.unwrap();
        assert_eq!((answer.status, answer.excerpt.as_str(), answer.whole), (500, "half", false));
    }
}
