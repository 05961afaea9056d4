//! What carriers report: receipts of messages, and messages of phones.

use std::fmt;
use std::sync::Arc;

use muster_domain::Timestamp;
use tokio::sync::mpsc::{self, OwnedPermit};

/// How many reports wait for whoever stores them; when there are more, carriers wait.
const WAITING: usize = 1024;

/// A report, which its carrier gives again until it is acknowledged.
#[derive(Debug)]
pub struct Report {
    /// The carrier's name in the configuration.
    pub carrier: Arc<str>,
    pub event: Event,
    pub ack: Ack,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Receipt(Receipt),
    Incoming(Incoming),
}

/// What became of a part of a message, or of a whole one (see [`HandedOver`](crate::HandedOver)). It may come more than
/// once, in any order, before the hand-over is answered, and about messages that are not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// By which the carrier knows it.
    pub id: String,
    pub state: State,
    /// The carrier's own code for what went wrong.
    pub error: Option<String>,
    /// When it came: the times that carriers name have no zone.
    pub at: Timestamp,
}

/// What a carrier says of a message (SMPP 3.4, section 5.2.28 and appendix B).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is on its way.
    Queued,
    /// It was taken on behalf of the phone.
    Accepted,
    Delivered,
    /// Its time was over before the phone was reached.
    Expired,
    Undeliverable,
    /// Somebody has removed it.
    Deleted,
    Rejected,
    Unknown,
}

impl State {
    /// Whether nothing else is to come.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Accepted | Self::Unknown)
    }
}

/// A message of a phone, its parts joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The carrier's own id, if it names one; by it a message that comes again is known.
    pub id: Option<String>,
    /// The phone's number, with `+` if the carrier says that it is an international one.
    pub from: String,
    pub to: String,
    pub body: Body,
    /// How many parts never came.
    pub missing: usize,
    pub at: Timestamp,
}

/// The text of a message of a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Text(String),
    /// In the default alphabet of GSM, one septet a byte.
    Gsm(Vec<u8>),
    /// Not text.
    Binary(Vec<u8>),
}

/// By which a carrier is told that a report is stored. If it is dropped instead, the carrier is told that it is not,
/// and gives it again.
pub struct Ack(Option<Box<dyn FnOnce(bool) + Send>>);

impl Ack {
    /// Calls `answer` once, with whether the report was stored.
    pub(crate) fn new(answer: impl FnOnce(bool) + Send + 'static) -> Self {
        Self(Some(Box::new(answer)))
    }

    /// The report is stored.
    pub fn stored(mut self) {
        if let Some(answer) = self.0.take() {
            answer(true);
        }
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        if let Some(answer) = self.0.take() {
            answer(false);
        }
    }
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ack")
    }
}

/// The reports of all carriers.
#[derive(Debug)]
pub struct Reports(mpsc::Receiver<Report>);

impl Reports {
    /// The next report; `None` when the carriers are closed and dropped, and there is no more.
    pub async fn next(&mut self) -> Option<Report> {
        self.0.recv().await
    }
}

/// Whoever was to store the report has not, or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the report was not stored")]
pub struct NotStored;

/// Where one carrier reports.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    pub(crate) carrier: Arc<str>,
    sender: mpsc::Sender<Report>,
}

/// Room for one report.
pub(crate) struct Place {
    carrier: Arc<str>,
    permit: OwnedPermit<Report>,
}

impl Place {
    pub(crate) fn report(self, event: Event, ack: Ack) {
        self.permit.send(Report { carrier: self.carrier, event, ack });
    }
}

/// The end for carriers, whose name is to be set, and the end for whoever stores.
pub(crate) fn channel() -> (Reporter, Reports) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Reporter { carrier: Arc::from(""), sender }, Reports(receiver))
}

impl Reporter {
    pub(crate) fn named(&self, carrier: &str) -> Self {
        Self { carrier: Arc::from(carrier), sender: self.sender.clone() }
    }

    /// Keeps room for a report; `None` if there is none, or nobody.
    pub(crate) fn place(&self) -> Option<Place> {
        let permit = self.sender.clone().try_reserve_owned().ok()?;
        Some(Place { carrier: Arc::clone(&self.carrier), permit })
    }

    /// Waits until there is room, or nobody is there.
    pub(crate) async fn room(&self) {
        _ = self.sender.reserve().await;
    }

    /// Whether nobody is there.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits for room.
    pub(crate) async fn report(&self, event: Event, ack: Ack) -> Result<(), NotStored> {
        let report = Report { carrier: Arc::clone(&self.carrier), event, ack };
        self.sender.send(report).await.map_err(|_| NotStored)
    }

    /// Whether a report would find room, and somebody.
    pub(crate) fn has_room(&self) -> bool {
        self.sender.capacity() > 0 && !self.sender.is_closed()
    }
}
