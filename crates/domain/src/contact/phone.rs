//! Phone numbers in E.164 (LOX24 contract, section 4).

use std::fmt;

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, country};

use crate::Problem;

/// A phone number in E.164: a plus sign and 4 to 15 digits, the calling code first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

const LEAST_DIGITS: usize = 4;
/// ITU-T E.164, section 6.2.1.
const MOST_DIGITS: usize = 15;

const REFUSED: Problem = Problem::Format(
    "must be a phone number of 4 to 15 digits, either with its country's code or as it is dialled in the \
     account's country",
);

impl PhoneNumber {
    /// Reads a number as people write it: `+49…`, `0049…`, or as it is dialled within `country` (ISO 3166-1
    /// alpha-2). The calling code of that country may stand in front without a plus sign; another one after the
    /// prefix with which one leaves the country. Blanks, dashes, dots, slashes and brackets are passed over. Errors:
    /// `Format` for everything else.
    pub fn read(raw: &str, country: &str) -> Result<Self, Problem> {
        let mut dialled = String::with_capacity(raw.len());
        for character in raw.chars() {
            match character {
                '0'..='9' => dialled.push(character),
                '+' if dialled.is_empty() => dialled.push('+'),
                '.' | '/' | '(' | ')' | '[' | ']' => {}
                _ if is_dash(character) || character.is_whitespace() => {}
                _ => return Err(REFUSED),
            }
        }
        // In every country, whatever is dialled there to leave it.
        if let Some(rest) = dialled.strip_prefix("00") {
            dialled = format!("+{rest}");
        }
        // As it was sent, and (below) in E.164.
        if dialled.trim_start_matches('+').len() < LEAST_DIGITS {
            return Err(REFUSED);
        }
        let country: Option<country::Id> = country.parse().ok().filter(|_| !dialled.starts_with('+'));
        // What is dialled in this one; what follows is another country's, not to be read by the rules of this one.
        if let Some(abroad) = country.and_then(|country| dialled_abroad(country, &dialled)) {
            dialled = abroad;
        }
        let country = country.filter(|_| !dialled.starts_with('+'));
        if country.is_none() && !dialled.starts_with('+') {
            return Err(REFUSED);
        }
        let mut number = parse(country, &dialled)?;
        if number == dialled {
            return Ok(Self(number));
        }
        // A prefix that is only dialled within a country (`+49 0151…`) is taken out; what comes of it must read as
        // itself, so that what was stored can be sent back.
        for _ in 0..4 {
            let again = parse(None, &number)?;
            if again == number {
                return Ok(Self(number));
            }
            number = again;
        }
        Err(REFUSED)
    }

    /// What [`PhoneNumber::read`] has made and a store has kept.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The number after the prefix with which one leaves a country, if it begins with that, with a plus sign instead.
fn dialled_abroad(country: country::Id, dialled: &str) -> Option<String> {
    let prefix = DATABASE.by_id(country.as_ref())?.international_prefix()?;
    let found = prefix.find(dialled).filter(|found| found.start() == 0)?;
    let rest = &dialled[found.end()..];
    // No calling code begins with 0.
    (!rest.is_empty() && !rest.starts_with('0')).then(|| format!("+{rest}"))
}

/// Also those of word processors, and the minus sign.
fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn parse(country: Option<country::Id>, dialled: &str) -> Result<String, Problem> {
    let number = phonenumber::parse(country, dialled).map_err(|_| REFUSED)?;
    let text = number.format().mode(Mode::E164).to_string();
    let digits = text.strip_prefix('+').unwrap_or_default();
    let fits = (LEAST_DIGITS..=MOST_DIGITS).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text) } else { Err(REFUSED) }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(raw: &str, country: &str) -> Option<String> {
        PhoneNumber::read(raw, country).ok().map(|number| number.to_string())
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for raw in [
            "+4915112345678",
            "+49 (0)151 / 1234-5678",
            "0049 151 1234.5678",
            "49 151 12345678",
            "0151 12345678",
            "[0151]\u{a0}1234\u{2013}5678",
        ] {
            assert_eq!(read(raw, "DE").as_deref(), Some("+4915112345678"), "{raw}");
        }
        assert_eq!(read("(201) 555-0123", "US").as_deref(), Some("+12015550123"));
        assert_eq!(read("1 201 555 0123", "US").as_deref(), Some("+12015550123"));
        assert_eq!(read("06 123456", "IT").as_deref(), Some("+3906123456"));
    }

    #[test]
    fn another_countrys_number_is_not_read_by_the_rules_of_ones_own() {
        // 1 is dialled within the US before an area code; in the UK it begins one.
        assert_eq!(read("+44 1234 567890", "US").as_deref(), Some("+441234567890"));
        assert_eq!(read("0044 1234 567890", "US").as_deref(), Some("+441234567890"));
        assert_eq!(read("011 44 1234 567890", "US").as_deref(), Some("+441234567890"));
        assert_eq!(read("011 49 151 12345678", "US").as_deref(), Some("+4915112345678"));
        assert_eq!(read("010 49 151 12345678", "JP").as_deref(), Some("+4915112345678"));
        assert_eq!(read("8 10 49 151 12345678", "RU").as_deref(), Some("+4915112345678"));
        // A calling code without a plus sign is taken for one's own country only.
        assert_ne!(read("44 1234 567890", "US").as_deref(), Some("+441234567890"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for raw in [
            "",
            "+",
            "abc",
            "0151-CALL-ME",
            "+49",
            "12",
            "+49 151 12345678 12345",
            "+999 1234567",
            "++4915112345678",
            "49+15112345678",
            "+49 151 12345678;ext=5",
            "tel:+4915112345678",
            "0000000",
            "\u{661}\u{662}\u{663}",
            "#31#",
        ] {
            assert_eq!(read(raw, "DE"), None, "{raw}");
        }
        // Nobody knows what is dialled in a country that is not there.
        assert_eq!(read("015112345678", "XX"), None);
        assert!(read("+4915112345678", "XX").is_some());
    }

    proptest! {
        #[test]
        fn a_number_reads_as_itself(raw in "\\+?[0-9 ()/.-]{1,30}", country in "DE|US|IT|BR|AR|MX|GB|XX") {
            if let Ok(number) = PhoneNumber::read(&raw, &country) {
                prop_assert_eq!(PhoneNumber::read(number.as_str(), "US"), Ok(number.clone()));
                prop_assert_eq!(PhoneNumber::read(number.as_str(), &country), Ok(number));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(raw in "\\PC{0,40}") {
            let _ = PhoneNumber::read(&raw, "DE");
        }
    }
}
