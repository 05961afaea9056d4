//! One attempt of one delivery.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use muster_domain::webhook::{
    Attempt, Delivery, DeliveryState, Event, Sender, WebhookFormat, delivery_limits,
};
use muster_domain::{Error, JournalRecord, Store, Timestamp};
use tokio::task::JoinError;
use tokio::time::timeout;

use super::Shared;
use super::feed::Feed;
use crate::message::{call, message, secrets};
use crate::{Failure, Outcome};

/// What became of an attempt.
pub(super) enum Landed {
    Tried {
        attempt: Attempt,
        retry_after: Option<Duration>,
    },
    /// The journal does not tell of the event any more.
    Forgotten(Timestamp),
    /// The store could not be read, so that nothing was sent.
    NotTried(Error),
}

impl Landed {
    /// An attempt that ended without an outcome; whether the endpoint was reached is not known.
    pub(super) fn broken(at: Timestamp, error: &JoinError) -> Self {
        tracing::error!(%error, "an attempt to deliver has failed");
        Self::failed(at, "the server failed while it was sending".to_owned())
    }

    fn failed(at: Timestamp, problem: String) -> Self {
        let (duration, problem) = (Duration::ZERO, Some(problem));
        Self::Tried {
            attempt: Attempt { at, duration, status: None, answer: None, problem },
            retry_after: None,
        }
    }
}

/// Sends once; ends within the client's limit.
pub(super) async fn attempt<S: Store>(
    shared: &Shared<S>,
    feed: &Feed<S>,
    sender: &Sender,
    delivery: &Delivery,
) -> Landed {
    let entry = match feed.entry(delivery.id.sequence()).await {
        Ok(entry) => entry,
        Err(error) => return Landed::NotTried(error),
    };
    let at = shared.directory.now();
    let told = entry.and_then(|entry| {
        let event = Event::of(&entry).into_iter().find(|event| event.part == delivery.id.part())?;
        Some((entry, event))
    });
    match told {
        None => Landed::Forgotten(at),
        Some((entry, event)) => send(shared, sender, delivery, (&entry, &event), at).await,
    }
}

async fn send<S: Store>(
    shared: &Shared<S>,
    sender: &Sender,
    delivery: &Delivery,
    (entry, event): (&Arc<JournalRecord>, &Event),
    at: Timestamp,
) -> Landed {
    let webhook = &sender.webhook;
    let secrets = match secrets(&shared.key, webhook, &sender.secret, at) {
        Ok(secrets) => secrets,
        Err(error) => return Landed::failed(at, error.to_string()),
    };
    let message = message(webhook, delivery.id, delivery.attempts + 1, event, entry);
    let call = match call(webhook, message, &secrets, at) {
        Ok(call) => call,
        Err(error) => return Landed::failed(at, error.to_string()),
    };
    let time = SystemTime::UNIX_EPOCH + Duration::from_micros(at.0.try_into().unwrap_or(0));
    // The client ends by itself; the lease must not be outlived whatever its settings are.
    match timeout(muster_domain::webhook::ATTEMPT, shared.client.send(call, time)).await {
        Ok(outcome) => {
            let retry_after = outcome.answer.as_ref().and_then(|answer| answer.retry_after);
            Landed::Tried { attempt: outcome.into_attempt(at), retry_after }
        }
        Err(_) => Landed::failed(at, Failure::Timeout.to_string()),
    }
}

impl Outcome {
    /// As it is noted with a delivery that was tried at this time.
    pub fn into_attempt(self, at: Timestamp) -> Attempt {
        let problem = self.verdict.err().map(|failure| failure.to_string());
        let (status, answer) = self
            .answer
            .map(|answer| (i64::from(answer.status), truncated(answer.excerpt, delivery_limits::ANSWER)))
            .unzip();
        let problem = problem.map(|problem| problem.chars().take(delivery_limits::PROBLEM).collect());
        Attempt { at, duration: self.duration, status, answer, problem }
    }
}

/// The beginning of a text, at most so many bytes of it.
fn truncated(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

/// The delivery after what became of it, and whether the endpoint took it, if it was asked.
pub(super) fn landed(
    delivery: Delivery,
    landed: Landed,
    format: WebhookFormat,
    jitter: u8,
) -> (Delivery, Option<bool>) {
    match landed {
        Landed::Tried { attempt, retry_after } => {
            let is_taken = attempt.problem.is_none();
            (delivery.after(format, attempt, retry_after, jitter), Some(is_taken))
        }
        Landed::Forgotten(at) => {
            let problem = "the journal does not tell of the event any more".to_owned();
            let last =
                Attempt { at, duration: Duration::ZERO, status: None, answer: None, problem: Some(problem) };
            let gone = Delivery { state: DeliveryState::Failed, next_at: None, last: Some(last), ..delivery };
            (gone, None)
        }
        Landed::NotTried(_) => (delivery, None),
    }
}
