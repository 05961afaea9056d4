//! Tenants whose messages are handed over by processes of the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use muster_api::PasswordPool;
use muster_carrier::{Carriers, Config, Sources, open};
use muster_delivery::{Client, Policy, Settings};
use muster_domain::message::{Message, MessageStatus, MessageWish, Receipt, SenderId};
use muster_domain::secret::ServerKey;
use muster_domain::session::SessionPolicy;
use muster_domain::tenant::NewTenant;
use muster_domain::user::{UserPatch, password};
use muster_domain::{Clock, Ctx, Directory, MessageId, TenantId, Timestamp};
use muster_sender::{Counts, Intake, Pace, Sender};
use muster_store::{KeySource, Limits, Options, Store};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::place::Place;
use crate::support::PASSWORD;
use crate::webhooks::world::TestEntropy;

/// The number of ours.
pub(crate) const OURS: &str = "+4930123456";
/// How often is looked for what is to come, and how many times: on a busy machine all takes long.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: usize = 2000;

/// The real time, and what was added to it.
#[derive(Default)]
pub(crate) struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    #[expect(clippy::disallowed_methods, reason = "this is the source that is passed in")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(since.as_micros()).unwrap() + self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) directory: Arc<Directory<Store>>,
    pub(crate) place: Place,
    pub(crate) tenant: TenantId,
    key: ServerKey,
    clock: Arc<MovedClock>,
}

/// Carriers, and what hands over to them.
pub(crate) struct Running {
    pub(crate) carriers: Arc<Carriers>,
    /// What is noted is counted a moment later, so a count is waited for.
    pub(crate) counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    end: watch::Sender<bool>,
    sender: JoinHandle<()>,
    intake: JoinHandle<()>,
}

impl Running {
    /// Stops as a server does.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.sender.await.unwrap();
        self.carriers.close().await;
        self.end.send_replace(true);
        self.intake.await.unwrap();
    }

    /// Ends as a process does that is killed.
    pub(crate) async fn die(self) {
        for task in [self.sender, self.intake] {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }
}

/// A client that may call this machine.
fn client() -> Client {
    let policy = Policy { allowed: vec!["127.0.0.0/8".parse().unwrap()], plain_http: true };
    Client::new(Settings { policy, ..Settings::default() }).unwrap()
}

async fn until(mut stop: watch::Receiver<bool>) {
    // Whoever dies says nothing.
    _ = stop.wait_for(|stop| *stop).await;
}

impl World {
    pub(crate) async fn new() -> Self {
        let place = Place::new();
        let clock = Arc::new(MovedClock::default());
        let (directory, key) = open_store(&place, &clock, true).await;
        let tenant = create(&directory, &key, "Acme").await;
        Self { directory: Arc::new(directory), place, tenant, key, clock }
    }

    /// Another tenant.
    pub(crate) async fn tenant(&self, name: &str) -> TenantId {
        create(&self.directory, &self.key, name).await
    }

    /// The same store, as another process has it that serves nobody.
    pub(crate) async fn beside(&self) -> Arc<Directory<Store>> {
        Arc::new(open_store(&self.place, &self.clock, false).await.0)
    }

    /// Hands over to the carriers of a configuration.
    pub(crate) fn run(&self, config: &str) -> Running {
        run_on(&self.directory, config)
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.clock.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) async fn ctx(&self, tenant: TenantId) -> Ctx {
        self.directory.tenant_operator(tenant).await.unwrap()
    }

    /// Takes a message to this phone.
    pub(crate) async fn send(&self, phone: &str) -> MessageId {
        self.send_for(self.tenant, phone, None).await
    }

    pub(crate) async fn send_for(
        &self,
        tenant: TenantId,
        phone: &str,
        deliver_at: Option<Timestamp>,
    ) -> MessageId {
        send_on(&self.directory, tenant, phone, deliver_at).await
    }

    pub(crate) async fn found(&self, tenant: TenantId, id: MessageId) -> Message {
        let ctx = self.ctx(tenant).await;
        self.directory.message_get(&ctx, id).await.unwrap()
    }

    /// What has become of a message.
    pub(crate) async fn state(&self, id: MessageId) -> (MessageStatus, Receipt) {
        let state = self.found(self.tenant, id).await.state;
        (state.status, state.receipt)
    }

