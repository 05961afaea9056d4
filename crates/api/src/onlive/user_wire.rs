//! Users on the wire (Onlive contract, section 4).

use muster_domain::user::{Role, User, UserPatch, avatar, limits};
use muster_domain::{Problem, UserGroupId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::format::{Time, UUID, uuid};
use crate::http::{Fields, Mode, Parser, Tag, Text, choice, email, required_text, string};

/// The address of a picture: no part of it holds white space, control characters or what RFC 3986 has not in a URL.
const AVATAR: Text = Text {
    min: 0,
    max: limits::AVATAR,
    pattern: Some(concat!(
        "^[Hh][Tt][Tt][Pp][Ss]://",
        r#"[^/?#:@\u0000-\u0020"<>\\^`{|}\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"#,
        r#"[^/?#@\u0000-\u0020"<>\\^`{|}\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*"#,
        r#"([/?#][^\u0000-\u0020"<>\\^`{|}\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*)?$"#
    )),
    description: Some("A URL with the scheme `https`."),
};

const ROLES: &[&str] = &["creator", "editor", "admin"];

/// What a user may do.
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
            avatar: user.avatar,
            organization_id: organization,
            user_group_id: user.user_group_id.map(|id| id.0),
            created_at: Time(user.created_at),
            updated_at: Time(user.modified_at),
        }
    }
}

/// The version of a user as it is shown. Of its groups only the primary one is, which follows from all of them: it can
/// change without the user.
pub(super) fn tag(user: &User) -> Tag {
    let group = user.user_group_id.map_or([0, 0], |id| halves(id.0));
    Tag::of(&[user.version, group[0], group[1]])
}

fn halves(id: Uuid) -> [i64; 2] {
    let (high, low) = id.as_u64_pair();
    [high.cast_signed(), low.cast_signed()]
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
        avatar: f.optional("avatar", "avatar", string(AVATAR, avatar)),
        user_group: f.optional(
            "userGroupId",
            "user_group_id",
            string(UUID, uuid).then(|id| Ok(UserGroupId(id))),
        ),
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
        "user_group_id" => Some("userGroupId"),
        _ => None,
    }
}
