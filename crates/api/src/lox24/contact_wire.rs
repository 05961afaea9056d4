//! Phones, the entries of a group, on the wire (LOX24 contract, section 4).

use muster_domain::contact::{COLUMN_NAMES, Contact, ContactPatch, limits};
use serde::Serialize;
use utoipa::ToSchema;

use super::format::{DateTime, Resource};
use crate::http::{Fields, Tag, limited_text, required_text};

/// A phone of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = Phone)]
pub(super) struct PhoneBody {
    /// The id as a text.
    id: String,
    /// E.164.
    phone: String,
    a: Option<String>,
    b: Option<String>,
    c: Option<String>,
    d: Option<String>,
    e: Option<String>,
    callback_data: Option<String>,
    /// Nobody subscribes or unsubscribes here, so these are null.
    subscribed_at: Option<DateTime>,
    unsubscribed_at: Option<DateTime>,
    unsubscribe_reason: Option<String>,
}

impl Resource for PhoneBody {
    const NAME: &'static str = "phones";

    fn path(&self) -> String {
        format!("/phones/{}", self.id)
    }
}

impl From<Contact> for PhoneBody {
    fn from(contact: Contact) -> Self {
        let mut columns = contact.columns.into_iter();
        let mut column = || columns.next().flatten();
        Self {
            id: contact.id.to_string(),
            phone: contact.phone.into_string(),
            a: column(),
            b: column(),
            c: column(),
            d: column(),
            e: column(),
            callback_data: contact.callback_data,
            subscribed_at: None,
            unsubscribed_at: None,
            unsubscribe_reason: None,
        }
    }
}

/// The version of a phone.
pub(super) fn tag(contact: &Contact) -> Tag {
    Tag::of(&[contact.version])
}

/// Reads the body of POST and PUT, and the entries of lists.
pub(super) fn decode(f: &mut Fields<'_>) -> ContactPatch {
    ContactPatch {
        phone: f.required("phone", "phone", required_text(limits::PHONE)),
        columns: COLUMN_NAMES.map(|name| f.optional(name, name, limited_text(limits::COLUMN))),
        callback_data: f.optional("callback_data", "callback_data", limited_text(limits::CALLBACK_DATA)),
    }
}
