//! Creating a tenant with all it needs to be used: its top unit, its admin, a credential per dialect.

use serde_json::json;

use super::{Tenant, TenantStatus};
use crate::credential::{self, CredentialWish, NewCredential};
use crate::message::Tier;
use crate::org_unit::OrgUnit;
use crate::secret::ServerKey;
use crate::user::{Role, User, UserPatch};
use crate::{
    Change, Ctx, Dialect, Directory, Error, IdKind, JournalEntry, OrgUnitId, Problem, Store, TenantId,
    UserId, journal, user,
};

/// What a new tenant begins with.
#[derive(Debug)]
pub struct NewTenant {
    /// Normalised, 1–255 characters.
    pub name: String,
    /// See [`super::country`].
    pub country: String,
    /// The first Admin, in the top unit; it needs a login, its role and unit are set here.
    pub admin: UserPatch,
    /// An IANA name, for the top unit.
    pub timezone: String,
}

/// A new tenant; the secrets in it are shown once.
#[derive(Debug)]
pub struct TenantCredentials {
    pub tenant: Tenant,
    pub admin: User,
    pub lox24: NewCredential,
    pub onlive: NewCredential,
    pub scim: NewCredential,
}

impl<S: Store> Directory<S> {
    /// Creates a tenant in one transaction. Errors: `Invalid` for an admin without a login,
    /// `Duplicate(Login)` when that is claimed in any tenant.
    pub async fn tenant_create(&self, key: &ServerKey, new: NewTenant) -> Result<TenantCredentials, Error> {
        if new.admin.login.is_none() {
            return Err(Error::field("login", Problem::Required));
        }
        let id = TenantId(self.store.next_id(IdKind::Tenant).await?);
        let top = OrgUnitId(self.store.next_id(IdKind::OrgUnit).await?);
        let admin_id = UserId(self.store.next_id(IdKind::User).await?);
        let now = self.now();
        let ctx = Ctx::operator(id, top, now);
        let tenant = Tenant {
            id,
            organization_id: self.entropy.uuid(),
            name: new.name,
            country: new.country,
            currency: "EUR".to_owned(),
            status: TenantStatus::Active,
            top_org_unit_id: top,
            tier: Tier::default(),
            version: 1,
            created_at: now,
            modified_at: now,
        };
        let unit = OrgUnit::new(id, top, None, tenant.name.clone(), new.timezone.clone(), now);
        let admin = UserPatch { role: Some(Role::Admin), org_unit_id: None, claims_login: true, ..new.admin };
        let admin = self.user_new(&ctx, admin_id, top, &new.timezone, admin).await?;
        let lox24 = self.credential_new(&ctx, key, CredentialWish::default_of(Dialect::Lox24)).await?;
        let onlive = self.credential_new(&ctx, key, CredentialWish::default_of(Dialect::Onlive)).await?;
        let scim = self.credential_new(&ctx, key, CredentialWish::default_of(Dialect::Scim)).await?;

        let made = journal::created(vec![("name", json!(tenant.name)), ("country", json!(tenant.country))]);
        let top_made = journal::created(vec![("name", json!(unit.name)), ("timezone", json!(unit.timezone))]);
        let mut batch = user::user_batch(&ctx, &admin);
        batch.changes.splice(
            0..0,
            [Change::TenantInsert(Box::new(tenant.clone())), Change::OrgUnitInsert(Box::new(unit))],
        );
        batch.journal.splice(
            0..0,
            [
                JournalEntry::new(&ctx, "tenant.created", id, 1, made),
                JournalEntry::new(&ctx, "org_unit.created", top, 1, top_made).in_unit(top),
            ],
        );
        for new in [&lox24, &onlive, &scim] {
            batch = credential::insert(&ctx, batch, &new.credential, key);
        }
        self.store.commit(batch).await?;
        Ok(TenantCredentials { tenant, admin, lox24, onlive, scim })
    }
}
