//! Reading messages, and stopping and deleting them, one by one and by a filter (LOX24 messaging contract, section 2).
//!
//! Stopped is what waits; what was taken for it is given back. Deleted is whatever its customer does not want to see any
//! more: what waits is stopped by it, and what a carrier has had stays paid, though no message stands behind it on the
//! bill. What somebody hands over at this very moment is neither stopped nor deleted: nobody knows yet what becomes of it.

use serde_json::Map;

use super::journaling::of_many;
use super::send::BEFORE_ALL;
use super::tally::Tally;
use super::{Filter, Holder, ListQuery, Message, MessageField, Money, StoredMessage, Sweep, Test};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Area, Ctx, Directory, Entity, Error, JournalEntry, MessageId, Page, Precondition, Rule, Store,
    StoreError,
};

/// Messages that one commit of a bulk operation changes.
const STEP: u32 = 500;

/// What a bulk operation does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Stop,
    Delete,
}

impl<S: Store> Directory<S> {
    /// One message. Errors: `NotFound`.
    pub async fn message_get(&self, ctx: &Ctx, id: MessageId) -> Result<Message, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let found = self.store.message(ctx.tenant(), id).await?;
        found.map(|found| found.message).ok_or(Error::NotFound(Entity::Message))
    }

    /// A slice of the messages that are asked for.
    pub async fn message_list(
        &self,
        ctx: &Ctx,
        query: ListQuery<MessageField>,
    ) -> Result<Page<Message>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        Ok(self.store.messages(ctx.tenant(), query).await?)
    }

    /// Deletes a message. One that waits is stopped by it; see the module.
    ///
    /// Errors: `NotFound`, `Precondition`; `Unavailable` while it is being handed over.
    pub async fn message_delete(
        &self,
        ctx: &Ctx,
        id: MessageId,
        precondition: Option<Precondition<Message>>,
    ) -> Result<(), Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        for _ in 0..ATTEMPTS {
            let found = self.store.message(ctx.tenant(), id).await?;
            let StoredMessage { message, is_claimed } = found.ok_or(Error::NotFound(Entity::Message))?;
            check_precondition(precondition.as_ref(), &message)?;
            if is_claimed {
                return Err(Error::Unavailable("the message is being handed over".into()));
            }
            let entry = JournalEntry::new(ctx, "sms.deleted", id, message.version + 1, Map::new());
            let mut tally = Tally::new(ctx.tenant(), Holder::Nobody, self.now());
            operate(&mut tally, Operation::Delete, message);
            match self.store.commit(tally.settle().journal(entry)).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Stops the messages that are asked for and wait. Done in steps, each durable before the next begins; `progress` is
    /// told how many were stopped so far. How many.
    ///
    /// Errors: `Rule` for a filter that asks for all.
    pub async fn messages_stop(
        &self,
        ctx: &Ctx,
        filter: Filter<MessageField>,
        progress: impl FnMut(u64) + Send,
    ) -> Result<u64, Error> {
        self.messages_operate(ctx, Operation::Stop, filter, progress).await
    }

    /// Deletes the messages that are asked for and were there when the request came, as [`Directory::message_delete`]
    /// does, in steps as [`Directory::messages_stop`]. Those that are being handed over stay. How many.
    ///
    /// Errors: `Rule` for a filter that asks for all.
    pub async fn messages_delete(
        &self,
        ctx: &Ctx,
        filter: Filter<MessageField>,
        progress: impl FnMut(u64) + Send,
    ) -> Result<u64, Error> {
        self.messages_operate(ctx, Operation::Delete, filter, progress).await
    }

    async fn messages_operate(
        &self,
        ctx: &Ctx,
        operation: Operation,
        filter: Filter<MessageField>,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<u64, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        if filter.is_empty() {
            return Err(Error::Rule(Rule::NoFilter));
        }
        // What comes in meanwhile was not meant, and could keep it going.
        let filter = filter.and(vec![Test::Number(MessageField::CreatedAt, i64::MIN, ctx.now().0)]);
        let sweep = match operation {
            Operation::Stop => Sweep::Waiting,
            Operation::Delete => Sweep::All,
        };
        let (mut after, mut count, mut limit, mut refused) = (BEFORE_ALL, 0, STEP, 0);
        loop {
            let page = self.store.messages_sweep(ctx.tenant(), sweep, filter.clone(), after, limit).await?;
            let Some(last) = page.last().map(|found| (found.message.created_at, found.message.id)) else {
                return Ok(count);
            };
            match self.messages_commit(ctx, operation, page).await {
                Ok(done) => {
                    count += done;
                    progress(count);
                    (after, limit, refused) = (last, (limit * 2).min(STEP), 0);
                }
                // One of them has changed since it was read, for instance because it is handed over: the same again, in
                // smaller steps, so that a busy one does not keep the others.
                Err(StoreError::Stale) if refused < ATTEMPTS => {
                    (limit, refused) = ((limit / 4).max(1), refused + 1);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Does it to a page of messages in one commit. How many there were to do it to.
    async fn messages_commit(
        &self,
        ctx: &Ctx,
        operation: Operation,
        page: Vec<StoredMessage>,
    ) -> Result<u64, StoreError> {
        let free: Vec<Message> =
            page.into_iter().filter(|found| !found.is_claimed).map(|found| found.message).collect();
        let (Some(first), Some(last)) = (free.first(), free.last()) else {
            return Ok(0);
        };
        let kind = match operation {
            Operation::Stop => "sms.stopped",
            Operation::Delete => "sms.deleted",
        };
        let count = free.len();
        let entry = of_many(ctx, kind, count, first.id, last.id);
        let mut tally = Tally::new(ctx.tenant(), Holder::Nobody, self.now());
        for message in free {
            operate(&mut tally, operation, message);
        }
        self.store.commit(tally.settle().journal(entry)).await?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// What an operation does to a message that nobody is handing over.
fn operate(tally: &mut Tally, operation: Operation, message: Message) {
    let stopped = message.clone().stopped(tally.at);
    match (operation, stopped) {
        (Operation::Delete, stopped) => tally.removed(message, stopped.map_or(Money::ZERO, |(_, back)| back)),
        (Operation::Stop, Some((after, _))) => tally.changed(message, after),
        (Operation::Stop, None) => {}
    }
}
