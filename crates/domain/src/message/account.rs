//! What a tenant has to pay with, and what it pays.

use super::{Country, Currency, Money, Movement, Price, PriceTable, Tariff, Tier};
use crate::{Access, Area, Ctx, Directory, Entity, Error, Page, Slice, Store, StoreError, TenantId};

/// What a tenant has to pay with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub currency: Currency,
    pub tier: Tier,
    pub balance: Money,
}

/// All that has to be known of a tenant to price a message to one country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub account: Account,
    /// `None` when no prices are loaded; else of the country in the account's currency, if it is in the table.
    pub table: Option<PriceTable>,
}

impl Quote {
    /// What the tenant pays by, as far as the quote goes.
    pub fn tariff(&self) -> Tariff<'_> {
        let Account { currency, tier, .. } = self.account;
        Tariff { table: self.table.as_ref(), currency, tier }
    }
}

/// Reads of prices, balances and movements.
pub trait BalanceStore {
    /// `None` for an unknown tenant.
    fn account(&self, tenant: TenantId) -> impl Future<Output = Result<Option<Account>, StoreError>> + Send;

    /// The account, and the prices of this country (of all without one) in its currency. `None` for an unknown tenant.
    fn quote(
        &self,
        tenant: TenantId,
        country: Option<Country>,
    ) -> impl Future<Output = Result<Option<Quote>, StoreError>> + Send;

    /// The prices of a country, or of all, in one currency, or in all; `None` when none are loaded.
    fn prices(
        &self,
        country: Option<Country>,
        currency: Option<Currency>,
    ) -> impl Future<Output = Result<Option<Vec<Price>>, StoreError>> + Send;

    /// The newest first.
    fn movements(
        &self,
        tenant: TenantId,
        slice: Slice,
    ) -> impl Future<Output = Result<Page<Movement>, StoreError>> + Send;
}

impl<S: Store> Directory<S> {
    /// What the caller's tenant has to pay with. Errors: `NotFound` for one that was deleted meanwhile.
    pub async fn account_balance(&self, ctx: &Ctx) -> Result<Account, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        self.store.account(ctx.tenant()).await?.ok_or(Error::NotFound(Entity::Tenant))
    }

    /// What was given to the balance of the caller's tenant and taken from it, the newest first.
    pub async fn movement_list(&self, ctx: &Ctx, slice: Slice) -> Result<Page<Movement>, Error> {
        ctx.allow_in(Area::Resources, Access::Read)?;
        Ok(self.store.movements(ctx.tenant(), slice).await?)
    }
}
