//! Contact lists as CSV (RFC 4180; LOX24 contract, section 3): `id,phone,<A>,<B>,<C>,<D>,<E>,callback_data`, UTF-8,
//! the five columns under the group's labels.
//!
//! Programs for tables take a cell that begins like a formula for one and compute it. Such a cell gets a leading
//! `'`, which is taken off again when it is read.

use std::borrow::Cow;
use std::io::Write;

use csv::{Terminator, WriterBuilder};
use muster_domain::contact::{COLUMNS, Contact, ContactGroup};

/// The header over a column without a label.
pub const UNLABELLED: [&str; COLUMNS] = ["col_A", "col_B", "col_C", "col_D", "col_E"];
/// The headers around the columns.
pub const ID: &str = "id";
pub const PHONE: &str = "phone";
pub const CALLBACK_DATA: &str = "callback_data";

/// Writes a list, its header first.
pub struct Writer<W: Write>(csv::Writer<W>);

impl<W: Write> Writer<W> {
    pub fn new(to: W) -> Self {
        Self(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(to))
    }

    /// The header of a group's list.
    pub fn header(&mut self, group: &ContactGroup) -> csv::Result<()> {
        let labels = group.labels.iter().zip(UNLABELLED);
        let labels = labels.map(|(label, otherwise)| {
            let label = label.as_deref().filter(|label| !label.is_empty());
            guarded(label.unwrap_or(otherwise))
        });
        let header = [ID, PHONE].map(Cow::Borrowed).into_iter().chain(labels);
        self.record(header.chain([CALLBACK_DATA.into()]))
    }

    /// One row for each contact.
    pub fn contacts(&mut self, contacts: &[Contact]) -> csv::Result<()> {
        for contact in contacts {
            let texts = contact.columns.iter().chain([&contact.callback_data]);
            let texts = texts.map(|text| guarded(text.as_deref().unwrap_or_default()));
            let (id, phone) = (contact.id.to_string(), contact.phone.as_str());
            self.record([id.into(), phone.into()].into_iter().chain(texts))?;
        }
        Ok(())
    }

    /// What was written to, with all of it.
    pub fn finish(self) -> std::io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }

    fn record<'a>(&mut self, cells: impl Iterator<Item = Cow<'a, str>>) -> csv::Result<()> {
        for cell in cells {
            self.0.write_field(cell.as_bytes())?;
        }
        self.0.write_record(None::<&[u8]>)
    }
}

fn begins_like_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\'', '\t', '\r'])
}

/// A text as it stands in a cell.
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    if begins_like_a_formula(text) { format!("'{text}").into() } else { text.into() }
}

/// The text that stands in a cell; the inverse of how it is written.
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| begins_like_a_formula(rest)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use muster_domain::{ContactGroupId, TenantId, Timestamp};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_has_the_labels() {
        let mut group = ContactGroup::new(TenantId(1), ContactGroupId(2), "Clients".into(), Timestamp(0));
        group.labels[0] = Some("First, last".into());
        group.labels[3] = Some("=1+1".into());
        let mut writer = Writer::new(Vec::new());
        writer.header(&group).unwrap();
        let header = String::from_utf8(writer.finish().unwrap()).unwrap();
        assert_eq!(header, "id,phone,\"First, last\",col_B,col_C,'=1+1,col_E,callback_data\r\n");
    }

    proptest! {
        #[test]
        fn a_cell_says_what_was_written(text in "[=+@'\\-\t\r ]{0,3}\\PC{0,8}") {
            let cell = guarded(&text);
            prop_assert_eq!(unguarded(&cell), &text);
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
