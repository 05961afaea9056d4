//! One attempt of one delivery.

use std::sync::Arc;
use std::time::Duration;

use muster_domain::webhook::{
    ATTEMPT, Attempt, Delivery, DeliveryState, Event, Sender, WebhookFormat, delivery_limits,
};
use muster_domain::{Error, JournalRecord, Store, Timestamp};
use tokio::task::JoinError;
use tokio::time::{Instant, timeout_at};

use super::Shared;
use super::feed::Feed;
use crate::message::{self, message, text_of};
use crate::{Failure, Outcome};

/// An attempt to which nobody has answered.
fn unanswered(at: Timestamp, duration: Duration, problem: String) -> Attempt {
    Attempt { at, duration, status: None, answer: None, problem: Some(problem) }
}

/// What became of an attempt.
pub(super) enum Landed {
    Tried {
        attempt: Attempt,
        retry_after: Option<Duration>,
    },
    /// The journal does not tell of the event any more.
    Forgotten(Timestamp),
    /// What the journal tells cannot be read: a fault of ours.
    Unreadable(Timestamp),
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
        Self::Tried { attempt: unanswered(at, Duration::ZERO, problem), retry_after: None }
    }

    fn timed_out(at: Timestamp) -> Self {
        Self::Tried { attempt: unanswered(at, ATTEMPT, Failure::Timeout.to_string()), retry_after: None }
    }
}

/// Sends once. It ends by the deadline, so that the lease is not outlived whatever the store and the client do.
pub(super) async fn attempt<S: Store>(
    shared: &Shared<S>,
    feed: &Feed<S>,
    sender: &Sender,
    delivery: &Delivery,
    deadline: Instant,
) -> Landed {
    let entry = match timeout_at(deadline, feed.entry(delivery.id.sequence())).await {
        Ok(Ok(entry)) => entry,
        Ok(Err(Error::Internal(error))) => {
            tracing::error!(%error, delivery = delivery.id.0, "an event cannot be read");
            return Landed::Unreadable(shared.directory.now());
        }
        Ok(Err(error)) => return Landed::NotTried(error),
        Err(_) => return Landed::NotTried(Error::Unavailable("the journal was not read in time".into())),
    };
    let at = shared.directory.now();
    let told = entry.and_then(|entry| {
        let event = Event::of(&entry).into_iter().find(|event| event.part == delivery.id.part())?;
        Some((entry, event))
    });
    match told {
        None => Landed::Forgotten(at),
        Some((entry, event)) => {
            let sent = send(shared, sender, delivery, (&entry, &event), at);
            timeout_at(deadline, sent).await.unwrap_or_else(|_| Landed::timed_out(at))
        }
    }
}

async fn send<S: Store>(
    shared: &Shared<S>,
    sender: &Sender,
    delivery: &Delivery,
    (entry, event): (&Arc<JournalRecord>, &Event),
    at: Timestamp,
) -> Landed {
    let Sender { webhook, secret, .. } = sender;
    let text = match text_of(event, entry) {
        None => None,
        Some(id) => match shared.directory.incoming_text(webhook.tenant, id).await {
            Ok(text) => Some(text),
            Err(error) => return Landed::NotTried(error),
        },
    };
    let message = message(webhook, delivery.id, delivery.attempts + 1, event, entry, text.as_deref());
    match message::send(&shared.client, &shared.key, (webhook, secret), message, at).await {
        Ok(outcome) => {
            let retry_after = outcome.answer.as_ref().and_then(|answer| answer.retry_after);
            Landed::Tried { attempt: outcome.into_attempt(at), retry_after }
        }
        Err(error) => Landed::failed(at, error.to_string()),
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

/// The delivery after what became of it, and whether the endpoint took it, if it was asked. One that was tried early and
/// has failed is tried again as if it had not been.
pub(super) fn landed(
    delivery: Delivery,
    landed: Landed,
    is_early: bool,
    format: WebhookFormat,
    jitter: u8,
) -> (Delivery, Option<bool>) {
    match landed {
        Landed::Tried { attempt, retry_after } => {
            let is_taken = attempt.problem.is_none();
            if is_early && !is_taken {
                return (Delivery { last: Some(attempt), ..delivery }, Some(false));
            }
            (delivery.after(format, attempt, retry_after, jitter), Some(is_taken))
        }
        Landed::Forgotten(at) => {
            let problem = "the journal does not tell of the event any more".to_owned();
            let last = Some(unanswered(at, Duration::ZERO, problem));
            (Delivery { state: DeliveryState::Failed, next_at: None, last, ..delivery }, None)
        }
        Landed::Unreadable(at) => {
            let problem = "the server could not read the event".to_owned();
            let attempt = unanswered(at, Duration::ZERO, problem);
            (delivery.after(format, attempt, None, jitter), None)
        }
        Landed::NotTried(_) => (delivery, None),
    }
}
