//! From rows to prices, accounts and movements.

use muster_domain::message::{
    Account, Country, Currency, Money, Movement, MovementReason, Price, PriceTable, Quote,
};
use muster_domain::{BulkId, MessageId, MovementId, TenantId};
use uuid::Uuid;

use super::{Result, code};
use crate::codes;
use crate::row::{Row, corrupt, get};

pub(crate) fn money(row: &dyn Row, at: usize) -> Result<Money> {
    get(row, at).map(Money::from_millionths)
}

/// From three columns.
pub(crate) fn account(row: &dyn Row) -> Result<Account> {
    Ok(Account {
        currency: currency(row, 0)?,
        tier: code(row, 1, codes::tier_of, "tier of a tenant")?,
        balance: money(row, 2)?,
    })
}

fn currency(row: &dyn Row, at: usize) -> Result<Currency> {
    Currency::read(&get::<String>(row, at)?).map_err(|_| corrupt("currency"))
}

pub(crate) fn country(row: &dyn Row, at: usize) -> Result<Option<Country>> {
    let country = get::<Option<String>>(row, at)?.map(|raw| Country::read(&raw));
    country.transpose().map_err(|_| corrupt("country"))
}

pub(crate) fn quote(row: &dyn Row) -> Result<Quote> {
    let has_table = get::<Option<i64>>(row, 3)?.is_some();
    let prices = match country(row, 4)? {
        Some(_) => Some(price_at(row, 4)?),
        None => None,
    };
    Ok(Quote { account: account(row)?, table: has_table.then(|| PriceTable::new(prices)) })
}

pub(crate) fn price(row: &dyn Row) -> Result<Price> {
    price_at(row, 0)
}

fn price_at(row: &dyn Row, first: usize) -> Result<Price> {
    let per_part = |tier: usize| money(row, first + 3 + tier);
    Ok(Price {
        country: country(row, first)?.ok_or_else(|| corrupt("country"))?,
        currency: currency(row, first + 1)?,
        name: get(row, first + 2)?,
        per_part: [per_part(0)?, per_part(1)?, per_part(2)?, per_part(3)?],
        requirements: get(row, first + 7)?,
    })
}

/// A balance, and how many movements have made it.
pub(crate) fn purse(row: &dyn Row) -> Result<(Money, i64)> {
    Ok((money(row, 0)?, get(row, 1)?))
}

pub(crate) fn movement(row: &dyn Row) -> Result<Movement> {
    Ok(Movement {
        id: MovementId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        at: get(row, 2)?,
        amount: money(row, 3)?,
        balance: money(row, 4)?,
        reason: reason(row)?.ok_or_else(|| corrupt("reason of a movement"))?,
    })
}

fn reason(row: &dyn Row) -> Result<Option<MovementReason>> {
    let word: String = get(row, 5)?;
    let message = get::<Option<Uuid>>(row, 7)?.map(MessageId);
    let bulk = get::<Option<i64>>(row, 8)?.map(BulkId);
    let messages = get::<Option<i64>>(row, 9)?.and_then(|messages| u32::try_from(messages).ok());
    Ok(match word.as_str() {
        "credit" => Some(MovementReason::Credit(get(row, 6)?)),
        "charge" => message.map(MovementReason::Charge),
        "refund" => message.map(MovementReason::Refund),
        "bulk_charge" => {
            bulk.zip(messages).map(|(bulk, messages)| MovementReason::BulkCharge { bulk, messages })
        }
        "bulk_refund" => {
            bulk.zip(messages).map(|(bulk, messages)| MovementReason::BulkRefund { bulk, messages })
        }
        _ => None,
    })
}
