//! A world to test in: an application on a fresh store, its clock, and people who call it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use muster_api::{App, AppService, PasswordPool, Settings};
use muster_delivery::{Client, Policy};
use muster_domain::credential::{CredentialWish, NewCredential, Profile};
use muster_domain::org_unit::OrgUnitPatch;
use muster_domain::secret::ServerKey;
use muster_domain::session::SessionPolicy;
use muster_domain::tenant::NewTenant;
use muster_domain::user::{Role, UserPatch, password};
use muster_domain::{
    Clock, Ctx, Dialect, Directory, Entropy, IdKind, JournalFilter, JournalRecord, OrgUnitId, Store as _,
    Timestamp,
};
use muster_store::{KeySource, Limits, Media, Options};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::conformance::Document;
use crate::lox24::{self, Key};
use crate::place::Place;
use crate::signing::{self, AccessKey};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A clock that stands still until it is moved.
pub(crate) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl ManualClock {
    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

struct SeededEntropy(Mutex<StdRng>);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

/// An application with the tenant Acme: top 1000, below it North (1001) with Team A (1002) and Team B
/// (1003), and South (1004).
pub(crate) struct World {
    pub(crate) service: AppService,
    pub(crate) acme: Ctx,
    pub(crate) server_key: ServerKey,
    clock: Arc<ManualClock>,
    peer: SocketAddr,
    place: Place,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::at(Place::new(), settings).await
    }

    pub(crate) async fn at(place: Place, settings: Settings) -> Self {
        let clock = Arc::new(ManualClock(AtomicI64::new(1_770_091_506_789_000)));
        let entropy = Arc::new(SeededEntropy(Mutex::new(StdRng::seed_from_u64(1))));
        let file = || format!("sqlite:{}", place.path().join("muster.db").display());
        let options = Options {
            url: place.url().unwrap_or_else(file),
            key: KeySource::Folder(place.path().to_owned()),
            create: true,
            as_server: true,
            limits: Limits::default(),
        };
        let (store, key) = muster_store::open(&options, &*clock, &*entropy).await.unwrap();
        while store.next_id(IdKind::OrgUnit).await.unwrap() < 999 {}
        let directory = Directory {
            store,
            clock: clock.clone(),
            entropy,
            passwords: Arc::new(PasswordPool::with_cost(2, 64, password::Cost::LEAST)),
            sessions: SessionPolicy::default(),
        };
        let acme = tenant(&directory, &key, "US", "Acme", "ada@acme.example").await;
        let media = Media::folder(place.path().join("media"));
        let service = App::new(directory, key.clone(), media, client(), settings).into_service();
        let peer = "192.0.2.1:4711".parse().unwrap();
        let world = Self { service, acme, server_key: key, clock, peer, place };
        for (name, parent) in [("North", 1000), ("Team A", 1001), ("Team B", 1001), ("South", 1000)] {
            world.unit(name, parent).await;
        }
        world
    }

    pub(crate) fn directory(&self) -> &Directory<muster_store::Store> {
        &self.service.app().directory
    }

    /// Another tenant, whose admin is `login`.
    pub(crate) async fn tenant(&self, name: &str, login: &str) -> Ctx {
        self.tenant_in("US", name, login).await
    }

    /// Another tenant in this country.
    pub(crate) async fn tenant_in(&self, country: &str, name: &str, login: &str) -> Ctx {
        tenant(self.directory(), &self.server_key, country, name, login).await
    }

    /// A new credential of a tenant.
    pub(crate) async fn credential(
        &self,
        of: &Ctx,
        dialect: Dialect,
        read_only: bool,
        expires_at: Option<Timestamp>,
    ) -> NewCredential {
        let wish =
            CredentialWish { dialect, name: "key".to_owned(), read_only, profile: Profile::Rfc, expires_at };
        self.directory().credential_create(of, &self.server_key, wish).await.unwrap()
    }

    /// A unit of Acme; its id.
    pub(crate) async fn unit(&self, name: &str, parent: i64) -> i64 {
        let patch = OrgUnitPatch {
            name: Some(name.to_owned()),
            parent_id: Some(OrgUnitId(parent)),
            ..OrgUnitPatch::default()
        };
        self.directory().org_unit_create(&self.acme, patch.into()).await.unwrap().id.0
    }

    /// A user of Acme who can log in; its id.
    pub(crate) async fn user(&self, login: &str, role: Role, unit: i64) -> i64 {
        let new = new_user(login, role, Some(OrgUnitId(unit)));
        self.directory().user_create(&self.acme, new.into()).await.unwrap().id.0
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub(crate) fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.clock)
    }

    /// Waits until the writer has done what was handed in without waiting.
    pub(crate) async fn settle(&self) {
        self.directory().store.commit(muster_domain::Batch::new(self.acme.tenant())).await.unwrap();
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.place.path()
    }

    /// The journal of Acme.
    pub(crate) async fn journal(&self) -> Vec<JournalRecord> {
        self.directory().store.journal(self.acme.tenant(), 0, JournalFilter::default(), 10_000).await.unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Call<'_> {
        self.call("POST", path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Call<'_> {
        self.call("PUT", path).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: Value) -> Call<'_> {
        self.call("PATCH", path).json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        let request = Request::builder().method(method).uri(path);
        Call { world: self, request, body: Body::empty(), peer: self.peer, signer: None }
    }

    async fn answer(&self, request: Request<Body>, peer: SocketAddr) -> Reply {
        let (parts, body) = self.service.handle(request, peer).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let kind = parts.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
        let is_json = kind == "application/json" || kind.ends_with("+json");
        let body = match &*bytes {
            [] => Value::Null,
            json if is_json => serde_json::from_slice(json).unwrap(),
            text => Value::from(String::from_utf8_lossy(text)),
        };
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// The answer to a log-in.
    pub(crate) async fn log_in(&self, login: &str) -> Reply {
        let body = serde_json::json!({"email": login, "password": PASSWORD});
        self.post("/oauth/token", body).send().await
    }

    /// The access token of Acme's admin.
    pub(crate) async fn admin(&self) -> String {
        self.token("ada@acme.example").await
    }

    /// An access token of a user who can log in.
    pub(crate) async fn token(&self, login: &str) -> String {
        let reply = self.log_in(login).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply}");
        reply.body["access_token"].as_str().unwrap().to_owned()
    }
}

