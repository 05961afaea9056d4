//! The server's periodic work: what has expired or was deleted is forgotten, what is too old for the journal is
//! trimmed.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, value_parser};
use muster_domain::Directory;
use muster_store::{Media, Store};

/// From the end of one round to the next: when nothing is to be done, a round is a few look-ups a tenant.
const PAUSE: Duration = Duration::from_mins(5);
/// From the start of the server to the first round: it has other things to do first.
const FIRST: Duration = Duration::from_secs(5);

/// How long things are kept.
#[derive(Args, Clone, Copy)]
pub(crate) struct RetentionArgs {
    /// How long the journal keeps an entry, in days. Who changed what before cannot be told any more.
    /// [default: for ever]
    #[arg(long, env = "MUSTER_JOURNAL_RETENTION", value_name = "DAYS", value_parser = value_parser!(u64).range(1..=36_500))]
    journal_retention: Option<u64>,
    /// How long it is kept what was sent to webhooks and what came of it, in days from the event.
    #[arg(long, env = "MUSTER_DELIVERY_RETENTION", value_name = "DAYS", default_value_t = 7, value_parser = value_parser!(u64).range(1..=36_500))]
    delivery_retention: u64,
}

fn days(days: u64) -> Duration {
    Duration::from_hours(24 * days)
}

/// Works until it is dropped. Every step is a commit of its own, so it can be broken off anywhere.
pub(crate) async fn run(directory: Arc<Directory<Store>>, media: Media, retention: RetentionArgs) {
    tokio::time::sleep(FIRST).await;
    loop {
        if let Err(error) = directory.sessions_reap().await {
            tracing::warn!(%error, "expired sessions were not all forgotten; the next round tries again");
        }
        if let Err(error) = directory.contacts_reap().await {
            tracing::warn!(%error, "contacts that are gone were not all removed; the next round tries again");
        }
        if let Err(error) = directory.user_groups_reap().await {
            tracing::warn!(%error, "user groups that are gone were not all removed; the next round tries again");
        }
        if let Err(error) =
            directory.webhooks_reap(directory.now().minus(days(retention.delivery_retention))).await
        {
            tracing::warn!(%error, "old deliveries were not all removed; the next round tries again");
        }
        if let Err(error) = directory.receipts_reap().await {
            tracing::warn!(%error, "what carriers had long ago was not all forgotten; the next round tries again");
        }
        match directory.objects_reap(&media).await {
            Ok(0) => {}
            Ok(objects) => tracing::info!(objects, "objects that nothing refers to were removed"),
            Err(error) => {
                tracing::warn!(%error, "objects that are gone were not all removed; the next round tries again");
            }
        }
        if let Some(kept) = retention.journal_retention {
            match directory.journal_trim(directory.now().minus(days(kept))).await {
                Ok(0) => {}
                Ok(entries) => tracing::info!(entries, "old entries were removed from the journal"),
                Err(error) => {
                    tracing::warn!(%error, "the journal was not trimmed; the next round tries again");
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
