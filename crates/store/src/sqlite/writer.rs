//! The writer lane: one thread that commits waiting batches in groups.
//!
//! Batches that wait when the thread is free share one transaction and one sync of the disk (`waiting.rs`). Each is
//! isolated from those before it by a savepoint and answered when the shared commit is durable.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use muster_domain::{Batch, Change, IdKind, StoreError, TenantId};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::BUSY_TIMEOUT;
use super::driver::Transaction;
use super::error::store_error;
use super::waiting::{Group, Waiting};
use crate::apply::{self, State};
use crate::driver::now;
use crate::group;
use crate::statements::tenant;

/// How long the last writes may take when the store is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long an erasure waits for readers of an old state, so that nothing of it is in the log when it is answered.
const PATIENCE: Duration = Duration::from_millis(200);
/// After so long without a job, or so many groups, it is tried again to empty the log of what was erased.
pub(super) const IDLE: Duration = Duration::from_secs(1);
const GROUPS_BETWEEN: usize = 256;

/// What the thread is asked for.
pub(super) enum Job {
    Commit(Box<Batch>, oneshot::Sender<Result<(), StoreError>>),
    ReserveIds { kind: IdKind, count: i64, reply: oneshot::Sender<Result<i64, StoreError>> },
}

impl Job {
    /// Whether nobody shall be able to read afterwards what was there before.
    fn erases(&self) -> bool {
        let Self::Commit(batch, _) = self else {
            return false;
        };
        batch.changes.iter().any(|change| matches!(change, Change::UserJournalForget(_)))
    }
}

impl Job {
    /// Whether others go first: nobody waits for an answer that rests on it.
    pub(super) fn yields(&self) -> bool {
        match self {
            Self::Commit(batch, _) => group::yields(batch),
            Self::ReserveIds { .. } => false,
        }
    }

    /// About how many rows it writes.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Commit(batch, _) => group::rows(batch),
            Self::ReserveIds { .. } => 1,
        }
    }
}

/// The handle of the thread.
pub(super) struct Writer {
    sender: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

fn gone() -> StoreError {
    StoreError::Unavailable("the store is closing".into())
}

impl Writer {
    pub(super) fn start(connection: Connection, queue: usize) -> io::Result<Self> {
        let (sender, jobs) = sync_channel(queue.max(1));
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(&connection, &jobs))?;
        Ok(Self { sender: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let (reply, done) = oneshot::channel();
        self.submit(Job::Commit(Box::new(batch), reply))?;
        done.await.map_err(|_| gone())?
    }

    /// Takes `count` ids and returns the first id after them.
    pub(super) async fn reserve_ids(&self, kind: IdKind, count: i64) -> Result<i64, StoreError> {
        let (reply, done) = oneshot::channel();
        self.submit(Job::ReserveIds { kind, count, reply })?;
        done.await.map_err(|_| gone())?
    }

    /// Hands a batch in without waiting for it.
    pub(super) fn submit_batch(&self, batch: Batch) -> Result<(), StoreError> {
        self.submit(Job::Commit(Box::new(batch), oneshot::channel().0))
    }

    /// Finishes what was handed in, then ends the thread. What is not finished in time is lost; nobody
    /// was told that it is stored.
    pub(super) async fn close(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join());
            match tokio::time::timeout(CLOSE_TIMEOUT, joined).await {
                Ok(Ok(Ok(()))) => {}
                Ok(_) => tracing::error!("the writer thread had failed"),
                Err(_) => tracing::error!("some writes did not finish in time and were given up"),
            }
        }
    }

    fn submit(&self, job: Job) -> Result<(), StoreError> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        match sender.as_ref().ok_or_else(gone)?.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(StoreError::Unavailable("too many writes are waiting".into())),
            Err(TrySendError::Disconnected(_)) => Err(gone()),
        }
    }
}

fn serve(connection: &Connection, jobs: &Receiver<Job>) {
    let mut log = Log { connection, tells_of_erased: false };
    let mut waiting = Waiting::new(jobs);
    let mut groups = 0_usize;
    while let Some(first) = waiting.first(&mut log) {
        groups = groups.wrapping_add(1);
        if groups.is_multiple_of(GROUPS_BETWEEN) {
            log.forget(Duration::ZERO);
        }
        commit_group(connection, &mut Group::new(first, &mut waiting), &mut log);
    }
    // A clean end leaves one file behind.
    let end = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    if let Err(error) = end {
        tracing::warn!(%error, "the store was closed without its last checkpoint");
    }
}

/// The write-ahead log, which keeps what a page was like before until it is written anew.
pub(super) struct Log<'a> {
    connection: &'a Connection,
    /// Whether it may still tell of what was erased.
    pub(super) tells_of_erased: bool,
}

impl Log<'_> {
    /// Brings all into the file and empties the log, if it tells of what was erased. A reader of an old state, such as a
    /// backup, keeps it for longer than `patience`, for which all writers wait; then it is tried again later.
    pub(super) fn forget(&mut self, patience: Duration) {
        if !self.tells_of_erased {
            return;
        }
        let busy = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
        let emptied = self
            .connection
            .busy_timeout(patience)
            .and_then(|()| self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], busy));
        match emptied {
            Ok(busy) => self.tells_of_erased = busy,
            Err(error) => tracing::warn!(%error, "the log was not emptied; it is tried again"),
        }
        if let Err(error) = self.connection.busy_timeout(BUSY_TIMEOUT) {
            tracing::error!(%error, "the writer does not wait for other processes any more");
        }
    }
}

/// The outcome of one job, before the shared commit.
enum Outcome {
    Commit(Result<(), StoreError>),
    Ids(Result<i64, StoreError>),
}