    /// Waits until a message has got into this state.
    pub(crate) async fn wait(&self, id: MessageId, status: MessageStatus, receipt: Receipt) {
        for _ in 0..LOOKS {
            if self.state(id).await == (status, receipt) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("{id} is {:?}, not {status:?} {receipt:?}", self.state(id).await);
    }

    pub(crate) async fn wait_delivered(&self, id: MessageId) {
        self.wait(id, MessageStatus::HandedOver, Receipt::Delivered).await;
    }

    /// What waits of all tenants is over.
    pub(crate) async fn wait_idle(&self) {
        wait_for(async || self.directory.tenants_with_messages(None, 9).await.unwrap().is_empty()).await;
    }
}

/// Waits until something holds.
pub(crate) async fn wait_for(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..LOOKS {
        if holds().await {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
    panic!("it does not happen");
}

pub(crate) fn run_on(directory: &Arc<Directory<Store>>, config: &str) -> Running {
    run_at(directory, config, Pace::default().keep)
}

/// Claims are renewed so often.
pub(super) fn run_at(directory: &Arc<Directory<Store>>, config: &str, keep: Duration) -> Running {
    let (clock, entropy) = (Arc::clone(&directory.clock), Arc::clone(&directory.entropy));
    let sources = Sources { clock, entropy, client: client() };
    let (carriers, reports) = open(&Config::parse(config).unwrap(), &sources).unwrap();
    let (carriers, counts) = (Arc::new(carriers), Arc::new(Counts::default()));
    let ((stop, stopped), (end, ended)) = (watch::channel(false), watch::channel(false));
    let pace = Pace { round: Duration::from_millis(100), keep };
    let sender = Sender::new(Arc::clone(directory), Arc::clone(&carriers), Arc::clone(&counts), pace);
    let intake = Intake::new(Arc::clone(directory), Arc::clone(&carriers), Arc::clone(&counts));
    let reports = Arc::new(Mutex::new(reports));
    let sender = tokio::spawn(sender.run(until(stopped)));
    let intake = tokio::spawn(async move { intake.run(&reports, until(ended)).await });
    Running { carriers, counts, stop, end, sender, intake }
}

/// A message from us to this phone.
pub(crate) fn wish(phone: &str) -> MessageWish {
    MessageWish {
        sender: SenderId::read(OURS).ok(),
        text: Some("Hello".to_owned()),
        phone: Some(phone.to_owned()),
        ..MessageWish::default()
    }
}

pub(crate) async fn send_on(
    directory: &Directory<Store>,
    tenant: TenantId,
    phone: &str,
    deliver_at: Option<Timestamp>,
) -> MessageId {
    let ctx = directory.tenant_operator(tenant).await.unwrap();
    let wish = MessageWish { deliver_at, ..wish(phone) };
    directory.message_create(&ctx, wish.into()).await.unwrap().id
}

pub(crate) async fn open_store(
    place: &Place,
    clock: &Arc<MovedClock>,
    as_server: bool,
) -> (Directory<Store>, ServerKey) {
    let file = || format!("sqlite:{}", place.path().join("muster-data/muster.db").display());
    let options = Options {
        url: place.url().unwrap_or_else(file),
        key: KeySource::Folder(place.path().join("muster-data")),
        create: as_server,
        as_server,
        limits: Limits::default(),
    };
    let (store, key) = muster_store::open(&options, &**clock, &TestEntropy).await.unwrap();
    let directory = Directory {
        store,
        clock: clock.clone(),
        entropy: Arc::new(TestEntropy),
        passwords: Arc::new(PasswordPool::with_cost(1, 16, password::Cost::LEAST)),
        sessions: SessionPolicy::default(),
    };
    (directory, key)
}

async fn create(directory: &Directory<Store>, key: &ServerKey, name: &str) -> TenantId {
    let admin = UserPatch {
        login: Some(format!("ada@{}.example", name.to_lowercase())),
        first_name: Some("Ada".to_owned()),
        last_name: Some("Lee".to_owned()),
        password: Some(password::check(PASSWORD).unwrap()),
        ..UserPatch::default()
    };
    let new =
        NewTenant { name: name.to_owned(), country: "DE".to_owned(), timezone: "UTC".to_owned(), admin };
    directory.tenant_create(key, new).await.unwrap().tenant.id
}
