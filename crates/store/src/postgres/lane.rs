//! Writer lanes: tasks, each with a connection of its own, that commit waiting batches in groups. The batches of a
//! tenant go to one lane, in their order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use muster_domain::{Batch, StoreError, TenantId};
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::connection::{Connection, Connector};
use super::error::{Remedy, judge};
use super::pipeline::{ALL, Failure, Pipeline};
use crate::apply::{self, State};
use crate::driver::{Wanted, Write as _};
use crate::group;
use crate::statements::postgres;
use crate::value::values;

/// How often a group is tried that the database gives up for another transaction, or that loses its connection.
const TRIES: u32 = 5;
/// How long the last writes may take when the store is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(1500);

struct Job {
    batch: Box<Batch>,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

/// The handle of the lanes.
pub(super) struct Lanes {
    senders: Mutex<Option<Vec<Sender<Job>>>>,
    tasks: Mutex<JoinSet<()>>,
}

fn gone() -> StoreError {
    StoreError::Unavailable("the store is closing".into())
}

impl Lanes {
    pub(super) fn start(connector: &Arc<Connector>, lanes: usize, queue: usize) -> Self {
        let mut tasks = JoinSet::new();
        let start = |_| {
            let (sender, jobs) = channel(queue.max(1));
            let lane = Lane { connector: Arc::clone(connector), connection: None };
            tasks.spawn(lane.serve(jobs));
            sender
        };
        let senders = (0..lanes.max(1)).map(start).collect();
        Self { senders: Mutex::new(Some(senders)), tasks: Mutex::new(tasks) }
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.hand_in(batch)?.await.map_err(|_| gone())?
    }

    /// Hands a batch in. It is carried out whether anybody waits for the answer or not.
    pub(super) fn hand_in(
        &self,
        batch: Batch,
    ) -> Result<oneshot::Receiver<Result<(), StoreError>>, StoreError> {
        let (reply, done) = oneshot::channel();
        let senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = senders.as_ref().ok_or_else(gone)?;
        let lane = usize::try_from(batch.tenant.0.unsigned_abs()).unwrap_or(0) % senders.len();
        let sender = senders.get(lane).ok_or_else(gone)?;
        match sender.try_send(Job { batch: Box::new(batch), reply }) {
            Ok(()) => Ok(done),
            Err(TrySendError::Full(_)) => Err(StoreError::Unavailable("too many writes are waiting".into())),
            Err(TrySendError::Closed(_)) => Err(gone()),
        }
    }

    /// Finishes what was handed in, then ends the tasks. What is not finished in time is lost; nobody was told that
    /// it is stored.
    pub(super) async fn close(&self) {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).take();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        if tokio::time::timeout(CLOSE_TIMEOUT, tasks.join_all()).await.is_err() {
            tracing::error!("some writes did not finish in time and were given up");
        }
    }
}

struct Lane {
    connector: Arc<Connector>,
    connection: Option<Arc<Connection>>,
}

impl Lane {
    async fn serve(mut self, mut jobs: Receiver<Job>) {
        while let Some(first) = jobs.recv().await {
            let mut rows = group::rows(&first.batch);
            let mut group = vec![first];
            while group.len() < group::JOBS
                && rows < group::ROWS
                && let Ok(job) = jobs.try_recv()
            {
                rows += group::rows(&job.batch);
                group.push(job);
            }
            self.commit(group).await;
        }
    }

