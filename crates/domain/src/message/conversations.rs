//! What is done with conversations: they are found, read, answered, assigned, pinned and closed (Convirza platform contract,
//! section 5).

use std::time::Duration;

use super::{
    Conversation, ConversationPatch, ConversationQuery, Direction, Message, MessageWish, SenderId,
    ThreadMessage, ThreadMove,
};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::draft::FieldErrors;
use crate::user::UserStatus;
use crate::{
    Access, Actor, Area, Batch, Change, ConversationId, Ctx, Directory, Draft, Entity, Error, IdKind,
    JournalEntry, MessageId, Page, Patch, Precondition, Problem, Slice, Store, StoreError, TenantId,
    Timestamp, UserId, journal,
};

/// What is looked through where no range is asked for.
const RANGE: Duration = Duration::from_hours(30 * 24);

/// The most digits of a number that only one country's phones know; those of others have more.
const SHORT_CODE: usize = 6;

/// Reads of conversations.
pub trait ConversationStore {
    /// `now`: who reads, for whom contact lists have not ended.
    fn conversation(
        &self,
        tenant: TenantId,
        id: ConversationId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Conversation>, StoreError>> + Send;

    /// Those that are asked for; `caller` is who has what is assigned to them.
    fn conversations(
        &self,
        tenant: TenantId,
        caller: Option<UserId>,
        now: Timestamp,
        query: ConversationQuery,
    ) -> impl Future<Output = Result<Page<Conversation>, StoreError>> + Send;

    /// The messages between two numbers, ours and theirs, the newest first.
    fn thread_messages(
        &self,
        tenant: TenantId,
        numbers: [String; 2],
        slice: Slice,
    ) -> impl Future<Output = Result<Page<ThreadMessage>, StoreError>> + Send;
}

impl<S: Store> Directory<S> {
    /// One conversation. Errors: `NotFound`.
    pub async fn conversation_get(&self, ctx: &Ctx, id: ConversationId) -> Result<Conversation, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let found = self.store.conversation(ctx.tenant(), id, ctx.now()).await?;
        found.ok_or(Error::NotFound(Entity::Conversation))
    }

    /// A slice of the conversations that are asked for; without a beginning, those of the last 30 days before the end.
    pub async fn conversation_list(
        &self,
        ctx: &Ctx,
        mut query: ConversationQuery,
    ) -> Result<Page<Conversation>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let until = query.until.unwrap_or(ctx.now());
        query.since.get_or_insert(until.minus(RANGE));
        let caller = match ctx.actor() {
            Actor::User(user) => Some(user),
            Actor::Credential(_) | Actor::Operator | Actor::Server => None,
        };
        Ok(self.store.conversations(ctx.tenant(), caller, ctx.now(), query).await?)
    }

    /// The messages of a conversation in both directions, the newest first: all between its two numbers that are there,
    /// also those of bulks.
    pub async fn conversation_messages(
        &self,
        ctx: &Ctx,
        conversation: &Conversation,
        slice: Slice,
    ) -> Result<Page<ThreadMessage>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let numbers = [&conversation.our_number, &conversation.their_number].map(Clone::clone);
        Ok(self.store.thread_messages(ctx.tenant(), numbers, slice).await?)
    }

    /// Sends a message from our number of a conversation to theirs. The address that the agent writes from is not kept.
    ///
    /// Errors: as of [`Directory::message_create`].
    pub async fn conversation_reply(
        &self,
        ctx: &Ctx,
        conversation: &Conversation,
        draft: Draft<Option<String>>,
    ) -> Result<Message, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let Draft { value: text, errors } = draft;
        let ours = &conversation.our_number;
        // A short code is none with a plus sign.
        let ours = if ours.len() > SHORT_CODE { format!("+{ours}") } else { ours.clone() };
        let wish = MessageWish {
            sender: Some(SenderId::from_stored(ours)),
            text,
            phone: Some(format!("+{}", conversation.their_number)),
            ..MessageWish::default()
        };
        self.message_create(ctx, Draft { value: wish, errors }).await
    }

    /// Assigns, pins, closes or opens a conversation that the caller has read, or marks it read. A change that changes
    /// nothing commits nothing.
    ///
    /// Errors: `Invalid` (also a user who is unknown, out of scope or not active), `Precondition`.
    pub async fn conversation_update(
        &self,
        ctx: &Ctx,
        found: Conversation,
        draft: Draft<ConversationPatch>,
        precondition: Option<Precondition<Conversation>>,
    ) -> Result<Conversation, Error> {
        ctx.allow_in(Area::Resources, Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        if let Patch::Set(user) = patch.assigned_to {
            self.assignable(ctx, user, &mut errors).await?;
        }
        errors.finish()?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let before = match found.take() {
                Some(found) => found,
                None => self.conversation_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &before)?;
            let mut after = before.clone();
            patch.apply(&mut after, self.now());
            let payload = journal::changed(before.fields(), after.fields());
            if payload.is_empty() {
                return Ok(before);
            }
            after.version = before.version + 1;
            let entry = JournalEntry::new(ctx, "conversation.updated", id, after.version, payload);
            let update = Change::ConversationUpdate(Box::new(after));
            match self.store.commit(Batch::new(ctx.tenant()).change(update).journal(entry)).await {
                // With the name of whose it is now.
                Ok(()) => return self.conversation_get(ctx, id).await,
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Notes an error unless the user is active and in the caller's scope.
    async fn assignable(&self, ctx: &Ctx, user: UserId, errors: &mut FieldErrors) -> Result<(), Error> {
        const FIELD: &str = "assigned_to";
        match self.store.user(ctx.tenant(), user).await? {
            Some(user) if self.sees_org_unit(ctx, user.org_unit_id).await? => match user.status {
                UserStatus::Active => {}
                UserStatus::Inactive => errors.push(FIELD, Problem::Inactive("user")),
                UserStatus::Deleted => errors.push(FIELD, Problem::Unknown("user")),
            },
            _ => errors.push(FIELD, Problem::Unknown("user")),
        }
        Ok(())
    }

    /// What a message does to the thread between these numbers, if it stands in one.
    pub(super) async fn thread_move(
        &self,
        numbers: Option<[String; 2]>,
        direction: Direction,
        message: MessageId,
        at: Timestamp,
    ) -> Result<Option<Change>, Error> {
        let Some(numbers) = numbers else {
            return Ok(None);
        };
        // It is in vain for most; a look for the thread would cost more than an id.
        let id = ConversationId(self.store.next_id(IdKind::Conversation).await?);
        let moved = ThreadMove { id, numbers, direction, at, message };
        Ok(Some(Change::ThreadMove(Box::new(moved))))
    }
}
