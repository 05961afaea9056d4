//! A user as a resource, and what a resource wants of a user.
//!
//! What was sent is kept in a document. What the other dialects can change as well stands in columns too: of these a
//! resource shows what was sent, unless the column is another by now.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use muster_domain::user::{Role, User, UserDocument, UserPatch, UserStatus, limits, password, ring_to};
use muster_domain::user_group::GroupOfUser;
use muster_domain::{Patch, text};
use serde_json::{Map, Value, json};

use super::ScimError;
use super::failure::invalid;
use super::schema::USERS;
use super::value::{is_primary, set};
use crate::http::Tag;

/// The longest text that users and groups are looked up by, in characters.
pub(super) const KEY: usize = 255;

/// The version of a user as it is shown, with its groups.
pub(super) fn tag(user: &User, groups: &[GroupOfUser]) -> Tag {
    if groups.is_empty() {
        return Tag::of(&[user.version]);
    }
    let mut hasher = DefaultHasher::new();
    for group in groups {
        (group.group.0, &group.name).hash(&mut hasher);
    }
    Tag::of(&[user.version, hasher.finish().cast_signed()])
}

/// A user as it is shown.
pub(super) fn resource(user: &User, groups: &[GroupOfUser], base: &str) -> Map<String, Value> {
    let mut shown = Map::new();
    set(&mut shown, "schemas", Some(json!([])));
    set(&mut shown, "id", Some(user.uuid.to_string().into()));
    set(&mut shown, "userName", Some(user.login.as_str().into()));
    shown.extend(user.document.as_ref().map(|document| document.sent.clone()).unwrap_or_default());
    if user.is_as_sent("external_id").is_none() {
        set(&mut shown, "externalId", user.external_id.as_deref().map(Value::from));
    }
    show_name(user, &mut shown);
    if user.is_as_sent("status").is_none() {
        set(&mut shown, "active", Some(user.is_active().into()));
    }
    if user.is_as_sent("timezone").is_none() {
        set(&mut shown, "timezone", Some(user.timezone.as_str().into()));
    }
    if user.is_as_sent("agent_ring_to").is_none() {
        let number = user.agent_ring_to.as_ref().map(|number| json!([{"value": number, "type": "work"}]));
        set(&mut shown, "phoneNumbers", number);
    }
    if user.is_as_sent("role").is_none() {
        set(&mut shown, "roles", Some(json!([{"value": user.role.as_str()}])));
    }
    if user.login_is_email() {
        set(&mut shown, "emails", Some(json!([{"value": user.login, "type": "work", "primary": true}])));
    }
    let groups_shown: Vec<Value> = groups.iter().map(|group| group_of_user(group, base)).collect();
    set(&mut shown, "groups", (!groups.is_empty()).then(|| groups_shown.into()));
    USERS.mark_schemas(&mut shown);
    let meta = json!({
        "resourceType": USERS.name,
        "created": user.created_at.millis().to_string(),
        "lastModified": user.modified_at.millis().to_string(),
        "location": format!("{base}/Users/{}", user.uuid),
        "version": tag(user, groups).to_string(),
    });
    set(&mut shown, "meta", Some(meta));
    shown
}

fn show_name(user: &User, shown: &mut Map<String, Value>) {
    for (column, sub, now) in
        [("first_name", "givenName", &user.first_name), ("last_name", "familyName", &user.last_name)]
    {
        if user.is_as_sent(column).is_some() {
            continue;
        }
        let name = shown.entry("name").or_insert_with(|| Map::new().into());
        if let Value::Object(name) = name {
            set(name, sub, (!now.is_empty()).then(|| now.as_str().into()));
        }
    }
    if shown.get("name").and_then(Value::as_object).is_some_and(Map::is_empty) {
        set(shown, "name", None);
    }
}

fn group_of_user(group: &GroupOfUser, base: &str) -> Value {
    json!({
        "value": group.group.to_string(),
        "$ref": format!("{base}/Groups/{}", group.group),
        "display": group.name,
        "type": "direct",
    })
}

