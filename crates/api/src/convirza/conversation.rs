//! Conversations (`/v3/conversations/sms`; Convirza platform contract, section 5).

use muster_domain::message::{Conversation, ConversationFilter, ConversationQuery, ConversationSearch};
use muster_domain::{ConversationId, Ctx, Dialect, Entity, Error, Precondition, Slice, text};
use serde::Serialize;
use utoipa::ToSchema;

use super::conversation_wire::{
    ConversationDetail, ConversationRow, Conversations, decode, name_of, page_of, reply, tag,
};
use super::envelope::{created, success};
use crate::http::{Call, Failure, Mode, Outcome, Query, Text};

/// The greatest page, and the usual one.
const MAX_PAGE: u32 = 200;
const USUAL_PAGE: u32 = 7;
/// Messages of a page, where none says how many.
const USUAL_MESSAGES: u32 = 50;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConversationWritten {
    conversation_id: i64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConversationReplied {
    message_id: uuid::Uuid,
}

pub(super) async fn conversation_list(call: &mut Call) -> Outcome {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let query = call.query(list)?;
    let page = call.directory().conversation_list(&ctx, query).await?;
    let conversation = page.items.iter().map(ConversationRow::new).collect();
    success(call, &Conversations { total: page.total, conversation })
}

/// Reads which conversations, and how many.
pub(super) fn list(query: &mut Query<'_>) -> ConversationQuery {
    let filter = query.choice_or(
        "type",
        &ConversationFilter::NAMES,
        &ConversationFilter::ALL,
        ConversationFilter::default(),
    );
    let search = query.limited_text("search", ConversationSearch::MAX);
    ConversationQuery {
        filter,
        search: search.and_then(|search| ConversationSearch::read(&search).ok()),
        since: query.parsed("start", TIME, text::date_time),
        until: query.parsed("end", TIME, text::date_time),
        is_descending: query.choice_or("order", &["desc", "asc"], &[true, false], true),
        slice: slice(query, USUAL_PAGE),
    }
}

const TIME: Text =
    Text { description: Some("A time with an offset (RFC 3339), of the last message."), ..Text::ANY };

fn slice(query: &mut Query<'_>, usual: u32) -> Slice {
    Slice {
        limit: query.integer_or("limit", 1, MAX_PAGE, usual),
        offset: query.integer("offset", 0, i64::MAX).map_or(0, i64::unsigned_abs),
    }
}

pub(super) async fn conversation_get(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let slice = call.query(messages)?;
    let page = call.directory().conversation_messages(&ctx, &found, slice).await?;
    let detail = ConversationDetail {
        conversation: ConversationRow::new(&found),
        messages: page_of(&page.items),
        total: page.total,
    };
    let tag = tag(&found, &detail)?;
    Ok(success(call, &detail)?.tag(tag))
}

/// Reads how many of the messages are wanted.
pub(super) fn messages(query: &mut Query<'_>) -> Slice {
    slice(query, USUAL_MESSAGES)
}

pub(super) async fn conversation_reply(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let draft = call.object(Mode::Create, reply).await?;
    let sent = call.directory().conversation_reply(&ctx, &found, draft).await.map_err(in_wire_names)?;
    created(call, &ConversationReplied { message_id: sent.id.0 })
}

pub(super) async fn conversation_patch(call: &mut Call) -> Outcome {
    let (ctx, found) = find(call).await?;
    let draft = call.object(Mode::Merge, decode).await?;
    let condition = if_match(call);
    let changed = call.directory().conversation_update(&ctx, found, draft, condition).await;
    let changed = changed.map_err(in_wire_names)?;
    success(call, &ConversationWritten { conversation_id: changed.id.0 })
}

/// The caller, and the conversation that the path names.
async fn find(call: &mut Call) -> Result<(Ctx, Conversation), Failure> {
    let (ctx, _) = call.authenticate(Dialect::Convirza).await?;
    let id = call.path_id(Entity::Conversation).map(ConversationId)?;
    let found = call.directory().conversation_get(&ctx, id).await?;
    Ok((ctx, found))
}

/// The conversation itself is what a condition is about: what becomes of its messages is no reason to refuse a change.
fn if_match(call: &Call) -> Option<Precondition<Conversation>> {
    call.if_version_matches(|conversation: &Conversation| conversation.version)
}

fn in_wire_names(error: Error) -> Failure {
    Failure::named(error, name_of)
}
