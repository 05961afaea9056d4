//! What a message centre delivers: receipts, and messages of phones.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muster_domain::Clock;
use rusmpp::CommandStatus;
use tokio::time::Instant;

use super::deliver::Deliver;
use super::join::{Joined, Joiner};
use super::session::{Clogged, Session};
use super::{pdu, receipt};
use crate::report::{Place, Reporter};
use crate::{Ack, Body, Event, Incoming, Receipt};

/// How many messages that the message centre does not give again wait for being stored.
const MAX_KEPT: usize = 1000;

/// The inbound half of a carrier, for all of its connections.
pub(super) struct Inbound {
    reporter: Reporter,
    clock: Arc<dyn Clock>,
    joiner: Mutex<Joiner>,
    kept: Arc<Kept>,
    /// The message centre names ids in hexadecimal, and in decimal in the texts of receipts.
    hex_ids: bool,
    /// Nothing more is taken.
    is_leaving: AtomicBool,
}

/// Messages of which a part was acknowledged already, and that were not stored.
struct Kept {
    carrier: Arc<str>,
    messages: Mutex<VecDeque<Incoming>>,
}

impl Kept {
    fn add(&self, incoming: Incoming) {
        let mut messages = lock(&self.messages);
        if messages.len() < MAX_KEPT {
            messages.push_back(incoming);
        } else {
            tracing::error!(carrier = %self.carrier, "a message of a phone is lost: too many could not be stored");
        }
    }

    fn take(&self) -> Option<Incoming> {
        lock(&self.messages).pop_front()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let count = lock(&self.messages).len();
        if count > 0 {
            tracing::error!(carrier = %self.carrier, count, "messages of phones are lost: they were not stored before the end");
        }
    }
}

impl Inbound {
    pub(super) fn new(reporter: Reporter, clock: Arc<dyn Clock>, patience: Duration, hex_ids: bool) -> Self {
        let kept = Kept { carrier: Arc::clone(&reporter.carrier), messages: Mutex::default() };
        let joiner = Mutex::new(Joiner::new(patience));
        let is_leaving = AtomicBool::new(false);
        Self { reporter, clock, joiner, kept: Arc::new(kept), hex_ids, is_leaving }
    }

    /// Reports what was delivered. It is answered when it is stored, and until then the connection goes on. If there is no
    /// room for it, it is given back.
    pub(super) fn take(
        &self,
        session: &Arc<Session>,
        sequence: u32,
        deliver: Deliver,
    ) -> Result<Option<Deliver>, Clogged> {
        if self.is_leaving() || self.reporter.is_closed() {
            session.answer(CommandStatus::EsmeRxTAppn, sequence, pdu::deliver_answer())?;
            return Ok(None);
        }
        let Some(place) = self.reporter.place() else { return Ok(Some(deliver)) };
        let Some(unacknowledged) = session.begin_acknowledging(sequence)? else { return Ok(Some(deliver)) };
        let mut place = Some(place);
        // Not stored: a temporary error, after which it comes again (SMPP 3.4, section 5.1.3).
        let ack = Ack::new(move |stored| {
            unacknowledged.answer(if stored { CommandStatus::EsmeRok } else { CommandStatus::EsmeRxTAppn });
        });
        if receipt::is_receipt(&deliver) {
            if let Some(said) = receipt::read_of(&deliver, self.hex_ids) {
                self.report(place, Event::Receipt(self.receipt(said)), ack);
            } else {
                // It would say no more the next time.
                tracing::warn!(carrier = %self.reporter.carrier, "a receipt says not about which message it is");
                ack.stored();
            }
        } else if let Some(piece) = deliver.piece {
            let joined = {
                let mut joiner = self.joiner();
                // It is looked at again behind the lock, or a part could stay here unanswered.
                if self.is_leaving() {
                    return Ok(None);
                }
                joiner.add(Instant::now(), piece, deliver, Some(ack))
            };
            for joined in joined {
                self.joined(place.take(), joined);
            }
        } else {
            let Deliver { from, to, data_coding, payload, .. } = deliver;
            let acks = vec![ack];
            let whole = Joined { from, to, data_coding, payload, missing: 0, acks, is_acknowledged: false };
            self.joined(place, whole);
        }
        Ok(None)
    }

