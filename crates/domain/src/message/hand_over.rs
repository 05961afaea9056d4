//! Handing messages over to carriers, as a process does that has carriers.
//!
//! What waits and is due is claimed in chunks, which is noted before any of it is handed over: nobody can stop or delete it
//! then, nor hand it over beside. What becomes of it is noted in one commit a chunk. A claim that is not renewed for
//! [`CLAIM`] is lost: who had it has died, perhaps after a message was handed over and before that was noted. Then
//! another process claims the chunk, and has to settle each message: a carrier that knows our references (the id of the
//! message) is asked again with the same one and does not send twice; of another carrier it is not known, and the message
//! is taken to be handed over ([`Outcome::Unknown`]) rather than sent twice.

use std::time::Duration;

use uuid::Uuid;

use super::journaling::events;
use super::tally::Tally;
use super::{Holder, Message, MessageState, MessageStatus};
use crate::{Batch, BulkId, Change, Directory, Error, MessageId, Store, StoreError, TenantId, Timestamp};

/// How long a claim holds unless it is renewed.
pub const CLAIM: Duration = Duration::from_mins(1);

/// When there is something to do for a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageWork {
    /// When the next single message is due.
    pub next_at: Option<Timestamp>,
    /// When the next claim is lost, unless it is renewed.
    pub lost_at: Option<Timestamp>,
    /// Bulks for which [`Directory::bulk_step`] has something to do now.
    pub steps: Vec<BulkId>,
    /// Bulks of which messages may be handed over now: they are being sent, their window is open, and messages are due.
    pub lanes: Vec<BulkId>,
    /// When something is to be done about another bulk: it begins, its window opens, or its next message is due.
    pub bulks_at: Option<Timestamp>,
}

/// Messages that this process alone may hand over, those that were due first at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub tenant: TenantId,
    pub claim: Uuid,
    /// Until when, unless it is renewed.
    pub until: Timestamp,
    /// Whether somebody else had claimed them, and it is not known what they did.
    pub is_lost: bool,
    pub messages: Vec<Message>,
}

/// What came of handing a message over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The carrier has it, under these ids: one for each part, or one for all of it, or none.
    Accepted { carrier: String, ids: Vec<String> },
    /// The carrier does not want it, now or later.
    Refused,
    /// The carrier does not have it, and did not say no: it waits again until then.
    Later(Timestamp),
    /// It may have been handed over by who has died, and the carrier cannot be asked.
    Unknown,
    /// No carrier goes there.
    NoOperator,
    /// Its service is not to be had.
    Maintenance,
}

/// How much of what was to be noted is noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    pub noted: u64,
    /// Of claims that were lost before: somebody else settles them.
    pub lost: u64,
}

impl Outcome {
    /// The state of a message after it; `None` when it waits again, or has a state already that stays.
    fn state(&self, before: MessageState) -> Option<MessageState> {
        match self {
            Self::Accepted { .. } | Self::Unknown => before.with_status(MessageStatus::HandedOver),
            Self::Refused => before.refused(),
            Self::Later(_) => None,
            Self::NoOperator => before.with_status(MessageStatus::NoOperator),
            Self::Maintenance => before.with_status(MessageStatus::Maintenance),
        }
    }
}

