//! What is to be done about a bulk.

use super::Bulk;
use crate::message::{BulkStatus, SendWindow};
use crate::{BulkId, Timestamp};

/// How far the recipients of a bulk are expanded, who are taken in the order of their numbers. Who comes into a group when
/// their number has been passed gets nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// Those with a greater number are still to come, as E.164 sorts as a text; at first this is empty.
    After(String),
    /// Its customer has cancelled it: what waits is to be stopped.
    Settle,
    /// Nothing is left.
    Done,
}

impl Expansion {
    pub const START: Self = Self::After(String::new());

    const SETTLE: &str = "settle";
    const DONE: &str = "done";

    /// What a store keeps.
    pub fn as_str(&self) -> &str {
        match self {
            Self::After(phone) => phone,
            Self::Settle => Self::SETTLE,
            Self::Done => Self::DONE,
        }
    }

    /// What is kept so.
    pub fn from_stored(text: String) -> Option<Self> {
        match text.as_str() {
            Self::SETTLE => Some(Self::Settle),
            Self::DONE => Some(Self::Done),
            "" => Some(Self::START),
            _ => text.starts_with('+').then_some(Self::After(text)),
        }
    }
}

/// A bulk as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBulk {
    pub bulk: Bulk,
    pub expansion: Expansion,
    /// It is gone for every reader.
    pub is_deleted: bool,
}

/// A place in the order in which bulks are looked at: by when something is to be done about them, then by id.
pub type BulkPlace = (Timestamp, BulkId);

/// A bulk about which something is to be done, now or once its time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkWork {
    pub id: BulkId,
    /// From when on something is to be done about it.
    pub work_at: Timestamp,
    pub status: BulkStatus,
    pub is_deleted: bool,
    pub is_dry_run: bool,
    pub expansion: Expansion,
    pub window: Option<SendWindow>,
    /// Messages that wait, whether somebody hands them over or not.
    pub queued: u64,
    /// When the first of those is due that nobody hands over.
    pub next_at: Option<Timestamp>,
}

impl BulkWork {
    /// Whether [`crate::Directory::bulk_step`] has something to do for it, once its time has come.
    pub(crate) fn needs_step(&self) -> bool {
        let waits = self.queued > 0;
        if self.is_deleted || self.status.has_ended() {
            // What somebody hands over is waited for.
            return self.next_at.is_some() || self.is_dry_run || !waits;
        }
        match self.status {
            BulkStatus::Scheduled => true,
            BulkStatus::Sending => self.expansion != Expansion::Done || self.is_dry_run || !waits,
            _ => false,
        }
    }

    /// When its next message may be handed over, from `now` on.
    pub(crate) fn hands_over_at(&self, now: Timestamp) -> Option<Timestamp> {
        let at = self.next_at.filter(|_| self.status.is_sending() && !self.is_deleted)?.max(now);
        Some(self.window.as_ref().map_or(at, |window| window.next_open(at)))
    }
}

impl Bulk {
    /// From when on something is to be done about it, if ever; `expansion` is what it is by then, if it ends.
    pub fn work_at(&self, expansion: Option<&Expansion>) -> Option<Timestamp> {
        match self.status {
            BulkStatus::Draft | BulkStatus::Paused => None,
            BulkStatus::Scheduled => Some(self.begins_at()),
            BulkStatus::Sending => Some(Timestamp(0)),
            _ => (expansion == Some(&Expansion::Settle)).then_some(Timestamp(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_reads_back() {
        let after = Expansion::After("+4915112345678".to_owned());
        for expansion in [Expansion::START, after, Expansion::Settle, Expansion::Done] {
            assert_eq!(Expansion::from_stored(expansion.as_str().to_owned()), Some(expansion));
        }
        assert_eq!(Expansion::from_stored("4915112345678".to_owned()), None);
    }
}
