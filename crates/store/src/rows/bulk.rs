//! From rows to bulks.

use muster_domain::contact::PhoneNumber;
use muster_domain::message::{
    Bulk, BulkContact, BulkCounts, BulkStatus, BulkWork, Encoding, Expansion, PlaceholderStyle, SendOptions,
    SendWindow, SenderId, StoredBulk,
};
use muster_domain::{BulkId, ContactGroupId, FieldErrors, OrgUnitId, TenantId};

use super::balance::money;
use super::message::time;
use super::{Result, code};
use crate::codes;
use crate::row::{Row, corrupt, get};

/// How many columns a bulk has.
const COLUMNS: usize = 35;

fn count(row: &dyn Row, at: usize) -> Result<u64> {
    get::<i64>(row, at)?.try_into().map_err(|_| corrupt("count of a bulk"))
}

fn status(row: &dyn Row, at: usize) -> Result<BulkStatus> {
    BulkStatus::from_name(&get::<String>(row, at)?).ok_or_else(|| corrupt("status of a bulk"))
}

/// From three columns.
fn window(row: &dyn Row, first: usize) -> Result<Option<SendWindow>> {
    let Some(from) = get::<Option<String>>(row, first)? else {
        return Ok(None);
    };
    let (to, zone): (String, String) = (get(row, first + 1)?, get(row, first + 2)?);
    let window = SendWindow::read(&from, &to, &zone, "window", &mut FieldErrors::default());
    window.map(Some).ok_or_else(|| corrupt("send window"))
}

fn expansion(row: &dyn Row, at: usize) -> Result<Expansion> {
    Expansion::from_stored(get(row, at)?).ok_or_else(|| corrupt("progress of a bulk"))
}

fn groups(raw: &str) -> Result<Vec<ContactGroupId>> {
    let ids = raw.split_ascii_whitespace().map(|id| id.parse().map(ContactGroupId));
    ids.collect::<std::result::Result<_, _>>().map_err(|_| corrupt("list of groups"))
}

pub(crate) fn bulk(row: &dyn Row) -> Result<Bulk> {
    let style: String = get(row, 6)?;
    let phones: Option<String> = get(row, 34)?;
    let phones = phones.as_deref().unwrap_or_default().split_ascii_whitespace();
    Ok(Bulk {
        id: BulkId(get(row, 0)?),
        tenant: TenantId(get(row, 1)?),
        uuid: get(row, 2)?,
        org_unit_id: OrgUnitId(get(row, 3)?),
        name: get(row, 4)?,
        sender: SenderId::from_stored(get(row, 5)?),
        style: PlaceholderStyle::from_name(&style).ok_or_else(|| corrupt("style of a bulk"))?,
        encoding: get::<Option<bool>>(row, 7)?.map(Encoding::from_is_unicode),
        groups: groups(&get::<String>(row, 8)?)?,
        deliver_at: time(row, 9)?,
        window: window(row, 10)?,
        options: SendOptions {
            service: code(row, 13, codes::service_of, "service of a bulk")?,
            source: get(row, 14)?,
            voice_lang: get(row, 15)?,
            is_text_deleted: get(row, 16)?,
        },
        is_dry_run: get(row, 17)?,
        status: status(row, 18)?,
        counts: BulkCounts {
            queued: count(row, 19)?,
            sent: count(row, 20)?,
            delivered: count(row, 21)?,
            failed: count(row, 22)?,
            skipped: count(row, 23)?,
            invalid: count(row, 24)?,
        },
        cost: money(row, 25)?,
        author: codes::actor_of(get(row, 26)?, get(row, 27)?).ok_or_else(|| corrupt("author of a bulk"))?,
        ip: get(row, 28)?,
        version: get(row, 29)?,
        created_at: get(row, 30)?,
        modified_at: get(row, 31)?,
        processed_at: time(row, 32)?,
        text: get(row, 33)?,
        phones: phones.map(|phone| PhoneNumber::from_stored(phone.to_owned())).collect(),
    })
}

pub(crate) fn stored(row: &dyn Row) -> Result<StoredBulk> {
    Ok(StoredBulk {
        bulk: bulk(row)?,
        expansion: expansion(row, COLUMNS)?,
        is_deleted: get(row, COLUMNS + 1)?,
    })
}

pub(crate) fn work(row: &dyn Row) -> Result<BulkWork> {
    Ok(BulkWork {
        id: BulkId(get(row, 0)?),
        work_at: get(row, 1)?,
        status: status(row, 2)?,
        is_deleted: get(row, 3)?,
        is_dry_run: get(row, 4)?,
        expansion: expansion(row, 5)?,
        window: window(row, 6)?,
        queued: count(row, 9)?,
        next_at: get(row, 10)?,
    })
}

pub(crate) fn contact(row: &dyn Row) -> Result<BulkContact> {
    Ok(BulkContact {
        phone: PhoneNumber::from_stored(get(row, 0)?),
        columns: [get(row, 1)?, get(row, 2)?, get(row, 3)?, get(row, 4)?, get(row, 5)?],
        callback_data: get(row, 6)?,
        is_blocked: get(row, 7)?,
    })
}
