//! One connection to an endpoint: look-up, judgement, TCP, perhaps a proxy, TLS.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::lookup::{Lookup, permitted};
use crate::{Failure, Policy, Proxy, proxy};

/// How many addresses of one host are tried.
const MAX_TRIED: usize = 4;

/// Makes the connections of a client. It is the only place that opens one, so nothing gets past the [`Policy`], also
/// not an IP address in a URL, which the connectors of the usual clients do not look up and so do not judge.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) policy: Arc<Policy>,
    pub(crate) lookup: Lookup,
    /// None where nobody is trusted.
    pub(crate) tls: Option<TlsConnector>,
    pub(crate) proxy: Option<Arc<Proxy>>,
    pub(crate) agent: &'static str,
    /// For the TCP connection, shared by the addresses that are tried.
    pub(crate) connect_limit: Duration,
    /// For all of it. Who waits has a limit too, but may have gone.
    pub(crate) limit: Duration,
}

impl Connector {
    async fn connect(&self, uri: &Uri) -> Result<Link, Failure> {
        let host = uri.host().ok_or(Failure::Unresolvable)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        if secure && self.tls.is_none() {
            return Err(Failure::Tls("this server has no root certificates".to_owned()));
        }
        let mut stream = match &self.proxy {
            None => {
                let found = self.lookup.addresses(bare, port).await?;
                self.reach(&permitted(found, &self.policy)?).await.map_err(Failure::Connect)?
            }
            // The operator has named it, so it may be anywhere.
            Some(proxy) => {
                let found = self.lookup.addresses(&proxy.host, proxy.port).await;
                let found = found.map_err(|_| Failure::Proxy)?;
                self.reach(&found).await.map_err(|_| Failure::Proxy)?
            }
        };
        let Some(tls) = self.tls.as_ref().filter(|_| secure) else {
            return Ok(Link { stream: Box::pin(stream), absolute_form: self.proxy.is_some() });
        };
        if self.proxy.is_some() {
            proxy::open_way(&mut stream, host, port, self.agent).await?;
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(|error| Failure::Tls(error.to_string()))?;
        let stream = tls.connect(name, stream).await.map_err(|error| tls_failure(&error))?;
        Ok(Link { stream: Box::pin(stream), absolute_form: false })
    }

    /// Connects to the first of the addresses that can be reached; the error is that of the last.
    async fn reach(&self, addresses: &[SocketAddr]) -> Result<TcpStream, io::ErrorKind> {
        let tried = &addresses[..addresses.len().min(MAX_TRIED)];
        let limit = self.connect_limit / u32::try_from(tried.len().max(1)).unwrap_or(1);
        let mut failed = io::ErrorKind::AddrNotAvailable;
        for address in tried {
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // What is sent is sent at once; without it there is only a delay.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => failed = error.kind(),
                Err(_) => failed = io::ErrorKind::TimedOut,
            }
        }
        Err(failed)
    }
}

/// What a failed handshake means.
fn tls_failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => Failure::tls(error),
        None => Failure::Tls(error.kind().to_string()),
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Link>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let link = timeout(connector.limit, connector.connect(&uri)).await;
            link.unwrap_or(Err(Failure::Timeout)).map(TokioIo::new)
        })
    }
}

/// A connection, with or without TLS.
pub(crate) struct Link {
    stream: Pin<Box<dyn Stream>>,
    /// Whether requests name the whole URL, as a proxy wants it.
    absolute_form: bool,
}

trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("absolute_form", &self.absolute_form).finish_non_exhaustive()
    }
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.absolute_form)
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector() -> Connector {
        let limit = Duration::from_secs(20);
        Connector {
            policy: Arc::new(Policy { plain_http: true, ..Policy::default() }),
            lookup: Lookup::new(limit),
            tls: None,
            proxy: None,
            agent: "Muster",
            connect_limit: limit,
            limit,
        }
    }

    #[tokio::test]
    async fn without_root_certificates_nothing_secure_is_called() {
        let refused = connector().connect(&Uri::from_static("https://1.1.1.1/")).await.unwrap_err();
        assert_eq!(refused, Failure::Tls("this server has no root certificates".to_owned()));
    }

    #[tokio::test]
    async fn an_address_is_judged_where_it_is_connected_to() {
        // Spellings that a URL does not have any more when it was read, but that the system's look-up understands.
        for host in
            ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f000001", "localhost"]
        {
            let uri: Uri = format!("http://{host}:8080/").parse().unwrap();
            assert_eq!(connector().connect(&uri).await.unwrap_err(), Failure::RefusedAddress, "{host}");
        }
    }
}
