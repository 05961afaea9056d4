//! A carrier that is a gateway on the Web: one request hands a message over, and the gateway may call back.

mod callback;
mod config;
mod template;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::future::{BoxFuture, try_join_all};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use muster_delivery::{Call, Client, Reply};
use muster_domain::Clock;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::ConfigFault;
use crate::rate::Rate;
use crate::report::Reporter;
use crate::{Ack, Carrier, Event, Failed, HandedOver, NotStored, Outgoing, Reason, Sources};
pub use callback::{Callback, CallbackFault};
pub use config::{CallbackConfig, Format, HttpConfig, Statuses};
use template::{Body, Values};

/// By which a gateway knows a request that it has had (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// How long whoever stores events may take.
const STORE: Duration = Duration::from_secs(10);
/// When a gateway that named no time may be asked again, if all its places are taken.
const AGAIN: Duration = Duration::from_millis(200);
/// When a gateway that is still at the first request of this message may be asked again.
const BUSY: Duration = Duration::from_secs(1);
/// How long closing may take.
const CLOSE: Duration = Duration::from_secs(5);
/// How long an id may be, and how much of an answer is told, in characters.
const MAX_ID: usize = 128;
const MAX_DETAIL: usize = 200;

/// The carrier.
#[derive(Debug)]
pub struct Http {
    config: HttpConfig,
    method: Method,
    body: Body,
    callback: Option<Callback>,
    rate: Rate,
    window: Semaphore,
    is_closed: AtomicBool,
    reporter: Reporter,
    clock: SharedClock,
    client: Client,
}

struct SharedClock(Arc<dyn Clock>);

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// What an answer's status means.
enum Meaning {
    Taken,
    Refused(Reason),
    Throttled,
    /// It is at the same message already.
    Busy,
    Unavailable,
    Unknown,
}

impl Http {
    pub(crate) fn start(
        config: &HttpConfig,
        reporter: Reporter,
        sources: Sources,
    ) -> Result<Self, ConfigFault> {
        let fault = |field: &str, problem: String| ConfigFault {
            field: format!("carriers.{}.{field}", reporter.carrier),
            problem,
        };
        Ok(Self {
            method: config.method().ok_or_else(|| fault("method", "is none".to_owned()))?,
            body: config.body().map_err(|problem| fault("body", problem))?,
            callback: config.callback.as_ref().map(Callback::new),
            rate: Rate::new(config.rate),
            window: Semaphore::new(usize::try_from(config.window).unwrap_or(1)),
            is_closed: AtomicBool::new(false),
            config: config.clone(),
            clock: SharedClock(sources.clock),
            client: sources.client,
            reporter,
        })
    }

