//! How long a file of sound lasts.

use std::io::{BufReader, Read, Seek};
use std::time::Duration;

use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::{AudioFile as _, FileType};
use lofty::probe::Probe;

use super::MediaKind;

/// How long a file lasts, or `None` if that cannot be told: nothing tells it of WebM here, nor of a file that is damaged or
/// holds no sound. Whoever reads for this bounds how much is read, by an error.
pub fn duration(kind: MediaKind, file: impl Read + Seek) -> Option<Duration> {
    // No tags, of which a picture may be one.
    let options =
        ParseOptions::new().read_tags(false).read_cover_art(false).parsing_mode(ParsingMode::Relaxed);
    let mut probe = Probe::new(BufReader::new(file)).options(options);
    probe = match kind {
        MediaKind::Wav => probe.set_file_type(FileType::Wav),
        MediaKind::Mp3 => probe.set_file_type(FileType::Mpeg),
        MediaKind::Mp4 | MediaKind::M4a => probe.set_file_type(FileType::Mp4),
        MediaKind::Aac => probe.set_file_type(FileType::Aac),
        MediaKind::Flac => probe.set_file_type(FileType::Flac),
        // Which of the formats that Ogg can hold stands behind its begin.
        MediaKind::Ogg => probe.guess_file_type().ok()?,
        MediaKind::Webm => return None,
    };
    let duration = probe.read().ok()?.properties().duration();
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Error, ErrorKind};

    use super::*;

    /// Silence of so many samples: 8,000 a second, each of 2 bytes.
    fn wav(samples: u32) -> Vec<u8> {
        let bytes = samples * 2;
        let mut file = b"RIFF".to_vec();
        file.extend((36 + bytes).to_le_bytes());
        file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
        file.extend(bytes.to_le_bytes());
        file.resize(file.len() + bytes as usize, 0);
        file
    }

    #[test]
    fn a_file_lasts_as_long_as_its_samples() {
        for (samples, millis) in [(8_000, 1000), (12_000, 1500), (80, 10)] {
            let told = duration(MediaKind::Wav, Cursor::new(wav(samples)));
            assert_eq!(told, Some(Duration::from_millis(millis)), "{samples}");
        }
    }

    #[test]
    fn frames_of_one_rate_last_as_long_as_their_bytes() {
        // 128 kbit/s at 44.1 kHz: 1152 samples in 417 bytes.
        let mut frame = b"\xff\xfb\x90\x64".to_vec();
        frame.resize(417, 0);
        let told = duration(MediaKind::Mp3, Cursor::new(frame.repeat(100))).unwrap();
        assert!((2500..2700).contains(&told.as_millis()), "{told:?}");
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        for kind in MediaKind::ALL {
            assert_eq!(duration(kind, Cursor::new(b"nothing of the kind")), None, "{kind:?}");
            assert_eq!(duration(kind, Cursor::new(Vec::new())), None, "{kind:?}");
        }
        assert_eq!(duration(MediaKind::Webm, Cursor::new(wav(8_000))), None);
    }

    /// A file of which no more can be read.
    struct Ended;

    impl Read for Ended {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(Error::from(ErrorKind::FileTooLarge))
        }
    }

    impl Seek for Ended {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(0)
        }
    }

    #[test]
    fn a_file_that_is_read_no_further_tells_nothing() {
        for kind in MediaKind::ALL {
            assert_eq!(duration(kind, Ended), None, "{kind:?}");
        }
    }
}
