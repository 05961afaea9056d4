//! Creating a user.

use super::{Role, User, UserPatch, UserStatus};
use crate::directory::ATTEMPTS;
use crate::user_group::Memberships;
use crate::{
    Access, Batch, Change, Ctx, Directory, Draft, Error, Guard, IdKind, JournalEntry, OrgUnitId, Problem,
    Store, StoreError, Unique, UserId, journal,
};

impl<S: Store> Directory<S> {
    /// Creates a user in an active unit of the caller's scope, by default the caller's own. It begins as an
    /// active Standard user with the unit's time zone.
    ///
    /// Errors: `Invalid` (no login; a unit that is unknown, out of scope or archived; an unknown group), `Duplicate`.
    pub async fn user_create(&self, ctx: &Ctx, draft: Draft<UserPatch>) -> Result<User, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: new, mut errors } = draft;
        if new.login.is_none() {
            errors.push("login", Problem::Required);
        }
        let unit_id = new.org_unit_id.unwrap_or(ctx.scope());
        let mut prepared = None;
        for _ in 0..ATTEMPTS {
            let unit = self.org_unit_usable(ctx, unit_id, "org_unit_id", &mut errors).await?;
            let groups = Memberships::none(UserId::default());
            let groups = self.user_groups_wished(ctx, groups, &new.user_group, &mut errors).await?;
            std::mem::take(&mut errors).finish()?;
            let Some(unit) = unit else {
                // It was checked above.
                break;
            };
            // Hashing a password is expensive: once, and only for a unit that is fit.
            let user = if let Some(user) = prepared.take() {
                user
            } else {
                let id = UserId(self.store.next_id(IdKind::User).await?);
                self.user_new(ctx, id, unit_id, &unit.unit.timezone, new.clone()).await?
            };
            let user = User { user_group_id: groups.after.primary(), ..user };
            let mut batch = user_batch(ctx, &user).guard(Guard::UnitActive(unit_id));
            if !groups.is_none() {
                batch = groups.of(user.id).add_to(ctx, ctx.now(), batch);
            }
            match self.store.commit(batch).await {
                Ok(()) => return Ok(user),
                Err(StoreError::GuardFailed | StoreError::Stale) => prepared = Some(user),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// A user that is not stored yet, its password hashed.
    pub(crate) async fn user_new(
        &self,
        ctx: &Ctx,
        id: UserId,
        org_unit_id: OrgUnitId,
        timezone: &str,
        mut new: UserPatch,
    ) -> Result<User, Error> {
        let password = new.password.take();
        let mut user = User {
            id,
            tenant: ctx.tenant(),
            uuid: self.entropy.uuid_at(ctx.now()),
            org_unit_id,
            login: String::new(),
            login_claimed: new.claims_login || password.is_some(),
            first_name: String::new(),
            last_name: String::new(),
            role: Role::Standard,
            status: UserStatus::Active,
            password_hash: None,
            external_id: None,
            timezone: timezone.to_owned(),
            aliases: None,
            agent_ring_to: None,
            agent_code: None,
            score_call: false,
            access_audio: false,
            group_access: 0,
            report_access: 0,
            avatar: None,
            document: None,
            user_group_id: None,
            version: 1,
            created_at: ctx.now(),
            modified_at: ctx.now(),
        };
        new.apply(&mut user, timezone);
        if let Some(password) = password {
            self.check_claim(&user).await?;
            user.password_hash = Some(self.passwords.hash(password, self.random()).await?);
        }
        Ok(user)
    }

    /// Refuses a login that somebody else can log in with, before a password is hashed for it. The rule itself
    /// is kept by the store when the user is written.
    pub(super) async fn check_claim(&self, user: &User) -> Result<(), Error> {
        let owner = self.store.user_by_claim(&user.login_key()).await?;
        if owner.is_some_and(|owner| owner.id != user.id) {
            return Err(Error::Duplicate(Unique::Login));
        }
        Ok(())
    }
}

/// The batch that stores a new user.
pub(crate) fn user_batch(ctx: &Ctx, user: &User) -> Batch {
    let payload = journal::created(user.fields());
    let entry =
        JournalEntry::new(ctx, "user.created", user.id, user.version, payload).in_unit(user.org_unit_id);
    Batch::new(ctx.tenant()).change(Change::UserInsert(Box::new(user.clone()))).journal(entry)
}
