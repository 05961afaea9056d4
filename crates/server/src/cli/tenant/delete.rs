//! `muster tenant delete`.

use clap::Args;
use muster_domain::tenant::TenantStore as _;

use super::find;
use crate::cli::StoreArgs;
use crate::cli::explain::explain;
use crate::cli::output::{bar, confirm, line, name};

#[derive(Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The tenant's id, or its name.
    tenant: String,
    /// The tenant's name, to be asked nothing.
    #[arg(long, env = "MUSTER_CONFIRM", value_name = "NAME")]
    confirm: Option<String>,
}

pub(super) async fn run(args: DeleteArgs) -> anyhow::Result<()> {
    let (directory, _) = args.store.directory().await?;
    let tenant = find(&directory, &args.tenant).await?;
    let counts = directory.store.tenant_counts(tenant.id).await?.unwrap_or_default();
    let users = counts.users_active + counts.users_inactive + counts.users_deleted;
    let warning = format!(
        "Tenant {}, {}, will be deleted with {} org units, {users} users and its journal. There is no way back.",
        tenant.id, tenant.name, counts.org_units
    );
    confirm(&warning, &tenant.name, args.confirm.as_deref())?;
    let bar = bar("deleting", counts.org_units + 2 * users + counts.journal);
    directory.tenant_delete(tenant.id, |removed| bar.set_position(removed)).await.map_err(explain)?;
    bar.finish_and_clear();
    directory.store.close().await;
    line(format!("Tenant {}, {}, is deleted.", tenant.id, name(&tenant.name)))
}
