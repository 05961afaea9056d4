//! The dispatcher of webhooks in a process.

use std::sync::Arc;

use muster_delivery::{Client, Dispatcher, Pace, STOP};
use muster_domain::Directory;
use muster_domain::secret::ServerKey;
use muster_store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::background::{PAUSE, Threads, stopped, supervise};

/// What sends for webhooks.
pub(crate) struct Sending {
    task: Option<JoinHandle<()>>,
    /// Connections that were opened here are served here, so they last as long as whoever uses them.
    _threads: Threads,
}

impl Sending {
    /// Sends until it is said to stop.
    pub(crate) fn start(
        directory: Arc<Directory<Store>>,
        client: Client,
        key: ServerKey,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let threads = Threads::start("webhooks")?;
        let task = threads.handle().spawn(supervise("sending for webhooks", stop, PAUSE, move |stop| {
            let dispatcher =
                Dispatcher::new(Arc::clone(&directory), client.clone(), key.clone(), Pace::default());
            dispatcher.run(stopped(stop))
        }));
        Ok(Self { task: Some(task), _threads: threads })
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
