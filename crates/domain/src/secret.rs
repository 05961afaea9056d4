//! Secrets: tokens that are stored as hashes, and values that are sealed under the server key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use crate::TenantId;

/// SHA-256 of a token that is random enough to need no salt.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A bearer token `<prefix>_<tenant id>_<random>`; the tenant stands in it so that a look-up knows
/// where to look. 256 bits are random, all characters are URL-safe.
pub fn token(prefix: &str, tenant: TenantId, random: [u8; 32]) -> String {
    format!("{prefix}_{tenant}_{}", URL_SAFE_NO_PAD.encode(random))
}

/// The tenant that a token made by [`token`] names, or `None` for anything else.
pub fn token_tenant(prefix: &str, token: &str) -> Option<TenantId> {
    let (tenant, random) = token.strip_prefix(prefix)?.strip_prefix('_')?.split_once('_')?;
    let canonical = tenant.parse::<i64>().ok().filter(|id| id.to_string() == tenant)?;
    (random.len() == 43).then_some(TenantId(canonical))
}

/// The 32 bytes under which secrets that must be readable again are encrypted (XChaCha20-Poly1305).
#[derive(Clone)]
pub struct ServerKey([u8; 32]);

impl ServerKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key itself, to be written where only its owner reads.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the store keeps to recognise the key: a hash that tells nothing about it.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::new().chain_update(b"muster server key fingerprint v1").chain_update(self.0).finalize().into()
    }

    /// Encrypts `plain`, bound to `context` (which row and column it belongs to); the nonce stands in
    /// front of the result. The nonce must be random.
    pub fn seal(&self, nonce: [u8; 24], context: &str, plain: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let mut sealed = nonce.to_vec();
        // The cipher fails only for messages of more than 256 GiB.
        sealed.extend(self.cipher().encrypt(&XNonce::from(nonce), payload).unwrap_or_default());
        sealed
    }

    /// What [`ServerKey::seal`] encrypted under the same key and context, or `None`.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, message) = sealed.split_first_chunk::<24>()?;
        let payload = Payload { msg: message, aad: context.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sealed_secrets_open_only_under_their_key_and_context() {
        let key = ServerKey::new([7; 32]);
        let sealed = key.seal([9; 24], "credential 4", b"secret");
        assert_eq!(key.open("credential 4", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(key.open("credential 5", &sealed), None);
        assert_eq!(ServerKey::new([8; 32]).open("credential 4", &sealed), None);
        assert_eq!(key.open("credential 4", &sealed[..20]), None);
    }

    proptest! {
        #[test]
        fn a_token_names_its_tenant(tenant in 1i64.., random: [u8; 32]) {
            let made = token("mua", TenantId(tenant), random);
            prop_assert_eq!(token_tenant("mua", &made), Some(TenantId(tenant)));
            prop_assert_eq!(token_tenant("mur", &made), None);
        }

        #[test]
        fn any_text_can_be_looked_at_as_a_token(text in "\\PC{0,80}") {
            let _ = token_tenant("mua", &text);
        }
    }
}
