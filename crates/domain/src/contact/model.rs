//! The contact group, the contact, and what can be changed of them.

use serde_json::json;

use super::PhoneNumber;
use crate::{ContactGroupId, ContactId, Patch, Problem, TenantId, Timestamp, journal, text};

/// The greatest lengths, in characters (LOX24 contract, sections 3 and 4).
pub mod limits {
    pub const NAME: usize = 50;
    pub const DESCRIPTION: usize = 255;
    pub const LABEL: usize = 50;
    /// Of a number as it is sent.
    pub const PHONE: usize = 30;
    pub const COLUMN: usize = 1530;
    pub const CALLBACK_DATA: usize = 36;
}

/// A label of a column: trimmed and normalised, since columns of files are known by it.
pub fn label(raw: &str) -> Result<String, Problem> {
    text::trimmed(raw, limits::LABEL)
}

/// The columns of text that a contact has.
pub const COLUMNS: usize = 5;
/// What the columns and their labels are called, wherever they are named.
pub const COLUMN_NAMES: [&str; COLUMNS] = ["a", "b", "c", "d", "e"];
pub const LABEL_NAMES: [&str; COLUMNS] = ["name_a", "name_b", "name_c", "name_d", "name_e"];

/// A contact list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactGroup {
    pub id: ContactGroupId,
    pub tenant: TenantId,
    /// Trimmed, NFC, not empty; several groups may have the same.
    pub name: String,
    pub description: Option<String>,
    /// What the columns are called.
    pub labels: [Option<String>; COLUMNS],
    /// When the group and its list disappear.
    pub expires_at: Option<Timestamp>,
    /// How many contacts it has; kept by the store.
    pub contacts: u64,
    /// Raised whenever a contact is put in, taken out or changed; kept by the store.
    pub contacts_version: i64,
    /// From 1, raised by each change of what stands above.
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl ContactGroup {
    /// A group without details and without contacts.
    pub fn new(tenant: TenantId, id: ContactGroupId, name: String, now: Timestamp) -> Self {
        Self {
            id,
            tenant,
            name,
            description: None,
            labels: Default::default(),
            expires_at: None,
            contacts: 0,
            contacts_version: 1,
            version: 1,
            created_at: now,
            modified_at: now,
        }
    }

    /// Whether its time has come.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// The fields that the journal shows.
    pub(super) fn fields(&self) -> journal::Fields {
        let mut fields = vec![
            ("name", json!(self.name)),
            ("description", json!(self.description)),
            ("expires_at", json!(self.expires_at.map(|at| at.millis().to_string()))),
        ];
        fields.extend(LABEL_NAMES.into_iter().zip(self.labels.iter().map(|label| json!(label))));
        fields
    }
}

/// What a request wants of a group. A new group is a patch of an empty one.
#[derive(Clone, Debug, Default)]
pub struct ContactGroupPatch {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub labels: [Patch<String>; COLUMNS],
    pub expires_at: Patch<Timestamp>,
    /// What the list becomes, each entry with what the caller calls its place; `None` leaves the list alone. An
    /// entry is a whole contact: what it does not set is cleared.
    pub phones: Option<Vec<(String, ContactPatch)>>,
}

impl ContactGroupPatch {
    pub(super) fn apply(&self, group: &mut ContactGroup) {
        if let Some(name) = &self.name {
            group.name.clone_from(name);
        }
        self.description.clone().apply(&mut group.description);
        for (patch, label) in self.labels.iter().zip(&mut group.labels) {
            patch.clone().apply(label);
        }
        self.expires_at.clone().apply(&mut group.expires_at);
    }
}

/// An entry of a contact list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub id: ContactId,
    pub tenant: TenantId,
    pub group: ContactGroupId,
    pub phone: PhoneNumber,
    /// The texts under the group's labels.
    pub columns: [Option<String>; COLUMNS],
    /// What is sent back with events about messages to this contact.
    pub callback_data: Option<String>,
    /// From 1, raised by each change of this contact.
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl Contact {
    pub(super) fn new(
        tenant: TenantId,
        group: ContactGroupId,
        id: ContactId,
        phone: PhoneNumber,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant,
            group,
            phone,
            columns: Default::default(),
            callback_data: None,
            version: 1,
            created_at: now,
            modified_at: now,
        }
    }

    /// Whether both say the same.
    pub(super) fn has_content_of(&self, other: &Self) -> bool {
        self.phone == other.phone
            && self.columns == other.columns
            && self.callback_data == other.callback_data
    }

    /// The fields that the journal shows.
    pub(super) fn fields(&self) -> journal::Fields {
        let mut fields = vec![
            ("group_id", json!(self.group.0)),
            ("phone", json!(self.phone.as_str())),
            ("callback_data", json!(self.callback_data)),
        ];
        fields.extend(COLUMN_NAMES.into_iter().zip(self.columns.iter().map(|column| json!(column))));
        fields
    }
}

/// What a request wants of a contact. A new contact is a patch of an empty one.
#[derive(Clone, Debug, Default)]
pub struct ContactPatch {
    /// As it was sent; see [`PhoneNumber::read`].
    pub phone: Option<String>,
    pub columns: [Patch<String>; COLUMNS],
    pub callback_data: Patch<String>,
}

impl ContactPatch {
    /// Writes the wishes, but for the number, into `contact`.
    pub(super) fn apply(&self, contact: &mut Contact) {
        for (patch, column) in self.columns.iter().zip(&mut contact.columns) {
            patch.clone().apply(column);
        }
        self.callback_data.clone().apply(&mut contact.callback_data);
    }
}
