//! Nothing is lost when a process that sends is killed.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use muster_api::PasswordPool;
use muster_domain::secret::ServerKey;
use muster_domain::session::SessionPolicy;
use muster_domain::user::password;
use muster_domain::webhook::{Event, WebhookPatch};
use muster_domain::{Clock, Directory, JournalFilter, Store as _, TenantId, Timestamp};
use muster_store::{KeySource, Limits, Options, Store};

use super::order::assert_ordered;
use super::sink::{Reply, Sink};
use super::world::TestEntropy;
use crate::load::Load;
use crate::place::Place;
use crate::support::{PASSWORD, Server, create_tenant, succeed};

const WRITERS: usize = 4;
const REFUSED: usize = 12;
/// What servers are told that send to this machine.
const FLAGS: [&str; 8] = [
    "--rate-limits",
    "off",
    "--webhook-allow",
    "127.0.0.0/8",
    "--webhook-http",
    "on",
    "--log",
    "warn,muster=info,muster::request=off",
];

struct RealClock;

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "this is the source that is passed in")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp(since.as_micros().try_into().unwrap())
    }
}

/// Does something with the store of a place, beside the servers on it.
fn beside<T>(place: &Place, work: impl AsyncFnOnce(&Directory<Store>, &ServerKey) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder: &Path = place.path();
    let options = Options {
        url: place
            .url()
            .unwrap_or_else(|| format!("sqlite:{}", folder.join("muster-data/muster.db").display())),
        key: KeySource::Folder(folder.join("muster-data")),
        create: false,
        as_server: false,
        limits: Limits::default(),
    };
    runtime.block_on(async {
        let (store, key) = muster_store::open(&options, &RealClock, &TestEntropy).await.unwrap();
        let directory = Directory {
            store,
            clock: Arc::new(RealClock),
            entropy: Arc::new(TestEntropy),
            passwords: Arc::new(PasswordPool::with_cost(1, 16, password::Cost::LEAST)),
            sessions: SessionPolicy::default(),
        };
        let done = work(&directory, &key).await;
        directory.store.close().await;
        done
    })
}

/// What was to be sent to a webhook that was made before all of it: the numbers of the deliveries.
fn expected(place: &Place, tenant: TenantId) -> Vec<i64> {
    beside(place, async |directory, _| {
        let mut all = Vec::new();
        let mut after = 0;
        let mut is_made = false;
        loop {
            let page = directory.store.journal(tenant, after, JournalFilter::default(), 1000).await.unwrap();
            let Some(last) = page.last() else { return all };
            after = last.sequence;
            for entry in &page {
                let events = Event::of(entry);
                all.extend(
                    events.iter().filter(|_| is_made).map(|event| entry.sequence * 4 + i64::from(event.part)),
                );
                is_made |= entry.kind == "webhook.created";
            }
        }
    })
}

/// Kills a server in the middle of writes and deliveries, again and again; `servers` run on the place at a time.
pub(crate) fn nothing_is_lost_by_kills(place: Place, servers: usize, rounds: usize) {
    let place = Arc::new(place);
    let made = create_tenant(place.path(), "Acme", "ada@acme.example");
    let tenant = TenantId(made["tenant_id"].as_i64().unwrap());
    let start = || Server::start_in(Arc::clone(&place), &FLAGS);
    let mut running: Vec<_> = (0..servers).map(|_| start()).collect();
    let refused = Mutex::new(HashSet::new());
    let sink = Sink::answering(move |hit| {
        // Some fail at first, and hold back what comes after them, each for 5 s: few, since most are about one entity.
        let mut refused = refused.lock().unwrap();
        if hit.number() % 41 == 0 && refused.len() < REFUSED && refused.insert(hit.number()) {
            Reply::Status(500)
        } else {
            Reply::Slow(Duration::from_millis(4))
        }
    });
    beside(&place, async |directory, key| {
        let ctx = directory.tenant_operator(tenant).await.unwrap();
        let patch = WebhookPatch {
            name: Some("CRM".to_owned()),
            url: Some(sink.url()),
            events: Some(vec!["group.*".to_owned(), "user.*".to_owned()]),
            ..WebhookPatch::default()
        };
        directory.webhook_create(&ctx, key, patch.into()).await.unwrap();
    });
    for round in 0..rounds {
        let token = running[0].log_in("ada@acme.example", PASSWORD).unwrap();
        let addresses: Vec<_> = running.iter().map(|server| server.address.clone()).collect();
        let load = Load::start(&addresses, &token, &format!("round {round}"), WRITERS);
        let before = sink.hits().len();
        load.wait_for(150);
        sink.wait_for(before + 20);
        running.remove(0).kill();
        if running.is_empty() {
            load.end();
        } else {
            load.wait_for(30);
            load.end();
        }
        running.push(start());
    }
    let expected = expected(&place, tenant);
    assert!(expected.len() > 100 * rounds, "{}", expected.len());
    let missing = || {
        let arrived: HashSet<i64> = sink.hits().iter().map(super::sink::Hit::number).collect();
        expected.iter().filter(|number| !arrived.contains(number)).count()
    };
    // A lease of who was killed, the first pauses after a failure, and what was written meanwhile, which may be much.
    for _ in 0..3000 {
        if missing() == 0 {
            break;
        }
        sleep(Duration::from_millis(100));
    }
    assert_eq!(missing(), 0, "of {}: {}", expected.len(), running[0].log());
    assert_ordered(&sink.hits());
    drop(running);
    succeed(place.path(), &["doctor"]);
}
