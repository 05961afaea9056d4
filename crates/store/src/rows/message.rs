//! From rows to messages and entries of the block list.

use muster_domain::contact::PhoneNumber;
use muster_domain::message::{
    Block, BlockedBy, CarrierPart, Encoding, Incoming, Message, MessageState, MessageStatus, MessageWork,
    Receipt, SendOptions, SenderId, StoredMessage,
};
use muster_domain::{BlockId, BulkId, MessageId, TenantId, Timestamp};

use uuid::Uuid;

use super::balance::{country, money};
use super::{Result, code};
use crate::codes;
use crate::row::{Row, corrupt, get};

/// How many columns a message has.
const COLUMNS: usize = 26;

fn count(row: &dyn Row, at: usize) -> Result<u32> {
    get::<i64>(row, at)?.try_into().map_err(|_| corrupt("count of a message"))
}

/// 0 is none.
pub(super) fn time(row: &dyn Row, at: usize) -> Result<Option<Timestamp>> {
    Ok(Some(get::<Timestamp>(row, at)?).filter(|at| at.0 != 0))
}

pub(crate) fn message(row: &dyn Row) -> Result<Message> {
    Ok(Message {
        id: MessageId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        sender: SenderId::from_stored(get(row, 2)?),
        phone: PhoneNumber::from_stored(get(row, 3)?),
        country: country(row, 4)?,
        text: get(row, 5)?,
        encoding: Encoding::from_is_unicode(get(row, 6)?),
        chars_count: count(row, 7)?,
        parts_count: count(row, 8)?,
        options: SendOptions {
            service: code(row, 9, codes::service_of, "service of a message")?,
            source: get(row, 10)?,
            voice_lang: get(row, 11)?,
            is_text_deleted: get(row, 12)?,
        },
        callback_data: get(row, 13)?,
        deliver_at: time(row, 14)?,
        state: MessageState {
            status: code(row, 15, MessageStatus::from_code, "status of a message")?,
            receipt: code(row, 16, Receipt::from_code, "receipt of a message")?,
        },
        handed_over_at: time(row, 17)?,
        price: money(row, 18)?,
        bulk: get::<Option<i64>>(row, 19)?.map(BulkId).zip(get(row, 20)?),
        author: codes::actor_of(get(row, 21)?, get(row, 22)?)
            .ok_or_else(|| corrupt("author of a message"))?,
        ip: get(row, 23)?,
        version: get(row, 24)?,
        created_at: get(row, 25)?,
    })
}

pub(crate) fn stored(row: &dyn Row) -> Result<StoredMessage> {
    Ok(StoredMessage { message: message(row)?, is_claimed: get(row, COLUMNS)? })
}

pub(crate) fn work(row: &dyn Row) -> Result<MessageWork> {
    Ok(MessageWork { next_at: get(row, 0)?, lost_at: get(row, 1)?, ..MessageWork::default() })
}

/// A message that is being handed over, and whether its number is blocked.
pub(crate) fn claimed(row: &dyn Row) -> Result<(Message, bool)> {
    Ok((message(row)?, get(row, COLUMNS)?))
}

pub(crate) fn carrier_part(row: &dyn Row) -> Result<CarrierPart> {
    Ok(CarrierPart {
        carrier: get(row, 0)?,
        carrier_id: get(row, 1)?,
        tenant: TenantId(get(row, 2)?),
        message: MessageId(get(row, 3)?),
        part: count(row, 4)?,
        receipt: code(row, 5, Receipt::from_code, "receipt of a message")?,
    })
}

pub(crate) fn incoming(row: &dyn Row) -> Result<Incoming> {
    Ok(Incoming {
        id: MessageId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        from: get(row, 2)?,
        to: get(row, 3)?,
        text: get(row, 4)?,
        received_at: get(row, 5)?,
        answers: get::<Option<Uuid>>(row, 6)?.map(MessageId),
        version: get(row, 7)?,
    })
}

pub(crate) fn block(row: &dyn Row) -> Result<Block> {
    Ok(Block {
        id: BlockId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        number: get(row, 2)?,
        by: code(row, 3, BlockedBy::from_code, "kind of a blocked number")?,
        added_at: get(row, 4)?,
        version: get(row, 5)?,
    })
}
