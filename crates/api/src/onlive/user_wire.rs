//! Users on the wire (Onlive contract, section 4).

use muster_domain::user::{Role, User, UserPatch, UserView, limits};
use muster_domain::{Problem, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::format::Time;
use crate::http::{Fields, Mode, Parser, Tag, choice, email, required_text};

const ROLES: &[&str] = &["creator", "editor", "admin"];

/// A user.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Role)]
enum RoleWord {
    Creator,
    Editor,
    Admin,
}

/// A user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub(super) struct UserBody {
    id: Uuid,
    first_name: String,
    last_name: String,
    /// What the user logs in with, which other dialects may have made something else than an address.
    email: String,
    role: RoleWord,
    avatar: Option<String>,
    organization_id: Uuid,
    /// The primary user group.
    user_group_id: Option<Uuid>,
    full_name: String,
    created_at: Time,
    updated_at: Time,
}

impl UserBody {
    pub(super) fn new(user: User, organization: Uuid) -> Self {
        Self {
            id: user.uuid,
            full_name: format!("{} {}", user.first_name, user.last_name).trim().to_owned(),
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.login,
            role: match user.role {
                Role::ReadOnly => RoleWord::Creator,
                Role::Standard => RoleWord::Editor,
                Role::Admin => RoleWord::Admin,
            },
            avatar: None,
            organization_id: organization,
            user_group_id: None,
            created_at: Time(user.created_at),
            updated_at: Time(user.modified_at),
        }
    }
}

/// What was deleted, as it was before.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deleted)]
pub(super) struct Deleted<T> {
    #[serde(flatten)]
    was: T,
    deleted_at: Time,
}

impl<T> Deleted<T> {
    pub(super) fn new(was: T, at: Timestamp) -> Self {
        Self { was, deleted_at: Time(at) }
    }
}

/// The version of a user as it is shown.
pub(super) fn tag(view: &UserView) -> Tag {
    Tag::of(&[view.user.version])
}

/// Reads the body of POST and PUT. `stored` is the user that is changed. Nobody changes an address.
pub(super) fn decode(f: &mut Fields<'_>, stored: Option<&User>) -> UserPatch {
    let creates = f.mode() == Mode::Create;
    let name = |stored: Option<&User>, of: fn(&User) -> &String| stored.map(of).cloned();
    let first_name = name(stored, |user| &user.first_name);
    let last_name = name(stored, |user| &user.last_name);
    let roles = choice(ROLES, &[Role::ReadOnly, Role::Standard, Role::Admin]);
    UserPatch {
        first_name: f.required("firstName", "first_name", unchanged_or(first_name)),
        last_name: f.required("lastName", "last_name", unchanged_or(last_name)),
        login: if creates { f.required("email", "login", email()) } else { None },
        role: f.present("role", "role", roles).or(creates.then_some(Role::ReadOnly)),
        ..UserPatch::default()
    }
}

/// A name. What is stored is taken as it stands: another dialect, which wants less of it, may have written it.
fn unchanged_or(stored: Option<String>) -> Parser<impl FnOnce(&Value) -> Result<String, Problem>> {
    required_text(limits::NAME).unless(move |value| stored.filter(|stored| value.as_str() == Some(stored)))
}

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    match field {
        "login" => Some("email"),
        "first_name" => Some("firstName"),
        "last_name" => Some("lastName"),
        _ => None,
    }
}
