//! The real clock and the real randomness, the only place that asks for either.

use std::time::{SystemTime, UNIX_EPOCH};

use muster_domain::{Clock, Entropy, Timestamp};
use rand::Rng as _;

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the source that is passed in elsewhere")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A cryptographic generator per thread, seeded by the system.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the source that is passed in elsewhere")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// A password of 20 letters and digits, some 115 bits, without those that look alike.
pub(crate) fn generate_password(entropy: &dyn Entropy) -> String {
    const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut password = String::new();
    while password.len() < 20 {
        let mut byte = [0];
        entropy.fill(&mut byte);
        // Bytes beyond the alphabet are thrown away, so that every character is as likely as another.
        if let Some(character) = ALPHABET.get(usize::from(byte[0] & 63)) {
            password.push(char::from(*character));
        }
    }
    password
}
