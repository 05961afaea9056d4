//! Changing, moving, archiving and restoring an org unit.

use super::{Located, OrgUnit, OrgUnitPatch, OrgUnitStatus};
use crate::directory::{ATTEMPTS, check_precondition};
use crate::{
    Access, Batch, Change, Ctx, Directory, Draft, Error, FieldErrors, Guard, JournalEntry, Patch,
    Precondition, Rule, Store, StoreError, journal,
};

/// What a time zone falls back to where there is no parent.
const DEFAULT_TIMEZONE: &str = "UTC";

impl<S: Store> Directory<S> {
    /// Changes a unit that the caller has read with [`Directory::org_unit_get`]. A change that changes
    /// nothing commits nothing.
    ///
    /// Errors: `Invalid` (also a new parent that is unknown, out of scope or archived), `Precondition`,
    /// `Duplicate`, `Rule`, and `NotFound` when the unit left the caller's scope meanwhile.
    pub async fn org_unit_update(
        &self,
        ctx: &Ctx,
        found: Located,
        draft: Draft<OrgUnitPatch>,
        precondition: Option<Precondition<Located>>,
    ) -> Result<OrgUnit, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: patch, mut errors } = draft;
        let id = found.unit.id;
        // A move rests on the paths, and so does a precondition, since a level is part of the tag.
        let moves = |unit: &OrgUnit| patch.parent_id.is_some() && patch.parent_id != unit.parent_id;
        let mut rests_on_tree = precondition.is_some() || moves(&found.unit);
        let mut found = Some(found);
        for _ in 0..ATTEMPTS {
            let mut guards = Vec::new();
            if rests_on_tree {
                // The version has to be read before the paths that it vouches for.
                guards.push(Guard::TreeVersion(self.store.tree_version(ctx.tenant()).await?));
                found = None;
            }
            let current = match found.take() {
                Some(found) => found,
                None => self.org_unit_get(ctx, id).await?,
            };
            if moves(&current.unit) && !rests_on_tree {
                // Somebody else has moved it, so that keeping the parent has become a move.
                rests_on_tree = true;
                continue;
            }
            let parent = self.org_unit_parent_of(ctx, &current, &patch, &mut errors).await?;
            std::mem::take(&mut errors).finish()?;
            check_precondition(precondition.as_ref(), &current)?;

            let before = current.unit;
            let mut after = before.clone();
            let inherited = parent.as_ref().map_or(DEFAULT_TIMEZONE, |parent| parent.unit.timezone.as_str());
            patch.clone().apply(&mut after, inherited);
            let changes = journal::changed(before.fields(), after.fields());
            if changes.is_empty() {
                return Ok(before);
            }
            after.version = before.version + 1;
            // Decided now, not when the request began: a slow body must not set the time back.
            after.modified_at = self.now().max(before.modified_at);

            let moved = before.parent_id != after.parent_id;
            let step = Step { ctx, before: &before, after: &after, parent: parent.as_ref(), moved };
            step.check()?;
            if step.archives() && !self.store.org_unit_vacant(ctx.tenant(), id).await? {
                return Err(Error::Rule(Rule::NotVacant));
            }
            guards.extend(step.guards());
            let entry = JournalEntry::new(ctx, step.kind(), id, after.version, changes);
            let entry = JournalEntry { at: after.modified_at, ..entry }.in_unit(id);
            let mut batch = Batch::new(ctx.tenant()).journal(entry);
            batch.guards = guards;
            batch.changes.push(Change::OrgUnitUpdate {
                unit: Box::new(after.clone()),
                in_place: before.has_place_of(&after),
            });
            if moved {
                batch.changes.push(Change::TreeChanged);
            }
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(StoreError::GuardFailed | StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Archives a unit. Errors as of [`Directory::org_unit_update`].
    pub async fn org_unit_archive(
        &self,
        ctx: &Ctx,
        found: Located,
        precondition: Option<Precondition<Located>>,
    ) -> Result<OrgUnit, Error> {
        let patch = OrgUnitPatch { status: Some(OrgUnitStatus::Inactive), ..OrgUnitPatch::default() };
        self.org_unit_update(ctx, found, patch.into(), precondition).await
    }

    /// The parent that the unit will have, where the change rests on it: on a move (in scope and
    /// active, else a failing field), on a restoration, and where the time zone is inherited.
    async fn org_unit_parent_of(
        &self,
        ctx: &Ctx,
        found: &Located,
        patch: &OrgUnitPatch,
        errors: &mut FieldErrors,
    ) -> Result<Option<Located>, Error> {
        let stored = found.unit.parent_id;
        if let Some(wanted) = patch.parent_id.filter(|wanted| Some(*wanted) != stored) {
            return self.org_unit_usable(ctx, wanted, "parent_id", errors).await;
        }
        let restored = patch.status == Some(OrgUnitStatus::Active) && !found.unit.is_active();
        match stored {
            // The stored parent may lie above the caller's scope.
            Some(parent) if restored || patch.timezone == Patch::Clear => {
                Ok(self.store.org_unit_located(ctx.tenant(), parent).await?)
            }
            _ => Ok(None),
        }
    }
}

/// One decided change of a unit.
struct Step<'a> {
    ctx: &'a Ctx,
    before: &'a OrgUnit,
    after: &'a OrgUnit,
    parent: Option<&'a Located>,
    moved: bool,
}

impl Step<'_> {
    fn archives(&self) -> bool {
        self.before.is_active() && !self.after.is_active()
    }

    fn restores(&self) -> bool {
        !self.before.is_active() && self.after.is_active()
    }

    fn check(&self) -> Result<(), Error> {
        if self.moved {
            if self.before.parent_id.is_none() {
                return Err(Error::Rule(Rule::TopMoved));
            }
            if self.before.id == self.ctx.scope() {
                return Err(Error::Rule(Rule::OwnUnitMoved));
            }
            if let Some(parent) = self.parent {
                parent.check_as_parent_of(Some(self.before.id)).map_err(Error::Rule)?;
            }
        }
        if self.archives() {
            // The caller's own unit and the top always stay (Convirza contract, section 4).
            if self.before.parent_id.is_none() {
                return Err(Error::Rule(Rule::TopArchived));
            }
            if self.before.id == self.ctx.scope() {
                return Err(Error::Rule(Rule::OwnUnitArchived));
            }
        }
        if self.restores() && self.parent.is_some_and(|parent| !parent.unit.is_active()) {
            return Err(Error::Rule(Rule::ParentArchived));
        }
        Ok(())
    }

    /// What the decision rests on besides the unit's own version.
    fn guards(&self) -> impl Iterator<Item = Guard> {
        let new_parent = self.after.parent_id.filter(|_| self.moved || self.restores());
        let vacant = self.archives().then_some(Guard::UnitVacant(self.before.id));
        new_parent.map(Guard::UnitActive).into_iter().chain(vacant)
    }

    fn kind(&self) -> &'static str {
        if self.moved {
            "org_unit.moved"
        } else if self.archives() {
            "org_unit.archived"
        } else if self.restores() {
            "org_unit.restored"
        } else {
            "org_unit.updated"
        }
    }
}
