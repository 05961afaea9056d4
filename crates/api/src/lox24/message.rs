//! Messages to phones (`/sms`; LOX24 messaging contract, section 2).

use http::StatusCode;
use muster_domain::message::{Filter, Message, MessageField, MessageWish};
use muster_domain::{Draft, Entity, Error, MessageId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::{authenticate, enter};
use super::collection::filtered_reply;
use super::filter::Listing;
use super::format::{Format, reply, write};
use super::message_wire::{FILTERS, Sms, decode, name_of, tag};
use crate::http::{Call, Failure, Mode, Outcome, Query, Reply};

/// How many messages an operation was about, whatever it did to them.
#[derive(Serialize, ToSchema)]
#[schema(as = SmsOperation)]
pub(super) struct Operated {
    deleted_sms_count: u64,
}

pub(super) async fn message_create(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let draft = wish(call).await?;
    let message = call.directory().message_create(&ctx, draft).await.map_err(in_wire_names)?;
    item(StatusCode::CREATED, format, message)
}

pub(super) async fn message_dry_run(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let draft = wish(call).await?;
    let message = call.directory().message_dry_run(&ctx, draft).await.map_err(in_wire_names)?;
    // It is nowhere, so that it has no version.
    reply(StatusCode::CREATED, format, &Sms::from(message))
}

async fn wish(call: &mut Call) -> Result<Draft<MessageWish>, Failure> {
    let ip = call.client().to_string();
    let Draft { value, errors } = call.object(Mode::Create, decode).await?;
    Ok(Draft { value: MessageWish { ip: Some(ip), ..value }, errors })
}

pub(super) async fn message_list(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let Listing { query, page, kept } = call.query(list)?;
    let messages = call.directory().message_list(&ctx, query).await?;
    let items: Vec<Sms> = messages.items.into_iter().map(Sms::from).collect();
    filtered_reply(format, ("/sms", &kept), &items, page, messages.total)
}

/// Reads which messages are to be shown.
pub(super) fn list(query: &mut Query<'_>) -> Listing<MessageField> {
    FILTERS.list(query)
}

/// Reads which messages are to be stopped or deleted.
pub(super) fn select(query: &mut Query<'_>) -> Filter<MessageField> {
    FILTERS.select(query)
}

pub(super) async fn message_get(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let id = path_uuid(call, Entity::Message).map(MessageId)?;
    let message = call.directory().message_get(&ctx, id).await?;
    item(StatusCode::OK, format, message)
}

pub(super) async fn message_delete(call: &mut Call) -> Outcome {
    let (ctx, _) = enter(call).await?;
    let id = path_uuid(call, Entity::Message).map(MessageId)?;
    let condition = call.if_match(tag);
    call.directory().message_delete(&ctx, id, condition).await?;
    Ok(Reply::empty())
}

pub(super) async fn messages_stop(call: &mut Call) -> Outcome {
    let ctx = authenticate(call).await?;
    let filter = call.query(select)?;
    operated(call.directory().messages_stop(&ctx, filter, |_| ()).await?)
}

pub(super) async fn messages_delete(call: &mut Call) -> Outcome {
    let ctx = authenticate(call).await?;
    let filter = call.query(select)?;
    operated(call.directory().messages_delete(&ctx, filter, |_| ()).await?)
}

fn operated(count: u64) -> Outcome {
    let mut body = Vec::new();
    write(&mut body, &Operated { deleted_sms_count: count })?;
    Ok(Reply::json(StatusCode::OK, body))
}

/// The UUID in the path, which has one spelling. Errors: `NotFound` for anything else.
pub(super) fn path_uuid(call: &Call, entity: Entity) -> Result<Uuid, Error> {
    let text = call.path_text();
    text.parse().ok().filter(|id: &Uuid| id.to_string() == text).ok_or(Error::NotFound(entity))
}

fn item(status: StatusCode, format: Format, message: Message) -> Outcome {
    let tag = tag(&message);
    Ok(reply(status, format, &Sms::from(message))?.tag(tag))
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, name_of)
}
