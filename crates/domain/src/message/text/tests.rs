use proptest::prelude::*;

use super::*;

/// The alphabet once more, as the parts are counted here without the tables of `gsm`.
const ONE: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§\
                   ¿abcdefghijklmnopqrstuvwxyzäöñüà";
const TWO: &str = "\u{C}^{}\\[~]|€";

/// The units of a text as numbers, with 0x1B for an escape; `None` when GSM lacks a character.
fn units(text: &str, encoding: Encoding) -> Option<Vec<u16>> {
    match encoding {
        Encoding::Ucs2 => Some(text.encode_utf16().collect()),
        Encoding::Gsm => {
            let mut units = Vec::new();
            for character in text.chars() {
                if TWO.contains(character) {
                    units.push(0x1B);
                } else if !ONE.contains(character) {
                    return None;
                }
                units.push(0x100 + u16::try_from(character as u32).unwrap());
            }
            Some(units)
        }
    }
}

/// How long the parts are: cut where a part is full, one unit before when that would part a pair.
fn naive(units: &[u16], one: usize, part: usize) -> Vec<usize> {
    if units.len() <= one {
        return vec![units.len()];
    }
    let mut lengths = Vec::new();
    let mut at = 0;
    while at < units.len() {
        let mut end = (at + part).min(units.len());
        let last = units[end - 1];
        if end < units.len() && (last == 0x1B || (0xD800..0xDC00).contains(&last)) {
            end -= 1;
        }
        lengths.push(end - at);
        at = end;
    }
    lengths
}

fn lengths(text: &str, wish: Option<Encoding>) -> Option<Vec<usize>> {
    let text = MessageText::new(text, wish).ok()?;
    let lengths: Vec<usize> = text.segments().map(|segment| segment.units).collect();
    assert_eq!(text.parts_count() as usize, lengths.len());
    assert_eq!(text.chars_count() as usize, lengths.iter().sum::<usize>());
    Some(lengths)
}

fn plain(count: usize) -> String {
    "a".repeat(count)
}

#[test]
fn gsm_has_160_characters_in_one_part_and_153_in_each_of_several() {
    for (length, parts) in [
        (0, vec![0]),
        (1, vec![1]),
        (159, vec![159]),
        (160, vec![160]),
        (161, vec![153, 8]),
        (306, vec![153, 153]),
        (307, vec![153, 153, 1]),
        (1530, vec![153; 10]),
    ] {
        assert_eq!(lengths(&plain(length), None), Some(parts), "{length}");
    }
    let refused = Err(TooManyParts { encoding: Encoding::Gsm });
    assert_eq!(MessageText::new(&plain(1531), None), refused);
    assert_eq!(MessageText::new(&plain(100_000), Some(Encoding::Gsm)), refused);
    assert_eq!(Problem::from(TooManyParts { encoding: Encoding::Gsm }), Problem::TooLong { max: 1530 });
}

#[test]
fn an_escape_stays_with_what_it_announces() {
    // The pair fills the one part, or does not fit any more.
    assert_eq!(lengths(&(plain(158) + "€"), None), Some(vec![160]));
    assert_eq!(lengths(&(plain(159) + "€"), None), Some(vec![153, 8]));
    // It would stand over the border: the part before has 152.
    assert_eq!(lengths(&(plain(152) + "€" + &plain(7)), None), Some(vec![152, 9]));
    assert_eq!(lengths(&(plain(151) + "€" + &plain(8)), None), Some(vec![153, 8]));
    assert_eq!(lengths(&"€".repeat(80), None), Some(vec![160]));
    assert_eq!(lengths(&"€".repeat(81), None), Some(vec![152, 10]));
    // Ten parts of pairs hold 1520: what is lost at the borders is not made up for.
    assert_eq!(lengths(&"€".repeat(760), None), Some(vec![152; 10]));
    assert_eq!(lengths(&"€".repeat(761), None), None);
    assert_eq!(lengths(&("€".repeat(760) + "a"), None), Some([[152; 9].as_slice(), &[153]].concat()));
    assert_eq!(lengths(&(plain(1528) + "€"), None), Some(vec![153; 10]));
    assert_eq!(lengths(&(plain(152) + "€" + &plain(1376)), None), None);
    assert_eq!(
        lengths(&(plain(152) + "€" + &plain(1375)), None),
        Some([[152].as_slice(), &[153; 9]].concat())
    );
}