/// Calls endpoints on this machine too, over http.
fn client() -> Client {
    let policy = Policy { allowed: vec!["127.0.0.1/32".parse().unwrap()], plain_http: true };
    Client::new(muster_delivery::Settings { policy, ..muster_delivery::Settings::default() }).unwrap()
}

/// The published documents of the dialects, which every reply is held to. They come from a world of their own, or
/// whichever test is first would see another randomness.
pub(crate) async fn documents() -> &'static [Document; 4] {
    static DOCUMENTS: OnceCell<[Document; 4]> = OnceCell::const_new();
    let read = || async {
        let world = World::new().await;
        let read = async |name: &str| {
            let request = Request::get(format!("/openapi/{name}.json")).body(Body::empty()).unwrap();
            world.answer(request, world.peer).await.body
        };
        [
            Document::new(&["/v3", "/oauth"], read("convirza").await),
            Document::new(lox24::PATHS, read("lox24").await),
            Document::new(&["/api/v1"], read("onlive").await),
            Document::new(&["/scim/v2"], read("scim").await),
        ]
    };
    DOCUMENTS.get_or_init(read).await
}

async fn tenant(
    directory: &Directory<muster_store::Store>,
    key: &ServerKey,
    country: &str,
    name: &str,
    login: &str,
) -> Ctx {
    let new = NewTenant {
        name: name.to_owned(),
        country: country.to_owned(),
        timezone: "America/New_York".to_owned(),
        admin: new_user(login, Role::Admin, None),
    };
    let made = directory.tenant_create(key, new).await.unwrap();
    Ctx::operator(made.tenant.id, made.tenant.top_org_unit_id, directory.now())
}

fn new_user(login: &str, role: Role, org_unit_id: Option<OrgUnitId>) -> UserPatch {
    UserPatch {
        login: Some(login.to_owned()),
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lee".to_owned()),
        role: Some(role),
        org_unit_id,
        password: Some(password::check(PASSWORD).unwrap()),
        claims_login: true,
        ..UserPatch::default()
    }
}

/// Who calls.
pub(crate) enum Caller {
    /// With an access token.
    Bearer(String),
    /// With a LOX24 key.
    Key(Key),
    /// With an Onlive access key.
    Signer(AccessKey),
}

/// A request that is being put together.
pub(crate) struct Call<'a> {
    world: &'a World,
    request: http::request::Builder,
    body: Body,
    peer: SocketAddr,
    signer: Option<AccessKey>,
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With a LOX24 key.
    pub(crate) fn key(self, key: &Key) -> Self {
        self.header("x-lox24-auth-token", &key.token())
    }

    /// Signed with an Onlive access key when it is sent.
    pub(crate) fn signed(mut self, key: &AccessKey) -> Self {
        self.signer = Some(key.clone());
        self
    }

    /// Whoever it is, as the dialect of the call wants to be told.
    pub(crate) fn by(self, caller: &Caller) -> Self {
        match caller {
            Caller::Bearer(token) => self.bearer(token),
            Caller::Key(key) => self.key(key),
            Caller::Signer(key) => self.signed(key),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "bodies are made with json!()")]
    pub(crate) fn json(self, body: Value) -> Self {
        self.raw(body.to_string()).header("content-type", "application/json")
    }

    /// A body as it stands, without a content type.
    pub(crate) fn raw(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn from(mut self, peer: &str) -> Self {
        self.peer = format!("{peer}:4711").parse().unwrap();
        self
    }

    pub(crate) async fn send(self) -> Reply {
        let mut request = self.request.body(self.body).unwrap();
        if let Some(key) = &self.signer {
            request = signing::sign(request, key, self.world.clock.now()).await;
        }
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let reply = self.world.answer(request, self.peer).await;
        for document in documents().await {
            document.check(&method, &path, &reply);
        }
        reply
    }
}

/// A whole answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The names of the failing fields.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", value.to_str().unwrap())?;
        }
        if !self.body.is_null() {
            writeln!(f, "\n{}", serde_json::to_string_pretty(&self.body).unwrap())?;
        }
        Ok(())
    }
}
