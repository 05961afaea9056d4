//! What a dialect keeps of a user that has no column.

use serde_json::{Map, Value, json};

use super::User;
use crate::predicate::{SortColumn, SortKey};
use crate::text;

/// A document about a user, whose words are those of the dialect that sent it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserDocument {
    /// What was sent, at most 64 KiB of JSON.
    pub sent: Map<String, Value>,
    /// What the columns were when it was written, under the names of the journal; see [`User::is_as_sent`].
    pub columns: Map<String, Value>,
    /// The name that users are found by, at most 255 characters.
    pub display_name: Option<String>,
    /// The addresses that users are found by, each at most 255 characters. As long as none was ever sent, the login is
    /// one if it is an address.
    pub emails: Option<Vec<String>>,
}

impl User {
    /// The columns that documents tell in other words.
    pub(super) fn columns(&self) -> Map<String, Value> {
        let columns = [
            ("login", json!(self.login)),
            ("first_name", json!(self.first_name)),
            ("last_name", json!(self.last_name)),
            ("role", json!(self.role.as_str())),
            ("status", json!(self.status.as_str())),
            ("external_id", json!(self.external_id)),
            ("timezone", json!(self.timezone)),
            ("agent_ring_to", json!(self.agent_ring_to)),
        ];
        columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The document, if this column is still what it was when the document was written: then what that says of it holds.
    pub fn is_as_sent(&self, column: &str) -> Option<&UserDocument> {
        let document = self.document.as_deref()?;
        (document.columns.get(column) == self.columns().get(column)).then_some(document)
    }

    /// What display names are compared by.
    pub fn display_name_key(&self) -> Option<String> {
        self.document.as_ref()?.display_name.as_deref().map(text::key)
    }

    /// What users are sorted by in a selection.
    pub fn sort_key(&self, by: SortColumn) -> Option<SortKey> {
        match by {
            SortColumn::Created => Some(SortKey::Time(self.created_at)),
            SortColumn::Modified => Some(SortKey::Time(self.modified_at)),
            SortColumn::Login => Some(SortKey::Text(self.login_key())),
            SortColumn::DisplayName => self.display_name_key().map(SortKey::Text),
        }
    }

    /// What the addresses that were sent are compared by; `None` if none ever was.
    fn sent_email_keys(&self) -> Option<Vec<String>> {
        let emails = self.document.as_ref()?.emails.as_ref()?;
        let mut keys: Vec<String> = emails.iter().map(|email| text::key(email)).collect();
        keys.sort_unstable();
        keys.dedup();
        Some(keys)
    }

    /// Whether the login stands in for addresses.
    pub fn login_is_email(&self) -> bool {
        self.sent_email_keys().is_none() && text::email(&self.login).is_ok_and(|email| email == self.login)
    }

    /// What the addresses that were sent are compared by, each once. A deleted user has none.
    pub fn email_keys(&self) -> Vec<String> {
        if self.is_deleted() { Vec::new() } else { self.sent_email_keys().unwrap_or_default() }
    }
}
