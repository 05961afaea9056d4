//! The settings of an SMPP carrier.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::config::{Faults, millis};

/// A message centre, as the operator describes it. All times are in milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppConfig {
    /// `host:port`.
    pub address: String,
    /// Up to 15 ASCII characters (SMPP 3.4, section 5.2.1).
    pub system_id: String,
    /// Up to 8 (section 5.2.2).
    pub password: SecretString,
    /// Up to 12 (section 5.2.3).
    #[serde(default)]
    pub system_type: String,
    /// How many connections are kept.
    #[serde(default = "one")]
    pub binds: u32,
    /// How many messages may wait for an answer on each connection (section 2.9).
    #[serde(default = "hundred")]
    pub window: u32,
    /// Messages a second, over all connections, each part counted; 0 is no limit.
    #[serde(default)]
    pub rate: u32,
    /// How long an answer may take.
    #[serde(default = "half_a_minute", rename = "response_timeout_ms", deserialize_with = "millis")]
    pub response_timeout: Duration,
    /// After which silence the message centre is asked whether it is there (section 2.6).
    #[serde(default = "half_a_minute", rename = "enquire_interval_ms", deserialize_with = "millis")]
    pub enquire_interval: Duration,
    /// How long it may take to connect and to bind.
    #[serde(default = "ten_seconds", rename = "connect_timeout_ms", deserialize_with = "millis")]
    pub connect_timeout: Duration,
    /// How long a message may wait for its turn, within the rate and the window; its further parts have theirs right after.
    #[serde(default = "five_seconds", rename = "queue_timeout_ms", deserialize_with = "millis")]
    pub queue_timeout: Duration,
    /// The wait before the second attempt to connect; it doubles with each further one.
    #[serde(default = "half_a_second", rename = "reconnect_first_ms", deserialize_with = "millis")]
    pub reconnect_first: Duration,
    /// Up to this.
    #[serde(default = "half_a_minute", rename = "reconnect_longest_ms", deserialize_with = "millis")]
    pub reconnect_longest: Duration,
    /// How long the parts of an incoming message are waited for.
    #[serde(default = "five_minutes", rename = "join_timeout_ms", deserialize_with = "millis")]
    pub join_timeout: Duration,
    /// The message centre names ids in hexadecimal when it takes a message, and in decimal in its receipts.
    #[serde(default)]
    pub hex_ids: bool,
}

fn one() -> u32 {
    1
}

fn hundred() -> u32 {
    100
}

fn half_a_second() -> Duration {
    Duration::from_millis(500)
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn five_minutes() -> Duration {
    Duration::from_mins(5)
}

impl SmppConfig {
    pub(crate) fn validate(&self, faults: &mut Faults<'_>) {
        let is_text = |text: &str, most: usize| {
            text.len() <= most && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        let is_address = self
            .address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
        faults.unless(is_address, "address", "must be a host and a port, such as smsc.example.net:2775");
        let is_id = is_text(&self.system_id, 15) && !self.system_id.is_empty();
        faults.unless(is_id, "system_id", "must be 1 to 15 ASCII characters");
        let is_password = is_text(self.password.expose_secret(), 8);
        faults.unless(is_password, "password", "must be at most 8 ASCII characters");
        faults.unless(is_text(&self.system_type, 12), "system_type", "must be at most 12 ASCII characters");
        faults.unless((1..=32).contains(&self.binds), "binds", "must be 1 to 32");
        faults.unless((1..=10_000).contains(&self.window), "window", "must be 1 to 10000");
        faults.unless(self.rate <= 100_000, "rate", "must be at most 100000");
        for (field, duration) in [
            ("response_timeout_ms", self.response_timeout),
            ("enquire_interval_ms", self.enquire_interval),
            ("connect_timeout_ms", self.connect_timeout),
            ("queue_timeout_ms", self.queue_timeout),
            ("reconnect_first_ms", self.reconnect_first),
            ("reconnect_longest_ms", self.reconnect_longest),
            ("join_timeout_ms", self.join_timeout),
        ] {
            let fits = (Duration::from_millis(1)..=Duration::from_hours(24)).contains(&duration);
            faults.unless(fits, field, "must be 1 to 86400000");
        }
    }
}
