//! `muster tenant list`, `show`, `rename`, `disable` and `enable`.

use clap::Args;
use clap::builder::BoolishValueParser;
use muster_domain::message::{Account, BalanceStore as _};
use muster_domain::tenant::{MAX_NAME, Tenant, TenantCounts, TenantStatus, TenantStore as _};
use muster_domain::{Error, TenantId, text};
use serde_json::{Value, json};

use super::{PAGE, find};
use crate::cli::StoreArgs;
use crate::cli::explain::explain;
use crate::cli::output::{self, line, name};

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Print one JSON object a line.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    tenant: String,
    /// Print one JSON object.
    #[arg(long, env = "MUSTER_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

#[derive(Args)]
pub(crate) struct RenameArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    tenant: String,
    /// The new name.
    name: String,
}

#[derive(Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    tenant: String,
}

pub(super) async fn list(args: ListArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let mut last: Option<TenantId> = None;
    loop {
        let page = directory.store.tenants(last, PAGE).await?;
        let Some(end) = page.last() else {
            break;
        };
        last = Some(end.id);
        for tenant in page {
            let counts = directory.store.tenant_counts(tenant.id).await?.filter(|_| !is_going(&tenant));
            line(if args.json {
                let account = directory.store.account(tenant.id).await?;
                object(&tenant, counts, account).to_string()
            } else {
                row(&tenant, counts)
            })?;
        }
    }
    directory.store.close().await;
    Ok(())
}

/// Of one that is being deleted nothing is counted any more: what was kept is how much it had.
fn is_going(tenant: &Tenant) -> bool {
    tenant.status == TenantStatus::Deleting
}

fn row(tenant: &Tenant, counts: Option<TenantCounts>) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    format!(
        "{:>6}  {:<13}  {:>8} org units  {:>8} users  {}",
        tenant.id,
        tenant.status.as_str(),
        number(counts.map(|counts| counts.org_units)),
        number(counts.map(|counts| counts.users_active + counts.users_inactive)),
        name(&tenant.name)
    )
}

fn object(tenant: &Tenant, counts: Option<TenantCounts>, account: Option<Account>) -> Value {
    json!({
        "tenant_id": tenant.id.0,
        "name": tenant.name,
        "status": tenant.status.as_str(),
        "country": tenant.country,
        "currency": tenant.currency,
        "tier": tenant.tier.as_str(),
        "balance": account.map(|account| account.balance.to_json()),
        "organization_id": tenant.organization_id,
        "client_id": muster_domain::credential::lox24_client_id(tenant.id),
        "org_unit_id": tenant.top_org_unit_id.0,
        "org_units": counts.map(|counts| counts.org_units),
        "users": counts.map(|counts| json!({
            "active": counts.users_active,
            "inactive": counts.users_inactive,
            "deleted": counts.users_deleted,
        })),
        "journal": counts.map(|counts| counts.journal),
        "created_at": tenant.created_at.millis().to_string(),
        "modified_at": tenant.modified_at.millis().to_string(),
    })
}

pub(super) async fn show(args: ShowArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let counts = directory.store.tenant_counts(tenant.id).await?.filter(|_| !is_going(&tenant));
    let account = directory.store.account(tenant.id).await?;
    directory.store.close().await;
    if args.json {
        return line(object(&tenant, counts, account));
    }
    let Some((counts, account)) = counts.zip(account) else {
        return line(row(&tenant, None));
    };
    line(format!(
        "Tenant {id}, {name}: {status}\n\
         \n  Country            {country}\
         \n  Balance            {balance} {currency}, prices of tier {tier}\
         \n  Org units          {units}, the top is {top}\
         \n  Users              {active} active, {inactive} inactive, {deleted} deleted\
         \n  Journal            {journal} entries so far\
         \n  LOX24              client id {client}\
         \n  Onlive             organization {organization}\
         \n  Created            {created}, changed {modified}",
        id = tenant.id,
        name = name(&tenant.name),
        status = tenant.status.as_str(),
        country = tenant.country,
        balance = account.balance,
        currency = account.currency,
        tier = account.tier.as_str(),
        units = counts.org_units,
        top = tenant.top_org_unit_id,
        active = counts.users_active,
        inactive = counts.users_inactive,
        deleted = counts.users_deleted,
        journal = counts.journal,
        client = muster_domain::credential::lox24_client_id(tenant.id),
        organization = tenant.organization_id,
        created = tenant.created_at.millis(),
        modified = tenant.modified_at.millis(),
    ))
}

pub(super) async fn rename(args: RenameArgs) -> anyhow::Result<()> {
    let name =
        text::required(&args.name, MAX_NAME).map_err(|problem| explain(Error::field("name", problem)))?;
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let renamed = directory.tenant_rename(tenant.id, &name).await.map_err(explain)?;
    directory.store.close().await;
    line(format!(
        "Tenant {} is named {}, and so is the top of its tree.",
        renamed.id,
        output::name(&renamed.name)
    ))
}

pub(super) async fn disable(args: StatusArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    directory.tenant_disable(tenant.id).await.map_err(explain)?;
    directory.store.close().await;
    line(format!(
        "Tenant {}, {}, is disabled: nobody gets in until it is enabled.",
        tenant.id,
        name(&tenant.name)
    ))
}

pub(super) async fn enable(args: StatusArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    directory.tenant_enable(tenant.id).await.map_err(explain)?;
    directory.store.close().await;
    line(format!("Tenant {}, {}, is active.", tenant.id, name(&tenant.name)))
}
