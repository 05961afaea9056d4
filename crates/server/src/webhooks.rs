//! Sending for webhooks: which endpoints are called, and the dispatcher in a process.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::BoolishValueParser;
use ipnet::IpNet;
use muster_delivery::{Client, Dispatcher, Pace, Policy, Proxy, STOP, Settings};
use muster_domain::Directory;
use muster_domain::secret::ServerKey;
use muster_store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::serve::network;

/// Which endpoints are called, and how.
#[derive(Args)]
pub(crate) struct WebhookArgs {
    /// A network that webhooks may call although it is not public, such as 127.0.0.0/8. Repeat it or separate several by
    /// commas.
    #[arg(long, env = "MUSTER_WEBHOOK_ALLOW", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    webhook_allow: Vec<IpNet>,
    /// Let webhooks call http:// beside https://.
    #[arg(long, env = "MUSTER_WEBHOOK_HTTP", value_parser = BoolishValueParser::new())]
    webhook_http: bool,
    /// A proxy through which webhooks are called, as in <http://proxy.example.org:3128>.
    #[arg(long, env = "MUSTER_WEBHOOK_PROXY", value_name = "URL")]
    webhook_proxy: Option<Proxy>,
    /// A PEM file with the only root certificates that endpoints of webhooks may have. [default: those of the system]
    #[arg(long, env = "MUSTER_WEBHOOK_ROOTS", value_name = "FILE")]
    webhook_roots: Option<PathBuf>,
}

impl WebhookArgs {
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let policy = Policy { allowed: self.webhook_allow.clone(), plain_http: self.webhook_http };
        let (roots, proxy) = (self.webhook_roots.clone(), self.webhook_proxy.clone());
        Ok(Client::new(Settings { policy, roots, proxy, ..Settings::default() })?)
    }
}

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
        Err(_) => tracing::warn!("some webhooks were not released; another process goes on with them after 20 s"),
    }
}
