//! Passwords: their rule and their hash (argon2id, RFC 9106, in PHC form).

use std::fmt::Display;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, Problem};

/// The shortest and the longest password, in characters.
pub const MIN_LENGTH: usize = 12;
pub const MAX_LENGTH: usize = 128;

/// What it costs to hash a password, and whoever tries passwords on a stolen hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// In KiB, at least 8.
    pub memory: u32,
    pub passes: u32,
}

impl Cost {
    /// For tests that are not about passwords, most of whose time it would take.
    pub const LEAST: Self = Self { memory: Params::MIN_M_COST, passes: Params::MIN_T_COST };
}

/// Some 20 ms of one core, and 19 MiB (the OWASP Password Storage Cheat Sheet).
impl Default for Cost {
    fn default() -> Self {
        Self { memory: Params::DEFAULT_M_COST, passes: Params::DEFAULT_T_COST }
    }
}

/// Checks the length of a new password.
pub fn check(password: &str) -> Result<SecretString, Problem> {
    match password.chars().count() {
        n if n < MIN_LENGTH => Err(Problem::TooShort { min: MIN_LENGTH }),
        n if n > MAX_LENGTH => Err(Problem::TooLong { max: MAX_LENGTH }),
        _ => Ok(SecretString::from(password)),
    }
}

/// Hashes a password. It takes time and memory by design: call it through [`crate::Passwords`].
pub fn hash(password: &SecretString, salt: [u8; 16], cost: Cost) -> Result<String, Error> {
    let failed = |error: &dyn Display| Error::Internal(format!("argon2: {error}"));
    let params = Params::new(cost.memory, cost.passes, 1, None).map_err(|error| failed(&error))?;
    let hashed: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
        .map_err(|error| failed(&error))?;
    Ok(hashed.to_string())
}

/// Whether a password has this hash, at the cost that it was made with. Without a hash the answer is no, after the work of `cost`,
/// so that nobody can tell from the time whether a login exists.
pub fn verify(password: &SecretString, hash: Option<&str>, cost: Cost) -> Result<bool, Error> {
    let Some(stored) = hash else {
        self::hash(password, [0; 16], cost)?;
        return Ok(false);
    };
    let stored = PasswordHash::new(stored)
        .map_err(|error| Error::Internal(format!("stored password hash: {error}")))?;
    Ok(Argon2::default().verify_password(password.expose_secret().as_bytes(), &stored).is_ok())
}

/// Whether a stored text is the hash of some password at all.
pub fn is_hash(stored: &str) -> bool {
    PasswordHash::new(stored).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_only_its_password() {
        let [right, wrong] = ["correct horse battery", "correct horse batterY"].map(SecretString::from);
        for (cost, begin) in [
            (Cost::default(), "$argon2id$v=19$m=19456,t=2,p=1$"),
            (Cost::LEAST, "$argon2id$v=19$m=8,t=1,p=1$"),
        ] {
            let hashed = hash(&right, [3; 16], cost).unwrap();
            assert!(hashed.starts_with(begin), "{hashed}");
            for cost in [Cost::default(), Cost::LEAST] {
                assert!(verify(&right, Some(&hashed), cost).unwrap());
                assert!(!verify(&wrong, Some(&hashed), cost).unwrap());
            }
        }
        assert!(!verify(&right, None, Cost::default()).unwrap());
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!(matches!(check(&"ä".repeat(11)), Err(Problem::TooShort { min: 12 })));
        assert!(check(&"ä".repeat(128)).is_ok());
        assert!(matches!(check(&"ä".repeat(129)), Err(Problem::TooLong { max: 128 })));
    }
}