impl Outcome {
    fn is_failed(&self) -> bool {
        match self {
            Self::Commit(done) => done.is_err(),
            Self::Ids(done) => done.is_err(),
        }
    }
}

/// Why nothing of a group was done.
enum Lost {
    /// The file cannot be written at all now, so none of the jobs is worth another try.
    NotBegun(StoreError),
    /// Something in the group, or its commit, failed.
    Failed(StoreError),
}

fn commit_group(connection: &Connection, group: &mut Group<'_, '_>, log: &mut Log<'_>) {
    let done = try_group(connection, group);
    let jobs = std::mem::take(&mut group.jobs);
    match done {
        Ok(outcomes) => {
            if jobs.iter().any(Job::erases) {
                log.tells_of_erased = true;
                log.forget(PATIENCE);
            }
            for (job, outcome) in jobs.into_iter().zip(outcomes) {
                answer(job, outcome);
            }
        }
        Err(Lost::NotBegun(error)) => {
            tracing::warn!(%error, jobs = jobs.len(), "the store cannot be written");
            for job in jobs {
                refuse(job, error.clone());
            }
        }
        Err(Lost::Failed(error)) if jobs.len() == 1 => {
            for job in jobs {
                refuse(job, error.clone());
            }
        }
        Err(Lost::Failed(error)) => {
            tracing::warn!(%error, jobs = jobs.len(), "a group commit failed; each of its jobs is tried alone");
            for job in jobs {
                commit_group(connection, &mut Group::alone(job), log);
            }
        }
    }
}

/// Carries out all jobs in one transaction, and what the group takes meanwhile. An error means that nothing of it was done.
fn try_group(connection: &Connection, group: &mut Group<'_, '_>) -> Result<Vec<Outcome>, Lost> {
    if !connection.is_autocommit() {
        // The roll-back of a group before this one failed.
        execute(connection, "ROLLBACK").map_err(Lost::NotBegun)?;
    }
    execute(connection, "BEGIN IMMEDIATE").map_err(Lost::NotBegun)?;
    let done = in_transaction(connection, group).and_then(|outcomes| {
        execute(connection, "COMMIT").map_err(Lost::Failed)?;
        Ok(outcomes)
    });
    if done.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK").map_err(Lost::Failed)?;
    }
    done
}

fn in_transaction(connection: &Connection, group: &mut Group<'_, '_>) -> Result<Vec<Outcome>, Lost> {
    let mut states: HashMap<TenantId, State> = HashMap::new();
    let mut outcomes = Vec::new();
    let mut is_empty = true;
    while let Some(job) = group.jobs.get(outcomes.len()) {
        let outcome = match job {
            Job::Commit(batch, _) => {
                let state = states.entry(batch.tenant).or_default();
                Outcome::Commit(isolated(connection, is_empty, |connection| {
                    now(apply::batch(&mut Transaction(connection), batch, state))
                })?)
            }
            Job::ReserveIds { kind, count, .. } => {
                Outcome::Ids(isolated(connection, is_empty, |connection| reserve(connection, *kind, *count))?)
            }
        };
        is_empty = is_empty && outcome.is_failed();
        outcomes.push(outcome);
        group.take();
    }
    for (tenant, state) in &states {
        now(apply::write_state(&mut Transaction(connection), *tenant, state)).map_err(Lost::Failed)?;
    }
    Ok(outcomes)
}

/// Runs one job, of which nothing stays if it fails. The outer error means that the whole transaction is lost.
///
/// While the transaction is empty it is itself what is undone. A savepoint costs more: SQLite then copies each page that is
/// written for the first time, and a statement that may undo itself passes over all of these copies when it ends, which is
/// quadratic in jobs of thousands of rows.
fn isolated<T>(
    connection: &Connection,
    is_empty: bool,
    f: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<Result<T, StoreError>, Lost> {
    let execute = |sql| execute(connection, sql);
    if !is_empty {
        execute("SAVEPOINT job").map_err(Lost::Failed)?;
    }
    let done = f(connection);
    if let Err(error) = &done {
        // A full disk, for one, ends the transaction by itself.
        if connection.is_autocommit() {
            return Err(Lost::Failed(error.clone()));
        }
        if is_empty {
            execute("ROLLBACK").map_err(Lost::Failed)?;
            execute("BEGIN IMMEDIATE").map_err(Lost::NotBegun)?;
        } else {
            execute("ROLLBACK TO job").map_err(Lost::Failed)?;
        }
    }
    if !is_empty {
        execute("RELEASE job").map_err(Lost::Failed)?;
    }
    Ok(done)
}

fn reserve(connection: &Connection, kind: IdKind, count: i64) -> Result<i64, StoreError> {
    connection
        .prepare_cached(tenant::IDS_RESERVE.sqlite())
        .and_then(|mut statement| {
            statement.query_row(rusqlite::params![kind.as_str(), count], |row| row.get(0))
        })
        .map_err(store_error)
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute([]))
        .map(drop)
        .map_err(store_error)
}

/// Whoever asked may be gone; the job was done all the same.
fn answer(job: Job, outcome: Outcome) {
    match (job, outcome) {
        (Job::Commit(_, reply), Outcome::Commit(outcome)) => drop(reply.send(outcome)),
        (Job::ReserveIds { reply, .. }, Outcome::Ids(outcome)) => drop(reply.send(outcome)),
        (job, _) => refuse(job, StoreError::Internal("an answer of another job".into())),
    }
}

fn refuse(job: Job, error: StoreError) {
    match job {
        Job::Commit(_, reply) => drop(reply.send(Err(error))),
        Job::ReserveIds { reply, .. } => drop(reply.send(Err(error))),
    }
}
