//! Credentials of programs: LOX24 keys, Onlive access keys, SCIM tokens.
//!
//! The plain secret exists once, when it is made. LOX24 keys and SCIM tokens are kept as hashes; the
//! Onlive secret signs requests and must be readable again, so it is sealed under the server key.

use secrecy::SecretString;
use serde_json::{Map, json};

use crate::directory::ATTEMPTS;
use crate::secret::{self, ServerKey};
use crate::{
    Access, Batch, Change, CredentialId, Ctx, Dialect, Directory, Entity, Error, Guard, IdKind, JournalEntry,
    Problem, Store, StoreError, TenantId, Timestamp, journal,
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

impl Credential {
    /// Whether it gets anybody in at this time.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
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

/// What a new credential is for.
#[derive(Clone, Debug)]
pub struct CredentialWish {
    /// LOX24, Onlive or SCIM; the others have no credentials.
    pub dialect: Dialect,
    /// By which people tell it from others: normalised, 1 to [`MAX_NAME`] characters.
    pub name: String,
    /// May read but not write; else it has the rights of an Admin of the top.
    pub read_only: bool,
    pub expires_at: Option<Timestamp>,
}

impl CredentialWish {
    /// The one that a new tenant gets.
    pub(crate) fn default_of(dialect: Dialect) -> Self {
        Self { dialect, name: "default".to_owned(), read_only: false, expires_at: None }
    }
}

/// The longest name of a credential, in characters.
pub const MAX_NAME: usize = 100;

/// What the sealed secret of a credential is bound to.
pub fn seal_context(tenant: TenantId, id: CredentialId) -> String {
    format!("credential {tenant} {id}")
}

impl<S: Store> Directory<S> {
    /// Creates a credential. Errors: `Invalid` for an expiry that has passed, `NotFound` for a tenant that was
    /// deleted meanwhile.
    pub async fn credential_create(
        &self,
        ctx: &Ctx,
        key: &ServerKey,
        wish: CredentialWish,
    ) -> Result<NewCredential, Error> {
        ctx.allow(Access::Write)?;
        if wish.expires_at.is_some_and(|at| at <= ctx.now()) {
            return Err(Error::field("expires", Problem::Format("must be in the future")));
        }
        let new = self.credential_new(ctx, key, wish).await?;
        match self.store.commit(insert(ctx, Batch::new(ctx.tenant()), &new.credential, key)).await {
            Ok(()) => Ok(new),
            // A new row rests on nothing but its tenant.
            Err(StoreError::Stale) => Err(Error::NotFound(Entity::Tenant)),
            Err(error) => Err(error.into()),
        }
    }

    /// All credentials of the tenant, by id, also those that are revoked or have expired.
    pub async fn credential_list(&self, ctx: &Ctx) -> Result<Vec<Credential>, Error> {
        ctx.allow(Access::Read)?;
        Ok(self.store.credentials(ctx.tenant()).await?)
    }

    /// Revokes a credential: it gets nobody in any more. One that was revoked before stays so.
    /// Errors: `NotFound`.
    pub async fn credential_revoke(&self, ctx: &Ctx, id: CredentialId) -> Result<Credential, Error> {
        ctx.allow(Access::Write)?;
        for _ in 0..ATTEMPTS {
            let all = self.store.credentials(ctx.tenant()).await?;
            let found = all.into_iter().find(|credential| credential.id == id);
            let found = found.ok_or(Error::NotFound(Entity::Credential))?;
            if found.revoked_at.is_some() {
                return Ok(found);
            }
            let at = self.now();
            let entry = JournalEntry::new(ctx, "credential.revoked", id, 2, Map::new());
            let batch = Batch::new(ctx.tenant()).change(Change::CredentialRevoke { id, at }).journal(entry);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(Credential { revoked_at: Some(at), ..found }),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// A credential that is not stored yet. Errors: `Internal` for a dialect that has no credentials.
    pub(crate) async fn credential_new(
        &self,
        ctx: &Ctx,
        key: &ServerKey,
        wish: CredentialWish,
    ) -> Result<NewCredential, Error> {
        let dialect = wish.dialect;
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
        let context = seal_context(tenant, id);
        let credential = Credential {
            id,
            tenant,
            dialect,
            name: wish.name,
            public_id,
            secret_hash: (!sealed).then(|| secret::digest(&plain)),
            secret_sealed: sealed.then(|| key.seal(self.random(), &context, plain.as_bytes())),
            read_only: wish.read_only,
            expires_at: wish.expires_at,
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

/// Adds a new credential and its journal entry to a batch. A secret that is sealed holds only while the store has
/// the key under which it is.
pub(crate) fn insert(ctx: &Ctx, mut batch: Batch, credential: &Credential, key: &ServerKey) -> Batch {
    if credential.secret_sealed.is_some() {
        batch = batch.guard(Guard::ServerKey { fingerprint: key.fingerprint() });
    }
    let payload = journal::created(vec![
        ("dialect", json!(credential.dialect.as_str())),
        ("name", json!(credential.name)),
        ("read_only", json!(credential.read_only)),
        ("expires_at", json!(credential.expires_at.map(|at| at.millis().to_string()))),
    ]);
    batch.change(Change::CredentialInsert(Box::new(credential.clone()))).journal(JournalEntry::new(
        ctx,
        "credential.created",
        credential.id,
        1,
        payload,
    ))
}
