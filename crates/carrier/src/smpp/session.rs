//! What one connection to a message centre is waiting for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use rusmpp::pdus::SubmitSm;
use rusmpp::{CommandStatus, Pdu};
use tokio::sync::mpsc::OwnedPermit;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::pdu;

/// The highest sequence number (SMPP 3.4, section 3.2).
const LAST: u32 = 0x7FFF_FFFF;
/// How many messages of phones and receipts may be without an acknowledgement; with more, the connection is not read.
/// Receipts that are faster than the notes of their hand-overs wait for a quarter of a second.
const UNACKNOWLEDGED: usize = 4000;
/// Room for PDUs to be written, beside those of the window and the acknowledgements. A message centre that asks and asks
/// but does not read our answers is left.
const SPARE: usize = 256;
/// For how many times the limit more the place of a submission that was not answered in time is kept: the message centre
/// may still be at it.
const PATIENCE: u32 = 2;

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
    /// Something was written, so that there is more room for answers.
    pub(super) written: Notify,
}

struct Pending {
    waiting: HashMap<u32, Waiting>,
    last: u32,
    is_closed: bool,
    /// When a submission was answered last.
    answered: Option<Instant>,
    /// How many places of the window are there only when one was.
    held_back: usize,
}

struct Waiting {
    /// `None` when nobody waits any more; the place in the window is kept, since the message centre may still be at it.
    reply: Option<oneshot::Sender<Answer>>,
    deadline: Instant,
    /// When its place is free again, though nothing was heard of it.
    free: Instant,
    written: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

/// Something that was delivered to us and has to be acknowledged. The room for the answer is kept.
pub(super) struct Unacknowledged {
    session: Arc<Session>,
    sequence: u32,
    place: OwnedPermit<Out>,
}

impl Unacknowledged {
    /// Answers; if the connection is gone, it comes again.
    pub(super) fn answer(self, status: CommandStatus) {
        let bytes = pdu::write(status, self.sequence, pdu::deliver_answer());
        self.place.send(Out { submission: None, bytes });
        self.session.unacknowledged.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Session {
    /// A session with nothing on its way, and what is to be written of it. One that is on trial sends one submission, and
    /// more when that was answered.
    pub(super) fn new(window: u32, is_on_trial: bool) -> (Self, mpsc::Receiver<Out>) {
        let size = usize::try_from(window).unwrap_or(1);
        let held_back = if is_on_trial { size.saturating_sub(1) } else { 0 };
        let (out, queue) = mpsc::channel(size + UNACKNOWLEDGED + SPARE);
        let waiting = HashMap::with_capacity(size);
        let pending = Pending { waiting, last: 0, is_closed: false, answered: None, held_back };
        let session = Self {
            out,
            window: Arc::new(Semaphore::new(size - held_back)),
            size,
            pending: Mutex::new(pending),
            unacknowledged: AtomicUsize::new(0),
            written: Notify::new(),
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
            let free = deadline + limit * PATIENCE;
            let waiting = Waiting { reply: Some(reply), deadline, free, written: None, _place: place };
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
        waiting.map(|waiting| waiting.written = Some(Instant::now())).is_some()
    }

    /// Whether any submission was answered.
    pub(super) fn was_answered(&self) -> bool {
        self.pending().answered.is_some()
    }

    /// The message centre has answered. What it answers to nothing is left alone.
    pub(super) fn answered(&self, sequence: u32, answer: Answer) {
        let (waiting, held_back) = {
            let mut pending = self.pending();
            pending.answered = Some(Instant::now());
            (pending.waiting.remove(&sequence), std::mem::take(&mut pending.held_back))
        };
        self.window.add_permits(held_back);
        if let Some(reply) = waiting.and_then(|waiting| waiting.reply) {
            _ = reply.send(answer);
        }
    }

    /// Gives up what was not answered in time. The error is that the message centre takes submissions and answers none: one
    /// is late, and nothing was answered since it was written; or the whole window is taken by such as are late.
    pub(super) fn expire(&self, now: Instant) -> Result<(), Clogged> {
        let mut pending = self.pending();
        let answered = pending.answered;
        let mut is_hanging = false;
        pending.waiting.retain(|_, waiting| {
            if waiting.deadline > now {
                return true;
            }
            if let Some(reply) = waiting.reply.take() {
                let is_written = waiting.written.is_some();
                let answer = if is_written { Answer::Lost("no answer in time") } else { Answer::NotSent };
                _ = reply.send(answer);
            }
            let Some(written) = waiting.written else { return false };
            is_hanging |= answered.is_none_or(|answered| answered < written);
            waiting.free > now
        });
        let late = pending.waiting.values().filter(|waiting| waiting.reply.is_none()).count();
        if is_hanging || late >= self.size { Err(Clogged) } else { Ok(()) }
    }

    /// When the submission was written that has waited longest for its answer.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let pending = self.pending();
        pending.waiting.values().filter(|one| one.reply.is_some()).filter_map(|one| one.written).min()
    }

    /// Whether one more may be without an acknowledgement.
    pub(super) fn may_deliver(&self) -> bool {
        self.unacknowledged.load(Ordering::Acquire) < UNACKNOWLEDGED
    }

    /// Whether nobody waits for an answer, on either side.
    pub(super) fn is_idle(&self) -> bool {
        let is_answered = self.pending().waiting.values().all(|waiting| waiting.reply.is_none());
        is_answered && self.unacknowledged.load(Ordering::Acquire) == 0
    }

    /// Whether there is room for the answers to some more PDUs.
    pub(super) fn has_room(&self) -> bool {
        self.out.capacity() >= SPARE / 2
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
            let answer = if waiting.written.is_some() {
                Answer::Lost("the connection broke")
            } else {
                Answer::NotSent
            };
            _ = waiting.reply.map(|reply| reply.send(answer));
        }
    }

    /// Counts something that is to be acknowledged, and keeps room for the answer; `None` if there is too much of it. The
    /// error is that answers are not read.
    pub(super) fn begin_acknowledging(
        self: &Arc<Self>,
        sequence: u32,
    ) -> Result<Option<Unacknowledged>, Clogged> {
        if !self.may_deliver() {
            return Ok(None);
        }
        let place = self.out.clone().try_reserve_owned().map_err(|_| Clogged)?;
        // One task reads the connection, so that nobody else counts up.
        self.unacknowledged.fetch_add(1, Ordering::AcqRel);
        Ok(Some(Unacknowledged { session: Arc::clone(self), sequence, place }))
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

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// Submits something that is written, and says under which number.
    async fn written(
        session: &Arc<Session>,
        queue: &mut mpsc::Receiver<Out>,
    ) -> (u32, tokio::task::JoinHandle<Answer>) {
        let place = Arc::clone(&session.window).try_acquire_owned().unwrap();
        let ours = Arc::clone(session);
        let answer = tokio::spawn(async move { ours.submit(SubmitSm::default(), place, LIMIT).await });
        let sequence = queue.recv().await.unwrap().submission.unwrap();
        assert!(session.begin_writing(sequence));
        (sequence, answer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_again_though_nothing_is_ever_heard() {
        let (session, mut queue) = Session::new(2, false);
        let session = Arc::new(session);
        let (_, late) = written(&session, &mut queue).await;
        tokio::time::advance(LIMIT / 2).await;
        // Another is answered, so that the message centre is well.
        let (sequence, _) = written(&session, &mut queue).await;
        session.answered(sequence, Answer::Taken(None));
        tokio::time::advance(LIMIT / 2).await;
        assert!(session.expire(Instant::now()).is_ok());
        assert!(matches!(late.await, Ok(Answer::Lost(_))));
        assert_eq!(session.window.available_permits(), 1, "it may be answered yet");
        tokio::time::advance(LIMIT * PATIENCE).await;
        assert!(session.expire(Instant::now()).is_ok());
        assert_eq!(session.window.available_permits(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_nothing_since_a_submission_hangs() {
        let (session, mut queue) = Session::new(100, false);
        let session = Arc::new(session);
        let (sequence, _) = written(&session, &mut queue).await;
        session.answered(sequence, Answer::Taken(None));
        tokio::time::advance(Duration::from_secs(1)).await;
        let (_, _late) = written(&session, &mut queue).await;
        assert!(session.expire(Instant::now() + LIMIT / 2).is_ok());
        assert!(session.expire(Instant::now() + LIMIT).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn on_trial_one_goes_before_the_others() {
        let (session, mut queue) = Session::new(10, true);
        let session = Arc::new(session);
        assert_eq!(session.window.available_permits(), 1);
        let (sequence, _) = written(&session, &mut queue).await;
        assert!(!session.was_answered());
        session.answered(sequence, Answer::Refused(CommandStatus::EsmeRthrottled));
        assert!(session.was_answered());
        assert_eq!(session.window.available_permits(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_is_written_an_acknowledgement_has_its_place() {
        let (session, mut queue) = Session::new(1, false);
        let session = Arc::new(session);
        let mut all = Vec::new();
        while let Ok(Some(one)) = session.begin_acknowledging(7) {
            all.push(one);
        }
        assert_eq!(all.len(), UNACKNOWLEDGED);
        while session.ask(Pdu::EnquireLink).is_ok() {}
        assert!(!session.has_room() && !session.is_idle());
        for one in all {
            one.answer(CommandStatus::EsmeRok);
        }
        assert!(session.is_idle());
        let mut written = 0;
        while queue.try_recv().is_ok() {
            written += 1;
        }
        assert_eq!(written, 1 + UNACKNOWLEDGED + SPARE);
    }
}
