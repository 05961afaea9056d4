//! Carriers under test, and messages.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use muster_carrier::smpp::Smpp;
use muster_carrier::{
    Carrier, Carriers, Config, Encoding, Event, Failed, HandedOver, Outgoing, Part, Report, Reports, Sources,
    open,
};
use muster_delivery::{Client, Limits, Policy, Settings};
use muster_domain::{Clock, Entropy, Timestamp};
use tokio::time::{sleep, timeout};

struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is the source that is passed in")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp(since.as_micros().try_into().unwrap())
    }
}

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(128);
    }
}

/// What is passed in; requests may go to this machine.
pub(crate) fn sources() -> Sources {
    let policy = Policy { allowed: vec!["127.0.0.0/8".parse().unwrap()], plain_http: true };
    let limits = Limits { total: Duration::from_secs(2), ..Limits::default() };
    let client = Client::new(Settings { policy, limits, ..Settings::default() }).unwrap();
    Sources { clock: Arc::new(System), entropy: Arc::new(System), client }
}

/// A carrier of its own configuration, under the name `main`.
pub(crate) struct World {
    pub(crate) carriers: Carriers,
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) reports: Reports,
}

impl World {
    pub(crate) fn new(toml: &str) -> Self {
        let config = Config::parse(&format!("[carriers.main]\n{toml}")).unwrap();
        let (carriers, reports) = open(&config, &sources()).unwrap();
        let carrier = carriers.get("main").unwrap();
        Self { carriers, carrier, reports }
    }

    /// Bound to a message centre on this port, with some settings of its own.
    pub(crate) async fn bound(port: u16, settings: &str) -> Self {
        let world = Self::new(&smpp(port, settings));
        world.wait_bound(1).await;
        world
    }

    pub(crate) fn smpp(&self) -> &Arc<Smpp> {
        self.carriers.smpp("main").unwrap()
    }

    /// Waits until so many connections are bound, or more.
    pub(crate) async fn wait_bound(&self, count: usize) {
        for _ in 0..2000 {
            if self.smpp().bound() >= count {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{} connections are bound, not yet {count}", self.smpp().bound());
    }

    pub(crate) async fn submit(&self, message: Outgoing) -> Result<HandedOver, Failed> {
        timeout(Duration::from_secs(20), self.carrier.submit(message)).await.expect("it hangs")
    }

    pub(crate) async fn report(&mut self) -> Report {
        let report = timeout(Duration::from_secs(20), self.reports.next()).await;
        report.expect("there is no report").unwrap()
    }

    /// The next report, which is stored.
    pub(crate) async fn event(&mut self) -> Event {
        let report = self.report().await;
        report.ack.stored();
        report.event
    }
}

/// The configuration of a message centre on this machine, with what `settings` say before all.
pub(crate) fn smpp(port: u16, settings: &str) -> String {
    let defaults = [
        ("response_timeout_ms", "5000"),
        ("reconnect_first_ms", "100"),
        ("reconnect_longest_ms", "400"),
        ("system_id", "\"muster\""),
        ("password", "\"secret\""),
    ];
    let others = defaults.iter().filter(|(name, _)| !settings.contains(name));
    let others: Vec<String> = others.map(|(name, value)| format!("{name} = {value}\n")).collect();
    format!("kind = \"smpp\"\naddress = \"127.0.0.1:{port}\"\n{}{settings}\n", others.concat())
}

/// A message that fits into one part.
pub(crate) fn short(to: &str) -> Outgoing {
    Outgoing {
        reference: "m-1".to_owned(),
        from: "Muster".to_owned(),
        to: to.to_owned(),
        text: "Hi".to_owned(),
        encoding: Encoding::Gsm,
        parts: vec![Part(b"Hi".to_vec())],
        validity: None,
        want_receipt: false,
    }
}

/// The ids of a message that was taken.
pub(crate) fn ids(handed_over: HandedOver) -> Vec<String> {
    handed_over.ids.into_iter().map(Option::unwrap).collect()
}
