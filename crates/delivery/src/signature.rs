//! Signatures of Standard Webhooks (<https://www.standardwebhooks.com>, specification 1.0.0): an HMAC-SHA256 over the
//! id, the time and the body, which a receiver can check with any library of that name.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;

mod check;

pub use check::{SignatureFault, verify};

const PREFIX: &str = "whsec_";
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The secret that an endpoint shares with this server: 24 to 64 bytes, written as `whsec_` and base64.
#[derive(Clone)]
pub struct SigningSecret(SecretSlice<u8>);

/// The text is no secret as Standard Webhooks has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be whsec_ and the base64 of 24 to 64 bytes")]
pub struct SecretFault;

/// The id of a message is empty, longer than 255 bytes, or has other characters than letters, digits, `-` and `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of the message cannot be signed")]
pub struct UnusableId;

impl SigningSecret {
    /// A new secret; the bytes must be random.
    pub fn new(random: [u8; 32]) -> Self {
        Self(SecretSlice::from(random.to_vec()))
    }

    /// Reads what [`SigningSecret::reveal`] wrote.
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretFault)?;
        let bytes = SecretSlice::from(STANDARD.decode(encoded).map_err(|_| SecretFault)?);
        if (24..=64).contains(&bytes.expose_secret().len()) { Ok(Self(bytes)) } else { Err(SecretFault) }
    }

    /// The secret as its owner is shown it: `whsec_…`.
    pub fn reveal(&self) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(self.0.expose_secret())).into()
    }

    /// `v1,` and the base64 of the signature.
    fn sign(&self, id: &str, seconds: &str, body: &[u8]) -> String {
        let mac = self.mac(id, seconds, body).map(|mac| mac.finalize().into_bytes());
        format!("v1,{}", STANDARD.encode(mac.unwrap_or_default()))
    }

    /// What is signed. A key may have any length, so there always is one.
    fn mac(&self, id: &str, seconds: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).ok()?;
        let signed: [&[u8]; 5] = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
        Some(signed.into_iter().fold(mac, Mac::chain_update))
    }
}

/// Shows nothing of the secret.
impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// The three headers that sign a body: `webhook-id`, which is the same in each attempt, so that a receiver can tell a
/// message that it has already; `webhook-timestamp`, the time of this attempt in seconds since 1970, from which
/// receivers allow few minutes; and `webhook-signature`, with a signature for each secret. While a secret is
/// replaced there are two, the newer first.
pub fn signed_headers(
    id: &str,
    seconds: i64,
    body: &[u8],
    secrets: &[SigningSecret],
) -> Result<HeaderMap, UnusableId> {
    // A full stop would let two messages have one signed text.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=255).contains(&id.len()) || !id.bytes().all(fits) {
        return Err(UnusableId);
    }
    let seconds = seconds.to_string();
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, &seconds, body)).collect();
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| UnusableId);
    let fields =
        [(ID, value(id)?), (TIMESTAMP, value(&seconds)?), (SIGNATURE, value(&signatures.join(" "))?)];
    Ok(fields.into_iter().collect())
}

#[cfg(test)]
mod tests;
