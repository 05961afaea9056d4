//! User groups and their members, in a tenant of their own: the users of the other rows stay as many as they are.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::caller::{AccessKey, Caller};
use super::fill::{self, Writer};
use super::template::Template;

/// Groups that are read and changed. The first of them have members; two great ones come on top.
pub(super) const GROUPS: usize = 1000;
/// Pairs of small groups between which users go to and fro, one a pair: else the groups would not stay small.
pub(super) const PAIRS: usize = 100;
/// Members of each small group.
pub(super) const FEW: usize = 10;
/// The numbers of members that a great group can have are multiples of this.
pub(super) const STEP: usize = BLOCKS / 2;

/// Users are made in as many blocks, each with one member of a small group and as many of the great ones, so that either
/// are spread over all users: what is measured is the size of the groups, not where their users are on the disk.
const BLOCKS: usize = 2 * PAIRS * FEW;

#[derive(Serialize, Deserialize)]
pub(super) struct UserGroups {
    key: AccessKey,
    /// The tenant's token of the SCIM dialect.
    scim: String,
    /// How many users were made.
    users: usize,
    /// The small ones in pairs first, the great pair last.
    groups: Vec<Uuid>,
    /// Of each small pair one member of its first group.
    movers: Vec<Uuid>,
    /// As many members of the first great group.
    great_movers: Vec<Uuid>,
    /// Of each small group that is the first of a pair another member, and as many of the first great group.
    leavers: Vec<Uuid>,
    great_leavers: Vec<Uuid>,
}

impl UserGroups {
    /// Makes the groups, the great ones with so many members each.
    pub(super) async fn fill(
        address: SocketAddr,
        (key, scim): (AccessKey, String),
        members: usize,
    ) -> anyhow::Result<Self> {
        let writer = Writer { address, caller: Caller::Signs(key.clone()) };
        let groups = fill::user_groups(&writer, GROUPS + 2).await?;
        let block = block_length(members);
        let of = groups.clone();
        let users = fill::members(&writer, BLOCKS * block, move |user| of[group_of(user, block)]).await?;
        let (movers, great_movers) = (0..PAIRS).map(|pair| members_of(pair, pair, block)).unzip();
        let (leavers, great_leavers) = (0..PAIRS).map(|pair| members_of(pair, pair + 1, block)).unzip();
        let ids = |numbers: Vec<usize>| numbers.into_iter().map(|number| users[number]).collect();
        let [movers, great_movers, leavers, great_leavers] =
            [movers, great_movers, leavers, great_leavers].map(ids);
        let users = users.len();
        Ok(Self { key, scim, users, groups, movers, great_movers, leavers, great_leavers })
    }

    /// A read of each group.
    pub(super) fn reads(&self) -> Vec<Template> {
        let caller = self.caller();
        let read = |group: &Uuid| Template::get(&format!("/api/v1/user-groups/{group}"), &caller);
        self.groups[..GROUPS].iter().map(read).collect()
    }