#[test]
fn ucs2_has_70_units_in_one_part_and_67_in_each_of_several() {
    for (length, parts) in
        [(70, vec![70]), (71, vec![67, 4]), (134, vec![67, 67]), (135, vec![67, 67, 1]), (670, vec![67; 10])]
    {
        assert_eq!(lengths(&"я".repeat(length), None), Some(parts), "{length}");
    }
    assert_eq!(MessageText::new(&"я".repeat(671), None), Err(TooManyParts { encoding: Encoding::Ucs2 }),);
    assert_eq!(Problem::from(TooManyParts { encoding: Encoding::Ucs2 }), Problem::TooLong { max: 670 });
    // Asked for, also where GSM would do.
    assert_eq!(lengths(&plain(71), Some(Encoding::Ucs2)), Some(vec![67, 4]));
    assert_eq!(lengths(&plain(71), Some(Encoding::Gsm)), Some(vec![71]));
}

#[test]
fn surrogates_stay_together() {
    let text = |before, after| "я".repeat(before) + "\u{1F600}" + &"я".repeat(after);
    assert_eq!(lengths(&text(68, 0), None), Some(vec![70]));
    assert_eq!(lengths(&text(69, 0), None), Some(vec![67, 4]));
    assert_eq!(lengths(&text(66, 3), None), Some(vec![66, 5]));
    assert_eq!(lengths(&text(65, 4), None), Some(vec![67, 4]));
    assert_eq!(lengths(&"\u{1F600}".repeat(35), None), Some(vec![70]));
    assert_eq!(lengths(&"\u{1F600}".repeat(36), None), Some(vec![66, 6]));
    assert_eq!(lengths(&"\u{1F600}".repeat(330), None), Some(vec![66; 10]));
    assert_eq!(lengths(&"\u{1F600}".repeat(331), None), None);
    assert_eq!(lengths(&text(668, 0), None), Some(vec![67; 10]));
    assert_eq!(lengths(&text(66, 602), None), None);
}

#[test]
fn the_encoding_is_the_first_that_has_all() {
    let made = |raw, wish| {
        let text = MessageText::new(raw, wish).unwrap();
        (text.encoding(), text.chars_count(), text.into_string())
    };
    assert_eq!(made("It’s", None), (Encoding::Ucs2, 4, "It’s".to_owned()));
    assert_eq!(made("It’s", Some(Encoding::Gsm)), (Encoding::Gsm, 4, "It's".to_owned()));
    assert_eq!(made("{a}", None), (Encoding::Gsm, 5, "{a}".to_owned()));
    assert_eq!(made("e\u{301}", None), (Encoding::Ucs2, 2, "e\u{301}".to_owned()));
    assert_eq!(made("e\u{301}", Some(Encoding::Gsm)), (Encoding::Gsm, 1, "é".to_owned()));
    // Decided before it is replaced: a text of emojis is short in GSM.
    let emojis = "\u{1F600}".repeat(700);
    assert!(MessageText::new(&emojis, None).is_err());
    assert_eq!(lengths(&emojis, Some(Encoding::Gsm)).map(|parts| parts.len()), Some(5));
}

#[test]
fn parts_are_encoded_for_a_carrier() {
    let text = MessageText::new(&(plain(152) + "€uro" + &plain(9)), None).unwrap();
    let parts: Vec<Vec<u8>> = text.segments().map(|segment| segment.encode()).collect();
    assert_eq!(parts, [vec![b'a'; 152], [&[0x1B, 0x65], "uroaaaaaaaaa".as_bytes()].concat()]);
    let text = MessageText::new("я\u{1F600}", None).unwrap();
    let parts: Vec<Vec<u8>> = text.segments().map(|segment| segment.encode()).collect();
    assert_eq!(parts, [vec![0x04, 0x4F, 0xD8, 0x3D, 0xDE, 0x00]]);
}

