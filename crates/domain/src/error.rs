//! The one error of the core: a closed enum that each dialect maps in one exhaustive `match`.

use std::borrow::Cow;

use thiserror::Error;

use crate::StoreError;

/// Why a use case did not do what it was asked for.
#[derive(Debug, Error)]
pub enum Error {
    /// No credentials, or wrong, expired or revoked ones. The text may be shown.
    #[error("unauthenticated: {0}")]
    Unauthenticated(&'static str),
    /// The credentials are right, but the caller's tenant is disabled: nobody of it gets in.
    #[error("the tenant is disabled")]
    TenantDisabled,
    /// The caller is known but may not do this. The text may be shown.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// Unknown, of another tenant, or outside the caller's scope: all look the same.
    #[error("no such {0:?}")]
    NotFound(Entity),
    /// The input is wrong, whatever is stored; every failing field is named.
    #[error("invalid input: {0:?}")]
    Invalid(Vec<FieldError>),
    /// The value is taken.
    #[error("duplicate: {0:?}")]
    Duplicate(Unique),
    /// The values at these places of one input would break the rule among themselves.
    #[error("repeated: {rule:?} at {fields:?}")]
    Repeated { rule: Unique, fields: Vec<Cow<'static, str>> },
    /// The input is fine, but the stored data forbids it.
    #[error("refused: {0:?}")]
    Rule(Rule),
    /// The balance does not suffice for what it would cost; nothing was done.
    #[error("the balance does not suffice")]
    NoMoney,
    /// The caller's `If-Match` does not hold.
    #[error("the precondition does not hold")]
    Precondition,
    /// Over a limit; try again after so many seconds.
    #[error("too many requests")]
    TooMany { retry_after: u32 },
    /// The store or a worker cannot take this now; nothing was done. Try again.
    #[error("unavailable: {0}")]
    Unavailable(Cow<'static, str>),
    /// A fault of ours. The text is for the log only.
    #[error("internal: {0}")]
    Internal(String),
}

/// What can be asked for and not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    Tenant,
    OrgUnit,
    User,
    Credential,
    UserGroup,
    ContactGroup,
    Contact,
    Webhook,
    Delivery,
    Tag,
    MediaPrompt,
    Message,
    Block,
    Incoming,
    Bulk,
}

impl Entity {
    pub const ALL: [Self; 15] = [
        Self::Tenant,
        Self::OrgUnit,
        Self::User,
        Self::Credential,
        Self::UserGroup,
        Self::ContactGroup,
        Self::Contact,
        Self::Webhook,
        Self::Delivery,
        Self::Tag,
        Self::MediaPrompt,
        Self::Message,
        Self::Block,
        Self::Incoming,
        Self::Bulk,
    ];

    /// Its word in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::OrgUnit => "org_unit",
            Self::User => "user",
            Self::Credential => "credential",
            Self::UserGroup => "user_group",
            Self::ContactGroup => "contact_group",
            Self::Contact => "contact",
            Self::Webhook => "webhook",
            Self::Delivery => "delivery",
            Self::Tag => "tag",
            Self::MediaPrompt => "media_prompt",
            Self::Message => "sms",
            Self::Block => "blocked_number",
            Self::Incoming => "incoming",
            Self::Bulk => "broadcast",
        }
    }
}

/// The uniqueness rules, each kept by an index of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// Active siblings have different names.
    OrgUnitName,
    /// A login stands once in a tenant, and once over all tenants among those who can log in.
    Login,
    /// A number stands once in a contact group.
    ContactPhone,
    /// The external id of a user group stands once in a tenant.
    UserGroupExternalId,
    /// Tags of an org unit have different names.
    TagName,
    /// A number stands once in a block list.
    BlockedNumber,
}

/// The rules of the directory that need stored data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A unit cannot be moved under itself or a descendant.
    Cycle,
    /// A unit's own level is at most [`crate::org_unit::MAX_LEVEL`] when it is created or moved.
    TooDeep,
    /// The top of the tree cannot be moved.
    TopMoved,
    /// The caller's own unit cannot be moved.
    OwnUnitMoved,
    /// The top of the tree cannot be archived.
    TopArchived,
    /// The caller's own unit cannot be archived.
    OwnUnitArchived,
    /// A unit with active child units or users cannot be archived.
    NotVacant,
    /// A unit cannot be restored under an archived parent.
    ParentArchived,
    /// An active Admin of the top unit remains, one with a password if any has one.
    LastAdmin,
    /// A user group that has members is not deleted by a call that spares them.
    UserGroupHasMembers,
    /// A tenant has at most [`crate::webhook::limits::PER_TENANT`] webhooks.
    TooManyWebhooks,
    /// A tenant has at most [`crate::webhook::limits::LOX24_PER_TENANT`] webhooks in the format of LOX24.
    TooManyLox24Webhooks,
    /// Only a delivery that was given up is tried again.
    DeliveryNotFailed,
    /// The journal does not tell of the event any more, so it cannot be sent again.
    EventForgotten,
    /// What changes whatever a filter asks for is not done without a filter.
    NoFilter,
    /// A bulk names somebody: single numbers or contact groups.
    NoRecipients,
    /// What a bulk sends, and when, is changed before it begins and not after.
    BulkNotEditable,
    /// See [`crate::message::BulkStatus::can_be_set`].
    BulkStatus,
}

/// One failing field of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path in domain names (`name`, `parent_id`); each dialect knows its own word for it.
    pub field: Cow<'static, str>,
    pub problem: Problem,
}

/// What is wrong with a field; each dialect has its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Missing, or null where a value is needed.
    Required,
    /// Nothing but white space.
    Blank,
    /// More than `max` characters.
    TooLong { max: usize },
    /// Fewer than `min` characters.
    TooShort { min: usize },
    /// More than `max` entries of a list.
    TooManyEntries { max: usize },
    /// Another type than this one.
    WrongType(Kind),
    /// A number outside of `min..=max`.
    OutOfRange { min: i64, max: i64 },
    /// Not one of the values.
    NotOneOf(&'static [&'static str]),
    /// Refers to something that does not exist or is not visible to the caller.
    Unknown(&'static str),
    /// Refers to something that is archived.
    Inactive(&'static str),
    /// Two names of one field carry different values.
    Conflict(&'static str),
    /// Does not match what is stored (a current password).
    Mismatch,
    /// Anything else, as a sentence without its subject: `must be …`.
    Format(&'static str),
}

/// The types of values that inputs have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Boolean,
    Object,
    Array,
}

impl Error {
    /// The error of one failing field.
    pub fn field(field: impl Into<Cow<'static, str>>, problem: Problem) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), problem }])
    }

    /// What a use case answers when others changed what it rests on again and again.
    pub fn contended() -> Self {
        Self::Unavailable(Cow::Borrowed("too many concurrent changes of the same data"))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Duplicate(unique) => Self::Duplicate(unique),
            // The use cases read and decide again; here it has failed too often.
            StoreError::GuardFailed | StoreError::Stale => Self::contended(),
            StoreError::Balance => Self::NoMoney,
            StoreError::Unavailable(why) => Self::Unavailable(why),
            StoreError::Internal(why) => Self::Internal(why),
        }
    }
}
