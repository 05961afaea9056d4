//! Webhooks on the wire: bodies in, objects out (Convirza platform contract, section 1).

use muster_delivery::{Outcome, Policy, Target};
use muster_domain::webhook::{
    Delivery, DeliveryState, PARAMETER_NAMES, StaticParameter, Webhook, WebhookFormat, WebhookPatch,
    WebhookStatus, WebhookView, event_patterns, limits,
};
use muster_domain::{FieldErrors, Kind, OrgUnitId, Patch, Problem, text};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::Schema;

use super::envelope::{Time, words};
use super::user_wire::or_default;
use crate::http::{Fields, Tag, Text, boolean, choice, integer, list, required_text, string};

/// Reads the body of POST, PUT and PATCH. `stored` is the webhook that is changed, `own_unit` the caller's.
pub(super) fn decode(
    f: &mut Fields<'_>,
    policy: &Policy,
    stored: Option<&Webhook>,
    own_unit: OrgUnitId,
) -> WebhookPatch {
    let url = string(URL, |raw| target(raw, policy));
    // What was allowed once comes back with every change of something else.
    let url = url.unless(|value| {
        let url = value.as_str().filter(|url| stored.is_some_and(|webhook| webhook.url == **url))?;
        Some(url.to_owned())
    });
    let name = f.required("webhook_name", "name", required_text(limits::NAME));
    let url = f.required("webhook_url", "url", url);
    let events = f.required("events", "events", list(events_schema, limits::EVENTS));
    let parameters =
        f.optional("static_parameters", "static_parameters", list(parameters_schema, limits::PARAMETERS));
    WebhookPatch {
        org_unit_id: or_default(f.lasting("org_unit_id", "org_unit_id", integer()), own_unit.0)
            .map(OrgUnitId),
        name,
        url,
        events: events.map(|list| each(&mut f.errors, "events", &list, event)),
        static_parameters: match parameters {
            Patch::Keep => None,
            Patch::Clear => Some(Vec::new()),
            Patch::Set(list) => Some(each(&mut f.errors, "static_parameters", &list, parameter)),
        },
        format: or_default(
            f.optional("format", "format", choice(&WebhookFormat::NAMES, &FORMATS)),
            WebhookFormat::default(),
        ),
        status: or_default(
            f.optional("status", "status", choice(&WebhookStatus::NAMES, &STATUSES)),
            WebhookStatus::default(),
        ),
        include_sub_groups: or_default(
            f.optional("include_sub_groups", "include_sub_groups", boolean()),
            true,
        ),
    }
}

const FORMATS: [WebhookFormat; 2] = [WebhookFormat::Standard, WebhookFormat::Lox24];
const STATUSES: [WebhookStatus; 2] = [WebhookStatus::Active, WebhookStatus::Inactive];
const DELIVERY_STATES: [DeliveryState; 3] =
    [DeliveryState::Open, DeliveryState::Delivered, DeliveryState::Failed];

const URL: Text = Text {
    max: limits::URL,
    description: Some("https (http where the operator allows it), without user name, password and fragment."),
    ..Text::ANY
};

fn target(raw: &str, policy: &Policy) -> Result<String, Problem> {
    match Target::parse(raw, policy) {
        Ok(_) => Ok(raw.to_owned()),
        Err(fault) => Err(Problem::Format(fault.sentence())),
    }
}

/// The name of a field on the wire, where it is not that of the domain.
pub(super) fn name_of(field: &str) -> Option<&'static str> {
    match field {
        "name" => Some("webhook_name"),
        "url" => Some("webhook_url"),
        _ => None,
    }
}

/// What `read` makes of the entries of a list, each under its place. One that fails is empty, so that the others keep their
/// places for the rules to name.
fn each<T>(
    errors: &mut FieldErrors,
    field: &str,
    entries: &[Value],
    read: fn(&str, &Value, &mut FieldErrors) -> T,
) -> Vec<T> {
    let place = |at: usize| format!("{field}[{at}]");
    entries.iter().enumerate().map(|(at, entry)| read(&place(at), entry, errors)).collect()
}

fn event(place: &str, value: &Value, errors: &mut FieldErrors) -> String {
    let event = value.as_str().map(ToOwned::to_owned).ok_or(Problem::WrongType(Kind::Text));
    errors.take(place.to_owned(), event).unwrap_or_default()
}

fn parameter(place: &str, value: &Value, errors: &mut FieldErrors) -> StaticParameter {
    let Some(fields) = value.as_object() else {
        errors.push(place.to_owned(), Problem::WrongType(Kind::Object));
        return StaticParameter { name: String::new(), value: String::new() };
    };
    let mut field = |name: &str, max: usize| {
        let value = match fields.get(name) {
            None | Some(Value::Null) => Err(Problem::Required),
            Some(Value::String(value)) => text::limited(value, max),
            Some(_) => Err(Problem::WrongType(Kind::Text)),
        };
        errors.take(format!("{place}.{name}"), value).unwrap_or_default()
    };
    StaticParameter { name: field("name", usize::MAX), value: field("value", limits::PARAMETER_VALUE) }
}

fn events_schema() -> Map<String, Value> {
    let patterns: Vec<String> = event_patterns().collect();
    let items = json!({"type": "string", "enum": patterns});
    Map::from_iter([
        ("items".to_owned(), items),
        ("minItems".to_owned(), 1.into()),
        ("uniqueItems".to_owned(), true.into()),
    ])
}

