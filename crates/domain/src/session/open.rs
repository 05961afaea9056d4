//! Log-in.

use secrecy::SecretString;
use uuid::Uuid;

use super::{ACCESS_PREFIX, REFRESH_PREFIX, SessionToken, TokenKind};
use crate::user::User;
use crate::{Batch, Change, Directory, Error, Guard, Store, StoreError, Timestamp, secret, text};

/// What a log-in or a refresh gives. The tokens exist here and with the client, nowhere else.
#[derive(Debug)]
pub struct Grant {
    pub access_token: SecretString,
    pub refresh_token: SecretString,
    /// 32 hexadecimal characters. The vendor's answer has it, but nothing published takes it.
    pub frontend_token: SecretString,
    pub access_expires_at: Timestamp,
    pub refresh_expires_at: Timestamp,
    pub user: User,
}

impl<S: Store> Directory<S> {
    /// Opens a session. An unknown login and a wrong password cannot be told apart, neither by the
    /// answer nor by the time it takes. Errors: `Unauthenticated`, `Unavailable`.
    pub async fn session_open(&self, login: &str, password: SecretString) -> Result<Grant, Error> {
        const REFUSED: Error = Error::Unauthenticated("Invalid email or password");
        let key = text::key(&text::normalize(login));
        let user = self.store.user_by_claim(&key).await?;
        let tenant = match &user {
            Some(user) => self.store.tenant(user.tenant).await?,
            None => None,
        };
        let usable = user.filter(|user| user.is_active() && tenant.is_some_and(|tenant| tenant.is_active()));
        let hash = usable.as_ref().and_then(|user| user.password_hash.clone());
        let fits = self.passwords.verify(password, hash).await?;
        let Some(user) = usable.filter(|_| fits) else {
            return Err(REFUSED);
        };
        let guard = Guard::UserVersion { id: user.id, version: user.version };
        let family = self.entropy.uuid();
        let (grant, batch) = self.grant(user, family);
        match self.store.commit(batch.guard(guard)).await {
            Ok(()) => Ok(grant),
            // The user was changed while the password was checked; it may not be the right one now.
            Err(StoreError::GuardFailed) => Err(REFUSED),
            Err(error) => Err(error.into()),
        }
    }

    /// A new pair of tokens in `family`, and the batch that stores it.
    pub(super) fn grant(&self, user: User, family: Uuid) -> (Grant, Batch) {
        let now = self.now();
        let access = secret::token(ACCESS_PREFIX, user.tenant, self.random());
        let refresh = secret::token(REFRESH_PREFIX, user.tenant, self.random());
        let access_expires_at = now.plus(self.sessions.access);
        let refresh_expires_at = now.plus(self.sessions.refresh);
        let stored = |kind, token: &str, expires_at| {
            Change::TokenInsert(Box::new(SessionToken {
                tenant: user.tenant,
                hash: secret::digest(token),
                kind,
                family,
                user: user.id,
                created_at: now,
                expires_at,
                retired_at: None,
            }))
        };
        let batch = Batch::new(user.tenant)
            .change(Change::UserTokensExpire { user: user.id, now })
            .change(stored(TokenKind::Access, &access, access_expires_at))
            .change(stored(TokenKind::Refresh, &refresh, refresh_expires_at));
        let grant = Grant {
            access_token: access.into(),
            refresh_token: refresh.into(),
            frontend_token: secret::hex(&self.random::<16>()).into(),
            access_expires_at,
            refresh_expires_at,
            user,
        };
        (grant, batch)
    }
}
