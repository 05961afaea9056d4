//! The user group, its members, and what can be changed of it.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::predicate::{SortColumn, SortKey};
use crate::user::depth;
use crate::{Patch, Problem, TenantId, Timestamp, UserGroupId, UserId, journal, text};

/// The greatest sizes (Onlive contract, section 3).
pub mod limits {
    /// In characters.
    pub const NAME: usize = 255;
    /// In characters.
    pub const DESCRIPTION: usize = 1000;
    /// In characters.
    pub const EXTERNAL_ID: usize = 255;
    /// Of extra fields as compact JSON, in bytes.
    pub const EXTRA_FIELDS: usize = 64 * 1024;
    /// How deep extra fields may be nested; a journal entry holds them, and has to be readable again.
    pub const EXTRA_FIELDS_DEPTH: usize = 64;
}

/// A group of users.
#[derive(Clone, Debug, PartialEq)]
pub struct UserGroup {
    pub id: UserGroupId,
    pub tenant: TenantId,
    /// Trimmed, NFC, not empty; several groups may have the same.
    pub name: String,
    pub description: Option<String>,
    /// Trimmed, NFC, unique in the tenant over its key.
    pub external_id: Option<String>,
    /// Any JSON object, kept as it was sent; see [`extra_fields`].
    pub extra_fields: Option<Map<String, Value>>,
    /// How many members it has; kept by the store.
    pub members: u64,
    /// From 1, raised by each change of what stands above but for the members, and by each who joins or leaves.
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl UserGroup {
    /// A group without details and without members.
    pub fn new(tenant: TenantId, id: UserGroupId, name: String, now: Timestamp) -> Self {
        Self {
            id,
            tenant,
            name,
            description: None,
            external_id: None,
            extra_fields: None,
            members: 0,
            version: 1,
            created_at: now,
            modified_at: now,
        }
    }

    /// What groups are sorted by in a selection.
    pub fn sort_key(&self, by: SortColumn) -> Option<SortKey> {
        match by {
            SortColumn::Created => Some(SortKey::Time(self.created_at)),
            SortColumn::Modified => Some(SortKey::Time(self.modified_at)),
            SortColumn::Login => None,
            SortColumn::DisplayName => Some(SortKey::Text(self.name_key())),
        }
    }

    /// What names are searched by.
    pub fn name_key(&self) -> String {
        text::key(&self.name)
    }

    /// What descriptions are searched by.
    pub fn description_key(&self) -> Option<String> {
        self.description.as_deref().map(text::key)
    }

    /// What external ids are compared by.
    pub fn external_id_key(&self) -> Option<String> {
        self.external_id.as_deref().map(text::key)
    }

    /// The fields that the journal shows.
    pub(super) fn fields(&self) -> journal::Fields {
        vec![
            ("name", json!(self.name)),
            ("description", json!(self.description)),
            ("external_id", json!(self.external_id)),
            ("extra_fields", json!(self.extra_fields)),
        ]
    }
}

/// What a request wants of a group. A new group is a patch of an empty one.
#[derive(Clone, Debug, Default)]
pub struct UserGroupPatch {
    /// Normalised and not empty, see [`crate::text::required`].
    pub name: Option<String>,
    pub description: Patch<String>,
    /// Normalised and not empty.
    pub external_id: Patch<String>,
    /// They have passed [`extra_fields`]; given ones replace all that were there.
    pub extra_fields: Patch<Map<String, Value>>,
}

impl UserGroupPatch {
    pub(super) fn apply(self, group: &mut UserGroup) {
        if let Some(name) = self.name {
            group.name = name;
        }
        self.description.apply(&mut group.description);
        self.external_id.apply(&mut group.external_id);
        self.extra_fields.apply(&mut group.extra_fields);
    }
}

/// Checks the size of extra fields: a JSON object of at most [`limits::EXTRA_FIELDS`] bytes.
pub fn extra_fields(value: &Value) -> Result<Map<String, Value>, Problem> {
    let Value::Object(fields) = value else {
        return Err(Problem::WrongType(crate::Kind::Object));
    };
    if depth(value) > limits::EXTRA_FIELDS_DEPTH {
        return Err(Problem::Format("must not be nested deeper than 64 levels"));
    }
    if value.to_string().len() > limits::EXTRA_FIELDS {
        return Err(Problem::Format("must not be longer than 65536 bytes of JSON"));
    }
    Ok(fields.clone())
}

/// A user in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub uuid: Uuid,
    /// Whether the group is the user's primary one.
    pub primary: bool,
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_fields_are_an_object_of_bounded_size() {
        let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "x": inner }));
        assert!(extra_fields(&nested(64)).is_ok());
        assert!(extra_fields(&nested(65)).is_err());
        assert!(extra_fields(&json!({ "x": "x".repeat(65_536 - 8) })).is_ok());
        assert!(extra_fields(&json!({ "x": "x".repeat(65_536 - 7) })).is_err());
        for other in [json!(null), json!([]), json!("{}"), json!(1)] {
            assert_eq!(extra_fields(&other), Err(Problem::WrongType(crate::Kind::Object)), "{other}");
        }
    }
}
