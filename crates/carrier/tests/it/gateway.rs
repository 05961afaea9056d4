//! Gateways that are asked over HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use muster_carrier::http::CallbackFault;
use muster_carrier::{Event, Failed, Outgoing, Reason, State};
use muster_delivery::{SigningSecret, signed_headers};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::world::{World, short, sources};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A listener that answers each request in the same way.
struct Gateway {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    /// Answers with these bytes, after this time; nothing is to close the connection.
    async fn new(answer: &str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), answer.to_owned());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), answer.clone());
                tokio::spawn(async move {
                    while let Some(request) = request(&mut stream).await {
                        seen.lock().unwrap().push(request);
                        sleep(delay).await;
                        if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { port, requests }
    }

    async fn saying(status: u16, body: &str) -> Self {
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        Self::new(&answer, Duration::ZERO).await
    }

    fn world(&self, settings: &str) -> World {
        let port = self.port;
        World::new(&format!("kind = \"http\"\nurl = \"http://127.0.0.1:{port}/send?to={{to}}\"\n{settings}"))
    }
}

async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn a_message_becomes_a_request() {
    let gateway = Gateway::saying(201, r#"{"messages":[{"id":42}]}"#).await;
    let world = gateway.world(
        r#"
        headers = { Authorization = "Bearer s3cret" }
        body = '{"to":"{to}","text":"{text}","parts":"{parts}"}'
        message_id = "/messages/0/id"
        idempotent = true
        "#,
    );
    assert!(world.carrier.recognises_repeats());
    let message = Outgoing { text: "a \"quoted\" text".to_owned(), ..short("+491512345678") };
    assert_eq!(world.submit(message).await.unwrap().ids, [Some("42".to_owned())]);
    let request = gateway.requests.lock().unwrap().pop().unwrap();
    for line in [
        "POST /send?to=%2B491512345678 HTTP/1.1\r\n",
        "authorization: Bearer s3cret\r\n",
        "idempotency-key: m-1\r\n",
        "content-type: application/json\r\n",
        "\r\n\r\n{\"to\":\"+491512345678\",\"text\":\"a \\\"quoted\\\" text\",\"parts\":1}",
    ] {
        assert!(request.contains(line), "{line:?} is not in {request}");
    }
    assert!(!format!("{:?}", world.carriers.http("main")).contains("s3cret"));
}

#[tokio::test]
async fn a_form_and_another_method() {
    let gateway = Gateway::saying(200, "OK").await;
    let world = gateway.world("method = \"PUT\"\nformat = \"form\"\nbody = \"n={to_digits}&t={text}\"");
    let message = Outgoing { text: "a=b&c".to_owned(), ..short("+491512345678") };
    // Who is not said to name ids names none.
    assert_eq!(world.submit(message).await.unwrap().ids, [None]);
    let request = gateway.requests.lock().unwrap().pop().unwrap();
    assert!(request.starts_with("PUT /send"), "{request}");
    assert!(request.ends_with("\r\n\r\nn=491512345678&t=a%3Db%26c"), "{request}");
}

#[tokio::test]
async fn statuses_have_their_meanings() {
    let name = |failed: Failed| match failed {
        Failed::Refused { reason: Reason::Blocked, .. } => "blocked",
        Failed::Refused { .. } => "refused",
        Failed::Throttled { .. } => "throttled",
        Failed::Unavailable(_) => "unavailable",
        Failed::Unknown { .. } => "unknown",
    };
    for (status, settings, expected) in [
        (400, "", "refused"),
        (404, "", "refused"),
        (401, "", "unavailable"),
        (301, "", "unavailable"),
        (302, "", "unknown"),
        (303, "", "unknown"),
        (409, "", "refused"),
        (409, "idempotent = true", "throttled"),
        (200, "message_id = \"/id\"", "unknown"),
        (429, "", "throttled"),
        (503, "", "unavailable"),
        (500, "", "unknown"),
        (502, "", "unknown"),
        (403, "statuses = { blocked = [403] }", "blocked"),
        (202, "statuses = { refused = [202] }", "refused"),
        (500, "statuses = { unavailable = [500] }", "unavailable"),
        (402, "statuses = { throttled = [402] }", "throttled"),
    ] {
        let gateway = Gateway::saying(status, "{}").await;
        let failed = gateway.world(settings).submit(short("+491512345678")).await.unwrap_err();
        assert_eq!(name(failed), expected, "{status} {settings}");
    }
    let gateway =
        Gateway::new("HTTP/1.1 429 X\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", Duration::ZERO).await;
    let failed = gateway.world("").submit(short("+491512345678")).await.unwrap_err();
    assert_eq!(failed, Failed::Throttled { after: Duration::from_secs(7) });
}

#[tokio::test]
async fn what_was_sent_and_not_answered_is_unknown() {
    // Nobody listens: for certain nothing was handed over.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Gateway { port: listener.local_addr().unwrap().port(), requests: Arc::default() };
    drop(listener);
    let failed = gateway.world("").submit(short("+491512345678")).await.unwrap_err();
    assert!(matches!(failed, Failed::Unavailable(_)), "{failed:?}");
    for (answer, delay) in [("", 0), ("no HTTP at all\r\n\r\n", 0), ("", 10)] {
        let gateway = Gateway::new(answer, Duration::from_secs(delay)).await;
        let failed = gateway.world("").submit(short("+491512345678")).await.unwrap_err();
        assert!(matches!(failed, Failed::Unknown { .. }), "{failed:?}");
    }
}

#[tokio::test]
async fn an_address_that_may_not_be_called_is_not() {
    let world = World::new("kind = \"http\"\nurl = \"http://10.0.0.1/send\"");
    let failed = world.submit(short("+491512345678")).await.unwrap_err();
    assert!(matches!(failed, Failed::Unavailable(_)), "{failed:?}");
}

#[tokio::test]
async fn the_gateway_is_answered_when_all_is_stored() {
    let gateway = Gateway::saying(200, "{}").await;
    let mut world = gateway.world(&format!("callback = {{ secrets = [\"{SECRET}\"] }}"));
    let http = Arc::clone(world.carriers.http("main").unwrap());
    let body = br#"[{"id":"a","state":"delivered"},{"id":"b","state":"expired"}]"#;
    let seconds = sources().clock.now().0 / 1_000_000;
    let secrets = [SigningSecret::parse(SECRET).unwrap()];
    let headers = signed_headers("msg_1", seconds, body, &secrets).unwrap();
    let store = async {
        for state in [State::Delivered, State::Expired] {
            let Event::Receipt(receipt) = world.event().await else { panic!("it is no receipt") };
            assert_eq!(receipt.state, state);
        }
    };
    let (received, ()) = tokio::join!(http.receive(&headers, body), store);
    assert_eq!(received, Ok(()));
    // One of them is not stored: it is to come again.
    let store = async {
        world.event().await;
        drop(world.report().await);
    };
    let (received, ()) = tokio::join!(http.receive(&headers, body), store);
    assert_eq!(received, Err(CallbackFault::NotStored));
    assert_eq!(received.unwrap_err().status(), 503);
    assert_eq!(http.receive(&HeaderMap::new(), body).await.unwrap_err().status(), 401);
    world.carriers.close().await;
    assert!(matches!(world.submit(short("+491512345678")).await, Err(Failed::Unavailable(_))));
    let silent = gateway.world("");
    let http = silent.carriers.http("main").unwrap();
    assert_eq!(http.receive(&headers, body).await, Err(CallbackFault::NotConfigured));
}

#[tokio::test]
async fn a_message_that_is_still_worked_at_makes_no_pause_for_others() {
    let gateway = Gateway::saying(409, "{}").await;
    let world = gateway.world("idempotent = true\nqueue_timeout_ms = 1");
    for _ in 0..10 {
        let failed = world.submit(short("+491512345678")).await.unwrap_err();
        assert_eq!(failed, Failed::Throttled { after: Duration::from_secs(1) });
    }
    assert_eq!(gateway.requests.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn closing_waits_for_answers() {
    let answer = "HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n";
    let gateway = Gateway::new(answer, Duration::from_millis(500)).await;
    let world = gateway.world("");
    let close = async {
        while gateway.requests.lock().unwrap().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
        let begun = Instant::now();
        world.carriers.close().await;
        assert!(matches!(world.submit(short("+491512345678")).await, Err(Failed::Unavailable(_))));
        begun.elapsed()
    };
    let (handed_over, took) = tokio::join!(world.submit(short("+491512345678")), close);
    handed_over.unwrap();
    assert!(took >= Duration::from_millis(200), "{took:?}");
}
