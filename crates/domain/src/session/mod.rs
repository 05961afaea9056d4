//! Sessions: log-in, refresh and revocation (Convirza contract, section 2).
//!
//! A log-in makes a *family*: one access token and one refresh token. A refresh uses the refresh token
//! up and adds a new pair to the family; the access tokens before it live on for a short grace. A used
//! refresh token that comes back within the grace lost a race; later it is taken as theft and ends
//! the family. Tokens are stored as hashes.

mod authenticate;
mod open;
mod refresh;
mod revoke;

use std::time::Duration;

use uuid::Uuid;

use crate::contact::{Contact, ContactGroup};
use crate::media::MediaPrompt;
use crate::org_unit::Located;
use crate::tag::Tag;
use crate::user::{Role, UserView};
use crate::user_group::UserGroup;
use crate::{
    ContactGroupId, ContactId, MediaPromptId, OrgUnitId, StoreError, TagId, TenantId, Timestamp, UserGroupId,
    UserId,
};

pub use open::Grant;

/// How long tokens live.
#[derive(Clone, Debug)]
pub struct SessionPolicy {
    /// From the last request on; sliding.
    pub access: Duration,
    /// From the log-in or the last refresh on.
    pub refresh: Duration,
    /// How long the access token of before a refresh lives on, and how long a used refresh token is
    /// taken for a race and not for theft.
    pub grace: Duration,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self { access: 7 * day, refresh: 180 * day, grace: Duration::from_mins(1) }
    }
}

/// A sliding expiry is written at most this often.
const SLIDE: Duration = Duration::from_hours(1);

const ACCESS_PREFIX: &str = "mua";
const REFRESH_PREFIX: &str = "mur";

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Access,
    Refresh,
}

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionToken {
    pub tenant: TenantId,
    pub hash: TokenHash,
    pub kind: TokenKind,
    /// All tokens of one log-in.
    pub family: Uuid,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// When a rotation used it up (refresh) or replaced it (access).
    pub retired_at: Option<Timestamp>,
}

/// Whoever calls with a valid access token, as read with this very request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub tenant: TenantId,
    pub user: UserId,
    pub role: Role,
    pub org_unit: OrgUnitId,
    /// The top of the tenant's tree.
    pub top: OrgUnitId,
    pub family: Uuid,
    pub expires_at: Timestamp,
    /// Whether a refresh has replaced the token, so that it does not slide any more.
    pub retired: bool,
}

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    OrgUnit(OrgUnitId),
    User(UserId),
    UserByUuid(Uuid),
    UserGroup(UserGroupId),
    ContactGroup(ContactGroupId),
    Contact(ContactId),
    Tag(TagId),
    MediaPrompt(MediaPromptId),
}

/// A subject as it is stored, in whatever scope; see [`crate::Directory::org_unit_found`] and
/// [`crate::Directory::user_found`].
#[derive(Debug)]
pub enum Found {
    OrgUnit(Box<Located>),
    User(Box<UserView>),
    UserGroup(Box<UserGroup>),
    ContactGroup(Box<ContactGroup>),
    Contact(Box<Contact>),
    Tag(Box<Tag>),
    MediaPrompt(Box<MediaPrompt>),
}

/// Reads of sessions.
pub trait SessionStore {
    /// As [`SessionStore::session_caller`], with what the request is about: who calls and what is asked for cost
    /// one trip to the store.
    fn session_caller_and(
        &self,
        tenant: TenantId,
        hash: TokenHash,
        now: Timestamp,
        subject: Subject,
    ) -> impl Future<Output = Result<Option<(Caller, Option<Found>)>, StoreError>> + Send;

    /// Who calls with an access token: the token has not expired, its user and tenant are active.
    fn session_caller(
        &self,
        tenant: TenantId,
        hash: TokenHash,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Caller>, StoreError>> + Send;

    /// A stored token, whatever its state.
    fn session_token(
        &self,
        tenant: TenantId,
        kind: TokenKind,
        hash: TokenHash,
    ) -> impl Future<Output = Result<Option<SessionToken>, StoreError>> + Send;

    /// Whether the tenant has a token that has expired.
    fn has_expired_tokens(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
