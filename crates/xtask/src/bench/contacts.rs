//! Contact groups and their lists: bodies and files of contacts, no two of which have the same number.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;

/// Contact groups of the large tenant, beside the large one.
pub(super) const GROUPS: usize = 1000;
/// Contacts that are added at once.
pub(super) const BATCH: usize = 1000;

/// The body of a batch of new contacts: the counter of the request makes their numbers, and their places in it.
pub(super) fn batch() -> String {
    // A 1 in front: zeros there would not be a part of the number.
    let contact = |place: usize| {
        format!(
            r#"{{"phone":"+491{{counter8}}{place:03}","a":"First {place:03}","b":"Last {{counter8}}","callback_data":"c-{{counter8}}-{place:03}"}}"#
        )
    };
    format!("[{}]", (0..BATCH).map(contact).collect::<Vec<_>>().join(","))
}

/// What the contacts of a list are like.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) phone: fn(usize) -> String,
    /// Whether each has a reference of its own (`callback_data`).
    pub(super) has_references: bool,
}

/// Writes a file of so many contacts with the same columns, less than 100 million, with the number that `phone` makes for
/// each. They are in no order, as in a list that people have gathered.
pub(super) fn write_csv(path: &Path, count: usize, list: List) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path).with_context(|| path.display().to_string())?);
    writeln!(file, "phone,a,b,callback_data")?;
    for number in 0..count {
        let phone = (list.phone)(number);
        write!(file, "{phone},First {:03},Last {number:08},", number % 1000)?;
        if list.has_references {
            write!(file, "c-{number:08}")?;
        }
        writeln!(file)?;
    }
    file.flush()?;
    Ok(())
}

/// The number of a contact.
pub(super) fn phone(number: usize) -> String {
    format!("+491{:08}", digits(number))
}

/// That of a mobile phone. Its end is none of those that the sandbox has something in mind with.
pub(super) fn mobile(number: usize) -> String {
    format!("+4915{:08}0", digits(number))
}

/// Eight digits of the number of a contact: each once.
fn digits(number: usize) -> usize {
    // The factor has no divisor in common with a power of ten; 64 bits hold the product.
    number * 61_803_399 % 100_000_000
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::super::caller::Caller;
    use super::super::template::{Numbers, Template};
    use super::*;

    #[test]
    fn the_numbers_of_a_file_are_all_different() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contacts.csv");
        write_csv(&path, 20_000, List { phone, has_references: true }).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..3],
            [
                "phone,a,b,callback_data",
                "+49100000000,First 000,Last 00000000,c-00000000",
                "+49161803399,First 001,Last 00000001,c-00000001",
            ]
        );
        let phones: HashSet<&str> = lines[1..].iter().map(|line| &line[..12]).collect();
        assert_eq!(phones.len(), 20_000);
        assert!(phones.iter().all(|phone| phone[4..].bytes().all(|byte| byte.is_ascii_digit())));
    }

    #[test]
    fn no_sandbox_has_something_in_mind_with_a_mobile_phone() {
        assert_eq!(mobile(1), "+4915618033990");
        assert!((0..20_000).all(|number| mobile(number).ends_with('0')));
    }

    #[test]
    fn batches_share_no_number() {
        let template = Template::write("POST", "/", &Caller::Nobody, &batch());
        let mut phones = HashSet::new();
        for counter in [1, 2, 12_345_678] {
            let mut request = Vec::new();
            template.render(Numbers { id: 1, number: 0, counter }, &mut request);
            let request = String::from_utf8(request).unwrap();
            let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
            for contact in body.as_array().unwrap() {
                let phone = contact["phone"].as_str().unwrap().to_owned();
                assert!(phone.len() <= "+".len() + 15, "{phone}");
                phones.insert(phone);
            }
        }
        assert_eq!(phones.len(), 3 * BATCH);
    }
}
