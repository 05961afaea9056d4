//! Credentials of programs: LOX24 keys, Onlive access keys, SCIM tokens.
//!
//! The plain secret exists once, when it is made. LOX24 keys and SCIM tokens are kept as hashes; the
//! Onlive secret signs requests and must be readable again, so it is sealed under the server key.

use secrecy::SecretString;

use crate::secret::{self, ServerKey};
use crate::{
    Batch, Change, CredentialId, Ctx, Dialect, Directory, Error, IdKind, JournalEntry, Store, StoreError,
    TenantId, Timestamp,
};

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
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// A credential with its plain secret, to be shown once.
#[derive(Debug)]
pub struct NewCredential {
    pub credential: Credential,
    pub secret: SecretString,
}

/// Reads of credentials.
pub trait CredentialStore {
    /// All credentials of a tenant, by id.
    fn credentials(
        &self,
        tenant: TenantId,
    ) -> impl Future<Output = Result<Vec<Credential>, StoreError>> + Send;
}

impl<S: Store> Directory<S> {
    /// Makes a credential of `dialect` with the rights of an Admin of the top, and the change that
    /// stores it. Errors: `Internal` for a dialect that has no credentials.
    pub(crate) async fn credential_new(
        &self,
        ctx: &Ctx,
        key: &ServerKey,
        dialect: Dialect,
        name: &str,
    ) -> Result<NewCredential, Error> {
        let id = CredentialId(self.store.next_id(IdKind::Credential).await?);
        let tenant = ctx.tenant();
        let random: [u8; 32] = self.random();
        let (public_id, plain) = match dialect {
            Dialect::Lox24 => (Some(lox24_client_id(tenant).to_string()), secret::hex(&random[..16])),
            Dialect::Onlive => {
                let public_id = format!("OL{tenant}-{}", secret::hex(&random[..8]).to_uppercase());
                (Some(public_id), secret::hex(&self.random::<32>()))
            }
            Dialect::Scim => (None, secret::token("mus", tenant, random)),
            Dialect::Cli | Dialect::Convirza => {
                return Err(Error::Internal(format!("{dialect:?} has no credentials")));
            }
        };
        let sealed = dialect == Dialect::Onlive;
        let context = format!("credential {tenant} {id}");
        let credential = Credential {
            id,
            tenant,
            dialect,
            name: name.to_owned(),
            public_id,
            secret_hash: (!sealed).then(|| secret::digest(&plain)),
            secret_sealed: sealed.then(|| key.seal(self.random(), &context, plain.as_bytes())),
            read_only: false,
            expires_at: None,
            revoked_at: None,
            created_at: ctx.now(),
        };
        Ok(NewCredential { credential, secret: plain.into() })
    }
}

/// The numeric client id under which a LOX24 client knows a tenant.
pub fn lox24_client_id(tenant: TenantId) -> i64 {
    1_000_000 + tenant.0
}

/// Adds a new credential and its journal entry to a batch.
pub(crate) fn insert(ctx: &Ctx, batch: Batch, credential: &Credential) -> Batch {
    let payload = crate::journal::created(vec![
        ("dialect", format!("{:?}", credential.dialect).to_lowercase().into()),
        ("name", credential.name.as_str().into()),
        ("read_only", credential.read_only.into()),
    ]);
    batch.change(Change::CredentialInsert(Box::new(credential.clone()))).journal(JournalEntry::new(
        ctx,
        "credential.created",
        credential.id,
        1,
        payload,
    ))
}
