//! The settings of a gateway that is asked over HTTP.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use muster_delivery::SigningSecret;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::template::{self, Body};
use crate::State;
use crate::config::{Faults, millis};

/// A gateway, as the operator describes it.
///
/// Places in the URL, in the body and, but for the texts that users choose, in headers are filled with what belongs to a
/// message: `{to}`, `{to_digits}` (without `+`), `{from}`, `{text}`, `{reference}`, `{encoding}` (`gsm` or `ucs2`),
/// `{parts}` and `{validity}` (seconds, or nothing). In JSON a string that is only `{parts}` or `{validity}` becomes a number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    #[serde(default = "post")]
    pub method: String,
    /// It may hold a key, so that it is not shown.
    pub url: SecretString,
    /// For instance `Authorization`.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretString>,
    #[serde(default)]
    pub format: Format,
    /// A JSON text, or a form `name=value&…`; without one there is no body.
    #[serde(default)]
    pub body: Option<SecretString>,
    /// Where the message's id stands in the answer, as a JSON pointer (RFC 6901). A success without it is none that is
    /// known: the outcome is unknown.
    #[serde(default)]
    pub message_id: Option<String>,
    /// The gateway sends nothing twice under one `Idempotency-Key`. The header is sent in any case.
    #[serde(default)]
    pub idempotent: bool,
    #[serde(default)]
    pub statuses: Statuses,
    /// Requests a second; 0 is no limit.
    #[serde(default)]
    pub rate: u32,
    /// Requests at once.
    #[serde(default = "fifty")]
    pub window: u32,
    /// How long a message may wait for its turn.
    #[serde(default = "five_seconds", rename = "queue_timeout_ms", deserialize_with = "millis")]
    pub queue_timeout: Duration,
    /// The gateway calls us back.
    #[serde(default)]
    pub callback: Option<CallbackConfig>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Json,
    Form,
}

/// What statuses mean that do not mean what they usually do: 2xx is taken; 429 throttled, and 409 from a gateway that is
/// idempotent; 302, 303, 408 and 5xx unknown, but for 503; that, the rest of 3xx, 401, 403 and 407 not available; all else
/// refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Statuses {
    pub taken: Vec<u16>,
    pub refused: Vec<u16>,
    /// Refused, because the recipient wants no messages.
    pub blocked: Vec<u16>,
    pub throttled: Vec<u16>,
    pub unavailable: Vec<u16>,
    pub unknown: Vec<u16>,
}

/// How the gateway calls us: its requests are signed as those of Standard Webhooks are, with one of the secrets, and what
/// they tell stands in a JSON object, or in an array of such.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackConfig {
    /// Each `whsec_` and the base64 of 24 to 64 bytes; two while one is replaced.
    pub secrets: Vec<SecretString>,
    /// By how much the time of a request may differ from ours, in milliseconds.
    #[serde(default = "five_minutes", rename = "tolerance_ms", deserialize_with = "millis")]
    pub tolerance: Duration,
    /// JSON pointers. An object with a state is a receipt.
    #[serde(default = "state")]
    pub state: String,
    #[serde(default = "id")]
    pub id: String,
    #[serde(default = "error")]
    pub error: String,
    #[serde(default = "from")]
    pub from: String,
    #[serde(default = "to")]
    pub to: String,
    #[serde(default = "text")]
    pub text: String,
    /// The gateway's words for states, beside our own: queued, accepted, delivered, expired, undeliverable, deleted,
    /// rejected and unknown. A word that is in neither is unknown.
    #[serde(default)]
    pub states: BTreeMap<String, State>,
}

fn post() -> String {
    "POST".to_owned()
}

