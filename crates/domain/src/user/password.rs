//! Passwords: their rule and their hash (argon2id, RFC 9106, in PHC form).

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, Problem};

/// The shortest and the longest password, in characters.
pub const MIN_LENGTH: usize = 12;
pub const MAX_LENGTH: usize = 128;

/// Checks the length of a new password.
pub fn check(password: &str) -> Result<SecretString, Problem> {
    match password.chars().count() {
        n if n < MIN_LENGTH => Err(Problem::TooShort { min: MIN_LENGTH }),
        n if n > MAX_LENGTH => Err(Problem::TooLong { max: MAX_LENGTH }),
        _ => Ok(SecretString::from(password)),
    }
}

/// Hashes a password. It takes some 20 ms of one core and 19 MiB by design: call it through
/// [`crate::Passwords`].
pub fn hash(password: &SecretString, salt: [u8; 16]) -> Result<String, Error> {
    let hashed: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
        .map_err(|error| Error::Internal(format!("argon2: {error}")))?;
    Ok(hashed.to_string())
}

/// Whether a password has this hash. Without a hash the answer is no, after the same work, so that
/// nobody can tell from the time whether a login exists.
pub fn verify(password: &SecretString, hash: Option<&str>) -> Result<bool, Error> {
    let Some(stored) = hash else {
        self::hash(password, [0; 16])?;
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
        let hashed = hash(&SecretString::from("correct horse battery"), [3; 16]).unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify(&SecretString::from("correct horse battery"), Some(&hashed)).unwrap());
        assert!(!verify(&SecretString::from("correct horse batterY"), Some(&hashed)).unwrap());
        assert!(!verify(&SecretString::from("correct horse battery"), None).unwrap());
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!(matches!(check(&"ä".repeat(11)), Err(Problem::TooShort { min: 12 })));
        assert!(check(&"ä".repeat(128)).is_ok());
        assert!(matches!(check(&"ä".repeat(129)), Err(Problem::TooLong { max: 128 })));
    }
}
