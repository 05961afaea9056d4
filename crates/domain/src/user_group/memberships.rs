//! Which groups a user is in, which of them is primary, and what becomes of that.

use std::time::Duration;

use serde_json::{Map, json};

use crate::{Batch, Change, Ctx, Guard, JournalEntry, Patch, Timestamp, UserGroupId, UserId};

/// A user is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    pub user: UserId,
    pub group: UserGroupId,
    /// One of the memberships of a user is.
    pub primary: bool,
    pub since: Timestamp,
}

/// The groups of one user: the primary one first, then by how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memberships {
    user: UserId,
    list: Vec<Membership>,
}

impl Memberships {
    /// Of a user, with its memberships in their order; the first is the primary one.
    pub fn new(user: UserId, groups: impl IntoIterator<Item = (UserGroupId, Timestamp)>) -> Self {
        let list = groups.into_iter().enumerate();
        let list = list.map(|(n, (group, since))| Membership { user, group, primary: n == 0, since });
        Self { user, list: list.collect() }
    }

    pub fn as_slice(&self) -> &[Membership] {
        &self.list
    }

    pub fn primary(&self) -> Option<UserGroupId> {
        self.list.first().map(|first| first.group)
    }

    pub fn contains(&self, group: UserGroupId) -> bool {
        self.list.iter().any(|membership| membership.group == group)
    }

    fn groups(&self) -> impl Iterator<Item = UserGroupId> {
        self.list.iter().map(|membership| membership.group)
    }

    /// Joins a group, which is primary if it is the only one.
    #[must_use]
    pub(crate) fn joined(mut self, group: UserGroupId, now: Timestamp) -> Self {
        if !self.contains(group) {
            // Later than every other, also when the clock was set back: the order in which groups were joined decides.
            let newest = self.list.iter().map(|membership| membership.since).max();
            let since = newest.map_or(now, |newest| now.max(newest.plus(Duration::from_micros(1))));
            let primary = self.list.is_empty();
            self.list.push(Membership { user: self.user, group, primary, since });
        }
        self
    }

    /// Leaves a group; if that was the primary one, the oldest of the others becomes it.
    #[must_use]
    pub(crate) fn left(mut self, group: UserGroupId) -> Self {
        self.list.retain(|membership| membership.group != group);
        if let Some(first) = self.list.first_mut() {
            first.primary = true;
        }
        self
    }

    /// What becomes of the groups when the primary one is wished for: a new one is joined and the former left; none
    /// leaves the former alone.
    #[must_use]
    pub(crate) fn wish(self, primary: &Patch<UserGroupId>, now: Timestamp) -> Self {
        let former = self.primary();
        match *primary {
            Patch::Keep => self,
            Patch::Clear => former.map_or(self.clone(), |former| self.left(former)),
            Patch::Set(wanted) if former == Some(wanted) => self,
            Patch::Set(wanted) => {
                let mut after = self.joined(wanted, now);
                after.list.retain(|membership| Some(membership.group) != former);
                // `false` is first, and the order of the others stays.
                after.list.sort_by_key(|membership| membership.group != wanted);
                for membership in &mut after.list {
                    membership.primary = membership.group == wanted;
                }
                after
            }
        }
    }

    /// No groups.
    pub(crate) fn none(user: UserId) -> Self {
        Self { user, list: Vec::new() }
    }
}

/// The groups of a user as they were read and as they shall be.
#[derive(Clone, Debug)]
pub(crate) struct MembershipChange {
    pub(crate) before: Memberships,
    pub(crate) after: Memberships,
}

impl MembershipChange {
    pub(crate) fn is_none(&self) -> bool {
        self.before == self.after
    }

    /// The same of another user: a new one has no id yet when its groups are looked at.
    #[must_use]
    pub(crate) fn of(mut self, user: UserId) -> Self {
        for memberships in [&mut self.before, &mut self.after] {
            memberships.user = user;
            memberships.list.iter_mut().for_each(|membership| membership.user = user);
        }
        self
    }

