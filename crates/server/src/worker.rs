//! `muster worker`: sends for webhooks and does the periodic work, beside servers or in their place.

use std::sync::Arc;

use clap::Args;
use muster_api::PasswordPool;
use muster_domain::session::SessionPolicy;
use tokio::sync::watch;

use crate::cli::webhook::WebhookArgs;
use crate::cli::{MediaArgs, StoreArgs, directory};
use crate::serve::shutdown_signal;
use crate::telemetry::LogArgs;
use crate::upkeep::{self, RetentionArgs};
use crate::webhooks::Sending;

/// Send for webhooks, and do the periodic work, without serving anybody.
///
/// Any number of workers and servers share the webhooks of a store: each of them is sent for by one process at a time.
#[derive(Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    media: MediaArgs,
    #[command(flatten)]
    webhook: WebhookArgs,
    #[command(flatten)]
    retention: RetentionArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// Works until SIGTERM or SIGINT.
pub(crate) async fn run(args: WorkerArgs) -> anyhow::Result<()> {
    args.log.start()?;
    let client = args.webhook.client()?;
    let media = args.media.open(&args.store)?;
    let (store, key, _lock) = args.store.open_as_worker().await?;
    let directory = Arc::new(directory(store, SessionPolicy::default(), PasswordPool::new(1, 16)));
    tracing::info!(database = args.store.shown(), version = env!("CARGO_PKG_VERSION"), "working");
    let upkeep = tokio::spawn(upkeep::run(Arc::clone(&directory), media, args.retention));
    let (stop, stopped) = watch::channel(false);
    let mut sending = Sending::start(Arc::clone(&directory), client, key, stopped)?;
    shutdown_signal()?.await;
    stop.send_replace(true);
    upkeep.abort();
    sending.ended().await;
    directory.store.close().await;
    tracing::info!("stopped");
    Ok(())
}
