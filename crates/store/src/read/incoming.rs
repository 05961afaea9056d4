//! Reads of messages from phones.

use muster_domain::message::{Incoming, IncomingField, IncomingStore, ListQuery};
use muster_domain::{MessageId, Page, StoreError, TenantId};

use super::listed::INCOMINGS;
use super::read;
use crate::driver::Read;
use crate::row::get;
use crate::statements::{incoming, installation, tenant as of_tenant};
use crate::value::values;
use crate::{Store, rows};

impl IncomingStore for Store {
    async fn incoming(&self, tenant: TenantId, id: MessageId) -> Result<Option<Incoming>, StoreError> {
        read!(self, read, |on| on.one(&incoming::GET, &values![tenant.0, id.0], rows::message::incoming))
    }

    async fn incoming_of(
        &self,
        tenant: TenantId,
        carrier: &str,
        carrier_id: &str,
    ) -> Result<Option<Incoming>, StoreError> {
        let values = values![tenant.0, carrier, carrier_id];
        read!(self, read, |on| on.one(&incoming::OF_CARRIER, &values, rows::message::incoming))
    }

    async fn incomings(
        &self,
        tenant: TenantId,
        query: ListQuery<IncomingField>,
    ) -> Result<Page<Incoming>, StoreError> {
        read!(self, scan, |on| INCOMINGS.read(
            on,
            tenant,
            &query,
            rows::message::incoming,
            Some(kept(on, tenant))
        ))
    }

    async fn message_last(
        &self,
        tenant: TenantId,
        phone: &str,
        senders: [String; 3],
    ) -> Result<Option<MessageId>, StoreError> {
        let [one, two, three] = &senders;
        let values = values![tenant.0, phone, one, two, three];
        read!(self, read, |on| on.one(&incoming::ANSWERED, &values, |row| Ok(MessageId(get(row, 0)?))))
    }

    async fn tenant_last(&self, phone: &str, senders: [String; 3]) -> Result<Option<TenantId>, StoreError> {
        let [one, two, three] = senders;
        let values = values![0_i64, phone.to_owned(), one, two, three];
        // It is as long as the store has tenants.
        read!(self, scan, |on| on.one(&installation::TENANT_LAST, &values, |row| Ok(TenantId(get(row, 0)?))))
    }
}

/// How many messages a tenant has got.
async fn kept(on: &impl Read, tenant: TenantId) -> Result<u64, StoreError> {
    let counts = on.one(&of_tenant::COUNTS, &values![tenant.0], rows::tenant_counts).await?;
    Ok(counts.map_or(0, |counts| counts.incomings))
}
