//! Users on the wire: bodies in, objects out (Convirza contract, section 5).

use muster_domain::user::{self, Role, User, UserPatch, UserStatus, UserView, limits, password};
use muster_domain::{Draft, OrgUnitId, Patch, Problem, text};
use serde::Serialize;
use serde_json::{Map, Value};

use super::envelope::Time;
use crate::http::{Fields, Mode, Tag, boolean, integer, string};

/// The number of a role.
pub(super) const fn role_id(role: Role) -> i64 {
    match role {
        Role::Admin => 1,
        Role::Standard => 2,
        Role::ReadOnly => 3,
    }
}

/// The version of a user as it is shown: its own and those of the units that its row names.
pub(super) fn tag(view: &UserView) -> Tag {
    let parent = view.parent.as_ref();
    Tag::of(&[
        view.user.version,
        view.unit.id.0,
        view.unit.version,
        parent.map_or(0, |unit| unit.id.0),
        parent.map_or(0, |unit| unit.version),
        view.top.version,
    ])
}

/// Reads the body of POST, PUT and PATCH. `stored` is the user that is changed, `own_unit` the caller's.
pub(super) fn decode(
    body: &Map<String, Value>,
    mode: Mode,
    stored: Option<&User>,
    own_unit: OrgUnitId,
) -> Draft<UserPatch> {
    let mut fields = Fields::new(body, mode);
    let f = &mut fields;
    let login = f.alias("username", "email", "login");
    let login = f.required_value(login, "login", unchanged_or(stored.map(|user| &*user.login), text::email));
    let name = |raw: &str| text::required(raw, limits::NAME);
    let first_name =
        f.required("first_name", "first_name", unchanged_or(stored.map(|user| &*user.first_name), name));
    let last_name =
        f.required("last_name", "last_name", unchanged_or(stored.map(|user| &*user.last_name), name));
    let external_id = |raw: &str| text::trimmed(raw, limits::EXTERNAL_ID);
    let stored_external_id = stored.and_then(|user| user.external_id.as_deref());
    let patch = UserPatch {
        login,
        claims_login: mode == Mode::Create,
        first_name,
        last_name,
        role: role(f),
        org_unit_id: or_default(f.lasting("ct_user_ou_id", "org_unit_id", integer), own_unit.0)
            .map(OrgUnitId),
        status: or_default(f.lasting("user_status", "status", string(status)), UserStatus::Active),
        // Null is no password; taking one away is not offered.
        password: match f.lasting("password", "password", string(password::check)) {
            Patch::Set(password) => Some(password),
            Patch::Keep | Patch::Clear => None,
        },
        external_id: f.optional("user_ext_id", "external_id", unchanged_or(stored_external_id, external_id)),
        timezone: f.lasting("timezone", "timezone", string(text::time_zone)),
        aliases: f.optional("aliases", "aliases", user::aliases),
        agent_ring_to: f.optional("agent_ring_to", "agent_ring_to", string(user::ring_to)),
        agent_code: f.optional("agent_code", "agent_code", |value| integer(value).and_then(agent_code)),
        score_call: or_default(f.optional("score_call", "score_call", boolean), false),
        access_audio: or_default(f.optional("access_audio", "access_audio", boolean), false),
    };
    Draft { value: patch, errors: fields.errors }
}

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    match field {
        "login" => Some("username"),
        "org_unit_id" => Some("ct_user_ou_id"),
        "external_id" => Some("user_ext_id"),
        "status" => Some("user_status"),
        _ => None,
    }
}

/// A parser of text that takes what is stored as it stands: another dialect, which wants less of it, may have
/// written it, and what was read can always be sent back.
fn unchanged_or(
    stored: Option<&str>,
    parse: impl FnOnce(&str) -> Result<String, Problem>,
) -> impl FnOnce(&Value) -> Result<String, Problem> {
    string(move |raw| if stored == Some(raw) { Ok(raw.to_owned()) } else { parse(raw) })
}

/// The wish for a field that always has a value: cleared, it takes its default.
fn or_default<T>(wish: Patch<T>, default: T) -> Option<T> {
    match wish {
        Patch::Keep => None,
        Patch::Clear => Some(default),
        Patch::Set(value) => Some(value),
    }
}

/// The role under either of its names, by word or by number.
fn role(fields: &mut Fields<'_>) -> Option<Role> {
    let word = or_default(fields.lasting("role", "role", string(role_of)), Role::Standard);
    let number = or_default(fields.lasting("role_id", "role_id", role_of_id), Role::Standard);
    if word.is_some() && number.is_some() && word != number {
        fields.errors.push("role", Problem::Conflict("role_id"));
    }
    word.or(number)
}

