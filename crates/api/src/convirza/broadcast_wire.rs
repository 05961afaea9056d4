//! SMS broadcasts on the wire: bodies in, objects out (Convirza platform contract, section 4).

use muster_domain::contact::PhoneNumber;
use muster_domain::message::{
    Bulk, BulkCounts, BulkPatch, BulkPreview, BulkStatus, MAX_TEMPLATE, SENDER_IDS, SendWindow, SenderId,
    bulk_limits, template_text,
};
use muster_domain::{ContactGroupId, FieldErrors, Kind, OrgUnitId, Patch, Problem, Timestamp};
use serde::Serialize;
use serde_json::{Map, Number, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::Schema;

use super::envelope::{Time, words};
use super::user_wire::or_default;
use crate::http::{Fields, Tag, Text, choice, date_time, integer, list, object, required_text, string};

/// Reads the body of POST, PUT and PATCH. `stored` is the broadcast that is changed, `own_unit` the caller's.
pub(super) fn decode(f: &mut Fields<'_>, stored: Option<&Bulk>, own_unit: OrgUnitId) -> BulkPatch {
    let recipients = f.optional("recipients", "phones", list(numbers_schema, bulk_limits::PHONES));
    let groups = f.optional("contact_group_ids", "groups", list(ids_schema, bulk_limits::GROUPS));
    let window = f.optional("send_window", "window", object(window_schema, |value| Ok(value.clone())));
    let scheduled_at = f.optional("scheduled_at", "deliver_at", date_time());
    let status = f.lasting("status", "status", choice(&BulkStatus::BROADCAST_NAMES, &STATUSES));
    BulkPatch {
        org_unit_id: or_default(f.lasting("org_unit_id", "org_unit_id", integer()), own_unit.0)
            .map(OrgUnitId),
        name: f.optional("broadcast_name", "name", required_text(bulk_limits::NAME)),
        sender: f.required("from_number", "sender", string(SENDER, SenderId::read)),
        text: f.required("message", "text", string(MESSAGE, template_text)),
        phones: entries(recipients).map(|list| each(&mut f.errors, "phones", &list, number)),
        groups: entries(groups).map(|list| each(&mut f.errors, "groups", &list, group)),
        window: match window {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(value) => send_window(&value, &mut f.errors).map_or(Patch::Keep, Patch::Set),
        },
        status: match status {
            Patch::Set(status) => wished(status, stored),
            Patch::Keep | Patch::Clear => unscheduled(&scheduled_at, stored),
        },
        deliver_at: scheduled_at,
        ..BulkPatch::default()
    }
}

/// The status that a body asks for; what is shown may be sent back.
fn wished(status: BulkStatus, stored: Option<&Bulk>) -> Option<BulkStatus> {
    let is_shown = |bulk: &Bulk| bulk.status.broadcast_name() == status.broadcast_name();
    (!stored.is_some_and(is_shown)).then_some(status)
}

/// One whose time is taken away waits for another one, rather than to begin at once.
fn unscheduled(scheduled_at: &Patch<Timestamp>, stored: Option<&Bulk>) -> Option<BulkStatus> {
    let waits = |bulk: &Bulk| bulk.status == BulkStatus::Scheduled && bulk.deliver_at.is_some();
    let is_taken_away = matches!(scheduled_at, Patch::Clear) && stored.is_some_and(waits);
    is_taken_away.then_some(BulkStatus::Draft)
}

/// What a new broadcast is that does not say it: nobody gets anything without a time, or the word.
pub(super) fn default_status(patch: &BulkPatch) -> BulkStatus {
    if matches!(patch.deliver_at, Patch::Set(_)) { BulkStatus::Scheduled } else { BulkStatus::Draft }
}

/// In the order of [`BulkStatus::BROADCAST_NAMES`].
const STATUSES: [BulkStatus; 7] = [
    BulkStatus::Draft,
    BulkStatus::Scheduled,
    BulkStatus::Sending,
    BulkStatus::Paused,
    BulkStatus::Completed,
    BulkStatus::Cancelled,
    BulkStatus::Failed,
];

/// What a list can be asked for.
pub(super) const LISTED: [&str; 8] =
    ["all", "draft", "scheduled", "sending", "paused", "completed", "cancelled", "failed"];
/// For each of [`LISTED`] the name of a status, if it is one.
pub(super) const LISTED_STATUSES: [Option<&str>; 8] = [
    None,
    Some("draft"),
    Some("scheduled"),
    Some("sending"),
    Some("paused"),
    Some("completed"),
    Some("cancelled"),
    Some("failed"),
];

const SENDER: Text = Text { pattern: Some(SENDER_IDS), ..Text::ANY };

const MESSAGE: Text = Text {
    max: MAX_TEMPLATE,
    description: Some("`{{label}}` takes the text of the contact group's column with this label."),
    ..Text::SOME
};

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    match field {
        "name" => Some("broadcast_name"),
        "sender" => Some("from_number"),
        "text" => Some("message"),
        "phones" => Some("recipients"),
        "groups" => Some("contact_group_ids"),
        "deliver_at" => Some("scheduled_at"),
        "window" => Some("send_window"),
        _ => None,
    }
}

