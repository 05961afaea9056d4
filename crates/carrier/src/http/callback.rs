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
    /// does: receipts and ids say whether they are known.
    pub fn events(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Event>, CallbackFault> {
        let seconds = now.0.div_euclid(1_000_000);
        let tolerance: Duration = self.config.tolerance;
        verify(headers, body, &self.secrets, seconds, tolerance)?;
        let body: Value =
            serde_json::from_slice(body).map_err(|error| CallbackFault::Malformed(error.to_string()))?;
        match body {
            Value::Array(items) if items.len() > MAX_EVENTS => {
                Err(CallbackFault::Malformed(format!("there are more than {MAX_EVENTS} events")))
            }
            Value::Array(items) => items.iter().map(|item| self.event(item, now)).collect(),
            item => Ok(vec![self.event(&item, now)?]),
        }
    }

    fn event(&self, item: &Value, at: Timestamp) -> Result<Event, CallbackFault> {
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
            id: found(&config.id).map(|id| short(id, MAX_ID)),
            from: needed(&config.from)?,
            to: needed(&config.to)?,
            body: Body::Text(needed(&config.text)?),
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
