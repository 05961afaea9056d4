//! `muster worker`: sends for webhooks, hands messages over and does the periodic work, beside servers or in their place.

use std::sync::Arc;

use clap::Args;
use muster_api::PasswordPool;
use muster_domain::session::SessionPolicy;
use tokio::sync::watch;

use crate::cli::carriers::CarrierArgs;
use crate::cli::webhook::WebhookArgs;
use crate::cli::{MediaArgs, StoreArgs, directory};
use crate::messages::Messages;
use crate::serve::{Switch, shutdown_signal};
use crate::telemetry::LogArgs;
use crate::upkeep::{self, RetentionArgs};
use crate::webhooks::Sending;

/// Send for webhooks, hand messages over, and do the periodic work, without serving anybody.
///
/// Any number of workers and servers share the webhooks and the messages of a store: each of them is worked on by one process at
/// a time.
#[derive(Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    media: MediaArgs,
    #[command(flatten)]
    webhook: WebhookArgs,
    /// Whether this worker hands messages over to carriers.
    #[arg(long, env = "MUSTER_MESSAGES", default_value = "on")]
    messages: Switch,
    #[command(flatten)]
    carriers: CarrierArgs,
    #[command(flatten)]
    retention: RetentionArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// Works until SIGTERM or SIGINT.
pub(crate) async fn run(args: WorkerArgs) -> anyhow::Result<()> {
    args.log.start()?;
    let client = args.webhook.client()?;
    let carriers = args.carriers.config()?;
    let media = args.media.open(&args.store)?;
    let (store, key, _lock) = args.store.open_as_worker().await?;
    let directory = Arc::new(directory(store, SessionPolicy::default(), PasswordPool::new(1, 16)));
    tracing::info!(database = args.store.shown(), version = env!("CARGO_PKG_VERSION"), "working");
    let upkeep = tokio::spawn(upkeep::run(Arc::clone(&directory), media, args.retention));
    let (stop, stopped) = watch::channel(false);
    // Nobody can call a worker, so there are no gateways to listen to.
    let messages = match args.messages {
        Switch::On => Some(Messages::start(&directory, &carriers, client.clone(), true, stopped.clone())?),
        Switch::Off => None,
    };
    let mut sending = Sending::start(Arc::clone(&directory), client, key, stopped)?;
    shutdown_signal()?.await;
    stop.send_replace(true);
    upkeep.abort();
    let messages = async {
        if let Some(messages) = messages {
            messages.ended().await;
        }
    };
    tokio::join!(sending.ended(), messages);
    directory.store.close().await;
    tracing::info!("stopped");
    Ok(())
}
