//! The secrets of a store, which are sealed under its server key.

use muster_domain::secret::ServerKey;
use muster_domain::{CredentialId, Entropy, StoreError, TenantId, WebhookId, credential, webhook};

use crate::OpenError;
use crate::driver::Read;
use crate::row::get;
use crate::statements::{Statement, installation};

/// What has secrets.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    Credential,
    Webhook,
}

impl Owner {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Webhook => "webhook",
        }
    }

    /// What the secret is bound to.
    pub(crate) fn context(self, tenant: TenantId, id: i64) -> String {
        match self {
            Self::Credential => credential::seal_context(tenant, CredentialId(id)),
            Self::Webhook => webhook::seal_context(tenant, WebhookId(id)),
        }
    }
}

/// A secret, sealed.
pub(crate) struct Sealed {
    pub(crate) of: Owner,
    pub(crate) tenant: TenantId,
    pub(crate) id: i64,
    pub(crate) secret: Vec<u8>,
    /// What puts another in its place ($1 the tenant, $2 the id, $3 the secret).
    pub(crate) reseal: &'static Statement,
}

/// Refuses a key that does not open what the store has.
pub(crate) async fn check(on: &impl Read, key: &ServerKey) -> Result<(), OpenError> {
    for Sealed { of, tenant, id, secret, .. } in sealed_secrets(on).await? {
        let context = of.context(tenant, id);
        if key.open(&context, &secret).is_none() {
            return Err(OpenError::Key(format!("does not open the secret of {context}")));
        }
    }
    Ok(())
}

/// Every secret, sealed under another key. Errors: the present one does not open it.
pub(crate) async fn resealed(
    on: &impl Read,
    old: &ServerKey,
    new: &ServerKey,
    entropy: &dyn Entropy,
) -> Result<Vec<Sealed>, OpenError> {
    let mut all = sealed_secrets(on).await?;
    for Sealed { of, tenant, id, secret, .. } in &mut all {
        let context = of.context(*tenant, *id);
        let plain = old.open(&context, secret).ok_or_else(|| {
            OpenError::Key(format!("does not open the secret of {context}; nothing was changed"))
        })?;
        let mut nonce = [0; 24];
        entropy.fill(&mut nonce);
        *secret = new.seal(nonce, &context, &plain);
    }
    Ok(all)
}

/// Every secret that is sealed under the server key.
pub(crate) async fn sealed_secrets(on: &impl Read) -> Result<Vec<Sealed>, StoreError> {
    let kinds: [(Owner, &Statement, &Statement); 3] = [
        (Owner::Credential, &installation::SEALED_SECRETS, &installation::RESEAL),
        (Owner::Webhook, &installation::WEBHOOK_SECRETS, &installation::WEBHOOK_RESEAL),
        (Owner::Webhook, &installation::WEBHOOK_OLD_SECRETS, &installation::WEBHOOK_OLD_RESEAL),
    ];
    let mut all = Vec::new();
    for (of, statement, reseal) in kinds {
        let sealed = |row: &dyn crate::row::Row| {
            Ok(Sealed { of, tenant: TenantId(get(row, 0)?), id: get(row, 1)?, secret: get(row, 2)?, reseal })
        };
        all.extend(on.all(statement, &[], sealed).await?);
    }
    Ok(all)
}
