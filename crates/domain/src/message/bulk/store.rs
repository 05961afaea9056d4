//! What the use cases of bulks ask of a store.

use uuid::Uuid;

use super::{Bulk, BulkContact, BulkPlace, BulkWork, StoredBulk};
use crate::contact::{ContactGroup, PhoneNumber};
use crate::message::{BulkField, ListQuery, Message};
use crate::{BulkId, ContactGroupId, OrgUnitId, Page, StoreError, TenantId, Timestamp};

/// Reads of bulks. Those that are deleted are not there, unless something is to be done about them.
pub trait BulkStore {
    fn bulk(
        &self,
        tenant: TenantId,
        id: BulkId,
    ) -> impl Future<Output = Result<Option<StoredBulk>, StoreError>> + Send;

    fn bulk_by_uuid(
        &self,
        tenant: TenantId,
        uuid: Uuid,
    ) -> impl Future<Output = Result<Option<StoredBulk>, StoreError>> + Send;

    /// Those of a unit and all below it, of all of the tenant if none is named.
    fn bulks(
        &self,
        tenant: TenantId,
        within: Option<OrgUnitId>,
        query: ListQuery<BulkField>,
    ) -> impl Future<Output = Result<Page<Bulk>, StoreError>> + Send;

    /// At most `limit` bulks of an active tenant after this place whose time has come by `now`, and when that of the next
    /// one comes.
    fn bulks_to_do(
        &self,
        tenant: TenantId,
        now: Timestamp,
        after: BulkPlace,
        limit: u32,
    ) -> impl Future<Output = Result<(Vec<BulkWork>, Option<Timestamp>), StoreError>> + Send;

    /// A bulk of an active tenant, be it deleted.
    fn bulk_to_step(
        &self,
        tenant: TenantId,
        id: BulkId,
    ) -> impl Future<Output = Result<Option<StoredBulk>, StoreError>> + Send;

    /// At most `limit` contacts of a group with greater numbers than `after`, in the order of their numbers; `None` when the
    /// group is gone by `now`.
    fn bulk_contacts(
        &self,
        tenant: TenantId,
        group: ContactGroupId,
        now: Timestamp,
        after: String,
        limit: u32,
    ) -> impl Future<Output = Result<Option<(ContactGroup, Vec<BulkContact>)>, StoreError>> + Send;

    /// Which of these numbers are on the block list.
    fn blocked_among(
        &self,
        tenant: TenantId,
        phones: Vec<PhoneNumber>,
    ) -> impl Future<Output = Result<Vec<PhoneNumber>, StoreError>> + Send;

    /// At most `limit` messages of a bulk that wait and that nobody hands over.
    fn bulk_waiting(
        &self,
        tenant: TenantId,
        id: BulkId,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Message>, StoreError>> + Send;
}