    /// Adds the changes to a batch, an entry for each group that is joined or left, and what this rests on.
    pub(crate) fn add_to(&self, ctx: &Ctx, now: Timestamp, mut batch: Batch) -> Batch {
        let Self { before, after } = self;
        let user = after.user;
        batch.guards.push(Guard::UserGroups { user, groups: before.groups().collect() });
        for group in before.groups().filter(|group| !after.contains(*group)) {
            batch.changes.push(Change::MembershipDelete { user, group, at: now });
            batch.journal.push(members_entry(ctx, group, now, &[user], &[]));
        }
        for new in after.list.iter().filter(|new| !before.contains(new.group)) {
            batch.changes.push(Change::MembershipInsert(*new));
            batch.journal.push(members_entry(ctx, new.group, now, &[], &[user]));
        }
        if let Some(group) = after.primary().filter(|group| before.contains(*group))
            && before.primary() != Some(group)
        {
            batch.changes.push(Change::MembershipPrimary { user, group });
        }
        batch
    }
}

/// An entry about who has left a group and who has joined it.
pub(super) fn members_entry(
    ctx: &Ctx,
    group: UserGroupId,
    at: Timestamp,
    left: &[UserId],
    joined: &[UserId],
) -> JournalEntry {
    let ids = |users: &[UserId]| users.iter().map(|user| user.0).collect::<Vec<_>>();
    let payload = Map::from_iter([("members".to_owned(), json!([ids(left), ids(joined)]))]);
    let entry = JournalEntry::new(ctx, "user_group.members_changed", group, JournalEntry::AS_STORED, payload);
    JournalEntry { at, ..entry }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const USER: UserId = UserId(7);

    fn id(n: u8) -> UserGroupId {
        UserGroupId(Uuid::from_u128(n.into()))
    }

    fn groups(memberships: &Memberships) -> Vec<u128> {
        memberships.groups().map(|group| group.0.as_u128()).collect()
    }

    #[test]
    fn the_oldest_group_is_primary_unless_another_is_chosen() {
        let now = Timestamp(5);
        let all = [3, 1, 2].into_iter().fold(Memberships::none(USER), |all, n| all.joined(id(n), now));
        assert_eq!(groups(&all), [3, 1, 2]);
        assert_eq!(all.list.iter().map(|one| one.since.0).collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!(
            groups(&all.clone().wish(&Patch::Set(id(2)), now)),
            [2, 1],
            "the former primary one is left"
        );
        assert_eq!(groups(&all.clone().wish(&Patch::Set(id(9)), now)), [9, 1, 2]);
        assert_eq!(groups(&all.clone().wish(&Patch::Set(id(9)), now).wish(&Patch::Clear, now)), [1, 2]);
        assert_eq!(groups(&all.clone().wish(&Patch::Set(id(3)), now)), [3, 1, 2]);
        assert_eq!(groups(&all.clone().wish(&Patch::Clear, now)), [1, 2]);
        assert_eq!(groups(&all.clone().left(id(1))), [3, 2]);
        assert_eq!(groups(&all.left(id(3)).left(id(1)).left(id(2)).wish(&Patch::Clear, now)), [0_u128; 0]);
    }

    proptest! {
        #[test]
        fn one_of_the_groups_is_primary(steps in prop::collection::vec((0..4_u8, 0..5_u8, 0..9_i64), 0..40)) {
            let mut all = Memberships::none(USER);
            for (step, group, now) in steps {
                let (group, now) = (id(group), Timestamp(now));
                all = match step {
                    0 => all.joined(group, now),
                    1 => all.left(group),
                    2 => all.wish(&Patch::Set(group), now),
                    _ => all.wish(&Patch::Clear, now),
                };
                let primary: Vec<bool> = all.list.iter().map(|one| one.primary).collect();
                prop_assert!(primary.iter().enumerate().all(|(n, primary)| *primary == (n == 0)));
                let since: Vec<_> = all.list.iter().skip(1).map(|one| one.since).collect();
                prop_assert!(since.is_sorted_by(|a, b| a < b), "by how long");
                let mut groups = groups(&all);
                groups.sort_unstable();
                groups.dedup();
                prop_assert_eq!(groups.len(), all.list.len());
            }
        }
    }
}
