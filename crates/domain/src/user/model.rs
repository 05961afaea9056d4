//! The user and what a reader sees of it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::UserDocument;
use crate::{
    Access, Area, Entity, Error, Guard, OrgUnitId, TenantId, Timestamp, UserGroupId, UserId, journal, text,
};

/// The greatest sizes (our decisions; Convirza contract, section 5).
pub mod limits {
    /// Of a first and of a last name, in characters.
    pub const NAME: usize = 100;
    /// In characters.
    pub const EXTERNAL_ID: usize = 100;
    /// Of aliases as compact JSON, in bytes.
    pub const ALIASES: usize = 4096;
    /// How deep aliases may be nested; a journal entry holds them, and has to be readable again.
    pub const ALIASES_DEPTH: usize = 64;
    /// In characters (Onlive contract, section 4).
    pub const AVATAR: usize = 2048;
}

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

    /// What the role may do in an area: only admins read or write groups and users.
    pub const fn access(self, area: Area) -> Access {
        match (self, area) {
            (Self::Admin, _) | (Self::Standard, Area::Resources) => Access::Write,
            (Self::ReadOnly, Area::Resources) => Access::Read,
            (Self::Standard | Self::ReadOnly, Area::Directory) => Access::None,
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
    /// The address of a picture, see [`avatar`].
    pub avatar: Option<String>,
    /// What a dialect keeps of the user beside all this.
    pub document: Option<Box<UserDocument>>,
    /// The primary group, as it follows from the memberships; what is written of a user leaves those alone.
    pub user_group_id: Option<UserGroupId>,
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

    /// What users are searched and sorted by.
    pub fn name_key(&self) -> String {
        name_key(&self.first_name, &self.last_name)
    }

    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }

    pub fn is_deleted(&self) -> bool {
        self.status == UserStatus::Deleted
    }

    /// Whether the user is one of those who keep the tenant governed: an active Admin of its top unit.
    pub(super) fn governs(&self, top: OrgUnitId) -> bool {
        self.is_active() && self.role == Role::Admin && self.org_unit_id == top
    }

    /// What stays of a user that is erased: ids, the status, times.
    pub(super) fn tombstone(&self) -> Self {
        Self {
            login: String::new(),
            login_claimed: false,
            first_name: String::new(),
            last_name: String::new(),
            role: Role::ReadOnly,
            status: UserStatus::Deleted,
            password_hash: None,
            external_id: None,
            timezone: "UTC".to_owned(),
            aliases: None,
            agent_ring_to: None,
            agent_code: None,
            score_call: false,
            access_audio: false,
            group_access: 0,
            report_access: 0,
            avatar: None,
            document: None,
            user_group_id: None,
            ..self.clone()
        }
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
            ("avatar", json!(self.avatar)),
            ("document", json!(self.document.as_ref().map(|document| &document.sent))),
            ("user_group_id", json!(self.user_group_id.map(|id| id.0))),
            ("has_password", json!(self.password_hash.is_some())),
        ]
    }
}

/// The key of a first and a last name, joined by one blank.
pub fn name_key(first_name: &str, last_name: &str) -> String {
    text::key(format!("{first_name} {last_name}").trim())
}

/// Which users of a list are wanted.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Users of this unit and all below it; `None` for the whole tenant.
    pub within: Option<OrgUnitId>,
    /// A part of [`User::name_key`], in any case.
    pub name: Option<String>,
    /// A part of the login, in any case.
    pub login: Option<String>,
    /// A part of [`User::name_key`] or of the login, in any case.
    pub search: Option<String>,
    /// Members of this group, whether it is their primary one or not.
    pub user_group: Option<UserGroupId>,
    pub role: Option<Role>,
    /// `None` for all that are not deleted.
    pub status: Option<UserStatus>,
}

/// What a list of users is ordered by; users that are equal there stand by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserSort {
    Created,
    Name,
    Login,
}

/// The order of a list of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserOrder {
    pub by: UserSort,
    pub descending: bool,
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

impl UserView {
    /// Refuses a user that is deleted, for whom every write is at an end. Errors: `NotFound`.
    pub fn writable(self) -> Result<Self, Error> {
        if self.user.is_deleted() { Err(Error::NotFound(Entity::User)) } else { Ok(self) }
    }

    /// That what the view shows besides the user itself has not changed.
    pub(super) fn guards(&self) -> impl Iterator<Item = Guard> {
        let units = [Some(&self.unit), self.parent.as_ref(), Some(&self.top)];
        let primary = Guard::PrimaryGroup { user: self.user.id, group: self.user.user_group_id };
        let units = units.into_iter().flatten();
        units.map(|unit| Guard::UnitVersion { id: unit.id, version: unit.version }).chain([primary])
    }
}
