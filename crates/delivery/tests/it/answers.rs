//! What a request looks like, and what is made of each kind of answer.

use std::time::Duration;

use http::header;
use muster_delivery::Failure;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::endpoint::{Endpoint, call, client, request, send};

#[tokio::test]
async fn a_request_has_what_was_given_and_what_belongs_to_it() {
    let (heard, mut requests) = mpsc::unbounded_channel();
    let endpoint = Endpoint::new(move |mut stream| {
        let heard = heard.clone();
        async move {
            heard.send(request(&mut stream).await).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    })
    .await;
    let mut message = call(&format!("http://{}/a%20b?c=%64", endpoint.address), r#"{"type":"user.created"}"#);
    for name in
        [header::HOST, header::ACCEPT_ENCODING, header::TRANSFER_ENCODING, header::EXPECT, header::USER_AGENT]
    {
        message.headers.insert(name, "chunked".parse().unwrap());
    }
    message.headers.insert("webhook-id", "msg_1".parse().unwrap());
    let outcome = client().send(message, std::time::SystemTime::UNIX_EPOCH).await;
    assert_eq!(outcome.verdict, Ok(()));
    let sent = requests.recv().await.unwrap().unwrap();
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /a%20b?c=%64 HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: {}", endpoint.address);
    let agent = concat!("user-agent: Muster/", env!("CARGO_PKG_VERSION"));
    let expected =
        ["content-length: 23", "content-type: application/json", &host, agent, "webhook-id: msg_1"];
    assert_eq!(lines, expected);
    assert_eq!(body, r#"{"type":"user.created"}"#);
}

#[tokio::test]
async fn the_status_decides() {
    let client = client();
    for (status, verdict) in [
        (200, Ok(())),
        (202, Ok(())),
        (204, Ok(())),
        (299, Ok(())),
        (300, Err(Failure::Redirect)),
        (304, Err(Failure::Redirect)),
        (400, Err(Failure::Status)),
        (410, Err(Failure::Status)),
        (500, Err(Failure::Status)),
        (599, Err(Failure::Status)),
        (999, Err(Failure::Status)),
    ] {
        let endpoint = Endpoint::ending(format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n")).await;
        let outcome = send(&client, &endpoint.url()).await;
        assert_eq!(outcome.verdict, verdict, "{status}");
        assert_eq!(outcome.answer.unwrap().status, status);
    }
}

#[tokio::test]
async fn the_beginning_of_an_answer_is_kept_as_text() {
    let client = client();
    for (body, excerpt) in [
        (b"thanks".to_vec(), "thanks".to_owned()),
        (b"".to_vec(), String::new()),
        (b"a\0b\xffc".to_vec(), "a\u{fffd}b\u{fffd}c".to_owned()),
        (vec![b'x'; 5000], "x".repeat(1024)),
    ] {
        let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        answer.extend(body);
        let endpoint = Endpoint::ending(answer).await;
        let answer = send(&client, &endpoint.url()).await.answer.unwrap();
        assert_eq!(answer.excerpt, excerpt);
        assert!(answer.whole);
    }
}

#[tokio::test]
async fn an_endpoint_can_ask_for_a_wait() {
    for (value, wait) in [
        ("120", Duration::from_mins(2)),
        ("9999999", Duration::from_hours(24)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Duration::ZERO),
    ] {
        let answer = format!("HTTP/1.1 503 No\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        let endpoint = Endpoint::ending(answer).await;
        let outcome = send(&client(), &endpoint.url()).await;
        assert_eq!(outcome.answer.unwrap().retry_after, Some(wait), "{value}");
    }
}
