//! Parts of a content (RFC 9110, section 14).

use std::ops::Range;

use http::{HeaderMap, header};

use super::Tag;

/// Which part of a content is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it: none was named, several were, or none that is understood.
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
    /// One that is not there.
    Beyond,
}

/// The part of a content of `size` bytes that a request wants. With an `If-Range` it wants a part of the version that it names
/// alone, which has to be the very same: a weak tag is none.
pub(crate) fn wanted(headers: &HeaderMap, size: u64, tag: &Tag) -> Part {
    let text = |name| headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap_or_default());
    let Some(range) = text(header::RANGE) else {
        return Part::Whole;
    };
    if text(header::IF_RANGE).is_some_and(|wanted| wanted.trim() != tag.to_string()) {
        return Part::Whole;
    }
    parse(range, size).unwrap_or(Part::Whole)
}

/// `bytes=first-last`, `bytes=first-` or `bytes=-length`; `None` for anything else.
fn parse(range: &str, size: u64) -> Option<Part> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number beyond all bounds is beyond the end.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let wanted = match (first, last) {
        ("", length) => size.saturating_sub(number(length)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(if wanted.start < wanted.end { Part::Bytes(wanted) } else { Part::Beyond })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(range: &'static str) -> Part {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, http::HeaderValue::from_static(range));
        wanted(&headers, 100, &Tag::strong("x".to_owned()))
    }

    #[test]
    fn one_range_is_understood() {
        for (range, wanted) in [
            ("bytes=0-9", Part::Bytes(0..10)),
            ("bytes=90-", Part::Bytes(90..100)),
            ("bytes=-10", Part::Bytes(90..100)),
            ("bytes=-1000", Part::Bytes(0..100)),
            ("bytes=99-99", Part::Bytes(99..100)),
            ("bytes=0-99999999999999999999999", Part::Bytes(0..100)),
            ("Bytes = 0-0", Part::Bytes(0..1)),
            ("bytes=100-", Part::Beyond),
            ("bytes=100-200", Part::Beyond),
            ("bytes=99999999999999999999999-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=9-0", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes", Part::Whole),
            ("lines=0-9", Part::Whole),
            ("", Part::Whole),
        ] {
            assert_eq!(part(range), wanted, "{range}");
        }
    }

    #[test]
    fn a_part_of_another_version_is_not_wanted() {
        for (version, wanted_part) in [
            ("\"x\"", Part::Bytes(0..10)),
            ("\"y\"", Part::Whole),
            ("W/\"x\"", Part::Whole),
            ("Sat, 21 Nov 2026 20:00:00 GMT", Part::Whole),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, http::HeaderValue::from_static("bytes=0-9"));
            headers.insert(header::IF_RANGE, http::HeaderValue::from_static(version));
            assert_eq!(wanted(&headers, 100, &Tag::strong("x".to_owned())), wanted_part, "{version}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_content(range in "(bytes=)?[0-9,a-]{0,12}", size in 0u64..20) {
            if let Some(Part::Bytes(part)) = parse(&range, size) {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
