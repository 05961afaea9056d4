//! Writing media prompts, and the marks of objects.

use muster_domain::media::{MediaPrompt, ObjectKey};
use muster_domain::{MediaPromptId, TenantId, Timestamp};

use super::Outcome;
use crate::codes;
use crate::driver::Write;
use crate::statements::media;
use crate::value::values;

pub(super) async fn insert(on: &mut impl Write, p: &MediaPrompt) -> Outcome {
    let duration = p.duration.map(|duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    let values = values![
        p.id.0,
        p.tenant.0,
        p.org_unit_id.0,
        &p.name,
        codes::message_type(p.message_type),
        &p.file_name,
        codes::media_kind(p.kind),
        i64::try_from(p.size).unwrap_or(i64::MAX),
        duration,
        &p.checksum,
        p.object.to_string(),
        p.created_at.0,
    ];
    on.run(&media::INSERT, &values).await
}

pub(super) async fn delete(on: &mut impl Write, tenant: TenantId, id: MediaPromptId) -> Outcome {
    on.one_row(&media::DELETE, &values![tenant.0, id.0]).await
}

pub(super) async fn mark(on: &mut impl Write, key: &ObjectKey, due_at: Timestamp) -> Outcome {
    on.run(&media::MARK, &values![key.to_string(), due_at.0]).await
}

pub(super) async fn unmark(on: &mut impl Write, key: &ObjectKey) -> Outcome {
    on.one_row(&media::UNMARK, &values![key.to_string()]).await
}
