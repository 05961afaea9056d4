//! User groups and their members, in a tenant of their own: the users of the other rows stay as many as they are.

use std::net::SocketAddr;

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
    /// The small ones in pairs first, the great pair last.
    groups: Vec<Uuid>,
    /// Of each small pair one member of its first group.
    movers: Vec<Uuid>,
    /// As many members of the first great group.
    great_movers: Vec<Uuid>,
}

impl UserGroups {
    /// Makes the groups, the great ones with so many members each.
    pub(super) async fn fill(address: SocketAddr, key: AccessKey, members: usize) -> anyhow::Result<Self> {
        let writer = Writer { address, caller: Caller::Signs(key.clone()) };
        let groups = fill::user_groups(&writer, GROUPS + 2).await?;
        let block = block_length(members);
        let of = groups.clone();
        let users = fill::members(&writer, BLOCKS * block, move |user| of[group_of(user, block)]).await?;
        let (movers, great_movers) = (0..PAIRS).map(|pair| movers(pair, block)).unzip();
        let ids = |numbers: Vec<usize>| numbers.into_iter().map(|number| users[number]).collect();
        Ok(Self { key, groups, movers: ids(movers), great_movers: ids(great_movers) })
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

/// A member of the first group of a small pair, and its neighbour, who is one of the first great group.
const fn movers(pair: usize, block_length: usize) -> (usize, usize) {
    let user = (pair % FEW * 2 * PAIRS + 2 * pair) * block_length;
    (user, user + 1)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    pub(in super::super) fn some() -> UserGroups {
        let ids = |count: u128| (0..count).map(Uuid::from_u128).collect();
        let key = AccessKey { id: "OL1-A".into(), secret: "s".into() };
        UserGroups { key, groups: ids(1002), movers: ids(100), great_movers: ids(100) }
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
                let (small, great) = movers(pair, block);
                assert_eq!((group_of(small, block), group_of(great, block)), (2 * pair, GROUPS));
                users.extend([small, great]);
            }
            assert_eq!(users.len(), 2 * PAIRS);
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
