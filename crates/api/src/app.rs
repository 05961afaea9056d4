//! The application: one directory, its dialects, and what surrounds every request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use ipnet::IpNet;
use muster_carrier::Carriers;
use muster_delivery::Client;
use muster_domain::secret::ServerKey;
use muster_domain::{CredentialId, Directory, TenantId, UserId};
use muster_store::{Media, Store};
use tower::Service as _;

use crate::docs::{self, Documents};
use crate::http::{Handled, Meta, plain};
use crate::limits::{Blocks, Rooms, Windows};
use crate::{DIALECTS, convirza, lox24, onlive, scim};

/// What can be configured of the dialects.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The longest request body, in bytes.
    pub max_body: usize,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins that browsers may call from; `*` for all.
    pub cors_origins: Vec<String>,
    /// Whether calls are counted and limited.
    pub rate_limits: bool,
    /// Log-ins per address and minute.
    pub logins_per_minute: u32,
    /// Requests with wrong LOX24 keys that an address may send within a minute; one more blocks it.
    pub lox24_wrong_keys: u32,
    /// How long it is blocked.
    pub lox24_block: Duration,
    /// Calls that an Onlive access key may make within a minute: those that read, and those that write.
    pub onlive_reads_per_minute: u32,
    pub onlive_writes_per_minute: u32,
    /// The page size of lists when the caller names none, and the greatest.
    pub default_page: u32,
    pub max_page: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body: 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            rate_limits: true,
            logins_per_minute: 10,
            lox24_wrong_keys: 3,
            lox24_block: Duration::from_mins(10),
            onlive_reads_per_minute: 1000,
            onlive_writes_per_minute: 100,
            default_page: 100,
            max_page: 200,
        }
    }
}

/// Bodies over `max_body` (lists, of at most 16 MiB) that are read and worked on at once; more wait.
const LARGE_BODIES: usize = 8;
/// Those of one tenant among them.
const LARGE_BODIES_OF_TENANT: usize = 2;

/// Files that come in at once, of each of which up to 15 MiB are held, and those of one tenant; more wait.
const UPLOADS: usize = 16;
const UPLOADS_OF_TENANT: usize = 4;

/// Bodies over a few KiB that are held before it is known whether their signature is right, and those of one tenant: whoever
/// knows the id of one of its access keys can send such.
const UNPROVEN_BODIES: usize = 64;
const UNPROVEN_BODIES_OF_TENANT: usize = 16;

/// Requests of gateways that are worked on at once, and those to one of them.
const CALLBACKS: usize = 64;
const CALLBACKS_OF_ONE: usize = 16;

/// Tests of webhooks that are sent at once, and those of one tenant: each holds a connection for as long as an endpoint of
/// the caller's choice lets it.
const WEBHOOK_TESTS: usize = 32;
const WEBHOOK_TESTS_OF_TENANT: usize = 2;

/// A running directory service, to be given requests by a listener.
pub struct App {
    pub directory: Arc<Directory<Store>>,
    pub settings: Settings,
    /// Where files are.
    pub media: Media,
    /// Opens the secrets that requests are signed with.
    pub(crate) server_key: ServerKey,
    /// Calls the endpoints of webhooks.
    pub(crate) client: Client,
    /// Room for tests of webhooks.
    pub(crate) webhook_tests: Rooms<TenantId>,
    /// The documents of the dialects, each written when it is first asked for.
    pub(crate) documents: Documents,
    /// Room for bodies that hold long lists.
    pub(crate) large_bodies: Rooms<Option<TenantId>>,
    /// Room for files that come in.
    pub(crate) uploads: Rooms<Option<TenantId>>,
    /// Room for bodies that have to be read before it is known who sends them.
    pub(crate) unproven_bodies: Rooms<Option<TenantId>>,
    /// The gateways that may call us.
    pub(crate) gateways: Option<Arc<Carriers>>,
    /// Room for what they tell, by their names.
    pub(crate) callbacks: Rooms<String>,
    /// Log-ins, by client.
    pub(crate) logins: Windows<IpAddr>,
    /// Attempts to change one's password, which could guess the current one.
    pub(crate) password_changes: Windows<(TenantId, UserId)>,
    /// Clients that send wrong LOX24 keys.
    pub(crate) lox24_blocks: Blocks<IpAddr>,
    /// Calls with Onlive access keys.
    pub(crate) onlive_reads: Windows<CredentialId>,
    pub(crate) onlive_writes: Windows<CredentialId>,
}

