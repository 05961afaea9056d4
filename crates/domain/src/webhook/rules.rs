//! What must hold of a webhook, whoever writes it.

use std::collections::HashSet;

use super::{Webhook, WebhookFormat, is_event_pattern};
use crate::{FieldErrors, Problem};

/// The names that a static parameter can have, as a regular expression: 1 to [`super::limits::PARAMETER_NAME`] of these
/// characters, which every language can have in the name of a member.
pub const PARAMETER_NAMES: &str = "^[A-Za-z0-9_.-]{1,64}$";

impl Webhook {
    /// Notes what is wrong with the events and the static parameters, each under its place, such as `events[2]` and
    /// `static_parameters[0].name`. An entry that fails already is not looked at again.
    pub(super) fn check(&self, errors: &mut FieldErrors) {
        if self.events.is_empty() && !errors.names("events") {
            errors.push("events", Problem::Blank);
        }
        let mut seen = HashSet::new();
        for (at, pattern) in self.events.iter().enumerate() {
            let problem = if !is_event_pattern(pattern) {
                "must be the name of an event, such as user.created, or a first word and .*, such as user.*"
            } else if !seen.insert(pattern) {
                "is there twice"
            } else if !self.format.knows(pattern) {
                "is no event of the format lox24, which has sms.* only"
            } else {
                continue;
            };
            errors.push(format!("events[{at}]"), Problem::Format(problem));
        }
        let mut seen = HashSet::new();
        for (at, parameter) in self.static_parameters.iter().enumerate() {
            let place = format!("static_parameters[{at}]");
            if errors.names(&place) {
                continue;
            }
            let problem = if !is_parameter_name(&parameter.name) {
                "must be 1 to 64 letters, digits, underscores, dots and hyphens"
            } else if self.format.members().contains(&parameter.name.as_str()) {
                match self.format {
                    WebhookFormat::Standard => "cannot be type, timestamp or data, which every body has",
                    WebhookFormat::Lox24 => {
                        "cannot be the name of a member that every body of the format has"
                    }
                }
            } else if !seen.insert(&parameter.name) {
                "cannot be that of another parameter"
            } else {
                continue;
            };
            errors.push(format!("{place}.name"), Problem::Format(problem));
        }
    }
}

/// See [`PARAMETER_NAMES`].
fn is_parameter_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=super::limits::PARAMETER_NAME).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::{StaticParameter, WebhookStatus, event_patterns};
    use crate::{OrgUnitId, TenantId, Timestamp, WebhookId};

    fn webhook(format: WebhookFormat, events: &[&str], names: &[&str]) -> Webhook {
        let parameter = |name: &&str| StaticParameter { name: (*name).to_owned(), value: String::new() };
        Webhook {
            id: WebhookId(9),
            tenant: TenantId(3),
            org_unit_id: OrgUnitId(5001),
            name: "CRM".to_owned(),
            url: "https://crm.example.org/hook".to_owned(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            static_parameters: names.iter().map(parameter).collect(),
            format,
            status: WebhookStatus::Active,
            include_sub_groups: true,
            version: 1,
            created_at: Timestamp(0),
            modified_at: Timestamp(0),
        }
    }

    fn failing(webhook: &Webhook) -> Vec<String> {
        let mut errors = FieldErrors::default();
        webhook.check(&mut errors);
        errors.into_vec().into_iter().map(|error| error.field.into_owned()).collect()
    }

    #[test]
    fn every_wrong_event_is_named() {
        let of = |format, events: &[&str]| failing(&webhook(format, events, &[]));
        let (standard, lox24) = (WebhookFormat::Standard, WebhookFormat::Lox24);
        assert_eq!(of(standard, &["user.*", "user.created", "sms.*"]), [""; 0]);
        assert_eq!(of(standard, &[]), ["events"]);
        assert_eq!(
            of(standard, &["user.*", "users.*", "user.*", "webhook.created"]),
            ["events[1]", "events[2]", "events[3]"]
        );
        assert_eq!(of(lox24, &["sms.*", "sms.received"]), [""; 0]);
        assert_eq!(of(lox24, &["sms.*", "user.created", "broadcast.*"]), ["events[1]", "events[2]"]);
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let of = |format, names: &[&str]| failing(&webhook(format, &["sms.*"], names));
        let (standard, lox24) = (WebhookFormat::Standard, WebhookFormat::Lox24);
        let long = ["a".repeat(64), "a".repeat(65)];
        assert_eq!(of(standard, &["a", "A", "x-y_z.0", "id", &long[0]]), [""; 0]);
        let wrong = of(standard, &["", "a b", "ä", &long[1], "type", "timestamp", "data", "a", "a"]);
        let places: Vec<_> =
            [0, 1, 2, 3, 4, 5, 6, 8].iter().map(|at| format!("static_parameters[{at}].name")).collect();
        assert_eq!(wrong, places);
        assert_eq!(of(lox24, &["type", "id"]), ["static_parameters[1].name"]);
    }

    #[test]
    fn patterns_are_all_that_can_be_asked_for() {
        let patterns: Vec<String> = event_patterns().collect();
        assert!(patterns.iter().all(|pattern| is_event_pattern(pattern)));
        assert_eq!(patterns.iter().filter(|pattern| pattern.ends_with(".*")).count(), 8);
        assert_eq!(patterns.iter().collect::<HashSet<_>>().len(), patterns.len());
    }
}
