//! Reading the URL of a webhook.

use std::fmt;

use http::Uri;
use muster_domain::webhook::limits;
use url::{Host, Url};

use crate::Policy;

/// Ports from 1024 that a browser does not call either, because what listens there takes the lines of a request for
/// commands (Fetch standard, section 2.9, "port blocking").
const BLOCKED_PORTS: [u16; 19] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080,
];

/// The URL of an endpoint, read as every client reads it (WHATWG URL standard): with the host in lower case and in
/// punycode, and an IP address in its one form, however it was spelt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Uri);

/// Why a URL cannot be called. Each is shown as what the value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub enum TargetFault {
    TooLong,
    /// A blank or a control character; a client would drop some of them without a word.
    Blank,
    /// Not a URL, or one without a host.
    Malformed,
    /// A scheme that is never called.
    Scheme,
    /// `http`, where the operator wants `https`.
    PlainHttp,
    Credentials,
    Fragment,
    /// A host that cannot be the name of one (RFC 1035, section 2.3.4).
    Host,
    Port,
    /// An IP address that the [`Policy`] refuses. Names are judged by what they stand for, when they are called.
    Address,
}

impl TargetFault {
    /// What the value must be, to stand after its name.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::TooLong => "must not be longer than 2048 bytes",
            Self::Blank => "must not contain blanks or control characters",
            Self::Malformed => "must be a URL such as https://crm.example.org/hook",
            Self::Scheme => "must begin with https://",
            Self::PlainHttp => "must begin with https://, because this server does not call http://",
            Self::Credentials => "must not contain a user name or password",
            Self::Fragment => "must not contain a fragment (#…)",
            Self::Host => "must have a host name of letters, digits, hyphens and dots",
            Self::Port => {
                "must have the port 443, 80 or one from 1024 that is not reserved for another protocol"
            }
            Self::Address => "must not name an address of a private, local or reserved network",
        }
    }
}

impl Target {
    /// Reads a URL as a user gives it. Nothing is looked up.
    pub fn parse(text: &str, policy: &Policy) -> Result<Self, TargetFault> {
        if text.len() > limits::URL {
            return Err(TargetFault::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(TargetFault::Blank);
        }
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::InvalidPort => TargetFault::Port,
            url::ParseError::IdnaError | url::ParseError::InvalidDomainCharacter => TargetFault::Host,
            _ => TargetFault::Malformed,
        })?;
        match url.scheme() {
            "https" => {}
            "http" if policy.plain_http => {}
            "http" => return Err(TargetFault::PlainHttp),
            _ => return Err(TargetFault::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetFault::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetFault::Fragment);
        }
        let address = match url.host() {
            None => return Err(TargetFault::Malformed),
            Some(Host::Domain(name)) if is_host_name(name) => None,
            Some(Host::Domain(_)) => return Err(TargetFault::Host),
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
        };
        if address.is_some_and(|address| policy.judge(address).is_err()) {
            return Err(TargetFault::Address);
        }
        if !url.port_or_known_default().is_some_and(is_port) {
            return Err(TargetFault::Port);
        }
        url.as_str().parse().map(Self).map_err(|_| TargetFault::Malformed)
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }
}

/// The URL in its one form.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether the resolver and a certificate can have this name: labels of 1 to 63 letters, digits, hyphens and, as they
/// occur, underscores; a dot may stand at the end.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(fits)
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.split('.').all(is_label)
}

/// The ports of the Web, and those that anybody may listen at. The rest below 1024 belongs to other services (mail,
/// remote shells, files), and a request of ours, whose body its sender chooses in part, has no business there.
fn is_port(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..) && !BLOCKED_PORTS.contains(&port)
}

#[cfg(test)]
mod tests;
