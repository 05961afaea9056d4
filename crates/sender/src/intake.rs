//! Taking in what carriers report.
//!
//! As much is taken as can be stored at once; when there is more, carriers wait, or are told to come again. What is not
//! stored is not acknowledged.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use muster_carrier::{Ack, Carriers, Event, Incoming, Report, Reports};
use muster_domain::{Directory, Store};
use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::receipts::{self, Taken, Told};
use crate::{Counts, incoming};

/// Reports that are taken together at most, and how long the first waits for others.
const MANY: usize = 256;
const CALM: Duration = Duration::from_millis(5);
/// What is being stored at once: messages of phones and groups of receipts.
const TASKS: usize = 32;
/// Receipts of unknown messages that wait to be looked at again; of more the carrier is told to come again.
const MOST_WAITING: usize = 10_000;

/// Stores the reports of carriers.
pub struct Intake<S> {
    directory: Arc<Directory<S>>,
    carriers: Arc<Carriers>,
    counts: Arc<Counts>,
    tasks: JoinSet<Vec<(Instant, Told)>>,
    /// By when they are to be looked at, and a number.
    waiting: BTreeMap<(Instant, u64), Told>,
    number: u64,
}

impl<S: Store + 'static> Intake<S> {
    pub fn new(directory: Arc<Directory<S>>, carriers: Arc<Carriers>, counts: Arc<Counts>) -> Self {
        Self { directory, carriers, counts, tasks: JoinSet::new(), waiting: BTreeMap::new(), number: 0 }
    }

    /// Takes reports until `stop` completes, which should be after the carriers were closed; then it takes what has come
    /// before, and ends. Whoever begins anew after a failure has the same reports.
    pub async fn run(mut self, reports: &Mutex<Reports>, stop: impl Future<Output = ()>) {
        let mut reports = reports.lock().await;
        let mut stop = std::pin::pin!(stop);
        loop {
            let due = self.waiting.first_key_value().map(|((at, _), _)| *at);
            let due = async {
                match due {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let has_room = self.tasks.len() < TASKS;
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = self.tasks.join_next() => self.ended(ended),
                () = due, if has_room => self.look_again(),
                report = reports.next(), if has_room => {
                    let Some(report) = report else { break };
                    self.take(report, &mut reports).await;
                }
            }
        }
        while let Some(Some(report)) = reports.next().now_or_never() {
            self.take(report, &mut reports).await;
        }
        while let Some(ended) = self.tasks.join_next().await {
            self.ended(ended);
        }
    }

    /// Takes a report, and those that come with it.
    async fn take(&mut self, first: Report, reports: &mut Reports) {
        let mut receipts: HashMap<Arc<str>, Vec<Told>> = HashMap::new();
        let mut next = Some(first);
        let mut count = 0;
        let mut has_waited = false;
        while let Some(Report { carrier, event, ack }) = next {
            count += 1;
            match event {
                Event::Receipt(receipt) => {
                    let told = Told { carrier: Arc::clone(&carrier), receipt, ack, tries: 0 };
                    receipts.entry(carrier).or_default().push(told);
                }
                Event::Incoming(incoming) => self.receive(&carrier, incoming, ack).await,
            }
            next = if count < MANY { reports.next().now_or_never().flatten() } else { None };
            if next.is_none() && count < MANY && !has_waited && !receipts.is_empty() {
                // One commit for many: receipts come in streams.
                has_waited = true;
                sleep(CALM).await;
                next = reports.next().now_or_never().flatten();
            }
        }
        for (carrier, told) in receipts {
            self.note(carrier, told);
        }
    }

    /// Stores a message of a phone, when fewer are being stored than may be.
    async fn receive(&mut self, carrier: &str, incoming: Incoming, ack: Ack) {
        while self.tasks.len() >= TASKS {
            if let Some(ended) = self.tasks.join_next().await {
                self.ended(ended);
            }
        }
        let arrival = incoming::arrival(carrier, incoming);
        let (directory, carriers) = (Arc::clone(&self.directory), Arc::clone(&self.carriers));
        let counts = Arc::clone(&self.counts);
        self.tasks.spawn(async move {
            match incoming::receive(&directory, carriers.router(), &counts, arrival).await {
                Ok(()) => ack.stored(),
                Err(error) => {
                    tracing::warn!(%error, "a message of a phone was not stored; it is to come again");
                }
            }
            Vec::new()
        });
    }

    fn note(&mut self, carrier: Arc<str>, told: Vec<Told>) {
        let (directory, counts) = (Arc::clone(&self.directory), Arc::clone(&self.counts));
        self.tasks.spawn(async move {
            let Taken { noted, unknown, again } = receipts::note(&directory, &carrier, told).await;
            counts.receipts.add(noted);
            counts.receipts_unknown.add(unknown);
            again
        });
    }

    /// Looks once more at receipts of which the messages were not known.
    fn look_again(&mut self) {
        let now = Instant::now();
        let mut due: HashMap<Arc<str>, Vec<Told>> = HashMap::new();
        for _ in 0..MANY {
            let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= now) else { break };
            let told = first.remove();
            due.entry(Arc::clone(&told.carrier)).or_default().push(told);
        }
        for (carrier, told) in due {
            self.note(carrier, told);
        }
    }

    fn ended(&mut self, ended: Result<Vec<(Instant, Told)>, JoinError>) {
        match ended {
            Ok(again) => {
                for (at, told) in again {
                    if self.waiting.len() < MOST_WAITING {
                        self.number += 1;
                        self.waiting.insert((at, self.number), told);
                    }
                }
            }
            Err(error) => tracing::error!(%error, "storing reports of carriers has failed"),
        }
    }
}
