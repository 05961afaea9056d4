//! The dispatcher of webhooks in a process.

use std::sync::Arc;

use muster_delivery::{Client, Dispatcher, Pace, STOP};
use muster_domain::Directory;
use muster_domain::secret::ServerKey;
use muster_store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Sends until it is said to stop.
pub(crate) async fn send(
    directory: Arc<Directory<Store>>,
    client: Client,
    key: ServerKey,
    mut stop: watch::Receiver<bool>,
) {
    let dispatcher = Dispatcher::new(directory, client, key, Pace::default());
    dispatcher
        .run(async move {
            // Whoever could say so may be gone.
            let _ = stop.wait_for(|stop| *stop).await;
        })
        .await;
}

/// Waits for the end of what was said to stop, which does not take long.
pub(crate) async fn ended(sending: JoinHandle<()>) {
    match tokio::time::timeout(STOP + STOP / 2, sending).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "sending for webhooks has failed"),
        Err(_) => {
            tracing::warn!("some webhooks were not released; another process goes on with them after 20 s");
        }
    }
}
