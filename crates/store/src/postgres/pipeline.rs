//! The transaction of a group of batches. Statements are sent without waiting for each other; what became of them is
//! looked at before the commit is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::TryStreamExt as _;
use muster_domain::{StoreError, UserGroupId};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row as Found};

use super::connection::{Connection, Form};
use super::error::{Remedy, judge};
use super::many;
use crate::driver::{ONE_ROW, Wanted, Write};
use crate::row::{Row, get};
use crate::statements::Statement;
use crate::value::Value;

/// What a statement has found, and how many rows it has found or written.
type Answer = (Vec<Found>, u64);

type Waiting = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

struct Sent {
    batch: usize,
    wanted: Wanted,
    answer: Waiting,
}

/// Why the transaction cannot be committed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Which of the batches has failed, if it is one of them.
    pub(super) batch: Option<usize>,
    pub(super) error: StoreError,
    pub(super) remedy: Remedy,
}

pub(super) struct Pipeline {
    connection: Arc<Connection>,
    sent: Vec<Sent>,
    /// The batch that is being written. `usize::MAX` for what is written for all of them.
    pub(super) batch: usize,
    /// The first that has failed.
    pub(super) failure: Option<Failure>,
}

/// The batch of what is done for all of them.
pub(super) const ALL: usize = usize::MAX;

impl Pipeline {
    /// Begins a transaction.
    pub(super) fn begin(connection: Arc<Connection>) -> Self {
        let client = Arc::clone(&connection);
        let mut pipeline = Self { connection, sent: Vec::new(), batch: ALL, failure: None };
        let begin = async move {
            client.client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            Ok((Vec::new(), 0))
        };
        pipeline.enqueue(Wanted::Anything, Box::pin(begin));
        pipeline
    }

    /// Sends a statement. The first poll writes it to the connection's queue.
    fn enqueue(&mut self, wanted: Wanted, mut answer: Waiting) {
        let answer = match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Box::pin(async { done }),
            Poll::Pending => answer,
        };
        self.sent.push(Sent { batch: self.batch, wanted, answer });
    }

    fn failed(&mut self, batch: usize, error: StoreError, remedy: Remedy) -> StoreError {
        let batch = (batch != ALL).then_some(batch);
        self.failure.get_or_insert(Failure { batch, error: error.clone(), remedy });
        error
    }

    /// Notes that the batch has failed before anything was sent, unless there was a failure before.
    pub(super) fn note(&mut self, error: StoreError) {
        self.failed(self.batch, error, Remedy::None);
    }

    /// Waits for all that was sent. The first that is not as it was wanted is the failure: after it the server has
    /// refused whatever followed, or has done it on a wrong ground.
    pub(super) async fn settle(&mut self) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for Sent { batch, wanted, answer } in std::mem::take(&mut self.sent) {
            let done = match answer.await {
                Ok((found, rows)) => check(&wanted, &found, rows).map_err(|error| (error, Remedy::None)),
                Err(error) => Err(judge(&error)),
            };
            // Every answer is taken, so that none is in the way of the next command's.
            if outcome.is_ok()
                && let Err((error, remedy)) = done
            {
                outcome = Err(self.failed(batch, error, remedy));
            }
        }
        outcome
    }

    /// Runs a statement when everything before it is done.
    async fn wait_for(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Answer, StoreError> {
        self.settle().await?;
        let done = answer(&self.connection, statement, Form::One, values).await;
        done.map_err(|error| {
            let (error, remedy) = judge(&error);
            self.failed(self.batch, error, remedy)
        })
    }
}

async fn answer(
    connection: &Connection,
    statement: &'static Statement,
    form: Form,
    values: &[impl ToSql],
) -> Result<Answer, Error> {
    let prepared = connection.prepare(statement, form).await?;
    let mut rows = Box::pin(connection.client.query_raw(&prepared, values).await?);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        found.push(row);
    }
    Ok((found, rows.rows_affected().unwrap_or(0)))
}

fn check(wanted: &Wanted, found: &[Found], rows: u64) -> Result<(), StoreError> {
    let groups = match wanted {
        Wanted::Groups(_) => {
            found.iter().map(|row| get(row, 0).map(UserGroupId)).collect::<Result<Vec<_>, _>>()?
        }
        _ => Vec::new(),
    };
    wanted.check(rows, &groups)
}

impl Pipeline {
    /// Sends a statement whose values are its own.
    async fn send_form(
        &mut self,
        statement: &'static Statement,
        form: Form,
        values: Vec<impl ToSql + Send + Sync + 'static>,
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        if self.connection.at_hand(statement, form).is_none() {
            // Nothing may wait unread while something else is waited for.
            self.settle().await?;
            if let Err(error) = self.connection.prepare(statement, form).await {
                let (error, remedy) = judge(&error);
                return Err(self.failed(self.batch, error, remedy));
            }
        }
        let connection = Arc::clone(&self.connection);
        let answer = async move { answer(&connection, statement, form, &values).await };
        self.enqueue(wanted, Box::pin(answer));
        Ok(())
    }
}

impl Write for Pipeline {
    async fn send(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        let values = values.iter().map(Value::to_owned).collect();
        self.send_form(statement, Form::One, values, wanted).await
    }

    async fn each(
        &mut self,
        statement: &'static Statement,
        rows: &[Vec<Value<'_>>],
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        let columns = match rows {
            [] => return Ok(()),
            [row] => return self.send(statement, row, wanted).await,
            rows => many::columns(rows)?,
        };
        self.send_form(statement, Form::Many, columns, wanted.of(rows.len())).await
    }

    async fn change(
        &mut self,
        _sparing: &'static Statement,
        whole: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<(), StoreError> {
        self.send(whole, values, ONE_ROW).await
    }

    async fn written(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        Ok(self.wait_for(statement, values).await?.1)
    }

    async fn found<T: Send>(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
        row: fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let (found, _) = self.wait_for(statement, values).await?;
        found.iter().map(|found| row(found)).collect()
    }
}
