//! The webhook, and what can be changed of it.

use serde_json::json;

use super::DISABLED_AFTER;
use super::schedule::QUIET;
use crate::{Ctx, OrgUnitId, TenantId, Timestamp, WebhookId, journal};

/// What a webhook may have.
pub mod limits {
    /// Webhooks of a tenant.
    pub const PER_TENANT: u32 = 250;
    /// Webhooks of a tenant in the format of LOX24 (LOX24 messaging contract, section 5).
    pub const LOX24_PER_TENANT: u32 = 5;
    /// Characters.
    pub const NAME: usize = 100;
    pub const URL: usize = 2048;
    pub const EVENTS: usize = 50;
    pub const PARAMETERS: usize = 20;
    /// Characters of a static parameter's name and value.
    pub const PARAMETER_NAME: usize = 64;
    pub const PARAMETER_VALUE: usize = 1024;
    /// Deliveries of which the total of a list tells; if there are more, it is this.
    pub const DELIVERIES_COUNTED: u32 = 10_000;
}

/// In which form events are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookFormat {
    /// That of the Standard Webhooks specification.
    #[default]
    Standard,
    /// That of LOX24, which knows events of messages only.
    Lox24,
}

impl WebhookFormat {
    pub const NAMES: [&str; 2] = ["standard", "lox24"];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Lox24 => "lox24",
        }
    }

    /// Whether the format has a form for events of this name.
    pub fn knows(self, event: &str) -> bool {
        match self {
            Self::Standard => true,
            Self::Lox24 => event.starts_with("sms."),
        }
    }

    /// The members of every body; static parameters stand beside them.
    pub const fn members(self) -> &'static [&'static str] {
        match self {
            Self::Standard => &["type", "timestamp", "data"],
            Self::Lox24 => &[
                "id",
                "api_version",
                "name",
                "created_at",
                "attempt_number",
                "attempt_total",
                "notification_task_id",
                "data",
            ],
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookStatus {
    #[default]
    Active,
    /// Nothing is sent, and what happens meanwhile is not sent later.
    Inactive,
}

impl WebhookStatus {
    pub const NAMES: [&str; 2] = ["active", "inactive"];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

/// A name and a value that stand in the body of everything that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticParameter {
    pub name: String,
    pub value: String,
}

/// A subscription to events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub tenant: TenantId,
    /// Whose events are sent. What has no unit belongs to the top.
    pub org_unit_id: OrgUnitId,
    /// Trimmed, NFC, not empty; several webhooks may have the same.
    pub name: String,
    pub url: String,
    /// Names of events or `prefix.*`, each once, of events that the format knows; see [`super::is_event_pattern`].
    pub events: Vec<String>,
    /// With different names, none of which is that of a member of the body.
    pub static_parameters: Vec<StaticParameter>,
    pub format: WebhookFormat,
    pub status: WebhookStatus,
    /// Whether the events of the units below are sent too.
    pub include_sub_groups: bool,
    /// From 1, raised by each change of what stands above and of the secret.
    pub version: i64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

impl Webhook {
    /// A webhook with defaults; what it must have besides is not in it yet.
    pub(super) fn new(ctx: &Ctx, id: WebhookId, org_unit_id: OrgUnitId) -> Self {
        Self {
            id,
            tenant: ctx.tenant(),
            org_unit_id,
            name: String::new(),
            url: String::new(),
            events: Vec::new(),
            static_parameters: Vec::new(),
            format: WebhookFormat::default(),
            status: WebhookStatus::default(),
            include_sub_groups: true,
            version: 1,
            created_at: ctx.now(),
            modified_at: ctx.now(),
        }
    }

    /// The fields that the journal shows. The address and the parameters may carry secrets of the receiver.
    pub(super) fn fields(&self) -> journal::Fields {
        vec![
            ("org_unit_id", json!(self.org_unit_id.0)),
            ("name", json!(self.name)),
            ("host", json!(self.host())),
            ("events", json!(self.events)),
            ("format", json!(self.format.as_str())),
            ("status", json!(self.status.as_str())),
            ("include_sub_groups", json!(self.include_sub_groups)),
        ]
    }

    /// The host and port of the address.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or(rest)
    }

    /// Whether events of this name are sent.
    pub fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => event.starts_with(prefix),
            None => event == pattern,
        })
    }
}

/// What a request wants of a webhook. A new one is a patch of one with defaults.
#[derive(Clone, Debug, Default)]
pub struct WebhookPatch {
    pub org_unit_id: Option<OrgUnitId>,
    pub name: Option<String>,
    pub url: Option<String>,
    pub events: Option<Vec<String>>,
    pub static_parameters: Option<Vec<StaticParameter>>,
    pub format: Option<WebhookFormat>,
    pub status: Option<WebhookStatus>,
    pub include_sub_groups: Option<bool>,
}

impl WebhookPatch {
    pub(super) fn apply(&self, webhook: &mut Webhook) {
        fn set<T: Clone>(wish: Option<&T>, field: &mut T) {
            if let Some(wish) = wish {
                field.clone_from(wish);
            }
        }
        set(self.org_unit_id.as_ref(), &mut webhook.org_unit_id);
        set(self.name.as_ref(), &mut webhook.name);
        set(self.url.as_ref(), &mut webhook.url);
        set(self.events.as_ref(), &mut webhook.events);
        set(self.static_parameters.as_ref(), &mut webhook.static_parameters);
        set(self.format.as_ref(), &mut webhook.format);
        set(self.status.as_ref(), &mut webhook.status);
        set(self.include_sub_groups.as_ref(), &mut webhook.include_sub_groups);
    }
}

/// How an endpoint has answered of late; kept by whoever sends, without a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it was last tried.
    pub last_delivery_at: Option<Timestamp>,
    /// The HTTP status of its last answer, if the last attempt had one.
    pub last_status: Option<i64>,
    pub consecutive_failures: i64,
    /// Since when nothing has succeeded.
    pub failing_since: Option<Timestamp>,
}

impl Health {
    /// After one more attempt.
    pub fn note(&mut self, at: Timestamp, status: Option<i64>, succeeded: bool) {
        let before = self.last_delivery_at.replace(at);
        self.last_status = status;
        if succeeded {
            self.consecutive_failures = 0;
            self.failing_since = None;
        } else {
            self.consecutive_failures = self.consecutive_failures.saturating_add(1);
            // As long as anything fails it is tried again before that: nothing was sent for longer, so nothing is known.
            let is_long_ago = before.is_none_or(|before| before.plus(QUIET) < at);
            if is_long_ago {
                self.failing_since = None;
            }
            self.failing_since.get_or_insert(at);
        }
    }

    /// Whether nothing but failures came for [`DISABLED_AFTER`]. Days in which nothing was tried do not count.
    pub fn is_given_up(&self) -> bool {
        let failures = self.failing_since.zip(self.last_delivery_at);
        failures.is_some_and(|(first, last)| first.plus(DISABLED_AFTER) <= last)
    }
}

/// A webhook as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookView {
    pub webhook: Webhook,
    pub health: Health,
}

/// What signs, under the server key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSecret {
    pub sealed: Vec<u8>,
    /// The one before, and until when it signs too.
    pub before: Option<(Vec<u8>, Timestamp)>,
}

/// What the sealed secrets of a webhook are bound to.
pub fn seal_context(tenant: TenantId, id: WebhookId) -> String {
    format!("webhook {tenant} {id}")
}
