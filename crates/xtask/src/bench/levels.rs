//! Which level a row has to reach.

use std::time::Duration;

use super::rows::RowKind;

/// What a row has to reach.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    /// At least so much of another row with as many connections.
    Of(RowKind, f64),
    /// At most so many milliseconds for half of the requests.
    P50(f64),
    /// At most so much more for half of the requests than in another row with as many connections.
    P50Like(RowKind, f64),
    /// At most so many milliseconds for half of the requests, where a sync of the disk takes less than [`FAST_SYNC`].
    P50OnFastDisk(f64),
    /// At least so many items a second.
    Items(f64),
    /// Less than so many megabytes (a million bytes) more memory of the server's own than before.
    MoreMemory(f64),
}

pub(super) const FAST_SYNC: Duration = Duration::from_micros(100);

impl RowKind {
    /// The levels on the embedded store, or on a database, which are told by what that does alone.
    pub(super) fn levels(self, connections: u32, is_database: bool) -> &'static [Level] {
        if is_database {
            return match (self, connections) {
                (Self::Read, 64) => &[Level::Of(Self::DatabaseSelect, 0.4)],
                (Self::Update, 64) => &[Level::Of(Self::DatabaseUpdate, 0.8)],
                (Self::UserGroupJoinGreat, _) => &[Level::P50Like(Self::UserGroupJoin, 0.2)],
                (Self::ScimMemberGreat, _) => &[Level::P50Like(Self::ScimMember, 0.2)],
                _ => &[],
            };
        }
        match (self, connections) {
            (Self::Read | Self::ContactGroupRead | Self::UserGroupRead, 64) => &[Level::Of(Self::Bare, 0.6)],
            (Self::Update | Self::ContactGroupUpdate | Self::UserGroupUpdate, 64) => {
                &[Level::Of(Self::Bare, 0.12)]
            }
            (Self::Update | Self::ContactGroupUpdate | Self::UserGroupUpdate, 1) => {
                &[Level::P50OnFastDisk(0.3)]
            }
            (Self::Children, 1) => &[Level::P50(0.4)],
            (Self::OrgList, _) => &[Level::P50(150.0)],
            (Self::Tree, _) => &[Level::P50(250.0)],
            (Self::Move, _) => &[Level::P50(2.0)],
            (Self::Users | Self::UsersSmall, _) => &[Level::P50(50.0)],
            (Self::UsersLarge, _) => &[Level::P50(400.0)],
            (Self::ContactBatch, _) => &[Level::Items(60_000.0)],
            (Self::CsvExport, _) => &[Level::P50(5000.0), Level::MoreMemory(20.0)],
            (Self::UserGroupJoinGreat, _) => &[Level::P50Like(Self::UserGroupJoin, 0.2)],
            (Self::ScimByName | Self::ScimMember, 1) => &[Level::P50(0.6)],
            (Self::ScimUsers | Self::ScimActive | Self::ScimSorted, _) => &[Level::P50(5.0)],
            (Self::ScimGroup, 1) => &[Level::P50(0.5)],
            (Self::ScimMemberGreat, 1) => &[Level::P50(0.6), Level::P50Like(Self::ScimMember, 0.2)],
            (Self::ScimMemberGreat, _) => &[Level::P50Like(Self::ScimMember, 0.2)],
            _ => &[],
        }
    }
}
