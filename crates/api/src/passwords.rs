//! Password work off the request threads, bounded so that a flood of log-ins starves nobody else.

use std::sync::Arc;

use muster_domain::user::password::{self, Cost};
use muster_domain::{Error, PasswordFuture, Passwords};
use secrecy::SecretString;
use tokio::sync::Semaphore;

/// Runs argon2id on blocking threads.
pub struct PasswordPool {
    /// Whoever works or waits.
    admitted: Arc<Semaphore>,
    /// Whoever works.
    working: Arc<Semaphore>,
    cost: Cost,
}

impl PasswordPool {
    /// `workers` computations run at once, `waiting` more wait, and more are refused with
    /// `Unavailable`.
    pub fn new(workers: usize, waiting: usize) -> Self {
        Self::with_cost(workers, waiting, Cost::default())
    }

    /// As [`PasswordPool::new`], with hashes of another cost.
    pub fn with_cost(workers: usize, waiting: usize, cost: Cost) -> Self {
        Self {
            cost,
            admitted: Arc::new(Semaphore::new(workers + waiting)),
            working: Arc::new(Semaphore::new(workers)),
        }
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> PasswordFuture<T> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned();
        let working = Arc::clone(&self.working);
        Box::pin(async move {
            let unavailable = || Error::Unavailable("too many log-ins at once".into());
            let admitted = admitted.map_err(|_| unavailable())?;
            let permit = working.acquire_owned().await.map_err(|_| unavailable())?;
            let done = tokio::task::spawn_blocking(move || {
                let _permits = (admitted, permit);
                work()
            });
            done.await.map_err(|error| Error::Internal(format!("password work was lost: {error}")))?
        })
    }
}

impl Passwords for PasswordPool {
    fn hash(&self, password: SecretString, salt: [u8; 16]) -> PasswordFuture<String> {
        let cost = self.cost;
        self.run(move || password::hash(&password, salt, cost))
    }

    fn verify(&self, password: SecretString, hash: Option<String>) -> PasswordFuture<bool> {
        let cost = self.cost;
        self.run(move || password::verify(&password, hash.as_deref(), cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords_are_hashed_at_their_full_cost_unless_another_is_asked_for() {
        let password = SecretString::from("correct horse battery");
        let hash = PasswordPool::new(1, 1).hash(password.clone(), [3; 16]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let hash = PasswordPool::with_cost(1, 1, Cost::LEAST).hash(password, [3; 16]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
    }
}
