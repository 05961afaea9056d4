//! `muster tenant`.

mod billing;
mod create;
mod delete;
mod manage;

use anyhow::bail;
use clap::Subcommand;
use muster_domain::tenant::{Tenant, TenantStore as _};
use muster_domain::{Directory, TenantId, text};
use muster_store::Store;

pub(super) use create::{credential_json, password_from_stdin};

#[derive(Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant: its top org unit, its first admin, and a credential for each dialect. It works
    /// while a server is running on the same store. The secrets are shown this once.
    Create(create::CreateArgs),
    /// List all tenants.
    List(manage::ListArgs),
    /// Show one tenant and how much it has.
    Show(manage::ShowArgs),
    /// Rename a tenant and the top of its tree, which bears its name.
    Rename(manage::RenameArgs),
    /// Keep everybody of a tenant out. Sessions and credentials work again when it is enabled.
    Disable(manage::StatusArgs),
    /// Let the people and programs of a tenant in again.
    Enable(manage::StatusArgs),
    /// Give an amount to the balance of a tenant, out of which messages are paid, or take it.
    Credit(billing::CreditArgs),
    /// Set in which currency a tenant pays, and by which tier of the price table.
    Billing(billing::BillingArgs),
    /// List what was given to the balance of a tenant and taken from it, the newest first.
    Movements(billing::MovementsArgs),
    /// Delete a tenant with all that it owns, for good. It asks for the name of the tenant first.
    Delete(delete::DeleteArgs),
}

pub(crate) async fn run(command: TenantCommand) -> anyhow::Result<()> {
    match command {
        TenantCommand::Create(args) => create::run(args).await,
        TenantCommand::List(args) => manage::list(args).await,
        TenantCommand::Show(args) => manage::show(args).await,
        TenantCommand::Rename(args) => manage::rename(args).await,
        TenantCommand::Disable(args) => manage::disable(args).await,
        TenantCommand::Enable(args) => manage::enable(args).await,
        TenantCommand::Credit(args) => billing::credit(args).await,
        TenantCommand::Billing(args) => billing::billing(args).await,
        TenantCommand::Movements(args) => billing::movements(args).await,
        TenantCommand::Delete(args) => delete::run(args).await,
    }
}

/// Tenants that are read at once.
const PAGE: u32 = 500;

/// The tenant that is meant by an id, or by a name that no other tenant has.
pub(super) async fn find(directory: &Directory<Store>, meant: &str) -> anyhow::Result<Tenant> {
    if let Ok(id) = meant.parse() {
        if let Some(tenant) = directory.store.tenant(TenantId(id)).await? {
            return Ok(tenant);
        }
        bail!("there is no tenant {id}");
    }
    let key = text::key(&text::normalize(meant));
    let mut found = Vec::new();
    let mut last = None;
    loop {
        let page = directory.store.tenants(last, PAGE).await?;
        let Some(end) = page.last() else {
            break;
        };
        last = Some(end.id);
        found.extend(page.into_iter().filter(|tenant| text::key(&tenant.name) == key));
    }
    match found.len() {
        0 => bail!("there is no tenant named {meant:?}; `muster tenant list` shows all"),
        1 => Ok(found.remove(0)),
        _ => {
            let ids: Vec<String> = found.iter().map(|tenant| tenant.id.to_string()).collect();
            bail!("several tenants are named {meant:?}; say which by its id: {}", ids.join(", "))
        }
    }
}
