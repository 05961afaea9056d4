//! Who joins a group and who leaves it.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::change::check_precondition;
use super::memberships::members_entry;
use super::{MembershipChange, Memberships, UserGroup};
use crate::directory::ATTEMPTS;
use crate::user::{User, UserChange};
use crate::{
    Access, Batch, Ctx, Directory, Entity, Error, FieldErrors, Guard, Precondition, Problem, Store,
    StoreError, UserId,
};

/// Who is to join a group and who is to leave it. Whoever stands in both lists is in it afterwards.
#[derive(Clone, Debug, Default)]
pub struct MemberWishes {
    pub join: Vec<Uuid>,
    pub leave: Vec<Uuid>,
}

/// What stands in one batch for all who join or leave.
struct Plan {
    batch: Batch,
    left: Vec<UserId>,
    joined: Vec<UserId>,
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
        ctx.allow(Access::Write)?;
        let id = found.id;
        let mut found = Some(found);
        let mut uuids: Vec<Uuid> = wishes.join.iter().chain(&wishes.leave).copied().collect();
        uuids.sort_unstable();
        uuids.dedup();
        for _ in 0..ATTEMPTS {
            let group = match found.take() {
                Some(found) => found,
                None => self.user_group_get(ctx, id).await?,
            };
            let users = self.store.users_with_memberships(ctx.tenant(), uuids.clone()).await?;
            check_joining(&wishes, &users)?;
            check_precondition(precondition.as_ref(), &group)?;
            let Plan { mut batch, left, joined } = self.members_plan(ctx, &group, &wishes, users);
            if batch.changes.is_empty() {
                return Ok(group);
            }
            if precondition.is_some() {
                batch = batch.guard(Guard::UserGroupVersion { id, version: group.version });
            }
            let batch = batch.journal(members_entry(ctx, id, self.now(), &left, &joined));
            match self.store.commit(batch).await {
                Ok(()) => return self.user_group_get(ctx, id).await,
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    fn members_plan(
        &self,
        ctx: &Ctx,
        group: &UserGroup,
        wishes: &MemberWishes,
        users: Vec<(User, Memberships)>,
    ) -> Plan {
        let joining: HashSet<Uuid> = wishes.join.iter().copied().collect();
        let now = self.now();
        let mut plan = Plan { batch: Batch::new(ctx.tenant()), left: Vec::new(), joined: Vec::new() };
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
