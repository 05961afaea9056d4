//! Going through an HTTP proxy of the operator.

use std::str::FromStr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::{Host, Url};

use crate::Failure;

/// How long the proxy's answer to a CONNECT may be, in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// An HTTP proxy, written `http://proxy:port`; without a port it is 80. `https` endpoints are reached by CONNECT (RFC
/// 9110, section 9.3.6), `http` ones by requests in absolute form (RFC 9112, section 3.2.2).
///
/// The proxy looks names up, so what a name stands for is for the proxy to judge. IP addresses in URLs are still judged
/// here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// As a resolver takes it, without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The text names no proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an HTTP proxy such as http://proxy.example.org:3128, without a user name or path")]
pub struct ProxyFault;

impl FromStr for Proxy {
    type Err = ProxyFault;

    fn from_str(text: &str) -> Result<Self, ProxyFault> {
        let url = Url::parse(text).map_err(|_| ProxyFault)?;
        let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        if url.scheme() != "http" || !bare || url.query().is_some() || url.fragment().is_some() {
            return Err(ProxyFault);
        }
        let host = match url.host().ok_or(ProxyFault)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Ok(Self { host, port: url.port().unwrap_or(80) })
    }
}

/// Asks the proxy at the other end for a way to `host:port`; then the stream is that way.
pub(crate) async fn open_way(
    stream: &mut TcpStream,
    host: &str,
    port: u16,
    agent: &str,
) -> Result<(), Failure> {
    let authority = format!("{host}:{port}");
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {agent}\r\n\r\n");
    let broken = |_| Failure::Proxy;
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        // Byte by byte, so that nothing of what follows is taken; the answer is short, and comes once a connection.
        if head.len() == MAX_HEAD {
            return Err(Failure::Proxy);
        }
        head.push(stream.read_u8().await.map_err(broken)?);
    }
    let is_open = head.starts_with(b"HTTP/1.1 2") || head.starts_with(b"HTTP/1.0 2");
    if is_open { Ok(()) } else { Err(Failure::Proxy) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        for (text, host, port) in [
            ("http://proxy.example.org:3128", "proxy.example.org", 3128),
            ("http://10.0.0.7/", "10.0.0.7", 80),
            ("http://[::1]:8080", "::1", 8080),
        ] {
            assert_eq!(text.parse(), Ok(Proxy { host: host.to_owned(), port }), "{text}");
        }
        for wrong in
            ["", "proxy:3128", "https://proxy", "socks5://proxy", "http://ann:pw@proxy", "http://proxy/a"]
        {
            assert_eq!(wrong.parse::<Proxy>(), Err(ProxyFault), "{wrong}");
        }
    }
}
