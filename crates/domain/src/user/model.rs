//! The user and what a reader sees of it.

use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Access, Entity, Error, Guard, OrgUnitId, Patch, Problem, TenantId, Timestamp, UserGroupId, UserId,
    journal, text,
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
    /// The address of a picture, see [`avatar`].
    pub avatar: Option<String>,
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
            ("user_group_id", json!(self.user_group_id.map(|id| id.0))),
            ("has_password", json!(self.password_hash.is_some())),
        ]
    }
}

/// The key of a first and a last name, joined by one blank.
pub fn name_key(first_name: &str, last_name: &str) -> String {
    text::key(format!("{first_name} {last_name}").trim())
}

/// What a request wants of a user. A new user is a patch of an empty one.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// Normalised and not empty.
    pub login: Option<String>,
    /// Whether a new login is to be unique over all tenants, even without a password.
    pub claims_login: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub role: Option<Role>,
    pub org_unit_id: Option<OrgUnitId>,
    /// Not [`UserStatus::Deleted`], which has a use case of its own.
    pub status: Option<UserStatus>,
    /// It has passed [`super::password::check`].
    pub password: Option<SecretString>,
    pub external_id: Patch<String>,
    /// Cleared means: as the org unit's.
    pub timezone: Patch<String>,
    /// It has passed [`aliases`].
    pub aliases: Patch<Value>,
    /// It has passed [`ring_to`].
    pub agent_ring_to: Patch<String>,
    pub agent_code: Patch<i64>,
    pub score_call: Option<bool>,
    pub access_audio: Option<bool>,
    /// It has passed [`avatar`].
    pub avatar: Patch<String>,
    /// The primary group; see [`crate::user_group::Memberships::wish`].
    pub user_group: Patch<UserGroupId>,
}

impl UserPatch {
    /// Writes the wishes into `user`, but for the password, which has to be hashed, and for the group, which is
    /// another row. `inherited` is the
    /// time zone that a cleared one falls back to.
    pub(super) fn apply(self, user: &mut User, inherited: &str) {
        fn set<T>(wish: Option<T>, field: &mut T) {
            if let Some(value) = wish {
                *field = value;
            }
        }
        set(self.login, &mut user.login);
        set(self.first_name, &mut user.first_name);
        set(self.last_name, &mut user.last_name);
        set(self.role, &mut user.role);
        set(self.org_unit_id, &mut user.org_unit_id);
        set(self.status, &mut user.status);
        self.external_id.apply(&mut user.external_id);
        match self.timezone {
            Patch::Keep => {}
            Patch::Clear => inherited.clone_into(&mut user.timezone),
            Patch::Set(timezone) => user.timezone = timezone,
        }
        self.aliases.apply(&mut user.aliases);
        self.agent_ring_to.apply(&mut user.agent_ring_to);
        self.agent_code.apply(&mut user.agent_code);
        set(self.score_call, &mut user.score_call);
        set(self.access_audio, &mut user.access_audio);
        self.avatar.apply(&mut user.avatar);
    }
}

/// Checks the size of aliases: any JSON of at most [`limits::ALIASES`] bytes.
pub fn aliases(value: &Value) -> Result<Value, Problem> {
    if depth(value) > limits::ALIASES_DEPTH {
        return Err(Problem::Format("must not be nested deeper than 64 levels"));
    }
    if value.to_string().len() > limits::ALIASES {
        return Err(Problem::Format("must not be longer than 4096 bytes of JSON"));
    }
    Ok(value.clone())
}

/// A value that holds no other has depth 1.
pub(crate) fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => None,
    };
    1 + below.unwrap_or(0)
}

/// Checks the address of a picture: a URL with the scheme `https` and a host, kept as it was sent but for white space
/// around it.
pub fn avatar(raw: &str) -> Result<String, Problem> {
    const REFUSED: Problem = Problem::Format("must be an HTTPS URL");
    let url = text::trimmed(raw, limits::AVATAR)?;
    let (scheme, rest) = url.split_once("://").ok_or(REFUSED)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_plain = !url.chars().any(|c| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c));
    let fits = scheme.eq_ignore_ascii_case("https") && is_plain && !host.is_empty() && !host.starts_with(':');
    if fits { Ok(url) } else { Err(REFUSED) }
}

/// Checks a number to ring: `+` and 2 to 15 digits, the first of them not 0. Whether such a number exists
/// is not looked at (the vendor's own sample sends one that does not).
pub fn ring_to(raw: &str) -> Result<String, Problem> {
    let digits = raw.strip_prefix('+').unwrap_or_default();
    let fits = (2..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if fits { Ok(raw.to_owned()) } else { Err(Problem::Format("must be + and 2 to 15 digits")) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_bounded_in_length_and_depth() {
        let nested = |levels: usize| (1..levels).fold(json!([]), |inner, _| json!([inner]));
        assert!(aliases(&nested(64)).is_ok());
        assert!(aliases(&nested(65)).is_err());
        assert!(aliases(&json!("x".repeat(4094))).is_ok());
        assert!(aliases(&json!("x".repeat(4095))).is_err());
    }

    #[test]
    fn avatars_are_https_urls() {
        for right in
            ["https://img.example.org/1.png", "HTTPS://a", " https://u@[::1]:8443/x?y#z ", "https://ä.de"]
        {
            assert_eq!(avatar(right).as_deref(), Ok(right.trim()));
        }
        for wrong in
            ["", "https://", "https:///x", "http://a/b", "https://:80/", "https://a b", "//a", "https:a", "x"]
        {
            assert_eq!(avatar(wrong), Err(Problem::Format("must be an HTTPS URL")), "{wrong}");
        }
        assert!(avatar(&format!("https://{}", "a".repeat(2040))).is_ok());
        assert_eq!(avatar(&format!("https://{}", "a".repeat(2041))), Err(Problem::TooLong { max: 2048 }));
    }

    #[test]
    fn numbers_to_ring_are_known_by_their_form() {
        for right in ["+12", "+1234567890", "+123456789012345"] {
            assert_eq!(ring_to(right).as_deref(), Ok(right));
        }
        for wrong in ["", "+", "+1", "+0123", "12345", "+1234567890123456", "+1 303", "+1303a", "++12"] {
            assert!(ring_to(wrong).is_err(), "{wrong}");
        }
    }
}
