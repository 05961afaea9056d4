//! The server's periodic work: what has expired or was deleted is forgotten, what is too old for the journal is
//! trimmed.

use std::sync::Arc;
use std::time::Duration;

use muster_api::App;

/// From the end of one round to the next: when nothing is to be done, a round is a few look-ups a tenant.
const PAUSE: Duration = Duration::from_mins(5);
/// From the start of the server to the first round: it has other things to do first.
const FIRST: Duration = Duration::from_secs(5);

/// Works until it is dropped. Every step is a commit of its own, so it can be broken off anywhere.
pub(crate) async fn run(app: Arc<App>, retention: Option<Duration>) {
    let directory = &app.directory;
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
        match directory.objects_reap(&app.media).await {
            Ok(0) => {}
            Ok(objects) => tracing::info!(objects, "objects that nothing refers to were removed"),
            Err(error) => {
                tracing::warn!(%error, "objects that are gone were not all removed; the next round tries again");
            }
        }
        if let Some(retention) = retention {
            match directory.journal_trim(directory.now().minus(retention)).await {
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
