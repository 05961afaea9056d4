//! Tenants: organisations, each with its tree, users and credentials. No tenant sees another's data.

mod account;
mod billing;
mod create;
mod update;

use uuid::Uuid;

use crate::message::Tier;
use crate::{OrgUnitId, Problem, StoreError, TenantId, Timestamp};

pub use billing::BillingPatch;
pub use create::{NewTenant, TenantCredentials};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantStatus {
    Active,
    /// Nobody of the tenant gets in.
    Disabled,
    /// As disabled, and for good: what it owns is being removed.
    Deleting,
}

impl TenantStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deleting => "being deleted",
        }
    }
}

/// The longest name, in characters: that of an org unit, since the top bears it.
pub const MAX_NAME: usize = crate::org_unit::limits::NAME;

/// How much a tenant has, as the store keeps count of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantCounts {
    /// Archived ones too.
    pub org_units: u64,
    pub users_active: u64,
    pub users_inactive: u64,
    pub users_deleted: u64,
    /// Without the deleted ones.
    pub user_groups: u64,
    /// Entries that the journal ever got.
    pub journal: u64,
    /// To phones.
    pub messages: u64,
    /// From phones.
    pub incomings: u64,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    /// The id of the dialects that use UUIDs.
    pub organization_id: Uuid,
    pub name: String,
    /// ISO 3166-1 alpha-2, upper case; by it national phone numbers are read.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    pub status: TenantStatus,
    pub top_org_unit_id: OrgUnitId,
    /// Which of the four prices of a message it pays.
    pub tier: Tier,
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl Tenant {
    pub fn is_active(&self) -> bool {
        self.status == TenantStatus::Active
    }
}

/// Two letters of ISO 3166-1, in upper case. Whether the country exists is not looked up.
pub fn country(raw: &str) -> Result<String, Problem> {
    let code = raw.trim().to_ascii_uppercase();
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(code)
    } else {
        Err(Problem::Format("must be a country code of two letters, such as US"))
    }
}

/// Reads of tenants.
pub trait TenantStore {
    fn tenant(&self, id: TenantId) -> impl Future<Output = Result<Option<Tenant>, StoreError>> + Send;

    /// Tenants with an id above `after`, by id, at most `limit`.
    fn tenants(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Tenant>, StoreError>> + Send;

    /// `None` for an unknown tenant.
    fn tenant_counts(
        &self,
        id: TenantId,
    ) -> impl Future<Output = Result<Option<TenantCounts>, StoreError>> + Send;
}