fn fifty() -> u32 {
    50
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn five_minutes() -> Duration {
    Duration::from_mins(5)
}

fn state() -> String {
    "/state".to_owned()
}

fn id() -> String {
    "/id".to_owned()
}

fn error() -> String {
    "/error".to_owned()
}

fn from() -> String {
    "/from".to_owned()
}

fn to() -> String {
    "/to".to_owned()
}

fn text() -> String {
    "/text".to_owned()
}

impl HttpConfig {
    pub(crate) fn validate(&self, faults: &mut Faults<'_>) {
        faults.unless(self.method().is_some(), "method", "must be GET, POST, PUT or PATCH");
        if let Err(problem) = template::check_url(self.url.expose_secret()) {
            faults.add("url", problem);
        }
        for (name, value) in &self.headers {
            let field = format!("headers.{name}");
            let value = value.expose_secret();
            let is_header =
                HeaderName::try_from(name.as_str()).is_ok() && HeaderValue::try_from(value).is_ok();
            faults.unless(is_header, &field, "must be a header and a value on one line");
            if template::check_header(value).is_err() {
                // The value is not shown: it may be a secret.
                faults.add(
                    &field,
                    "can have no other places than {reference}, {encoding}, {parts} and {validity}",
                );
            }
        }
        if let Err(problem) = self.body() {
            faults.add("body", problem);
        }
        let is_pointer = self.message_id.as_deref().is_none_or(is_pointer);
        faults.unless(is_pointer, "message_id", "must be a JSON pointer, such as /messages/0/id");
        self.statuses.validate(faults);
        faults.unless(self.rate <= 100_000, "rate", "must be at most 100000");
        faults.unless((1..=10_000).contains(&self.window), "window", "must be 1 to 10000");
        let is_wait = (Duration::from_millis(1)..=Duration::from_hours(24)).contains(&self.queue_timeout);
        faults.unless(is_wait, "queue_timeout_ms", "must be 1 to 86400000");
        if let Some(callback) = &self.callback {
            callback.validate(faults);
        }
    }

    pub(super) fn method(&self) -> Option<Method> {
        let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH];
        known.into_iter().find(|method| method.as_str() == self.method)
    }

    pub(super) fn body(&self) -> Result<Body, String> {
        match (self.body.as_ref().map(ExposeSecret::expose_secret), self.format) {
            (None, _) => Ok(Body::Empty),
            (Some(text), Format::Json) => Body::json(text),
            (Some(text), Format::Form) => Body::form(text),
        }
    }
}

impl Statuses {
    fn validate(&self, faults: &mut Faults<'_>) {
        let all =
            [&self.taken, &self.refused, &self.blocked, &self.throttled, &self.unavailable, &self.unknown];
        let mut all: Vec<u16> = all.into_iter().flatten().copied().collect();
        all.sort_unstable();
        let is_once = all.windows(2).all(|pair| pair[0] != pair[1]);
        let are_statuses = all.iter().all(|status| (200..=599).contains(status));
        faults.unless(is_once && are_statuses, "statuses", "must be from 200 to 599, each in one list only");
    }
}

impl CallbackConfig {
    fn validate(&self, faults: &mut Faults<'_>) {
        let is_secret = |secret: &SecretString| SigningSecret::parse(secret.expose_secret()).is_ok();
        let are_secrets = (1..=4).contains(&self.secrets.len()) && self.secrets.iter().all(is_secret);
        let problem = "must be 1 to 4, each whsec_ and the base64 of 24 to 64 bytes";
        faults.unless(are_secrets, "callback.secrets", problem);
        let is_time = (Duration::from_secs(1)..=Duration::from_hours(1)).contains(&self.tolerance);
        faults.unless(is_time, "callback.tolerance_ms", "must be 1000 to 3600000");
        for (field, pointer) in [
            ("state", &self.state),
            ("id", &self.id),
            ("error", &self.error),
            ("from", &self.from),
            ("to", &self.to),
            ("text", &self.text),
        ] {
            faults.unless(
                is_pointer(pointer),
                format!("callback.{field}"),
                "must be a JSON pointer, such as /id",
            );
        }
    }
}

/// RFC 6901, section 3.
fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}
