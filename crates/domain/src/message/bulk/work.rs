//! What is to be done about a bulk.

use super::Bulk;
use crate::message::{BulkStatus, SendWindow};
use crate::{BulkId, ContactId, Timestamp};

/// How far the recipients of a bulk are expanded: first its single numbers, then its groups, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// So many of its single numbers are done.
    Phones(u32),
    /// The single numbers are done, and so many groups, and of the next one the contacts up to this one.
    Group { index: u32, after: ContactId },
    /// All are done. Which numbers were reached is to be forgotten; what waits of a bulk that was cancelled or deleted is
    /// to be stopped before.
    Settle,
    /// Nothing is left.
    Done,
}

impl Expansion {
    pub const START: Self = Self::Phones(0);

    /// Two numbers that a store keeps.
    pub fn codes(self) -> (i64, i64) {
        match self {
            Self::Phones(done) => (0, done.into()),
            Self::Group { index, after } => (i64::from(index) + 1, after.0),
            Self::Settle => (-1, 0),
            Self::Done => (-2, 0),
        }
    }

    /// What has these [`Expansion::codes`].
    pub fn from_codes(source: i64, after: i64) -> Option<Self> {
        match source {
            0 => u32::try_from(after).ok().map(Self::Phones),
            -1 => Some(Self::Settle),
            -2 => Some(Self::Done),
            _ => {
                let index = u32::try_from(source.checked_sub(1)?).ok()?;
                Some(Self::Group { index, after: ContactId(after) })
            }
        }
    }

    /// Where it goes on once all before the group at `index` is done.
    pub(super) fn group(bulk: &Bulk, index: usize) -> Self {
        match u32::try_from(index) {
            Ok(at) if index < bulk.groups.len() => Self::Group { index: at, after: ContactId(0) },
            _ => Self::Settle,
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
    pub fn work_at(&self, expansion: Option<Expansion>) -> Option<Timestamp> {
        match self.status {
            BulkStatus::Draft | BulkStatus::Paused => None,
            BulkStatus::Scheduled => Some(self.begins_at()),
            BulkStatus::Sending => Some(Timestamp(0)),
            _ => (expansion == Some(Expansion::Settle)).then_some(Timestamp(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_reads_back() {
        let group = |index, after| Expansion::Group { index, after: ContactId(after) };
        for expansion in [
            Expansion::START,
            Expansion::Phones(10_000),
            group(0, 0),
            group(99, i64::MAX),
            Expansion::Settle,
            Expansion::Done,
        ] {
            let (source, after) = expansion.codes();
            assert_eq!(Expansion::from_codes(source, after), Some(expansion));
        }
        for (source, after) in [(0, -1), (-3, 0), (i64::MIN, 0), (i64::MAX, 0)] {
            assert_eq!(Expansion::from_codes(source, after), None);
        }
    }
}
