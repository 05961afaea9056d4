//! What kind of sound a file holds, told by how it begins.

use infer::{Infer, MatcherType};

/// So much of a file's begin tells its kind, in bytes.
pub const HEAD: usize = 4096;

/// The kinds that are taken (Convirza platform contract, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    Wav,
    Mp3,
    Mp4,
    Ogg,
    Webm,
    M4a,
    Aac,
    Flac,
}

impl MediaKind {
    pub const ALL: [Self; 8] =
        [Self::Wav, Self::Mp3, Self::Mp4, Self::Ogg, Self::Webm, Self::M4a, Self::Aac, Self::Flac];

    /// The kind of a file that begins like this, or `None` for what is none of them. What begins with an ID3 tag is taken for
    /// MP3, whose tag that is.
    pub fn of(head: &[u8]) -> Option<Self> {
        let mut infer = Infer::new();
        infer.add("audio/mpeg", "mp3", is_layer_three);
        let found = infer.get(head)?;
        if !matches!(found.matcher_type(), MatcherType::Audio | MatcherType::Video | MatcherType::Custom) {
            return None;
        }
        match found.mime_type() {
            "audio/x-wav" => Some(Self::Wav),
            "audio/mpeg" => Some(Self::Mp3),
            "video/mp4" => Some(Self::Mp4),
            "audio/ogg" | "audio/opus" | "video/ogg" | "application/ogg" => Some(Self::Ogg),
            "video/webm" => Some(Self::Webm),
            "audio/m4a" => Some(Self::M4a),
            "audio/aac" => Some(Self::Aac),
            "audio/x-flac" => Some(Self::Flac),
            _ => None,
        }
    }

    /// The content type under which it is sent. WebM and MP4 may hold sound alone, which their begin does not tell.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
            Self::Mp4 => "video/mp4",
            Self::Ogg => "audio/ogg",
            Self::Webm => "video/webm",
            Self::M4a => "audio/mp4",
            Self::Aac => "audio/aac",
            Self::Flac => "audio/flac",
        }
    }

    /// What its files are called after the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Mp4 => "mp4",
            Self::Ogg => "ogg",
            Self::Webm => "webm",
            Self::M4a => "m4a",
            Self::Aac => "aac",
            Self::Flac => "flac",
        }
    }
}

/// Whether a frame of MPEG layer III begins here, protected by a checksum or not: eleven bits of sync, a version that is
/// none of the reserved, the layer, and a bit and a sampling rate that there are (ISO/IEC 11172-3, section 2.4.1.3).
fn is_layer_three(head: &[u8]) -> bool {
    let [0xFF, second, third, ..] = *head else {
        return false;
    };
    second & 0xE6 == 0xE2 && second & 0x18 != 0x08 && third & 0xF0 != 0xF0 && third & 0x0C != 0x0C
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What files begin with, filled up with what says nothing.
    fn kind(head: &[u8]) -> Option<MediaKind> {
        let mut head = head.to_vec();
        head.resize(head.len().max(300), 0);
        MediaKind::of(&head)
    }

    #[test]
    fn a_kind_is_told_by_the_content() {
        use MediaKind::{Aac, Flac, M4a, Mp3, Mp4, Ogg, Wav, Webm};

        let cases: [(&[u8], Option<MediaKind>); 24] = [
            (b"RIFF\x24\x08\0\0WAVEfmt ", Some(Wav)),
            (b"RIFF\x24\x08\0\0AVI LIST", None),
            (b"ID3\x04\0\0\0\0\0\x23", Some(Mp3)),
            (b"\xff\xfb\x90\x64", Some(Mp3)),
            (b"\xff\xfa\x90\x64", Some(Mp3)),
            (b"\xff\xf3\x84\xc4", Some(Mp3)),
            (b"\xff\xe3\x18\xc4", Some(Mp3)),
            (b"\xff\xf1\x50\x80\x02\x1f\xfc", Some(Aac)),
            (b"\xff\xf9\x50\x80\x02\x1f\xfc", Some(Aac)),
            (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", Some(Mp4)),
            (b"\0\0\0\x1cftypmp42\0\0\0\0", Some(Mp4)),
            (b"\0\0\0\x1cftypM4A \0\0\0\0", Some(M4a)),
            (b"\0\0\0\x18ftypheic\0\0\0\0", None),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead", Some(Ogg)),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1e\x01vorbis", Some(Ogg)),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm", Some(Webm)),
            (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x88matroska", None),
            (b"fLaC\0\0\0\x22", Some(Flac)),
            (b"Hello, this is no sound at all", None),
            (b"<html><body>", None),
            (b"%PDF-1.7", None),
            (b"\x89PNG\r\n\x1a\n", None),
            (b"PK\x03\x04", None),
            (b"", None),
        ];
        for (head, wanted) in cases {
            assert_eq!(kind(head), wanted, "{}", head.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_begin_can_be_looked_at(head: Vec<u8>) {
            let _ = MediaKind::of(&head);
        }
    }
}
