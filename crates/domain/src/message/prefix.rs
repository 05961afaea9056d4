//! Look-ups by the beginning of a number, such as which carrier has which countries.

use std::collections::BTreeMap;

use crate::Problem;
use crate::contact::PhoneNumber;

/// Values for beginnings of numbers; the longest one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixMap<T> {
    /// By digits, without a plus sign.
    values: BTreeMap<String, T>,
}

impl<T> PrefixMap<T> {
    /// Adds a value for numbers that begin so: a plus sign, or none, and at most 15 digits; without digits for all
    /// numbers. The value that stood there before is given back. Errors: `Format`.
    pub fn insert(&mut self, prefix: &str, value: T) -> Result<Option<T>, Problem> {
        let digits = prefix.strip_prefix('+').unwrap_or(prefix);
        if digits.len() > 15 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::Format("must be a plus sign and at most 15 digits"));
        }
        Ok(self.values.insert(digits.to_owned(), value))
    }

    /// The value for a number.
    pub fn get(&self, phone: &PhoneNumber) -> Option<&T> {
        let phone = phone.as_str();
        let digits = phone.strip_prefix('+').unwrap_or(phone);
        (0..=digits.len()).rev().find_map(|end| self.values.get(digits.get(..end)?))
    }
}

impl<T> Default for PrefixMap<T> {
    fn default() -> Self {
        Self { values: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_counts() {
        let mut map = PrefixMap::default();
        for (prefix, value) in [("+49", 1), ("4915", 2), ("+1", 3)] {
            assert_eq!(map.insert(prefix, value), Ok(None));
        }
        let get =
            |map: &PrefixMap<i32>, phone: &str| map.get(&PhoneNumber::from_stored(phone.to_owned())).copied();
        assert_eq!(get(&map, "+4915112345678"), Some(2));
        assert_eq!(get(&map, "+4930123456"), Some(1));
        assert_eq!(get(&map, "+12015550123"), Some(3));
        assert_eq!(get(&map, "+436641234567"), None);
        assert_eq!(map.insert("", 0), Ok(None));
        assert_eq!(get(&map, "+436641234567"), Some(0));
        assert_eq!(map.insert("+49", 4), Ok(Some(1)));
        for prefix in ["+49 15", "++49", "49a", "1234567890123456", "٤٩"] {
            assert!(map.insert(prefix, 9).is_err(), "{prefix}");
        }
    }
}
