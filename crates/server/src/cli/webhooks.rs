//! `muster webhook`.

use anyhow::bail;
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};
use muster_delivery::message;
use muster_domain::webhook::{Delivery, DeliveryFilter, DeliveryId, DeliveryState, WebhookView};
use muster_domain::{Ctx, Directory, Slice, Timestamp, WebhookId};
use muster_store::Store;
use serde_json::{Value, json};

use super::StoreArgs;
use super::explain::explain;
use super::output::{line, name};
use super::tenant::find;
use super::webhook::WebhookArgs;
use super::when::When;

#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    /// List the webhooks of a tenant, and how their endpoints do.
    List(ListArgs),
    /// Send a sample to a webhook, and show what comes of it.
    Test(TestArgs),
    /// Show what was and is to be sent to a webhook, the newest first.
    Deliveries(DeliveriesArgs),
    /// Have deliveries sent again that were given up.
    Retry(RetryArgs),
}

#[derive(Args)]
pub(crate) struct Of {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    #[arg(long, env = "MUSTER_TENANT")]
    tenant: String,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    of: Of,
    /// Print one JSON object a line.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

#[derive(Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    webhook: WebhookArgs,
    /// The id of the webhook, as `muster webhook list` shows it.
    id: i64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Open,
    Delivered,
    Failed,
}

#[derive(Args)]
pub(crate) struct DeliveriesArgs {
    #[command(flatten)]
    of: Of,
    /// The id of the webhook, as `muster webhook list` shows it.
    id: i64,
    /// Only those that are to be sent, that arrived, or that were given up.
    #[arg(long, env = "MUSTER_STATE")]
    state: Option<State>,
    /// Only of events not before this time: 2026-01-31T12:00:00Z, a date, or so long ago: 7d, 12h, 30m.
    #[arg(long, env = "MUSTER_SINCE", value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// The newest so many.
    #[arg(long, env = "MUSTER_LIMIT", value_name = "NUMBER", default_value_t = 100)]
    limit: u32,
    /// Print one JSON object a line.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

#[derive(Args)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    of: Of,
    /// The id of the webhook, as `muster webhook list` shows it.
    id: i64,
    /// The id of the delivery, as `muster webhook deliveries` shows it.
    #[arg(required_unless_present = "since")]
    delivery: Option<i64>,
    /// All of events not before this time: 2026-01-31T12:00:00Z, a date, or so long ago: 7d, 12h, 30m.
    #[arg(long, env = "MUSTER_SINCE", value_name = "TIME", value_parser = When::parse, conflicts_with = "delivery")]
    since: Option<When>,
}

pub(crate) async fn run(command: WebhookCommand) -> anyhow::Result<()> {
    match command {
        WebhookCommand::List(args) => list(args).await,
        WebhookCommand::Test(args) => test(args).await,
        WebhookCommand::Deliveries(args) => deliveries(args).await,
        WebhookCommand::Retry(args) => retry(args).await,
    }
}

async fn operator(directory: &Directory<Store>, of: &Of) -> anyhow::Result<Ctx> {
    let tenant = find(directory, &of.tenant).await?;
    directory.tenant_operator(tenant.id).await.map_err(explain)
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let (directory, _) = args.of.store.directory().await?;
    let ctx = operator(&directory, &args.of).await?;
    for view in directory.webhook_list(&ctx).await.map_err(explain)? {
        line(if args.json { webhook_object(&view).to_string() } else { webhook_row(&view) })?;
    }
    directory.store.close().await;
    Ok(())
}

async fn test(args: TestArgs) -> anyhow::Result<()> {
    let client = args.webhook.client()?;
    let (directory, key) = args.of.store.directory().await?;
    let ctx = operator(&directory, &args.of).await?;
    let webhook = directory.webhook_get(&ctx, WebhookId(args.id)).await.map_err(explain)?.webhook;
    let secret = directory.webhook_secret(&ctx, webhook.id).await.map_err(explain)?;
    directory.store.close().await;
    let now = directory.now();
    let sample = message::sample(&webhook, directory.entropy.uuid(), now);
    let outcome = message::send(&client, &key, (&webhook, &secret), sample, now).await?;
    if let Some(answer) = &outcome.answer {
        line(format!(
            "{} answered {} in {} ms",
            webhook.host(),
            answer.status,
            outcome.duration.as_millis()
        ))?;
        if !answer.excerpt.is_empty() {
            line(&answer.excerpt)?;
        }
    }
    match outcome.verdict {
        Ok(()) => Ok(()),
        Err(failure) => bail!("the sample was not taken: {failure}"),
    }
}

