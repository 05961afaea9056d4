//! A tenant whose webhooks are sent for by dispatchers of the test, under a clock that stands still until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use muster_api::PasswordPool;
use muster_delivery::{Client, Dispatcher, Pace, Policy, Settings};
use muster_domain::org_unit::OrgUnitPatch;
use muster_domain::secret::ServerKey;
use muster_domain::session::SessionPolicy;
use muster_domain::tenant::NewTenant;
use muster_domain::user::{UserPatch, password};
use muster_domain::webhook::{
    Delivery, DeliveryFilter, DeliveryState, NewWebhook, WebhookPatch, WebhookView,
};
use muster_domain::{
    Clock, Ctx, Directory, Entropy, JournalFilter, OrgUnitId, Slice, Store as _, TenantId, Timestamp,
    WebhookId,
};
use muster_store::{KeySource, Limits, Options, Store};
use rand::Rng as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::sink::Sink;
use crate::place::Place;
use crate::support::PASSWORD;

pub(crate) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct TestEntropy;

impl Entropy for TestEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the source that is passed in")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

pub(crate) struct World {
    pub(crate) directory: Arc<Directory<Store>>,
    pub(crate) key: ServerKey,
    pub(crate) place: Place,
    tenant: TenantId,
    clock: Arc<ManualClock>,
}

/// A dispatcher at work.
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

/// A client that may call this machine.
pub(crate) fn client() -> Client {
    let policy = Policy { allowed: vec!["127.0.0.0/8".parse().unwrap()], plain_http: true };
    Client::new(Settings { policy, ..Settings::default() }).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        let place = Place::new();
        let clock = Arc::new(ManualClock(AtomicI64::new(1_770_091_506_789_000)));
        let file = || format!("sqlite:{}", place.path().join("muster-data/muster.db").display());
        let options = Options {
            url: place.url().unwrap_or_else(file),
            key: KeySource::Folder(place.path().join("muster-data")),
            create: true,
            as_server: true,
            limits: Limits::default(),
        };
        let (store, key) = muster_store::open(&options, &*clock, &TestEntropy).await.unwrap();
        let directory = Directory {
            store,
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy),
            passwords: Arc::new(PasswordPool::with_cost(1, 16, password::Cost::LEAST)),
            sessions: SessionPolicy::default(),
        };
        let admin = UserPatch {
            login: Some("ada@acme.example".to_owned()),
            first_name: Some("Ada".to_owned()),
            last_name: Some("Lee".to_owned()),
            password: Some(password::check(PASSWORD).unwrap()),
            ..UserPatch::default()
        };
        let new = NewTenant {
            name: "Acme".to_owned(),
            country: "US".to_owned(),
            timezone: "UTC".to_owned(),
            admin,
        };
        let tenant = directory.tenant_create(&key, new).await.unwrap().tenant.id;
        Self { directory: Arc::new(directory), key, place, tenant, clock }
    }

    /// Starts a dispatcher as another process would be one.
    pub(crate) fn dispatch(&self) -> Running {
        let pace = Pace { round: Duration::from_millis(50), linger: Duration::from_millis(300) };
        let dispatcher = Dispatcher::new(Arc::clone(&self.directory), client(), self.key.clone(), pace);
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(dispatcher.run(async move {
            stopped.wait_for(|stop| *stop).await.unwrap();
        }));
        Running { stop, task }
    }

    pub(crate) fn advance(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        self.clock.0.fetch_add(micros, Ordering::SeqCst);
    }

    /// Moves the clock to this time, not back.
    pub(crate) fn advance_to(&self, time: Timestamp) {
        self.clock.0.fetch_max(time.0, Ordering::SeqCst);
    }

    /// Whether somebody has leased a webhook.
    pub(crate) async fn is_leased(&self, id: WebhookId) -> bool {
        let work = self.directory.webhook_work(self.tenant).await.unwrap();
        work.iter().any(|work| work.id == id && work.lease.is_some())
    }

    pub(crate) async fn ctx(&self) -> Ctx {
        self.directory.tenant_operator(self.tenant).await.unwrap()
    }

    /// A webhook that is told of groups.
    pub(crate) async fn hook(&self, sink: &Sink) -> NewWebhook {
        let patch = WebhookPatch {
            name: Some("CRM".to_owned()),
            url: Some(sink.url()),
            events: Some(vec!["group.*".to_owned()]),
            ..WebhookPatch::default()
        };
        self.directory.webhook_create(&self.ctx().await, &self.key, patch.into()).await.unwrap()
    }

    pub(crate) async fn view(&self, id: WebhookId) -> WebhookView {
        self.directory.webhook_get(&self.ctx().await, id).await.unwrap()
    }

    pub(crate) async fn change(&self, id: WebhookId, patch: WebhookPatch) {
        let found = self.view(id).await;
        self.directory.webhook_update(&self.ctx().await, found, patch.into(), None).await.unwrap();
    }

    /// Creates a group: an event. How the events about it are told of.
    pub(crate) async fn group(&self, name: &str) -> (OrgUnitId, String) {
        let patch = OrgUnitPatch { name: Some(name.to_owned()), ..OrgUnitPatch::default() };
        let unit = self.directory.org_unit_create(&self.ctx().await, patch.into()).await.unwrap();
        (unit.id, format!("group {}", unit.id))
    }

    /// Renames a group: an event.
    pub(crate) async fn rename(&self, id: OrgUnitId, name: &str) {
        let ctx = self.ctx().await;
        let found = self.directory.org_unit_get(&ctx, id).await.unwrap();
        let patch = OrgUnitPatch { name: Some(name.to_owned()), ..OrgUnitPatch::default() };
        self.directory.org_unit_update(&ctx, found, patch.into(), None).await.unwrap();
    }

    /// The newest first.
    pub(crate) async fn deliveries(&self, id: WebhookId, state: Option<DeliveryState>) -> Vec<Delivery> {
        let filter = DeliveryFilter { state, since: None };
        let slice = Slice { limit: 10_000, offset: 0 };
        self.directory.delivery_list(&self.ctx().await, id, filter, slice).await.unwrap().items
    }

    pub(crate) async fn journal_kinds(&self) -> Vec<String> {
        let all = self.directory.store.journal(self.tenant, 0, JournalFilter::default(), 10_000).await;
        all.unwrap().into_iter().map(|entry| entry.kind).collect()
    }

    /// Waits until so many deliveries of a webhook have this state.
    pub(crate) async fn wait_for(&self, id: WebhookId, state: DeliveryState, count: usize) -> Vec<Delivery> {
        for _ in 0..1500 {
            let found = self.deliveries(id, Some(state)).await;
            if found.len() == count {
                return found;
            }
            pause(20).await;
        }
        panic!("it are {:?}, not {count}", self.deliveries(id, None).await);
    }

    /// Waits until an open delivery was tried so often.
    pub(crate) async fn wait_for_attempts(&self, id: WebhookId, attempts: usize) -> Delivery {
        for _ in 0..1500 {
            let open = self.deliveries(id, Some(DeliveryState::Open)).await;
            if let Some(delivery) = open.into_iter().find(|delivery| delivery.attempts == attempts) {
                return delivery;
            }
            pause(20).await;
        }
        panic!("nothing was tried {attempts} times: {:?}", self.deliveries(id, None).await);
    }
}

/// For as long as a dispatcher that sends too early would need to do so.
pub(crate) async fn settle() {
    pause(400).await;
}

pub(crate) async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
