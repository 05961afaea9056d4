//! What one connection to a message centre is waiting for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use rusmpp::pdus::SubmitSm;
use rusmpp::{CommandStatus, Pdu};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::pdu;

/// The highest sequence number (SMPP 3.4, section 3.2).
const LAST: u32 = 0x7FFF_FFFF;
/// How many messages of phones and receipts may be without an acknowledgement; of more, the message centre is told to
/// come again.
const UNACKNOWLEDGED: usize = 1000;
/// Room for PDUs to be written, beside those of the window and the acknowledgements. A message centre that asks and asks
/// but does not read our answers is left.
const SPARE: usize = 256;

/// What became of a submission.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was taken, under this id.
    Taken(Option<String>),
    /// It was not.
    Refused(CommandStatus),
    /// It was written, perhaps in part, and nothing was heard of it.
    Lost(&'static str),
    /// Nothing of it was written.
    NotSent,
}

/// A PDU to be written.
pub(super) struct Out {
    /// Of a submission, which may have been given up by now.
    pub(super) submission: Option<u32>,
    pub(super) bytes: BytesMut,
}

/// One connection, once it is bound.
pub(super) struct Session {
    out: mpsc::Sender<Out>,
    /// A place for each submission that may be without an answer.
    pub(super) window: Arc<Semaphore>,
    size: usize,
    pending: Mutex<Pending>,
    unacknowledged: AtomicUsize,
}

struct Pending {
    waiting: HashMap<u32, Waiting>,
    last: u32,
    is_closed: bool,
}

struct Waiting {
    /// `None` when nobody waits any more; the place in the window is kept, since the message centre may still be at it.
    reply: Option<oneshot::Sender<Answer>>,
    deadline: Instant,
    is_written: bool,
    _place: OwnedSemaphorePermit,
}

impl Session {
    /// A session with nothing on its way, and what is to be written of it.
    pub(super) fn new(window: u32) -> (Self, mpsc::Receiver<Out>) {
        let size = usize::try_from(window).unwrap_or(1);
        let (out, queue) = mpsc::channel(size + UNACKNOWLEDGED + SPARE);
        let pending = Pending { waiting: HashMap::with_capacity(size), last: 0, is_closed: false };
        let session = Self {
            out,
            window: Arc::new(Semaphore::new(size)),
            size,
            pending: Mutex::new(pending),
            unacknowledged: AtomicUsize::new(0),
        };
        (session, queue)
    }

    /// Sends a submission and waits for its answer, `limit` long at most.
    pub(super) async fn submit(
        &self,
        submission: SubmitSm,
        place: OwnedSemaphorePermit,
        limit: Duration,
    ) -> Answer {
        let (reply, answer) = oneshot::channel();
        {
            let mut pending = self.pending();
            if pending.is_closed {
                return Answer::NotSent;
            }
            let sequence = pending.sequence();
            let bytes = pdu::write(CommandStatus::EsmeRok, sequence, submission);
            if self.out.try_send(Out { submission: Some(sequence), bytes }).is_err() {
                return Answer::NotSent;
            }
            let deadline = Instant::now() + limit;
            let waiting = Waiting { reply: Some(reply), deadline, is_written: false, _place: place };
            pending.waiting.insert(sequence, waiting);
        }
        answer.await.unwrap_or(Answer::Lost("the connection broke"))
    }

    /// Sends a request of the connection's own.
    pub(super) fn ask(&self, pdu: impl Into<Pdu>) -> Result<(), Clogged> {
        let sequence = self.pending().sequence();
        self.send(pdu::write(CommandStatus::EsmeRok, sequence, pdu))
    }

    /// Sends an answer.
    pub(super) fn answer(
        &self,
        status: CommandStatus,
        sequence: u32,
        pdu: impl Into<Pdu>,
    ) -> Result<(), Clogged> {
        self.send(pdu::write(status, sequence, pdu))
    }

    fn send(&self, bytes: BytesMut) -> Result<(), Clogged> {
        self.out.try_send(Out { submission: None, bytes }).map_err(|_| Clogged)
    }

    /// Whether a submission is still to be written; from now on it may have been taken.
    pub(super) fn begin_writing(&self, sequence: u32) -> bool {
        let mut pending = self.pending();
        let waiting = pending.waiting.get_mut(&sequence);
        waiting.map(|waiting| waiting.is_written = true).is_some()
    }

    /// The message centre has answered. What it answers to nothing is left alone.
    pub(super) fn answered(&self, sequence: u32, answer: Answer) {
        let waiting = self.pending().waiting.remove(&sequence);
        if let Some(reply) = waiting.and_then(|waiting| waiting.reply) {
            _ = reply.send(answer);
        }
    }

    /// Gives up what was not answered in time. The error is that the whole window is taken by such.
    pub(super) fn expire(&self, now: Instant) -> Result<(), Clogged> {
        let mut pending = self.pending();
        pending.waiting.retain(|_, waiting| {
            if waiting.deadline > now {
                return true;
            }
            let Some(reply) = waiting.reply.take() else { return true };
            let answer = if waiting.is_written { Answer::Lost("no answer in time") } else { Answer::NotSent };
            _ = reply.send(answer);
            waiting.is_written
        });
        let late = pending.waiting.values().filter(|waiting| waiting.reply.is_none()).count();
        if late >= self.size { Err(Clogged) } else { Ok(()) }
    }

    /// Whether nobody waits for an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.pending().waiting.values().all(|waiting| waiting.reply.is_none())
    }

    /// Takes no further submissions; who waits for a place in the window is turned away.
    pub(super) fn close(&self) {
        self.pending().is_closed = true;
        self.window.close();
    }

    /// The connection is gone: says so to all who wait.
    pub(super) fn end(&self) {
        self.close();
        for (_, waiting) in self.pending().waiting.drain() {
            let answer =
                if waiting.is_written { Answer::Lost("the connection broke") } else { Answer::NotSent };
            _ = waiting.reply.map(|reply| reply.send(answer));
        }
    }

    /// Counts something that is to be acknowledged; false if there is too much of it.
    pub(super) fn begin_acknowledging(&self) -> bool {
        let before = self.unacknowledged.fetch_add(1, Ordering::AcqRel);
        if before >= UNACKNOWLEDGED {
            self.end_acknowledging();
        }
        before < UNACKNOWLEDGED
    }

    pub(super) fn end_acknowledging(&self) {
        self.unacknowledged.fetch_sub(1, Ordering::AcqRel);
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// The next number, from 1; those that wait for an answer are passed over.
    fn sequence(&mut self) -> u32 {
        loop {
            self.last = if self.last >= LAST { 1 } else { self.last + 1 };
            if !self.waiting.contains_key(&self.last) {
                return self.last;
            }
        }
    }
}

/// More is to be written, or to be answered, than a sound message centre lets come together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clogged;
