//! Groups on the wire (LOX24 contract, section 3).

use muster_domain::contact::{ContactGroup, ContactGroupPatch, LABEL_NAMES, MAX_ADDED, label, limits};
use serde::Serialize;
use utoipa::ToSchema;

use super::contact_wire;
use super::format::{DateTime, Resource};
use crate::http::{Fields, Tag, date_time, limited_text, required_text, trimmed_text};

/// Where a group is.
pub(super) fn group_path(id: i64) -> String {
    format!("/groups/{id}")
}

/// A contact group.
#[derive(Serialize, ToSchema)]
pub(super) struct Group {
    id: i64,
    name: String,
    description: Option<String>,
    /// What the columns of its phones are called.
    name_a: Option<String>,
    name_b: Option<String>,
    name_c: Option<String>,
    name_d: Option<String>,
    name_e: Option<String>,
    /// How many phones it has.
    count_items: u64,
    /// When the group and its phones disappear.
    deleted_at: Option<DateTime>,
}

impl Resource for Group {
    const NAME: &'static str = "groups";

    fn path(&self) -> String {
        group_path(self.id)
    }
}

impl From<ContactGroup> for Group {
    fn from(group: ContactGroup) -> Self {
        let [name_a, name_b, name_c, name_d, name_e] = group.labels;
        Self {
            id: group.id.0,
            name: group.name,
            description: group.description,
            name_a,
            name_b,
            name_c,
            name_d,
            name_e,
            count_items: group.contacts,
            deleted_at: group.expires_at.map(DateTime),
        }
    }
}

/// The version of a group as it is shown: its own, and that of its list, which is counted.
pub(super) fn tag(group: &ContactGroup) -> Tag {
    Tag::of(&[group.version, group.contacts_version])
}

/// Reads the body of POST and PUT.
pub(super) fn decode(f: &mut Fields<'_>) -> ContactGroupPatch {
    ContactGroupPatch {
        name: f.required("name", "name", required_text(limits::NAME)),
        description: f.optional("description", "description", limited_text(limits::DESCRIPTION)),
        labels: LABEL_NAMES
            .map(|name| f.optional(name, name, trimmed_text(limits::LABEL).then(|text| label(&text)))),
        expires_at: f.optional("deleted_at", "deleted_at", date_time()),
        phones: f.entries("phones", MAX_ADDED, contact_wire::decode),
    }
}

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    (field == "expires_at").then_some("deleted_at")
}
