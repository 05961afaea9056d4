//! Handing messages over to carriers, as a process does that has carriers.
//!
//! What waits and is due is claimed in chunks, which is noted before any of it is handed over: nobody can stop or delete it
//! then, nor hand it over beside. What becomes of it is noted in one commit a chunk. A claim that is not renewed for
//! [`CLAIM`] is lost: who had it has died, perhaps after a message was handed over and before that was noted. Then
//! another process claims the chunk, and has to settle each message: a carrier that knows our references (the id of the
//! message) is asked again with the same one and does not send twice; of another carrier it is not known, and the message
//! is taken to be handed over ([`Outcome::Unknown`]) rather than sent twice.
//!
//! Whoever waits for messages may say STOP meanwhile, so what is claimed is held against the block list once more.

use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use super::receipts::WHOLE;
use super::tally::Tally;
use super::{BulkPlace, CarrierPart, Holder, Message, MessageState, MessageStatus, Receipt};
use crate::directory::ATTEMPTS;
use crate::{Batch, BulkId, Change, Directory, Error, MessageId, Store, StoreError, TenantId, Timestamp};

/// How long a claim holds unless it is renewed.
pub const CLAIM: Duration = Duration::from_mins(1);

/// How often what was claimed is read: a connection to the store that has broken since is another one then.
const READS: usize = 3;

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
    /// Where the next look goes on ([`Directory::message_work`]), if there are more bulks than one look takes in.
    pub bulks_after: Option<BulkPlace>,
    /// There are bulks to do besides `steps` and `lanes`, before them or after them.
    pub is_part: bool,
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

/// Messages could not be claimed, or were claimed and nobody was told. Whoever asked has none of them, and has to give back
/// what the claim may hold with [`Directory::messages_release`], again until that is done: else they would be taken for
/// messages of somebody who has died on them, which may have been handed over.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct ClaimFailed {
    pub tenant: TenantId,
    pub claim: Uuid,
    #[source]
    pub error: Error,
}

