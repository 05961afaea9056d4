//! The GSM 7 bit default alphabet and its extension table (3GPP TS 23.038, sections 6.2.1 and 6.2.1.1; once GSM 03.38).
//!
//! A character takes one septet, or two: the escape and one of the extension table. National language tables
//! (sections 6.2.1.2 on) are not used: a phone has to say that it knows them.

/// Announces a septet of the extension table.
pub const ESCAPE: u8 = 0x1B;

/// What stands at [`ESCAPE`] in the table; it is no character that a text can have.
const NONE: char = '\u{FFFF}';

/// The default alphabet, by septet. At 0x09 stands the capital letter, as in the specification; the mapping that
/// Unicode publishes has the small one there by mistake.
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', NONE, 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table: what follows the escape, and the character that both are.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How a character is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Septets {
    One(u8),
    /// The escape, and this.
    Two(u8),
}

impl Septets {
    /// What stands for a character that the alphabet lacks: a question mark.
    pub const REPLACEMENT: Self = Self::One(b'?');

    /// The septets of a character, or `None` when the alphabet lacks it.
    pub fn of(character: char) -> Option<Self> {
        match LATIN.get(character as usize) {
            Some(septets) => *septets,
            None => beyond_latin(character),
        }
    }

    /// How many they are.
    pub const fn count(self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Two(_) => 2,
        }
    }

    /// Writes them, one a byte.
    pub fn write(self, septets: &mut Vec<u8>) {
        match self {
            Self::One(septet) => septets.push(septet),
            Self::Two(septet) => septets.extend([ESCAPE, septet]),
        }
    }
}

/// The septets of the characters up to U+00FF, which are nearly all.
const LATIN: [Option<Septets>; 256] = latin();

const fn latin() -> [Option<Septets>; 256] {
    let mut table = [None; 256];
    let mut at = 0;
    while at < DEFAULT.len() {
        let character = DEFAULT[at] as usize;
        if character < table.len() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "`at` is below 128, and this is no place for traits"
            )]
            let septet = at as u8;
            table[character] = Some(Septets::One(septet));
        }
        at += 1;
    }
    let mut at = 0;
    while at < EXTENSION.len() {
        let (septet, character) = EXTENSION[at];
        if (character as usize) < table.len() {
            table[character as usize] = Some(Septets::Two(septet));
        }
        at += 1;
    }
    table
}

/// Greek capital letters and the Euro sign.
fn beyond_latin(character: char) -> Option<Septets> {
    let (first, rest) = (0x10_u8, DEFAULT.get(0x10..ESCAPE.into())?);
    let greek = (first..).zip(rest).find(|(_, known)| **known == character);
    let greek = greek.map(|(septet, _)| Septets::One(septet));
    greek.or_else(|| {
        let found = EXTENSION.iter().find(|(_, known)| *known == character);
        found.map(|(septet, _)| Septets::Two(*septet))
    })
}

/// Whether the alphabet has every character of a text.
pub fn has(text: &str) -> bool {
    text.chars().all(|character| Septets::of(character).is_some())
}

/// The septets of a text, one a byte, not packed; a question mark for what the alphabet lacks.
pub fn encode(text: &str) -> Vec<u8> {
    let mut septets = Vec::with_capacity(text.len());
    for character in text.chars() {
        Septets::of(character).unwrap_or(Septets::REPLACEMENT).write(&mut septets);
    }
    septets
}

/// The text of septets, one a byte. What others send is read as the specification asks phones to (section 6.2.1.1): an
/// escaped septet that the extension table lacks is the character of the default alphabet; an escape that nothing
/// follows, or another escape, is a blank. Of a byte the topmost bit is not looked at.
pub fn decode(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut septets = septets.iter().map(|septet| septet & 0x7F);
    while let Some(septet) = septets.next() {
        let character = match septet {
            ESCAPE => septets.next().map_or(' ', escaped),
            septet => DEFAULT[usize::from(septet)],
        };
        text.push(character);
    }
    text
}

fn escaped(septet: u8) -> char {
    let found = EXTENSION.iter().find(|(known, _)| *known == septet);
    match found {
        Some((_, character)) => *character,
        None if septet == ESCAPE => ' ',
        None => DEFAULT[usize::from(septet)],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_septet_is_the_character_of_the_specification() {
        // Written down a second time, from the table of the specification, column by column.
        let columns = [
            "@£$¥èéùìòÇ\nØø\rÅå",
            "Δ_ΦΓΛΩΠΨΣΘΞ\u{FFFF}ÆæßÉ",
            " !\"#¤%&'()*+,-./",
            "0123456789:;<=>?",
            "¡ABCDEFGHIJKLMNO",
            "PQRSTUVWXYZÄÖÑÜ§",
            "¿abcdefghijklmno",
            "pqrstuvwxyzäöñüà",
        ];
        for (septet, character) in (0_u8..).zip(columns.concat().chars()) {
            if septet != ESCAPE {
                assert_eq!(Septets::of(character), Some(Septets::One(septet)), "{character:?}");
                assert_eq!(decode(&[septet]), character.to_string());
            }
        }
        let extension = [0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65];
        for (septet, character) in extension.into_iter().zip("\u{C}^{}\\[~]|€".chars()) {
            assert_eq!(Septets::of(character), Some(Septets::Two(septet)), "{character:?}");
            assert_eq!(decode(&[ESCAPE, septet]), character.to_string());
        }
    }

    #[test]
    fn the_alphabet_has_137_characters_and_no_more() {
        let all = (char::MIN..=char::MAX).filter(|character| Septets::of(*character).is_some());
        assert_eq!(all.count(), 127 + 10);
        for lacking in ['ç', '`', '\u{0}', '\t', '\u{1B}', 'α', 'Α', '’', '–', '\u{A0}', NONE] {
            assert_eq!(Septets::of(lacking), None, "{lacking:?}");
        }
    }

    #[test]
    fn what_is_not_defined_is_read_as_phones_read_it() {
        assert_eq!(decode(&[ESCAPE, b'A', ESCAPE]), "A ");
        assert_eq!(decode(&[ESCAPE, ESCAPE, b'A']), " A");
        assert_eq!(decode(&[0xC1]), "A");
        assert_eq!(encode("a\u{1F600}€"), [b'a', b'?', ESCAPE, 0x65]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_as_itself(text in "[ -~\n\r£Ççéÿα-ωΑ-Ω€\u{C}]{0,80}") {
            let septets = encode(&text);
            prop_assert!(septets.iter().all(|septet| *septet < 128));
            let kept: String = text.chars().map(|c| if has(&c.to_string()) { c } else { '?' }).collect();
            prop_assert_eq!(decode(&septets), kept);
        }

        #[test]
        fn any_septets_are_read(septets in prop::collection::vec(any::<u8>(), 0..40)) {
            let text = decode(&septets);
            prop_assert!(has(&text));
            prop_assert!(text.chars().count() <= septets.len());
        }
    }
}
