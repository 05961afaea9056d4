//! Who does not want messages: the block list, and the words by which a recipient gets onto it and off again (LOX24
//! messaging contract, section 4).

use crate::Problem;

/// Who has put a number onto the block list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockedBy {
    Customer,
    /// By a message to us.
    Recipient,
}

impl BlockedBy {
    pub const ALL: [Self; 2] = [Self::Customer, Self::Recipient];

    /// The `type` of LOX24, which is also what a store keeps.
    pub const fn code(self) -> i64 {
        match self {
            Self::Customer => 1,
            Self::Recipient => 2,
        }
    }

    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.code() == code)
    }
}

/// What a message that came in asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    Stop,
    Start,
}

/// The words for [`Keyword::Stop`].
pub const STOP_WORDS: [&str; 6] = ["STOP", "STOPP", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"];
const START_WORD: &str = "START";

impl Keyword {
    /// Of a text that is exactly one of the words, but for case and white space around it.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        if STOP_WORDS.into_iter().any(is) {
            Some(Self::Stop)
        } else if is(START_WORD) {
            Some(Self::Start)
        } else {
            None
        }
    }

    /// What the sender's number is on the block list afterwards: a recipient cannot undo what the customer has done.
    pub const fn after(self, before: Option<BlockedBy>) -> Option<BlockedBy> {
        match (self, before) {
            (_, Some(BlockedBy::Customer)) => Some(BlockedBy::Customer),
            (Self::Stop, _) => Some(BlockedBy::Recipient),
            (Self::Start, _) => None,
        }
    }
}

/// A number as the block list has it: a plus sign and 4 to 20 digits, kept as it is sent. Whether it is one of E.164 is
/// not looked at: what can never be a destination blocks nothing.
pub fn blocked_number(raw: &str) -> Result<String, Problem> {
    let digits = raw.strip_prefix('+').unwrap_or_default();
    if (4..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(raw.to_owned())
    } else {
        Err(Problem::Format("must be a plus sign and 4 to 20 digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_stand_alone() {
        for text in
            ["STOP", "stop", " Stop\r\n", "StOpP", "unsubscribe", "cancel", "END", "Quit", "\u{a0}stop"]
        {
            assert_eq!(Keyword::of(text), Some(Keyword::Stop), "{text:?}");
        }
        assert_eq!(Keyword::of("\tstart "), Some(Keyword::Start));
        for text in ["", "stop.", "please stop", "STOP STOP", "stopit", "ſtop", "s top", "restart"] {
            assert_eq!(Keyword::of(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_recipient_undoes_only_what_a_recipient_did() {
        use BlockedBy::{Customer, Recipient};
        for (before, stop, start) in [
            (None, Some(Recipient), None),
            (Some(Recipient), Some(Recipient), None),
            (Some(Customer), Some(Customer), Some(Customer)),
        ] {
            assert_eq!((Keyword::Stop.after(before), Keyword::Start.after(before)), (stop, start));
        }
        assert_eq!([1, 2, 3].map(BlockedBy::from_code), [Some(Customer), Some(Recipient), None]);
    }

    #[test]
    fn blocked_numbers_are_those_of_the_pattern() {
        for raw in ["+1234", "+49151234567", "+12345678901234567890", "+0000"] {
            assert_eq!(blocked_number(raw).as_deref(), Ok(raw));
        }
        for raw in
            ["", "+", "1234", "+123", "+123456789012345678901", "+49 151", "+49\n1234", "++1234", "+١٢٣٤"]
        {
            assert!(blocked_number(raw).is_err(), "{raw}");
        }
    }
}
