//! Creating a user.

use secrecy::SecretString;

use super::{Role, User, UserStatus};
use crate::directory::ATTEMPTS;
use crate::{
    Access, Batch, Change, Ctx, Directory, Draft, Error, Guard, IdKind, JournalEntry, OrgUnitId, Store,
    StoreError, UserId, journal,
};

/// What a new user begins with.
#[derive(Debug)]
pub struct NewUser {
    /// Normalised and not empty.
    pub login: String,
    pub first_name: String,
    pub last_name: String,
    pub role: Role,
    /// Default: the caller's own unit.
    pub org_unit_id: Option<OrgUnitId>,
    /// A checked password; without one the user cannot log in.
    pub password: Option<SecretString>,
    /// Whether the login is to be unique over all tenants, even without a password.
    pub claims_login: bool,
}

impl<S: Store> Directory<S> {
    /// Creates a user in an active unit of the caller's scope; the time zone is the unit's.
    ///
    /// Errors: `Invalid` (a unit that is unknown, out of scope or archived), `Duplicate`.
    pub async fn user_create(&self, ctx: &Ctx, draft: Draft<NewUser>) -> Result<User, Error> {
        ctx.allow(Access::Write)?;
        let Draft { value: new, mut errors } = draft;
        let unit_id = new.org_unit_id.unwrap_or(ctx.scope());
        let mut prepared = None;
        for _ in 0..ATTEMPTS {
            let unit = self.org_unit_usable(ctx, unit_id, "org_unit_id", &mut errors).await?;
            std::mem::take(&mut errors).finish()?;
            let Some(unit) = unit else {
                // It was checked above.
                break;
            };
            // Hashing a password is expensive: once, and only for a unit that is fit.
            let mut user = if let Some(user) = prepared.take() {
                user
            } else {
                let id = UserId(self.store.next_id(IdKind::User).await?);
                self.user_new(ctx, id, unit_id, &new).await?
            };
            user.timezone = unit.unit.timezone;
            let batch = user_batch(ctx, &user).guard(Guard::UnitActive(unit_id));
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
        new: &NewUser,
    ) -> Result<User, Error> {
        let password_hash = match &new.password {
            Some(password) => Some(self.passwords.hash(password.clone(), self.random()).await?),
            None => None,
        };
        Ok(User {
            id,
            tenant: ctx.tenant(),
            uuid: self.entropy.uuid_at(ctx.now()),
            org_unit_id,
            login: new.login.clone(),
            login_claimed: new.claims_login || password_hash.is_some(),
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            role: new.role,
            status: UserStatus::Active,
            password_hash,
            external_id: None,
            timezone: String::new(),
            aliases: None,
            agent_ring_to: None,
            agent_code: None,
            score_call: false,
            access_audio: false,
            group_access: 0,
            report_access: 0,
            version: 1,
            created_at: ctx.now(),
            modified_at: ctx.now(),
        })
    }
}

/// The batch that stores a new user.
pub(crate) fn user_batch(ctx: &Ctx, user: &User) -> Batch {
    let payload = journal::created(user.fields());
    Batch::new(ctx.tenant()).change(Change::UserInsert(Box::new(user.clone()))).journal(JournalEntry::new(
        ctx,
        "user.created",
        user.id,
        user.version,
        payload,
    ))
}
