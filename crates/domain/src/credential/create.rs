//! Making credentials.

use secrecy::SecretString;
use serde_json::json;

use super::{Credential, Profile, SCIM_PREFIX, lox24_client_id, onlive_access_key, seal_context};
use crate::secret::{self, ServerKey};
use crate::{
    Access, Batch, Change, CredentialId, Ctx, Dialect, Directory, Entity, Error, Guard, IdKind, JournalEntry,
    Problem, Store, StoreError, Timestamp, journal,
};

/// A credential with its plain secret, to be shown once.
#[derive(Debug)]
pub struct NewCredential {
    pub credential: Credential,
    pub secret: SecretString,
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
    /// Matters to SCIM alone.
    pub profile: Profile,
    pub expires_at: Option<Timestamp>,
}

impl CredentialWish {
    /// The one that a new tenant gets.
    pub(crate) fn default_of(dialect: Dialect) -> Self {
        Self {
            dialect,
            name: "default".to_owned(),
            read_only: false,
            profile: Profile::Rfc,
            expires_at: None,
        }
    }
}

/// The longest name of a credential, in characters.
pub const MAX_NAME: usize = 100;

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
                (Some(onlive_access_key(tenant, &random[..8])), secret::hex(&self.random::<32>()))
            }
            Dialect::Scim => (None, secret::token(SCIM_PREFIX, tenant, random)),
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
            profile: wish.profile,
            expires_at: wish.expires_at,
            revoked_at: None,
            created_at: ctx.now(),
            last_used_at: None,
        };
        Ok(NewCredential { credential, secret: plain.into() })
    }
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
        ("profile", json!((credential.profile != Profile::Rfc).then(|| credential.profile.as_str()))),
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
