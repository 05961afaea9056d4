//! Credentials of programs: LOX24 keys, Onlive access keys, SCIM tokens.
//!
//! The plain secret exists once, when it is made. LOX24 keys and SCIM tokens are kept as hashes; the
//! Onlive secret signs requests and must be readable again, so it is sealed under the server key.

mod authenticate;
mod create;
mod manage;
pub mod signature;

use uuid::Uuid;

use crate::session::{Found, Subject, TokenHash};
use crate::{CredentialId, Dialect, OrgUnitId, StoreError, TenantId, Timestamp, secret};

pub use authenticate::{Claim, Signed};
pub use create::{CredentialWish, MAX_NAME, NewCredential};

pub(crate) use create::insert;

/// Whose habits a program has, where these differ from what its dialect demands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Nobody's.
    #[default]
    Rfc,
    /// Those of Entra ID.
    Entra,
}

impl Profile {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc => "rfc",
            Self::Entra => "entra",
        }
    }
}

/// A credential as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub id: CredentialId,
    pub tenant: TenantId,
    pub dialect: Dialect,
    pub name: String,
    /// What the client sends beside the secret: LOX24 the client id, Onlive the access key id.
    pub public_id: Option<String>,
    /// SHA-256 of what the client sends (LOX24, SCIM).
    pub secret_hash: Option<[u8; 32]>,
    /// The secret under the server key (Onlive).
    pub secret_sealed: Option<Vec<u8>>,
    /// May read but not write.
    pub read_only: bool,
    pub profile: Profile,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When it last let somebody in, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl Credential {
    /// Whether it gets anybody in at this time.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

/// Whoever calls with a credential that is active, as read with this very request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialCaller {
    pub tenant: TenantId,
    pub credential: CredentialId,
    pub read_only: bool,
    pub profile: Profile,
    /// The top of the tenant's tree.
    pub top: OrgUnitId,
    /// Whether the tenant is active; else it is disabled. One that is being deleted has no callers.
    pub tenant_active: bool,
    pub last_used_at: Option<Timestamp>,
}

/// Whoever says to call with an access key that is active. The signature tells whether that is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCaller {
    pub caller: CredentialCaller,
    /// The tenant's id of the dialects that use UUIDs.
    pub organization_id: Uuid,
    /// What the request has to be signed with, under the server key.
    pub secret_sealed: Vec<u8>,
}

/// Reads of credentials.
pub trait CredentialStore {
    /// All credentials of a tenant, by id.
    fn credentials(
        &self,
        tenant: TenantId,
    ) -> impl Future<Output = Result<Vec<Credential>, StoreError>> + Send;

    /// Who calls with the secret of this hash: the credential is neither revoked nor expired, and its tenant is
    /// not being deleted.
    fn credential_caller(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        hash: TokenHash,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<CredentialCaller>, StoreError>> + Send;

    /// As [`CredentialStore::credential_caller`], with what the request is about: who calls and what is asked
    /// for cost one trip to the store.
    fn credential_caller_and(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        hash: TokenHash,
        now: Timestamp,
        subject: Subject,
    ) -> impl Future<Output = Result<Option<(CredentialCaller, Option<Found>)>, StoreError>> + Send;

    /// As [`CredentialStore::credential_caller`], of a credential that signs requests: who has this public id, with
    /// what the request is about, if it is known.
    fn credential_signed_caller(
        &self,
        tenant: TenantId,
        dialect: Dialect,
        public_id: &str,
        now: Timestamp,
        subject: Option<Subject>,
    ) -> impl Future<Output = Result<Option<(SignedCaller, Option<Found>)>, StoreError>> + Send;
}

/// What the sealed secret of a credential is bound to.
pub fn seal_context(tenant: TenantId, id: CredentialId) -> String {
    format!("credential {tenant} {id}")
}

/// Client ids are above it.
const LOX24_BASE: i64 = 1_000_000;

/// The numeric client id under which a LOX24 client knows a tenant.
pub fn lox24_client_id(tenant: TenantId) -> i64 {
    LOX24_BASE + tenant.0
}

/// The tenant that a LOX24 client id names, or `None` for anything that [`lox24_client_id`] does not make.
pub fn lox24_tenant(client_id: &str) -> Option<TenantId> {
    let id: i64 = client_id.parse().ok()?;
    // One id has one spelling: neither `+7` nor `07`.
    let tenant = id.checked_sub(LOX24_BASE).filter(|tenant| *tenant > 0 && id.to_string() == client_id)?;
    Some(TenantId(tenant))
}

/// An Onlive access key id; the tenant stands in it so that a look-up knows where to look.
fn onlive_access_key(tenant: TenantId, random: &[u8]) -> String {
    format!("OL{tenant}-{}", secret::hex(random).to_uppercase())
}

/// The tenant that an Onlive access key id names, or `None` for anything that no tenant's key looks like.
pub fn onlive_tenant(access_key: &str) -> Option<TenantId> {
    let (id, random) = access_key.strip_prefix("OL")?.split_once('-')?;
    let tenant: i64 = id.parse().ok()?;
    let is_random =
        random.len() == 16 && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    (is_random && tenant > 0 && tenant.to_string() == id).then_some(TenantId(tenant))
}

/// What SCIM tokens begin with.
const SCIM_PREFIX: &str = "mus";

/// The tenant that a SCIM token names, or `None` for anything that no tenant's token looks like.
pub fn scim_tenant(token: &str) -> Option<TenantId> {
    secret::token_tenant(SCIM_PREFIX, token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_names_its_tenant_in_one_spelling() {
        for tenant in [TenantId(1), TenantId(i64::MAX)] {
            assert_eq!(onlive_tenant(&onlive_access_key(tenant, &[0xa7; 8])), Some(tenant));
        }
        for other in [
            "",
            "OL",
            "OL1",
            "OL1-",
            "OL-A7A7A7A7A7A7A7A7",
            "OL0-A7A7A7A7A7A7A7A7",
            "OL-1-A7A7A7A7A7A7A7A7",
            "OL+1-A7A7A7A7A7A7A7A7",
            "OL01-A7A7A7A7A7A7A7A7",
            "OL1-a7a7a7a7a7a7a7a7",
            "OL1-A7A7A7A7A7A7A7A",
            "OL1-A7A7A7A7A7A7A7A7A",
            "ol1-A7A7A7A7A7A7A7A7",
            "OLDEMO0001",
        ] {
            assert_eq!(onlive_tenant(other), None, "{other}");
        }
    }

    #[test]
    fn a_client_id_names_its_tenant_in_one_spelling() {
        for tenant in [TenantId(1), TenantId(234_567)] {
            assert_eq!(lox24_tenant(&lox24_client_id(tenant).to_string()), Some(tenant));
        }
        for other in ["1000000", "+1000001", "01000001", "1", "-1", "", "1000001 ", "9223372036854775808"] {
            assert_eq!(lox24_tenant(other), None, "{other}");
        }
    }
}
