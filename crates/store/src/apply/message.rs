//! Writing messages, what waits of them, and the block list.

use muster_domain::message::{
    Block, CarrierPart, Country, Holder, Incoming, Message, MessageStatus, Receipt,
};

use super::Outcome;
use crate::codes;
use crate::driver::Write;
use crate::statements::{block, incoming, message};
use crate::value::values;

pub(super) async fn insert(on: &mut impl Write, m: &Message) -> Outcome {
    let (actor_kind, actor_id) = codes::actor(m.author);
    let values = values![
        m.tenant.0,
        m.id.0,
        m.sender.as_str(),
        m.phone.as_str(),
        m.country.as_ref().map(Country::as_str),
        &m.text,
        m.encoding.is_unicode(),
        m.chars_count,
        m.parts_count,
        codes::service(m.options.service),
        m.options.source,
        &m.options.voice_lang,
        m.options.is_text_deleted,
        &m.callback_data,
        m.deliver_at.map_or(0, |at| at.0),
        m.state.status.code(),
        m.state.receipt.code(),
        m.handed_over_at.map_or(0, |at| at.0),
        m.price.millionths(),
        m.bulk.map(|(id, _)| id.0),
        m.bulk.map(|(_, uuid)| uuid),
        actor_kind,
        actor_id,
        &m.ip,
        m.version,
        m.created_at.0,
    ];
    on.run(&message::INSERT, &values).await?;
    if m.state.status != MessageStatus::New {
        return Ok(());
    }
    let lane = m.bulk.map_or(0, |(id, _)| id.0);
    on.run(&message::QUEUE_INSERT, &values![m.tenant.0, m.id.0, lane, m.due_at().0]).await
}

pub(super) async fn update(
    on: &mut impl Write,
    before: &Message,
    after: &Message,
    holder: Holder,
) -> Outcome {
    let values = values![
        after.tenant.0,
        after.id.0,
        after.version - 1,
        after.version,
        after.state.status.code(),
        after.state.receipt.code(),
        after.price.millionths(),
        &after.text,
        after.handed_over_at.map_or(0, |at| at.0),
    ];
    let is_handed_over = before.handed_over_at != after.handed_over_at;
    let (statement, count) =
        if is_handed_over { (&message::UPDATE_HANDED_OVER, 9) } else { (&message::UPDATE, 8) };
    on.one_row(statement, &values[..count]).await?;
    if before.state.status == MessageStatus::New && after.state.status != MessageStatus::New {
        leave(on, after, holder).await?;
    }
    Ok(())
}

/// A message waits no longer.
async fn leave(on: &mut impl Write, m: &Message, holder: Holder) -> Outcome {
    let (tenant, id) = (m.tenant.0, m.id.0);
    match holder {
        Holder::Nobody => on.one_row(&message::QUEUE_LEAVE, &values![tenant, id]).await,
        Holder::Claim(claim) => on.one_row(&message::QUEUE_LEAVE_CLAIMED, &values![tenant, id, claim]).await,
        Holder::Anybody => on.one_row(&message::QUEUE_LEAVE_ANY, &values![tenant, id]).await,
    }
}

pub(super) async fn delete(on: &mut impl Write, m: &Message) -> Outcome {
    if m.state.status == MessageStatus::New {
        leave(on, m, Holder::Nobody).await?;
    }
    on.run(&message::PARTS_FORGET, &values![m.tenant.0, m.id.0]).await?;
    on.one_row(&message::DELETE, &values![m.tenant.0, m.id.0, m.version]).await
}

/// What a carrier tells of a part.
pub(super) async fn part_receipt(on: &mut impl Write, part: &CarrierPart, before: Receipt) -> Outcome {
    let values = values![part.tenant.0, &part.carrier, &part.carrier_id, part.receipt.code(), before.code()];
    on.one_row(&message::PART_RECEIPT, &values).await
}

pub(super) async fn incoming_insert(
    on: &mut impl Write,
    i: &Incoming,
    carrier: &str,
    carrier_id: Option<&str>,
) -> Outcome {
    let values = values![
        i.tenant.0,
        i.id.0,
        &i.from,
        &i.to,
        &i.text,
        i.received_at.0,
        i.answers.map(|id| id.0),
        i.version,
        carrier,
        carrier_id,
    ];
    on.one_row(&incoming::INSERT, &values).await
}

pub(super) async fn block_insert(on: &mut impl Write, b: &Block) -> Outcome {
    let values = values![b.tenant.0, b.id.0, &b.number, b.by.code(), b.added_at.0, b.version];
    on.run(&block::INSERT, &values).await
}
