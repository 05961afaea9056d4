//! The end of what sends for a webhook.

use std::time::Duration;

use muster_domain::Store;
use muster_domain::webhook::{ATTEMPT, PROBE, Rest, Sender};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::{End, HELD, Runner, STOP};

/// How long a webhook is left alone at most for which there is nothing to do as far as it is known.
const REST: Duration = Duration::from_mins(5);

impl<S: Store + 'static> Runner<S> {
    /// What is to be done next, if nothing is to be done now.
    fn rest(&mut self) -> Option<Rest> {
        let now = self.shared.directory.now();
        let Sender { webhook, health, .. } = &self.leased.sender;
        let (version, is_down) = (webhook.version, health.is_down());
        let probe_at = health.last_delivery_at.filter(|_| is_down).map(|at| at.plus(PROBE));
        let survey = self.window.survey(now);
        let paused_until = self.paused_until.filter(|until| *until > now);
        if survey.busy > 0 && paused_until.is_none() {
            return None;
        }
        let next = [survey.next_at, probe_at].into_iter().flatten().filter(|at| *at > now).min();
        let next = next.map_or(now.plus(REST), |at| at.min(now.plus(REST)));
        Some(Rest {
            version,
            until: paused_until.unwrap_or(next),
            is_paused: paused_until.is_some(),
            has_room: self.window.is_whole() && self.window.len() < HELD as usize,
            due_at: self.due_at,
        })
    }

    /// Waits for what is on its way, though not for long when the server stops, notes it, and lets others send.
    pub(super) async fn leave(mut self, stop: &mut watch::Receiver<bool>) -> End {
        let mut deadline = Instant::now() + ATTEMPT;
        if *stop.borrow() {
            deadline = Instant::now() + STOP / 2;
        }
        loop {
            tokio::select! {
                ended = timeout_at(deadline, self.flights.join_next_with_id()) => {
                    let Ok(Some(ended)) = ended else { break };
                    if let Err(error) = self.take_in(ended) {
                        tracing::debug!(%error, "a delivery was not sent");
                    }
                }
                Ok(()) = stop.changed() => deadline = deadline.min(Instant::now() + STOP / 2),
            }
        }
        // Nothing may be sent once others may.
        self.flights.shutdown().await;
        match self.note().await {
            Ok(true) => {}
            Ok(false) => return End::Lost,
            Err(error) => return End::Failed(error),
        }
        let rest = self.rest();
        let released = match rest.filter(|rest| rest.is_paused) {
            Some(rest) => self.shared.directory.webhook_pause(self.leased, rest.until).await,
            None => self.shared.directory.webhook_release(self.leased).await,
        };
        match released {
            Ok(()) => End::Done(rest),
            Err(error) => End::Failed(error),
        }
    }
}