    /// Takes a request of the gateway, by its headers and its body. When this is `Ok` all it tells is stored, and the
    /// request can be answered with 200; else with the fault's status.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), CallbackFault> {
        let callback = self.callback.as_ref().ok_or(CallbackFault::NotConfigured)?;
        let events = callback.events(headers, body, self.clock.0.now())?;
        let stored = try_join_all(events.into_iter().map(|event| self.store(event)));
        match timeout(STORE, stored).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(CallbackFault::NotStored),
        }
    }

    async fn store(&self, event: Event) -> Result<(), NotStored> {
        let (sender, answer) = oneshot::channel();
        self.reporter.report(event, Ack::new(move |stored| _ = sender.send(stored))).await?;
        match answer.await {
            Ok(true) => Ok(()),
            _ => Err(NotStored),
        }
    }

    async fn take(&self, message: Outgoing) -> Result<HandedOver, Failed> {
        message.check()?;
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Failed::unavailable("the carrier is closed"));
        }
        let call = self.call(&message)?;
        let deadline = Instant::now() + self.config.queue_timeout;
        let place = timeout_at(deadline, self.window.acquire()).await;
        let place = place.map_err(|_| Failed::Throttled { after: AGAIN })?;
        let _place = place.map_err(|_| Failed::unavailable("the carrier is closed"))?;
        self.rate.leave(deadline).await.map_err(|after| Failed::Throttled { after })?;
        let micros = u64::try_from(self.clock.0.now().0).unwrap_or(0);
        let now: SystemTime = UNIX_EPOCH + Duration::from_micros(micros);
        match self.client.exchange(self.method.clone(), call, now).await {
            Ok(reply) => self.meaning(&reply),
            Err(failure) if failure.is_before_sending() => Err(Failed::unavailable(failure.to_string())),
            Err(failure) => Err(Failed::unknown(failure.to_string())),
        }
    }

    fn call(&self, message: &Outgoing) -> Result<Call, Failed> {
        let values = Values(message);
        let unwritable = |_| Failed::refused(Reason::InvalidMessage, "a header cannot be written");
        let mut headers = HeaderMap::new();
        let mut body = Bytes::new();
        if let Some((kind, filled)) = self.body.fill(&values) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            body = filled.into();
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(&message.reference).map_err(unwritable)?);
        for (name, value) in &self.config.headers {
            let value = template::header(value.expose_secret(), &values);
            let mut value = HeaderValue::from_str(&value).map_err(unwritable)?;
            value.set_sensitive(true);
            // The configuration is a valid one.
            if let Ok(name) = HeaderName::try_from(name.as_str()) {
                headers.insert(name, value);
            }
        }
        Ok(Call { url: template::url(self.config.url.expose_secret(), &values), headers, body })
    }

    fn meaning(&self, reply: &Reply) -> Result<HandedOver, Failed> {
        let told = || {
            let text = String::from_utf8_lossy(&reply.body);
            let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_DETAIL).collect();
            format!("status {}: {text}", reply.status)
        };
        match self.config.statuses.meaning(reply.status, self.config.idempotent) {
            Meaning::Taken => {
                let id = self.id(reply);
                if id.is_none() && self.config.message_id.is_some() {
                    // Gateways tell some failures with 200, and without an id no receipt would ever fit.
                    return Err(Failed::unknown(format!("there is no id: {}", told())));
                }
                self.rate.ease();
                Ok(HandedOver { ids: vec![id] })
            }
            // It says nothing of other messages, so that these make no pause.
            Meaning::Busy => Err(Failed::Throttled { after: reply.retry_after.unwrap_or(BUSY) }),
            Meaning::Refused(reason) => Err(Failed::refused(reason, told())),
            Meaning::Throttled => {
                let pause = self.rate.throttle();
                Err(Failed::Throttled { after: reply.retry_after.unwrap_or(pause) })
            }
            Meaning::Unavailable => Err(Failed::unavailable(told())),
            Meaning::Unknown => Err(Failed::unknown(told())),
        }
    }

    /// The message's id in an answer.
    fn id(&self, reply: &Reply) -> Option<String> {
        let body: Value = serde_json::from_slice(&reply.body).ok()?;
        let id = match body.pointer(self.config.message_id.as_deref()?)? {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        Some(id).filter(|id| !id.is_empty() && id.chars().count() <= MAX_ID)
    }
}

impl Statuses {
    fn meaning(&self, status: u16, is_idempotent: bool) -> Meaning {
        let configured = [
            (&self.taken, Meaning::Taken),
            (&self.refused, Meaning::Refused(Reason::Other)),
            (&self.blocked, Meaning::Refused(Reason::Blocked)),
            (&self.throttled, Meaning::Throttled),
            (&self.unavailable, Meaning::Unavailable),
            (&self.unknown, Meaning::Unknown),
        ];
        for (statuses, meaning) in configured {
            if statuses.contains(&status) {
                return meaning;
            }
        }
        match status {
            200..=299 => Meaning::Taken,
            429 => Meaning::Throttled,
            // The first request with this key is not answered yet (draft-ietf-httpapi-idempotency-key-header, section 2.7).
            409 if is_idempotent => Meaning::Busy,
            // It may have done what was asked, and shows a page about it (RFC 9110, sections 15.4.3 and 15.4.4).
            302 | 303 => Meaning::Unknown,
            // Our address of it, or our right to use it, is not what it was: no fault of the message. With 503 it says that
            // it is not ready to handle requests (RFC 9110, section 15.6.4).
            300..=399 | 401 | 403 | 407 | 503 => Meaning::Unavailable,
            408 | 500..=599 => Meaning::Unknown,
            _ => Meaning::Refused(Reason::Other),
        }
    }
}

impl Carrier for Http {
    fn submit(&self, message: Outgoing) -> BoxFuture<'_, Result<HandedOver, Failed>> {
        Box::pin(self.take(message))
    }

    fn recognises_repeats(&self) -> bool {
        self.config.idempotent
    }

    fn window(&self) -> usize {
        self.rate.window(usize::try_from(self.config.window).unwrap_or(1))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.is_closed.store(true, Ordering::Release);
        Box::pin(async {
            // Who waits for a place stands before this and may still be served; in the end nobody is.
            _ = timeout(CLOSE, self.window.acquire_many(self.config.window)).await;
            self.window.close();
        })
    }
}
