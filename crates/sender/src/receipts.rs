//! Receipts, as the directory takes them: many at once, and those of unknown messages again for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use muster_carrier::{Ack, Receipt, State};
use muster_domain::message::{self, ReceiptNews};
use muster_domain::{Directory, Store};
use tokio::time::Instant;

/// When a receipt of a message that is not known is looked at again: it may be faster than the note of its hand-over. Also
/// when the store is tried again, which may be back soon; not every carrier tells again what was not taken.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// A receipt that is not acknowledged yet.
pub(crate) struct Told {
    pub(crate) carrier: Arc<str>,
    pub(crate) receipt: Receipt,
    pub(crate) ack: Ack,
    /// How often it was looked at in vain.
    pub(crate) tries: usize,
}

/// What became of some receipts.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) noted: u64,
    /// Of messages that are not known, after all tries.
    pub(crate) unknown: u64,
    /// To be looked at again then.
    pub(crate) again: Vec<(Instant, Told)>,
}

/// What the directory calls what carriers say. `None` tells nothing.
fn read(state: State) -> Option<message::Receipt> {
    Some(match state {
        State::Queued => message::Receipt::Queued,
        State::Accepted => message::Receipt::Accepted,
        State::Delivered => message::Receipt::Delivered,
        State::Expired => message::Receipt::Expired,
        State::Undeliverable | State::Deleted | State::Rejected => message::Receipt::Rejected,
        State::Unknown => return None,
    })
}

impl Told {
    /// To be looked at again; or, after all tries, as it is.
    fn later(self) -> Result<(Instant, Self), Self> {
        match AGAIN.get(self.tries) {
            Some(after) => Ok((Instant::now() + *after, Self { tries: self.tries + 1, ..self })),
            None => Err(self),
        }
    }
}

/// Notes receipts of one carrier. If it cannot be done, even after some tries, none is acknowledged, so that the carrier
/// tells all again.
pub(crate) async fn note<S: Store>(directory: &Directory<S>, carrier: &str, all: Vec<Told>) -> Taken {
    let news = |told: &Told| {
        read(told.receipt.state).map(|receipt| ReceiptNews { carrier_id: told.receipt.id.clone(), receipt })
    };
    let mut taken = Taken::default();
    let mut unknown = match directory.receipts_note(carrier, all.iter().filter_map(news).collect()).await {
        Ok(unknown) => count(unknown),
        Err(error) => {
            taken.again = all.into_iter().filter_map(|told| told.later().ok()).collect();
            let later = taken.again.len();
            tracing::warn!(%error, carrier, later, "receipts were not stored; those are tried again, others are to come again");
            return taken;
        }
    };
    for told in all {
        let is_unknown = read(told.receipt.state).is_some()
            && unknown.get_mut(&told.receipt.id).is_some_and(|left| {
                let is_left = *left > 0;
                *left = left.saturating_sub(1);
                is_left
            });
        if !is_unknown {
            taken.noted += 1;
            told.ack.stored();
            continue;
        }
        match told.later() {
            Ok(later) => taken.again.push(later),
            Err(told) => {
                taken.unknown += 1;
                tracing::debug!(carrier, id = told.receipt.id, "a receipt is of no message that is known");
                told.ack.stored();
            }
        }
    }
    taken
}

fn count(news: Vec<ReceiptNews>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for news in news {
        *counts.entry(news.carrier_id).or_default() += 1;
    }
    counts
}