fn role_of(text: &str) -> Result<Role, Problem> {
    match text {
        "Admin" => Ok(Role::Admin),
        "Standard" | "Standard User" => Ok(Role::Standard),
        "ReadOnly" | "Read Only User" => Ok(Role::ReadOnly),
        _ => Err(Problem::NotOneOf(&["Admin", "Standard", "ReadOnly"])),
    }
}

/// The role of a number; the inverse of [`role_id`].
pub(super) fn role_by_id(id: i64) -> Option<Role> {
    [Role::Admin, Role::Standard, Role::ReadOnly].into_iter().find(|role| role_id(*role) == id)
}

fn role_of_id(value: &Value) -> Result<Role, Problem> {
    role_by_id(integer(value)?).ok_or(Problem::OutOfRange { min: 1, max: 3 })
}

fn status(text: &str) -> Result<UserStatus, Problem> {
    match text {
        "active" => Ok(UserStatus::Active),
        "inactive" => Ok(UserStatus::Inactive),
        _ => Err(Problem::NotOneOf(&["active", "inactive"])),
    }
}

fn agent_code(code: i64) -> Result<i64, Problem> {
    if code >= 0 { Ok(code) } else { Err(Problem::OutOfRange { min: 0, max: i64::MAX }) }
}

/// A user's row. Role and audio access read differently in lists and alone.
#[derive(Serialize)]
pub(super) struct UserRow<'a, Audio> {
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    user_ext_id: Option<&'a str>,
    ct_user_id: i64,
    status: &'static str,
    agent_ring_to: Option<&'a str>,
    agent_id: Option<String>,
    group: &'a str,
    group_org_unit_id: i64,
    group_external_id: Option<&'a str>,
    account: &'a str,
    account_org_unit_id: i64,
    account_external_id: Option<&'a str>,
    parent_group: Option<&'a str>,
    parent_group_org_unit_id: Option<i64>,
    parent_group_external_id: Option<&'a str>,
    role: &'static str,
    access_audio: Audio,
    group_access: i64,
    report_access: i64,
    assign_scorecard: bool,
    user_created: Time,
}

impl<'a, Audio> UserRow<'a, Audio> {
    fn new(view: &'a UserView, role: &'static str, access_audio: Audio) -> Self {
        let UserView { user, unit, parent, top } = view;
        Self {
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.login,
            user_ext_id: user.external_id.as_deref(),
            ct_user_id: user.id.0,
            status: user.status.as_str(),
            agent_ring_to: user.agent_ring_to.as_deref(),
            agent_id: user.agent_code.map(|code| code.to_string()),
            group: &unit.name,
            group_org_unit_id: unit.id.0,
            group_external_id: unit.external_id.as_deref(),
            account: &top.name,
            account_org_unit_id: top.id.0,
            account_external_id: top.external_id.as_deref(),
            parent_group: parent.as_ref().map(|unit| unit.name.as_str()),
            parent_group_org_unit_id: parent.as_ref().map(|unit| unit.id.0),
            parent_group_external_id: parent.as_ref().and_then(|unit| unit.external_id.as_deref()),
            role,
            access_audio,
            group_access: user.group_access,
            report_access: user.report_access,
            assign_scorecard: user.score_call,
            user_created: Time(user.created_at),
        }
    }
}

/// A user, as in lists.
pub(super) fn user_row(view: &UserView) -> UserRow<'_, &'static str> {
    let role = match view.user.role {
        Role::Admin => "Admin",
        Role::Standard => "Standard User",
        Role::ReadOnly => "Read Only User",
    };
    UserRow::new(view, role, if view.user.access_audio { "Yes" } else { "No" })
}

/// A user alone: its row, and every field of the write body in the type in which it is written.
#[derive(Serialize)]
pub(super) struct UserDetail<'a> {
    #[serde(flatten)]
    row: UserRow<'a, bool>,
    username: &'a str,
    role_id: i64,
    ct_user_ou_id: i64,
    user_status: &'static str,
    aliases: Option<&'a Value>,
    timezone: &'a str,
    agent_code: Option<i64>,
    score_call: bool,
    updated_at: Time,
}

impl<'a> UserDetail<'a> {
    pub(super) fn new(view: &'a UserView) -> Self {
        let user = &view.user;
        Self {
            row: UserRow::new(view, user.role.as_str(), user.access_audio),
            username: &user.login,
            role_id: role_id(user.role),
            ct_user_ou_id: user.org_unit_id.0,
            user_status: user.status.as_str(),
            aliases: user.aliases.as_ref(),
            timezone: &user.timezone,
            agent_code: user.agent_code,
            score_call: user.score_call,
            updated_at: Time(user.modified_at),
        }
    }
}
