//! Holding back what a message centre delivers while there is no room for it.
//!
//! Then the connection is not read, so that the message centre cannot write (the flow control of TCP) and becomes as slow
//! as whoever stores. Not every message centre sends again what it was told to send again. But the answers to our own
//! submissions stand behind what is held back, so nothing is held for longer than these can bear.

use std::sync::Arc;
use std::time::Duration;

use rusmpp::CommandStatus;
use tokio::time::Instant;

use super::deliver::Deliver;
use super::inbound::Inbound;
use super::pdu;
use super::session::{Clogged, Session};

/// The longest time for which anything is held. Message centres wait for an acknowledgement for half a minute or so.
const LONGEST: Duration = Duration::from_secs(10);
/// Of the time that an answer to us may take, the part after which nothing is held any more.
const PART: u32 = 3;

/// What one connection holds back.
pub(super) struct Hold {
    held: Option<Held>,
    patience: Duration,
    /// One of our submissions has waited for too long: what finds no room is turned away until its answer is read.
    is_pressed: bool,
    /// What was held has found no room in time: so is what comes after it, until something is taken.
    is_spent: bool,
}

struct Held {
    sequence: u32,
    deliver: Deliver,
    since: Instant,
}

impl Hold {
    pub(super) fn new(response_timeout: Duration) -> Self {
        Self {
            held: None,
            patience: (response_timeout / PART).min(LONGEST),
            is_pressed: false,
            is_spent: false,
        }
    }

    /// Whether something is held, and nothing else is to be read before it.
    pub(super) fn is_on(&self) -> bool {
        self.held.is_some()
    }

    /// Looks whether our submissions can wait: to be called now and then.
    pub(super) fn look(&mut self, session: &Session, now: Instant) {
        self.is_pressed = session.oldest().is_some_and(|oldest| self.is_over(oldest, now));
    }

    /// Takes what was delivered, or holds it.
    pub(super) fn take(
        &mut self,
        inbound: &Inbound,
        session: &Arc<Session>,
        sequence: u32,
        deliver: Deliver,
    ) -> Result<(), Clogged> {
        self.offer(inbound, session, Held { sequence, deliver, since: Instant::now() })
    }

    /// Tries again to take what is held; when it has been held for too long it is turned away.
    pub(super) fn again(&mut self, inbound: &Inbound, session: &Arc<Session>) -> Result<(), Clogged> {
        match self.held.take() {
            Some(held) => self.offer(inbound, session, held),
            None => Ok(()),
        }
    }

    fn offer(&mut self, inbound: &Inbound, session: &Arc<Session>, held: Held) -> Result<(), Clogged> {
        let Held { sequence, deliver, since } = held;
        let Some(deliver) = inbound.take(session, sequence, deliver)? else {
            self.is_spent = false;
            return Ok(());
        };
        self.is_spent |= self.is_over(since, Instant::now());
        if self.is_pressed || self.is_spent {
            return session.answer(CommandStatus::EsmeRxTAppn, sequence, pdu::deliver_answer());
        }
        self.held = Some(Held { sequence, deliver, since });
        Ok(())
    }

    fn is_over(&self, since: Instant, now: Instant) -> bool {
        now.saturating_duration_since(since) >= self.patience
    }
}