/// What the emails of a new resource come to: whether any were ever sent.
pub(super) fn emails(resource: &Map<String, Value>) -> Option<Vec<String>> {
    let emails = resource.get("emails")?.as_array()?;
    Some(emails.iter().filter_map(|email| email.get("value")?.as_str()).map(str::to_owned).collect())
}

/// What a resource wants of its user. `emails` are those that were sent, if ever any were.
///
/// Errors: `invalidValue`.
pub(super) fn patch(
    mut resource: Map<String, Value>,
    emails: Option<Vec<String>>,
) -> Result<UserPatch, ScimError> {
    let text_of = |resource: &Map<String, Value>, name: &str| {
        resource.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let user_name = text_of(&resource, "userName").unwrap_or_default();
    let login = text::required(&user_name, KEY).map_err(|problem| invalid("userName", &problem))?;
    let password = text_of(&resource, "password");
    let password =
        password.map(|password| password::check(&password).map_err(|problem| invalid("password", &problem)));
    let key = |name: &str, value: Option<String>| {
        let checked = value.map(|value| text::limited(&value, KEY));
        checked.transpose().map_err(|problem| invalid(name, &problem))
    };
    let external_id = key("externalId", text_of(&resource, "externalId"))?;
    let display_name = key("displayName", text_of(&resource, "displayName"))?;
    for email in emails.iter().flatten() {
        key("emails.value", Some(email.clone()))?;
    }
    let name = |sub: &str| {
        let name = resource.get("name").and_then(|name| name.get(sub)?.as_str()).unwrap_or_default();
        let cut: String = text::normalize(name).chars().take(limits::NAME).collect();
        // A blank where it was cut would be lost, and so changed, when another dialect sends back what it has read.
        text::normalize(&cut)
    };
    let (first_name, last_name) = (name("givenName"), name("familyName"));
    let timezone = resource.get("timezone").and_then(Value::as_str);
    let timezone = timezone.and_then(|name| text::time_zone(name).ok()).map_or(Patch::Keep, Patch::Set);
    let agent_ring_to = number(&resource).map_or(Patch::Keep, Patch::Set);
    let is_active = resource.get("active").and_then(Value::as_bool).unwrap_or(true);
    let role = role(&resource);
    for name in ["schemas", "id", "meta", "groups", "password", "userName"] {
        set(&mut resource, name, None);
    }
    if emails.is_none() {
        // What stands in for them was not sent.
        set(&mut resource, "emails", None);
    }
    let document = UserDocument { sent: resource, columns: Map::new(), display_name, emails };
    Ok(UserPatch {
        login: Some(login),
        first_name: Some(first_name),
        last_name: Some(last_name),
        role: Some(role),
        status: Some(if is_active { UserStatus::Active } else { UserStatus::Inactive }),
        password: password.transpose()?,
        external_id: external_id.map_or(Patch::Clear, Patch::Set),
        timezone,
        agent_ring_to,
        document: Some(document),
        ..UserPatch::default()
    })
}

/// The number that the directory rings, if one is sent that it can ring: the primary one, or else the first.
fn number(resource: &Map<String, Value>) -> Option<String> {
    let numbers = resource.get("phoneNumbers")?.as_array()?;
    let number = numbers.iter().find(|number| is_primary(number)).or(numbers.first())?;
    ring_to(number.get("value")?.as_str()?).ok()
}

/// The highest of the roles that the directory knows.
fn role(resource: &Map<String, Value>) -> Role {
    let roles = resource.get("roles").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = roles.filter_map(|role| role.get("value")?.as_str()).collect();
    let has = |role: &Role| names.iter().any(|name| name.eq_ignore_ascii_case(role.as_str()));
    [Role::Admin, Role::Standard, Role::ReadOnly].into_iter().find(has).unwrap_or(Role::Standard)
}
