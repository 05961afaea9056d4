//! Endpoints: listeners that do with a connection whatever a test wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use muster_delivery::{Call, Client, Limits, Outcome, Policy, Settings};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A listener on a free port of the loopback; it ends with the test's runtime.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Endpoint {
    /// Hands each connection to `serve`.
    pub(crate) async fn new<F, S>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, accepted }
    }

    /// Reads a request, says `answer`, and goes on so until the client closes.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::new(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                while request(&mut stream).await.is_some() {
                    if stream.write_all(&answer).await.is_err() {
                        break;
                    }
                }
            }
        })
        .await
    }

    /// Reads a request, says `answer` and closes.
    pub(crate) async fn ending(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::new(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                request(&mut stream).await;
                // The client may have heard enough.
                let _ = stream.write_all(&answer).await;
            }
        })
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// How many connections came.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// One request as it was sent, or `None` when the client closed.
pub(crate) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
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

/// Reads until the client closes.
pub(crate) async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut bytes = vec![0; 16 * 1024];
    while stream.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
}

/// Settings that let the loopback be called, and `http`.
pub(crate) fn open() -> Settings {
    let allowed = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    Settings { policy: Policy { allowed, plain_http: true }, ..Settings::default() }
}

/// The same with this much time for a request.
pub(crate) fn hurried(total: Duration) -> Client {
    Client::new(Settings { limits: Limits { total, ..Limits::default() }, ..open() }).unwrap()
}

pub(crate) fn client() -> Client {
    Client::new(open()).unwrap()
}

pub(crate) fn call(url: &str, body: impl Into<Bytes>) -> Call {
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
    Call { url: url.to_owned(), headers, body: body.into() }
}

/// Sends a small message at a fixed time of day: 1994-11-06T08:49:37Z.
pub(crate) async fn send(client: &Client, url: &str) -> Outcome {
    client.send(call(url, "{}"), SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)).await
}
