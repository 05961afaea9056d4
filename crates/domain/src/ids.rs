//! Identifiers. Integer ids are unique over all tenants of an installation.

use std::fmt;

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(/// A tenant: one organisation with everything it owns.
    TenantId);
id!(/// A node of a tenant's tree.
    OrgUnitId);
id!(/// A person or service that can be given a role.
    UserId);
id!(/// A key or token of a program (LOX24, Onlive, SCIM).
    CredentialId);
id!(/// A contact list.
    ContactGroupId);
id!(/// An entry of a contact list.
    ContactId);
id!(/// A subscription to events.
    WebhookId);
id!(/// One text to many: a bulk or broadcast.
    BulkId);
id!(/// An entry of the block list.
    BlockId);
id!(/// The thread between one of a tenant's numbers and another number.
    ConversationId);
id!(/// A change of a tenant's balance: from 1 in each tenant, without gaps.
    MovementId);
id!(/// A label for whatever is sorted by labels.
    TagId);
id!(/// A file of sound that callers hear.
    MediaPromptId);

/// A group of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserGroupId(pub Uuid);

impl fmt::Display for UserGroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message, to a phone or from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub Uuid);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The sequences from which integer ids are taken, in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    Tenant,
    OrgUnit,
    User,
    Credential,
    ContactGroup,
    Contact,
    Webhook,
    Tag,
    MediaPrompt,
    Block,
    Bulk,
}

impl IdKind {
    /// Every kind, in the order of [`IdKind::index`].
    pub const ALL: [Self; 11] = [
        Self::Tenant,
        Self::OrgUnit,
        Self::User,
        Self::Credential,
        Self::ContactGroup,
        Self::Contact,
        Self::Webhook,
        Self::Tag,
        Self::MediaPrompt,
        Self::Block,
        Self::Bulk,
    ];

    /// The name under which the store keeps the sequence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::OrgUnit => "org_unit",
            Self::User => "user",
            Self::Credential => "credential",
            Self::ContactGroup => "contact_group",
            Self::Contact => "contact",
            Self::Webhook => "webhook",
            Self::Tag => "tag",
            Self::MediaPrompt => "media_prompt",
            Self::Block => "blocked_number",
            Self::Bulk => "bulk",
        }
    }

    /// The position in [`IdKind::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}
