//! Bulks on the wire (`/bulks`; LOX24 messaging contract, section 3).

use muster_domain::contact::PhoneNumber;
use muster_domain::message::{
    Bulk, BulkField, BulkPatch, Encoding, MAX_TEMPLATE, bulk_limits, schedule, template_text,
};
use muster_domain::{ContactGroupId, FieldErrors, Kind, Patch, Problem};
use serde::Serialize;
use serde_json::{Map, Number, Value, json};
use utoipa::ToSchema;

use super::filter::{Filters, Takes, by};
use super::format::Resource;
use super::message_wire::{delivery_at, options, seconds, sender, set};
use crate::http::{Fields, Tag, Text, boolean, list, string};

/// One text to many.
#[derive(Serialize, ToSchema)]
#[schema(as = Bulk)]
pub(super) struct BulkBody {
    #[schema(format = Uuid)]
    uuid: String,
    /// When it was asked for, in seconds since 1970; 0 is at once.
    delivery_at: i64,
    sender_id: String,
    /// With the places that are filled for each recipient.
    text: String,
    /// E.164.
    phones: Vec<String>,
    msg_groups: Vec<i64>,
    /// 0 new, 5 in progress, 10 processed, 15 cancelled, 20 system error, 201 no recipients.
    status_code: i64,
    msg_total_count: u64,
    /// In the currency of the account.
    #[schema(value_type = f64)]
    msg_total_cost: Number,
    /// In seconds since 1970.
    created_at: i64,
    /// When it ended, in seconds since 1970, or 0.
    processed_at: i64,
    /// Where the request came from.
    ip: Option<String>,
    /// Whether UCS-2 was asked for, or the GSM alphabet.
    is_unicode: Option<bool>,
    is_dryrun: bool,
    /// Whether the texts of its messages are emptied once they are handed over.
    is_text_deleted: bool,
    service_code: &'static str,
    /// The key that made it.
    key_id: Option<i64>,
    source: i64,
    voice_lang: Option<String>,
}

/// How far a bulk is, without what it sends to whom.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkStatus)]
pub(super) struct BulkStatusBody {
    #[schema(format = Uuid)]
    uuid: String,
    /// When it was asked for, in seconds since 1970; 0 is at once.
    delivery_at: i64,
    /// 0 new, 5 in progress, 10 processed, 15 cancelled, 20 system error, 201 no recipients.
    status_code: i64,
    msg_total_count: u64,
    /// In the currency of the account.
    #[schema(value_type = f64)]
    msg_total_cost: Number,
    /// In seconds since 1970.
    created_at: i64,
    /// When it ended, in seconds since 1970, or 0.
    processed_at: i64,
    /// Where the request came from.
    ip: Option<String>,
    /// Whether UCS-2 was asked for, or the GSM alphabet.
    is_unicode: Option<bool>,
    is_dryrun: bool,
    /// Whether the texts of its messages are emptied once they are handed over.
    is_text_deleted: bool,
    service_code: &'static str,
    /// The key that made it.
    key_id: Option<i64>,
    source: i64,
    voice_lang: Option<String>,
}

impl Resource for BulkBody {
    const NAME: &'static str = "bulks";

    fn path(&self) -> String {
        format!("/bulks/{}", self.uuid)
    }
}

impl Resource for BulkStatusBody {
    const NAME: &'static str = BulkBody::NAME;

    fn path(&self) -> String {
        format!("/bulks/{}", self.uuid)
    }
}

impl From<Bulk> for BulkStatusBody {
    fn from(bulk: Bulk) -> Self {
        Self {
            uuid: bulk.uuid.to_string(),
            delivery_at: schedule::delivery_at_seconds(bulk.deliver_at),
            status_code: bulk.status.code(),
            msg_total_count: bulk.counts.total(),
            msg_total_cost: bulk.cost.to_json(),
            created_at: seconds(bulk.created_at),
            processed_at: bulk.processed_at.map_or(0, seconds),
            is_unicode: bulk.encoding.map(Encoding::is_unicode),
            is_dryrun: bulk.is_dry_run,
            is_text_deleted: bulk.options.is_text_deleted,
            service_code: bulk.options.service.as_str(),
            key_id: bulk.key().map(|key| key.0),
            source: bulk.options.source,
            voice_lang: bulk.options.voice_lang,
            ip: bulk.ip,
        }
    }
}

