//! What is not called.

use muster_delivery::{Client, Failure, Policy, Settings, TargetFault};

use crate::endpoint::{Endpoint, client, send};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// `http` may be called, but no address of this machine.
fn guarded() -> Client {
    let policy = Policy { allowed: Vec::new(), plain_http: true };
    Client::new(Settings { policy, ..Settings::default() }).unwrap()
}

#[tokio::test]
async fn a_name_of_a_private_address_is_refused_by_what_it_stands_for() {
    let endpoint = Endpoint::saying(OK).await;
    let port = endpoint.address.port();
    for host in ["localhost", "LOCALHOST"] {
        let outcome = send(&guarded(), &format!("http://{host}:{port}/")).await;
        assert_eq!(outcome.verdict, Err(Failure::RefusedAddress), "{host}");
        assert_eq!(outcome.answer, None);
    }
    assert_eq!(endpoint.accepted(), 0);
    // The same name is called as soon as its address is allowed.
    let outcome = send(&client(), &format!("http://localhost:{port}/")).await;
    assert_eq!(outcome.verdict, Ok(()));
    assert_eq!(endpoint.accepted(), 1);
}

#[tokio::test]
async fn a_private_address_is_refused_in_every_spelling() {
    let endpoint = Endpoint::saying(OK).await;
    let port = endpoint.address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0x1",
        "0177.0.0.01",
        "017700000001",
        "0",
        "\u{ff11}27.0.0.1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::127.0.0.1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
    ] {
        let outcome = send(&guarded(), &format!("http://{host}:{port}/")).await;
        assert_eq!(outcome.verdict, Err(Failure::Target(TargetFault::Address)), "{host}");
    }
    assert_eq!(endpoint.accepted(), 0);
    // These do reach it when nobody guards them.
    for host in ["127.1", "2130706433", "0x7f.0x1", "017700000001", "[::ffff:7f00:1]"] {
        let outcome = send(&client(), &format!("http://{host}:{port}/")).await;
        assert_eq!(outcome.verdict, Ok(()), "{host}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_says_so() {
    let outcome = send(&client(), "https://nowhere.invalid/").await;
    assert_eq!(outcome.verdict, Err(Failure::Unresolvable));
}

#[tokio::test]
async fn a_url_is_read_with_the_settings_of_now() {
    let outcome = send(&Client::new(Settings::default()).unwrap(), "http://example.org/").await;
    assert_eq!(outcome.verdict, Err(Failure::Target(TargetFault::PlainHttp)));
}