impl<S: Store> Directory<S> {
    /// Active tenants of which messages wait, by id, after this one.
    pub async fn tenants_with_messages(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantId>, Error> {
        Ok(self.store.tenants_with_messages(after, limit).await?)
    }

    /// Claims messages that are due: of a bulk, or single ones. `None` when there are none, or the tenant is not active.
    pub async fn messages_claim(
        &self,
        tenant: TenantId,
        lane: Option<BulkId>,
        limit: u32,
    ) -> Result<Option<Claimed>, Error> {
        let (now, claim) = (self.now(), self.entropy.uuid());
        let until = now.plus(CLAIM);
        let change = Change::MessagesClaim { lane, claim, now, until, limit };
        self.messages_claimed(tenant, change, claim, until, false).await
    }

    /// Claims messages of which the claims were lost, to settle them.
    pub async fn messages_claim_lost(&self, tenant: TenantId, limit: u32) -> Result<Option<Claimed>, Error> {
        let (now, claim) = (self.now(), self.entropy.uuid());
        let until = now.plus(CLAIM);
        let change = Change::MessagesClaimLost { claim, now, until, limit };
        self.messages_claimed(tenant, change, claim, until, true).await
    }

    async fn messages_claimed(
        &self,
        tenant: TenantId,
        change: Change,
        claim: Uuid,
        until: Timestamp,
        is_lost: bool,
    ) -> Result<Option<Claimed>, Error> {
        self.store.commit(Batch::new(tenant).change(change)).await?;
        let messages = self.store.messages_claimed(tenant, claim).await?;
        Ok((!messages.is_empty()).then_some(Claimed { tenant, claim, until, is_lost, messages }))
    }

    /// Renews a claim. What was lost of it before stays lost.
    pub async fn messages_keep(&self, claimed: &mut Claimed) -> Result<(), Error> {
        let until = self.now().plus(CLAIM);
        let keep = Change::MessagesKeep { claim: claimed.claim, until };
        self.store.commit(Batch::new(claimed.tenant).change(keep)).await?;
        claimed.until = until;
        Ok(())
    }

    /// Notes what came of claimed messages, in one commit if nobody has come between.
    pub async fn messages_note(
        &self,
        claimed: &Claimed,
        outcomes: Vec<(Message, Outcome)>,
    ) -> Result<Noted, Error> {
        let now = self.now();
        let (mut batch, mut tally) = (Batch::new(claimed.tenant), Tally::default());
        for (message, outcome) in &outcomes {
            batch = note(batch, &mut tally, claimed.claim, message, outcome, now);
        }
        match self.store.commit(tally.settle(batch, now)).await {
            Ok(()) => {
                let noted = u64::try_from(outcomes.len()).unwrap_or(u64::MAX);
                return Ok(Noted { noted, lost: 0 });
            }
            Err(StoreError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
        let mut all = Noted::default();
        for (message, outcome) in outcomes {
            let is_noted = self.message_note(claimed, message.id, &outcome).await?;
            *(if is_noted { &mut all.noted } else { &mut all.lost }) += 1;
        }
        Ok(all)
    }

    /// As [`Directory::messages_note`], of one message as it is by now. Whether it was still claimed.
    async fn message_note(&self, claimed: &Claimed, id: MessageId, outcome: &Outcome) -> Result<bool, Error> {
        let Some(found) = self.store.message(claimed.tenant, id).await? else {
            return Ok(false);
        };
        let (now, mut tally) = (self.now(), Tally::default());
        let batch = Batch::new(claimed.tenant);
        let batch = note(batch, &mut tally, claimed.claim, &found.message, outcome, now);
        match self.store.commit(tally.settle(batch, now)).await {
            Ok(()) => Ok(found.message.state.status == MessageStatus::New),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Adds to a batch what came of a message.
fn note(
    mut batch: Batch,
    tally: &mut Tally,
    claim: Uuid,
    before: &Message,
    outcome: &Outcome,
    now: Timestamp,
) -> Batch {
    if let Outcome::Later(due_at) = outcome {
        return batch.change(Change::MessageDefer { id: before.id, claim, due_at: *due_at });
    }
    if let Some(state) = outcome.state(before.state) {
        let (after, _) = before.clone().in_state(state, now);
        tally.changed(before, &after);
        batch.journal.extend(events(before, &after, now));
        let (before, after) = (Box::new(before.clone()), Box::new(after));
        batch = batch.change(Change::MessageUpdate { before, after, holder: Holder::Claim(claim) });
    }
    // Also of a message that somebody else has settled meanwhile: its receipts are those of this carrier.
    if let Outcome::Accepted { carrier, ids } = outcome {
        for (part, id) in (0..).zip(ids) {
            let (carrier, carrier_id) = (carrier.clone(), id.clone());
            let part = Change::CarrierPartInsert { message: before.id, part, carrier, carrier_id, at: now };
            batch = batch.change(part);
        }
    }
    batch
}
