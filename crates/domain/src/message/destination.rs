//! Where a message goes: the country that a number belongs to, and whether a phone for texts can have it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};
use regex::{Regex, RegexBuilder};

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

/// What is known of a number.
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
        let Some(plan) = plan(phone.as_str()) else {
            return Self { country: None, line: Line::Textable };
        };
        let (plan, national) = plan;
        let is_fixed = plan.fixed.matches(national) && !plan.mobile.matches(national);
        Self { country: plan.country, line: if is_fixed { Line::Fixed } else { Line::Textable } }
    }
}

/// The numbering plan that a number belongs to, and the number within it.
fn plan(phone: &str) -> Option<(&'static Plan, &str)> {
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    // No calling code begins with another (ITU-T E.164, annex A).
    let (plans, national) = (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        Some((PLANS.get(&code.parse().ok()?)?, national))
    })?;
    let listed = || plans.iter().find(|plan| plan.lists(national));
    // With one plan there is nothing to decide. The main one is the first.
    let plan = if plans.len() == 1 { plans.first() } else { listed().or_else(|| plans.first()) };
    plan.map(|plan| (plan, national))
}

/// The plans of each calling code.
static PLANS: LazyLock<HashMap<u16, Vec<Plan>>> = LazyLock::new(|| {
    let plans = |code: u16| {
        let plans = DATABASE.by_code(&code)?.into_iter().map(Plan::of);
        Some((code, plans.collect()))
    };
    (1..=999).filter_map(plans).collect()
});

/// A numbering plan, as far as it is asked.
struct Plan {
    country: Option<Country>,
    /// How its numbers begin, where that tells them from those of its neighbours.
    leading: Option<Digits>,
    fixed: Digits,
    mobile: Digits,
    others: Vec<Digits>,
}

impl Plan {
    fn of(plan: &'static Metadata) -> Self {
        let kinds = plan.descriptors();
        let others = [
            kinds.toll_free(),
            kinds.premium_rate(),
            kinds.shared_cost(),
            kinds.personal_number(),
            kinds.voip(),
            kinds.pager(),
            kinds.uan(),
            kinds.voicemail(),
        ];
        Self {
            // `001` stands for the world.
            country: Country::read(plan.id()).ok(),
            leading: plan.leading_digits().map(|leading| Digits::new(leading.as_str(), "", &[])),
            fixed: Digits::of(kinds.fixed_line()),
            mobile: Digits::of(kinds.mobile()),
            others: others.into_iter().flatten().map(|kind| Digits::of(Some(kind))).collect(),
        }
    }

    fn lists(&self, national: &str) -> bool {
        match &self.leading {
            Some(leading) => leading.matches(national),
            None => {
                self.fixed.matches(national)
                    || self.mobile.matches(national)
                    || self.others.iter().any(|kind| kind.matches(national))
            }
        }
    }
}

/// Numbers of one kind. The crate that knows the patterns compiles them for all digits of Unicode, keeps a hundred of them
/// and locks them for each look: with recipients in many countries a look-up took a millisecond.
struct Digits {
    pattern: &'static str,
    end: &'static str,
    /// None is any.
    lengths: &'static [u16],
    /// `None` for a pattern that cannot be read, and matches nothing.
    compiled: OnceLock<Option<Regex>>,
}

impl Digits {
    const fn new(pattern: &'static str, end: &'static str, lengths: &'static [u16]) -> Self {
        Self { pattern, end, lengths, compiled: OnceLock::new() }
    }

    fn of(kind: Option<&'static Descriptor>) -> Self {
        // What a plan does not have matches nothing: no number has no digits.
        kind.map_or(Self::new("", "$", &[]), |kind| {
            Self::new(kind.national_number().as_str(), "$", kind.possible_length())
        })
    }

    fn matches(&self, national: &str) -> bool {
        let fits = self.lengths.is_empty()
            || self.lengths.iter().any(|length| usize::from(*length) == national.len());
        let compile = || {
            let pattern = format!("^(?:{}){}", self.pattern, self.end);
            RegexBuilder::new(&pattern).unicode(false).ignore_whitespace(true).build().ok()
        };
        fits && self.compiled.get_or_init(compile).as_ref().is_some_and(|regex| regex.is_match(national))
    }
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
    fn every_pattern_can_be_read_and_knows_its_example() {
        let mut looked_at = 0;
        for plan in (1..=999_u16).filter_map(|code| DATABASE.by_code(&code)).flatten() {
            let kinds = plan.descriptors();
            for kind in [kinds.fixed_line(), kinds.mobile(), kinds.toll_free(), kinds.voip(), kinds.pager()] {
                let Some((kind, example)) = kind.and_then(|kind| Some((kind, kind.example()?))) else {
                    continue;
                };
                let digits = Digits::of(Some(kind));
                assert!(digits.matches(example), "{} {example}", plan.id());
                let zeros = "0".repeat(16);
                assert!(
                    !digits.matches(&format!("{example}{zeros}")) && !digits.matches(""),
                    "{}",
                    plan.id()
                );
                // The crate is content with numbers that begin right; libphonenumber itself, like this, is not.
                for other in [format!("{example}1"), example[1..].to_owned(), example.replace('2', "9")] {
                    assert!(!digits.matches(&other) || kind.is_match(&other), "{} {other}", plan.id());
                }
                looked_at += 1;
            }
        }
        assert!(looked_at > 600, "{looked_at}");
        let plans = PLANS.values().flatten();
        let leading: Vec<&Digits> = plans.filter_map(|plan| plan.leading.as_ref()).collect();
        for digits in &leading {
            digits.matches("1");
            assert!(matches!(digits.compiled.get(), Some(Some(_))), "{}", digits.pattern);
        }
        assert!(leading.len() > 10, "{}", leading.len());
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
