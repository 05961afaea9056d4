//! User groups on the wire (Onlive contract, section 3).

use muster_domain::user_group::{UserGroup, UserGroupPatch, extra_fields, limits};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::format::Time;
use crate::http::{Fields, Tag, limited_text, object, required_text};

/// A user group. Its members are the users whose `userGroupId` it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserGroup)]
pub(super) struct UserGroupBody {
    id: Uuid,
    name: String,
    description: Option<String>,
    /// Unique in the organization, in any case.
    external_id: Option<String>,
    organization_id: Uuid,
    /// Whatever was sent.
    #[schema(value_type = Option<Object>)]
    extra_fields: Option<Map<String, Value>>,
    created_at: Time,
    updated_at: Time,
}

impl UserGroupBody {
    pub(super) fn new(group: UserGroup, organization: Uuid) -> Self {
        Self {
            id: group.id.0,
            name: group.name,
            description: group.description,
            external_id: group.external_id,
            organization_id: organization,
            extra_fields: group.extra_fields,
            created_at: Time(group.created_at),
            updated_at: Time(group.modified_at),
        }
    }
}

/// The version of a group as it is shown.
pub(super) fn tag(group: &UserGroup) -> Tag {
    Tag::of(&[group.version])
}

/// Reads the body of POST and PUT.
pub(super) fn decode(f: &mut Fields<'_>) -> UserGroupPatch {
    UserGroupPatch {
        name: f.required("name", "name", required_text(limits::NAME)),
        description: f.optional("description", "description", limited_text(limits::DESCRIPTION)),
        external_id: f.optional("externalId", "external_id", required_text(limits::EXTERNAL_ID)),
        extra_fields: f.optional("extraFields", "extra_fields", object(Map::new, extra_fields)),
    }
}

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    match field {
        "external_id" => Some("externalId"),
        "extra_fields" => Some("extraFields"),
        _ => None,
    }
}
