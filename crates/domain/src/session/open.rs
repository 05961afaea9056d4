//! Log-in.

use secrecy::SecretString;
use uuid::Uuid;

use super::{ACCESS_PREFIX, REFRESH_PREFIX, SessionToken, TokenKind};
use crate::directory::ATTEMPTS;
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
        let usable = self.who_logs_in(&key).await?;
        let hash = usable.as_ref().and_then(|user| user.password_hash.clone());
        let fits = self.passwords.verify(password, hash.clone()).await?;
        let mut user = usable.filter(|_| fits).ok_or(REFUSED)?;
        let family = self.entropy.uuid();
        for _ in 0..ATTEMPTS {
            let guard = Guard::UserVersion { id: user.id, version: user.version };
            let id = user.id;
            let (grant, batch) = self.grant(user, family);
            match self.store.commit(batch.guard(guard)).await {
                Ok(()) => return Ok(grant),
                // The user was changed while the password was checked. What was checked holds as long as the login
                // is that user's and the hash is the same.
                Err(StoreError::GuardFailed) => {
                    let now = self.who_logs_in(&key).await?;
                    let same = |now: &User| now.id == id && now.password_hash == hash;
                    user = now.filter(same).ok_or(REFUSED)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Whose login this is, if that user may log in now.
    async fn who_logs_in(&self, key: &str) -> Result<Option<User>, Error> {
        let Some(user) = self.store.user_by_claim(key).await?.filter(User::is_active) else {
            return Ok(None);
        };
        let tenant = self.store.tenant(user.tenant).await?;
        Ok(tenant.is_some_and(|tenant| tenant.is_active()).then_some(user))
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
