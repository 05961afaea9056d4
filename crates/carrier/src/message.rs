//! What is handed over.

use std::time::Duration;

use crate::{Failed, Reason};

/// The most parts that a phone joins: their number is one byte (3GPP TS 23.040, section 9.2.3.24.1).
const MAX_PARTS: usize = 255;

/// A message to a phone, cut into parts already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What the message is known by, the same in each attempt: 1 to 64 letters, digits, `-` and `_`.
    pub reference: String,
    /// The sender: a number, with or without `+`, or up to 11 letters, digits and blanks.
    pub from: String,
    /// The number of the phone, E.164 with `+`.
    pub to: String,
    /// The whole text, for carriers that cut it themselves.
    pub text: String,
    pub encoding: Encoding,
    /// The text in parts, without the header that joins them: it is added where it is needed.
    pub parts: Vec<Part>,
    /// How long the carrier may try; `None` is as long as it is used to.
    pub validity: Option<Duration>,
    /// Whether the carrier is asked to say what became of it.
    pub want_receipt: bool,
}

/// The alphabet of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The default alphabet of GSM (3GPP TS 23.038, section 6.2.1): one septet a byte, not packed.
    Gsm,
    /// UTF-16, big-endian.
    Ucs2,
}

/// The payload of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part(pub Vec<u8>);

impl Encoding {
    /// How many bytes fit into a part: 140 octets on the air, of which 6 are the header of one part of several, and a
    /// septet takes seven eighths of one (3GPP TS 23.040, section 9.2.3.24).
    fn room(self, is_alone: bool) -> usize {
        match (self, is_alone) {
            (Self::Gsm, true) => 160,
            (Self::Gsm, false) => 153,
            (Self::Ucs2, true) => 140,
            (Self::Ucs2, false) => 134,
        }
    }
}

impl Outgoing {
    /// Whether the parts are such as can be sent. The caller has cut them, so a fault here is the caller's.
    pub(crate) fn check(&self) -> Result<(), Failed> {
        let fault = |text: &str| Err(Failed::refused(Reason::InvalidMessage, text));
        if !is_reference(&self.reference) {
            return fault("the reference must be 1 to 64 letters, digits, - and _");
        }
        if self.parts.is_empty() || self.parts.len() > MAX_PARTS {
            return fault("a message has 1 to 255 parts");
        }
        let room = self.encoding.room(self.parts.len() == 1);
        for Part(bytes) in &self.parts {
            let fits = match self.encoding {
                Encoding::Gsm => bytes.iter().all(|septet| *septet < 0x80),
                Encoding::Ucs2 => bytes.len().is_multiple_of(2),
            };
            if !fits || bytes.len() > room {
                return fault("a part is too long or not of its alphabet");
            }
        }
        Ok(())
    }
}

/// So it can stand in a header and in a URL as it is.
fn is_reference(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(encoding: Encoding, sizes: &[usize]) -> Outgoing {
        Outgoing {
            reference: "m-1".to_owned(),
            from: "Muster".to_owned(),
            to: "+491512345678".to_owned(),
            text: String::new(),
            encoding,
            parts: sizes.iter().map(|size| Part(vec![0; *size])).collect(),
            validity: None,
            want_receipt: false,
        }
    }

    #[test]
    fn parts_have_the_room_that_is_on_the_air() {
        for (encoding, sizes, fits) in [
            (Encoding::Gsm, &[160][..], true),
            (Encoding::Gsm, &[161], false),
            (Encoding::Gsm, &[153, 153], true),
            (Encoding::Gsm, &[153, 154], false),
            (Encoding::Ucs2, &[140], true),
            (Encoding::Ucs2, &[142], false),
            (Encoding::Ucs2, &[3], false),
            (Encoding::Ucs2, &[134, 134], true),
            (Encoding::Ucs2, &[136, 2], false),
            (Encoding::Gsm, &[], false),
            (Encoding::Gsm, &[1; 255], true),
            (Encoding::Gsm, &[1; 256], false),
        ] {
            assert_eq!(message(encoding, sizes).check().is_ok(), fits, "{encoding:?} {}", sizes.len());
        }
        let mut other = message(Encoding::Gsm, &[1]);
        other.parts[0].0[0] = 0x80;
        assert!(other.check().is_err());
    }

    #[test]
    fn a_reference_can_stand_in_a_header() {
        for (reference, fits) in
            [("0192f0c4-7e0a-7c1e-a6a1-1f1f1f1f1f1f", true), ("", false), ("a b", false), ("a\r\nb", false)]
        {
            let message = Outgoing { reference: reference.to_owned(), ..message(Encoding::Gsm, &[1]) };
            assert_eq!(message.check().is_ok(), fits, "{reference:?}");
        }
    }
}
