//! What must never be in prices and balances.

use muster_domain::TenantId;

use super::{Doctor, Result};
use crate::driver::Read;
use crate::row::{Row, get};
use crate::rows;
use crate::statements::{doctor as check, installation};
use crate::value::values;

impl<R: Read> Doctor<'_, R> {
    /// Every price can be read and is of the table.
    pub(super) async fn prices(&mut self) -> Result<()> {
        if self.on.count(&installation::NOBODYS_PRICES, &[]).await? > 0 {
            self.found(None, "there are prices of no price table".to_owned());
        }
        if let Err(error) = self.on.all(&installation::PRICES, &[], rows::balance::price).await {
            self.found(None, format!("a row is not understood ({error}): price"));
        }
        Ok(())
    }

    /// The balance is the sum over all movements, after each of them.
    pub(super) async fn balance(&mut self, tenant: TenantId) -> Result<()> {
        let row = |row: &dyn Row| (0..5).map(|column| get(row, column)).collect::<Result<Vec<i64>>>();
        for sums in self.on.all(&check::BALANCE, &values![tenant.0], row).await? {
            let [balance, movements, sum, count, last] = sums[..] else { continue };
            if balance != sum {
                let what = format!("the balance is {balance} millionths, but the sum of its movements {sum}");
                self.found(Some(tenant), what);
            }
            if movements != count || movements != last {
                let what = format!("{movements} movements are counted, but there are {count} up to {last}");
                self.found(Some(tenant), what);
            }
        }
        self.ids_of(
            tenant,
            &check::MOVEMENT_SUMS,
            "the balance after it is not the one before and it: movement",
        )
        .await
    }
}
