//! Reads of messages to phones.

use futures_util::future::try_join;
use muster_domain::message::{
    CarrierPart, Filter, ListQuery, Message, MessageField, MessageStore, MessageWork, StoredMessage, Sweep,
    WithParts,
};
use muster_domain::{MessageId, Page, StoreError, TenantId, Timestamp};
use uuid::Uuid;

use super::listed::{MESSAGES, sweep as swept};
use super::read;
use crate::driver::Read;
use crate::row::get;
use crate::statements::{installation, message, tenant as of_tenant};
use crate::value::values;
use crate::{Store, rows};

impl MessageStore for Store {
    async fn message(&self, tenant: TenantId, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        read!(self, read, |on| on.one(&message::GET, &values![tenant.0, id.0], rows::message::stored))
    }

    async fn messages(
        &self,
        tenant: TenantId,
        query: ListQuery<MessageField>,
    ) -> Result<Page<Message>, StoreError> {
        read!(self, scan, |on| MESSAGES.read(
            on,
            tenant,
            &query,
            rows::message::message,
            Some(kept(on, tenant))
        ))
    }

    async fn messages_sweep(
        &self,
        tenant: TenantId,
        sweep: Sweep,
        filter: Filter<MessageField>,
        after: (Timestamp, MessageId),
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        read!(self, scan, |on| async {
            on.all_written(&swept(tenant, sweep, &filter, after, limit), rows::message::stored).await
        })
    }

    async fn tenants_with_messages(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantId>, StoreError> {
        let values = values![after.map_or(0, |id| id.0), limit];
        read!(self, read, |on| on
            .all(&installation::TENANTS_WITH_MESSAGES, &values, |row| Ok(TenantId(get(row, 0)?))))
    }

    async fn messages_taken(&self) -> Vec<TenantId> {
        self.2.take().await
    }

    async fn message_work(&self, tenant: TenantId) -> Result<MessageWork, StoreError> {
        let work = read!(self, read, |on| on.one(&message::WORK, &values![tenant.0], rows::message::work))?;
        Ok(work.unwrap_or_default())
    }

    async fn messages_claimed(
        &self,
        tenant: TenantId,
        claim: Uuid,
    ) -> Result<Vec<(Message, bool)>, StoreError> {
        read!(self, scan, |on| on.all(&message::CLAIMED, &values![tenant.0, claim], rows::message::claimed))
    }

    async fn messages_held(&self, tenant: TenantId, claim: Uuid) -> Result<u64, StoreError> {
        let count =
            read!(self, read, |on| on
                .one(&message::HELD, &values![tenant.0, claim], |row| get::<i64>(row, 0)))?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    async fn carrier_parts(&self, carrier: &str, ids: Vec<String>) -> Result<Vec<CarrierPart>, StoreError> {
        let values: Vec<_> = ids.into_iter().map(|id| values![carrier.to_owned(), id].to_vec()).collect();
        let found = read!(self, scan, |on| on.each(&message::PART, &values, rows::message::carrier_part))?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn messages_with_parts(
        &self,
        tenant: TenantId,
        ids: Vec<MessageId>,
    ) -> Result<Vec<WithParts>, StoreError> {
        let keys: Vec<_> = ids.into_iter().map(|id| values![tenant.0, id.0].to_vec()).collect();
        let (messages, parts) = read!(self, scan, |on| try_join(
            on.each(&message::GET, &keys, rows::message::stored),
            on.all_each(&message::PARTS_OF, &keys, rows::message::carrier_part)
        ))?;
        Ok(messages.into_iter().zip(parts).collect())
    }

    async fn has_old_carrier_parts(&self, horizon: Timestamp) -> Result<bool, StoreError> {
        read!(self, read, |on| on.exists(&message::OLD_PART, &values![horizon.0]))
    }
}

/// How many messages a tenant has.
async fn kept(on: &impl Read, tenant: TenantId) -> Result<u64, StoreError> {
    let counts = on.one(&of_tenant::COUNTS, &values![tenant.0], rows::tenant_counts).await?;
    Ok(counts.map_or(0, |counts| counts.messages))
}
