//! What is sent for an event: its id, its body, and the request that carries them.
//!
//! The body of [`WebhookFormat::Standard`] is that of the Standard Webhooks specification: `type`, `timestamp`, `data`. That
//! of [`WebhookFormat::Lox24`] is the envelope of LOX24 (LOX24 messaging contract, section 5). Both carry the static
//! parameters of the webhook as further members, and both are signed as Standard Webhooks are.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, header};
use muster_domain::message::{DRY_RUN, LOX24_DRYRUN, SmsEvent};
use muster_domain::secret::ServerKey;
use muster_domain::webhook::{
    DeliveryId, Event, Webhook, WebhookFormat, WebhookSecret, attempts, seal_context,
};
use muster_domain::{JournalRecord, MessageId, Timestamp, text as domain_text};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Call, Client, Outcome, SigningSecret, UnusableId, signed_headers};

/// The event of a sample.
pub const SAMPLE: &str = "webhook.test";

/// The version that LOX24 writes into its envelope.
const LOX24_VERSION: &str = "2022-05-25";

/// Something to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The `webhook-id`: the same in all attempts of a delivery, and in no other delivery of the installation.
    pub id: String,
    /// JSON.
    pub body: Bytes,
}

/// A secret of a webhook cannot be opened under the server key, or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing secret of a webhook cannot be read under the server key")]
pub struct Unreadable;

/// Why a message was not even tried to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    UnusableId(#[from] UnusableId),
}

/// Signs a message for an attempt at this time, and sends it to the endpoint of its webhook.
pub async fn send(
    client: &Client,
    key: &ServerKey,
    (webhook, secret): (&Webhook, &WebhookSecret),
    message: Message,
    now: Timestamp,
) -> Result<Outcome, Unsendable> {
    let secrets = secrets(key, webhook, secret, now)?;
    let call = call(webhook, message, &secrets, now)?;
    let time_of_day = UNIX_EPOCH + Duration::from_micros(now.0.try_into().unwrap_or(0));
    Ok(client.send(call, time_of_day).await)
}

/// The id of the message of which the text is sent with an event: no journal keeps it, since it may have to be forgotten.
pub fn text_of(event: &Event, entry: &JournalRecord) -> Option<MessageId> {
    let is_received = event.name == SmsEvent::Received.as_str();
    is_received.then(|| Uuid::parse_str(&entry.entity_id).ok().map(MessageId)).flatten()
}

/// What is sent for an event of a journal entry, in the `attempt`th attempt, counted from 1; `text` is that of
/// [`text_of`].
pub fn message(
    webhook: &Webhook,
    delivery: DeliveryId,
    attempt: usize,
    event: &Event,
    entry: &JournalRecord,
    text: Option<&str>,
) -> Message {
    // With its time: after a restore another event may have the same place in the journal.
    let event_id = format!("{}_{}", delivery.0, entry.at.0);
    let id = format!("msg_{}_{}_{event_id}", webhook.tenant, webhook.id);
    let body = match webhook.format {
        WebhookFormat::Standard => standard(webhook, event.name, entry.at, &data(event, entry, text)),
        WebhookFormat::Lox24 => {
            let (name, data) = lox24_data(event, entry, text);
            let about = derived(&format!("event {} {event_id}", webhook.tenant));
            lox24(webhook, name, entry.at, attempt, [about, derived(&id)], &data)
        }
    };
    Message { id, body }
}

/// What a test sends; `nonce` is random.
pub fn sample(webhook: &Webhook, nonce: Uuid, now: Timestamp) -> Message {
    let id = format!("msg_test_{}_{}_{}", webhook.tenant, webhook.id, nonce.simple());
    let body = match webhook.format {
        WebhookFormat::Standard => {
            let data = json!({
                "entity": "webhook",
                "id": webhook.id.0,
                "org_unit_id": webhook.org_unit_id.0,
                "after": {"name": webhook.name, "events": webhook.events},
            });
            standard(webhook, SAMPLE, now, &data)
        }
        WebhookFormat::Lox24 => {
            let data = json!({
                "id": DRY_RUN.0, "key_id": null, "dlr_code": 1, "status_code": 100, "callback_data": null,
            });
            lox24(webhook, LOX24_DRYRUN, now, 1, [nonce, derived(&id)], &data)
        }
    };
    Message { id, body }
}

/// The secrets that sign at this time, the newest first.
fn secrets(
    key: &ServerKey,
    webhook: &Webhook,
    secret: &WebhookSecret,
    now: Timestamp,
) -> Result<Vec<SigningSecret>, Unreadable> {
    let context = seal_context(webhook.tenant, webhook.id);
    let before = secret.before.as_ref().filter(|(_, until)| *until > now).map(|(sealed, _)| sealed);
    [&secret.sealed]
        .into_iter()
        .chain(before)
        .map(|sealed| {
            let plain = key.open(&context, sealed).ok_or(Unreadable)?;
            let plain = std::str::from_utf8(&plain).map_err(|_| Unreadable)?;
            SigningSecret::parse(plain).map_err(|_| Unreadable)
        })
        .collect()
}