/// A list that is cleared is empty.
fn entries(wish: Patch<Vec<Value>>) -> Option<Vec<Value>> {
    or_default(wish, Vec::new())
}

/// What `read` makes of the entries of a list. One of another type is named, and keeps its place with what fails too.
fn each<T: Default>(
    errors: &mut FieldErrors,
    field: &str,
    entries: &[Value],
    read: fn(&Value) -> Result<T, Problem>,
) -> Vec<T> {
    let entry = |(at, entry): (usize, &Value)| {
        read(entry).unwrap_or_else(|problem| {
            errors.add(format!("{field}[{at}]"), problem);
            T::default()
        })
    };
    entries.iter().enumerate().map(entry).collect()
}

fn number(value: &Value) -> Result<String, Problem> {
    value.as_str().map(str::to_owned).ok_or(Problem::WrongType(Kind::Text))
}

fn group(value: &Value) -> Result<ContactGroupId, Problem> {
    value.as_i64().map(ContactGroupId).ok_or(Problem::WrongType(Kind::Integer))
}

fn numbers_schema() -> Map<String, Value> {
    Map::from_iter([("items".to_owned(), json!({"type": "string"}))])
}

fn ids_schema() -> Map<String, Value> {
    Map::from_iter([("items".to_owned(), json!({"type": "integer"}))])
}

fn window_schema() -> Map<String, Value> {
    let time = json!({"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"});
    let zone = json!({"type": "string", "description": "The name of a time zone (IANA)."});
    Map::from_iter([
        ("required".to_owned(), json!(["from", "to", "timezone"])),
        ("properties".to_owned(), json!({"from": time, "to": time, "timezone": zone})),
    ])
}

/// Every member that fails is named.
fn send_window(value: &Value, errors: &mut FieldErrors) -> Option<SendWindow> {
    if !value.is_object() {
        errors.push("send_window", Problem::WrongType(Kind::Object));
        return None;
    }
    let mut member = |name: &str| {
        let text = match value.get(name) {
            None | Some(Value::Null) => Err(Problem::Required),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(Problem::WrongType(Kind::Text)),
        };
        errors.take(format!("send_window.{name}"), text)
    };
    let (from, to, timezone) = (member("from"), member("to"), member("timezone"));
    SendWindow::read(from?, to?, timezone?, "send_window", errors)
}

