//! Where a message goes: the country that a number belongs to, and whether a phone for texts can have it.

use std::fmt;

use phonenumber::Metadata;
use phonenumber::metadata::DATABASE;

use crate::Problem;
use crate::contact::PhoneNumber;

/// A country: two letters of ISO 3166-1 alpha-2, in upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads two letters in any case. Whether the country exists is not looked up.
    pub fn read(raw: &str) -> Result<Self, Problem> {
        match *raw.trim().as_bytes() {
            [first, second] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
                Ok(Self([first.to_ascii_uppercase(), second.to_ascii_uppercase()]))
            }
            _ => Err(Problem::Format("must be a country code of two letters, such as US")),
        }
    }

    pub fn as_str(&self) -> &str {
        // Letters of ASCII, which are UTF-8.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What kind of line a number is, as far as the numbering plan of its country tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Fixed, and not among the numbers of mobile phones: no text arrives there
    /// ([`super::MessageStatus::Landline`]).
    Fixed,
    /// Anything else: a mobile phone, what may be one (in North America nobody can tell), or a number that the plan
    /// does not list.
    Textable,
}

/// A number with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// `None` for numbers of no country, such as those of satellites (+881): no operator takes texts there
    /// ([`super::MessageStatus::NoOperator`]).
    pub country: Option<Country>,
    pub line: Line,
}

impl Destination {
    /// Looks a number up in the numbering plans of the world (those of libphonenumber). Where countries share a calling
    /// code, a number that none of their plans lists belongs to the main one of them.
    pub fn of(phone: &PhoneNumber) -> Self {
        let unknown = Self { country: None, line: Line::Textable };
        let Some((code, national)) = split(phone.as_str()) else { return unknown };
        let Some(plan) = plan(code, national) else { return unknown };
        let matches = |descriptor: Option<&phonenumber::metadata::Descriptor>| {
            descriptor.is_some_and(|descriptor| descriptor.is_match(national))
        };
        let descriptors = plan.descriptors();
        let is_fixed = matches(descriptors.fixed_line()) && !matches(descriptors.mobile());
        // `001` stands for the world.
        let country = Country::read(plan.id()).ok();
        Self { country, line: if is_fixed { Line::Fixed } else { Line::Textable } }
    }
}

/// The calling code, and the number within the country. No code begins with another (ITU-T E.164, annex A).
fn split(phone: &str) -> Option<(u16, &str)> {
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        let code = code.parse().ok()?;
        DATABASE.region(&code).map(|_| (code, national))
    })
}

/// The numbering plan that a number belongs to.
fn plan(code: u16, national: &str) -> Option<&'static Metadata> {
    let plans = DATABASE.by_code(&code)?;
    if let [plan] = plans[..] {
        return Some(plan);
    }
    let lists = |plan: &Metadata| {
        if let Some(leading) = plan.leading_digits() {
            return leading.find(national).is_some_and(|found| found.start() == 0);
        }
        let descriptors = plan.descriptors();
        let kinds = [
            descriptors.fixed_line(),
            descriptors.mobile(),
            descriptors.toll_free(),
            descriptors.premium_rate(),
            descriptors.shared_cost(),
            descriptors.personal_number(),
            descriptors.voip(),
            descriptors.pager(),
            descriptors.uan(),
            descriptors.voicemail(),
        ];
        kinds.into_iter().flatten().any(|kind| kind.is_match(national))
    };
    plans.iter().copied().find(|plan| lists(plan)).or_else(|| plans.first().copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(number: &str) -> (Option<String>, Line) {
        let found = Destination::of(&PhoneNumber::from_stored(number.to_owned()));
        (found.country.map(|country| country.to_string()), found.line)
    }

    #[test]
    fn numbers_belong_to_countries() {
        use Line::{Fixed, Textable};
        for (number, country, line) in [
            ("+4915112345678", "DE", Textable),
            ("+4930123456", "DE", Fixed),
            ("+49751234567", "DE", Fixed),
            ("+436641234567", "AT", Textable),
            ("+41791234567", "CH", Textable),
            ("+41441234567", "CH", Fixed),
            ("+12015550123", "US", Textable),
            ("+13035550111", "US", Textable),
            ("+16135550123", "CA", Textable),
            ("+18765550123", "JM", Textable),
            ("+447400123456", "GB", Textable),
            ("+442079460123", "GB", Fixed),
            ("+441481231234", "GG", Fixed),
            ("+447781123456", "GG", Textable),
            ("+393401234567", "IT", Textable),
            // With the leading zero that Italy keeps.
            ("+390612345678", "IT", Fixed),
            ("+79161234567", "RU", Textable),
            ("+77011234567", "KZ", Textable),
            // No plan lists it.
            ("+15550000000", "US", Textable),
            ("+447700900123", "GB", Textable),
        ] {
            assert_eq!(of(number), (Some(country.to_owned()), line), "{number}");
        }
    }

    #[test]
    fn some_numbers_belong_to_no_country() {
        for number in ["+80012345678", "+881612345678", "+9991234567", "", "+", "\u{e9}\u{e9}"] {
            assert_eq!(of(number), (None, Line::Textable), "{number}");
        }
    }

    #[test]
    fn countries_are_two_letters() {
        assert_eq!(Country::read(" de ").map(|country| country.to_string()), Ok("DE".to_owned()));
        for raw in ["", "D", "DEU", "D1", "é", "001"] {
            assert!(Country::read(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn plans_know_their_own_mobile_numbers() {
        let mut looked_at = 0;
        let mut others = Vec::new();
        for plan in DATABASE.iter().filter(|plan| plan.id() != "001") {
            let Some(example) = plan.descriptors().mobile().and_then(|mobile| mobile.example()) else {
                continue;
            };
            let (country, line) = of(&format!("+{}{example}", plan.country_code()));
            assert_eq!(line, Line::Textable, "{example}");
            looked_at += 1;
            if country.as_deref() != Some(plan.id()) {
                others.push(plan.id());
            }
        }
        assert!(looked_at > 200, "{looked_at}");
        // Small places whose numbers are those of a neighbour.
        others.sort_unstable();
        assert_eq!(others, ["AX", "BL", "CC", "CX", "EH", "IM", "MF", "SJ", "VA"]);
    }

    proptest! {
        #[test]
        fn any_number_is_looked_up(number in r"\+[0-9]{0,16}|\PC{0,20}") {
            of(&number);
        }
    }
}