/// The request that carries a message, signed for an attempt at this time.
fn call(
    webhook: &Webhook,
    message: Message,
    secrets: &[SigningSecret],
    now: Timestamp,
) -> Result<Call, UnusableId> {
    let Message { id, body } = message;
    let mut headers = signed_headers(&id, now.0.div_euclid(1_000_000), &body, secrets)?;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Call { url: webhook.url.clone(), headers, body })
}

fn standard(webhook: &Webhook, event: &str, at: Timestamp, data: &Value) -> Bytes {
    let envelope = json!({"type": event, "timestamp": at.millis().to_string(), "data": data});
    with_parameters(webhook, envelope)
}

fn lox24(
    webhook: &Webhook,
    name: &str,
    at: Timestamp,
    attempt: usize,
    [id, task]: [Uuid; 2],
    data: &Value,
) -> Bytes {
    let envelope = json!({
        "id": id,
        "api_version": LOX24_VERSION,
        "name": name,
        "created_at": at.0.div_euclid(1_000_000),
        "attempt_number": attempt,
        "attempt_total": attempts(webhook.format),
        "notification_task_id": task,
        "data": data,
    });
    with_parameters(webhook, envelope)
}

/// The body. No parameter has the name of a member of the envelope ([`WebhookFormat::members`]).
fn with_parameters(webhook: &Webhook, mut envelope: Value) -> Bytes {
    if let Some(members) = envelope.as_object_mut() {
        for parameter in &webhook.static_parameters {
            members.entry(parameter.name.clone()).or_insert_with(|| parameter.value.clone().into());
        }
    }
    envelope.to_string().into()
}

/// What an entry tells, in the words of the journal.
fn data(event: &Event, entry: &JournalRecord, text: Option<&str>) -> Value {
    let id = number_or_text(&entry.entity_id);
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("entity", entity(event).into());
    put(if event.members.is_some() { "group_id" } else { "id" }, id);
    put("version", entry.version.into());
    put("org_unit_id", json!(entry.org_unit_id.map(|unit| unit.0)));
    put("actor", entry.actor.to_string().into());
    put("dialect", entry.dialect.as_str().into());
    if let Some(members) = &event.members {
        put("members", members.clone());
        return data.into();
    }
    let Told { before, mut after, details } = Told::of(event, &entry.payload);
    after.extend(text.map(|text| ("text".to_owned(), text.into())));
    for (name, fields) in [("before", before), ("after", after), ("details", details)] {
        if !fields.is_empty() {
            put(name, fields.into());
        }
    }
    data.into()
}

/// The word of the event's name for what it is about.
fn entity(event: &Event) -> &str {
    event.name.split('.').next().unwrap_or(event.name)
}

fn number_or_text(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| id.into(), Value::from)
}

/// The payload of an entry, taken apart.
#[derive(Default)]
struct Told {
    before: Map<String, Value>,
    after: Map<String, Value>,
    /// What is no field with a value before and one after, such as how many contacts came with a list.
    details: Map<String, Value>,
}

impl Told {
    /// Nothing was before what is new, and nothing is after what is gone.
    fn of(event: &Event, payload: &Value) -> Self {
        let is_new = event.name.ends_with(".created") || event.name == SmsEvent::Received.as_str();
        let is_gone = event.name.ends_with(".deleted");
        let mut told = Self::default();
        for (name, value) in payload.as_object().into_iter().flatten() {
            let Some([before, after]) = value.as_array().map(Vec::as_slice) else {
                told.details.insert(name.clone(), value.clone());
                continue;
            };
            if is_gone {
                let last = if before.is_null() { after } else { before };
                told.before.insert(name.clone(), last.clone());
                continue;
            }
            if !is_new {
                told.before.insert(name.clone(), before.clone());
            }
            told.after.insert(name.clone(), after.clone());
        }
        told
    }
}

/// The name and the data of an event about a message; LOX24 knows no others, and these are not asked for
/// ([`WebhookFormat::knows`]). A field of which the entry does not tell is null.
fn lox24_data(event: &Event, entry: &JournalRecord, text: Option<&str>) -> (&'static str, Value) {
    let told =
        |field: &str| entry.payload.get(field).and_then(|told| told.get(1)).cloned().unwrap_or_default();
    let is = |known: &SmsEvent| known.as_str() == event.name;
    let known = SmsEvent::ALL.into_iter().find(is).unwrap_or(SmsEvent::Sent);
    let data = match known {
        SmsEvent::Received => {
            let received_at = told("received_at").as_str().and_then(|at| domain_text::date_time(at).ok());
            json!({
                "id": entry.entity_id,
                "from": told("from"),
                "to": told("to"),
                "text": text.unwrap_or_default(),
                "received_at": received_at.unwrap_or(entry.at).0.div_euclid(1_000_000),
                "msg_uuid": told("answers"),
            })
        }
        SmsEvent::Sent | SmsEvent::Delivered | SmsEvent::Failed => json!({
            "id": entry.entity_id,
            "key_id": told("key"),
            "dlr_code": told("receipt"),
            "status_code": told("status"),
            "callback_data": told("callback_data"),
        }),
    };
    (known.lox24_name(), data)
}

/// A UUID that is always the same for the same text (version 8, RFC 9562).
fn derived(text: &str) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests;
