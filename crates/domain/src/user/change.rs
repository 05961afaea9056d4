//! One decided change of a stored user, from whichever use case.

use serde_json::json;
use uuid::Uuid;

use super::{User, UserView};
use crate::directory::check_precondition;
use crate::user_group::{MembershipChange, Memberships};
use crate::{
    Batch, Change, Ctx, Directory, Error, FieldErrors, Guard, JournalEntry, Patch, Problem, Rule, Store,
    Timestamp, UserGroupId, journal,
};

/// A user as it was read and as it shall be, with its groups where they are part of the change.
pub(crate) struct UserChange {
    pub(super) before: User,
    /// Its version and modified time are set by [`UserChange::batch`].
    pub(super) after: User,
    /// The one log-in whose tokens a new password leaves alone.
    pub(super) keeps: Option<Uuid>,
    /// What follows for the primary group is set by [`UserChange::batch`].
    pub(super) groups: Option<MembershipChange>,
}

impl UserChange {
    pub(super) fn new(before: User, after: User) -> Self {
        Self { before, after, keeps: None, groups: None }
    }

    /// The user stays as it is, but for its groups.
    pub(crate) fn of_groups(user: User, groups: MembershipChange) -> Self {
        Self::new(user.clone(), user).with_groups(Some(groups))
    }

    pub(super) fn with_groups(mut self, groups: Option<MembershipChange>) -> Self {
        if let Some(groups) = &groups {
            // The user may have been read before its groups were.
            self.before.user_group_id = groups.before.primary();
            self.after.user_group_id = groups.after.primary();
        }
        self.groups = groups.filter(|groups| !groups.is_none());
        self
    }

    /// The user as it will be stored and the batch for it, or `None` when nothing changes. A user whose primary group
    /// stays is not changed by its other groups.
    pub(crate) fn batch(mut self, ctx: &Ctx, now: Timestamp) -> Option<(User, Batch)> {
        let mut fields = journal::changed(self.before.fields(), self.after.fields());
        let new_password = self.before.password_hash != self.after.password_hash;
        // The same may be told again after another dialect has changed a column: from then on it holds again.
        let told = self.before.document != self.after.document;
        if fields.is_empty() && !new_password && !told {
            let groups = self.groups?;
            let batch = groups.add_to(ctx, now, Batch::new(ctx.tenant()));
            // Nobody joins a group that was deleted or erased meanwhile.
            let guard = Guard::UserVersion { id: self.before.id, version: self.before.version };
            return Some((self.before, batch.guard(guard)));
        }
        let only_password = new_password && fields.keys().all(|field| field == "has_password");
        if new_password && !only_password {
            fields.insert("password_changed".to_owned(), json!([false, true]));
        }
        let kind = if self.after.is_deleted() {
            "user.deleted"
        } else if only_password {
            fields.clear();
            "user.password_changed"
        } else {
            "user.updated"
        };
        self.stamp(now);
        let entry = JournalEntry::new(ctx, kind, self.after.id, self.after.version, fields);
        Some(self.into_batch(ctx, entry))
    }

    /// The batch of a permanent deletion, which the journal notes without a word about the person; what it
    /// said of the person before is emptied.
    pub(super) fn erasure(mut self, ctx: &Ctx, now: Timestamp) -> (User, Batch) {
        self.stamp(now);
        let payload = serde_json::Map::new();
        let entry = JournalEntry::new(ctx, "user.erased", self.after.id, self.after.version, payload);
        let forget = Change::UserJournalForget(self.after.id);
        let (after, batch) = self.into_batch(ctx, entry);
        (after, batch.change(forget))
    }

    /// Whether anything changes at all.
    pub(super) fn is_some(&self) -> bool {
        self.before != self.after || self.groups.is_some()
    }

    fn stamp(&mut self, now: Timestamp) {
        self.after.version = self.before.version + 1;
        // Decided now, not when the request began: a slow body must not set the time back.
        self.after.modified_at = now.max(self.before.modified_at);
    }

    fn into_batch(self, ctx: &Ctx, entry: JournalEntry) -> (User, Batch) {
        let Self { before, after, keeps, groups } = self;
        let left = before.is_active() && !after.is_active();
        let new_password = before.password_hash != after.password_hash;
        let change = Change::UserUpdate { before: Box::new(before), after: Box::new(after.clone()) };
        let entry = JournalEntry { at: after.modified_at, ..entry }.in_unit(after.org_unit_id);
        let mut batch = Batch::new(ctx.tenant()).change(change).journal(entry);
        if left || new_password {
            let keep = keeps.filter(|_| !left);
            batch = batch.change(Change::UserTokensDelete { user: after.id, keep });
        }
        if let Some(groups) = groups {
            batch = groups.add_to(ctx, after.modified_at, batch);
        }
        (after, batch)
    }
}

impl<S: Store> Directory<S> {
    /// What becomes of the groups of a user when this primary group is wished for. One that is new to the user and
    /// unknown is a failing field.
    pub(super) async fn user_groups_wished(
        &self,
        ctx: &Ctx,
        before: Memberships,
        wish: &Patch<UserGroupId>,
        errors: &mut FieldErrors,
    ) -> Result<MembershipChange, Error> {
        if let Patch::Set(group) = *wish
            && !before.contains(group)
            && self.store.user_group(ctx.tenant(), group).await?.is_none()
        {
            errors.push("user_group_id", Problem::Unknown("user group"));
        }
        let after = before.clone().wish(wish, self.now());
        Ok(MembershipChange { before, after })
    }

    /// The rule of the last admin: an active Admin of the top unit remains, one with a password if any has one.
    /// Gives the guard that keeps it true until the change is written. Errors: `Rule::LastAdmin`.
    pub(super) async fn check_admin_remains(
        &self,
        ctx: &Ctx,
        before: &User,
        after: &User,
    ) -> Result<Option<Guard>, Error> {
        if !before.governs(ctx.top()) || after.governs(ctx.top()) {
            return Ok(None);
        }
        // The others' passwords do not change with this user: only one who has a password can be missed.
        let with_password = before.password_hash.is_some();
        if !self.store.admin_remains(ctx.tenant(), before.id, with_password).await? {
            return Err(Error::Rule(Rule::LastAdmin));
        }
        Ok(Some(Guard::AdminRemains { besides: before.id, with_password }))
    }
}

/// Refuses a change whose precondition does not hold, and gives the guards that keep it true until the change is written.
pub(super) fn precondition_guards(
    precondition: Option<&crate::Precondition<UserView>>,
    current: &UserView,
) -> Result<Vec<Guard>, Error> {
    check_precondition(precondition, current)?;
    Ok(precondition.map_or_else(Vec::new, |_| current.guards().collect()))
}
