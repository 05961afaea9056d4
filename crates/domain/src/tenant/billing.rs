//! What a tenant pays in, and which prices. For the operator.

use serde_json::json;

use super::Tenant;
use super::update::tenant_change;
use crate::directory::ATTEMPTS;
use crate::message::{Currency, Money, MovementReason, Tier};
use crate::{
    Batch, Change, Ctx, Directory, Error, Guard, JournalEntry, Problem, Store, StoreError, TenantId, journal,
    text,
};

/// What is to become of how a tenant pays; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BillingPatch {
    pub currency: Option<Currency>,
    pub tier: Option<Tier>,
}

/// Characters of the note of a credit.
const NOTE: usize = 200;

impl<S: Store> Directory<S> {
    /// Changes how a tenant pays. A change that changes nothing commits nothing.
    ///
    /// Errors: `NotFound`; `Invalid` for another currency once something was given to the balance or taken from it.
    pub async fn tenant_set_billing(&self, id: TenantId, patch: BillingPatch) -> Result<Tenant, Error> {
        let mut is_refused = false;
        for _ in 0..ATTEMPTS {
            let before = self.tenant_get(id).await?;
            let mut after = before.clone();
            if let Some(currency) = patch.currency {
                currency.as_str().clone_into(&mut after.currency);
            }
            after.tier = patch.tier.unwrap_or(before.tier);
            let payload = journal::changed(fields(&before), fields(&after));
            if payload.is_empty() {
                return Ok(before);
            }
            let ctx = Ctx::operator(id, before.top_org_unit_id, self.now());
            let mut batch = Batch::new(id);
            if before.currency != after.currency {
                if is_refused {
                    let problem = Problem::Format("cannot be another one once there were movements");
                    return Err(Error::field("currency", problem));
                }
                batch = batch.guard(Guard::BalanceUntouched);
            }
            let after = tenant_change(&ctx, &mut batch, after, "tenant.billing_changed", payload);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(after),
                Err(StoreError::Stale) => {}
                Err(StoreError::GuardFailed) => is_refused = true,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::contended())
    }

    /// Gives an amount to a tenant's balance or, below zero, takes it; the balance may be below zero then.
    ///
    /// Errors: `NotFound`; `Invalid` for nothing, for more than a balance can say, and for a note that is too long.
    pub async fn tenant_credit(&self, id: TenantId, amount: Money, note: Option<&str>) -> Result<(), Error> {
        if amount == Money::ZERO {
            return Err(Error::field("amount", Problem::Format("must not be 0")));
        }
        let note = note.map(|note| text::trimmed(note, NOTE)).transpose();
        let note = note.map_err(|problem| Error::field("note", problem))?.filter(|note| !note.is_empty());
        let tenant = self.tenant_get(id).await?;
        let ctx = Ctx::operator(id, tenant.top_org_unit_id, self.now());
        let payload = journal::created(vec![("credit", json!(amount.to_json())), ("note", json!(note))]);
        let reason = MovementReason::Credit(note);
        let batch = Batch::new(id)
            .change(Change::BalanceMove { at: ctx.now(), amount, reason })
            .journal(JournalEntry::new(&ctx, "tenant.credited", id, tenant.version, payload));
        match self.store.commit(batch).await {
            Ok(()) => Ok(()),
            Err(StoreError::Balance) => Err(Error::field(
                "amount",
                Problem::Format("must leave a balance of 500000000 at most, and above -1000000000"),
            )),
            // It is gone meanwhile.
            Err(StoreError::Stale) => Err(Error::NotFound(crate::Entity::Tenant)),
            Err(error) => Err(error.into()),
        }
    }
}

fn fields(tenant: &Tenant) -> journal::Fields {
    vec![("currency", json!(tenant.currency)), ("tier", json!(tenant.tier.as_str()))]
}
