//! Writing bulks and their messages.

use muster_domain::contact::PhoneNumber;
use muster_domain::message::{Bulk, BulkChunk, BulkDelta, BulkMessage, Country, Expansion, SendWindow};
use muster_domain::{BulkId, TenantId, text};

use super::Outcome;
use crate::codes;
use crate::driver::Write;
use crate::statements::Statement;
use crate::statements::bulk::{self, MANY};
use crate::value::{Value, values};

/// The values that both statements begin with.
fn values<'a>(b: &'a Bulk, expansion: Option<&Expansion>) -> Vec<Value<'a>> {
    let groups: Vec<String> = b.groups.iter().map(ToString::to_string).collect();
    let window = |of: fn(&SendWindow) -> String| b.window.as_ref().map(of);
    values![
        b.tenant.0,
        b.id.0,
        b.org_unit_id.0,
        &b.name,
        b.name.as_deref().map(text::key),
        b.sender.as_str(),
        b.style.as_str(),
        b.encoding.map(|encoding| i64::from(encoding.is_unicode())),
        groups.join(" "),
        b.deliver_at.map_or(0, |at| at.0),
        window(|window| window.from().to_string()),
        window(|window| window.to().to_string()),
        window(|window| window.timezone().to_owned()),
        codes::service(b.options.service),
        b.options.source,
        &b.options.voice_lang,
        b.options.is_text_deleted,
        b.status.as_str(),
        &b.text,
        b.version,
        b.modified_at.0,
        b.processed_at.map_or(0, |at| at.0),
        b.work_at(expansion).map(|at| at.0),
    ]
    .into()
}

pub(super) async fn insert(on: &mut impl Write, b: &Bulk) -> Outcome {
    let (actor_kind, actor_id) = codes::actor(b.author);
    let mut all = values(b, None);
    all.extend(values![b.uuid, b.is_dry_run, actor_kind, actor_id, &b.ip, b.created_at.0]);
    on.run(&bulk::INSERT, &all).await?;
    phones(on, b).await
}

pub(super) async fn update(on: &mut impl Write, b: &Bulk, expansion: Option<&Expansion>) -> Outcome {
    let mut all = values(b, expansion);
    all.extend(values![b.version - 1, expansion.map(Expansion::as_str)]);
    on.one_row(&bulk::UPDATE, &all).await?;
    phones(on, b).await
}

async fn phones(on: &mut impl Write, b: &Bulk) -> Outcome {
    if b.phones.is_empty() {
        return on.run(&bulk::NO_PHONES, &values![b.tenant.0, b.id.0]).await;
    }
    let phones: Vec<&str> = b.phones.iter().map(PhoneNumber::as_str).collect();
    on.run(&bulk::PHONES, &values![b.tenant.0, b.id.0, phones.join(" ")]).await
}

pub(super) async fn remove(on: &mut impl Write, tenant: TenantId, id: BulkId) -> Outcome {
    on.run(&bulk::NO_PHONES, &values![tenant.0, id.0]).await?;
    on.one_row(&bulk::REMOVE, &values![tenant.0, id.0]).await
}

pub(super) async fn count(on: &mut impl Write, tenant: TenantId, id: BulkId, delta: &BulkDelta) -> Outcome {
    let BulkDelta { queued, sent, delivered, failed, skipped, invalid, cost } = *delta;
    let cost = cost.millionths();
    let values = values![tenant.0, id.0, queued, sent, delivered, failed, skipped, invalid, cost];
    on.run(&bulk::COUNT, &values).await
}

pub(super) async fn expand(on: &mut impl Write, chunk: &BulkChunk) -> Outcome {
    let BulkChunk { bulk: of, from, to, at, messages, delta } = chunk;
    let (tenant, id) = (of.tenant.0, of.id.0);
    // First of all, since whoever comes too late has nothing to write.
    on.one_row(&bulk::EXPAND, &values![tenant, id, from.as_str(), to.as_str()]).await?;
    count(on, of.tenant, of.id, delta).await?;
    let common = common(chunk);
    let mut chunks = messages.chunks_exact(MANY);
    for many in &mut chunks {
        insert_messages(on, &bulk::MESSAGES_INSERT, &common, many).await?;
    }
    for one in chunks.remainder().chunks(1) {
        insert_messages(on, &bulk::MESSAGE_INSERT, &common, one).await?;
    }
    if let (Some(first), Some(last)) = (messages.first(), messages.last()) {
        let (first, last) = (first.id.0, last.id.0);
        let due_at = at.0.max(of.deliver_at.map_or(0, |at| at.0));
        on.run(&bulk::QUEUE, &values![tenant, id, first, last, due_at]).await?;
    }
    Ok(())
}

/// What all messages of a chunk have in common.
fn common(chunk: &BulkChunk) -> [Value<'_>; 13] {
    let of = &chunk.bulk;
    let (actor_kind, actor_id) = codes::actor(of.author);
    values![
        of.tenant.0,
        of.sender.as_str(),
        codes::service(of.options.service),
        of.options.source,
        &of.options.voice_lang,
        of.options.is_text_deleted,
        of.deliver_at.map_or(0, |at| at.0),
        of.id.0,
        of.uuid,
        actor_kind,
        actor_id,
        &of.ip,
        chunk.at.0,
    ]
}

async fn insert_messages(
    on: &mut impl Write,
    statement: &'static Statement,
    common: &[Value<'_>],
    messages: &[BulkMessage],
) -> Outcome {
    let own = messages.iter().flat_map(|m| {
        values![
            m.id.0,
            m.phone.as_str(),
            m.country.as_ref().map(Country::as_str),
            m.text.as_str(),
            m.text.encoding().is_unicode(),
            m.text.chars_count(),
            m.text.parts_count(),
            &m.callback_data,
            m.status.code(),
            m.price.millionths(),
        ]
    });
    let all: Vec<Value<'_>> = common.iter().cloned().chain(own).collect();
    on.run(statement, &all).await
}
