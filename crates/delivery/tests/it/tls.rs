//! Certificates.

use std::io::Write as _;
use std::sync::Arc;

use muster_delivery::{Client, Failure, Settings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use crate::endpoint::{Endpoint, open, request, send};

/// Somebody who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A client that trusts this authority alone.
    pub(crate) fn trusted(&self, settings: Settings) -> Client {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(self.0.pem().as_bytes()).unwrap();
        Client::new(Settings { roots: Some(file.path().to_owned()), ..settings }).unwrap()
    }

    /// An endpoint with a certificate for `host`, which is over if it is `expired`.
    pub(crate) async fn endpoint(&self, host: &str, expired: bool) -> Endpoint {
        self.serve(host, expired, Arc::new(NoClientAuth)).await
    }

    /// An endpoint that wants a certificate of its clients, which are of this authority.
    pub(crate) async fn asking(&self, host: &str) -> Endpoint {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        self.serve(host, false, verifier).await
    }

    async fn serve(&self, host: &str, expired: bool, clients: Arc<dyn ClientCertVerifier>) -> Endpoint {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        if expired {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.0).unwrap().der().clone();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Endpoint::new(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                // A client that does not trust the certificate ends here.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                while request(&mut stream).await.is_some() {
                    let said = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                    said.unwrap();
                }
            }
        })
        .await
    }
}

/// What a TLS failure says.
async fn refused(client: &Client, url: &str) -> String {
    match send(client, url).await.verdict {
        Err(Failure::Tls(text)) => text,
        other => format!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_counts_that_a_known_authority_signed_for_the_host() {
    let authority = Authority::new("known");
    let client = authority.trusted(open());
    for host in ["localhost", "127.0.0.1"] {
        let endpoint = authority.endpoint(host, false).await;
        let url = format!("https://{host}:{}/", endpoint.address.port());
        for _ in 0..2 {
            assert_eq!(send(&client, &url).await.verdict, Ok(()), "{host}");
        }
        assert_eq!(endpoint.accepted(), 1);
    }
}

#[tokio::test]
async fn any_other_certificate_is_refused() {
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let client = known.trusted(open());
    for (endpoint, reason) in [
        (unknown.endpoint("localhost", false).await, "UnknownIssuer"),
        (known.endpoint("other.example", false).await, "not valid for name"),
        (known.endpoint("127.0.0.1", false).await, "not valid for name"),
        (known.endpoint("localhost", true).await, "expired"),
    ] {
        let text = refused(&client, &format!("https://localhost:{}/", endpoint.address.port())).await;
        assert!(text.contains(reason), "{reason}: {text}");
    }
    // The system's roots know none of them.
    let endpoint = known.endpoint("localhost", false).await;
    let system = Client::new(open()).unwrap();
    let text = refused(&system, &format!("https://localhost:{}/", endpoint.address.port())).await;
    assert!(text.contains("UnknownIssuer"), "{text}");
}

#[tokio::test]
async fn an_endpoint_without_tls_is_refused() {
    let client = Authority::new("known").trusted(open());
    let plain = Endpoint::new(|mut stream| async move {
        // It may be closed already.
        let _ = stream.write_all(b"HTTP/1.1 400 What?\r\n\r\n").await;
    })
    .await;
    let text = refused(&client, &format!("https://{}/", plain.address)).await;
    assert!(!text.starts_with("not refused"), "{text}");
}

#[test]
fn roots_that_cannot_be_read_are_an_error_at_the_start() {
    let empty = NamedTempFile::new().unwrap();
    for path in [empty.path(), "/nowhere/roots.pem".as_ref()] {
        let error = Client::new(Settings { roots: Some(path.to_owned()), ..open() }).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

/// With TLS 1.3 the client takes the handshake to be done before the server has judged it, so that its alert may come when the
/// request is sent: it says nothing of what became of the request.
#[tokio::test]
async fn an_alert_after_the_handshake_is_none_before_sending() {
    let authority = Authority::new("known");
    let endpoint = authority.asking("localhost").await;
    let client = authority.trusted(open());
    let outcome = send(&client, &format!("https://localhost:{}/", endpoint.address.port())).await;
    let failure = outcome.verdict.unwrap_err();
    assert!(!failure.is_before_sending(), "{failure:?}");
}
