//! One chunk of claimed messages, from the claim to the last note.

use std::sync::Arc;
use std::time::Duration;

use muster_domain::message::{Claimed, Message, Noted, Outcome};
use muster_domain::{Directory, Store};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::Counts;
use crate::gate::{Answer, Hold, Job, Places};
use crate::gates::Gates;
use crate::outgoing::outgoing;

/// How long what came of some messages waits for the others: a commit is for many.
const CALM: Duration = Duration::from_millis(100);
/// From one try to write to a store that is not there to the next; each further one is twice as long.
pub(crate) const AGAIN: Duration = Duration::from_millis(200);
pub(crate) const LONGEST_AGAIN: Duration = Duration::from_secs(5);

/// What chunks have in common.
pub(crate) struct Shared<S> {
    pub(crate) directory: Arc<Directory<S>>,
    pub(crate) gates: Gates,
    pub(crate) counts: Arc<Counts>,
    /// How often claims are renewed.
    pub(crate) keep: Duration,
}

/// A chunk on its way.
struct Chunk<'s, S> {
    shared: &'s Shared<S>,
    claimed: Claimed,
    /// By their places; without those that are noted.
    messages: Vec<Option<Message>>,
    ready: Vec<(Message, Outcome)>,
    hold: Arc<Hold>,
}

/// Hands the messages of a chunk over and notes what comes of it. How many went back to those that wait.
pub(crate) async fn run<S: Store>(shared: &Shared<S>, mut claimed: Claimed, mut reserved: Places) -> usize {
    let messages: Vec<_> = std::mem::take(&mut claimed.messages).into_iter().map(Some).collect();
    if claimed.is_lost {
        let count = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        tracing::warn!(tenant = %claimed.tenant, count, "messages are settled that another process had claimed");
        shared.counts.recovered.add(count);
    }
    let hold = Arc::new(Hold::new(claimed.until));
    let mut chunk = Chunk { shared, claimed, messages, ready: Vec::new(), hold };
    // Never more than there are messages in the chunk.
    let (sender, mut answers) = mpsc::unbounded_channel();
    chunk.admit(&sender, &mut reserved);
    drop((sender, reserved));
    let mut keep = interval(shared.keep);
    keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    keep.reset();
    let mut returned = 0;
    let mut since = None;
    loop {
        let flush_at = since.map(|since: Instant| since + CALM);
        let flush = async {
            match flush_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            answer = answers.recv() => match answer {
                Some((place, answer)) => {
                    chunk.take(place, answer);
                    since = since.or_else(|| (!chunk.ready.is_empty()).then(Instant::now));
                }
                None => break,
            },
            () = flush => {
                returned += chunk.note().await;
                since = None;
            }
            _ = keep.tick() => chunk.keep().await,
        }
    }
    returned + chunk.note().await
}

impl<S: Store> Chunk<'_, S> {
    /// Gives each message to the gate of its carrier.
    fn admit(&mut self, sender: &mpsc::UnboundedSender<(usize, Answer)>, reserved: &mut Places) {
        let Claimed { tenant, is_lost, .. } = self.claimed;
        for place in 0..self.messages.len() {
            let Some(message) = &self.messages[place] else { continue };
            let Some(gate) = self.shared.gates.route(tenant, message.phone.as_str()) else {
                self.take(place, Answer::Outcome(Outcome::NoOperator));
                continue;
            };
            if is_lost && !gate.recognises_repeats() {
                self.take(place, Answer::Outcome(Outcome::Unknown));
                continue;
            }
            let job = Job {
                place,
                tenant,
                message: outgoing(message),
                hold: Arc::clone(&self.hold),
                answer: sender.clone(),
                is_doubtful: is_lost,
            };
            gate.admit(job, reserved);
        }
    }

    fn take(&mut self, place: usize, answer: Answer) {
        let Answer::Outcome(outcome) = answer else { return };
        if let Some(message) = self.messages.get_mut(place).and_then(Option::take) {
            self.ready.push((message, outcome));
        }
    }

    /// Notes what has come of messages. It is tried again for as long as the store is not there; how many went back.
    async fn note(&mut self) -> usize {
        if self.ready.is_empty() {
            return 0;
        }
        let outcomes = std::mem::take(&mut self.ready);
        let mut wait = AGAIN;
        let noted = loop {
            match self.shared.directory.messages_note(&self.claimed, outcomes.clone()).await {
                Ok(noted) => break noted,
                Err(error) => {
                    tracing::warn!(%error, tenant = %self.claimed.tenant, "what became of messages is not noted yet");
                    sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_AGAIN);
                }
            }
        };
        self.count(&outcomes, noted)
    }

    fn count(&self, outcomes: &[(Message, Outcome)], noted: Noted) -> usize {
        let of = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, outcome)| is(outcome)).count();
        let long = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let counts = &self.shared.counts;
        let tenant = self.claimed.tenant;
        counts.handed_over.add(long(of(|outcome| matches!(outcome, Outcome::Accepted { .. }))));
        counts.refused.add(long(of(|outcome| {
            matches!(outcome, Outcome::Refused | Outcome::NoOperator | Outcome::Maintenance)
        })));
        let unknown = long(of(|outcome| matches!(outcome, Outcome::Unknown)));
        if unknown > 0 {
            counts.unknown.add(unknown);
            tracing::warn!(%tenant, unknown, "it is not known whether messages were handed over; they are not sent again");
        }
        if noted.lost > 0 {
            counts.late.add(noted.lost);
            tracing::warn!(%tenant, late = noted.lost, "another process has settled messages before");
        }
        let returned = of(|outcome| matches!(outcome, Outcome::Later(_)));
        counts.deferred.add(long(returned));
        returned
    }

    /// If this fails for too long, what was not begun is not begun any more.
    async fn keep(&mut self) {
        match self.shared.directory.messages_keep(&mut self.claimed).await {
            // Fewer than were claimed: receipts were faster than notes.
            Ok(1..) => self.hold.renew(self.claimed.until),
            Ok(0) => {}
            Err(error) => {
                tracing::warn!(%error, tenant = %self.claimed.tenant, "a claim on messages was not renewed");
            }
        }
    }
}
