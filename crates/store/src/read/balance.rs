//! Reads of prices, balances and movements.

use muster_domain::message::{
    Account, BalanceStore, Country, Currency, Money, Movement, Price, PriceTable, Quote,
};
use muster_domain::{Page, Slice, StoreError, TenantId};

use super::{bounds, read};
use crate::driver::Read;
use crate::statements::balance;
use crate::value::values;
use crate::{Store, rows};

impl BalanceStore for Store {
    async fn account(&self, tenant: TenantId) -> Result<Option<Account>, StoreError> {
        read!(self, read, |on| on.one(&balance::ACCOUNT, &values![tenant.0], rows::balance::account))
    }

    async fn quote(&self, tenant: TenantId, country: Option<Country>) -> Result<Option<Quote>, StoreError> {
        match country {
            Some(country) => {
                let values = values![tenant.0, country.as_str()];
                read!(self, read, |on| on.one(&balance::QUOTE, &values, rows::balance::quote))
            }
            None => read!(self, scan, |on| quote_of_all(on, tenant)),
        }
    }

    async fn prices(
        &self,
        country: Option<Country>,
        currency: Option<Currency>,
    ) -> Result<Option<Vec<Price>>, StoreError> {
        read!(self, scan, |on| prices(on, country, currency))
    }

    async fn movements(&self, tenant: TenantId, slice: Slice) -> Result<Page<Movement>, StoreError> {
        read!(self, scan, |on| movements(on, tenant, slice))
    }
}

async fn quote_of_all(on: &impl Read, tenant: TenantId) -> Result<Option<Quote>, StoreError> {
    let account = on.one(&balance::ACCOUNT, &values![tenant.0], rows::balance::account).await?;
    let Some(account) = account else {
        return Ok(None);
    };
    let prices = prices(on, None, Some(account.currency)).await?;
    Ok(Some(Quote { account, table: prices.map(PriceTable::new) }))
}

async fn prices(
    on: &impl Read,
    country: Option<Country>,
    currency: Option<Currency>,
) -> Result<Option<Vec<Price>>, StoreError> {
    if !on.exists(&balance::EDITION, &[]).await? {
        return Ok(None);
    }
    let currency = currency.as_ref().map(Currency::as_str);
    let prices = match &country {
        Some(country) => {
            on.all(&balance::PRICE_GET, &values![country.as_str(), currency], rows::balance::price).await?
        }
        None => on.all(&balance::PRICES, &values![currency], rows::balance::price).await?,
    };
    Ok(Some(prices))
}

/// Movements have no gaps, so that a page is found by their numbers, and their number is that of the last one.
async fn movements(on: &impl Read, tenant: TenantId, slice: Slice) -> Result<Page<Movement>, StoreError> {
    let (limit, offset) = bounds(slice);
    let purse: Option<(Money, i64)> = on.one(&balance::GET, &values![tenant.0], rows::balance::purse).await?;
    let last = purse.map_or(0, |(_, movements)| movements);
    let values = values![tenant.0, last.saturating_sub(offset), limit];
    let items = on.all(&balance::MOVEMENTS, &values, rows::balance::movement).await?;
    Ok(Page { items, total: u64::try_from(last).unwrap_or(0) })
}
