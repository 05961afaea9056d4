//! Writing prices, and moving balances.

use muster_domain::message::{Money, MovementReason, PriceTable, charge, credit, refund};
use muster_domain::{StoreError, TenantId, Timestamp};

use super::Outcome;
use crate::driver::{ONE_ROW, Write};
use crate::rows;
use crate::statements::balance;
use crate::value::values;

/// What a group of batches does to a tenant's balance. It is read once for the group, whose writers are alone with the
/// tenant; each movement finds what the one before has left.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Purse {
    /// The balance, and how many movements have made it, before the group; unknown until the first one.
    stored: Option<(Money, i64)>,
    /// By how much the group has changed both.
    pub(super) moved: Money,
    pub(super) movements: i64,
}

pub(super) async fn replace_prices(on: &mut impl Write, table: Option<&PriceTable>) -> Outcome {
    let Some(table) = table else {
        on.run(&balance::NO_EDITION, &[]).await?;
        return on.run(&balance::NO_PRICES, &[]).await;
    };
    on.one_row(&balance::NEXT_EDITION, &[]).await?;
    let rows = table.iter().map(|price| {
        let [s, m, l, xl] = price.per_part.map(Money::millionths);
        let (country, currency) = (price.country.as_str(), price.currency.as_str());
        values![country, currency, &price.name, s, m, l, xl, &price.requirements].to_vec()
    });
    on.each(&balance::PRICE_INSERT, &rows.collect::<Vec<_>>(), ONE_ROW).await?;
    on.run(&balance::PRICES_BEFORE, &[]).await
}

/// Gives or takes an amount, by the rule of the reason.
pub(super) async fn move_by(
    on: &mut impl Write,
    tenant: TenantId,
    purse: &mut Purse,
    (at, amount): (Timestamp, Money),
    reason: &MovementReason,
) -> Outcome {
    let (stored, before) = if let Some(stored) = purse.stored {
        stored
    } else {
        let found = on.found(&balance::GET, &values![tenant.0], rows::balance::purse).await?;
        *purse.stored.insert(found.first().copied().ok_or(StoreError::Stale)?)
    };
    let now = stored + purse.moved;
    let after = match reason {
        MovementReason::Charge(_) | MovementReason::BulkCharge { .. } => charge(now, -amount),
        MovementReason::Credit(_) => credit(now, amount),
        MovementReason::Refund(_) | MovementReason::BulkRefund { .. } => refund(now, amount),
    };
    let after = after.ok_or(StoreError::Balance)?;
    purse.moved = after - stored;
    purse.movements += 1;
    let note = match reason {
        MovementReason::Credit(note) => note.as_deref(),
        _ => None,
    };
    let message = match reason {
        MovementReason::Charge(id) | MovementReason::Refund(id) => Some(id.0),
        _ => None,
    };
    let (bulk, messages) = match reason {
        MovementReason::BulkCharge { bulk, messages } | MovementReason::BulkRefund { bulk, messages } => {
            (Some(bulk.0), Some(i64::from(*messages)))
        }
        _ => (None, None),
    };
    let values = values![
        tenant.0,
        before + purse.movements,
        at.0,
        amount.millionths(),
        after.millionths(),
        reason.as_str(),
        note,
        message,
        bulk,
        messages,
    ];
    on.one_row(&balance::MOVE, &values).await
}
