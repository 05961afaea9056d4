//! What has become of a message: its status, and what the carrier says of its delivery (LOX24 messaging contract,
//! section 2).

use super::SmsEvent;

/// How far a message has come on our side. From [`MessageStatus::New`] it changes once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MessageStatus {
    /// Waits for its time, its send window or its carrier.
    #[default]
    New,
    /// The carrier has it.
    HandedOver,
    /// Its destination is on the tenant's block list.
    Blocked,
    /// Its service is not to be had for now.
    Maintenance,
    /// Stopped by the operator, in the account.
    StoppedInAccount,
    /// No text arrives at its destination, which is a fixed line.
    Landline,
    /// The balance did not suffice when its bulk was expanded.
    NoMoney,
    /// No carrier and no price for its destination.
    NoOperator,
    /// Stopped by the customer, through an API.
    StoppedByCustomer,
}

impl MessageStatus {
    pub const ALL: [Self; 9] = [
        Self::New,
        Self::HandedOver,
        Self::Blocked,
        Self::Maintenance,
        Self::StoppedInAccount,
        Self::Landline,
        Self::NoMoney,
        Self::NoOperator,
        Self::StoppedByCustomer,
    ];

    /// The `status_code` of LOX24, which is also what a store keeps.
    pub const fn code(self) -> i64 {
        match self {
            Self::New => 0,
            Self::HandedOver => 100,
            Self::Blocked => 208,
            Self::Maintenance => 400,
            Self::StoppedInAccount => 410,
            Self::Landline => 2000,
            Self::NoMoney => 3000,
            Self::NoOperator => 5000,
            Self::StoppedByCustomer => 6000,
        }
    }

    /// The status with this code.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// Whether a message may go from this status to another one: only what is new changes.
    pub const fn can_become(self, next: Self) -> bool {
        matches!(self, Self::New) && !matches!(next, Self::New)
    }

    /// Whether it may still be stopped: only what is not handed over, and has not ended otherwise.
    pub const fn can_be_stopped(self) -> bool {
        self.can_become(Self::StoppedByCustomer)
    }

    /// Whether it ended without being handed over, though nobody stopped it.
    pub const fn is_failure(self) -> bool {
        match self {
            Self::New | Self::HandedOver | Self::StoppedInAccount | Self::StoppedByCustomer => false,
            Self::Blocked | Self::Maintenance | Self::Landline | Self::NoMoney | Self::NoOperator => true,
        }
    }

    /// Whether a message in this status is paid for. What is not handed over, and will not be, is not.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::New | Self::HandedOver)
    }
}

/// What the carrier has said of the delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Receipt {
    /// Nothing yet.
    #[default]
    Pending,
    /// The phone has it.
    Delivered,
    /// It waits somewhere on the way, such as for a phone that is off.
    Queued,
    /// An operator on the way has taken it.
    Accepted,
    /// It was given up after its time.
    Expired,
    /// It was refused.
    Rejected,
}

impl Receipt {
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Delivered, Self::Queued, Self::Accepted, Self::Expired, Self::Rejected];

    /// The `dlr_code` of LOX24, which is also what a store keeps.
    pub const fn code(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Delivered => 1,
            Self::Queued => 2,
            Self::Accepted => 4,
            Self::Expired => 8,
            Self::Rejected => 16,
        }
    }

    /// The receipt with this code.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|receipt| receipt.code() == code)
    }

    /// Whether the message was given up.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Expired | Self::Rejected)
    }

    /// What is known once `news` has come. Receipts overtake each other, so what is delivered stays delivered, and what
    /// was given up stays so unless the phone turns out to have it; of the ways to wait the last one counts.
    #[must_use]
    pub const fn after(self, news: Self) -> Self {
        match (self, news) {
            (Self::Delivered, _) | (_, Self::Delivered) => Self::Delivered,
            (Self::Expired | Self::Rejected, _) | (_, Self::Pending) => self,
            (Self::Pending | Self::Queued | Self::Accepted, news) => news,
        }
    }

    /// What a message of several parts is, by the receipts of all of them: given up with the first part that is,
    /// delivered with the last one.
    pub fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        const WORST_FIRST: [Receipt; 5] =
            [Receipt::Rejected, Receipt::Expired, Receipt::Queued, Receipt::Accepted, Receipt::Pending];
        let (mut seen, mut delivered) = ([false; WORST_FIRST.len()], false);
        for part in parts {
            match WORST_FIRST.iter().position(|receipt| *receipt == part) {
                Some(at) => seen[at] = true,
                None => delivered = true,
            }
        }
        match WORST_FIRST.into_iter().zip(seen).find(|(_, seen)| *seen) {
            // Some parts have arrived, so an operator has all of it.
            Some((Self::Pending, _)) if delivered => Self::Accepted,
            Some((worst, _)) => worst,
            None if delivered => Self::Delivered,
            None => Self::Pending,
        }
    }
}

