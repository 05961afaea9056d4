//! The directory: a store, a clock, randomness and password hashing, over which the use cases run.

use std::pin::Pin;
use std::sync::Arc;

use secrecy::SecretString;

use crate::session::SessionPolicy;
use crate::{Clock, Entropy, Error, Timestamp};

/// How often a use case reads and decides again when others changed what it rests on. In each round at
/// least one of those who write to the same row wins.
pub(crate) const ATTEMPTS: usize = 256;

/// A check that the caller attached to a write (`If-Match`), on the entity as it is read.
pub type Precondition<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

/// Refuses a change whose precondition does not hold. The versions that the change names, or its guards, keep it true until
/// it is written. Errors: `Precondition`.
pub(crate) fn check_precondition<T>(
    precondition: Option<&Precondition<T>>,
    current: &T,
) -> Result<(), Error> {
    if precondition.is_none_or(|holds| holds(current)) { Ok(()) } else { Err(Error::Precondition) }
}

/// Something that was deleted: as it was, and what is left of it.
#[derive(Clone, Debug)]
pub struct Ended<T> {
    pub before: T,
    pub after: T,
}

/// The entry to every use case; see the modules `org_unit`, `user`, `session` and `tenant`.
pub struct Directory<S> {
    pub store: S,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub passwords: Arc<dyn Passwords>,
    pub sessions: SessionPolicy,
}

impl<S> Directory<S> {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

/// A future of password work.
pub type PasswordFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Password hashing, which is slow on purpose: an implementation runs it off the request threads and
/// refuses with `Unavailable` when too much of it waits. The computation itself is
/// [`crate::user::password`].
pub trait Passwords: Send + Sync {
    /// The argon2id hash in PHC form.
    fn hash(&self, password: SecretString, salt: [u8; 16]) -> PasswordFuture<String>;

    /// Whether the password has this hash. Without a hash the answer is no, after the same work.
    fn verify(&self, password: SecretString, hash: Option<String>) -> PasswordFuture<bool>;
}
