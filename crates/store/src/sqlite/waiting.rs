//! What waits for the writer thread, and which of it shares a commit.
//!
//! What is noted of deliveries yields: a client waits for its write, but nobody for such a note. So whoever comes while such
//! jobs are carried out joins their transaction, which is then committed at once.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::writer::{IDLE, Job, Log};
use crate::group::{JOBS, ROWS};

/// About how many rows of jobs that yield share a commit.
const YIELDING_ROWS: usize = 256;
/// How many commits in a row leave them out while others are written.
const LEFT_OUT: usize = 3;

/// The jobs that wait.
pub(super) struct Waiting<'a> {
    jobs: &'a Receiver<Job>,
    /// Those that yield, in their order. There are no more of them than there are tasks that wait for one each.
    yielding: VecDeque<Job>,
    /// So many commits in a row had none of them.
    left_out: usize,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(jobs: &'a Receiver<Job>) -> Self {
        Self { jobs, yielding: VecDeque::new(), left_out: 0 }
    }

    /// Waits for a job; `None` when there are none and none can come. While the log is to be emptied, that is tried again
    /// whenever there is none for a while.
    pub(super) fn first(&mut self, log: &mut Log<'_>) -> Option<Job> {
        if let Some(job) = self.urgent().or_else(|| self.yielding.pop_front()) {
            return Some(job);
        }
        while log.tells_of_erased {
            match self.jobs.recv_timeout(IDLE) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Timeout) => log.forget(Duration::ZERO),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        self.jobs.recv().ok()
    }

    /// A job that waits and does not yield.
    fn urgent(&mut self) -> Option<Job> {
        while let Ok(job) = self.jobs.try_recv() {
            if !job.yields() {
                return Some(job);
            }
            self.yielding.push_back(job);
        }
        None
    }
}

/// Jobs that share a commit.
pub(super) struct Group<'a, 'b> {
    pub(super) jobs: Vec<Job>,
    /// Where more come from, if more shall.
    waiting: Option<&'a mut Waiting<'b>>,
    rows: usize,
    /// Rows of those that yield.
    yielding_rows: usize,
    /// Somebody waits for an answer.
    is_urgent: bool,
}

impl<'a, 'b> Group<'a, 'b> {
    /// With this job, and those that wait and do not yield. Where there are some of these, none that yield come along,
    /// unless they were left out for long enough.
    pub(super) fn new(first: Job, waiting: &'a mut Waiting<'b>) -> Self {
        let left_out = waiting.left_out;
        let mut group =
            Self { jobs: Vec::new(), waiting: Some(waiting), rows: 0, yielding_rows: 0, is_urgent: false };
        group.add(first);
        while group.take_urgent() {}
        if group.is_urgent && left_out >= LEFT_OUT {
            while group.take_yielding() {}
        }
        group
    }

    /// Of one job.
    pub(super) fn alone(job: Job) -> Self {
        Self { jobs: vec![job], waiting: None, rows: 0, yielding_rows: 0, is_urgent: true }
    }

    /// While all of its jobs yield: takes those that have come and do not, else one more that does.
    pub(super) fn take(&mut self) {
        if !self.is_urgent {
            while self.take_urgent() {}
        }
        if !self.is_urgent {
            self.take_yielding();
        }
    }

    fn take_urgent(&mut self) -> bool {
        let job =
            if self.is_full() { None } else { self.waiting.as_mut().and_then(|waiting| waiting.urgent()) };
        self.add_some(job)
    }

    fn take_yielding(&mut self) -> bool {
        let has_room = !self.is_full() && self.yielding_rows < YIELDING_ROWS;
        let waiting = self.waiting.as_mut().filter(|_| has_room);
        let job = waiting.and_then(|waiting| waiting.yielding.pop_front());
        self.add_some(job)
    }

    fn is_full(&self) -> bool {
        self.jobs.len() >= JOBS || self.rows >= ROWS
    }

    fn add_some(&mut self, job: Option<Job>) -> bool {
        let Some(job) = job else { return false };
        self.add(job);
        true
    }

    fn add(&mut self, job: Job) {
        let rows = job.rows();
        self.rows += rows;
        if job.yields() {
            self.yielding_rows += rows;
        } else {
            self.is_urgent = true;
        }
        self.jobs.push(job);
    }
}

impl Drop for Group<'_, '_> {
    fn drop(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.left_out = if self.yielding_rows > 0 { 0 } else { waiting.left_out + 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use muster_domain::webhook::Health;
    use muster_domain::{Batch, Change, TenantId, Timestamp, WebhookId};
    use tokio::sync::oneshot;
    use uuid::Uuid;

    use super::*;

    fn send(jobs: &SyncSender<Job>, changes: Vec<Change>) {
        let batch = Batch { changes, ..Batch::new(TenantId(1)) };
        jobs.send(Job::Commit(Box::new(batch), oneshot::channel().0)).unwrap();
    }

    fn send_note(jobs: &SyncSender<Job>) {
        let (id, owner, until) = (WebhookId(1), Uuid::nil(), Timestamp(0));
        send(jobs, vec![Change::WebhookKeep { id, owner, until, health: Health::default() }]);
    }

    fn send_urgent(jobs: &SyncSender<Job>) {
        send(jobs, vec![Change::WebhookRemove(WebhookId(1))]);
    }

    /// Of each job of the next group whether it yields.
    fn next_group(waiting: &mut Waiting<'_>) -> Vec<bool> {
        let first = waiting.urgent().or_else(|| waiting.yielding.pop_front()).unwrap();
        let mut group = Group::new(first, waiting);
        group.take();
        group.take();
        group.jobs.iter().map(Job::yields).collect()
    }

    #[test]
    fn notes_wait_for_others_but_not_for_ever() {
        let (jobs, receiver) = sync_channel(100);
        let mut waiting = Waiting::new(&receiver);
        for _ in 0..5 {
            send_note(&jobs);
        }
        for _ in 0..LEFT_OUT {
            send_urgent(&jobs);
            send_urgent(&jobs);
            assert_eq!(next_group(&mut waiting), [false, false]);
        }
        send_urgent(&jobs);
        assert_eq!(next_group(&mut waiting), [false, true, true, true, true, true]);
        send_note(&jobs);
        send_urgent(&jobs);
        assert_eq!(next_group(&mut waiting), [false], "it is left out anew");
        assert_eq!(next_group(&mut waiting), [true]);
    }

    #[test]
    fn who_comes_while_notes_are_written_joins_and_ends_the_group() {
        let (jobs, receiver) = sync_channel(100);
        let mut waiting = Waiting::new(&receiver);
        for _ in 0..5 {
            send_note(&jobs);
        }
        let first = waiting.urgent().or_else(|| waiting.yielding.pop_front()).unwrap();
        let mut group = Group::new(first, &mut waiting);
        group.take();
        send_urgent(&jobs);
        for _ in 0..5 {
            group.take();
        }
        assert_eq!(group.jobs.iter().map(Job::yields).collect::<Vec<_>>(), [true, true, false]);
        drop(group);
        assert_eq!(next_group(&mut waiting).len(), 3);
    }
}
