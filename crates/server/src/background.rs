//! What a process does beside requests, on threads of its own.

use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;

/// How much its threads leave to others (0 to 19): whoever has sent a request waits for the answer, and nobody for a
/// delivery.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// From a failure to the next try.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// Threads that leave the processor to others, for as long as this is there.
pub(crate) struct Threads {
    handle: Handle,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

impl Threads {
    pub(crate) fn start(name: &'static str) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name(name)
            .on_thread_start(yield_to_others)
            .build()
            .with_context(|| format!("the threads for {name}"))?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // It must not be waited for on a thread that serves others.
            runtime.shutdown_background();
        }
    }
}

/// Runs what `begin` makes until that ends by itself. After a panic it is begun again; what it had leased or
/// claimed before is waited for.
pub(crate) async fn supervise<F: Future<Output = ()> + Send + 'static>(
    what: &str,
    stop: watch::Receiver<bool>,
    pause: Duration,
    begin: impl Fn(watch::Receiver<bool>) -> F,
) {
    while let Err(error) = tokio::spawn(begin(stop.clone())).await {
        tracing::error!(%error, "{what} has failed; it is begun again after {pause:?}");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped(stop.clone()) => return,
        }
    }
}

/// Completes when it is said to stop.
pub(crate) async fn stopped(mut stop: watch::Receiver<bool>) {
    // Whoever could say so may be gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Elsewhere than on Linux it would be the whole process that yields.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "threads in the background take as much time as others");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_has_failed_is_begun_again_until_it_ends() {
        let begun = Arc::new(AtomicUsize::new(0));
        let (stop, receiver) = watch::channel(false);
        let begin = |_| {
            let begun = Arc::clone(&begun);
            async move { assert!(begun.fetch_add(1, Ordering::Relaxed) == 2, "it fails twice") }
        };
        supervise("a test", receiver.clone(), Duration::from_millis(1), begin).await;
        assert_eq!(begun.load(Ordering::Relaxed), 3);
        // A server that stops begins nothing again.
        stop.send_replace(true);
        supervise("a test", receiver, Duration::MAX, begin).await;
        assert_eq!(begun.load(Ordering::Relaxed), 4);
    }
}
