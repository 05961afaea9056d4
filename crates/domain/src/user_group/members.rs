//! Who joins a group and who leaves it.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

pub(super) use super::memberships::members_entry;
use super::{MembershipChange, Memberships, UserGroup, UserGroupPatch};
use crate::user::{User, UserChange};
use crate::{
    Batch, Ctx, Directory, Entity, Error, FieldErrors, Precondition, Problem, Store, Timestamp, UserId,
};

/// Members of a group that shall be replaced are read in steps of so many.
const STEP: u32 = 1000;

/// Who is to join a group and who is to leave it. Whoever stands in both lists is in it afterwards.
#[derive(Clone, Debug, Default)]
pub struct MemberWishes {
    pub join: Vec<Uuid>,
    pub leave: Vec<Uuid>,
}

/// What is wanted of the members of a group, taking all together.
#[derive(Clone, Debug, Default)]
pub struct MembersWanted {
    pub wishes: MemberWishes,
    /// Whoever is in the group and does not join leaves.
    pub replaces: bool,
    /// Whoever shall join and is no user, or a deleted one, is passed over; else that is an error.
    pub passes_over_unknown: bool,
}

/// What stands in one batch for all who join or leave.
pub(super) struct Plan {
    pub(super) batch: Batch,
    pub(super) left: Vec<UserId>,
    pub(super) joined: Vec<UserId>,
    pub(super) at: Timestamp,
}

impl<S: Store> Directory<S> {
    /// Lets users join and leave a group that the caller has read, all of them or none. What becomes of their primary
    /// groups follows. Whoever is in the group already, or is not in it, is passed over; if that is everybody, nothing
    /// is committed.
    ///
    /// Errors: `Invalid` with `members[n]` for each of those who shall join that is no user, or a deleted one;
    /// `Precondition`; `NotFound` when the group is gone meanwhile.
    pub async fn user_group_members_change(
        &self,
        ctx: &Ctx,
        found: UserGroup,
        wishes: MemberWishes,
        precondition: Option<Precondition<UserGroup>>,
    ) -> Result<UserGroup, Error> {
        let members = MembersWanted { wishes, ..MembersWanted::default() };
        self.user_group_change(ctx, found, UserGroupPatch::default().into(), members, precondition).await
    }

    /// Who joins and who leaves, as things are now; `None` when nobody does.
    pub(super) async fn members_plan(
        &self,
        ctx: &Ctx,
        group: &UserGroup,
        wanted: &MembersWanted,
    ) -> Result<Option<Plan>, Error> {
        let MemberWishes { join, leave } = &wanted.wishes;
        let mut uuids: Vec<Uuid> = join.iter().chain(leave).copied().collect();
        if wanted.replaces && group.members > 0 {
            let mut after = UserId(0);
            loop {
                let members = self.user_group_members(ctx, group.id, after, STEP).await?;
                let Some(last) = members.last() else { break };
                after = last.user;
                uuids.extend(members.iter().map(|member| member.uuid));
            }
        }
        uuids.sort_unstable();
        uuids.dedup();
        if uuids.is_empty() {
            return Ok(None);
        }
        let users = self.store.users_with_memberships(ctx.tenant(), uuids).await?;
        if !wanted.passes_over_unknown {
            check_joining(&wanted.wishes, &users)?;
        }
        let plan = self.plan_of(ctx, group, join, users);
        Ok((!plan.batch.changes.is_empty()).then_some(plan))
    }

    fn plan_of(&self, ctx: &Ctx, group: &UserGroup, join: &[Uuid], users: Vec<(User, Memberships)>) -> Plan {
        let joining: HashSet<Uuid> = join.iter().copied().collect();
        let now = self.now();
        let batch = Batch::new(ctx.tenant());
        let mut plan = Plan { batch, left: Vec::new(), joined: Vec::new(), at: now };
        for (user, before) in users.into_iter().filter(|(user, _)| !user.is_deleted()) {
            let (id, joins) = (user.id, joining.contains(&user.uuid));
            let after =
                if joins { before.clone().joined(group.id, now) } else { before.clone().left(group.id) };
            let change = UserChange::of_groups(user, MembershipChange { before, after });
            let Some((_, batch)) = change.batch(ctx, now) else {
                continue;
            };
            if joins { &mut plan.joined } else { &mut plan.left }.push(id);
            plan.batch.guards.extend(batch.guards);
            plan.batch.changes.extend(batch.changes);
            // Of the group there is one entry about all of them.
            let of_users = batch.journal.into_iter().filter(|entry| entry.entity == Entity::User.as_str());
            plan.batch.journal.extend(of_users);
        }
        plan
    }
}

fn check_joining(wishes: &MemberWishes, users: &[(User, Memberships)]) -> Result<(), Error> {
    let known: HashMap<Uuid, &User> = users.iter().map(|(user, _)| (user.uuid, user)).collect();
    let mut errors = FieldErrors::default();
    for (n, uuid) in wishes.join.iter().enumerate() {
        if known.get(uuid).is_none_or(|user| user.is_deleted()) {
            errors.add(format!("members[{n}]"), Problem::Unknown("user"));
        }
    }
    errors.finish()
}
