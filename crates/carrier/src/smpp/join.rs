//! Joining the parts of a message of a phone, which come as messages of their own, in any order.
//!
//! Each part has to be acknowledged, but only when it is stored; and it is stored when all are there. A message centre that
//! sends no further part before the last is acknowledged would wait for ever, so a part is held for a moment only.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::deliver::Deliver;
use super::udh::Piece;
use crate::Ack;

/// How many messages may lack parts, and how many bytes of theirs are kept. When there is more, the oldest are given up.
const MAX_MESSAGES: usize = 1000;
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How long a part waits for the others before it is acknowledged without them.
const HOLD: Duration = Duration::from_secs(1);

/// By which the parts of a message are known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    from: String,
    to: String,
    reference: u16,
    total: u8,
}

#[derive(Debug)]
struct Pieces {
    begun: Instant,
    data_coding: u8,
    /// By their numbers, from 1.
    payloads: Vec<Option<Vec<u8>>>,
    acks: Vec<Ack>,
    is_acknowledged: bool,
}

/// A message whose parts are all there, or will not come any more.
#[derive(Debug)]
pub struct Joined {
    pub from: String,
    pub to: String,
    pub data_coding: u8,
    pub payload: Vec<u8>,
    /// How many parts are not there.
    pub missing: usize,
    /// Of those parts that are not acknowledged yet.
    pub acks: Vec<Ack>,
    /// Whether there are others, which the message centre will not give again.
    pub is_acknowledged: bool,
}

/// The messages that lack parts.
#[derive(Debug)]
pub struct Joiner {
    open: HashMap<Key, Pieces>,
    bytes: usize,
    /// How long to wait for a message's parts.
    patience: Duration,
}

impl Joiner {
    pub fn new(patience: Duration) -> Self {
        Self { open: HashMap::new(), bytes: 0, patience }
    }

    /// Adds a part. The message comes out when it was the last; also those that have to make room come out.
    pub fn add(&mut self, now: Instant, piece: Piece, deliver: Deliver, ack: Option<Ack>) -> Vec<Joined> {
        let Deliver { from, to, data_coding, payload, .. } = deliver;
        let key = Key { from, to, reference: piece.reference, total: piece.total };
        let pieces = self.open.entry(key.clone()).or_insert_with(|| Pieces {
            begun: now,
            data_coding,
            payloads: vec![None; usize::from(piece.total)],
            acks: Vec::new(),
            is_acknowledged: false,
        });
        pieces.acks.extend(ack);
        if let Some(place) = pieces.payloads.get_mut(usize::from(piece.number).saturating_sub(1)) {
            self.bytes += payload.len();
            // A part that comes again was not known to be here.
            let before = place.replace(payload);
            self.bytes -= before.map_or(0, |payload| payload.len());
        }
        let mut out = Vec::new();
        if pieces.payloads.iter().all(Option::is_some) {
            out.extend(self.take(&key));
        }
        while self.open.len() > MAX_MESSAGES || self.bytes > MAX_BYTES {
            let oldest = self.open.iter().min_by_key(|(_, pieces)| pieces.begun);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            out.extend(self.take(&key));
        }
        out
    }

    /// What has waited long enough: acknowledges parts that were held, and gives up a message whose parts do not come.
    pub fn expired(&mut self, now: Instant) -> Option<Joined> {
        let mut expired = None;
        for (key, pieces) in &mut self.open {
            let age = now.saturating_duration_since(pieces.begun);
            if age >= HOLD {
                pieces.is_acknowledged = true;
                pieces.acks.drain(..).for_each(Ack::stored);
            }
            if age >= self.patience {
                expired = Some(key.clone());
            }
        }
        self.take(&expired?)
    }

    /// Takes out the messages of which no part is acknowledged, which the message centre will give again as a whole.
    pub fn unacknowledged(&mut self) -> Vec<Joined> {
        let open = self.open.iter().filter(|(_, pieces)| !pieces.is_acknowledged);
        let keys: Vec<Key> = open.map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| self.take(key)).collect()
    }

    /// Gives up a message, whichever; for the end.
    pub fn any(&mut self) -> Option<Joined> {
        let key = self.open.keys().next()?.clone();
        self.take(&key)
    }

    fn take(&mut self, key: &Key) -> Option<Joined> {
        let (Key { from, to, .. }, pieces) = self.open.remove_entry(key)?;
        let missing = pieces.payloads.iter().filter(|payload| payload.is_none()).count();
        let payload: Vec<u8> = pieces.payloads.iter().flatten().flatten().copied().collect();
        self.bytes -= payload.len();
        let Pieces { data_coding, acks, is_acknowledged, .. } = pieces;
        Some(Joined { from, to, data_coding, payload, missing, acks, is_acknowledged })
    }
}

#[cfg(test)]
#[path = "join_tests.rs"]
mod tests;
