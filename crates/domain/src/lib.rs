//! The directory itself: entities, rules, use cases and the storage traits they need.
//!
//! This crate knows no HTTP, no SQL and no wire format. Time and randomness are passed in
//! ([`Clock`], [`Entropy`]). A use case is a method of [`Directory`] whose name, such as
//! `org_unit_update`, is the same in the route, the log and the journal.

pub mod ad_source;
mod batch;
mod change;
mod ctx;
mod directory;
mod draft;
mod error;
mod guard;
mod ids;
pub mod industry;
mod journal;
mod page;
mod patch;
pub mod predicate;
pub mod secret;
mod store;
pub mod text;
mod time;
mod upkeep;

pub mod contact;
pub mod credential;
pub mod media;
pub mod message;
pub mod org_unit;
pub mod session;
pub mod tag;
pub mod tenant;
pub mod user;
pub mod user_group;
pub mod webhook;

pub use batch::Batch;
pub use change::Change;
pub use ctx::{Access, Actor, Area, Ctx, Dialect};
pub use directory::{Directory, Ended, PasswordFuture, Passwords, Precondition};
pub use draft::{Draft, FieldErrors};
pub use error::{Entity, Error, FieldError, Kind, Problem, Rule, Unique};
pub use guard::Guard;
pub use ids::{
    BlockId, BulkId, ContactGroupId, ContactId, ConversationId, CredentialId, IdKind, MediaPromptId,
    MessageId, MovementId, OrgUnitId, TagId, TenantId, UserGroupId, UserId, WebhookId,
};
pub use journal::{Fields, JournalEntry, JournalFilter, JournalRecord};
pub use page::{Page, Slice};
pub use patch::Patch;
pub use store::{Store, StoreError};
pub use time::{Clock, Entropy, Timestamp};