/// What came of handing a message over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The carrier has it, or some of it, under these ids: one for each part, in their order, `None` or nothing for what it
    /// has not named or has perhaps not taken; with `is_whole` the first id is the one of all parts.
    Accepted { carrier: String, ids: Vec<Option<String>>, is_whole: bool },
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
    /// Its number is on the block list by now.
    Blocked,
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
            Self::Blocked => before.with_status(MessageStatus::Blocked),
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
    /// Of those that are claimed, what goes to a number that was blocked since it was sent ends here, so that fewer than
    /// `limit` may be left of more.
    ///
    /// Errors: see [`ClaimFailed`], which asks for something.
    pub async fn messages_claim(
        &self,
        tenant: TenantId,
        lane: Option<BulkId>,
        limit: u32,
    ) -> Result<Option<Claimed>, ClaimFailed> {
        loop {
            let claim = self.entropy.uuid();
            let found = self.claim_waiting(tenant, lane, limit, claim).await;
            match found.map_err(|error| ClaimFailed { tenant, claim, error })? {
                // All that was due first was blocked.
                Some(claimed) if claimed.messages.is_empty() => {}
                found => return Ok(found),
            }
        }
    }

    async fn claim_waiting(
        &self,
        tenant: TenantId,
        lane: Option<BulkId>,
        limit: u32,
        claim: Uuid,
    ) -> Result<Option<Claimed>, Error> {
        let now = self.now();
        let until = now.plus(CLAIM);
        let change = Change::MessagesClaim { lane, claim, now, until, limit };
        let found = self.messages_claimed(tenant, change, claim).await?;
        if found.is_empty() {
            return Ok(None);
        }
        let (blocked, free): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, is_blocked)| *is_blocked);
        let messages = free.into_iter().map(|(message, _)| message).collect();
        let claimed = Claimed { tenant, claim, until, is_lost: false, messages };
        if !blocked.is_empty() {
            let blocked = blocked.into_iter().map(|(message, _)| (message, Outcome::Blocked)).collect();
            self.messages_note(&claimed, blocked).await?;
        }
        Ok(Some(claimed))
    }

    /// Claims messages of which the claims were lost, to settle them. After an error they are lost once more when this
    /// claim ends, so nothing has to be given back.
    pub async fn messages_claim_lost(&self, tenant: TenantId, limit: u32) -> Result<Option<Claimed>, Error> {
        let (now, claim) = (self.now(), self.entropy.uuid());
        let until = now.plus(CLAIM);
        let change = Change::MessagesClaimLost { claim, now, until, limit };
        let found = self.messages_claimed(tenant, change, claim).await?;
        let messages: Vec<_> = found.into_iter().map(|(message, _)| message).collect();
        Ok((!messages.is_empty()).then_some(Claimed { tenant, claim, until, is_lost: true, messages }))
    }

    /// What is claimed by a change, each with whether its number is blocked.
    async fn messages_claimed(
        &self,
        tenant: TenantId,
        change: Change,
        claim: Uuid,
    ) -> Result<Vec<(Message, bool)>, Error> {
        self.store.commit(Batch::new(tenant).change(change)).await?;
        for _ in 1..READS {
            if let Ok(found) = self.store.messages_claimed(tenant, claim).await {
                return Ok(found);
            }
        }
        Ok(self.store.messages_claimed(tenant, claim).await?)
    }

    /// What a claim may hold waits again, as if it had never been claimed. Only for claims of which nothing was begun, such as
    /// [`ClaimFailed`] names; doing it again is fine.
    pub async fn messages_release(&self, tenant: TenantId, claim: Uuid) -> Result<(), Error> {
        let release = Change::MessagesRelease { claim };
        Ok(self.store.commit(Batch::new(tenant).change(release)).await?)
    }

    /// Renews a claim, unless it has ended. How many messages are held under it now: of those that were claimed and are not noted
    /// yet a receipt may have told already. With none, nothing that was not begun may be begun any more.
    pub async fn messages_keep(&self, claimed: &mut Claimed) -> Result<u64, Error> {
        let now = self.now();
        if now >= claimed.until {
            return Ok(0);
        }
        let until = now.plus(CLAIM);
        let keep = Change::MessagesKeep { claim: claimed.claim, until };
        self.store.commit(Batch::new(claimed.tenant).change(keep)).await?;
        let held = self.store.messages_held(claimed.tenant, claimed.claim).await?;
        if held > 0 {
            claimed.until = until;
        }
        Ok(held)
    }

    /// Notes what came of claimed messages, in one commit if nobody has come between.
    pub async fn messages_note(
        &self,
        claimed: &Claimed,
        outcomes: Vec<(Message, Outcome)>,
    ) -> Result<Noted, Error> {
        let mut tally = Tally::new(claimed.tenant, Holder::Claim(claimed.claim), self.now());
        for (message, outcome) in &outcomes {
            note(&mut tally, message, outcome);
        }
        match self.store.commit(tally.settle()).await {
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

    /// As [`Directory::messages_note`], of one message as it is by now. Whether it waited until then.
    async fn message_note(&self, claimed: &Claimed, id: MessageId, outcome: &Outcome) -> Result<bool, Error> {
        let mut holder = Holder::Claim(claimed.claim);
        for _ in 0..ATTEMPTS {
            let Some(found) = self.store.message(claimed.tenant, id).await? else {
                return Ok(false);
            };
            let mut tally = Tally::new(claimed.tenant, holder, self.now());
            note(&mut tally, &found.message, outcome);
            match (self.store.commit(tally.settle()).await, outcome) {
                (Ok(()), _) => return Ok(found.message.state.status == MessageStatus::New),
                // The claim is another one's by now, who can at best guess what is known here.
                (Err(StoreError::Stale), Outcome::Accepted { .. }) => holder = Holder::Anybody,
                (Err(StoreError::Stale), _) => return Ok(false),
                (Err(error), _) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}

/// What came of a message.
fn note(tally: &mut Tally, before: &Message, outcome: &Outcome) {
    if let (Outcome::Later(due_at), Holder::Claim(claim)) = (outcome, tally.holder) {
        tally.batch.changes.push(Change::MessageDefer { id: before.id, claim, due_at: *due_at });
        return;
    }
    if let Some(state) = outcome.state(before.state) {
        let (after, _) = before.clone().in_state(state, tally.at);
        tally.told(before.clone(), after);
    }
    // Also of a message that somebody else has settled meanwhile: its receipts are those of this carrier.
    if let Outcome::Accepted { carrier, ids, is_whole } = outcome {
        let first = if *is_whole { WHOLE } else { WHOLE + 1 };
        let named = (first..).zip(ids).filter_map(|(part, id)| Some((part, id.clone()?)));
        tally.named.extend(named.map(|(part, carrier_id)| CarrierPart {
            carrier: carrier.clone(),
            carrier_id,
            tenant: before.tenant,
            message: before.id,
            part,
            receipt: Receipt::default(),
        }));
    }
}
