//! What a gateway tells us, by requests to our listener.

use std::time::Duration;

use http::HeaderMap;
use muster_delivery::{SignatureFault, SigningSecret, verify};
use muster_domain::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::CallbackConfig;
use crate::{Body, Event, Incoming, Receipt, State};

/// How many events one request may tell.
const MAX_EVENTS: usize = 1000;
/// How long an id may be, and a code of an error, in characters.
const MAX_ID: usize = 128;
const MAX_ERROR: usize = 64;
/// How long a number or the name of a sender may be, and a text: 255 parts of 153 characters are the longest that there is.
const MAX_NUMBER: usize = 64;
const MAX_TEXT: usize = 255 * 153;

/// Why a request of a gateway is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// This gateway is not configured to call us.
    #[error("this gateway does not call")]
    NotConfigured,
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// The body does not tell what it should; the text says what is missing.
    #[error("the body cannot be read: {0}")]
    Malformed(String),
    /// It could not be stored at present; the gateway should come again.
    #[error("the events were not stored")]
    NotStored,
}

impl CallbackFault {
    /// The status that says so to the gateway.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotConfigured => 404,
            Self::Signature(_) => 401,
            Self::Malformed(_) => 400,
            Self::NotStored => 503,
        }
    }
}

/// Reads the requests of one gateway.
#[derive(Debug)]
pub struct Callback {
    config: CallbackConfig,
    secrets: Vec<SigningSecret>,
}

impl Callback {
    /// The configuration must be a valid one; secrets that are none are left out.
    pub fn new(config: &CallbackConfig) -> Self {
        let secrets = config.secrets.iter();
        let secrets = secrets.filter_map(|secret| SigningSecret::parse(secret.expose_secret()).ok());
        Self { config: config.clone(), secrets: secrets.collect() }
    }

    /// What a request tells, if it is the gateway's. It may come again within the tolerance, as one that was not answered
    /// does: receipts and ids say whether they are known. A message without an id gets that of the request and its place in
    /// it, which are the same when the request comes again. What is neither a receipt nor a message is left out, so that the
    /// rest is not lost for it; if nothing else is there, the request is refused.
    pub fn events(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Event>, CallbackFault> {
        let seconds = now.0.div_euclid(1_000_000);
        let tolerance: Duration = self.config.tolerance;
        let request = verify(headers, body, &self.secrets, seconds, tolerance)?;
        let body: Value =
            serde_json::from_slice(body).map_err(|error| CallbackFault::Malformed(error.to_string()))?;
        let items = match body {
            Value::Array(items) => items,
            item => vec![item],
        };
        if items.len() > MAX_EVENTS {
            return Err(CallbackFault::Malformed(format!("there are more than {MAX_EVENTS} events")));
        }
        let mut events = Vec::with_capacity(items.len());
        let mut fault = None;
        for (index, item) in items.iter().enumerate() {
            match self.event(item, request, index, now) {
                Ok(event) => events.push(event),
                Err(other) => {
                    tracing::warn!(index, fault = %other, "a gateway tells what is neither a receipt nor a message");
                    fault = Some(other);
                }
            }
        }
        match fault {
            Some(fault) if events.is_empty() => Err(fault),
            _ => Ok(events),
        }
    }

    fn event(
        &self,
        item: &Value,
        request: &str,
        index: usize,
        at: Timestamp,
    ) -> Result<Event, CallbackFault> {
        let config = &self.config;
        let found = |pointer: &String| item.pointer(pointer).and_then(text);
        let needed = |pointer: &String| {
            found(pointer).ok_or_else(|| CallbackFault::Malformed(format!("{pointer} is missing")))
        };
        let short = |text: String, most: usize| text.chars().take(most).collect::<String>();
        if let Some(word) = found(&config.state) {
            let id = short(needed(&config.id)?, MAX_ID);
            let error = found(&config.error).map(|error| short(error, MAX_ERROR));
            return Ok(Event::Receipt(Receipt { id, state: self.state(&word), error, at }));
        }
        Ok(Event::Incoming(Incoming {
            id: Some(found(&config.id).map_or_else(|| place(request, index), |id| short(id, MAX_ID))),
            from: short(needed(&config.from)?, MAX_NUMBER),
            to: short(needed(&config.to)?, MAX_NUMBER),
            body: Body::Text(short(needed(&config.text)?, MAX_TEXT)),
            missing: 0,
            at,
        }))
    }

    fn state(&self, word: &str) -> State {
        let known = self.config.states.get(word).copied();
        known
            .or_else(|| serde_json::from_value(word.to_ascii_lowercase().into()).ok())
            .unwrap_or(State::Unknown)
    }
}

/// The id of an event that has none.
fn place(request: &str, index: usize) -> String {
    let index = format!("/{index}");
    request.chars().take(MAX_ID - index.len()).chain(index.chars()).collect()
}

/// A text, or a number as one.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