    /// Commits and answers all jobs of a group. When one fails, those before it are committed without it; what it
    /// finds then is its outcome. When it is none of them that fails, each is tried alone.
    async fn commit(&mut self, mut group: Vec<Job>) {
        let (mut count, mut tries, mut alone) = (group.len(), 0, false);
        while !group.is_empty() {
            let Err(Failure { batch, error, remedy }) = self.attempt(&group[..count]).await else {
                group.drain(..count).for_each(|job| answer(job, Ok(())));
                (count, tries) = (if alone { 1.min(group.len()) } else { group.len() }, 0);
                continue;
            };
            tries += 1;
            match (remedy, batch) {
                (Remedy::Again | Remedy::Reconnect, _) if tries < TRIES => {
                    tracing::warn!(%error, jobs = count, "a group of writes is tried again");
                }
                (Remedy::None, Some(failed)) if failed > 0 => count = failed,
                (Remedy::None, None) if count > 1 => {
                    tracing::warn!(%error, jobs = count, "a group commit failed; each of its jobs is tried alone");
                    (count, alone) = (1, true);
                }
                // The first one fails on its own ground, or nothing helps.
                (Remedy::None, _) => {
                    answer(group.remove(0), Err(error));
                    (count, tries) = (if alone { 1.min(group.len()) } else { group.len() }, 0);
                }
                (Remedy::Again | Remedy::Reconnect, _) => {
                    tracing::warn!(%error, jobs = count, "the store cannot be written");
                    group.drain(..count).for_each(|job| answer(job, Err(error.clone())));
                    count = group.len();
                }
            }
        }
    }

    /// Carries out all jobs in one transaction. A failure means that nothing of it was done, but for the one that says
    /// that this is not known, for which there is no remedy.
    async fn attempt(&mut self, group: &[Job]) -> Result<(), Failure> {
        let connection = match self.connection.take().filter(|connection| !connection.is_lost()) {
            Some(connection) => connection,
            None => Arc::new(self.connector.connect().await.map_err(|error| refused(error, Remedy::None))?),
        };
        let outcome = transaction(&connection, group).await;
        let is_lost = matches!(&outcome, Err(failure) if failure.remedy == Remedy::Reconnect);
        self.connection = (!is_lost).then_some(connection);
        outcome
    }
}

fn refused(error: StoreError, remedy: Remedy) -> Failure {
    Failure { batch: None, error, remedy }
}

async fn transaction(connection: &Arc<Connection>, group: &[Job]) -> Result<(), Failure> {
    let mut pipeline = Pipeline::begin(Arc::clone(connection));
    if apply_all(&mut pipeline, group).await.is_ok() && pipeline.settle().await.is_ok() {
        // Everything before it has succeeded: the answer to it can only be that it is done, or why not.
        return connection.client.batch_execute("COMMIT").await.map_err(|error| match judge(&error) {
            // It must not be done twice, and nobody may be told that it is done.
            (_, Remedy::Reconnect) => unknown(&error),
            (error, remedy) => refused(error, remedy),
        });
    }
    let failure = pipeline.failure.take();
    // Whatever was sent besides is answered before the roll-back.
    let _ = pipeline.settle().await;
    drop(pipeline);
    let failure = failure
        .unwrap_or_else(|| refused(StoreError::Internal("a batch has failed".to_owned()), Remedy::None));
    match connection.client.batch_execute("ROLLBACK").await {
        Ok(()) => Err(failure),
        Err(_) => Err(Failure { remedy: Remedy::Reconnect, ..failure }),
    }
}

fn unknown(error: &tokio_postgres::Error) -> Failure {
    tracing::error!(%error, "the connection was lost during a commit");
    let text = "the connection to the database was lost during a commit; whether it was done is not known";
    refused(StoreError::Unavailable(text.into()), Remedy::None)
}

async fn apply_all(pipeline: &mut Pipeline, group: &[Job]) -> Result<(), StoreError> {
    let mut states: BTreeMap<TenantId, State> = BTreeMap::new();
    states.extend(group.iter().map(|job| (job.batch.tenant, State::default())));
    // In the order of their ids, so that two groups never wait for each other.
    for tenant in states.keys() {
        pipeline.send(&postgres::LOCK_TENANT, &values![tenant.0], Wanted::Anything).await?;
    }
    for (number, job) in group.iter().enumerate() {
        pipeline.batch = number;
        let state = states.entry(job.batch.tenant).or_default();
        if let Err(error) = apply::batch(pipeline, &job.batch, state).await {
            pipeline.note(error.clone());
            return Err(error);
        }
    }
    pipeline.batch = ALL;
    for (tenant, state) in &states {
        apply::write_state(pipeline, *tenant, state).await?;
    }
    Ok(())
}

/// Whoever asked may be gone; the job was done all the same.
fn answer(job: Job, outcome: Result<(), StoreError>) {
    let _ = job.reply.send(outcome);
}
