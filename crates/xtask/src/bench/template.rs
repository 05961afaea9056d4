//! Requests that are rendered before they are needed, all but a few digits.

use super::caller::Caller;

/// Markers and the digits that replace them, at least so many.
const MARKERS: [(&str, Slot, usize); 4] = [
    ("{id}", Slot::Id, 1),
    ("{number}", Slot::Number, 7),
    ("{counter}", Slot::Counter, 12),
    // For phone numbers, which have at most 15 digits.
    ("{counter8}", Slot::Counter, 8),
];

#[derive(Clone, Copy, Debug)]
enum Slot {
    Id,
    Number,
    Counter,
}

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Digits(Slot, usize),
}

/// The numbers of one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// The id of what is asked for, such as an org unit.
    pub(super) id: u64,
    /// Its place among the created ones; its name and its external id show it.
    pub(super) number: u64,
    /// What no other request of the run has.
    pub(super) counter: u64,
}

/// A request with gaps; one that is signed has none.
#[derive(Debug)]
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// A GET. `path` can hold `{id}`.
    pub(super) fn get(path: &str, caller: &Caller) -> Self {
        Self::parse(&format!("GET {path} HTTP/1.1\r\n{}\r\n", caller.headers("GET", path, "")))
    }

    /// A write, such as a PUT. `path` can hold `{id}`; `body` can hold `{number}`, `{counter}` and
    /// `{counter8}`, which always have the same length.
    pub(super) fn write(method: &str, path: &str, caller: &Caller, body: &str) -> Self {
        let mut length = body.len();
        for (marker, _, digits) in MARKERS {
            let count = body.matches(marker).count();
            length = length + count * digits - count * marker.len();
        }
        Self::parse(&format!(
            "{method} {path} HTTP/1.1\r\n{}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
            caller.headers(method, path, body)
        ))
    }

    fn parse(mut text: &str) -> Self {
        let mut pieces = Vec::new();
        let first = |text: &str| {
            let found = |(marker, slot, digits): (&'static str, Slot, usize)| {
                text.find(marker).map(|at| (at, marker.len(), Piece::Digits(slot, digits)))
            };
            MARKERS.into_iter().filter_map(found).min_by_key(|(at, ..)| *at)
        };
        while let Some((at, length, piece)) = first(text) {
            pieces.push(Piece::Text(text[..at].into()));
            pieces.push(piece);
            text = &text[at + length..];
        }
        pieces.push(Piece::Text(text.into()));
        Self(pieces)
    }

    /// Renders the request into `out`, which keeps its memory from request to request.
    pub(super) fn render(&self, numbers: Numbers, out: &mut Vec<u8>) {
        out.clear();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Digits(Slot::Id, width) => digits(numbers.id, *width, out),
                Piece::Digits(Slot::Number, width) => digits(numbers.number, *width, out),
                Piece::Digits(Slot::Counter, width) => digits(numbers.counter, *width, out),
            }
        }
    }
}

/// Appends a number with leading zeros up to `width`.
fn digits(mut number: u64, width: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let mut start = text.len();
    while number > 0 {
        start -= 1;
        text[start] += u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
    out.extend_from_slice(&text[start.min(text.len() - width)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_rendered_with_their_numbers() {
        let mut out = b"left from before".to_vec();
        let numbers = Numbers { id: 5002, number: 7, counter: 123 };
        Template::get("/v3/groups/{id}", &Caller::Nobody).render(numbers, &mut out);
        assert_eq!(out, b"GET /v3/groups/5002 HTTP/1.1\r\nHost: bench\r\n\r\n");

        let body = r#"{"a":"{number}","b":"{counter} x"}"#;
        Template::write("PUT", "/u/{id}", &Caller::bearer("t"), body).render(numbers, &mut out);
        let wanted = "PUT /u/5002 HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer t\r\n\
                      Content-Type: application/json\r\nContent-Length: 36\r\n\r\n\
                      {\"a\":\"0000007\",\"b\":\"000000000123 x\"}";
        assert_eq!(String::from_utf8_lossy(&out), wanted);
        assert_eq!(wanted.split("\r\n\r\n").nth(1).map(str::len), Some(36));
    }

    #[test]
    fn a_body_has_the_length_that_its_head_says() {
        let body = r#"[{"phone":"+491{counter8}000"},{"phone":"+491{counter8}001","a":"{counter}{number}"}]"#;
        let template = Template::write("POST", "/groups/{id}/phones/batch", &Caller::lox24("1:k"), body);
        for counter in [1, 99_999_999] {
            let mut out = Vec::new();
            template.render(Numbers { id: 41, number: 0, counter }, &mut out);
            let text = String::from_utf8(out).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{text}");
            assert!(head.contains("X-LOX24-AUTH-TOKEN: 1:k\r\nAccept: application/json\r\n"), "{text}");
            assert!(body.contains(&format!("\"+491{counter:08}001\"")), "{text}");
        }
    }

    #[test]
    fn digits_have_a_least_width() {
        let shown = |number, width| {
            let mut out = Vec::new();
            digits(number, width, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(0, 1), "0");
        assert_eq!(shown(1234, 1), "1234");
        assert_eq!(shown(1234, 7), "0001234");
        assert_eq!(shown(u64::MAX, 1), u64::MAX.to_string());
    }
}