fn parameters_schema() -> Map<String, Value> {
    let properties = json!({
        "name": {"type": "string", "pattern": PARAMETER_NAMES},
        "value": {"type": "string", "maxLength": limits::PARAMETER_VALUE, "pattern": r"^[^\u0000]*$"},
    });
    let items = json!({"type": "object", "properties": properties, "required": ["name", "value"]});
    Map::from_iter([("items".to_owned(), items)])
}

fn formats() -> Schema {
    words(&WebhookFormat::NAMES)
}

fn statuses() -> Schema {
    words(&WebhookStatus::NAMES)
}

fn delivery_states() -> Schema {
    words(&DeliveryState::NAMES)
}

/// Reads one of the states of a delivery, as a query names it.
pub(super) fn delivery_state(query: &mut crate::http::Query<'_>) -> Option<DeliveryState> {
    query.choice("status", &DeliveryState::NAMES, &DELIVERY_STATES)
}

/// The version of a webhook as it is shown: its own, and how its endpoint does.
pub(super) fn tag(view: &WebhookView) -> Tag {
    let health = &view.health;
    let at = health.last_delivery_at.map_or(0, |at| at.0);
    Tag::of(&[view.webhook.version, at, health.last_status.unwrap_or(0), health.consecutive_failures])
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookBody<'a> {
    webhook_id: i64,
    webhook_name: &'a str,
    webhook_url: &'a str,
    org_unit_id: i64,
    events: &'a [String],
    static_parameters: Vec<Parameter<'a>>,
    #[schema(schema_with = formats)]
    format: &'static str,
    #[schema(schema_with = statuses)]
    status: &'static str,
    include_sub_groups: bool,
    webhook_created: Time,
    webhook_modified: Time,
    /// When the endpoint was last tried.
    last_delivery_at: Option<Time>,
    /// The HTTP status that it answered then, if it did.
    last_status: Option<i64>,
    consecutive_failures: i64,
}

/// What stands in the body of everything that is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = StaticParameter)]
pub(super) struct Parameter<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> WebhookBody<'a> {
    pub(super) fn new(view: &'a WebhookView) -> Self {
        let WebhookView { webhook, health } = view;
        let parameter =
            |parameter: &'a StaticParameter| Parameter { name: &parameter.name, value: &parameter.value };
        Self {
            webhook_id: webhook.id.0,
            webhook_name: &webhook.name,
            webhook_url: &webhook.url,
            org_unit_id: webhook.org_unit_id.0,
            events: &webhook.events,
            static_parameters: webhook.static_parameters.iter().map(parameter).collect(),
            format: webhook.format.as_str(),
            status: webhook.status.as_str(),
            include_sub_groups: webhook.include_sub_groups,
            webhook_created: Time(webhook.created_at),
            webhook_modified: Time(webhook.modified_at),
            last_delivery_at: health.last_delivery_at.map(Time),
            last_status: health.last_status,
            consecutive_failures: health.consecutive_failures,
        }
    }
}

/// One event on its way to the endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryBody<'a> {
    delivery_id: i64,
    event: &'a str,
    /// What the event is about, such as `user:71`.
    entity: &'a str,
    event_at: Time,
    #[schema(schema_with = delivery_states)]
    status: &'static str,
    /// How often it was tried, since it was last asked for.
    attempts: usize,
    next_attempt_at: Option<Time>,
    last_attempt_at: Option<Time>,
    /// The HTTP status of the last answer.
    response_code: Option<i64>,
    /// How long the last attempt took.
    duration_ms: Option<u64>,
    /// The beginning of the last answer.
    response_body: Option<&'a str>,
    /// Why the last attempt failed.
    problem: Option<&'a str>,
}

impl<'a> DeliveryBody<'a> {
    pub(super) fn new(delivery: &'a Delivery) -> Self {
        let last = delivery.last.as_ref();
        Self {
            delivery_id: delivery.id.0,
            event: &delivery.event,
            entity: &delivery.entity,
            event_at: Time(delivery.at),
            status: delivery.state.as_str(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_at.map(Time),
            last_attempt_at: last.map(|last| Time(last.at)),
            response_code: last.and_then(|last| last.status),
            duration_ms: last.map(|last| millis(last.duration)),
            response_body: last.and_then(|last| last.answer.as_deref()),
            problem: last.and_then(|last| last.problem.as_deref()),
        }
    }
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookTested<'a> {
    /// The `webhook-id` of what was sent.
    message_id: &'a str,
    /// Whether the endpoint answered with a status from 200 to 299.
    delivered: bool,
    response_code: Option<u16>,
    duration_ms: u64,
    /// The beginning of the answer, at most 1 KiB of it.
    response_body: Option<&'a str>,
    /// Why it failed.
    problem: Option<String>,
}

impl<'a> WebhookTested<'a> {
    pub(super) fn new(message_id: &'a str, outcome: &'a Outcome) -> Self {
        let answer = outcome.answer.as_ref();
        Self {
            message_id,
            delivered: outcome.verdict.is_ok(),
            response_code: answer.map(|answer| answer.status),
            duration_ms: millis(outcome.duration),
            response_body: answer.map(|answer| &*answer.excerpt),
            problem: outcome.verdict.as_ref().err().map(ToString::to_string),
        }
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
