//! Reads of webhooks and deliveries.

use futures_util::future::try_join;
use muster_domain::webhook::{
    Delivery, DeliveryFilter, DeliveryId, DeliveryState, Reapable, Sender, WebhookSecret, WebhookStore,
    WebhookView, WebhookWork, limits,
};
use muster_domain::{Page, Slice, StoreError, TenantId, Timestamp, WebhookId};

use super::{bounds, read};
use crate::driver::Read;
use crate::row::get as column;
use crate::statements::{installation, webhook};
use crate::value::values;
use crate::{Store, codes, rows};

impl WebhookStore for Store {
    async fn webhook(&self, tenant: TenantId, id: WebhookId) -> Result<Option<WebhookView>, StoreError> {
        read!(self, read, |on| on.one(&webhook::GET, &values![tenant.0, id.0], rows::webhook::view))
    }

    async fn webhooks(&self, tenant: TenantId) -> Result<Vec<WebhookView>, StoreError> {
        read!(self, read, |on| on.all(&webhook::LIST, &values![tenant.0], rows::webhook::view))
    }

    async fn webhook_secret(
        &self,
        tenant: TenantId,
        id: WebhookId,
    ) -> Result<Option<WebhookSecret>, StoreError> {
        let secret = |row: &dyn crate::row::Row| rows::webhook::secret(row, 0);
        read!(self, read, |on| on.one(&webhook::SECRET, &values![tenant.0, id.0], secret))
    }

    async fn webhook_sender(&self, tenant: TenantId, id: WebhookId) -> Result<Option<Sender>, StoreError> {
        read!(self, read, |on| on.one(&webhook::SENDER, &values![tenant.0, id.0], rows::webhook::sender))
    }

    async fn deliveries(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        filter: DeliveryFilter,
        slice: Slice,
    ) -> Result<Page<Delivery>, StoreError> {
        read!(self, scan, |on| deliveries(on, tenant, webhook, filter, slice))
    }

    async fn delivery(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        let values = values![tenant.0, webhook.0, id.0];
        read!(self, read, |on| on.one(&webhook::DELIVERY, &values, rows::webhook::delivery))
    }

    async fn deliveries_open(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let values = values![tenant.0, webhook.0, limit];
        read!(self, read, |on| on.all(&webhook::DELIVERIES_OPEN, &values, rows::webhook::delivery))
    }

    async fn webhook_work(&self, tenant: TenantId, now: Timestamp) -> Result<Vec<WebhookWork>, StoreError> {
        read!(self, read, |on| on.all(&webhook::WORK, &values![tenant.0, now.0], rows::webhook::work))
    }

    async fn journaled(&self) -> Vec<TenantId> {
        self.1.take().await
    }

    async fn tenants_with_webhooks(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantId>, StoreError> {
        let values = values![after.map_or(0, |id| id.0), limit];
        read!(self, read, |on| on
            .all(&installation::TENANTS_WITH_WEBHOOKS, &values, |row| Ok(TenantId(column(row, 0)?))))
    }

    async fn journal_needed(&self, tenant: TenantId) -> Result<Option<i64>, StoreError> {
        let needed: Option<Option<i64>> =
            read!(self, read, |on| on
                .one(&webhook::JOURNAL_NEEDED, &values![tenant.0], |row| column(row, 0)))?;
        Ok(needed.flatten())
    }

    async fn webhook_to_reap(
        &self,
        tenant: TenantId,
        horizon: Timestamp,
    ) -> Result<Option<Reapable>, StoreError> {
        let values = values![tenant.0, horizon.0];
        read!(self, read, |on| on.one(&webhook::GARBAGE, &values, rows::webhook::garbage))
    }
}

/// Those that were given up have an index of their own, since they are few among many.
async fn deliveries(
    on: &impl Read,
    tenant: TenantId,
    webhook: WebhookId,
    filter: DeliveryFilter,
    slice: Slice,
) -> Result<Page<Delivery>, StoreError> {
    let (limit, offset) = bounds(slice);
    let since = filter.since.map_or(i64::MIN, |at| at.0);
    let (tenant, webhook) = (tenant.0, webhook.0);
    let (items, total) = if filter.state == Some(DeliveryState::Failed) {
        let page = values![tenant, webhook, since, limit, offset];
        let all = values![tenant, webhook, since];
        let items = on.all(&webhook::DELIVERIES_FAILED, &page, rows::webhook::delivery);
        try_join(items, on.count(&webhook::DELIVERIES_FAILED_COUNT, &all)).await?
    } else {
        let state = filter.state.map(codes::delivery_state);
        let page = values![tenant, webhook, state, since, limit, offset];
        let all = values![tenant, webhook, state, since, limits::DELIVERIES_COUNTED];
        let items = on.all(&webhook::DELIVERIES, &page, rows::webhook::delivery);
        try_join(items, on.count(&webhook::DELIVERIES_COUNT, &all)).await?
    };
    Ok(Page { items, total })
}
