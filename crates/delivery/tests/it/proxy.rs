//! Going through a proxy.

use std::net::SocketAddr;

use muster_delivery::{Client, Failure, Policy, Settings, TargetFault};
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::endpoint::{Endpoint, request, send};
use crate::tls::Authority;

/// Through this proxy, with the strict policy but for `http`.
fn through(proxy: SocketAddr) -> Settings {
    Settings {
        policy: Policy { allowed: Vec::new(), plain_http: true },
        proxy: Some(format!("http://{proxy}").parse().unwrap()),
        ..Settings::default()
    }
}

/// A proxy that opens every way to the same `endpoint`, and tells which it was asked for.
async fn leading_to(endpoint: SocketAddr) -> (Endpoint, UnboundedReceiver<String>) {
    let (asked, requests) = unbounded_channel();
    let proxy = Endpoint::new(move |mut stream| {
        let asked = asked.clone();
        async move {
            asked.send(request(&mut stream).await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n").await.unwrap();
            let mut inner = TcpStream::connect(endpoint).await.unwrap();
            // Either side may end it.
            let _ = copy_bidirectional(&mut stream, &mut inner).await;
        }
    })
    .await;
    (proxy, requests)
}

#[tokio::test]
async fn a_secure_endpoint_is_reached_by_connect() {
    let authority = Authority::new("known");
    let endpoint = authority.endpoint("hook.example", false).await;
    let (proxy, mut requests) = leading_to(endpoint.address).await;
    let client = authority.trusted(through(proxy.address));
    for _ in 0..2 {
        assert_eq!(send(&client, "https://hook.example/a").await.verdict, Ok(()));
    }
    let asked = requests.recv().await.unwrap();
    assert!(asked.starts_with("CONNECT hook.example:443 HTTP/1.1\r\nHost: hook.example:443\r\n"), "{asked}");
    assert_eq!((proxy.accepted(), endpoint.accepted()), (1, 1));
    // A certificate has no full stop at the end of its name.
    assert_eq!(send(&client, "https://hook.example./").await.verdict, Ok(()));
    // The proxy cannot pass for the endpoint.
    let outcome = send(&client, "https://other.example/").await;
    assert!(matches!(outcome.verdict, Err(Failure::Tls(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_plain_endpoint_is_reached_by_a_request_with_its_whole_url() {
    let (asked, mut requests) = unbounded_channel();
    let proxy = Endpoint::new(move |mut stream| {
        let asked = asked.clone();
        async move {
            asked.send(request(&mut stream).await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let client = Client::new(through(proxy.address)).unwrap();
    assert_eq!(send(&client, "http://hook.example:8080/a?b").await.verdict, Ok(()));
    let asked = requests.recv().await.unwrap();
    assert!(asked.starts_with("POST http://hook.example:8080/a?b HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nhost: hook.example:8080\r\n"), "{asked}");
}

#[tokio::test]
async fn private_addresses_are_refused_before_the_proxy_is_asked() {
    let proxy = Endpoint::saying("HTTP/1.1 200 OK\r\n\r\n").await;
    let client = Client::new(through(proxy.address)).unwrap();
    for url in
        ["https://127.0.0.1/", "https://169.254.169.254/", "http://[::ffff:10.0.0.1]/", "http://0x7f.1/"]
    {
        assert_eq!(send(&client, url).await.verdict, Err(Failure::Target(TargetFault::Address)), "{url}");
    }
    assert_eq!(proxy.accepted(), 0);
}

#[tokio::test]
async fn a_proxy_that_opens_no_way_is_told_apart() {
    for answer in ["HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP/1.1 407 Who?\r\n\r\n", "nonsense\r\n\r\n", ""] {
        let proxy = Endpoint::ending(answer).await;
        let client = Client::new(through(proxy.address)).unwrap();
        assert_eq!(send(&client, "https://hook.example/").await.verdict, Err(Failure::Proxy), "{answer:?}");
        assert_eq!(proxy.accepted(), 1);
    }
    // A header that has no end, from a proxy that does not close.
    let proxy = Endpoint::saying(format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(9 << 10))).await;
    let client = Client::new(through(proxy.address)).unwrap();
    assert_eq!(send(&client, "https://hook.example/").await.verdict, Err(Failure::Proxy));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(through(listener.local_addr().unwrap())).unwrap();
    drop(listener);
    assert_eq!(send(&client, "https://hook.example/").await.verdict, Err(Failure::Proxy));
}
