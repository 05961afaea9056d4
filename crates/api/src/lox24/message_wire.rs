//! Messages on the wire (`/sms`; LOX24 messaging contract, section 2).

use muster_domain::message::{
    Encoding, Message, MessageField, MessageWish, SENDER_IDS, SendOptions, SenderId, Service, limits,
    schedule,
};
use muster_domain::{Patch, Problem, Timestamp};
use serde::Serialize;
use serde_json::{Number, Value};
use utoipa::ToSchema;

use super::filter::{Filters, Takes, by};
use super::format::Resource;
use crate::http::{
    Fields, Ids, Parser, Tag, Text, boolean, choice, integer, integer_within, limited_text, message_text,
    required_text, string,
};

/// What ids of messages look like.
pub(super) const UUIDS: Ids = Ids::Pattern("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$");

/// A message to a phone.
#[derive(Serialize, ToSchema)]
pub(super) struct Sms {
    #[schema(format = Uuid)]
    uuid: String,
    /// As it is sent, which may be another text than was asked for; empty once it is deleted.
    text: String,
    sender_id: String,
    /// E.164.
    phone: String,
    /// When it was asked for, in seconds since 1970; 0 is at once.
    delivery_at: i64,
    /// 0 new, 100 handed over, 208 destination blocked, 400 maintenance, 410 stopped in the account, 2000 no landline,
    /// 3000 no money, 5000 no operator, 6000 stopped.
    status_code: i64,
    /// When the carrier took it, in seconds since 1970, or 0.
    gateway_sent_at: i64,
    source: i64,
    /// 0 nothing yet, 1 delivered, 2 queued, 4 accepted, 8 expired, 16 rejected.
    dlr_code: i64,
    /// Where the request came from.
    ip: Option<String>,
    /// In seconds since 1970.
    created_at: i64,
    /// Whether it is sent as UCS-2.
    is_unicode: bool,
    /// The country of the number.
    iso2: Option<String>,
    voice_lang: Option<String>,
    parts_count: u32,
    /// In septets, or units of UCS-2.
    chars_count: u32,
    callback_data: Option<String>,
    #[schema(format = Uuid)]
    bulk_id: Option<String>,
    /// The key that sent it.
    key_id: Option<i64>,
    service_code: &'static str,
    /// Whether its text is emptied once it is handed over.
    is_text_deleted: bool,
    /// What is paid for it, in the currency of the account.
    #[schema(value_type = f64)]
    price: Number,
    /// Whether a carrier has or had it.
    is_sent: bool,
    requests: String,
    clicks: String,
}

impl Resource for Sms {
    const NAME: &'static str = "sms";

    fn path(&self) -> String {
        format!("/sms/{}", self.uuid)
    }
}

impl From<Message> for Sms {
    fn from(message: Message) -> Self {
        let uuid = message.id.to_string();
        Self {
            delivery_at: schedule::delivery_at_seconds(message.deliver_at),
            status_code: message.state.status.code(),
            gateway_sent_at: message.handed_over_at.map_or(0, seconds),
            source: message.options.source,
            dlr_code: message.state.receipt.code(),
            created_at: seconds(message.created_at),
            is_unicode: message.encoding.is_unicode(),
            iso2: message.country.map(|country| country.to_string()),
            parts_count: message.parts_count,
            chars_count: message.chars_count,
            bulk_id: message.bulk.map(|(_, uuid)| uuid.to_string()),
            key_id: message.key().map(|key| key.0),
            service_code: message.options.service.as_str(),
            is_text_deleted: message.options.is_text_deleted,
            price: message.price.to_json(),
            is_sent: message.is_sent(),
            requests: format!("/sms/{uuid}/requests"),
            clicks: format!("/sms/{uuid}/clicks"),
            uuid,
            text: message.text,
            sender_id: message.sender.to_string(),
            phone: message.phone.into_string(),
            ip: message.ip,
            voice_lang: message.options.voice_lang,
            callback_data: message.callback_data,
        }
    }
}

/// A time as messages show it.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000_000)
}

