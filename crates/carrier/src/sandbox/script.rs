//! What the last digits of a number ask for.

use std::time::Duration;

use crate::{Reason, State};

/// What becomes of the hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Refused(Reason),
    Taken(Script),
    Slow,
    Throttled,
    Unreachable,
    Unknown,
}

/// What becomes of a message that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Delivered,
    Expired,
    Rejected,
    Undeliverable,
    Queued,
    Silent,
}

impl Fate {
    pub(super) fn of(number: &str) -> Self {
        match number.len().checked_sub(4).and_then(|begin| number.get(begin..)) {
            Some("9901") => Self::Refused(Reason::Blocked),
            Some("9902") => Self::Refused(Reason::InvalidRecipient),
            Some("9903") => Self::Refused(Reason::NoRoute),
            Some("9911") => Self::Taken(Script::Expired),
            Some("9912") => Self::Taken(Script::Rejected),
            Some("9913") => Self::Taken(Script::Undeliverable),
            Some("9914") => Self::Taken(Script::Queued),
            Some("9915") => Self::Taken(Script::Silent),
            Some("9921") => Self::Slow,
            Some("9922") => Self::Throttled,
            Some("9923") => Self::Unreachable,
            Some("9924") => Self::Unknown,
            _ => Self::Taken(Script::Delivered),
        }
    }
}

impl Script {
    /// The receipts, each with the time from the hand-over.
    pub(super) fn receipts(self, delay: Duration) -> Vec<(Duration, State)> {
        match self {
            Self::Delivered => vec![(delay, State::Delivered)],
            Self::Expired => vec![(delay, State::Expired)],
            Self::Rejected => vec![(delay, State::Rejected)],
            Self::Undeliverable => vec![(delay, State::Undeliverable)],
            Self::Queued => vec![(delay, State::Queued), (delay * 2, State::Delivered)],
            Self::Silent => Vec::new(),
        }
    }
}
