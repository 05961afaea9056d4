//! `muster tenant credit`, `billing` and `movements`: what a tenant has to pay with, and how it pays.

use anyhow::bail;
use clap::Args;
use clap::builder::BoolishValueParser;
use muster_domain::message::{Currency, Money, Movement, MovementReason, Tier};
use muster_domain::tenant::BillingPatch;
use muster_domain::{FieldErrors, Problem, Slice};
use serde_json::{Value, json};

use super::find;
use crate::cli::StoreArgs;
use crate::cli::explain::explain;
use crate::cli::output::{self, line};

#[derive(Args)]
pub(crate) struct CreditArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    tenant: String,
    /// How much is given, in units of the tenant's currency, such as 100 or 12.75; below zero it is taken.
    #[arg(allow_negative_numbers = true)]
    amount: String,
    /// What stands with the movement, such as the number of an invoice.
    #[arg(long, env = "MUSTER_NOTE")]
    note: Option<String>,
}

#[derive(Args)]
pub(crate) struct BillingArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    tenant: String,
    /// What it pays in, such as EUR or CHF. It stays once anything was credited or charged.
    #[arg(long, env = "MUSTER_CURRENCY", value_name = "CURRENCY")]
    currency: Option<String>,
    /// Which column of the price table it pays by: S, M, L or XL.
    #[arg(long, env = "MUSTER_TIER", value_name = "TIER")]
    tier: Option<String>,
}

#[derive(Args)]
pub(crate) struct MovementsArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    tenant: String,
    /// The newest so many.
    #[arg(long, env = "MUSTER_LIMIT", value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print one JSON object a line.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

pub(super) async fn credit(args: CreditArgs) -> anyhow::Result<()> {
    let mut errors = FieldErrors::default();
    let amount = errors.take("amount", args.amount.parse::<Money>());
    let amount = errors.complete(amount).map_err(explain)?;
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    directory.tenant_credit(tenant.id, amount, args.note.as_deref()).await.map_err(explain)?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    let account = directory.account_balance(&ctx).await.map_err(explain)?;
    directory.store.close().await;
    line(format!(
        "Tenant {}, {}, has a balance of {} {}.",
        tenant.id,
        output::name(&tenant.name),
        account.balance,
        account.currency
    ))
}

pub(super) async fn billing(args: BillingArgs) -> anyhow::Result<()> {
    if args.currency.is_none() && args.tier.is_none() {
        bail!("say what is to be changed: --currency, --tier or both");
    }
    let mut errors = FieldErrors::default();
    let currency = args.currency.as_deref().map(Currency::read).transpose();
    let currency = errors.take("currency", currency);
    let unknown = Problem::Format("must be S, M, L or XL");
    let tier = args.tier.as_deref().map(|name| Tier::from_name(name).ok_or(unknown)).transpose();
    let tier = errors.take("tier", tier);
    let patch = || Some(BillingPatch { currency: currency?, tier: tier? });
    let patch = errors.complete(patch()).map_err(explain)?;
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let tenant = directory.tenant_set_billing(tenant.id, patch).await.map_err(explain)?;
    directory.store.close().await;
    line(format!(
        "Tenant {}, {}, pays in {} by the prices of tier {}.",
        tenant.id,
        output::name(&tenant.name),
        tenant.currency,
        tenant.tier.as_str()
    ))
}

pub(super) async fn movements(args: MovementsArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let ctx = directory.tenant_operator(tenant.id).await.map_err(explain)?;
    let slice = Slice { offset: 0, limit: args.limit };
    let page = directory.movement_list(&ctx, slice).await.map_err(explain)?;
    directory.store.close().await;
    for movement in &page.items {
        line(if args.json { object(movement).to_string() } else { row(movement) })?;
    }
    Ok(())
}

fn row(movement: &Movement) -> String {
    let about = match &movement.reason {
        MovementReason::Credit(note) => note.as_deref().map(output::name).unwrap_or_default(),
        MovementReason::Charge(message) | MovementReason::Refund(message) => message.to_string(),
        MovementReason::BulkCharge { bulk, messages } | MovementReason::BulkRefund { bulk, messages } => {
            format!("{messages} messages of bulk {bulk}")
        }
    };
    let row = format!(
        "{}  {:>16}  {:>16}  {:<11}  {about}",
        movement.at.millis(),
        movement.amount.to_string(),
        movement.balance.to_string(),
        movement.reason.as_str(),
    );
    row.trim_end().to_owned()
}

fn object(movement: &Movement) -> Value {
    let mut object = json!({
        "movement_id": movement.id.0,
        "at": movement.at.millis().to_string(),
        "amount": movement.amount.to_json(),
        "balance": movement.balance.to_json(),
        "reason": movement.reason.as_str(),
    });
    match &movement.reason {
        MovementReason::Credit(note) => object["note"] = json!(note),
        MovementReason::Charge(message) | MovementReason::Refund(message) => {
            object["message"] = json!(message.to_string());
        }
        MovementReason::BulkCharge { bulk, messages } | MovementReason::BulkRefund { bulk, messages } => {
            object["bulk"] = json!(bulk.0);
            object["messages"] = json!(messages);
        }
    }
    object
}