/// Both together; what changes a message goes through here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MessageState {
    pub status: MessageStatus,
    pub receipt: Receipt,
}

impl MessageState {
    /// After it has got another status: handed over, stopped, or failed. `None` when that cannot be any more.
    pub fn with_status(self, status: MessageStatus) -> Option<Self> {
        self.status.can_become(status).then_some(Self { status, ..self })
    }

    /// After the carrier has refused it for good when it was handed over.
    pub fn refused(self) -> Option<Self> {
        self.with_status(MessageStatus::HandedOver)?.with_receipt(Receipt::Rejected)
    }

    /// After a receipt; `None` when it tells nothing new. The carrier has what it sends a receipt for, also when we were
    /// interrupted before we could note that. What has ended without the carrier stays as it is.
    pub fn with_receipt(self, news: Receipt) -> Option<Self> {
        if !matches!(self.status, MessageStatus::New | MessageStatus::HandedOver) || news == Receipt::Pending
        {
            return None;
        }
        let after = Self { status: MessageStatus::HandedOver, receipt: self.receipt.after(news) };
        (after != self).then_some(after)
    }

    /// What happened on the way from `self` to `after`, in that order.
    pub fn events(self, after: Self) -> Vec<SmsEvent> {
        let sent = after.status == MessageStatus::HandedOver && self.status != after.status;
        let delivered = after.receipt == Receipt::Delivered && self.receipt != after.receipt;
        let failed = |state: Self| state.status.is_failure() || state.receipt.is_failure();
        let happened = [
            (sent, SmsEvent::Sent),
            (delivered, SmsEvent::Delivered),
            (failed(after) && !failed(self), SmsEvent::Failed),
        ];
        happened.into_iter().filter_map(|(happened, event)| happened.then_some(event)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_states() -> impl Iterator<Item = MessageState> {
        let receipts = |status| Receipt::ALL.into_iter().map(move |receipt| MessageState { status, receipt });
        MessageStatus::ALL.into_iter().flat_map(receipts)
    }

    #[test]
    fn codes_are_those_of_the_contract() {
        let codes: Vec<i64> = MessageStatus::ALL.into_iter().map(MessageStatus::code).collect();
        assert_eq!(codes, [0, 100, 208, 400, 410, 2000, 3000, 5000, 6000]);
        assert!(MessageStatus::ALL.into_iter().all(|it| MessageStatus::from_code(it.code()) == Some(it)));
        let codes: Vec<i64> = Receipt::ALL.into_iter().map(Receipt::code).collect();
        assert_eq!(codes, [0, 1, 2, 4, 8, 16]);
        assert!(Receipt::ALL.into_iter().all(|it| Receipt::from_code(it.code()) == Some(it)));
        assert_eq!((MessageStatus::from_code(1), Receipt::from_code(3)), (None, None));
    }

    #[test]
    fn only_what_is_new_changes_its_status() {
        for (before, after) in
            MessageStatus::ALL.into_iter().flat_map(|a| MessageStatus::ALL.into_iter().map(move |b| (a, b)))
        {
            let wanted = before == MessageStatus::New && after != MessageStatus::New;
            assert_eq!(before.can_become(after), wanted, "{before:?} {after:?}");
            assert_eq!(before.can_be_stopped(), before == MessageStatus::New);
        }
    }

    #[test]
    fn receipts_follow_each_other_as_the_table_says() {
        use Receipt::{Accepted, Delivered, Expired, Pending, Queued, Rejected};
        // A line for what is known, a column for what comes, in the order of `ALL`.
        let table = [
            (Pending, [Pending, Delivered, Queued, Accepted, Expired, Rejected]),
            (Delivered, [Delivered; 6]),
            (Queued, [Queued, Delivered, Queued, Accepted, Expired, Rejected]),
            (Accepted, [Accepted, Delivered, Queued, Accepted, Expired, Rejected]),
            (Expired, [Expired, Delivered, Expired, Expired, Expired, Expired]),
            (Rejected, [Rejected, Delivered, Rejected, Rejected, Rejected, Rejected]),
        ];
        for (known, line) in table {
            assert_eq!(Receipt::ALL.map(|news| known.after(news)), line, "{known:?}");
        }
    }

    #[test]
    fn parts_make_a_whole() {
        use Receipt::{Accepted, Delivered, Expired, Pending, Queued, Rejected};
        for (parts, whole) in [
            (&[][..], Pending),
            (&[Delivered], Delivered),
            (&[Delivered, Delivered], Delivered),
            (&[Delivered, Pending], Accepted),
            (&[Delivered, Accepted], Accepted),
            (&[Delivered, Queued, Accepted], Queued),
            (&[Pending, Pending], Pending),
            (&[Delivered, Expired], Expired),
            (&[Expired, Rejected, Delivered], Rejected),
        ] {
            assert_eq!(Receipt::of_parts(parts.iter().copied()), whole, "{parts:?}");
        }
    }

    #[test]
    fn a_state_changes_by_a_status_or_a_receipt() {
        for state in all_states() {
            for status in MessageStatus::ALL {
                let wanted = state.status.can_become(status).then_some(MessageState { status, ..state });
                assert_eq!(state.with_status(status), wanted);
            }
            for news in Receipt::ALL {
                let is_there = matches!(state.status, MessageStatus::New | MessageStatus::HandedOver);
                match state.with_receipt(news) {
                    Some(after) => {
                        assert!(is_there && after != state);
                        assert_eq!(after.status, MessageStatus::HandedOver);
                        assert_eq!(after.receipt, state.receipt.after(news));
                    }
                    None => assert!(
                        !is_there || news == Receipt::Pending || state.receipt.after(news) == state.receipt
                    ),
                }
            }
        }
        let refused = MessageState::default().refused();
        let wanted = MessageState { status: MessageStatus::HandedOver, receipt: Receipt::Rejected };
        assert_eq!((refused, wanted.refused()), (Some(wanted), None));
    }

    #[test]
    fn events_tell_what_happened() {
        use SmsEvent::{Delivered, Failed, Sent};
        let new = MessageState::default();
        let sent = new.with_status(MessageStatus::HandedOver).unwrap();
        let with = |receipt| sent.with_receipt(receipt).unwrap();
        assert_eq!(new.events(sent), [Sent]);
        assert_eq!(new.events(new.with_receipt(Receipt::Delivered).unwrap()), [Sent, Delivered]);
        assert_eq!(new.events(new.refused().unwrap()), [Sent, Failed]);
        assert_eq!(sent.events(with(Receipt::Queued)), []);
        assert_eq!(sent.events(with(Receipt::Expired)), [Failed]);
        assert_eq!(with(Receipt::Expired).events(with(Receipt::Delivered)), [Delivered]);
        for status in MessageStatus::ALL.into_iter().filter(|status| status.is_failure()) {
            assert_eq!(new.events(new.with_status(status).unwrap()), [Failed], "{status:?}");
        }
        assert_eq!(new.events(new.with_status(MessageStatus::StoppedByCustomer).unwrap()), []);
        assert!(all_states().all(|state| state.events(state).is_empty()));
    }

    proptest! {
        #[test]
        fn nothing_makes_a_delivered_message_undelivered(news in prop::collection::vec(0..6_usize, 0..12)) {
            let mut state = MessageState::default();
            let mut is_delivered = false;
            for news in news.into_iter().map(|at| Receipt::ALL[at]) {
                state = state.with_receipt(news).unwrap_or(state);
                is_delivered |= news == Receipt::Delivered;
                prop_assert_eq!(state.receipt == Receipt::Delivered, is_delivered);
                prop_assert_eq!(state.status.can_be_stopped(), state.receipt == Receipt::Pending);
            }
        }
    }
}
