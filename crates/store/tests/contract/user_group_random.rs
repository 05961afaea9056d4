//! Random sequences of everything that is done with user groups and their members, against a model in memory.

use std::collections::BTreeMap;

use muster_domain::user::{User, UserFilter, UserOrder, UserPatch, UserSort};
use muster_domain::user_group::{MemberWishes, UserGroup, UserGroupPatch};
use muster_domain::{Error, Patch, Rule, Unique, UserGroupId, UserId};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::contact_books::ALL;
use crate::random::try_cases;
use crate::support::Backend;
use crate::user_books::{in_group, in_no_group, joining};
use crate::world::{Org, World, with_login};

contract![random_operations_do_what_a_model_does];

#[derive(Clone, Debug)]
enum Operation {
    Create { external_id: Option<usize> },
    Change { group: usize, external_id: Option<usize> },
    Delete { group: usize, spare: bool },
    CreateUser { group: Option<usize> },
    Set { user: usize, group: Option<usize> },
    Members { group: usize, join: Vec<usize>, leave: Vec<usize> },
    End { user: usize, erase: bool },
    Reap,
}

fn operation() -> impl Strategy<Value = Operation> {
    let any = || 0..usize::MAX;
    let some = || prop::collection::vec(0..usize::MAX, 0..4);
    let external_id = || prop::option::of(0..4_usize);
    prop_oneof![
        3 => external_id().prop_map(|external_id| Operation::Create { external_id }),
        2 => (any(), external_id()).prop_map(|(group, external_id)| Operation::Change { group, external_id }),
        2 => (any(), prop::bool::ANY).prop_map(|(group, spare)| Operation::Delete { group, spare }),
        3 => prop::option::of(any()).prop_map(|group| Operation::CreateUser { group }),
        6 => (any(), prop::option::weighted(0.8, any())).prop_map(|(user, group)| Operation::Set { user, group }),
        8 => (any(), some(), some()).prop_map(|(group, join, leave)| Operation::Members { group, join, leave }),
        2 => (any(), prop::bool::ANY).prop_map(|(user, erase)| Operation::End { user, erase }),
        1 => Just(Operation::Reap),
    ]
}

struct Case<'a, B: Backend> {
    world: &'a World<B>,
    org: &'a Org,
    /// The external id of each, as it is compared, and its version.
    groups: BTreeMap<UserGroupId, (Option<usize>, i64)>,
    /// Each with its groups, the primary one first, then by how long.
    users: Vec<(User, Vec<UserGroupId>)>,
    made: usize,
}

