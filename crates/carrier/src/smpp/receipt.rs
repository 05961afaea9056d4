//! Receipts: what a message centre says of a message (SMPP 3.4, sections 2.11, 5.2.28 and appendix B).

use super::deliver::Deliver;
use crate::State;

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub id: String,
    pub state: State,
    pub error: Option<String>,
}

/// Message types of `esm_class` (section 5.2.12, bits 5 to 2): a receipt of the message centre, and an intermediate
/// notification, which has the same form.
const RECEIPT: u8 = 0b0000_0100;
const INTERMEDIATE: u8 = 0b0010_0000;

/// The longest id and the longest code that are kept, in characters.
const MAX_ID: usize = 128;
const MAX_ERROR: usize = 16;

/// Whether what was delivered is a receipt. Its text does not decide: anybody may send a text that looks like one.
pub fn is_receipt(deliver: &Deliver) -> bool {
    matches!(deliver.kind, RECEIPT | INTERMEDIATE)
        || (deliver.receipted_id.is_some() && deliver.message_state.is_some())
}

/// Reads a receipt: from the optional parameters where they are there, else from the text. `None` if it does not say about
/// which message it is, or nothing of it.
pub fn read(deliver: &Deliver) -> Option<Said> {
    read_of(deliver, false)
}

/// Reads a receipt as [`read`] does. If the message centre names ids in hexadecimal when it takes a message, the text of a
/// receipt has them in decimal, mostly with zeros before it, and the optional parameter as they were.
pub fn read_of(deliver: &Deliver, hex_ids: bool) -> Option<Said> {
    let text: String = deliver.payload.iter().map(|byte| char::from(*byte)).collect();
    let told = || field(&text, "id:").map(str::to_owned);
    let id = if hex_ids {
        told().map(without_zeros).or_else(|| deliver.receipted_id.clone().map(decimal))?
    } else {
        deliver.receipted_id.clone().or_else(told)?
    };
    let state = match deliver.message_state.and_then(state_of_number) {
        Some(state) => state,
        None => field(&text, "stat:").map(state_of_word)?,
    };
    let error = field(&text, "err:").filter(|code| code.bytes().any(|byte| byte != b'0'));
    Some(Said {
        id: id.chars().take(MAX_ID).collect(),
        state,
        error: error.map(|code| code.chars().take(MAX_ERROR).collect()),
    })
}

/// A hexadecimal id as a decimal one; another stays as it is.
pub(super) fn decimal(id: String) -> String {
    u128::from_str_radix(&id, 16).map_or(id, |number| number.to_string())
}

/// A decimal id without the zeros before it; another stays as it is.
fn without_zeros(id: String) -> String {
    if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return id;
    }
    let number = id.trim_start_matches('0');
    if number.is_empty() { "0".to_owned() } else { number.to_owned() }
}

/// The word after a name. The names after `text:` are those of the message itself.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let is_at = |index: usize, name: &str| {
        text.get(index..index + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
            && text[..index].chars().next_back().is_none_or(char::is_whitespace)
    };
    let end = (0..text.len()).find(|index| is_at(*index, "text:")).unwrap_or(text.len());
    let begin = (0..end).find(|index| is_at(*index, name))? + name.len();
    let value = text.get(begin..end)?.split_whitespace().next()?;
    // A name without a value is followed by the next name.
    (!value.contains(':')).then_some(value)
}

/// Section 5.2.28.
fn state_of_number(state: u8) -> Option<State> {
    Some(match state {
        0 | 1 => State::Queued,
        2 => State::Delivered,
        3 => State::Expired,
        4 => State::Deleted,
        5 => State::Undeliverable,
        6 => State::Accepted,
        7 => State::Unknown,
        8 | 9 => State::Rejected,
        _ => return None,
    })
}