impl From<Bulk> for BulkBody {
    fn from(mut bulk: Bulk) -> Self {
        let phones = std::mem::take(&mut bulk.phones);
        let groups = std::mem::take(&mut bulk.groups);
        let (text, sender_id) = (std::mem::take(&mut bulk.text), bulk.sender.to_string());
        let status = BulkStatusBody::from(bulk);
        Self {
            uuid: status.uuid,
            delivery_at: status.delivery_at,
            sender_id,
            text,
            phones: phones.into_iter().map(PhoneNumber::into_string).collect(),
            msg_groups: groups.into_iter().map(|group| group.0).collect(),
            status_code: status.status_code,
            msg_total_count: status.msg_total_count,
            msg_total_cost: status.msg_total_cost,
            created_at: status.created_at,
            processed_at: status.processed_at,
            ip: status.ip,
            is_unicode: status.is_unicode,
            is_dryrun: status.is_dryrun,
            is_text_deleted: status.is_text_deleted,
            service_code: status.service_code,
            key_id: status.key_id,
            source: status.source,
            voice_lang: status.voice_lang,
        }
    }
}

/// The version of a bulk, and what is shown of it that changes without one.
pub(super) fn tag(bulk: &Bulk) -> Tag {
    let messages = i64::try_from(bulk.counts.total()).unwrap_or(i64::MAX);
    Tag::of(&[bulk.version, messages, bulk.cost.millionths()])
}

/// Reads the body of one that is made or tried.
pub(super) fn decode(f: &mut Fields<'_>) -> BulkPatch {
    let description = Some("Places such as [label] are filled with the columns of each recipient.");
    let form = Text { max: MAX_TEMPLATE, description, ..Text::SOME };
    let encoding = boolean().then(|is_unicode| Ok(Encoding::from_is_unicode(is_unicode)));
    BulkPatch {
        sender: f.required("sender_id", "sender", sender()),
        text: f.required("text", "text", string(form, template_text)),
        phones: phones(f),
        groups: groups(f),
        encoding: f.optional("is_unicode", "is_unicode", encoding),
        deliver_at: delivery_at(f).map_or(Patch::Keep, Patch::Set),
        options: Some(options(f)),
        ..BulkPatch::default()
    }
}

fn phones(f: &mut Fields<'_>) -> Option<Vec<String>> {
    let all = set(f.optional("phones", "phones", list(|| items("string"), bulk_limits::PHONES)))?;
    each(&mut f.errors, "phones", &all, Kind::Text, |phone| phone.as_str().map(str::to_owned))
}

fn groups(f: &mut Fields<'_>) -> Option<Vec<ContactGroupId>> {
    let all = set(f.optional("msg_groups", "groups", list(|| items("integer"), bulk_limits::GROUPS)))?;
    each(&mut f.errors, "groups", &all, Kind::Integer, |group| group.as_i64().map(ContactGroupId))
}

fn items(kind: &str) -> Map<String, Value> {
    Map::from_iter([("items".to_owned(), json!({"type": kind}))])
}

/// The entries of a list; `None` with each that fails noted under its place. What they say is looked at when all are of
/// their type.
fn each<T>(
    errors: &mut FieldErrors,
    field: &'static str,
    all: &[Value],
    kind: Kind,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<Vec<T>> {
    let mut entries = Vec::with_capacity(all.len());
    for (at, entry) in all.iter().enumerate() {
        match read(entry) {
            Some(entry) => entries.push(entry),
            None => errors.add(format!("{field}[{at}]"), Problem::WrongType(kind)),
        }
    }
    (entries.len() == all.len()).then_some(entries)
}

/// What bulks can be asked for by.
pub(super) const FILTERS: Filters<BulkField> = Filters {
    properties: &[
        by("text", BulkField::Text, Takes::Part(MAX_TEMPLATE)),
        by("sender_id", BulkField::Sender, Takes::Part(MAX_TEMPLATE)),
        by("status_code", BulkField::Status, Takes::BulkStatus),
        by("key_id", BulkField::Key, Takes::Integer),
        by("created_at", BulkField::CreatedAt, Takes::Times),
        by("delivery_at", BulkField::DeliverAt, Takes::Times),
        by("processed_at", BulkField::ProcessedAt, Takes::Times),
        by("msg_total_count", BulkField::MessagesCount, Takes::Integers),
        by("source", BulkField::Source, Takes::Integers),
        by("is_unicode", BulkField::IsUnicode, Takes::Boolean),
        by("is_dryrun", BulkField::IsDryRun, Takes::Boolean),
    ],
    exists: &[("is_unicode", BulkField::HasEncoding)],
    orders: &[
        ("created_at", BulkField::CreatedAt),
        ("delivery_at", BulkField::DeliverAt),
        ("processed_at", BulkField::ProcessedAt),
        ("msg_total_count", BulkField::MessagesCount),
    ],
    by: BulkField::CreatedAt,
};
