//! Signatures of requests (Onlive contract, section 2): HMAC-SHA256 over the method, the path, the query, the date and
//! the body. The vendor does not publish which string is signed; ours is here and nowhere else.

use std::fmt::Write as _;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::{Timestamp, secret};

/// How far the date of a request may be from the server's time, in either direction.
pub const WINDOW: Duration = Duration::from_mins(15);

/// What is signed of a request.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// In upper case, as it is sent.
    pub method: &'a str,
    /// Exactly as it is sent, with its percent-encoding.
    pub path: &'a str,
    /// As it is sent, without the question mark; it is signed as [`canonical_query`] has it.
    pub query: &'a str,
    /// The value of `x-onlive-site-date`; see [`date`].
    pub date: &'a str,
    pub body: &'a BodyHash,
}

/// The SHA-256 of a body, which is added piece by piece: to be signed it need not be kept.
#[derive(Clone, Debug, Default)]
pub struct BodyHash(Sha256);

impl BodyHash {
    /// Of a whole body.
    pub fn of(body: &[u8]) -> Self {
        let mut hash = Self::default();
        hash.add(body);
        hash
    }

    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    fn hex(&self) -> String {
        secret::hex(&self.0.clone().finalize())
    }
}

impl SignedRequest<'_> {
    /// What goes into the signature. Neither a path nor a date holds a line feed, so no two requests share one.
    fn string_to_sign(&self) -> String {
        format!(
            "{}\n{}\n{}\nx-onlive-site-date:{}\n{}",
            self.method,
            self.path,
            canonical_query(self.query),
            self.date,
            self.body.hex()
        )
    }

    fn mac(&self, secret: &[u8]) -> Option<Hmac<Sha256>> {
        // A key may have any length.
        Some(Hmac::<Sha256>::new_from_slice(secret).ok()?.chain_update(self.string_to_sign()))
    }

    /// The signature: 64 lower-case hexadecimal digits.
    pub fn sign(&self, secret: &[u8]) -> String {
        self.mac(secret).map(|mac| secret::hex(&mac.finalize().into_bytes())).unwrap_or_default()
    }

    /// Whether this is the request's signature, and its date not too far from `now`. The time that takes does not
    /// depend on how much of the signature is right.
    pub fn is_signed(&self, secret: &[u8], signature: &str, now: Timestamp) -> bool {
        let given = unhex(signature);
        let mac = self.mac(secret);
        is_current(self.date, now)
            && given.zip(mac).is_some_and(|(given, mac)| mac.verify_slice(&given).is_ok())
    }
}

/// The pairs of a query as they are signed: percent-encoded with the unreserved characters of RFC 3986 (section 2.3) left
/// as they are, then sorted by name and value. As in a form, `+` is a blank, a name without `=` has an empty value, and
/// what stands between two `&` without anything is no pair.
pub fn canonical_query(raw: &str) -> String {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(&decode(name)), encode(&decode(value))))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// A time as `x-onlive-site-date` has it: `YYYYMMDDTHHMMSSZ`, in UTC.
pub fn date(at: Timestamp) -> String {
    let iso = at.millis().to_string();
    // 2026-03-04T09:15:00.123Z
    let seconds = iso.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

/// Whether a date is one, and not too far from `now`.
pub fn is_current(date: &str, now: Timestamp) -> bool {
    parse(date).is_some_and(|at| at >= now.minus(WINDOW) && at <= now.plus(WINDOW))
}

/// Whether a text is a date as [`date`] writes it.
pub fn is_date(text: &str) -> bool {
    parse(text).is_some()
}

/// The time of a date in the one form that there is.
fn parse(date: &str) -> Option<Timestamp> {
    let bytes: &[u8; 16] = date.as_bytes().try_into().ok()?;
    let number = |from: usize, to: usize| -> Option<i16> {
        let digits = bytes.get(from..to)?;
        let add = |sum: i16, digit: &u8| sum * 10 + i16::from(digit - b'0');
        digits.iter().all(u8::is_ascii_digit).then(|| digits.iter().fold(0, add))
    };
    let short = |from: usize| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
    if bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let [month, day, hour, minute, second] = [4, 6, 9, 11, 13].map(short);
    let time = jiff::civil::DateTime::new(number(0, 4)?, month?, day?, hour?, minute?, second?, 0).ok()?;
    let time = jiff::tz::Offset::UTC.to_timestamp(time).ok()?;
    Some(Timestamp(time.as_microsecond()))
}

/// The bytes of a name or value of a query. A `%` that begins no code stands for itself.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let code = match (first, tail) {
            (b'%', [high, low, ..]) => nibble(*high, true).zip(nibble(*low, true)),
            _ => None,
        };
        if let Some((high, low)) = code {
            bytes.push(high * 16 + low);
            rest = &tail[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
        }
    }
    bytes
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The 32 bytes of 64 lower-case hexadecimal digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0], false)? * 16 + nibble(pair[1], false)?;
    }
    Some(bytes)
}

