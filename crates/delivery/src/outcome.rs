//! What became of a request.

use std::io;
use std::time::Duration;

use crate::TargetFault;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the endpoint took it: a status from 200 to 299.
    pub verdict: Result<(), Failure>,
    /// What it said, if it said so much that there is a status.
    pub answer: Option<Answer>,
    /// From the beginning to the end of the answer, or to the failure.
    pub duration: Duration,
}

/// What an endpoint answered. Its status decides; how its body goes on changes the verdict no more, because the
/// endpoint has had the message by then, and would get it twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The beginning of the body as it was sent, at most 1024 bytes of it; what is not UTF-8, and U+0000, which not
    /// every store can keep, is replaced by U+FFFD.
    pub excerpt: String,
    /// Whether the body was read to its end; it is not if it is longer than 64 KiB, breaks off or takes too long.
    pub whole: bool,
    /// How long to wait before the next attempt (RFC 9110, section 10.2.3), at most
    /// [`MOST_RETRY_AFTER`](muster_domain::webhook::MOST_RETRY_AFTER).
    pub retry_after: Option<Duration>,
}

/// Why a request was not taken. Nothing in it tells what lies in the server's own network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The URL cannot be called, at least no more: the settings may have changed since it was given.
    #[error("the URL {}", .0.sentence())]
    Target(TargetFault),
    /// The host has addresses, but none that may be called.
    #[error("the host has no address that may be called")]
    RefusedAddress,
    /// The look-up found nothing, failed or took too long.
    #[error("the host could not be looked up")]
    Unresolvable,
    /// No connection could be made to any address of the host.
    #[error("no connection could be made: {0}")]
    Connect(io::ErrorKind),
    /// The proxy could not be reached, or answered a CONNECT with another status than 2xx.
    #[error("the proxy opened no way to the host")]
    Proxy,
    /// The endpoint's certificate is not good for its host, or it speaks no TLS that we speak; the text says which.
    #[error("no secure connection could be made: {0}")]
    Tls(String),
    /// The time limit for all of it was over before there was a status.
    #[error("the endpoint did not answer in time")]
    Timeout,
    /// The status is 3xx. Redirects are not followed: they could lead anywhere, and a POST would change on its way.
    #[error("the endpoint redirects, which is not followed")]
    Redirect,
    /// The status is none of 2xx and 3xx.
    #[error("the endpoint answered with a status that is not a success")]
    Status,
    /// The header of the answer is larger than 16 KiB or has more than 100 fields.
    #[error("the header of the answer is too large")]
    HeadTooLarge,
    /// The answer is not HTTP/1.1 (RFC 9112).
    #[error("the answer is not HTTP")]
    BrokenAnswer,
    /// The connection ended before there was a status.
    #[error("the endpoint closed the connection without an answer")]
    Closed,
}

impl Failure {
    /// Whether it happened before anything of the request could have been sent.
    pub fn is_before_sending(&self) -> bool {
        match self {
            Self::Target(_)
            | Self::RefusedAddress
            | Self::Unresolvable
            | Self::Connect(_)
            | Self::Proxy
            | Self::Tls(_) => true,
            Self::Timeout
            | Self::Redirect
            | Self::Status
            | Self::HeadTooLarge
            | Self::BrokenAnswer
            | Self::Closed => false,
        }
    }

    /// What a TLS error says, without what an endpoint could make long.
    pub(crate) fn tls(error: &rustls::Error) -> Self {
        Self::Tls(error.to_string().chars().take(200).collect())
    }
}
