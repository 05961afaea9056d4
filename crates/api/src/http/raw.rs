//! JSON that is not parsed before somebody asks for it: what nobody knows costs no more than its bytes, however much
//! it would be as a tree of values.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The most properties that an object may have.
const MAX_PROPERTIES: usize = 1000;

/// The properties of an object, as they stand in a body.
#[derive(Default)]
pub(crate) struct RawObject<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> RawObject<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    /// A property as it stands; of one that stands twice the last.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// As [`RawObject::get`], for names that have no case.
    pub(crate) fn get_ignoring_case(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Properties;
        impl<'de> Visitor<'de> for Properties {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut properties = Vec::new();
                while let Some((Key(name), value)) = map.next_entry()? {
                    if properties.len() == MAX_PROPERTIES {
                        let text = format!("an object has more than {MAX_PROPERTIES} properties");
                        return Err(A::Error::custom(text));
                    }
                    properties.push((name, value));
                }
                Ok(properties)
            }
        }
        deserializer.deserialize_map(Properties).map(Self)
    }
}

/// A name, borrowed unless something in it is escaped.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(text.into())
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(text.to_owned().into())
            }
        }
        deserializer.deserialize_str(Text).map(Self)
    }
}

/// Whether a text is JSON that can be read as values, all of it: nested no deeper than these may be, without halves of
/// characters and numbers beyond all bounds. Nothing is kept on the way.
pub(super) fn check(text: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<Readable>(text).map(drop)
}

/// Reads any value to its end.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// The value that stands somewhere in a text that [`check`] has let through.
pub(crate) fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// Whether an object, an array, or neither stands somewhere.
pub(crate) fn begins_with(raw: &RawValue, mark: char) -> bool {
    raw.get().starts_with(mark)
}

/// Calls `each` with the place and the text of every entry of an array or an object, but of `max` at most. Whether
/// these were all.
pub(crate) fn entries<'a>(
    text: &'a [u8],
    max: usize,
    each: impl FnMut(Cow<'a, str>, &'a RawValue),
) -> serde_json::Result<bool> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let all = (&mut parser).deserialize_any(Entries { max, each })?;
    parser.end()?;
    Ok(all)
}

struct Entries<F> {
    max: usize,
    each: F,
}

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue)> Visitor<'de> for Entries<F> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<bool, A::Error> {
        let mut count = 0;
        while count < self.max {
            let Some(entry) = entries.next_element()? else {
                return Ok(true);
            };
            (self.each)(count.to_string().into(), entry);
            count += 1;
        }
        let mut all = true;
        while entries.next_element::<IgnoredAny>()?.is_some() {
            all = false;
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<bool, A::Error> {
        let mut count = 0;
        while count < self.max {
            let Some((Key(place), entry)) = entries.next_entry()? else {
                return Ok(true);
            };
            (self.each)(place, entry);
            count += 1;
        }
        let mut all = true;
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            all = false;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_found_as_they_stand() {
        let object = RawObject::parse(br#" {"a": [1, {}], "\u0062": "x", "a": null} "#).unwrap();
        assert_eq!(object.get("a").map(RawValue::get), Some("null"));
        assert_eq!(object.get("b").map(value), Some("x".into()));
        assert!(object.get("c").is_none());
        for wrong in [&b"[]"[..], b"{", b"{\"a\":}", b"1", b"", b"{} x", b"{\"a\":\"\xff\"}"] {
            assert!(RawObject::parse(wrong).is_err());
        }
        let many: Vec<String> = (0..=MAX_PROPERTIES).map(|n| format!("\"{n}\":1")).collect();
        assert!(RawObject::parse(format!("{{{}}}", many.join(",")).as_bytes()).is_err());
    }

    #[test]
    fn what_no_value_can_be_is_noticed_wherever_it_stands() {
        assert!(check(br#"{"a": [1, -2, 3.5, null, true, "\u00e4"]}"#).is_ok());
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for wrong in [r#"{"x": "\ud800"}"#, "[1e400]", &deep, "[", "", "{} x", "\"\x01\""] {
            assert!(check(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(check(b"\"\xff\"").is_err());
    }

    #[test]
    fn entries_end_at_the_most_that_are_wanted() {
        let places = |text: &str, max: usize| {
            let mut places = Vec::new();
            let all =
                entries(text.as_bytes(), max, |place, entry| places.push(format!("{place}={}", entry.get())));
            all.map(|all| (all, places.join(" "))).ok()
        };
        assert_eq!(places("[1, {}]", 2), Some((true, "0=1 1={}".into())));
        assert_eq!(places(r#"{"x":1,"y":[2]}"#, 2), Some((true, "x=1 y=[2]".into())));
        assert_eq!(places("[1,2,3]", 2), Some((false, "0=1 1=2".into())));
        assert_eq!(places(r#"{"x":1,"y":2,"z":3}"#, 2), Some((false, "x=1 y=2".into())));
        assert_eq!(places("[]", 0), Some((true, String::new())));
        for wrong in ["[1", "[1] 2", "5", "\"x\"", "null", "[1,2,3}", "[1,2,,]"] {
            assert_eq!(places(wrong, 2), None, "{wrong}");
        }
    }
}
