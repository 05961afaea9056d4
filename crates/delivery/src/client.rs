//! Sending one request.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use muster_domain::webhook::{ATTEMPT, delivery_limits};
use tokio::time::{Instant, timeout_at};

use crate::answer::{MAX_READ, Reply};
use crate::connect::Connector;
use crate::lookup::Lookup;
use crate::{Failure, Outcome, Policy, Proxy, Target, answer, tls};

const AGENT: &str = concat!("Muster/", env!("CARGO_PKG_VERSION"));
/// How large the header of an answer may be, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How many fields it may have.
const MAX_FIELDS: usize = 100;

/// The header fields that are the connection's (RFC 9110, sections 7.6.1 and 7.2; RFC 9112, section 6), and those that
/// would ask for an answer that is not read: a compressed or a piecewise one.
const NOT_FROM_CALLERS: [HeaderName; 12] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
    header::ACCEPT_ENCODING,
    header::RANGE,
    header::USER_AGENT,
];

/// What the operator decides about calling endpoints.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub policy: Policy,
    /// A PEM file with the only root certificates to trust; else the system's.
    pub roots: Option<PathBuf>,
    pub proxy: Option<Proxy>,
    pub limits: Limits,
}

/// How long a request may take, and what is kept of it afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For look-up, connection, TLS, sending and the answer together.
    pub total: Duration,
    /// Of that, for the look-up.
    pub lookup: Duration,
    /// Of that, for the TCP connection, to whatever number of addresses.
    pub connect: Duration,
    /// How long a connection is kept for the next request.
    pub idle: Duration,
    /// How many such are kept for each host and port.
    pub idle_per_host: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: ATTEMPT,
            lookup: Duration::from_secs(5),
            connect: Duration::from_secs(8),
            idle: Duration::from_secs(30),
            idle_per_host: 16,
        }
    }
}

/// The settings cannot be used: the root certificates cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("root certificates for webhooks: {0}")]
pub struct SetupError(String);

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// As the user gave it; it is read with the settings of now.
    pub url: String,
    /// `Content-Type`, the signature and whatever else; what belongs to the connection is left out.
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Sends requests over HTTP/1.1. Clones share their connections. A connection is used again by requests to the same
/// scheme, host and port, whose address was judged when it was made.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<Connector, Full<Bytes>>,
    policy: Arc<Policy>,
    total: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Client {
    /// A client without connections yet. Reads the root certificates.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let Settings { policy, roots, proxy, limits } = settings;
        let policy = Arc::new(policy);
        let connector = Connector {
            policy: Arc::clone(&policy),
            lookup: Lookup::new(limits.lookup),
            tls: tls::connector(roots.as_deref()).map_err(SetupError)?,
            proxy: proxy.map(Arc::new),
            agent: AGENT,
            connect_limit: limits.connect,
            limit: limits.total,
        };
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(limits.idle)
            .pool_max_idle_per_host(limits.idle_per_host)
            .http1_max_buf_size(MAX_HEAD)
            .http1_max_headers(MAX_FIELDS)
            .build(connector);
        Ok(Self { inner, policy, total: limits.total })
    }

    /// What may be called.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Sends a POST and waits for what becomes of it; `now` is the time of day, by which a date in `Retry-After` is
    /// understood. Redirects are not followed. It ends at the limit at the latest.
    pub async fn send(&self, call: Call, now: SystemTime) -> Outcome {
        let begun = Instant::now();
        let (verdict, answer) = match self.reply(Method::POST, call, now, delivery_limits::ANSWER).await {
            Ok(reply) => (verdict(reply.status), Some(reply.excerpt())),
            Err(failure) => (Err(failure), None),
        };
        Outcome { verdict, answer, duration: begun.elapsed() }
    }

    /// Sends a request and waits for its answer, whatever the status; else as [`Client::send`]. The failures before there
    /// is a connection say that nothing was sent ([`Failure::is_before_sending`]).
    pub async fn exchange(&self, method: Method, call: Call, now: SystemTime) -> Result<Reply, Failure> {
        self.reply(method, call, now, MAX_READ).await
    }

    async fn reply(
        &self,
        method: Method,
        call: Call,
        now: SystemTime,
        keep: usize,
    ) -> Result<Reply, Failure> {
        let begun = Instant::now();
        let deadline = begun + self.total;
        let target = Target::parse(&call.url, &self.policy).map_err(Failure::Target)?;
        let mut request = Request::new(Full::new(call.body));
        *request.method_mut() = method;
        *request.uri_mut() = target.uri().clone();
        *request.headers_mut() = call.headers;
        for name in NOT_FROM_CALLERS {
            request.headers_mut().remove(name);
        }
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        match timeout_at(deadline, self.inner.request(request)).await {
            Ok(Ok(response)) => Ok(answer::read(response, now + begun.elapsed(), deadline, keep).await),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(Failure::Timeout),
        }
    }
}

fn verdict(status: u16) -> Result<(), Failure> {
    match status {
        200..=299 => Ok(()),
        300..=399 => Err(Failure::Redirect),
        _ => Err(Failure::Status),
    }
}

/// What an error of the client means: it is the connector's own, HTTP's, or the connection's. Only the connector's own says
/// that nothing was sent: with TLS 1.3 a server can refuse a handshake after we take it to be done and have written the
/// request, and any other alert may come when it has had the request.
fn failure(error: &legacy::Error) -> Failure {
    let mut cause = error.source();
    let mut found = Failure::BrokenAnswer;
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_parse_too_large() {
                return Failure::HeadTooLarge;
            }
            if !error.is_parse() {
                found = Failure::Closed;
            }
        }
        if error.is::<io::Error>() {
            found = Failure::Closed;
        }
        cause = error.source();
    }
    found
}
