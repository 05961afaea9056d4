//! Bulks (`/bulks`; LOX24 messaging contract, section 3): one text to many. Broadcasts of Convirza are bulks too.

use http::StatusCode;
use muster_domain::message::{Bulk, BulkField, NewBulk, PlaceholderStyle};
use muster_domain::{Ctx, Draft, Entity, Error};

use super::auth::enter;
use super::bulk_wire::{BulkBody, BulkStatusBody, FILTERS, decode, tag};
use super::collection::filtered_reply;
use super::filter::Listing;
use super::format::{Format, Resource, reply};
use super::message::path_uuid;
use crate::http::{Call, Failure, Mode, Outcome, Query, Reply};

pub(super) async fn bulk_create(call: &mut Call) -> Outcome {
    create(call, false).await
}

/// It is kept, and counted as if it was sent.
pub(super) async fn bulk_dry_run(call: &mut Call) -> Outcome {
    create(call, true).await
}

async fn create(call: &mut Call, is_dry_run: bool) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let ip = Some(call.client().to_string());
    let Draft { value: patch, errors } = call.object(Mode::Create, decode).await?;
    let new = NewBulk { patch, style: PlaceholderStyle::Brackets, is_dry_run, ip };
    let bulk = call.directory().bulk_create(&ctx, Draft { value: new, errors }).await;
    item::<BulkBody>(StatusCode::CREATED, format, bulk.map_err(in_wire_names)?)
}

pub(super) async fn bulk_list(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let Listing { query, page, kept } = call.query(list)?;
    let bulks = call.directory().bulk_list(&ctx, query).await?;
    let items: Vec<BulkStatusBody> = bulks.items.into_iter().map(BulkStatusBody::from).collect();
    filtered_reply(format, ("/bulks", &kept), &items, page, bulks.total)
}

/// Reads which of them are to be shown.
pub(super) fn list(query: &mut Query<'_>) -> Listing<BulkField> {
    FILTERS.list(query)
}

pub(super) async fn bulk_get(call: &mut Call) -> Outcome {
    let (_, format, bulk) = find(call).await?;
    item::<BulkBody>(StatusCode::OK, format, bulk)
}

pub(super) async fn bulk_status_get(call: &mut Call) -> Outcome {
    let (_, format, bulk) = find(call).await?;
    item::<BulkStatusBody>(StatusCode::OK, format, bulk)
}

pub(super) async fn bulk_cancel(call: &mut Call) -> Outcome {
    let (ctx, format, found) = find(call).await?;
    let condition = call.if_version_matches(|bulk: &Bulk| bulk.version);
    let bulk = call.directory().bulk_cancel(&ctx, found, condition).await?;
    item::<BulkStatusBody>(StatusCode::OK, format, bulk)
}

pub(super) async fn bulk_delete(call: &mut Call) -> Outcome {
    let (ctx, _, found) = find(call).await?;
    let condition = call.if_version_matches(|bulk: &Bulk| bulk.version);
    call.directory().bulk_delete(&ctx, found, condition).await?;
    Ok(Reply::empty())
}

/// The caller, and the bulk that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Format, Bulk), Failure> {
    let (ctx, format) = enter(call).await?;
    let uuid = path_uuid(call, Entity::Bulk)?;
    let bulk = call.directory().bulk_by_uuid(&ctx, uuid).await?;
    Ok((ctx, format, bulk))
}

fn item<T: Resource + From<Bulk>>(status: StatusCode, format: Format, bulk: Bulk) -> Outcome {
    let tag = tag(&bulk);
    Ok(reply(status, format, &T::from(bulk))?.tag(tag))
}

/// The error with the names of fields that the wire has.
fn in_wire_names(error: Error) -> Failure {
    let Error::Invalid(mut fields) = error else {
        return error.into();
    };
    for error in &mut fields {
        if let Some(place) = error.field.strip_prefix("groups") {
            error.field = format!("msg_groups{place}").into();
        } else if error.field == "sender" {
            error.field = "sender_id".into();
        }
    }
    Failure::Fields(fields)
}
