//! Which of several content types a client prefers (RFC 9110, section 12.5.1).

use std::cmp::Reverse;

use http::{HeaderMap, header};

/// A media range of an `Accept`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths.
    quality: u16,
}

impl Range<'_> {
    /// How exactly the range names a content type; `None` for another one.
    fn exactness(&self, content_type: &str) -> Option<u8> {
        let (kind, subtype) = content_type.split_once('/')?;
        if self.kind == "*" && self.subtype == "*" {
            Some(0)
        } else if !self.kind.eq_ignore_ascii_case(kind) {
            None
        } else if self.subtype == "*" {
            Some(1)
        } else {
            self.subtype.eq_ignore_ascii_case(subtype).then_some(2)
        }
    }
}

/// The place of the content type that the client prefers among those `offered`, or `None` if it takes none of them.
/// Of two that it likes as much, the one that it names more exactly or earlier goes first, then the one that is
/// offered first, which is also what a client without a wish gets.
pub(crate) fn preferred(headers: &HeaderMap, offered: &[&str]) -> Option<usize> {
    let values: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if values.iter().all(|value| value.trim().is_empty()) {
        return Some(0);
    }
    let ranges: Vec<Range<'_>> = values.iter().flat_map(|value| value.split(',')).filter_map(range).collect();
    let wish = |at: usize, content_type: &str| {
        let fitting = ranges.iter().enumerate().filter_map(|(place, range)| {
            Some((range.exactness(content_type)?, Reverse(place), range.quality))
        });
        // The most exact range says how much this one is wanted.
        let (exactness, place, quality) = fitting.max()?;
        (quality > 0).then_some((quality, exactness, place, Reverse(at)))
    };
    let best = offered.iter().enumerate().filter_map(|(at, content_type)| wish(at, content_type)).max()?;
    Some(best.3.0)
}

/// One range of a list; what is none is left out.
fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let quality = weight.map_or(Some(1000), quality)?;
    Some(Range { kind, subtype, quality })
}

/// `0` to `1` with at most three decimals, in thousandths.
fn quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const OFFERED: [&str; 2] = ["application/ld+json", "application/json"];

    fn chosen(accept: &[&str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        preferred(&headers, &OFFERED).map(|at| OFFERED[at])
    }

    #[test]
    fn the_best_of_what_is_taken_is_chosen() {
        let (ld, json) = (Some(OFFERED[0]), Some(OFFERED[1]));
        let cases: [(&[&str], Option<&str>); 22] = [
            (&[], ld),
            (&[""], ld),
            (&["*/*"], ld),
            (&["application/*"], ld),
            (&["application/json"], json),
            (&["Application/JSON; charset=utf-8"], json),
            (&["application/ld+json"], ld),
            (&["application/json, application/ld+json"], json),
            (&["application/ld+json, application/json"], ld),
            (&["application/json", "application/ld+json"], json),
            (&["application/json, text/plain, */*"], json),
            (&["*/*, application/json"], json),
            (&["application/json;q=0.5, */*"], ld),
            (&["application/json;q=0.5, application/ld+json;q=0.501"], ld),
            (&["application/ld+json;q=0, */*"], json),
            (&["*/*;q=0.1, application/*;q=0"], None),
            (&["application/json;q=0"], None),
            (&["text/html"], None),
            (&["text/*, image/png"], None),
            (&["nonsense"], None),
            (&["application/json;q=nonsense"], None),
            (&["text/html, application/json ; Q=1.000"], json),
        ];
        for (accept, expected) in cases {
            assert_eq!(chosen(accept), expected, "{accept:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_can_be_read(accept in "[ -~]{0,60}") {
            chosen(&[&accept]);
        }
    }
}