async fn deliveries(args: DeliveriesArgs) -> anyhow::Result<()> {
    let (directory, _) = args.of.store.directory().await?;
    let ctx = operator(&directory, &args.of).await?;
    let webhook = directory.webhook_get(&ctx, WebhookId(args.id)).await.map_err(explain)?.webhook.id;
    let state = args.state.map(|state| match state {
        State::Open => DeliveryState::Open,
        State::Delivered => DeliveryState::Delivered,
        State::Failed => DeliveryState::Failed,
    });
    let filter = DeliveryFilter { state, since: args.since.map(|when| when.before(ctx.now())) };
    let slice = Slice { limit: args.limit, offset: 0 };
    for delivery in directory.delivery_list(&ctx, webhook, filter, slice).await.map_err(explain)?.items {
        line(if args.json { object(&delivery).to_string() } else { row(&delivery) })?;
    }
    directory.store.close().await;
    Ok(())
}

async fn retry(args: RetryArgs) -> anyhow::Result<()> {
    let (directory, _) = args.of.store.directory().await?;
    let ctx = operator(&directory, &args.of).await?;
    let webhook = directory.webhook_get(&ctx, WebhookId(args.id)).await.map_err(explain)?.webhook.id;
    let said = match (args.delivery, args.since) {
        (Some(id), _) => {
            row(&directory.delivery_retry(&ctx, webhook, DeliveryId(id)).await.map_err(explain)?)
        }
        (None, Some(since)) => {
            let since = since.before(ctx.now());
            let count = directory.deliveries_retry(&ctx, webhook, since).await.map_err(explain)?;
            format!("{count} deliveries are sent again.")
        }
        (None, None) => bail!("name a delivery, or --since a time"),
    };
    directory.store.close().await;
    line(said)
}

fn millis(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.millis().to_string())
}

fn webhook_row(view: &WebhookView) -> String {
    let WebhookView { webhook, health } = view;
    let health = match (health.consecutive_failures, health.last_delivery_at) {
        (_, None) => "never called".to_owned(),
        (0, Some(at)) => format!("well at {}", at.millis()),
        (failures, Some(at)) => format!("{failures} failures until {}", at.millis()),
    };
    let (status, format) = (webhook.status.as_str(), webhook.format.as_str());
    let host = name(webhook.host());
    format!("{:>6}  {status:<8}  {format:<8}  {health:<42}  {host:<30}  {}", webhook.id, name(&webhook.name))
}

fn webhook_object(view: &WebhookView) -> Value {
    let WebhookView { webhook, health } = view;
    json!({
        "id": webhook.id.0,
        "name": webhook.name,
        "url": webhook.url,
        "org_unit_id": webhook.org_unit_id.0,
        "events": webhook.events,
        "format": webhook.format.as_str(),
        "status": webhook.status.as_str(),
        "include_sub_groups": webhook.include_sub_groups,
        "last_delivery_at": millis(health.last_delivery_at),
        "last_status": health.last_status,
        "consecutive_failures": health.consecutive_failures,
        "failing_since": millis(health.failing_since),
    })
}

fn row(delivery: &Delivery) -> String {
    let last = delivery.last.as_ref();
    let status = last.and_then(|last| last.status).map_or("-".to_owned(), |status| status.to_string());
    let problem = last.and_then(|last| last.problem.as_deref()).unwrap_or_default();
    let next = delivery.next_at.map_or(String::new(), |at| format!("next {}", at.millis()));
    format!(
        "{:>10}  {}  {:<21}  {:<22}  {:<9}  {} tried  {status:>3}  {}",
        delivery.id.0,
        delivery.at.millis(),
        name(&delivery.event),
        name(&delivery.entity),
        delivery.state.as_str(),
        delivery.attempts,
        name(&[next.as_str(), problem].join("  "))
    )
}

fn object(delivery: &Delivery) -> Value {
    let last = delivery.last.as_ref();
    json!({
        "id": delivery.id.0,
        "event": delivery.event,
        "entity": delivery.entity,
        "at": delivery.at.millis().to_string(),
        "state": delivery.state.as_str(),
        "attempts": delivery.attempts,
        "next_at": millis(delivery.next_at),
        "attempted_at": millis(last.map(|last| last.at)),
        "duration_ms": last.map(|last| u64::try_from(last.duration.as_millis()).unwrap_or(u64::MAX)),
        "status": last.and_then(|last| last.status),
        "answer": last.and_then(|last| last.answer.as_deref()),
        "problem": last.and_then(|last| last.problem.as_deref()),
    })
}
