//! Amounts of money, exact: integers of a millionth of a currency's unit, and decimal text. No number with a floating
//! point is calculated with.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};
use std::str::FromStr;

use serde_json::Number;

use crate::Problem;

/// An amount in millionths of a currency's unit (of a euro, not of a cent): prices of single parts are quoted with four
/// and five decimals. At most [`Money::MAX`] either way; what would be more stays there.
///
/// Within that an amount has at most 15 digits, so that it is told apart from all others also by readers of JSON that know
/// 64 bit floating point only (IEEE 754-2019, section 5.12.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Decimals of an amount.
const DECIMALS: usize = 6;
/// Millionths of a unit.
const UNIT: i64 = 1_000_000;

impl Money {
    pub const ZERO: Self = Self(0);
    /// A billion but for a millionth.
    pub const MAX: Self = Self(1_000_000_000 * UNIT - 1);
    /// What a credit fills a balance to at most. The room above is for what is given back, which has to fit.
    pub const FULL: Self = Self(500_000_000 * UNIT);

    /// So many millionths.
    pub fn from_millionths(millionths: i64) -> Self {
        Self(millionths.clamp(-Self::MAX.0, Self::MAX.0))
    }

    /// In millionths: what a store keeps.
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// So many times the amount.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self::from_millionths(self.0.saturating_mul(i64::from(count)))
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The number of JSON: `12.75`, `0.07`, `5`.
    pub fn to_json(self) -> Number {
        // What is displayed is a number of JSON.
        self.to_string().parse().unwrap_or_else(|_| Number::from(self.0 / UNIT))
    }

    /// The amount that a number of JSON is, exactly. Errors: `Format` when it is none.
    pub fn from_json(number: &Number) -> Result<Self, Problem> {
        number.to_string().parse()
    }
}

/// With as many decimals as it needs and without a currency: `12.75`, `-0.5`, `5`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative() { "-" } else { "" };
        let (whole, rest) = (self.0.abs() / UNIT, self.0.abs() % UNIT);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{rest:0DECIMALS$}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

/// Reads digits with a point, as JSON writes numbers (RFC 8259, section 6), zeros in front apart. Errors: `Format` for all
/// else, for more decimals than there are, and for more than [`Money::MAX`].
impl FromStr for Money {
    type Err = Problem;

    fn from_str(raw: &str) -> Result<Self, Problem> {
        millionths(raw).map(Self).ok_or(Problem::Format(
            "must be an amount below 1000000000 with at most 6 decimals, such as 12.75",
        ))
    }
}

fn millionths(raw: &str) -> Option<i64> {
    let (sign, rest) = raw.strip_prefix('-').map_or((1, raw), |rest| (-1, rest));
    let (rest, exponent) = match rest.split_once(['e', 'E']) {
        Some((rest, exponent)) => (rest, self::exponent(exponent)?),
        None => (rest, 0),
    };
    let (whole, decimals) = match rest.split_once('.') {
        Some((_, "")) => return None,
        parted => parted.unwrap_or((rest, "")),
    };
    let all = [whole, decimals].concat();
    if whole.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = all.trim_start_matches('0');
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // How many places the last digit that is not zero stands to the left of the last one that an amount has.
    let zeros = all.len() - all.trim_end_matches('0').len();
    let places = exponent
        .checked_add(i64::try_from(zeros).ok()?)?
        .checked_sub(i64::try_from(decimals.len()).ok()?)?
        .checked_add(i64::try_from(DECIMALS).ok()?)?;
    let factor = 10_i64.checked_pow(u32::try_from(places).ok()?)?;
    let amount = digits.parse::<i64>().ok()?.checked_mul(factor)?;
    (amount <= Money::MAX.0).then_some(sign * amount)
}

/// The exponent of a number; one that no amount has is cut off.
fn exponent(raw: &str) -> Option<i64> {
    let (sign, digits) = match raw.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, raw.strip_prefix('+').unwrap_or(raw)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(sign * digits.parse::<i64>().map_or(i64::MAX / 4, |exponent| exponent.min(i64::MAX / 4)))
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::from_millionths(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// A currency: three letters of ISO 4217, in upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub const EUR: Self = Self(*b"EUR");
    pub const CHF: Self = Self(*b"CHF");

    /// Reads three letters in any case. Whether the currency exists is not looked up.
    pub fn read(raw: &str) -> Result<Self, Problem> {
        match <[u8; 3]>::try_from(raw.trim().as_bytes()) {
            Ok(letters) if letters.is_ascii() && letters.iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self(letters.map(|letter| letter.to_ascii_uppercase())))
            }
            _ => Err(Problem::Format("must be a currency code of three letters, such as EUR")),
        }
    }

    pub fn as_str(&self) -> &str {
        // Letters of ASCII, which are UTF-8.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        for (raw, amount, shown) in [
            ("0", 0, "0"),
            ("-0", 0, "0"),
            ("0.07", 70_000, "0.07"),
            ("12.75", 12_750_000, "12.75"),
            ("007.5", 7_500_000, "7.5"),
            ("-0.000001", -1, "-0.000001"),
            ("0.070000000000000000000", 70_000, "0.07"),
            ("1e-6", 1, "0.000001"),
            ("1.25E+2", 125_000_000, "125"),
            ("0e999999999999999999999", 0, "0"),
            ("999999999.999999", Money::MAX.0, "999999999.999999"),
            ("1230000e-4", 123_000_000, "123"),
        ] {
            let read: Money = raw.parse().unwrap();
            assert_eq!((read.millionths(), read.to_string().as_str()), (amount, shown), "{raw}");
        }
        for raw in [
            "",
            "-",
            "+1",
            ".5",
            "5.",
            "1,5",
            "1.2.3",
            " 1",
            "1 ",
            "0x1",
            "NaN",
            "inf",
            "1e",
            "1e-7",
            "0.0000001",
            "1000000000",
            "1e99",
            "1e-99999999999999999999",
            "9223372036854775808",
            "--1",
            "1e+-2",
            "٣",
        ] {
            assert!(raw.parse::<Money>().is_err(), "{raw}");
        }
    }

    #[test]
    fn amounts_stay_within_their_bounds() {
        let most = Money::MAX;
        assert_eq!((most + most, -most - most, most.times(3)), (most, -most, most));
        assert_eq!(Money::from_millionths(i64::MIN), -most);
        assert_eq!("0.07".parse::<Money>().map(|price| price.times(10).to_string()), Ok("0.7".to_owned()));
    }

    #[test]
    fn currencies_are_three_letters() {
        assert_eq!((Currency::read("eur"), Currency::read(" CHF ")), (Ok(Currency::EUR), Ok(Currency::CHF)));
        for raw in ["", "EU", "EURO", "E1R", "€"] {
            assert!(Currency::read(raw).is_err(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn an_amount_reads_as_itself(amount in -Money::MAX.0..=Money::MAX.0) {
            let amount = Money(amount);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
            // Also on the way through JSON, as bytes.
            let json = serde_json::to_string(&amount.to_json()).unwrap();
            let number: Number = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(Money::from_json(&number), Ok(amount));
            prop_assert_eq!(json.parse(), Ok(amount));
        }

        #[test]
        fn any_text_is_read_or_refused(raw in "[-+.eE0-9]{0,30}") {
            let _ = raw.parse::<Money>();
        }
    }
}
