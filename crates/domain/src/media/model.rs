//! The media prompt, and what a request wants of it.

use std::time::Duration;

use serde_json::json;

use super::{MediaKind, ObjectKey};
use crate::secret::hex;
use crate::{MediaPromptId, OrgUnitId, Problem, TenantId, Timestamp, journal, text};

/// The largest file, in bytes: 50 MB (Convirza platform contract, section 2).
pub const MAX_SIZE: u64 = 50 * 1024 * 1024;

/// The greatest lengths, in characters.
pub mod limits {
    pub const NAME: usize = 255;
    pub const FILE_NAME: usize = 255;
}

/// What a prompt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    Prompt,
    Whisper,
    Voicemail,
    Survey,
}

/// Their words, in the order of [`MessageType::ALL`].
pub const MESSAGE_TYPES: &[&str] = &["prompt", "whisper", "voicemail", "survey"];

impl MessageType {
    pub const ALL: [Self; 4] = [Self::Prompt, Self::Whisper, Self::Voicemail, Self::Survey];

    pub const fn as_str(self) -> &'static str {
        MESSAGE_TYPES[self as usize]
    }
}

/// A file of sound. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPrompt {
    pub id: MediaPromptId,
    pub tenant: TenantId,
    pub org_unit_id: OrgUnitId,
    /// Trimmed, NFC, not empty; several prompts may have the same.
    pub name: String,
    pub message_type: MessageType,
    /// See [`file_name`].
    pub file_name: String,
    pub kind: MediaKind,
    /// In bytes.
    pub size: u64,
    /// To the millisecond, as far as it could be told.
    pub duration: Option<Duration>,
    /// SHA-256 of the content.
    pub checksum: [u8; 32],
    /// Where the content is.
    pub object: ObjectKey,
    pub created_at: Timestamp,
}

impl MediaPrompt {
    /// The fields that the journal shows.
    pub(super) fn fields(&self) -> journal::Fields {
        vec![
            ("name", json!(self.name)),
            ("message_type", json!(self.message_type.as_str())),
            ("org_unit_id", json!(self.org_unit_id.0)),
            ("file_name", json!(self.file_name)),
            ("content_type", json!(self.kind.content_type())),
            ("size", json!(self.size)),
            ("checksum", json!(hex(&self.checksum))),
        ]
    }
}

/// What a request wants of a new prompt.
#[derive(Clone, Debug, Default)]
pub struct MediaPromptPatch {
    /// Normalised and not empty; without one the prompt is called like its file.
    pub name: Option<String>,
    pub message_type: Option<MessageType>,
    /// By default the caller's own.
    pub org_unit_id: Option<OrgUnitId>,
}

/// The name of a file as it is kept: its last part alone, whatever the sender's system writes between them, without control
/// characters, of at most [`limits::FILE_NAME`] characters. What is left of nothing is `prompt` with the kind's extension.
pub fn file_name(raw: Option<&str>, kind: MediaKind) -> String {
    let last = raw.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|character| !character.is_control()).collect();
    let name: String = text::normalize(&plain).chars().take(limits::FILE_NAME).collect();
    if matches!(name.as_str(), "" | "." | "..") { format!("prompt.{}", kind.extension()) } else { name }
}

/// Reads a message type.
impl std::str::FromStr for MessageType {
    type Err = Problem;

    fn from_str(word: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == word);
        known.ok_or(Problem::NotOneOf(MESSAGE_TYPES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_a_name_alone() {
        let long = "x".repeat(300);
        for (raw, wanted) in [
            (Some("hello.wav"), "hello.wav"),
            (Some("/etc/passwd"), "passwd"),
            (Some("C:\\Users\\ann\\Grüße \"1\".wav"), "Grüße \"1\".wav"),
            (Some(" a\r\nb\u{0}.wav "), "ab.wav"),
            (Some(&long), &long[..255]),
            (Some(""), "prompt.wav"),
            (Some(".."), "prompt.wav"),
            (Some("a/"), "prompt.wav"),
            (None, "prompt.wav"),
        ] {
            assert_eq!(file_name(raw, MediaKind::Wav), wanted, "{raw:?}");
        }
    }

    #[test]
    fn message_types_read_as_they_are_written() {
        for known in MessageType::ALL {
            assert_eq!(known.as_str().parse(), Ok(known));
        }
        assert!("Prompt".parse::<MessageType>().is_err());
    }
}
