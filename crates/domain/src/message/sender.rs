//! Who a message is from (LOX24 messaging contract, section 2).

use std::fmt;

use crate::Problem;

/// The sender that a phone shows: a number, or a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SenderId(String);

/// What a sender id may be, as a regular expression.
pub const SENDER_IDS: &str = r"^(\+?[1-9]\d{0,14}|[a-zA-Z0-9 ]{1,11})$";

const MOST_DIGITS: usize = 15;
/// 3GPP TS 23.040, section 9.1.2.5: an address has room for 11 septets.
const MOST_CHARACTERS: usize = 11;

impl SenderId {
    /// Reads a sender id, which is kept as it is sent. Errors: `Format` for what [`SENDER_IDS`] does not match.
    pub fn read(raw: &str) -> Result<Self, Problem> {
        let is_name = (1..=MOST_CHARACTERS).contains(&raw.len())
            && raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
        if is_name || number(raw).is_some() {
            Ok(Self(raw.to_owned()))
        } else {
            Err(Problem::Format(
                "must be a number of up to 15 digits that does not begin with 0, or up to 11 letters, digits and blanks",
            ))
        }
    }

    /// What [`SenderId::read`] has made and a store has kept.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits of a number, without its plus sign; `None` of a name, which nobody can answer. What both forms allow,
    /// such as `49151`, is a number.
    pub fn digits(&self) -> Option<&str> {
        number(&self.0)
    }

    /// Whether it says of itself that it begins with a country's calling code.
    pub fn is_international(&self) -> bool {
        self.0.starts_with('+')
    }
}

fn number(raw: &str) -> Option<&str> {
    let digits = raw.strip_prefix('+').unwrap_or(raw);
    let fits = (1..=MOST_DIGITS).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    fits.then_some(digits)
}

impl fmt::Display for SenderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sender_ids_are_numbers_and_short_names() {
        for (raw, digits) in [
            ("+4915112345678", Some("4915112345678")),
            ("4915112345678", Some("4915112345678")),
            ("+123456789012345", Some("123456789012345")),
            ("1", Some("1")),
            ("72345", Some("72345")),
            ("My Sender", None),
            ("ABCDEFGHIJK", None),
            ("0151123456", None),
            ("1A", None),
            (" ", None),
        ] {
            let sender = SenderId::read(raw).unwrap();
            assert_eq!((sender.as_str(), sender.digits()), (raw, digits));
            assert_eq!(sender.is_international(), raw.starts_with('+'));
        }
        for raw in [
            "",
            "+",
            "+0151",
            "+1234567890123456",
            "1234567890123456",
            "015112345678",
            "ABCDEFGHIJKL",
            "Müller",
            "A-B",
            "+A",
            "a\n",
            "1\n",
            "\u{661}\u{662}",
            "++49",
        ] {
            assert!(SenderId::read(raw).is_err(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn numbers_and_names_are_those_of_the_pattern(
            number in r"\+?[1-9][0-9]{0,14}", name in "[a-zA-Z0-9 ]{1,11}", other in r"[+0-9a-cé_ ]{0,17}",
        ) {
            prop_assert!(SenderId::read(&number).is_ok_and(|sender| sender.digits().is_some()));
            prop_assert!(SenderId::read(&name).is_ok());
            // The pattern by hand, one alternative after the other.
            let rest: Vec<char> = other.strip_prefix('+').unwrap_or(&other).chars().collect();
            let is_number = matches!(rest[..], ['1'..='9', ..])
                && rest.len() <= 15
                && rest.iter().all(char::is_ascii_digit);
            let is_name = !other.is_empty()
                && other.chars().count() <= 11
                && other.chars().all(|c| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | ' '));
            prop_assert_eq!(SenderId::read(&other).is_ok(), is_number || is_name);
        }
    }
}
