//! How far a bulk has come: one machine, which LOX24 shows as numbers (`/bulks`) and Convirza as words (`/v3/broadcast`).
//!
//! | Here | LOX24 | Convirza | |
//! |---|---|---|---|
//! | draft | 0 | draft | only Convirza makes one |
//! | scheduled | 0 | scheduled | also what is to begin at once, until it has |
//! | sending | 5 | sending | is expanded, or has messages that are not handed over |
//! | paused | 5 | paused | only Convirza does that |
//! | completed | 10 | completed | every message is handed over or has ended |
//! | cancelled | 15 | cancelled | |
//! | failed | 20 | failed | |
//! | no recipients | 201 | failed | nobody was there when it began |
//!
//! Sources: LOX24 messaging contract, section 3; Convirza platform contract, section 4.

use super::BroadcastEvent;

/// See the table of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BulkStatus {
    Draft,
    Scheduled,
    Sending,
    Paused,
    Completed,
    Cancelled,
    Failed,
    NoRecipients,
}

impl BulkStatus {
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::Scheduled,
        Self::Sending,
        Self::Paused,
        Self::Completed,
        Self::Cancelled,
        Self::Failed,
        Self::NoRecipients,
    ];

    /// What Convirza can show.
    pub const BROADCAST_NAMES: [&str; 7] =
        ["draft", "scheduled", "sending", "paused", "completed", "cancelled", "failed"];

    /// The word that stores and journals have.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRecipients => "no_recipients",
            other => other.broadcast_name(),
        }
    }

    /// The status with this word of [`BulkStatus::as_str`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The `status` of Convirza.
    pub const fn broadcast_name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Sending => "sending",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed | Self::NoRecipients => "failed",
        }
    }

    /// The `status_code` of LOX24.
    pub const fn code(self) -> i64 {
        match self {
            Self::Draft | Self::Scheduled => 0,
            Self::Sending | Self::Paused => 5,
            Self::Completed => 10,
            Self::Cancelled => 15,
            Self::Failed => 20,
            Self::NoRecipients => 201,
        }
    }

    /// Those that LOX24 shows under this code, for filters.
    pub fn with_code(code: i64) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |status| status.code() == code)
    }

    /// Those that Convirza shows under this name, for filters.
    pub fn with_broadcast_name(name: &str) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |status| status.broadcast_name() == name)
    }

    /// Whether its text, its recipients and its time may be changed.
    pub const fn is_editable(self) -> bool {
        matches!(self, Self::Draft | Self::Scheduled)
    }

    /// Whether nothing comes after it.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed | Self::NoRecipients)
    }

    /// Whether its customer may set the other status: schedule a draft and take that back, begin now, pause and go on,
    /// and cancel whatever has not ended.
    pub const fn can_be_set(self, next: Self) -> bool {
        match self {
            Self::Draft => matches!(next, Self::Scheduled | Self::Sending | Self::Cancelled),
            Self::Scheduled => matches!(next, Self::Draft | Self::Sending | Self::Cancelled),
            Self::Sending => matches!(next, Self::Paused | Self::Cancelled),
            Self::Paused => matches!(next, Self::Sending | Self::Cancelled),
            Self::Completed | Self::Cancelled | Self::Failed | Self::NoRecipients => false,
        }
    }

    /// Whether the server may bring it into the other status: begin what is due, and end what it is sending. What is
    /// paused ends when it goes on.
    pub const fn can_run_into(self, next: Self) -> bool {
        match self {
            Self::Scheduled => matches!(next, Self::Sending),
            Self::Sending => matches!(next, Self::Completed | Self::Failed | Self::NoRecipients),
            Self::Draft
            | Self::Paused
            | Self::Completed
            | Self::Cancelled
            | Self::Failed
            | Self::NoRecipients => false,
        }
    }

    /// Whether messages of a bulk in this status are handed over.
    pub const fn is_sending(self) -> bool {
        matches!(self, Self::Sending)
    }

    /// The event that a change of the status is. One that ends without its customer is completed; its status tells how.
    pub const fn event(self, next: Self) -> BroadcastEvent {
        match (self, next) {
            (Self::Draft | Self::Scheduled, Self::Sending) => BroadcastEvent::Started,
            (_, Self::Completed | Self::Failed | Self::NoRecipients) => BroadcastEvent::Completed,
            (_, Self::Cancelled) => BroadcastEvent::Cancelled,
            (_, Self::Draft | Self::Scheduled | Self::Sending | Self::Paused) => BroadcastEvent::Updated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_shows_its_own() {
        let shown = BulkStatus::ALL.map(|status| (status.as_str(), status.code(), status.broadcast_name()));
        let table = [
            ("draft", 0, "draft"),
            ("scheduled", 0, "scheduled"),
            ("sending", 5, "sending"),
            ("paused", 5, "paused"),
            ("completed", 10, "completed"),
            ("cancelled", 15, "cancelled"),
            ("failed", 20, "failed"),
            ("no_recipients", 201, "failed"),
        ];
        assert_eq!(shown, table);
        for status in BulkStatus::ALL {
            assert_eq!(BulkStatus::from_name(status.as_str()), Some(status));
            assert!(BulkStatus::with_code(status.code()).any(|found| found == status));
            assert!(BulkStatus::with_broadcast_name(status.broadcast_name()).any(|found| found == status));
            assert!(BulkStatus::BROADCAST_NAMES.contains(&status.broadcast_name()));
        }
        assert_eq!(BulkStatus::with_code(1).count(), 0);
        assert_eq!(BulkStatus::with_code(5).collect::<Vec<_>>(), [BulkStatus::Sending, BulkStatus::Paused]);
        assert_eq!(BulkStatus::with_broadcast_name("failed").count(), 2);
    }

    #[test]
    fn a_status_changes_as_the_table_says() {
        // A line for what it is, a column for what it shall be, in the order of `ALL`: c by the customer, s by the server,
        // b by both.
        let table = [
            ". c c . . c . .", // draft
            "c . b . . c . .", // scheduled
            ". . . c s c s s", // sending
            ". . c . . c . .", // paused
            ". . . . . . . .", // completed
            ". . . . . . . .", // cancelled
            ". . . . . . . .", // failed
            ". . . . . . . .", // no recipients
        ];
        for (before, line) in BulkStatus::ALL.into_iter().zip(table) {
            for (after, who) in BulkStatus::ALL.into_iter().zip(line.split(' ')) {
                assert_eq!(before.can_be_set(after), matches!(who, "c" | "b"), "{before:?} {after:?}");
                assert_eq!(before.can_run_into(after), matches!(who, "s" | "b"), "{before:?} {after:?}");
            }
            assert_eq!(before.has_ended(), !line.contains(['c', 's', 'b']), "{before:?}");
            // LOX24 cancels from 0 and 5, and from nowhere else.
            assert_eq!(before.can_be_set(BulkStatus::Cancelled), matches!(before.code(), 0 | 5));
            assert_eq!(before.is_editable(), before.code() == 0);
        }
    }

    #[test]
    fn changes_are_events() {
        use BulkStatus::{Cancelled, Completed, Draft, Failed, NoRecipients, Paused, Scheduled, Sending};
        for (before, after, event) in [
            (Draft, Scheduled, "broadcast.updated"),
            (Draft, Sending, "broadcast.started"),
            (Scheduled, Sending, "broadcast.started"),
            (Sending, Paused, "broadcast.updated"),
            (Paused, Sending, "broadcast.updated"),
            (Sending, Completed, "broadcast.completed"),
            (Sending, Failed, "broadcast.completed"),
            (Sending, NoRecipients, "broadcast.completed"),
            (Paused, Cancelled, "broadcast.cancelled"),
        ] {
            assert_eq!(before.event(after).as_str(), event, "{before:?} {after:?}");
        }
    }
}