/// The value of a hexadecimal digit; one in upper case counts where `any_case` says so.
fn nibble(digit: u8, any_case: bool) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' if any_case => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"s3cr3t-demo-key";
    const DATE: &str = "20260304T091500Z";
    /// What [`DATE`] says.
    const AT: Timestamp = Timestamp(1_772_615_700_000_000);

    const fn request<'a>(
        method: &'a str,
        path: &'a str,
        query: &'a str,
        body: &'a BodyHash,
    ) -> SignedRequest<'a> {
        SignedRequest { method, path, query, date: DATE, body }
    }

    #[test]
    fn the_vectors_of_the_contract_hold() {
        let nothing = BodyHash::default();
        let list = request("GET", "/api/v1/user-groups", "limit=5&page=1&search=night%20desk", &nothing);
        let signature = "c42ce66f2c91c961604e5f69cd1eae5a95e902ec6768edaa3428d0abece0c883";
        assert_eq!(list.sign(SECRET), signature);
        assert!(list.is_signed(SECRET, signature, AT));
        let mut body = BodyHash::of(br#"{"name":"#);
        body.add(br#""Night desk"}"#);
        let create = request("POST", "/api/v1/user-groups", "", &body);
        let signature = "cf9702f4e3e29e08cd2c310645caf3f8ef0763d1fbcb8eae77604f15189e777a";
        assert_eq!(create.sign(SECRET), signature);
        assert!(create.is_signed(SECRET, signature, AT));
        assert!(!create.is_signed(b"another", signature, AT));
    }

    #[test]
    fn a_query_has_one_form() {
        for (raw, canonical) in [
            ("", ""),
            ("&", ""),
            ("limit=5&page=1", "limit=5&page=1"),
            ("page=1&limit=5", "limit=5&page=1"),
            ("search=night+desk", "search=night%20desk"),
            ("search=night%20desk", "search=night%20desk"),
            ("search=a%2bb", "search=a%2Bb"),
            ("a", "a="),
            ("a=", "a="),
            ("=", "="),
            ("=x", "=x"),
            ("&&a=1&", "a=1"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("a=1&a=1", "a=1&a=1"),
            // By name, then by value: `-` would stand before `=`.
            ("a-=1&a=2", "a=2&a-=1"),
            ("a=b=c", "a=b%3Dc"),
            ("q=%7e-._~", "q=~-._~"),
            ("q=%", "q=%25"),
            ("q=%2", "q=%252"),
            ("q=%zz", "q=%25zz"),
            ("q=%ff", "q=%FF"),
            ("q=\u{e4}/?:@!$'()*,;", "q=%C3%A4%2F%3F%3A%40%21%24%27%28%29%2A%2C%3B"),
        ] {
            assert_eq!(canonical_query(raw), canonical, "{raw}");
        }
    }

    #[test]
    fn a_date_counts_within_a_quarter_of_an_hour() {
        let quarter = i64::try_from(WINDOW.as_micros()).unwrap();
        for (away, counts) in [(0, true), (quarter, true), (-quarter, true), (quarter + 1, false)] {
            assert_eq!(is_current(DATE, Timestamp(AT.0 + away)), counts, "{away}");
            assert_eq!(is_current(DATE, Timestamp(AT.0 - away)), counts, "{away}");
        }
        assert_eq!(date(Timestamp(AT.0 + 999_999)), DATE);
    }

    #[test]
    fn a_date_has_one_form() {
        assert_eq!(parse(DATE), Some(AT));
        for wrong in [
            "",
            "20260304T091500",
            "20260304T091500z",
            "20260304t091500Z",
            "2026-03-04T09:15:00Z",
            "20260230T091500Z",
            "20260304T241500Z",
            "20260304T091560Z",
            "20261304T091500Z",
            "+2260304T091500Z",
            "20260304T09150\u{660}Z",
            " 20260304T091500Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    /// A text with another byte in one place.
    fn changed(text: &str, at: usize, to: u8) -> String {
        let mut bytes = text.as_bytes().to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_noticed(
            method in "[A-Z]{3,6}",
            path in "/[a-z0-9/%._-]{1,30}",
            query in "[a-c0-3=&%+]{0,20}",
            body: Vec<u8>,
            secret: Vec<u8>,
            at in 0..64_usize,
            to in 0x21..0x7f_u8,
        ) {
            let hash = BodyHash::of(&body);
            let request = request(&method, &path, &query, &hash);
            let signature = request.sign(&secret);
            let is_signed = |request: &SignedRequest<'_>| request.is_signed(&secret, &signature, AT);
            prop_assert!(is_signed(&request));
            let other = changed(&signature, at, to);
            prop_assert_eq!(request.is_signed(&secret, &other, AT), other == signature);
            let other = changed(&method, at % method.len(), to);
            prop_assert_eq!(is_signed(&SignedRequest { method: &other, ..request }), other == method);
            let other = changed(&path, at % path.len(), to);
            prop_assert_eq!(is_signed(&SignedRequest { path: &other, ..request }), other == path);
            let other = changed(DATE, at % DATE.len(), to);
            prop_assert_eq!(is_signed(&SignedRequest { date: &other, ..request }), other == DATE);
            let other = changed(&query, at % query.len().max(1), to);
            let is_same = canonical_query(&other) == canonical_query(&query);
            prop_assert_eq!(is_signed(&SignedRequest { query: &other, ..request }), is_same);
            let mut other = body.clone();
            other.push(to);
            let longer = is_signed(&SignedRequest { body: &BodyHash::of(&other), ..request });
            prop_assert!(!longer);
            if let Some(byte) = body.get(at % body.len().max(1)) {
                other.pop();
                other[at % body.len()] = byte ^ to;
                let changed = is_signed(&SignedRequest { body: &BodyHash::of(&other), ..request });
                prop_assert!(!changed);
            }
            let mut other = secret.clone();
            other.push(to);
            prop_assert!(!request.is_signed(&other, &signature, AT));
        }

        #[test]
        fn anything_can_be_looked_at(texts: [String; 5], body: Vec<u8>, now: i64) {
            let [method, path, query, date, signature] = &texts;
            let request = SignedRequest { method, path, query, date, body: &BodyHash::of(&body) };
            prop_assert!(!request.is_signed(SECRET, signature, Timestamp(now)));
            let form = canonical_query(query);
            prop_assert_eq!(canonical_query(&form), form);
        }

        #[test]
        fn a_shown_date_can_be_read(seconds in 0..253_402_300_799_i64) {
            let at = Timestamp(seconds * 1_000_000);
            prop_assert_eq!(parse(&date(at)), Some(at));
        }
    }
}
