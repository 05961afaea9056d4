//! Tenants: organisations, each with its tree, users and credentials. No tenant sees another's data.

mod create;

use uuid::Uuid;

use crate::{OrgUnitId, Problem, StoreError, TenantId, Timestamp};

pub use create::{NewTenant, TenantCredentials};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantStatus {
    Active,
    /// Nobody of the tenant gets in.
    Disabled,
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
}