impl App {
    /// `server_key` is the one that the store was opened with; `client` calls the endpoints of webhooks.
    pub fn new(
        directory: impl Into<Arc<Directory<Store>>>,
        server_key: ServerKey,
        media: Media,
        client: Client,
        settings: Settings,
    ) -> Self {
        Self {
            documents: Documents::default(),
            large_bodies: Rooms::new(LARGE_BODIES, LARGE_BODIES_OF_TENANT),
            uploads: Rooms::new(UPLOADS, UPLOADS_OF_TENANT),
            unproven_bodies: Rooms::new(UNPROVEN_BODIES, UNPROVEN_BODIES_OF_TENANT),
            webhook_tests: Rooms::new(WEBHOOK_TESTS, WEBHOOK_TESTS_OF_TENANT),
            gateways: None,
            callbacks: Rooms::new(CALLBACKS, CALLBACKS_OF_ONE),
            logins: Windows::per_minute(settings.logins_per_minute),
            password_changes: Windows::per_minute(settings.logins_per_minute),
            lox24_blocks: Blocks::new(settings.lox24_wrong_keys, settings.lox24_block),
            onlive_reads: Windows::per_minute(settings.onlive_reads_per_minute),
            onlive_writes: Windows::per_minute(settings.onlive_writes_per_minute),
            directory: directory.into(),
            server_key,
            client,
            media,
            settings,
        }
    }

    /// Gateways that may call us, for which somebody has to store what they tell.
    #[must_use]
    pub fn with_gateways(mut self, carriers: Arc<Carriers>) -> Self {
        self.gateways = Some(carriers);
        self
    }

    /// The service for a listener.
    pub fn into_service(self) -> AppService {
        let app = Arc::new(self);
        let own = Router::new()
            .route("/healthz", get(healthz).fallback(only_get))
            .route("/readyz", get(readyz).fallback(only_get))
            .with_state(Arc::clone(&app))
            // Its fallback answers the paths that belong to no dialect.
            .merge(docs::router(&app));
        let dialects =
            [convirza::router(&app), lox24::router(&app), onlive::router(&app), scim::router(&app)];
        AppService { app, own, dialects }
    }
}

/// Answers requests; cheap to clone.
#[derive(Clone)]
pub struct AppService {
    app: Arc<App>,
    own: Router,
    /// In the order of [`DIALECTS`].
    dialects: [Router; DIALECTS.len()],
}

impl AppService {
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Who answers for a path.
    fn router(&self, path: &str) -> &Router {
        let mut routers = DIALECTS.iter().zip(&self.dialects);
        let found = routers.find(|(dialect, _)| dialect.prefix_of(path).is_some());
        found.map_or(&self.own, |(_, router)| router)
    }

    /// Answers one request of `peer`, and writes one line about it to the log.
    pub async fn handle<B>(&self, request: Request<B>, peer: SocketAddr) -> Response
    where
        B: HttpBody<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let directory = &self.app.directory;
        let meta = Meta { request_id: directory.entropy.uuid(), started: directory.now(), peer: peer.ip() };
        let method = request.method().clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(meta);

        let mut router = self.router(request.uri().path()).clone();
        let Ok(mut response) = router.call(request).await;
        let mut id = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = &*meta.request_id.hyphenated().encode_lower(&mut id);
        if let Ok(value) = HeaderValue::from_str(id) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
        }
        let handled = response.extensions_mut().remove::<Handled>().unwrap_or_default();
        tracing::info!(
            target: "muster::request",
            %method,
            route = handled.route,
            verb = handled.verb,
            status = response.status().as_u16(),
            micros = directory.now().0 - meta.started.0,
            request_id = id,
            tenant = handled.tenant.map(|tenant| tenant.0),
        );
        response
    }
}

/// The process is alive.
async fn healthz() -> Response {
    logged("/healthz", plain(StatusCode::OK, "ok"))
}

async fn only_get() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

fn logged(route: &'static str, mut response: Response) -> Response {
    response.extensions_mut().insert(Handled { route, ..Handled::default() });
    response
}

/// The process can serve: the store reads and writes.
async fn readyz(axum::extract::State(app): axum::extract::State<Arc<App>>) -> Response {
    let response = match app.directory.store.ready().await {
        Ok(()) => plain(StatusCode::OK, "ready"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            plain(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    };
    logged("/readyz", response)
}
