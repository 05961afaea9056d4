//! Keeping connections to a message centre: who is lost is bound again.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use muster_domain::Entropy;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::Shared;
use super::link::{End, Link};
use super::session::Session;

/// A connection that held so long was a good one, after which the waits begin anew.
const GOOD: Duration = Duration::from_secs(10);

/// Keeps the connection with this index until `stop` says otherwise.
pub(super) async fn keep(shared: Arc<Shared>, index: usize, mut stop: watch::Receiver<bool>) {
    let config = &shared.config;
    let carrier = &shared.name;
    let mut failures = 0;
    // Who hangs is sent one message at a time until it answers one, or it would swallow a whole window after each bind.
    let mut is_on_trial = false;
    loop {
        let bound = tokio::select! {
            bound = Link::bind(config) => bound,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match bound {
            Ok(link) => {
                tracing::info!(%carrier, index, "bound");
                let begun = Instant::now();
                let (session, queue) = Session::new(config.window, is_on_trial);
                let session = Arc::new(session);
                set(&shared, index, Some(&session));
                let end = link.run(Arc::clone(&session), queue, &shared, stop.clone()).await;
                set(&shared, index, None);
                session.end();
                let is_hanging = matches!(end, End::Hanging);
                match end {
                    End::Closed => tracing::info!(%carrier, index, "unbound"),
                    End::Hanging => {
                        tracing::warn!(%carrier, index, "the message centre answers no submission");
                    }
                    End::Lost(reason) => tracing::warn!(%carrier, index, reason, "the connection was lost"),
                }
                is_on_trial = is_hanging || (is_on_trial && !session.was_answered());
                let has_held = begun.elapsed() >= GOOD.min(config.reconnect_longest);
                failures = if has_held && !is_hanging { 0 } else { failures + 1 };
            }
            Err(reason) => {
                tracing::warn!(%carrier, index, reason, "no connection");
                failures += 1;
            }
        }
        let wait = wait(config.reconnect_first, config.reconnect_longest, failures, shared.entropy.as_ref());
        // An error of `wait_for` is that the carrier is gone.
        if timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

fn set(shared: &Shared, index: usize, session: Option<&Arc<Session>>) {
    let mut sessions = shared.sessions.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(place) = sessions.get_mut(index) {
        *place = session.cloned();
    }
    drop(sessions);
    shared.changed.notify_waiters();
}

/// The wait before another attempt: twice as long with each failure, up to `longest`, and between half of that and the
/// whole, so that those who were lost together do not come back together.
fn wait(first: Duration, longest: Duration, failures: u32, entropy: &dyn Entropy) -> Duration {
    let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    let wait = first.saturating_mul(factor.max(1)).min(longest);
    let mut random = [0];
    entropy.fill(&mut random);
    wait / 2 + wait / 2 * u32::from(random[0]) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_differ() {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(30));
        let waits: Vec<u128> = [0, 1, 2, 3, 6, 7, 40]
            .map(|failures| wait(first, longest, failures, &Fixed(255)).as_millis())
            .into();
        assert_eq!(waits, [500, 500, 1000, 2000, 16_000, 30_000, 30_000]);
        assert_eq!(wait(first, longest, 3, &Fixed(0)), Duration::from_secs(1));
    }
}