#[test]
fn ucs2_of_others_is_read_whatever_it_is() {
    assert_eq!(decode_ucs2(&[0x04, 0x4F, 0xD8, 0x3D, 0xDE, 0x00]), "я\u{1F600}");
    assert_eq!(decode_ucs2(&[0xD8, 0x3D, 0x00, 0x41]), "\u{FFFD}A");
    assert_eq!(decode_ucs2(&[0x00, 0x41, 0x00]), "A\u{FFFD}");
    assert_eq!(decode_ucs2(&[0x00, 0x00, 0x00, 0x41]), "\u{FFFD}A");
    assert_eq!(decode_ucs2(&[]), "");
}

#[test]
fn texts_that_are_sent_say_something() {
    assert_eq!(MessageText::read(" \n", None), Err(Problem::Blank));
    assert_eq!(MessageText::read("", Some(Encoding::Ucs2)), Err(Problem::Blank));
    assert!(matches!(MessageText::read("a\0", None), Err(Problem::Format(_))));
    assert_eq!(MessageText::read(&plain(1531), None), Err(Problem::TooLong { max: 1530 }));
    // Blanks at the ends are sent.
    assert_eq!(MessageText::read(" a ", None).map(MessageText::into_string), Ok(" a ".to_owned()));
}

fn near_a_border() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        (0..160_usize).prop_map(plain),
        "[a€]{0,90}",
        "[a{}\\[~|\n£Ω\u{C}]{0,40}",
        "[aя]{0,75}",
        "[я\u{1F600}]{0,40}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn parts_are_those_of_the_naive_count(text in near_a_border(), wish in 0..3) {
        let wish = [None, Some(Encoding::Gsm), Some(Encoding::Ucs2)][usize::try_from(wish).unwrap()];
        let gsm = units(&text, Encoding::Gsm);
        let encoding = wish.unwrap_or(if gsm.is_some() { Encoding::Gsm } else { Encoding::Ucs2 });
        // What the alphabet lacks here has no base letter, so each becomes a question mark.
        let sent = match encoding {
            Encoding::Ucs2 => text.clone(),
            Encoding::Gsm => text.replace(|c| !ONE.contains(c) && !TWO.contains(c), "?"),
        };
        let units = units(&sent, encoding).unwrap();
        let (one, part) = if encoding == Encoding::Gsm { (160, 153) } else { (70, 67) };
        let wanted = naive(&units, one, part);
        match MessageText::new(&text, wish) {
            Err(refused) => {
                prop_assert_eq!(refused.encoding, encoding);
                prop_assert!(wanted.len() > 10);
            }
            Ok(made) => {
                prop_assert_eq!(made.as_str(), &sent);
                prop_assert_eq!(made.encoding(), encoding);
                let parts: Vec<Segment<'_>> = made.segments().collect();
                prop_assert_eq!(parts.iter().map(|part| part.units).collect::<Vec<_>>(), wanted);
                prop_assert_eq!(parts.iter().map(|part| part.text).collect::<String>(), sent.clone());
                prop_assert_eq!(made.chars_count() as usize, units.len());
                let bytes: Vec<u8> = parts.iter().flat_map(Segment::encode).collect();
                let read = match encoding {
                    Encoding::Gsm => gsm::decode(&bytes),
                    Encoding::Ucs2 => decode_ucs2(&bytes),
                };
                prop_assert_eq!(read, sent);
                for part in parts {
                    let unit = if encoding == Encoding::Gsm { 1 } else { 2 };
                    prop_assert_eq!(part.encode().len(), unit * part.units);
                }
            }
        }
    }
}