impl<B: Backend> Case<'_, B> {
    fn group(&self, n: usize) -> Option<UserGroupId> {
        self.groups.keys().nth(n.checked_rem(self.groups.len())?).copied()
    }

    fn pick(&self, n: usize) -> Option<usize> {
        n.checked_rem(self.users.len())
    }

    fn is_taken(&self, by: Option<UserGroupId>, external_id: Option<usize>) -> bool {
        external_id.is_some()
            && self.groups.iter().any(|(id, (taken, _))| Some(*id) != by && *taken == external_id)
    }

    fn raise(&mut self, group: UserGroupId) {
        if let Some((_, version)) = self.groups.get_mut(&group) {
            *version += 1;
        }
    }

    /// The groups of a user become these; those that it joins or leaves are changed by it.
    fn put(&mut self, user: usize, after: &[UserGroupId]) {
        let before = std::mem::replace(&mut self.users[user].1, after.to_vec());
        for group in before.iter().filter(|group| !after.contains(group)) {
            self.raise(*group);
        }
        for group in after.iter().filter(|group| !before.contains(group)) {
            self.raise(*group);
        }
    }

    async fn set(&mut self, user: usize, group: Option<usize>) -> TestCaseResult {
        let (stored, before) = self.users[user].clone();
        let wanted = group.and_then(|n| self.group(n));
        let patch = wanted.map_or_else(in_no_group, in_group);
        let after = self.world.update_user(self.org, stored.id, patch).await.unwrap();
        let mut groups = before.clone();
        if before.first() != wanted.as_ref() || wanted.is_none() {
            groups.retain(|group| Some(group) != before.first() && Some(*group) != wanted);
            groups.splice(0..0, wanted);
        }
        self.put(user, &groups);
        prop_assert_eq!(after.user_group_id, self.users[user].1.first().copied());
        Ok(())
    }

    async fn members(&mut self, group: UserGroupId, join: &[usize], leave: &[usize]) -> TestCaseResult {
        let uuids =
            |of: &[usize]| of.iter().filter_map(|n| self.pick(*n)).map(|n| self.users[n].0.uuid).collect();
        let wishes = MemberWishes { join: uuids(join), leave: uuids(leave) };
        let after = self.world.change_members(self.org, group, wishes).await.unwrap();
        let (join, leave): (Vec<_>, Vec<_>) = (
            join.iter().filter_map(|n| self.pick(*n)).collect(),
            leave.iter().filter_map(|n| self.pick(*n)).collect(),
        );
        for user in 0..self.users.len() {
            let mut groups = self.users[user].1.clone();
            if join.contains(&user) {
                if !groups.contains(&group) {
                    groups.push(group);
                }
            } else if leave.contains(&user) {
                groups.retain(|of| *of != group);
            }
            self.put(user, &groups);
        }
        prop_assert_eq!(after.version, self.groups[&group].1);
        Ok(())
    }

    async fn reap(&self) -> TestCaseResult {
        let (world, org) = (self.world, self.org);
        world.directory.user_groups_reap().await.unwrap();
        let rows = world.backend.look(&format!(
            "SELECT (SELECT COUNT(*) FROM user_groups WHERE tenant_id = {0})
                  + (SELECT COUNT(*) FROM user_group_members WHERE tenant_id = {0})",
            org.tenant
        ));
        let members: usize = self.users.iter().map(|(_, groups)| groups.len()).sum();
        prop_assert_eq!(usize::try_from(rows).unwrap(), self.groups.len() + members);
        Ok(())
    }

    async fn carry_out(&mut self, operation: Operation) -> TestCaseResult {
        let (world, org) = (self.world, self.org);
        let external = |id: Option<usize>| id.map_or(Patch::Clear, |n| Patch::Set(format!("EXT {n}")));
        match operation {
            Operation::Create { external_id } => {
                let name = Some(format!("group {}", self.made));
                let new =
                    UserGroupPatch { name, external_id: external(external_id), ..UserGroupPatch::default() };
                match world.directory.user_group_create(&org.ctx, new.into()).await {
                    Ok(group) => {
                        prop_assert!(!self.is_taken(None, external_id));
                        self.groups.insert(group.id, (external_id, 1));
                    }
                    Err(Error::Duplicate(Unique::UserGroupExternalId)) => {
                        prop_assert!(self.is_taken(None, external_id));
                    }
                    Err(error) => prop_assert!(false, "{}", error),
                }
            }
            Operation::Change { group, external_id } => {
                let Some(group) = self.group(group) else { return Ok(()) };
                let patch =
                    UserGroupPatch { external_id: external(external_id), ..UserGroupPatch::default() };
                match world.update_user_group(org, group, patch).await {
                    Ok(_) => {
                        prop_assert!(!self.is_taken(Some(group), external_id));
                        let (stored, version) = self.groups.get_mut(&group).unwrap();
                        *version += i64::from(*stored != external_id);
                        *stored = external_id;
                    }
                    Err(Error::Duplicate(Unique::UserGroupExternalId)) => {
                        prop_assert!(self.is_taken(Some(group), external_id));
                    }
                    Err(error) => prop_assert!(false, "{}", error),
                }
            }
            Operation::Delete { group, spare } => {
                let Some(group) = self.group(group) else { return Ok(()) };
                let has_members = self.users.iter().any(|(_, groups)| groups.contains(&group));
                let outcome = if spare {
                    world.spare_user_group(org, group).await
                } else {
                    world.drop_user_group(org, group).await
                };
                match outcome {
                    Err(Error::Rule(Rule::UserGroupHasMembers)) => prop_assert!(spare && has_members),
                    outcome => {
                        prop_assert!(outcome.is_ok() && !(spare && has_members));
                        self.groups.remove(&group);
                        self.users.iter_mut().for_each(|(_, groups)| groups.retain(|of| *of != group));
                    }
                }
            }
            Operation::CreateUser { group } => {
                self.made += 1;
                let group = group.and_then(|n| self.group(n));
                let new = UserPatch {
                    user_group: group.map_or(Patch::Keep, Patch::Set),
                    ..with_login(&format!("user {}", self.made))
                };
                let user = world.create_user(org, new).await.unwrap();
                self.users.push((user, Vec::new()));
                self.put(self.users.len() - 1, group.as_slice());
            }
            Operation::Set { user, group } => {
                let Some(user) = self.pick(user) else { return Ok(()) };
                self.set(user, group).await?;
            }
            Operation::Members { group, join, leave } => {
                let Some(group) = self.group(group) else { return Ok(()) };
                self.members(group, &join, &leave).await?;
            }
            Operation::End { user, erase } => {
                let Some(user) = self.pick(user) else { return Ok(()) };
                self.put(user, &[]);
                let (gone, _) = self.users.remove(user);
                let ended = if erase {
                    world.erase_user(org, gone.id).await
                } else {
                    world.delete_user(org, gone.id).await
                };
                prop_assert_eq!(ended.unwrap().user_group_id, None);
                let group = self.groups.keys().next();
                if let Some(group) = group {
                    let outcome = world.change_members(org, *group, joining([&gone])).await;
                    prop_assert!(matches!(outcome, Err(Error::Invalid(_))));
                }
            }
            Operation::Reap => self.reap().await?,
        }
        self.compare().await
    }

    async fn compare(&self) -> TestCaseResult {
        let (world, org) = (self.world, self.org);
        let page = world.directory.user_group_list(&org.ctx, None, ALL).await.unwrap();
        prop_assert_eq!(page.total, self.groups.len() as u64);
        // All are made at one time, so that their ids decide.
        let stored: Vec<UserGroupId> = page.items.iter().rev().map(|group| group.id).collect();
        prop_assert_eq!(stored, self.groups.keys().copied().collect::<Vec<_>>());
        for UserGroup { id, members, version, .. } in page.items {
            let expected: Vec<UserId> = self
                .users
                .iter()
                .filter(|(_, groups)| groups.contains(&id))
                .map(|(user, _)| user.id)
                .collect();
            prop_assert_eq!((members, version), (expected.len() as u64, self.groups[&id].1));
            let found = world.directory.user_group_members(&org.ctx, id, UserId(0), 999).await.unwrap();
            prop_assert_eq!(found.iter().map(|member| member.user).collect::<Vec<_>>(), &expected[..]);
            for member in found {
                let (_, groups) = self.users.iter().find(|(user, _)| user.id == member.user).unwrap();
                prop_assert_eq!(member.primary, groups.first() == Some(&id));
            }
            let filter = UserFilter { user_group: Some(id), ..UserFilter::default() };
            let order = UserOrder { by: UserSort::Created, descending: false };
            let listed = world.directory.user_list(&org.ctx, None, filter, order, ALL).await.unwrap();
            prop_assert_eq!(listed.total, expected.len() as u64);
            prop_assert_eq!(listed.items.iter().map(|view| view.user.id).collect::<Vec<_>>(), expected);
        }
        for (user, groups) in &self.users {
            prop_assert_eq!(&world.groups_of(org, user.id).await, groups);
            prop_assert_eq!(world.stored_user(user).await.user_group_id, groups.first().copied());
        }
        Ok(())
    }
}

async fn case<B: Backend>(operations: Vec<Operation>) -> TestCaseResult {
    let world = World::<B>::new();
    let (org, other) = (world.org("acme").await, world.org("other").await);
    let theirs = world.user_group(&other, "theirs").await;
    world.change_members(&other, theirs.id, joining([&other.admin])).await.unwrap();
    let beside = world.backend.dump_of(Some(other.tenant));
    let (groups, users, made) = (BTreeMap::new(), Vec::new(), 0);
    let mut case = Case { world: &world, org: &org, groups, users, made };
    for operation in operations {
        case.carry_out(operation).await?;
    }
    world.journal(&org).await;
    world.is_sound().await;
    prop_assert_eq!(world.backend.dump_of(Some(other.tenant)), beside);
    Ok(())
}

async fn random_operations_do_what_a_model_does<B: Backend>() {
    try_cases::<B, _, _>(16, prop::collection::vec(operation(), 1..60), case::<B>);
}
