//! Deleting a user group.

use serde_json::Map;

use super::UserGroup;
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Batch, Change, Ctx, Directory, Ended, Error, Guard, JournalEntry, Precondition, Rule, Store,
    StoreError,
};

/// What becomes of the members of a group that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithMembers {
    /// A group that has some is not deleted (Onlive contract, section 3).
    Refuse,
    /// Their memberships end (SCIM contract).
    Drop,
}

impl<S: Store> Directory<S> {
    /// Deletes a group that the caller has read, for good: it and its memberships are gone for every reader, its
    /// external id is free again. Their rows are removed by [`Directory::user_groups_reap`]. The group as it was, and as
    /// it ended, its modified time being that of its end.
    ///
    /// Errors: `Precondition`, `Rule::UserGroupHasMembers`, `NotFound` when it is gone already.
    pub async fn user_group_delete(
        &self,
        ctx: &Ctx,
        found: UserGroup,
        members: WithMembers,
        precondition: Option<Precondition<UserGroup>>,
    ) -> Result<Ended<UserGroup>, Error> {
        ctx.allow(Access::Write)?;
        let id = found.id;
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let group = match found.take() {
                Some(found) => found,
                None => self.user_group_get(ctx, id).await?,
            };
            check_precondition(precondition.as_ref(), &group)?;
            let mut batch = Batch::new(ctx.tenant());
            if members == WithMembers::Refuse {
                if group.members > 0 {
                    // What the caller has read may be old by now, and nothing else would tell.
                    let stored = self.user_group_get(ctx, id).await?;
                    if stored.members > 0 {
                        return Err(Error::Rule(Rule::UserGroupHasMembers));
                    }
                    continue;
                }
                batch = batch.guard(Guard::UserGroupVacant(id));
            }
            let at = self.now().max(group.modified_at);
            let after = UserGroup { version: group.version + 1, modified_at: at, ..group.clone() };
            let entry = JournalEntry::new(ctx, "user_group.deleted", id, after.version, Map::new());
            let batch = batch
                .change(Change::UserGroupDelete { id, version: group.version, at })
                .journal(JournalEntry { at, ..entry });
            match self.store.commit(batch).await {
                Ok(()) => return Ok(Ended { before: group, after }),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }
}
