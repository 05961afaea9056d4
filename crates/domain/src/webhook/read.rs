//! Reading webhooks and deliveries, and trying these again.

use super::{Delivery, DeliveryFilter, DeliveryId, DeliveryState, WebhookSecret, WebhookView};
use crate::{
    Access, Batch, Change, Ctx, Directory, Entity, Error, Page, Rule, Slice, Store, StoreError, Timestamp,
    WebhookId,
};

/// Deliveries that one commit asks for again.
const STEP: u32 = 500;

impl<S: Store> Directory<S> {
    /// A webhook of a unit in the caller's scope. Only who may write sees webhooks. Errors: `NotFound`.
    pub async fn webhook_get(&self, ctx: &Ctx, id: WebhookId) -> Result<WebhookView, Error> {
        ctx.allow(Access::Write)?;
        let found = self.store.webhook(ctx.tenant(), id).await?.ok_or(Error::NotFound(Entity::Webhook))?;
        let unit = self.store.org_unit_located(ctx.tenant(), found.webhook.org_unit_id).await?;
        let is_visible = unit.is_some_and(|unit| unit.is_within(ctx.scope()));
        if is_visible { Ok(found) } else { Err(Error::NotFound(Entity::Webhook)) }
    }

    /// What signs for a webhook that the caller has read, also for one that is inactive. Errors: `NotFound`.
    pub async fn webhook_secret(&self, ctx: &Ctx, id: WebhookId) -> Result<WebhookSecret, Error> {
        ctx.allow(Access::Write)?;
        self.store.webhook_secret(ctx.tenant(), id).await?.ok_or(Error::NotFound(Entity::Webhook))
    }

    /// The webhooks of the units in the caller's scope, by id.
    pub async fn webhook_list(&self, ctx: &Ctx) -> Result<Vec<WebhookView>, Error> {
        ctx.allow(Access::Write)?;
        let all = self.store.webhooks(ctx.tenant()).await?;
        if ctx.scope() == ctx.top() {
            return Ok(all);
        }
        let mut units: Vec<_> = all.iter().map(|view| view.webhook.org_unit_id).collect();
        units.sort_unstable();
        units.dedup();
        let mut visible = Vec::new();
        for id in units {
            let unit = self.store.org_unit_located(ctx.tenant(), id).await?;
            visible.extend(unit.filter(|unit| unit.is_within(ctx.scope())).map(|_| id));
        }
        Ok(all.into_iter().filter(|view| visible.binary_search(&view.webhook.org_unit_id).is_ok()).collect())
    }

    /// What was and is to be sent for a webhook that the caller has read, the newest first.
    pub async fn delivery_list(
        &self,
        ctx: &Ctx,
        webhook: WebhookId,
        filter: DeliveryFilter,
        slice: Slice,
    ) -> Result<Page<Delivery>, Error> {
        ctx.allow(Access::Write)?;
        Ok(self.store.deliveries(ctx.tenant(), webhook, filter, slice).await?)
    }

    /// Has a delivery tried again that was given up, of a webhook that the caller has read.
    ///
    /// Errors: `NotFound`; `Rule` when it was not given up, or the journal does not tell of the event any more.
    pub async fn delivery_retry(
        &self,
        ctx: &Ctx,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Delivery, Error> {
        ctx.allow(Access::Write)?;
        let gone = || Error::NotFound(Entity::Delivery);
        let delivery = self.store.delivery(ctx.tenant(), webhook, id).await?.ok_or_else(gone)?;
        if delivery.state != DeliveryState::Failed {
            return Err(Error::Rule(Rule::DeliveryNotFailed));
        }
        let filter = crate::JournalFilter::default();
        let told = self.store.journal(ctx.tenant(), id.sequence() - 1, filter, 1).await?;
        if told.first().is_none_or(|entry| entry.sequence != id.sequence()) {
            return Err(Error::Rule(Rule::EventForgotten));
        }
        let at = self.now();
        let retry = Change::DeliveryRetry { webhook, id, at };
        match self.store.commit(Batch::new(ctx.tenant()).change(retry)).await {
            Ok(()) => {}
            Err(StoreError::Stale) => return Err(Error::Rule(Rule::DeliveryNotFailed)),
            Err(error) => return Err(error.into()),
        }
        Ok(Delivery { state: DeliveryState::Open, attempts: 0, next_at: Some(at), ..delivery })
    }

    /// Has all deliveries tried again that were given up, of events since a time, of a webhook that the caller has
    /// read; those of which the journal does not tell any more stay as they are. How many.
    pub async fn deliveries_retry(
        &self,
        ctx: &Ctx,
        webhook: WebhookId,
        since: Timestamp,
    ) -> Result<u64, Error> {
        ctx.allow(Access::Write)?;
        let filter = DeliveryFilter { state: Some(DeliveryState::Failed), since: Some(since) };
        let first = self.store.journal(ctx.tenant(), 0, crate::JournalFilter::default(), 1).await?;
        let first = first.first().map_or(i64::MAX, |entry| entry.sequence);
        let slice = Slice { limit: STEP, offset: 0 };
        let mut count = 0;
        loop {
            let failed = self.store.deliveries(ctx.tenant(), webhook, filter, slice).await?.items;
            let ids: Vec<DeliveryId> = failed.into_iter().map(|delivery| delivery.id).collect();
            let told: Vec<DeliveryId> = ids.iter().copied().take_while(|id| id.sequence() >= first).collect();
            count += self.deliveries_reopen(ctx, webhook, &told).await?;
            // What was not told of is older than all that was, and stays where the next page would begin.
            if ids.is_empty() || told.len() < ids.len() {
                return Ok(count);
            }
        }
    }

    /// How many of these were given up until now.
    async fn deliveries_reopen(
        &self,
        ctx: &Ctx,
        webhook: WebhookId,
        ids: &[DeliveryId],
    ) -> Result<u64, Error> {
        let at = self.now();
        let retry = |id: &DeliveryId| Change::DeliveryRetry { webhook, id: *id, at };
        let mut whole = Batch::new(ctx.tenant());
        whole.changes.extend(ids.iter().map(retry));
        match self.store.commit(whole).await {
            Ok(()) => return Ok(ids.len() as u64),
            Err(StoreError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
        // Somebody else has had one of them tried again.
        let mut count = 0;
        for id in ids {
            match self.store.commit(Batch::new(ctx.tenant()).change(retry(id))).await {
                Ok(()) => count += 1,
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(count)
    }
}
