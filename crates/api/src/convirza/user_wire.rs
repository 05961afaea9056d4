//! Users on the wire: bodies in, objects out (Convirza contract, section 5).

use muster_domain::user::{self, Role, User, UserPatch, UserStatus, UserView, limits, password};
use muster_domain::{OrgUnitId, Patch, Problem};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Schema;

use super::envelope::{Time, words};
use crate::http::{
    Fields, Mode, Parser, Tag, Text, any, boolean, choice, email, integer, integer_within, required_text,
    string, time_zone, trimmed_text,
};

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
pub(super) fn decode(f: &mut Fields<'_>, stored: Option<&User>, own_unit: OrgUnitId) -> UserPatch {
    let login = unchanged_or(stored.map(|user| &*user.login), email());
    let first_name = unchanged_or(stored.map(|user| &*user.first_name), required_text(limits::NAME));
    let last_name = unchanged_or(stored.map(|user| &*user.last_name), required_text(limits::NAME));
    let external_id = stored.and_then(|user| user.external_id.as_deref());
    let external_id = unchanged_or(external_id, trimmed_text(limits::EXTERNAL_ID));
    let statuses = choice(&["active", "inactive"], &[UserStatus::Active, UserStatus::Inactive]);
    UserPatch {
        login: f.required(("username", "email"), "login", login),
        claims_login: f.mode() == Mode::Create,
        first_name: f.required("first_name", "first_name", first_name),
        last_name: f.required("last_name", "last_name", last_name),
        role: role(f),
        org_unit_id: or_default(f.lasting("ct_user_ou_id", "org_unit_id", integer()), own_unit.0)
            .map(OrgUnitId),
        status: or_default(f.lasting("user_status", "status", statuses), UserStatus::Active),
        // Null is no password; taking one away is not offered.
        password: match f.lasting("password", "password", new_password()) {
            Patch::Set(password) => Some(password),
            Patch::Keep | Patch::Clear => None,
        },
        external_id: f.optional("user_ext_id", "external_id", external_id),
        timezone: f.lasting("timezone", "timezone", time_zone()),
        aliases: f.optional("aliases", "aliases", any(user::aliases)),
        agent_ring_to: f.optional("agent_ring_to", "agent_ring_to", string(RING_TO, user::ring_to)),
        agent_code: f.optional("agent_code", "agent_code", integer_within(0, i64::MAX)),
        score_call: or_default(f.optional("score_call", "score_call", boolean()), false),
        access_audio: or_default(f.optional("access_audio", "access_audio", boolean()), false),
        ..UserPatch::default()
    }
}

/// What [`user::ring_to`] takes.
const RING_TO: Text = Text { pattern: Some(r"^\+[1-9][0-9]{1,14}$"), ..Text::ANY };

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
    parser: Parser<impl FnOnce(&Value) -> Result<String, Problem>>,
) -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    parser.unless(move |value| value.as_str().filter(|text| stored == Some(text)).map(ToOwned::to_owned))
}

/// The wish for a field that always has a value: cleared, it takes its default.
pub(super) fn or_default<T>(wish: Patch<T>, default: T) -> Option<T> {
    match wish {
        Patch::Keep => None,
        Patch::Clear => Some(default),
        Patch::Set(value) => Some(value),
    }
}

/// The last two are how lists show them.
const ROLES: &[&str] = &["Admin", "Standard", "ReadOnly", "Standard User", "Read Only User"];

fn roles() -> Schema {
    words(ROLES)
}

/// The role under either of its names, by word or by number.
fn role(fields: &mut Fields<'_>) -> Option<Role> {
    use Role::{Admin, ReadOnly, Standard};

    let words = choice(ROLES, &[Admin, Standard, ReadOnly, Standard, ReadOnly]);
    let numbers =
        integer_within(1, 3).then(|id| role_by_id(id).ok_or(Problem::OutOfRange { min: 1, max: 3 }));
    let word = fields.lasting("role", "role", words);
    let number = fields.lasting("role_id", "role_id", numbers);
    if let (Patch::Set(word), Patch::Set(number)) = (&word, &number)
        && word != number
    {
        fields.errors.push("role", Problem::Conflict("role_id"));
    }
    // Null beside a value is how clients leave out what they do not use.
    let wish = if matches!(word, Patch::Set(_)) || number == Patch::Keep { word } else { number };
    or_default(wish, Standard)
}

/// The role of a number; the inverse of [`role_id`].
pub(super) fn role_by_id(id: i64) -> Option<Role> {
    [Role::Admin, Role::Standard, Role::ReadOnly].into_iter().find(|role| role_id(*role) == id)
}

/// A password that is to be set.
pub(super) fn new_password() -> Parser<impl FnOnce(&Value) -> Result<SecretString, Problem>> {
    let form = Text { min: password::MIN_LENGTH, max: password::MAX_LENGTH, ..Text::ANY };
    string(form, password::check)
}

/// A user's row. Role and audio access read differently in lists and alone.
#[derive(Serialize, ToSchema)]
pub(super) struct UserRow<'a, Audio> {
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    user_ext_id: Option<&'a str>,
    ct_user_id: i64,
    #[schema(schema_with = statuses)]
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
    #[schema(schema_with = roles)]
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

#[derive(Serialize, ToSchema)]
pub(super) enum YesOrNo {
    Yes,
    No,
}

fn statuses() -> Schema {
    words(&["active", "inactive", "deleted"])
}

/// A user, as in lists.
pub(super) fn user_row(view: &UserView) -> UserRow<'_, YesOrNo> {
    let role = match view.user.role {
        Role::Admin => "Admin",
        Role::Standard => "Standard User",
        Role::ReadOnly => "Read Only User",
    };
    UserRow::new(view, role, if view.user.access_audio { YesOrNo::Yes } else { YesOrNo::No })
}

/// A user alone: its row, and every field of the write body in the type in which it is written.
#[derive(Serialize, ToSchema)]
pub(super) struct UserDetail<'a> {
    #[serde(flatten)]
    row: UserRow<'a, bool>,
    username: &'a str,
    role_id: i64,
    ct_user_ou_id: i64,
    #[schema(schema_with = statuses)]
    user_status: &'static str,
    #[schema(required)]
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
