//! A user group as a resource, and what a resource wants of a group.

use muster_domain::user_group::{UserGroup, UserGroupPatch};
use muster_domain::{Patch, text};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::ScimError;
use super::auth::id;
use super::failure::invalid;
use super::schema::GROUPS;
use super::user_map::KEY;
use super::value::set;
use crate::http::Tag;

/// The version of a group, which its members raise too.
pub(super) fn tag(group: &UserGroup) -> Tag {
    Tag::of(&[group.version])
}

/// A group as it is shown, with these members if they are wanted.
pub(super) fn resource(group: &UserGroup, members: Option<&[Uuid]>, base: &str) -> Map<String, Value> {
    let mut shown = Map::new();
    set(&mut shown, "schemas", Some(json!([GROUPS.schema.id])));
    set(&mut shown, "id", Some(group.id.to_string().into()));
    set(&mut shown, "externalId", group.external_id.as_deref().map(Value::from));
    set(&mut shown, "displayName", Some(group.name.as_str().into()));
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        set(&mut shown, "members", Some(members.iter().map(|id| member(id, base)).collect()));
    }
    let meta = json!({
        "resourceType": GROUPS.name,
        "created": group.created_at.millis().to_string(),
        "lastModified": group.modified_at.millis().to_string(),
        "location": format!("{base}/Groups/{}", group.id),
        "version": tag(group).to_string(),
    });
    set(&mut shown, "meta", Some(meta));
    shown
}

/// A member of a group as it is shown.
pub(super) fn member(id: &Uuid, base: &str) -> Value {
    json!({"value": id, "$ref": format!("{base}/Users/{id}"), "type": "User"})
}

/// What a resource wants of its group, but for the members. Errors: `invalidValue`.
pub(super) fn patch(resource: &Map<String, Value>) -> Result<UserGroupPatch, ScimError> {
    let text_of = |name: &str| resource.get(name).and_then(Value::as_str);
    let name = text::required(text_of("displayName").unwrap_or_default(), KEY);
    let name = name.map_err(|problem| invalid("displayName", &problem))?;
    let external_id = text_of("externalId").map(|raw| text::required(raw, KEY)).transpose();
    let external_id = external_id.map_err(|problem| invalid("externalId", &problem))?;
    Ok(UserGroupPatch {
        name: Some(name),
        external_id: external_id.map_or(Patch::Clear, Patch::Set),
        ..UserGroupPatch::default()
    })
}

/// The ids of members as they were sent. Errors: `invalidValue` for what is no id.
pub(super) fn ids(texts: &[String]) -> Result<Vec<Uuid>, ScimError> {
    let read = |text: &String| {
        id(text).ok_or_else(|| ScimError::invalid_value(format!("members has {text:?}, which is no user")))
    };
    texts.iter().map(read).collect()
}

/// Those of the texts that are ids.
pub(super) fn known_ids(texts: &[String]) -> Vec<Uuid> {
    texts.iter().filter_map(|text| id(text)).collect()
}
