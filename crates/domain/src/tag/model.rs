//! The tag, and what can be changed of it.

use serde_json::json;

use crate::{OrgUnitId, Patch, Problem, TagId, TenantId, Timestamp, journal, text};

/// The greatest lengths, in characters.
pub mod limits {
    pub const NAME: usize = 255;
}

/// A label of an org unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub id: TagId,
    pub tenant: TenantId,
    pub org_unit_id: OrgUnitId,
    /// Trimmed, NFC, not empty, unique in the unit over its key.
    pub name: String,
    /// See [`color`].
    pub color: Option<String>,
    /// From 1, raised by each change.
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl Tag {
    /// What names are compared, searched and sorted by.
    pub fn name_key(&self) -> String {
        text::key(&self.name)
    }

    /// The fields that the journal shows.
    pub(super) fn fields(&self) -> journal::Fields {
        vec![
            ("name", json!(self.name)),
            ("color", json!(self.color)),
            ("org_unit_id", json!(self.org_unit_id.0)),
        ]
    }
}

/// What a request wants of a tag. A new tag is a patch of an empty one.
#[derive(Clone, Debug, Default)]
pub struct TagPatch {
    /// Normalised and not empty, see [`crate::text::required`].
    pub name: Option<String>,
    /// It has passed [`color`].
    pub color: Patch<String>,
    pub org_unit_id: Option<OrgUnitId>,
}

impl TagPatch {
    pub(super) fn apply(self, tag: &mut Tag) {
        if let Some(name) = self.name {
            tag.name = name;
        }
        self.color.apply(&mut tag.color);
        if let Some(unit) = self.org_unit_id {
            tag.org_unit_id = unit;
        }
    }
}

/// Which tags of a list are wanted.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    /// A part of the name, compared without case.
    pub name: Option<String>,
}

/// Reads a colour, `#` and six hexadecimal digits, in lower case.
pub fn color(raw: &str) -> Result<String, Problem> {
    let digits = raw.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        Ok(raw.to_ascii_lowercase())
    } else {
        Err(Problem::Format("must be `#` and six hexadecimal digits, such as #1f77b4"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_six_digits() {
        assert_eq!(color("#1F77b4").as_deref(), Ok("#1f77b4"));
        for wrong in ["", "#", "1f77b4", "#1f77b", "#1f77b4f", "#1f77bg", "red", "#1f77ä"] {
            assert!(color(wrong).is_err(), "{wrong}");
        }
    }
}
