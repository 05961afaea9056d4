//! Events of messages and bulks, under the names that [`crate::webhook::EVENTS`] has for them.

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SmsEvent {
    /// The carrier has it.
    Sent,
    /// The phone has it.
    Delivered,
    /// It was not handed over, or was given up on the way.
    Failed,
    /// One came in.
    Received,
}

impl SmsEvent {
    pub const ALL: [Self; 4] = [Self::Sent, Self::Delivered, Self::Failed, Self::Received];

    /// Its name, which is also the kind of its journal entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sms.sent",
            Self::Delivered => "sms.delivered",
            Self::Failed => "sms.failed",
            Self::Received => "sms.received",
        }
    }

    /// Its name in the envelope of LOX24, which tells states apart by their codes (LOX24 messaging contract, section 5).
    pub const fn lox24_name(self) -> &'static str {
        match self {
            Self::Sent | Self::Delivered | Self::Failed => "sms.delivery",
            Self::Received => "sms.incoming",
        }
    }
}

/// The name in the envelope of LOX24 for what became of a message that was never to be sent.
pub const LOX24_DRYRUN: &str = "sms.delivery.dryrun";

/// What happens to a bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BroadcastEvent {
    Created,
    Updated,
    Deleted,
    Started,
    Completed,
    Cancelled,
}

impl BroadcastEvent {
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Updated, Self::Deleted, Self::Started, Self::Completed, Self::Cancelled];

    /// Its name, which is also the kind of its journal entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "broadcast.created",
            Self::Updated => "broadcast.updated",
            Self::Deleted => "broadcast.deleted",
            Self::Started => "broadcast.started",
            Self::Completed => "broadcast.completed",
            Self::Cancelled => "broadcast.cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::{EVENTS, WebhookFormat};

    #[test]
    fn webhooks_can_ask_for_all_of_them() {
        let known =
            |word: &str| EVENTS.into_iter().filter(|event| event.starts_with(word)).collect::<Vec<_>>();
        assert_eq!(SmsEvent::ALL.map(SmsEvent::as_str).to_vec(), known("sms."));
        assert_eq!(BroadcastEvent::ALL.map(BroadcastEvent::as_str).to_vec(), known("broadcast."));
        assert!(SmsEvent::ALL.into_iter().all(|event| WebhookFormat::Lox24.knows(event.lox24_name())));
    }
}
