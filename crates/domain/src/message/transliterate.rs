//! Text in the words of the GSM alphabet (LOX24 messaging contract, section 2).

use std::borrow::Cow;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

use super::gsm::{self, Septets};
use crate::text;

/// The text with the GSM alphabet's characters only: typographic apostrophes and the backtick become `'`, the en dash
/// `-`, a letter with accents its base letter, and all else `?`. It is composed first (NFC), so that an accent that is
/// sent by itself goes with its letter: what the alphabet has as one character stays, and a mark that cannot be
/// composed is left out. Never longer than the text, in characters.
pub fn transliterate(raw: &str) -> Cow<'_, str> {
    if gsm::has(raw) {
        return Cow::Borrowed(raw);
    }
    let composed = text::nfc(raw);
    let mut changed = String::with_capacity(composed.len());
    for character in composed.chars() {
        // At the beginning there is nothing that a mark could stand on.
        if !is_combining_mark(character) || changed.is_empty() {
            changed.push(replacement(character));
        }
    }
    Cow::Owned(changed)
}

fn replacement(character: char) -> char {
    match character {
        character if Septets::of(character).is_some() => character,
        // Left and right single quotation marks, the one that is reversed, the letter apostrophe, the grave accent.
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2BC}' | '`' => '\'',
        '\u{2013}' => '-',
        _ => base(character).unwrap_or('?'),
    }
}

/// The letter under the accents, when the alphabet has it.
fn base(character: char) -> Option<char> {
    let mut base = None;
    decompose_canonical(character, |part| {
        base.get_or_insert(part);
    });
    base.filter(|base| Septets::of(*base).is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn characters_that_are_lacking_are_replaced() {
        for (raw, wanted) in [
            ("It’s `so`", "It's 'so'"),
            ("1–2", "1-2"),
            ("çÇ", "cÇ"),
            ("Ýéêëāşž", "Yéeeasz"),
            ("ǘ Ǻ", "u A"),
            // Composed before it is looked at, also where it comes in parts.
            ("e\u{301}e\u{302}u\u{308}", "éeü"),
            ("x\u{302}y", "xy"),
            ("\u{302}y", "?y"),
            ("\u{212B}\u{2126}\u{212A}", "ÅΩK"),
            // No base letter, or one that the alphabet lacks.
            ("łđıα—“”…\u{A0}\t", "??????????"),
            ("a\u{1F600}b", "a?b"),
            ("\u{2764}\u{FE0F}", "?"),
            ("привет", "??????"),
            ("", ""),
            ("{€}", "{€}"),
        ] {
            assert_eq!(transliterate(raw), wanted, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn what_comes_of_it_can_be_sent_and_is_not_longer(raw in "(\\PC|[\n\u{300}-\u{36F}À-ÿ’`–]){0,60}") {
            let changed = transliterate(&raw);
            prop_assert!(gsm::has(&changed));
            prop_assert!(changed.chars().count() <= raw.chars().count());
            prop_assert_eq!(transliterate(&changed), changed.clone());
        }

        #[test]
        fn each_character_without_a_base_letter_is_one_question_mark(raw in "[a-z\u{4E00}-\u{4FFF}\u{1F600}-\u{1F64F}]{0,60}") {
            let wanted: String = raw.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
            prop_assert_eq!(transliterate(&raw), wanted);
        }
    }
}