/// Appendix B; the words are cut to seven letters there, which not everybody does.
fn state_of_word(word: &str) -> State {
    let word: String = word.chars().take(7).collect::<String>().to_ascii_uppercase();
    match word.as_str() {
        "ENROUTE" | "BUFFERE" | "SCHEDUL" => State::Queued,
        "DELIVRD" | "DELIVER" => State::Delivered,
        "EXPIRED" => State::Expired,
        "DELETED" => State::Deleted,
        "UNDELIV" | "FAILED" => State::Undeliverable,
        "ACCEPTD" | "ACCEPTE" => State::Accepted,
        "REJECTD" | "REJECTE" | "SKIPPED" => State::Rejected,
        _ => State::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(kind: u8, text: &str) -> Deliver {
        Deliver { kind, payload: text.as_bytes().to_vec(), ..Deliver::default() }
    }

    #[test]
    fn a_receipt_is_read_from_its_text() {
        for (text, id, state, error) in [
            (
                "id:0123456789 sub:001 dlvrd:001 submit date:2611210900 done date:2611210901 stat:DELIVRD err:000 text:Hello",
                "0123456789",
                State::Delivered,
                None,
            ),
            ("id:a-b stat:UNDELIV err:0x2A text:", "a-b", State::Undeliverable, Some("0x2A")),
            ("ID:7 Stat:Expired Text:stat:DELIVRD", "7", State::Expired, None),
            ("id:7 sub:001 dlvrd:000 stat:REJECTD err:", "7", State::Rejected, None),
            ("id:7 stat:ACCEPTD", "7", State::Accepted, None),
            ("id:7 stat:ENROUTE", "7", State::Queued, None),
            ("id:7 stat:WONDERFUL", "7", State::Unknown, None),
        ] {
            let said = read(&deliver(RECEIPT, text)).unwrap();
            assert_eq!(said, Said { id: id.to_owned(), state, error: error.map(str::to_owned) }, "{text}");
        }
        for text in
            ["", "stat:DELIVRD", "id:7", "id: stat:DELIVRD", "text:id:7 stat:DELIVRD", "xid:7 stat:DELIVRD"]
        {
            assert_eq!(read(&deliver(RECEIPT, text)), None, "{text}");
        }
    }

    #[test]
    fn parameters_have_precedence_over_the_text() {
        let deliver = Deliver {
            receipted_id: Some("right".to_owned()),
            message_state: Some(2),
            ..deliver(RECEIPT, "id:wrong stat:UNDELIV err:001")
        };
        let said = read(&deliver).unwrap();
        assert_eq!((said.id.as_str(), said.state), ("right", State::Delivered));
        let odd = Deliver { message_state: Some(99), ..deliver };
        assert_eq!(read(&odd).unwrap().state, State::Undeliverable, "what makes no sense is left out");
    }

    #[test]
    fn hexadecimal_ids_become_those_of_receipts() {
        for (id, told) in [("1A2b", "6699"), ("0", "0"), ("a-1", "a-1"), ("", "")] {
            assert_eq!(decimal(id.to_owned()), told);
        }
        for (parameter, text, id) in [
            (Some("1A2B"), "id:0000006699 stat:DELIVRD", "6699"),
            (None, "id:0000006699 stat:DELIVRD", "6699"),
            (Some("1A2B"), "stat:DELIVRD", "6699"),
            (None, "id:000 stat:DELIVRD", "0"),
            (None, "id:00-1 stat:DELIVRD", "00-1"),
        ] {
            let deliver = Deliver { receipted_id: parameter.map(str::to_owned), ..deliver(RECEIPT, text) };
            assert_eq!(read_of(&deliver, true).map(|said| said.id), Some(id.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_phone_cannot_send_a_receipt() {
        let forged = deliver(0, "id:7 stat:DELIVRD err:000");
        assert!(!is_receipt(&forged));
        assert!(!is_receipt(&Deliver { receipted_id: Some("7".to_owned()), ..forged.clone() }));
        assert!(is_receipt(&Deliver { kind: RECEIPT, ..forged.clone() }));
        assert!(is_receipt(&Deliver { kind: INTERMEDIATE, ..forged }));
    }
}
