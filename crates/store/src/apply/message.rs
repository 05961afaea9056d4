//! Writing messages, what waits of them, and the block list.

use std::collections::BTreeMap;

use muster_domain::Timestamp;
use muster_domain::message::{
    Block, CarrierPart, Country, Holder, Incoming, Message, MessageStatus, MessageUpdate, PartUpdate,
};

use super::Outcome;
use crate::codes;
use crate::driver::{ONE_ROW, Wanted, Write};
use crate::statements::{block, incoming, message};
use crate::value::{Value, values};

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

pub(super) async fn update(on: &mut impl Write, updates: &[MessageUpdate], holder: Holder) -> Outcome {
    let (mut here, mut handed_over, mut leaving) = (Vec::new(), Vec::new(), Vec::new());
    for MessageUpdate { before, after } in updates {
        let mut values = values![
            after.tenant.0,
            after.id.0,
            after.version - 1,
            after.version,
            after.state.status.code(),
            after.state.receipt.code(),
            after.price.millionths(),
            &after.text,
        ]
        .to_vec();
        if before.handed_over_at == after.handed_over_at {
            here.push(values);
        } else {
            values.push(after.handed_over_at.map_or(0, |at| at.0).into());
            handed_over.push(values);
        }
        if before.state.status == MessageStatus::New && after.state.status != MessageStatus::New {
            leaving.push(after);
        }
    }
    on.each(&message::UPDATE, &here, ONE_ROW).await?;
    on.each(&message::UPDATE_HANDED_OVER, &handed_over, ONE_ROW).await?;
    leave(on, leaving, holder).await
}

/// Messages wait no longer.
async fn leave(on: &mut impl Write, messages: Vec<&Message>, holder: Holder) -> Outcome {
    let (statement, claim) = match holder {
        Holder::Nobody => (&message::QUEUE_LEAVE, None),
        Holder::Claim(claim) => (&message::QUEUE_LEAVE_CLAIMED, Some(Value::from(claim))),
        Holder::Anybody => (&message::QUEUE_LEAVE_ANY, None),
    };
    let key = |m: &Message| values![m.tenant.0, m.id.0].into_iter().chain(claim.clone()).collect();
    let keys: Vec<Vec<_>> = messages.into_iter().map(key).collect();
    on.each(statement, &keys, ONE_ROW).await
}

pub(super) async fn delete(on: &mut impl Write, gone: &[Message]) -> Outcome {
    let waiting = gone.iter().filter(|m| m.state.status == MessageStatus::New).collect();
    leave(on, waiting, Holder::Nobody).await?;
    let keys: Vec<_> = gone.iter().map(|m| values![m.tenant.0, m.id.0].to_vec()).collect();
    on.each(&message::PARTS_FORGET, &keys, Wanted::Anything).await?;
    let versions: Vec<_> = gone.iter().map(|m| values![m.tenant.0, m.id.0, m.version].to_vec()).collect();
    on.each(&message::DELETE, &versions, ONE_ROW).await
}

/// What a carrier has of messages.
pub(super) async fn parts_insert(on: &mut impl Write, parts: &[CarrierPart], at: Timestamp) -> Outcome {
    // The last of those under one id, since one statement writes a row once.
    let by_id: BTreeMap<_, _> = parts.iter().map(|part| ((&part.carrier, &part.carrier_id), part)).collect();
    let rows = by_id.into_values().map(|p| {
        values![p.tenant.0, p.message.0, p.part, &p.carrier, &p.carrier_id, p.receipt.code(), at.0].to_vec()
    });
    on.each(&message::PART_INSERT, &rows.collect::<Vec<_>>(), Wanted::Anything).await
}

/// What carriers tell of parts.
pub(super) async fn parts_update(on: &mut impl Write, updates: &[PartUpdate]) -> Outcome {
    let rows = updates.iter().map(|PartUpdate { before, after: part }| {
        values![part.tenant.0, &part.carrier, &part.carrier_id, part.receipt.code(), before.code()].to_vec()
    });
    on.each(&message::PART_RECEIPT, &rows.collect::<Vec<_>>(), ONE_ROW).await
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
