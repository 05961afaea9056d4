//! The dispatcher of webhooks in a process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use muster_delivery::{Client, Dispatcher, Pace, STOP};
use muster_domain::Directory;
use muster_domain::secret::ServerKey;
use muster_store::Store;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How much its threads leave to others (0 to 19): whoever has sent a request waits for the answer, and nobody for a
/// delivery.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// From a failure of what sends to the next try.
const PAUSE: Duration = Duration::from_secs(5);

/// What sends for webhooks, on threads of its own.
pub(crate) struct Sending {
    task: Option<JoinHandle<()>>,
    /// Connections that were opened here are served here, so it lasts as long as whoever uses them.
    runtime: Option<Runtime>,
}

impl Sending {
    /// Sends until it is said to stop.
    pub(crate) fn start(
        directory: Arc<Directory<Store>>,
        client: Client,
        key: ServerKey,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("webhooks")
            .on_thread_start(yield_to_others)
            .build()
            .context("the threads that send for webhooks")?;
        let task = runtime.spawn(supervise(stop, PAUSE, move |stop| {
            let dispatcher =
                Dispatcher::new(Arc::clone(&directory), client.clone(), key.clone(), Pace::default());
            dispatcher.run(stopped(stop))
        }));
        Ok(Self { task: Some(task), runtime: Some(runtime) })
    }

    /// Waits for the end of what was said to stop, which does not take long.
    pub(crate) async fn ended(&mut self) {
        let Some(task) = self.task.take() else { return };
        match tokio::time::timeout(STOP + STOP / 2, task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "sending for webhooks has failed"),
            Err(_) => {
                tracing::warn!(
                    "some webhooks were not released; another process goes on with them after 20 s"
                );
            }
        }
    }
}

/// Runs what `begin` makes until that ends by itself. After a panic it is begun again, with leases of its own: those of
/// before are waited for.
async fn supervise<F: Future<Output = ()> + Send + 'static>(
    stop: watch::Receiver<bool>,
    pause: Duration,
    begin: impl Fn(watch::Receiver<bool>) -> F,
) {
    while let Err(error) = tokio::spawn(begin(stop.clone())).await {
        tracing::error!(%error, "sending for webhooks has failed; it is begun again after {pause:?}");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped(stop.clone()) => return,
        }
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // Whoever could say so may be gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // It must not be waited for on a thread that serves others.
            runtime.shutdown_background();
        }
    }
}

/// Elsewhere than on Linux it would be the whole process that yields.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the threads that send for webhooks take as much time as others");
    }
}

#[cfg(test)]
mod tests {
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
        supervise(receiver.clone(), Duration::from_millis(1), begin).await;
        assert_eq!(begun.load(Ordering::Relaxed), 3);
        // A server that stops begins nothing again.
        stop.send_replace(true);
        supervise(receiver, Duration::MAX, begin).await;
        assert_eq!(begun.load(Ordering::Relaxed), 4);
    }
}
