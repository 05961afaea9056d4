//! Messages from phones (`/incomings`; LOX24 messaging contract, section 4).

use http::StatusCode;
use muster_domain::message::{Incoming, IncomingField};
use muster_domain::{Ctx, Entity, MessageId};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::enter;
use super::collection::filtered_reply;
use super::filter::{Filters, Listing, Takes, by};
use super::format::{Format, Resource, reply};
use super::message::path_uuid;
use super::message_wire::{MAX_PART, seconds};
use crate::http::{Call, Failure, Outcome, Query, Reply, Tag};

/// A message from a phone.
#[derive(Serialize, ToSchema)]
#[schema(as = Incoming)]
pub(super) struct IncomingBody {
    #[schema(format = Uuid)]
    uuid: String,
    to: String,
    from: String,
    /// In seconds since 1970.
    received_at: i64,
    text: String,
    /// The message that it answers.
    #[schema(format = Uuid)]
    msg_uuid: Option<String>,
}

impl Resource for IncomingBody {
    const NAME: &'static str = "incomings";

    fn path(&self) -> String {
        format!("/incomings/{}", self.uuid)
    }
}

impl From<Incoming> for IncomingBody {
    fn from(incoming: Incoming) -> Self {
        Self {
            uuid: incoming.id.to_string(),
            to: incoming.to,
            from: incoming.from,
            received_at: seconds(incoming.received_at),
            text: incoming.text,
            msg_uuid: incoming.answers.map(|id| id.to_string()),
        }
    }
}

/// What they can be asked for by.
const FILTERS: Filters<IncomingField> = Filters {
    properties: &[
        by("text", IncomingField::Text, Takes::Part(MAX_PART)),
        by("from", IncomingField::From, Takes::Part(MAX_PART)),
        by("to", IncomingField::To, Takes::Part(MAX_PART)),
        by("msg_uuid", IncomingField::Answers, Takes::Uuid),
    ],
    exists: &[],
    orders: &[("received_at", IncomingField::ReceivedAt)],
    by: IncomingField::ReceivedAt,
};

pub(super) async fn incoming_list(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let Listing { query, page, kept } = call.query(list)?;
    let incomings = call.directory().incoming_list(&ctx, query).await?;
    let items: Vec<IncomingBody> = incomings.items.into_iter().map(IncomingBody::from).collect();
    filtered_reply(format, ("/incomings", &kept), &items, page, incomings.total)
}

/// Reads which of them are to be shown.
pub(super) fn list(query: &mut Query<'_>) -> Listing<IncomingField> {
    FILTERS.list(query)
}

pub(super) async fn incoming_get(call: &mut Call) -> Outcome {
    let (_, format, incoming) = find(call).await?;
    let tag = tag(&incoming);
    Ok(reply(StatusCode::OK, format, &IncomingBody::from(incoming))?.tag(tag))
}

pub(super) async fn incoming_delete(call: &mut Call) -> Outcome {
    let (ctx, _, found) = find(call).await?;
    let condition = call.if_match(tag);
    call.directory().incoming_delete(&ctx, found, condition).await?;
    Ok(Reply::empty())
}

/// The caller, and the message that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Format, Incoming), Failure> {
    let (ctx, format) = enter(call).await?;
    let id = path_uuid(call, Entity::Incoming).map(MessageId)?;
    let incoming = call.directory().incoming_get(&ctx, id).await?;
    Ok((ctx, format, incoming))
}

fn tag(incoming: &Incoming) -> Tag {
    Tag::of(&[incoming.version])
}
