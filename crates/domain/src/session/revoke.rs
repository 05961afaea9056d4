//! Ending one token.

use super::{ACCESS_PREFIX, REFRESH_PREFIX, TokenKind};
use crate::{Batch, Change, Directory, Error, Store, secret};

impl<S: Store> Directory<S> {
    /// Ends one token and no other of its family. An unknown one is fine too.
    pub async fn session_revoke(&self, kind: TokenKind, token: &str) -> Result<(), Error> {
        let prefix = match kind {
            TokenKind::Access => ACCESS_PREFIX,
            TokenKind::Refresh => REFRESH_PREFIX,
        };
        let Some(tenant) = secret::token_tenant(prefix, token) else {
            return Ok(());
        };
        let hash = secret::digest(token);
        // Nobody who guesses gets to the writer: only a token that is there costs a commit.
        if self.store.session_token(tenant, kind, hash).await?.is_some() {
            let end = Change::TokenDelete { kind, hash };
            self.store.commit(Batch::new(tenant).change(end)).await?;
        }
        Ok(())
    }
}