/// The version of a message.
pub(super) fn tag(message: &Message) -> Tag {
    Tag::of(&[message.version])
}

/// Reads the body of a message that is sent or tried.
pub(super) fn decode(f: &mut Fields<'_>) -> MessageWish {
    MessageWish {
        sender: f.required("sender_id", "sender", sender()),
        text: f.required("text", "text", message_text()),
        phone: f.required("phone", "phone", required_text(limits::PHONE)),
        encoding: set(f.optional("is_unicode", "is_unicode", boolean())).map(Encoding::from_is_unicode),
        deliver_at: delivery_at(f),
        options: options(f),
        callback_data: set(f.optional("callback_data", "callback_data", limited_text(limits::CALLBACK_DATA))),
        ip: None,
    }
}

/// A sender.
pub(super) fn sender() -> Parser<impl FnOnce(&Value) -> Result<SenderId, Problem>> {
    string(Text { pattern: Some(SENDER_IDS), ..Text::ANY }, SenderId::read)
}

/// When it is to be sent; `None` is at once.
pub(super) fn delivery_at(f: &mut Fields<'_>) -> Option<Timestamp> {
    let wish = f.optional(
        "delivery_at",
        "delivery_at",
        integer_within(0, schedule::LAST).then(schedule::delivery_at),
    );
    set(wish).flatten()
}

/// What else a message and a bulk have.
pub(super) fn options(f: &mut Fields<'_>) -> SendOptions {
    let service = choice(&Service::NAMES, &[Service::Direct]);
    let wish = SendOptions {
        service: set(f.optional("service_code", "service_code", service)).unwrap_or_default(),
        source: set(f.optional("source", "source", integer())).unwrap_or_default(),
        voice_lang: set(f.optional("voice_lang", "voice_lang", limited_text(limits::VOICE_LANG))),
        is_text_deleted: false,
    };
    let is_text_deleted = f.optional("is_text_deleted", "is_text_deleted", boolean());
    SendOptions { is_text_deleted: set(is_text_deleted).unwrap_or_default(), ..wish }
}

/// What is set: of something new, all else is the default.
pub(super) fn set<T>(wish: Patch<T>) -> Option<T> {
    let mut value = None;
    wish.apply(&mut value);
    value
}

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    (field == "sender").then_some("sender_id")
}

/// What messages can be asked for by.
pub(super) const FILTERS: Filters<MessageField> = Filters {
    properties: &[
        by("is_sent", MessageField::IsSent, Takes::Boolean),
        by("sent", MessageField::IsSent, Takes::Boolean),
        by("is_unicode", MessageField::IsUnicode, Takes::Boolean),
        by("uuid", MessageField::Id, Takes::Uuid),
        by("iso2", MessageField::Country, Takes::Country),
        by("dlr_code", MessageField::Receipt, Takes::Integer),
        by("status_code", MessageField::Status, Takes::Integer),
        by("bulk", MessageField::Bulk, Takes::Uuid),
        by("key_id", MessageField::Key, Takes::Integer),
        by("callback_data", MessageField::CallbackData, Takes::Text(limits::CALLBACK_DATA)),
        by("gateway_sent_at", MessageField::HandedOverAt, Takes::Times),
        by("delivery_at", MessageField::DeliverAt, Takes::Times),
        by("created_at", MessageField::CreatedAt, Takes::Times),
        by("chars_count", MessageField::CharsCount, Takes::Integers),
        by("parts_count", MessageField::PartsCount, Takes::Integers),
        by("source", MessageField::Source, Takes::Integers),
        by("text", MessageField::Text, Takes::Part(MAX_PART)),
        by("phone", MessageField::Phone, Takes::Part(MAX_PART)),
        by("sender_id", MessageField::Sender, Takes::Part(MAX_PART)),
        by("ip", MessageField::Ip, Takes::Part(MAX_PART)),
    ],
    exists: &[],
    orders: &[("created_at", MessageField::CreatedAt), ("gateway_sent_at", MessageField::HandedOverAt)],
    by: MessageField::CreatedAt,
};

/// Characters of a part of a text.
pub(super) const MAX_PART: usize = limits::TEXT;
