//! What a message centre delivers: receipts, and messages of phones.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muster_domain::Clock;
use rusmpp::CommandStatus;
use tokio::time::Instant;

use super::deliver::Deliver;
use super::join::{Joined, Joiner};
use super::session::{Clogged, Session};
use super::{pdu, receipt};
use crate::report::Reporter;
use crate::{Ack, Body, Event, Incoming, Receipt};

/// How many messages that the message centre does not give again wait for being stored.
const MAX_KEPT: usize = 1000;

/// The inbound half of a carrier, for all of its connections.
pub(super) struct Inbound {
    reporter: Reporter,
    clock: Arc<dyn Clock>,
    joiner: Mutex<Joiner>,
    /// Messages of which a part was acknowledged already, and that were not stored.
    kept: Arc<Mutex<Vec<Incoming>>>,
}

impl Inbound {
    pub(super) fn new(reporter: Reporter, clock: Arc<dyn Clock>, patience: Duration) -> Self {
        Self { reporter, clock, joiner: Mutex::new(Joiner::new(patience)), kept: Arc::default() }
    }

    /// Reports what was delivered. It is answered when it is stored, and until then the connection goes on.
    pub(super) fn take(
        &self,
        session: &Arc<Session>,
        sequence: u32,
        deliver: Deliver,
    ) -> Result<(), Clogged> {
        let answer = |status| session.answer(status, sequence, pdu::deliver_answer());
        if !session.begin_acknowledging() {
            return answer(CommandStatus::EsmeRxTAppn);
        }
        let ack = {
            let session = Arc::clone(session);
            Ack::new(move |stored| {
                session.end_acknowledging();
                // Not stored: a temporary error, after which it comes again (SMPP 3.4, section 5.1.3).
                let status = if stored { CommandStatus::EsmeRok } else { CommandStatus::EsmeRxTAppn };
                // If the connection is gone, it comes again too.
                _ = session.answer(status, sequence, pdu::deliver_answer());
            })
        };
        if receipt::is_receipt(&deliver) {
            if let Some(said) = receipt::read(&deliver) {
                self.report(Event::Receipt(self.receipt(said)), ack);
            } else {
                // It would say no more the next time.
                tracing::warn!(carrier = %self.reporter.carrier, "a receipt says not about which message it is");
                ack.stored();
            }
        } else if let Some(piece) = deliver.piece {
            let joined = self.joiner().add(Instant::now(), piece, deliver, Some(ack));
            for joined in joined {
                self.joined(joined);
            }
        } else {
            let Deliver { from, to, data_coding, payload, .. } = deliver;
            let acks = vec![ack];
            self.joined(Joined { from, to, data_coding, payload, missing: 0, acks, is_acknowledged: false });
        }
        Ok(())
    }

    /// Looks after what waits: to be called now and then.
    pub(super) fn tend(&self) {
        while self.reporter.has_room() {
            let expired = self.joiner().expired(Instant::now());
            match expired {
                Some(joined) => self.joined(joined),
                None => break,
            }
        }
        while self.reporter.has_room() {
            let Some(incoming) = lock(&self.kept).pop() else { break };
            self.keep_until_stored(incoming, Vec::new(), true);
        }
    }

    /// Reports what lacks parts as it is; for the end.
    pub(super) fn flush(&self) {
        while let Some(joined) = { self.joiner().any() } {
            self.joined(joined);
        }
    }

    fn joined(&self, mut joined: Joined) {
        let (acks, is_kept) = (std::mem::take(&mut joined.acks), joined.is_acknowledged);
        self.keep_until_stored(self.incoming(joined), acks, is_kept);
    }

    /// Reports a message. If it cannot be stored, the message centre is to give it again; but if it would not give all parts
    /// of it, because some were acknowledged, the whole is kept here.
    fn keep_until_stored(&self, incoming: Incoming, acks: Vec<Ack>, is_kept: bool) {
        let again = is_kept.then(|| (Arc::clone(&self.kept), incoming.clone()));
        let carrier = Arc::clone(&self.reporter.carrier);
        let ack = Ack::new(move |stored| {
            if stored || again.is_some() {
                acks.into_iter().for_each(Ack::stored);
            }
            let Some((kept, incoming)) = again.filter(|_| !stored) else { return };
            let mut kept = lock(&kept);
            if kept.len() < MAX_KEPT {
                kept.push(incoming);
            } else {
                tracing::error!(%carrier, "a message of a phone is lost: too many could not be stored");
            }
        });
        self.report(Event::Incoming(incoming), ack);
    }

    fn report(&self, event: Event, ack: Ack) {
        // Without room it is not acknowledged.
        _ = self.reporter.try_report(event, ack);
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
