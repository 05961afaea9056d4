//! Numbers that get no messages (`/blocked_numbers`; LOX24 messaging contract, section 4).

use http::StatusCode;
use muster_domain::message::{Block, BlockField, blocked_number};
use muster_domain::{BlockId, Ctx, Entity};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::enter;
use super::collection::filtered_reply;
use super::filter::{Filters, Listing, Takes, by};
use super::format::{Format, Resource, reply};
use super::message_wire::seconds;
use crate::http::{Call, Failure, Fields, Mode, Outcome, Query, Reply, Tag, Text, string};

/// A number that gets no messages.
#[derive(Serialize, ToSchema)]
#[schema(as = BlockedNumber)]
pub(super) struct BlockBody {
    id: i64,
    number: String,
    /// 1 blocked by the customer, 2 by the recipient.
    r#type: i64,
    /// In seconds since 1970.
    added_at: i64,
}

impl Resource for BlockBody {
    const NAME: &'static str = "blocked_numbers";

    fn path(&self) -> String {
        format!("/blocked_numbers/{}", self.id)
    }
}

impl From<Block> for BlockBody {
    fn from(block: Block) -> Self {
        let added_at = seconds(block.added_at);
        Self { id: block.id.0, number: block.number, r#type: block.by.code(), added_at }
    }
}

/// Characters of a number.
const MAX_NUMBER: usize = 21;

/// What they can be asked for by.
const FILTERS: Filters<BlockField> = Filters {
    properties: &[
        by("number", BlockField::Number, Takes::Text(MAX_NUMBER)),
        by("type", BlockField::By, Takes::Integer),
    ],
    exists: &[],
    orders: &[],
    by: BlockField::AddedAt,
};

pub(super) async fn block_list(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let Listing { query, page, kept } = call.query(list)?;
    let blocks = call.directory().block_list(&ctx, query).await?;
    let items: Vec<BlockBody> = blocks.items.into_iter().map(BlockBody::from).collect();
    filtered_reply(format, ("/blocked_numbers", &kept), &items, page, blocks.total)
}

/// Reads which of them are to be shown.
pub(super) fn list(query: &mut Query<'_>) -> Listing<BlockField> {
    FILTERS.list(query)
}

pub(super) async fn block_create(call: &mut Call) -> Outcome {
    let (ctx, format) = enter(call).await?;
    let draft = call.object(Mode::Create, decode).await?;
    let block = call.directory().block_create(&ctx, draft).await?;
    item(StatusCode::CREATED, format, block)
}

/// Reads the body of one that is added.
pub(super) fn decode(f: &mut Fields<'_>) -> Option<String> {
    let form = Text { pattern: Some(r"^\+[0-9]{4,20}$"), ..Text::ANY };
    f.required("number", "number", string(form, blocked_number))
}

pub(super) async fn block_get(call: &mut Call) -> Outcome {
    let (_, format, block) = find(call).await?;
    item(StatusCode::OK, format, block)
}

pub(super) async fn block_delete(call: &mut Call) -> Outcome {
    let (ctx, _, found) = find(call).await?;
    let condition = call.if_match(tag);
    call.directory().block_delete(&ctx, found, condition).await?;
    Ok(Reply::empty())
}

/// The caller, and the entry that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Format, Block), Failure> {
    let (ctx, format) = enter(call).await?;
    let id = call.path_id(Entity::Block).map(BlockId)?;
    let block = call.directory().block_get(&ctx, id).await?;
    Ok((ctx, format, block))
}

fn item(status: StatusCode, format: Format, block: Block) -> Outcome {
    let tag = tag(&block);
    Ok(reply(status, format, &BlockBody::from(block))?.tag(tag))
}

fn tag(block: &Block) -> Tag {
    Tag::of(&[block.version])
}
