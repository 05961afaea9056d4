//! Reads of media prompts, and of the marks of objects that are to be removed.

use futures_util::future::try_join;
use muster_domain::media::{MediaPrompt, MediaStore, ObjectKey};
use muster_domain::{MediaPromptId, OrgUnitId, Page, Slice, StoreError, TenantId, Timestamp};

use super::{bounds, read};
use crate::driver::Read;
use crate::statements::media;
use crate::value::values;
use crate::{Store, rows};

impl MediaStore for Store {
    async fn media_prompt(
        &self,
        tenant: TenantId,
        id: MediaPromptId,
    ) -> Result<Option<MediaPrompt>, StoreError> {
        read!(self, read, |on| get(on, tenant, id))
    }

    async fn media_prompts(
        &self,
        tenant: TenantId,
        within: Option<OrgUnitId>,
        slice: Slice,
    ) -> Result<Page<MediaPrompt>, StoreError> {
        read!(self, scan, |on| list(on, tenant, within, slice))
    }

    async fn objects_to_remove(&self, now: Timestamp, limit: u32) -> Result<Vec<ObjectKey>, StoreError> {
        read!(self, read, |on| on.all(&media::MARKED, &values![now.0, limit], |row| rows::object_key(row, 0)))
    }
}

pub(super) async fn get(
    on: &impl Read,
    tenant: TenantId,
    id: MediaPromptId,
) -> Result<Option<MediaPrompt>, StoreError> {
    on.one(&media::GET, &values![tenant.0, id.0], rows::media_prompt).await
}

async fn list(
    on: &impl Read,
    tenant: TenantId,
    within: Option<OrgUnitId>,
    slice: Slice,
) -> Result<Page<MediaPrompt>, StoreError> {
    let (statement, count) = match within {
        Some(_) => (&media::SUBTREE, &media::SUBTREE_COUNT),
        None => (&media::LIST, &media::LIST_COUNT),
    };
    let (limit, offset) = bounds(slice);
    let all = values![tenant.0, within.map(|unit| unit.0)];
    let page = [&all[..], &values![limit, offset]].concat();
    let (items, total) =
        try_join(on.all(statement, &page, rows::media_prompt), on.count(count, &all)).await?;
    Ok(Page { items, total })
}
