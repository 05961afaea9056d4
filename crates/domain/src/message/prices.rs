//! The operator's price table: loading it, and what is shown of it.

use super::{Account, Country, Currency, Price, PriceTable};
use crate::{Access, Area, Batch, Change, Ctx, Directory, Entity, Error, Store, TenantId};

/// Prices are of no tenant.
const NOBODY: TenantId = TenantId(0);

impl<S: Store> Directory<S> {
    /// Puts a price table in the place of the one before, whole; `None` removes it, and nothing costs anything. Messages
    /// that are there keep their prices. No tenant's journal tells of it.
    pub async fn prices_load(&self, table: Option<PriceTable>) -> Result<(), Error> {
        Ok(self.store.commit(Batch::new(NOBODY).change(Change::PricesReplace(table))).await?)
    }

    /// The prices of a country, or of all, in one currency, or in all, by country, then currency; `None` when no table is
    /// loaded. Anybody may see them.
    pub async fn price_list(
        &self,
        country: Option<Country>,
        currency: Option<Currency>,
    ) -> Result<Option<Vec<Price>>, Error> {
        Ok(self.store.prices(country, currency).await?)
    }

    /// The prices that the caller's tenant pays by: those of a country, or of all, in its currency. A country that has
    /// none is not there; while no table is loaded any country costs nothing.
    ///
    /// Errors: `NotFound` for a tenant that was deleted meanwhile.
    pub async fn account_price_list(
        &self,
        ctx: &Ctx,
        country: Option<Country>,
    ) -> Result<(Account, Vec<Price>), Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        let quote = self.store.quote(ctx.tenant(), country).await?;
        let quote = quote.ok_or(Error::NotFound(Entity::Tenant))?;
        let loaded = quote.table.map(|table| table.iter().cloned().collect());
        Ok((quote.account, Price::told(loaded, country, quote.account.currency)))
    }
}
