//! Pages of what predicates select, with how many there are.

use muster_domain::predicate::{Predicate, Selection, Start};
use muster_domain::tenant::TenantCounts;
use muster_domain::{Page, StoreError, TenantId};

use super::selection::{Id, Table};
use crate::driver::Read;
use crate::row::{Row, get};
use crate::rows;
use crate::statements::tenant;
use crate::value::values;

pub(super) async fn selected<I: Id, T: Send>(
    on: &impl Read,
    table: &Table,
    tenant: TenantId,
    wanted: &Selection<I>,
    row: fn(&dyn Row) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let items = on.all_written(&table.page(tenant, wanted), row).await?;
    let total = match total_seen(wanted, items.len()) {
        _ if !wanted.counts => 0,
        Some(total) => total,
        None => count(on, table, tenant, &wanted.predicate).await?,
    };
    Ok(Page { items, total })
}

/// How many rows there are, if a page with so many of them is the last one and tells it.
fn total_seen<I>(wanted: &Selection<I>, items: usize) -> Option<u64> {
    let items = u64::try_from(items).ok()?;
    match wanted.start {
        Start::Offset(before) if items < u64::from(wanted.limit) && (items > 0 || before == 0) => {
            before.checked_add(items)
        }
        _ => None,
    }
}

/// How many rows a predicate selects. What is kept is not counted, and of what most rows are, those are counted that are
/// not so.
async fn count(
    on: &impl Read,
    table: &Table,
    tenant: TenantId,
    predicate: &Predicate,
) -> Result<u64, StoreError> {
    let (of, is_opposite) = match predicate {
        Predicate::Not(opposite) => (&**opposite, true),
        predicate => (predicate, false),
    };
    let is_all = *of == Predicate::ALWAYS;
    if !is_opposite && !is_all && *of != Predicate::Active {
        return counted(on, table, tenant, of).await;
    }
    let kept = on.one(&tenant::COUNTS, &values![tenant.0], rows::tenant_counts).await?.unwrap_or_default();
    let Kept { all, active } = (table.kept)(&kept);
    let found = match of {
        Predicate::Active => active,
        _ if is_all => all,
        _ => counted(on, table, tenant, of).await?,
    };
    Ok(if is_opposite { all.saturating_sub(found) } else { found })
}

async fn counted(
    on: &impl Read,
    table: &Table,
    tenant: TenantId,
    predicate: &Predicate,
) -> Result<u64, StoreError> {
    let count: Vec<i64> = on.all_written(&table.count(tenant, predicate), |row| get(row, 0)).await?;
    Ok(count.first().and_then(|count| u64::try_from(*count).ok()).unwrap_or(0))
}

/// How many rows of a table there are, and how many of them are active.
pub(super) struct Kept {
    all: u64,
    active: u64,
}

impl Kept {
    pub(super) const fn of_users(counts: &TenantCounts) -> Self {
        Self { all: counts.users_active + counts.users_inactive, active: counts.users_active }
    }

    pub(super) const fn of_groups(counts: &TenantCounts) -> Self {
        Self { all: counts.user_groups, active: 0 }
    }
}
