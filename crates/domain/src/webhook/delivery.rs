//! Deliveries: one event on its way to one endpoint.

use std::time::Duration;

use super::{WebhookFormat, next_attempt};
use crate::Timestamp;

/// What is kept of deliveries.
pub mod limits {
    /// Bytes of the endpoint's answer.
    pub const ANSWER: usize = 1024;
    /// Characters of what went wrong.
    pub const PROBLEM: usize = 300;
}

/// Which delivery of a webhook: from the place of its event in the journal, so that it orders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub i64);

/// Events of one entry.
const PARTS: i64 = 4;

impl DeliveryId {
    /// Of the `part`th event of a journal entry.
    pub fn of(sequence: i64, part: u8) -> Self {
        Self(sequence.saturating_mul(PARTS).saturating_add(i64::from(part)))
    }

    /// The journal entry that tells of the event.
    pub fn sequence(self) -> i64 {
        self.0.div_euclid(PARTS)
    }

    /// Which of the events of the entry.
    pub fn part(self) -> u8 {
        u8::try_from(self.0.rem_euclid(PARTS)).unwrap_or(0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be sent, or to be tried again.
    Open,
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    pub const NAMES: [&str; 3] = ["open", "delivered", "failed"];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// A delivery that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    pub id: DeliveryId,
    /// The name of the event.
    pub event: &'static str,
    /// `user:71`: deliveries about one entity go out one after the other.
    pub entity: String,
    /// When the event happened.
    pub at: Timestamp,
    /// When it is to be sent.
    pub next_at: Timestamp,
}

/// A delivery as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: String,
    pub entity: String,
    /// When the event happened.
    pub at: Timestamp,
    pub state: DeliveryState,
    /// How often it was tried, since it was last asked for.
    pub attempts: usize,
    /// When it is to be tried, while it is open.
    pub next_at: Option<Timestamp>,
    /// The last attempt.
    pub last: Option<Attempt>,
}

impl Delivery {
    /// The delivery after one more attempt, which has succeeded or else may have to be repeated no earlier than the
    /// endpoint asked for. `jitter` is random.
    #[must_use]
    pub fn after(
        self,
        format: WebhookFormat,
        attempt: Attempt,
        retry_after: Option<Duration>,
        jitter: u8,
    ) -> Self {
        let attempts = self.attempts + 1;
        let next_at = match &attempt.problem {
            None => None,
            Some(_) => next_attempt(format, attempts, attempt.at.plus(attempt.duration), jitter, retry_after),
        };
        let state = match (&attempt.problem, next_at) {
            (None, _) => DeliveryState::Delivered,
            (Some(_), None) => DeliveryState::Failed,
            (Some(_), Some(_)) => DeliveryState::Open,
        };
        Self { attempts, next_at, state, last: Some(attempt), ..self }
    }
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    pub duration: Duration,
    /// The HTTP status, if there was an answer.
    pub status: Option<i64>,
    /// The beginning of the answer, at most [`limits::ANSWER`] bytes.
    pub answer: Option<String>,
    /// Why it failed, if it did: a sentence for people.
    pub problem: Option<String>,
}

/// Which deliveries are wanted; what is `None` is not looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeliveryFilter {
    pub state: Option<DeliveryState>,
    /// Of events that did not happen before this time.
    pub since: Option<Timestamp>,
}