    /// A change of each group, then another of each.
    pub(super) fn updates(&self) -> Vec<Template> {
        let of = |text: &'static str| {
            let body = json!({ "description": text });
            self.groups[..GROUPS].iter().map(move |group| self.put("user-groups", *group, &body))
        };
        of("One description").chain(of("Another one")).collect()
    }

    /// Users leave their small group for the other of its pair, then come back.
    pub(super) fn joins(&self) -> Vec<Template> {
        let pairs = self.groups.chunks_exact(2).zip(&self.movers);
        let to = |side: usize| pairs.clone().map(move |(pair, user)| self.join(*user, pair[side]));
        to(1).chain(to(0)).collect()
    }

    /// The same with the great groups.
    pub(super) fn great_joins(&self) -> Vec<Template> {
        let to = |side: usize| {
            let group = self.groups[GROUPS + side];
            self.great_movers.iter().map(move |user| self.join(*user, group))
        };
        to(1).chain(to(0)).collect()
    }

    /// The numbers of the users, which their logins show.
    pub(super) fn numbers(&self) -> Arc<[u64]> {
        (0..self.users as u64).collect()
    }

    /// The users of the tenant, its admin included.
    pub(super) const fn all_users(&self) -> usize {
        self.users + 1
    }

    /// A caller of the SCIM dialect.
    pub(super) fn scim(&self) -> Caller {
        Caller::bearer(&self.scim)
    }

    pub(super) fn great_group(&self) -> Uuid {
        self.groups[GROUPS]
    }

    /// Of small groups one member each.
    pub(super) fn small_members(&self) -> impl Iterator<Item = (Uuid, Uuid)> {
        self.groups.iter().step_by(2).copied().zip(self.leavers.iter().copied())
    }

    /// As many of a great group.
    pub(super) fn great_members(&self) -> impl Iterator<Item = (Uuid, Uuid)> {
        self.great_leavers.iter().map(|user| (self.great_group(), *user))
    }

    fn join(&self, user: Uuid, group: Uuid) -> Template {
        self.put("users", user, &json!({ "userGroupId": group }))
    }

    fn put(&self, collection: &str, id: Uuid, body: &Value) -> Template {
        Template::write("PUT", &format!("/api/v1/{collection}/{id}"), &self.caller(), &body.to_string())
    }

    fn caller(&self) -> Caller {
        Caller::Signs(self.key.clone())
    }
}

/// How many users are in a block: one of a small group, the others of the great ones.
const fn block_length(members: usize) -> usize {
    1 + 2 * members / BLOCKS
}

/// The place of the group that a user is in.
const fn group_of(user: usize, block_length: usize) -> usize {
    let (block, place) = (user / block_length, user % block_length);
    match place {
        0 => block % (2 * PAIRS),
        // Where a block has an odd number of them, its neighbour makes up for it.
        _ => GROUPS + (block + place - 1) % 2,
    }
}

/// The n-th member of the first group of a small pair, and its neighbour, who is one of the first great group.
const fn members_of(pair: usize, n: usize, block_length: usize) -> (usize, usize) {
    let user = (n % FEW * 2 * PAIRS + 2 * pair) * block_length;
    (user, user + 1)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    pub(in super::super) fn some() -> UserGroups {
        let ids = |count: u128| (0..count).map(Uuid::from_u128).collect();
        let key = AccessKey { id: "OL1-A".into(), secret: "s".into() };
        let [movers, great_movers, leavers, great_leavers] = [100; 4].map(ids);
        let (scim, users, groups) = ("mus_1_a".to_owned(), 4000, ids(1002));
        UserGroups { key, scim, users, groups, movers, great_movers, leavers, great_leavers }
    }

    #[test]
    fn groups_have_the_members_they_are_said_to_have() {
        for members in [STEP, 3 * STEP, 20 * STEP] {
            let block = block_length(members);
            let mut sizes: HashMap<usize, usize> = HashMap::new();
            for user in 0..BLOCKS * block {
                *sizes.entry(group_of(user, block)).or_default() += 1;
            }
            assert_eq!(sizes.len(), 2 * PAIRS + 2);
            assert!((0..2 * PAIRS).all(|group| sizes[&group] == FEW));
            assert_eq!((sizes[&GROUPS], sizes[&(GROUPS + 1)]), (members, members));
            let mut users = HashSet::new();
            for pair in 0..PAIRS {
                for n in [pair, pair + 1] {
                    let (small, great) = members_of(pair, n, block);
                    assert_eq!((group_of(small, block), group_of(great, block)), (2 * pair, GROUPS));
                    users.extend([small, great]);
                }
            }
            assert_eq!(users.len(), 4 * PAIRS);
        }
    }

    #[test]
    fn what_alternates_has_two_halves() {
        let groups = some();
        assert_eq!(groups.updates().len(), 2 * GROUPS);
        assert_eq!(groups.joins().len(), 2 * PAIRS);
        assert_eq!(groups.great_joins().len(), 2 * PAIRS);
    }
}
