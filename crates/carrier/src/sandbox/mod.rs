//! A carrier that carries nothing: it takes messages and says soon that they were delivered, or whatever the last four
//! digits of the number ask for.
//!
//! | Number ends in | What becomes of the message |
//! |---|---|
//! | 9901 | refused: blocked |
//! | 9902 | refused: there is no such number |
//! | 9903 | refused: no route |
//! | 9911 | taken, and it expires |
//! | 9912 | taken, and it is rejected |
//! | 9913 | taken, and it cannot be delivered |
//! | 9914 | taken, queued, and delivered after another delay |
//! | 9915 | taken, and nothing is ever heard of it |
//! | 9921 | slow: taken after the delay, delivered after another |
//! | 9922 | throttled twice, then taken |
//! | 9923 | unreachable: the carrier is not available |
//! | 9924 | taken, but the first time it is not known whether it is |
//! | any other | taken, and delivered |
//!
//! A part's id is the message's reference and the part's number, so that a repeated message has the same ids.

mod script;
mod timeline;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use muster_domain::Clock;
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::config::{Faults, millis};
use crate::report::Reporter;
use crate::{Ack, Body, Carrier, Event, Failed, HandedOver, Incoming, NotStored, Outgoing, Sources, State};
use script::{Fate, Script};
use timeline::Timeline;

/// How long whoever stores an injected message may take.
const STORE: Duration = Duration::from_secs(10);
/// When a throttled message may be tried again.
const THROTTLED: Duration = Duration::from_millis(50);
/// It would take any number; those that it is slow with wait here.
const WINDOW: usize = 1000;
/// How many messages whose fate changes are remembered; of more, the trouble is spared.
const MOST_TURNS: usize = 10_000;
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// The settings of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// From the hand-over to the receipt.
    #[serde(rename = "delay_ms", deserialize_with = "millis")]
    pub delay: Duration,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { delay: Duration::from_secs(1) }
    }
}

impl SandboxConfig {
    pub(crate) fn validate(&self, faults: &mut Faults<'_>) {
        faults.unless(self.delay <= LONGEST_DELAY, "delay_ms", "must be at most 3600000");
    }
}

/// The sandbox.
#[derive(Debug)]
pub struct Sandbox {
    delay: Duration,
    timeline: Timeline,
    reporter: Reporter,
    clock: SharedClock,
    /// How often a message was handed over whose fate changes from time to time, by its reference.
    turns: Mutex<HashMap<String, u32>>,
}

#[derive(Clone)]
struct SharedClock(Arc<dyn Clock>);

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Sandbox {
    pub(crate) fn start(config: &SandboxConfig, reporter: Reporter, sources: &Sources) -> Self {
        let clock = SharedClock(Arc::clone(&sources.clock));
        let timeline = Timeline::start(reporter.clone(), Arc::clone(&clock.0));
        Self { delay: config.delay, timeline, reporter, clock, turns: Mutex::default() }
    }

    /// Plays a phone that sends a message; ends when it is stored.
    pub async fn receive(&self, from: &str, to: &str, text: &str) -> Result<(), NotStored> {
        let incoming = Incoming {
            id: None,
            from: from.to_owned(),
            to: to.to_owned(),
            body: Body::Text(text.to_owned()),
            missing: 0,
            at: self.clock.0.now(),
        };
        let (sender, answer) = oneshot::channel();
        let ack = Ack::new(move |stored| _ = sender.send(stored));
        let stored = async {
            self.reporter.report(Event::Incoming(incoming), ack).await?;
            answer.await.map_err(|_| NotStored)
        };
        match timeout(STORE, stored).await {
            Ok(Ok(true)) => Ok(()),
            _ => Err(NotStored),
        }
    }

    async fn take(&self, message: Outgoing) -> Result<HandedOver, Failed> {
        message.check()?;
        if self.timeline.is_closed() {
            return Err(Failed::unavailable("the carrier is closed"));
        }
        let taken = |script: Script| self.plan(&message, &script.receipts(self.delay));
        match Fate::of(&message.to) {
            Fate::Refused(reason) => Err(Failed::refused(reason, "the number asks for it")),
            Fate::Taken(script) => taken(script),
            Fate::Slow => {
                sleep(self.delay).await;
                taken(Script::Delivered)
            }
            Fate::Throttled if self.is_in_trouble(&message.reference, 2) => {
                Err(Failed::Throttled { after: THROTTLED })
            }
            Fate::Throttled => taken(Script::Delivered),
            Fate::Unreachable => Err(Failed::unavailable("the number asks for it")),
            Fate::Unknown => {
                let handed_over = taken(Script::Delivered)?;
                if self.is_in_trouble(&message.reference, 1) {
                    return Err(Failed::unknown("the number asks for it"));
                }
                Ok(handed_over)
            }
        }
    }

    /// Whether this is one of the first so many times that this message is handed over; after them it begins anew.
    fn is_in_trouble(&self, reference: &str, times: u32) -> bool {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let before = turns.get(reference).copied().unwrap_or_default();
        if before >= times || (before == 0 && turns.len() >= MOST_TURNS) {
            turns.remove(reference);
            return false;
        }
        turns.insert(reference.to_owned(), before + 1);
        true
    }

    /// Takes the message, and sees to its receipts.
    fn plan(&self, message: &Outgoing, receipts: &[(Duration, State)]) -> Result<HandedOver, Failed> {
        let ids: Vec<String> =
            (1..=message.parts.len()).map(|part| format!("{}.{part}", message.reference)).collect();
        if message.want_receipt {
            self.timeline.add(&ids, receipts)?;
        }
        Ok(HandedOver { ids: ids.into_iter().map(Some).collect() })
    }
}

impl Carrier for Sandbox {
    fn submit(&self, message: Outgoing) -> BoxFuture<'_, Result<HandedOver, Failed>> {
        Box::pin(self.take(message))
    }

    fn recognises_repeats(&self) -> bool {
        true
    }

    fn window(&self) -> usize {
        WINDOW
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.timeline.close();
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests;
