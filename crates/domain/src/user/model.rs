//! The user and what a reader sees of it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Access, OrgUnitId, TenantId, Timestamp, UserId, journal, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Admin,
    Standard,
    ReadOnly,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::Standard => "Standard",
            Self::ReadOnly => "ReadOnly",
        }
    }

    /// What the role may do with groups and users: only admins read or write them.
    pub const fn access(self) -> Access {
        match self {
            Self::Admin => Access::Write,
            Self::Standard | Self::ReadOnly => Access::None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    Active,
    Inactive,
    Deleted,
}

impl UserStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Deleted => "deleted",
        }
    }
}

/// A user of a tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    pub tenant: TenantId,
    /// The id of the dialects that use UUIDs.
    pub uuid: Uuid,
    pub org_unit_id: OrgUnitId,
    /// Trimmed, NFC, not empty; see [`User::login_key`].
    pub login: String,
    /// Whether the login is unique over all tenants, because its user can log in.
    pub login_claimed: bool,
    pub first_name: String,
    pub last_name: String,
    pub role: Role,
    pub status: UserStatus,
    /// argon2id in PHC form; without one the user cannot log in.
    pub password_hash: Option<String>,
    pub external_id: Option<String>,
    /// An IANA name.
    pub timezone: String,
    /// Any JSON, kept as it was sent.
    pub aliases: Option<Value>,
    pub agent_ring_to: Option<String>,
    pub agent_code: Option<i64>,
    pub score_call: bool,
    pub access_audio: bool,
    pub group_access: i64,
    pub report_access: i64,
    /// From 1, raised by each change of this user.
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl User {
    /// What logins are compared by.
    pub fn login_key(&self) -> String {
        text::key(&self.login)
    }

    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }

    /// The fields that the journal shows; a password shows only whether there is one.
    pub(super) fn fields(&self) -> journal::Fields {
        vec![
            ("login", json!(self.login)),
            ("first_name", json!(self.first_name)),
            ("last_name", json!(self.last_name)),
            ("role", json!(self.role.as_str())),
            ("status", json!(self.status.as_str())),
            ("org_unit_id", json!(self.org_unit_id.0)),
            ("external_id", json!(self.external_id)),
            ("timezone", json!(self.timezone)),
            ("aliases", json!(self.aliases)),
            ("agent_ring_to", json!(self.agent_ring_to)),
            ("agent_code", json!(self.agent_code)),
            ("score_call", json!(self.score_call)),
            ("access_audio", json!(self.access_audio)),
            ("group_access", json!(self.group_access)),
            ("report_access", json!(self.report_access)),
            ("has_password", json!(self.password_hash.is_some())),
        ]
    }
}

/// What a user's row shows of an org unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitRef {
    pub id: OrgUnitId,
    pub name: String,
    pub external_id: Option<String>,
    pub version: i64,
}

/// A user with the units that its row names.
#[derive(Clone, Debug, PartialEq)]
pub struct UserView {
    pub user: User,
    pub unit: UnitRef,
    /// The parent of the user's unit; `None` at the top.
    pub parent: Option<UnitRef>,
    /// The top of the tree.
    pub top: UnitRef,
}