/// An SMS broadcast.
#[derive(Serialize, ToSchema)]
#[schema(as = Broadcast)]
pub(super) struct BroadcastRow<'a> {
    broadcast_id: i64,
    /// One that came from another dialect may have none.
    broadcast_name: Option<&'a str>,
    org_unit_id: i64,
    from_number: &'a str,
    message: &'a str,
    recipients: Vec<&'a str>,
    contact_group_ids: Vec<i64>,
    scheduled_at: Option<Time>,
    send_window: Option<Window<'a>>,
    #[schema(schema_with = statuses)]
    status: &'static str,
    counts: Counts,
    broadcast_created: Time,
    broadcast_modified: Time,
}

/// The hours in which is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = SendWindow)]
struct Window<'a> {
    from: String,
    to: String,
    timezone: &'a str,
}

/// How many messages stand where.
#[derive(Serialize, ToSchema)]
#[schema(as = BroadcastCounts)]
struct Counts {
    total: u64,
    queued: u64,
    sent: u64,
    delivered: u64,
    failed: u64,
    /// With the recipients for whom the text would be too long, who get no message.
    skipped: u64,
}

fn statuses() -> Schema {
    words(&BulkStatus::BROADCAST_NAMES)
}

impl<'a> BroadcastRow<'a> {
    pub(super) fn new(bulk: &'a Bulk) -> Self {
        let window = |window: &'a SendWindow| Window {
            from: window.from().to_string(),
            to: window.to().to_string(),
            timezone: window.timezone(),
        };
        Self {
            broadcast_id: bulk.id.0,
            broadcast_name: bulk.name.as_deref(),
            org_unit_id: bulk.org_unit_id.0,
            from_number: bulk.sender.as_str(),
            message: &bulk.text,
            recipients: bulk.phones.iter().map(PhoneNumber::as_str).collect(),
            contact_group_ids: bulk.groups.iter().map(|group| group.0).collect(),
            scheduled_at: bulk.deliver_at.map(Time),
            send_window: bulk.window.as_ref().map(window),
            status: bulk.status.broadcast_name(),
            counts: Counts::new(bulk.counts),
            broadcast_created: Time(bulk.created_at),
            broadcast_modified: Time(bulk.modified_at),
        }
    }
}

impl Counts {
    fn new(counts: BulkCounts) -> Self {
        let total = counts.total().saturating_add(counts.invalid);
        let BulkCounts { queued, sent, delivered, failed, skipped, invalid } = counts;
        Self { total, queued, sent, delivered, failed, skipped: skipped.saturating_add(invalid) }
    }
}

/// The version of a broadcast as it is shown: its own, and its counts.
pub(super) fn tag(bulk: &Bulk) -> Tag {
    let BulkCounts { queued, sent, delivered, failed, skipped, invalid } = bulk.counts;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let counts = [queued, sent, delivered, failed, skipped, invalid].map(count);
    Tag::of(&[&[bulk.version], &counts[..]].concat())
}

/// What a broadcast would come to, if it began now.
#[derive(Serialize, ToSchema)]
#[schema(as = BroadcastPreview)]
pub(super) struct PreviewBody {
    /// Recipients that were looked at, at most 100,000.
    recipients: u64,
    /// Whether these are all.
    complete: bool,
    /// Who would get a message.
    sendable: u64,
    skipped: SkippedBody,
    /// Messages are sent in so many parts.
    parts: u64,
    /// In the currency of the account; whether the balance suffices is not looked at.
    #[schema(value_type = f64)]
    cost: Number,
}

/// Who would get none, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = BroadcastSkipped)]
struct SkippedBody {
    /// On the block list.
    blocked: u64,
    /// The number comes a second time.
    doubled: u64,
    /// The text would be too long, or the number is a fixed line, or nobody sends there.
    invalid: u64,
}

impl PreviewBody {
    pub(super) fn new(preview: &BulkPreview) -> Self {
        let BulkPreview { recipients, is_complete, sendable, blocked, doubled, invalid, parts, cost } =
            *preview;
        let skipped = SkippedBody { blocked, doubled, invalid };
        Self { recipients, complete: is_complete, sendable, skipped, parts, cost: cost.to_json() }
    }
}
