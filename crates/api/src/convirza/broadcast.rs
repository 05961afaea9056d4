//! SMS broadcasts (`/v3/broadcast`, `/v3/sms-broadcasts`; Convirza platform contract, section 4).

use muster_domain::message::{
    Bulk, BulkField, BulkStatus, Filter, ListQuery, NewBulk, PlaceholderStyle, Test, bulk_limits,
};
use muster_domain::{BulkId, Ctx, Dialect, Draft, Entity, Error, Precondition, text};
use serde::Serialize;
use utoipa::ToSchema;

use super::broadcast_wire::{self as wire, BroadcastRow, PreviewBody};
use super::envelope::{created, success};
use crate::http::{Call, Failure, Mode, Outcome, Query};

#[derive(Serialize, ToSchema)]
pub(super) struct Broadcasts<'a> {
    broadcasts: Vec<BroadcastRow<'a>>,
    total: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BroadcastWritten {
    broadcast_id: i64,
}

impl BroadcastWritten {
    fn new(bulk: &Bulk) -> Self {
        Self { broadcast_id: bulk.id.0 }
    }
}

pub(super) async fn broadcast_list(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let query = call.query(list)?;
    let page = call.directory().bulk_list(&ctx, query).await?;
    let broadcasts = page.items.iter().map(BroadcastRow::new).collect();
    success(call, &Broadcasts { broadcasts, total: page.total })
}

/// Reads which broadcasts are wanted, and how many. What was only tried in another dialect is none.
pub(super) fn list(query: &mut Query<'_>) -> ListQuery<BulkField> {
    let mut filter = Filter::of(Test::is(BulkField::IsDryRun, 0));
    if let Some(Some(name)) = query.choice("status", &wire::LISTED, &wire::LISTED_STATUSES) {
        let status = |status: BulkStatus| Test::Text(BulkField::Status, status.as_str().to_owned());
        filter = filter.and(BulkStatus::with_broadcast_name(name).map(status).collect());
    }
    if let Some(part) = query.limited_text("broadcast_name", bulk_limits::NAME) {
        filter = filter.and(vec![Test::Contains(BulkField::Name, text::key(&part))]);
    }
    ListQuery { filter, by: BulkField::CreatedAt, is_descending: true, slice: query.slice() }
}

pub(super) async fn broadcast_get(call: &mut Call) -> Outcome {
    let (_, found) = find(call).await?;
    Ok(success(call, &BroadcastRow::new(&found))?.tag(wire::tag(&found)))
}

pub(super) async fn broadcast_create(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let Draft { value: mut patch, errors } =
        call.object(Mode::Create, |f| wire::decode(f, None, ctx.scope())).await?;
    patch.status = patch.status.or_else(|| Some(wire::default_status(&patch)));
    // The address that a person writes from is not kept.
    let new = NewBulk { patch, style: PlaceholderStyle::Braces, is_dry_run: false, ip: None };
    let draft = Draft { value: new, errors };
    let bulk = call.directory().bulk_create(&ctx, draft).await.map_err(in_wire_names)?;
    created(call, &BroadcastWritten::new(&bulk))
}

pub(super) async fn broadcast_update(call: &mut Call) -> Outcome {
    write(call, Mode::Replace).await
}

/// Also how a broadcast is paused, goes on and is cancelled.
pub(super) async fn broadcast_patch(call: &mut Call) -> Outcome {
    write(call, Mode::Merge).await
}

async fn write(call: &mut Call, mode: Mode) -> Outcome {
    let (ctx, found) = find(call).await?;
    let draft = call.object(mode, |f| wire::decode(f, Some(&found), ctx.scope())).await?;
    let condition = if_match(call);
    let bulk = call.directory().bulk_update(&ctx, found, draft, condition).await.map_err(in_wire_names)?;
    success(call, &BroadcastWritten::new(&bulk))
}

pub(super) async fn broadcast_delete(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let condition = if_match(call);
    let bulk = call.directory().bulk_delete(&ctx, found, condition).await?;
    success(call, &BroadcastWritten::new(&bulk))
}

pub(super) async fn broadcast_preview(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let preview = call.directory().bulk_preview(&ctx, &found).await?;
    success(call, &PreviewBody::new(&preview))
}

/// The caller, and the broadcast that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Bulk), Failure> {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let id = call.path_id(Entity::Bulk).map(BulkId)?;
    let found = call.directory().bulk_get(&ctx, id).await?;
    if found.is_dry_run { Err(Error::NotFound(Entity::Bulk).into()) } else { Ok((ctx, found)) }
}

/// The broadcast itself is what a condition is about: its counts change with every message.
fn if_match(call: &Call) -> Option<Precondition<Bulk>> {
    call.if_version_matches(|bulk: &Bulk| bulk.version)
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, wire::name_of)
}
