//! What became of handing a message over.

use std::time::Duration;

/// The carrier has taken a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// By which the carrier knows each part, in their order, so that receipts can be matched; `None` where it named no
    /// id. A carrier that cuts texts itself names one for the whole.
    pub ids: Vec<Option<String>>,
}

/// The carrier has not taken a message, or it is not known whether it has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It will not take it, also not later.
    #[error("the carrier refuses the message ({}): {detail}", reason.code())]
    Refused { reason: Reason, detail: String },
    /// It has not taken it, because it has enough to do at present; it may be asked again after this time.
    #[error("the carrier wants to be asked less often, again in {after:?}")]
    Throttled { after: Duration },
    /// It has not taken it: it was not reached, or says that it cannot at present.
    #[error("the carrier is not available: {0}")]
    Unavailable(String),
    /// It may have taken it or not: the link broke, or the time was over, between the hand-over and the answer. Sent
    /// again, the message may arrive twice, unless the carrier
    /// [recognises repeats](crate::Carrier::recognises_repeats). Of these parts, each with its number from 0, it is
    /// known that they were taken; then the rest was not, or it is not known.
    #[error("it is not known whether the carrier has taken the message: {detail}")]
    Unknown { taken: Vec<(usize, Option<String>)>, detail: String },
}

/// Why a carrier refuses a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The recipient, or the carrier for it, wants no such messages.
    Blocked,
    /// There is no such number.
    InvalidRecipient,
    /// This sender must not send, or not so.
    InvalidSender,
    /// Too long, in an unknown alphabet, or otherwise not what can be sent.
    InvalidMessage,
    /// The carrier does not reach the number's network.
    NoRoute,
    /// Another reason, of which only the detail tells.
    Other,
}

impl Reason {
    /// A short name that stays, to be kept and to be searched for.
    pub fn code(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::InvalidRecipient => "invalid_recipient",
            Self::InvalidSender => "invalid_sender",
            Self::InvalidMessage => "invalid_message",
            Self::NoRoute => "no_route",
            Self::Other => "other",
        }
    }
}

impl Failed {
    pub(crate) fn refused(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Refused { reason, detail: detail.into() }
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::Unavailable(detail.into())
    }

    pub(crate) fn unknown(detail: impl Into<String>) -> Self {
        Self::Unknown { taken: Vec::new(), detail: detail.into() }
    }
}