    /// Waits until there is room for a report.
    pub(super) async fn room(&self) {
        self.reporter.room().await;
    }

    /// Looks after what waits: to be called now and then.
    pub(super) fn tend(&self) {
        while self.reporter.has_room() {
            let expired = self.joiner().expired(Instant::now());
            match expired {
                Some(joined) => self.joined(None, joined),
                None => break,
            }
        }
        while self.reporter.has_room() {
            let Some(incoming) = self.kept.take() else { break };
            let (event, ack) = self.until_stored(incoming, Vec::new(), true);
            self.report(None, event, ack);
        }
    }

    /// Takes nothing more. Parts that are held are not acknowledged, so that the message centre gives them again.
    pub(super) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Release);
        let given_back = self.joiner().unacknowledged();
        drop(given_back);
    }

    fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Acquire)
    }

    /// Reports what the message centre does not give again, as it is; for the end. Waits for room.
    pub(super) async fn flush(&self) {
        let count = lock(&self.kept.messages).len();
        for _ in 0..count {
            let Some(incoming) = self.kept.take() else { break };
            let (event, ack) = self.until_stored(incoming, Vec::new(), true);
            // If nobody is there, it is kept again, and told to be lost in the end.
            _ = self.reporter.report(event, ack).await;
        }
        while let Some(mut joined) = { self.joiner().any() } {
            if joined.is_acknowledged {
                let acks = std::mem::take(&mut joined.acks);
                let (event, ack) = self.until_stored(self.incoming(joined), acks, true);
                _ = self.reporter.report(event, ack).await;
            }
        }
    }

    fn joined(&self, place: Option<Place>, mut joined: Joined) {
        let (acks, is_kept) = (std::mem::take(&mut joined.acks), joined.is_acknowledged);
        let (event, ack) = self.until_stored(self.incoming(joined), acks, is_kept);
        self.report(place, event, ack);
    }

    /// What reports a message. If it cannot be stored, the message centre is to give it again; but if it would not give
    /// all parts of it, because some were acknowledged, the whole is kept here.
    fn until_stored(&self, incoming: Incoming, acks: Vec<Ack>, is_kept: bool) -> (Event, Ack) {
        let again = is_kept.then(|| (Arc::clone(&self.kept), incoming.clone()));
        let ack = Ack::new(move |stored| {
            if stored || again.is_some() {
                acks.into_iter().for_each(Ack::stored);
            }
            if let Some((kept, incoming)) = again.filter(|_| !stored) {
                kept.add(incoming);
            }
        });
        (Event::Incoming(incoming), ack)
    }

    fn report(&self, place: Option<Place>, event: Event, ack: Ack) {
        // Without room it is not acknowledged.
        if let Some(place) = place.or_else(|| self.reporter.place()) {
            place.report(event, ack);
        }
    }

    fn receipt(&self, said: receipt::Said) -> Receipt {
        Receipt { id: said.id, state: said.state, error: said.error, at: self.clock.now() }
    }

    fn incoming(&self, joined: Joined) -> Incoming {
        Incoming {
            id: None,
            from: joined.from,
            to: joined.to,
            body: body(joined.data_coding, joined.payload),
            missing: joined.missing,
            at: self.clock.now(),
        }
    }

    fn joiner(&self) -> MutexGuard<'_, Joiner> {
        lock(&self.joiner)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a text by its data coding (SMPP 3.4, section 5.2.19; from 0x10 on 3GPP TS 23.038, section 4).
pub fn body(data_coding: u8, payload: Vec<u8>) -> Body {
    match data_coding {
        0 | 0x10..=0x13 | 0xC0..=0xDF | 0xF0..=0xF3 => {
            // With other bytes than septets it is another default alphabet, most likely ISO 8859-1.
            if payload.iter().all(|byte| *byte < 0x80) {
                Body::Gsm(payload)
            } else {
                Body::Text(latin(&payload))
            }
        }
        1 | 3 => Body::Text(latin(&payload)),
        8 | 0x18..=0x1B | 0xE0..=0xEF => {
            let units = payload.chunks(2).map(|unit| match unit {
                [high, low] => u16::from_be_bytes([*high, *low]),
                // Half a character.
                _ => 0xFFFD,
            });
            Body::Text(
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect(),
            )
        }
        _ => Body::Binary(payload),
    }
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
