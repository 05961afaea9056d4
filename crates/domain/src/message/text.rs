//! The text of a message: its encoding, how long it is, and the parts in which it is sent.
//!
//! Sizes: 3GPP TS 23.038, section 4 (140 octets of user data: 160 septets, or 70 units of UCS-2), and 3GPP TS 23.040,
//! section 9.2.3.24.1 (a part of several gives 6 octets to the header that joins them, with a reference of 8 bits:
//! 153 septets, or 67 units). The most parts: LOX24 messaging contract, section 2.

use std::borrow::Cow;

use super::gsm::{self, Septets};
use super::transliterate;
use crate::Problem;

/// The most parts of one message.
pub const MAX_PARTS: usize = 10;

/// How a text is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// The GSM 7 bit default alphabet; its unit is the septet, of which some characters take two.
    Gsm,
    /// UCS-2, as phones read it: UTF-16 in big-endian order. Its unit is the code unit of 16 bits, of which characters
    /// beyond U+FFFF take two.
    Ucs2,
}

impl Encoding {
    /// The first that has every character of the text.
    pub fn detect(text: &str) -> Self {
        if gsm::has(text) { Self::Gsm } else { Self::Ucs2 }
    }

    /// The `is_unicode` of LOX24, which is also what a store keeps.
    pub const fn is_unicode(self) -> bool {
        matches!(self, Self::Ucs2)
    }

    /// The encoding with this [`Encoding::is_unicode`].
    pub const fn from_is_unicode(is_unicode: bool) -> Self {
        if is_unicode { Self::Ucs2 } else { Self::Gsm }
    }

    /// Units of a message in one part.
    pub const fn units_in_one(self) -> usize {
        match self {
            Self::Gsm => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units of a part of several.
    pub const fn units_in_part(self) -> usize {
        match self {
            Self::Gsm => 153,
            Self::Ucs2 => 67,
        }
    }

    /// Units of a whole message. One with pairs at the borders of its parts may have fewer.
    pub const fn units_at_most(self) -> usize {
        MAX_PARTS * self.units_in_part()
    }

    /// The units of a character, which are never parted.
    fn units_of(self, character: char) -> usize {
        match self {
            Self::Gsm => Septets::of(character).unwrap_or(Septets::REPLACEMENT).count(),
            Self::Ucs2 => character.len_utf16(),
        }
    }

    fn units(self, text: &str) -> usize {
        text.chars().map(|character| self.units_of(character)).sum()
    }
}

/// A text that would take more than [`MAX_PARTS`] parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyParts {
    /// In which it would.
    pub encoding: Encoding,
}

impl From<TooManyParts> for Problem {
    fn from(refused: TooManyParts) -> Self {
        Self::TooLong { max: refused.encoding.units_at_most() }
    }
}

/// A text as it is sent, with what is counted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageText {
    text: String,
    encoding: Encoding,
    chars_count: u32,
    parts_count: u32,
}

impl MessageText {
    /// Reads the text of a message that somebody sends. Errors: `Blank`, `TooLong`, `Format` for U+0000.
    pub fn read(raw: &str, wish: Option<Encoding>) -> Result<Self, Problem> {
        if raw.trim().is_empty() {
            return Err(Problem::Blank);
        }
        // Its length is that of its parts.
        crate::text::limited(raw, usize::MAX)?;
        Ok(Self::new(raw, wish)?)
    }

    /// Makes a text ready. In the GSM alphabet, if it is asked for, what that lacks is replaced, see
    /// [`transliterate`]; without a wish the encoding is the first that has all of the text, which stays as it is.
    /// An empty text is one part without units. Errors: `TooManyParts`.
    pub fn new(raw: &str, wish: Option<Encoding>) -> Result<Self, TooManyParts> {
        let encoding = wish.unwrap_or_else(|| Encoding::detect(raw));
        let text = match encoding {
            Encoding::Gsm => transliterate(raw),
            Encoding::Ucs2 => Cow::Borrowed(raw),
        };
        let refused = TooManyParts { encoding };
        let units = encoding.units(&text);
        // Whatever is left of a text that is far too long is not looked at in parts.
        if units > encoding.units_at_most() {
            return Err(refused);
        }
        let parts = segments(&text, encoding).count();
        if parts > MAX_PARTS {
            return Err(refused);
        }
        let count = |number| u32::try_from(number).map_err(|_| refused);
        let (chars_count, parts_count) = (count(units)?, count(parts)?);
        Ok(Self { text: text.into_owned(), encoding, chars_count, parts_count })
    }

    /// The text, changed where the encoding lacks characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn into_string(self) -> String {
        self.text
    }

    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// In units of the encoding: `^` counts two in GSM, an emoji two in UCS-2.
    pub fn chars_count(&self) -> u32 {
        self.chars_count
    }

    /// From 1 to [`MAX_PARTS`].
    pub fn parts_count(&self) -> u32 {
        self.parts_count
    }

    /// The parts, in the order in which they are read.
    pub fn segments(&self) -> Segments<'_> {
        segments(&self.text, self.encoding)
    }
}

/// The parts of a text that is sent in this encoding, also of one that a store has kept. Each is as long as it can be
/// without parting a pair: the escape and what it announces, or two surrogates.
pub fn segments(text: &str, encoding: Encoding) -> Segments<'_> {
    let is_one = encoding.units(text) <= encoding.units_in_one();
    let capacity = if is_one { encoding.units_in_one() } else { encoding.units_in_part() };
    Segments { rest: Some(text), encoding, capacity }
}

/// Iterates over the parts of a text; there is at least one.
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    rest: Option<&'a str>,
    encoding: Encoding,
    capacity: usize,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let text = self.rest.take()?;
        let mut units = 0;
        let end = text.char_indices().find(|(_, character)| {
            let with = units + self.encoding.units_of(*character);
            let fits = with <= self.capacity;
            if fits {
                units = with;
            }
            !fits
        });
        let (text, rest) = text.split_at(end.map_or(text.len(), |(end, _)| end));
        self.rest = Some(rest).filter(|rest| !rest.is_empty());
        Some(Segment { text, encoding: self.encoding, units })
    }
}

/// One part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    pub text: &'a str,
    pub encoding: Encoding,
    /// Its length, in units of the encoding.
    pub units: usize,
}

impl Segment<'_> {
    /// What a carrier is given: septets, one a byte and not packed (as SMPP has them under data coding 0), or the bytes
    /// of UCS-2, two a unit.
    pub fn encode(&self) -> Vec<u8> {
        match self.encoding {
            Encoding::Gsm => gsm::encode(self.text),
            Encoding::Ucs2 => ucs2(self.text),
        }
    }
}

/// The bytes of UCS-2, big-endian (3GPP TS 23.038, section 6.2.3).
fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// The text of bytes of UCS-2. What no text has, half a unit at the end, half a pair of surrogates, and U+0000, which no
/// store takes, becomes U+FFFD; join the parts of a message before they are read, since others do part pairs.
pub fn decode_ucs2(bytes: &[u8]) -> String {
    let units = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0xFFFD,
    });
    let read = char::decode_utf16(units).map(|read| read.ok().filter(|character| *character != '\0'));
    read.map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests;
