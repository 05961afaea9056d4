//! Checking signatures of Standard Webhooks, of those who call us.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac as _;
use http::{HeaderMap, HeaderName};

use super::{ID, SIGNATURE, SigningSecret, TIMESTAMP};

/// How many signatures are looked at; a sender that replaces its secret sends two.
const MAX_SIGNATURES: usize = 8;

/// Why a request is not taken for that of who has the secret. Which signature was wrong, and how, is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    #[error("there is no {0}, or it cannot be read")]
    Header(&'static str),
    /// It may have been recorded and sent again.
    #[error("the time of the request is too far from now")]
    Time,
    #[error("the signature is not that of the request")]
    Signature,
}

/// Checks the headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of a request, and says its id. `seconds`
/// is now, since 1970, from which the time of the request may differ by `tolerance`. One signature (`v1`) by one
/// of the secrets is enough; they are compared in a time that does not depend on where they differ.
pub fn verify<'h>(
    headers: &'h HeaderMap,
    body: &[u8],
    secrets: &[SigningSecret],
    seconds: i64,
    tolerance: Duration,
) -> Result<&'h str, SignatureFault> {
    let id = single(headers, &ID, "webhook-id")?;
    // Else a part of it could be taken for the time.
    if id.contains('.') {
        return Err(SignatureFault::Header("webhook-id"));
    }
    let time = single(headers, &TIMESTAMP, "webhook-timestamp")?;
    let signatures = single(headers, &SIGNATURE, "webhook-signature")?;
    let at: i64 = time.parse().map_err(|_| SignatureFault::Header("webhook-timestamp"))?;
    if at.abs_diff(seconds) > tolerance.as_secs() {
        return Err(SignatureFault::Time);
    }
    let given = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let is_signed = given.take(MAX_SIGNATURES).any(|given| {
        let macs = secrets.iter().filter_map(|secret| secret.mac(id, time, body));
        // Each is looked at, so that it does not show which one fits.
        macs.fold(false, |found, mac| mac.verify_slice(&given).is_ok() | found)
    });
    if is_signed { Ok(id) } else { Err(SignatureFault::Signature) }
}

/// A header that stands there once.
fn single<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<&'h str, SignatureFault> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().and_then(|value| value.to_str().ok());
    value.filter(|value| !value.is_empty() && values.next().is_none()).ok_or(SignatureFault::Header(shown))
}
