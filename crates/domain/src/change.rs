//! What a write does to rows.

use uuid::Uuid;

use crate::contact::{Contact, ContactGroup};
use crate::credential::Credential;
use crate::media::{MediaPrompt, ObjectKey};
use crate::message::{
    Block, Bulk, BulkChunk, BulkDelta, CarrierPart, Conversation, Expansion, Holder, Incoming, Message,
    MessageUpdate, Money, MovementReason, PartUpdate, PriceTable, ThreadMove,
};
use crate::org_unit::OrgUnit;
use crate::session::{SessionToken, TokenHash, TokenKind};
use crate::tag::Tag;
use crate::tenant::Tenant;
use crate::user::User;
use crate::user_group::{Membership, UserGroup};
use crate::webhook::{Delivery, DeliveryId, Health, NewDelivery, Webhook, WebhookSecret};
use crate::{
    BlockId, BulkId, ContactGroupId, ContactId, CredentialId, MediaPromptId, MessageId, TagId, Timestamp,
    UserGroupId, UserId, WebhookId,
};

/// One change of rows. An update names the version that it was decided on and is `Stale` when the row
/// has another one by then.
#[derive(Clone, Debug)]
pub enum Change {
    TenantInsert(Box<Tenant>),
    /// The tenant as it shall be; its version is one above the stored one.
    TenantUpdate(Box<Tenant>),
    /// At most `limit` rows of what the tenant owns are removed; the tenant itself when nothing else is left.
    TenantPurge {
        limit: u32,
    },
    /// The prices of all countries become these; without a table nothing costs anything. They are of no tenant.
    PricesReplace(Option<PriceTable>),
    /// Something is given to the balance or, below zero, taken from it; [`StoreError::Balance`](crate::StoreError::Balance)
    /// when [`crate::message::charge`] or [`crate::message::credit`] refuses it.
    BalanceMove {
        at: Timestamp,
        amount: Money,
        reason: MovementReason,
    },
    /// A message is made; one that is new waits for its time and for who hands it over.
    MessageInsert(Box<Message>),
    /// The states of messages, and what follows from them ([`Message::in_state`]); each version is one above the stored one.
    /// What is not new any more waits no longer; `Stale` when somebody else than the holder hands one of them over.
    MessagesUpdate {
        updates: Vec<MessageUpdate>,
        holder: Holder,
    },
    /// Messages as they were read are gone; `Stale` when one has another version by then, or is being handed over.
    MessagesDelete(Vec<Message>),
    /// At most `limit` messages that are due, of a bulk or single ones, are handed over by whoever has the claim, until
    /// then; none, if the tenant is not active.
    MessagesClaim {
        lane: Option<BulkId>,
        claim: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    },
    /// As [`Change::MessagesClaim`], of messages of which the claim has ended.
    MessagesClaimLost {
        claim: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    },
    /// Who hands messages over goes on.
    MessagesKeep {
        claim: Uuid,
        until: Timestamp,
    },
    /// What is claimed so waits again, as it did before.
    MessagesRelease {
        claim: Uuid,
    },
    /// A message waits again; `Stale` when the claim on it is another one.
    MessageDefer {
        id: MessageId,
        claim: Uuid,
        due_at: Timestamp,
    },
    /// A carrier has parts of messages under these ids since `at`. What had one of them before is forgotten; of two parts
    /// under one id the last one counts.
    CarrierPartsInsert {
        parts: Vec<CarrierPart>,
        at: Timestamp,
    },
    /// What is known of parts; `Stale` when something else was known of one of them by then.
    CarrierPartsUpdate(Vec<PartUpdate>),
    /// At most `limit` of what carriers have since before `horizon` is forgotten, of all tenants.
    CarrierPartsReap {
        horizon: Timestamp,
        limit: u32,
    },
    /// A message from a phone; `Stale` when the carrier has brought it before.
    IncomingInsert {
        incoming: Box<Incoming>,
        carrier: String,
        carrier_id: Option<String>,
    },
    /// `version` is the one that this was decided on.
    IncomingDelete {
        id: MessageId,
        version: i64,
    },
    /// A thread goes on with a message, or begins with it. Who moves one thread at the same time does so one after the
    /// other, and neither has to decide again.
    ThreadMove(Box<ThreadMove>),
    /// What people do with a conversation, as it shall be; its version is one above the stored one. Messages are not
    /// touched.
    ConversationUpdate(Box<Conversation>),
    BlockInsert(Box<Block>),
    /// `version` is the one that this was decided on.
    BlockDelete {
        id: BlockId,
        version: i64,
    },
    BulkInsert(Box<Bulk>),
    /// The bulk as it shall be, but for its counts and its cost; its version is one above the stored one. How far its
    /// recipients are expanded stays unless it is told.
    BulkUpdate {
        bulk: Box<Bulk>,
        expansion: Option<Expansion>,
    },
    /// The bulk is gone for every reader, and its row later. `version` is the one that this was decided on.
    BulkDelete {
        id: BulkId,
        version: i64,
        at: Timestamp,
    },
    /// The messages of the next recipients of a bulk; `Stale` when it is not being sent, or they are not the next ones.
    BulkExpand(Box<BulkChunk>),
    /// Counts and cost of a bulk change by so much, if it is still there.
    BulkCount(BulkId, BulkDelta),
    /// Nothing of a bulk that was cancelled waits any more; `Stale` when that is not what comes next.
    BulkSettled(BulkId),
    /// The row of a deleted bulk is removed.
    BulkRemove(BulkId),
    OrgUnitInsert(Box<OrgUnit>),
    /// The unit as it shall be; its version is one above the stored one. `in_place` says that its
    /// parent, status and name key stay, so that the store has no index to touch.
    OrgUnitUpdate {
        unit: Box<OrgUnit>,
        in_place: bool,
    },
    /// A unit is moved: the version of the tenant's tree goes up by one.
    TreeChanged,
    UserInsert(Box<User>),
    /// The user as it was read and as it shall be; its version is one above the stored one.
    UserUpdate {
        before: Box<User>,
        after: Box<User>,
    },
    /// What the journal says of a user is emptied; the entries stay.
    UserJournalForget(UserId),
    UserGroupInsert(Box<UserGroup>),
    /// The group as it shall be; its version is one above the stored one.
    UserGroupUpdate(Box<UserGroup>),
    /// The group and its memberships are gone for every reader; their rows are removed later. `version` is the one
    /// that this was decided on.
    UserGroupDelete {
        id: UserGroupId,
        version: i64,
        at: Timestamp,
    },
    /// A user joins a group, whose version goes up by one; `Stale` when the group is gone or has the user already.
    MembershipInsert(Membership),
    /// A user leaves a group, whose version goes up by one; `Stale` when there is no such membership.
    MembershipDelete {
        user: UserId,
        group: UserGroupId,
        at: Timestamp,
    },
    /// A group in which the user is becomes the primary one; `Stale` when there is no such membership.
    MembershipPrimary {
        user: UserId,
        group: UserGroupId,
    },
    /// At most `limit` memberships of a deleted group are removed.
    MembershipsReap {
        group: UserGroupId,
        limit: u32,
    },
    /// The row of a deleted group without memberships is removed.
    UserGroupRemove(UserGroupId),
    /// The oldest journal entries, up to this sequence, are removed.
    JournalTrim {
        through: i64,
    },
    ContactGroupInsert(Box<ContactGroup>),
    /// The group as it shall be, but for its list; its version is one above the stored one.
    ContactGroupUpdate(Box<ContactGroup>),
    /// The group and its list are gone for every reader; their rows are removed later. `version` is the one that
    /// this was decided on.
    ContactGroupDelete {
        id: ContactGroupId,
        version: i64,
        at: Timestamp,
    },
    /// The list of a group becomes what `keep` names of it; what is to be added follows as an insertion. The rows
    /// of the others are removed later.
    ContactsReplace {
        group: ContactGroupId,
        keep: Vec<ContactId>,
    },
    /// Contacts are put into the list of a group; `Stale` when that is gone.
    ContactsInsert {
        group: ContactGroupId,
        contacts: Vec<Contact>,
    },
    /// The contact as it shall be; its version is one above the stored one.
    ContactUpdate(Box<Contact>),
    ContactDelete(Box<Contact>),
    /// At most `limit` rows are removed of what is not in the list of the group any more, which is all of it when
    /// the group is deleted.
    ContactsReap {
        group: ContactGroupId,
        limit: u32,
    },
    /// The row of a deleted group without contacts is removed.
    ContactGroupRemove(ContactGroupId),
    /// A new webhook with its secret; its cursor is at the end of the journal.
    WebhookInsert(Box<(Webhook, WebhookSecret)>),
    /// The webhook as it shall be; its version is one above the stored one. One that `restarts` has its cursor at the
    /// end of the journal and is taken to be well.
    WebhookUpdate {
        webhook: Box<Webhook>,
        restarts: bool,
    },
    /// The webhook as it shall be, but for nothing else than its version, and its secret; the one before signs until then.
    WebhookSecretRotate {
        webhook: Box<Webhook>,
        sealed: Vec<u8>,
        until: Timestamp,
    },
    /// The webhook is gone for every reader; its rows are removed later. `version` is the one that this was decided on.
    WebhookDelete {
        id: WebhookId,
        version: i64,
        at: Timestamp,
    },
    /// `owner` alone sends for an active webhook of an active tenant until then; `Stale` while somebody else does.
    WebhookLease {
        id: WebhookId,
        owner: Uuid,
        now: Timestamp,
        until: Timestamp,
    },
    /// Who sends for a webhook goes on, and notes how its endpoint does; `Stale` when the lease is somebody else's.
    WebhookKeep {
        id: WebhookId,
        owner: Uuid,
        until: Timestamp,
        health: Health,
    },
    /// Who sends for a webhook has looked at the journal up to here and leaves it to others.
    WebhookRelease {
        id: WebhookId,
        owner: Uuid,
        through: i64,
    },
    /// The deliveries of journal entries after `from`, where the cursor of the webhook is, up to `through`, where it
    /// is moved to; `Stale` when it is not there, or the lease is somebody else's.
    DeliveriesInsert {
        webhook: WebhookId,
        owner: Uuid,
        from: i64,
        through: i64,
        deliveries: Vec<NewDelivery>,
    },
    /// What became of an open delivery; one that is not there any more, or not open, stays so.
    DeliveryAttempted {
        webhook: WebhookId,
        delivery: Box<Delivery>,
    },
    /// A delivery that was given up is open again, as if it had not been tried; `Stale` when there is no such.
    DeliveryRetry {
        webhook: WebhookId,
        id: DeliveryId,
        at: Timestamp,
    },
    /// At most `limit` deliveries of a webhook are removed that have ended, of events before `horizon`; of a deleted
    /// one, any.
    DeliveriesReap {
        webhook: WebhookId,
        horizon: Timestamp,
        limit: u32,
    },
    /// The row of a deleted webhook without deliveries is removed.
    WebhookRemove(WebhookId),
    TagInsert(Box<Tag>),
    /// The tag as it shall be; its version is one above the stored one.
    TagUpdate(Box<Tag>),
    /// `version` is the one that this was decided on.
    TagDelete {
        id: TagId,
        version: i64,
    },
    MediaPromptInsert(Box<MediaPrompt>),
    /// `Stale` when it is unknown.
    MediaPromptDelete(MediaPromptId),
    /// The object gets a mark: nothing refers to it, and from `due_at` on it is removed.
    ObjectDiscard {
        key: ObjectKey,
        due_at: Timestamp,
    },
    /// The object loses its mark: it is referred to, or gone. `Stale` when it has none.
    ObjectForget(ObjectKey),
    CredentialInsert(Box<Credential>),
    /// The credential gets nobody in any more; `Stale` when it is unknown or was revoked before.
    CredentialRevoke {
        id: CredentialId,
        at: Timestamp,
    },
    /// When the credential last let somebody in, unless another request was faster.
    CredentialUsed {
        id: CredentialId,
        from: Option<Timestamp>,
        at: Timestamp,
    },
    TokenInsert(Box<SessionToken>),
    /// The refresh token is used up; `Stale` when it was already, or is gone.
    RefreshRetire {
        hash: TokenHash,
        at: Timestamp,
    },
    /// The access tokens of a family, replaced by a rotation: none lives longer than `until`, and
    /// none slides any more.
    AccessRetire {
        family: Uuid,
        at: Timestamp,
        until: Timestamp,
    },
    /// An access token slides on, unless it was retired or another request was faster.
    AccessExtend {
        hash: TokenHash,
        from: Timestamp,
        until: Timestamp,
    },
    /// At most `limit` of the tenant's expired tokens are forgotten.
    TokensExpire {
        now: Timestamp,
        limit: u32,
    },
    /// What has expired of a user's tokens is forgotten.
    UserTokensExpire {
        user: UserId,
        now: Timestamp,
    },
    /// One token ends; none is fine too.
    TokenDelete {
        kind: TokenKind,
        hash: TokenHash,
    },
    /// All tokens of one log-in end.
    FamilyDelete {
        family: Uuid,
    },
    /// All tokens of a user end, but for those of one log-in.
    UserTokensDelete {
        user: UserId,
        keep: Option<Uuid>,
    },
}
