//! Events: what of the journal can be subscribed to, under which name.

use serde_json::Value;

use crate::{JournalRecord, OrgUnitId};

/// The names of all events (Convirza platform contract, section 1).
pub const EVENTS: [&str; 28] = [
    "group.created",
    "group.updated",
    "group.moved",
    "group.archived",
    "user.created",
    "user.updated",
    "user.deleted",
    "user_group.created",
    "user_group.updated",
    "user_group.deleted",
    "membership.added",
    "membership.removed",
    "contact_group.created",
    "contact_group.updated",
    "contact_group.deleted",
    "contact.created",
    "contact.updated",
    "contact.deleted",
    "sms.sent",
    "sms.delivered",
    "sms.failed",
    "sms.received",
    "broadcast.created",
    "broadcast.updated",
    "broadcast.deleted",
    "broadcast.started",
    "broadcast.completed",
    "broadcast.cancelled",
];

/// Whether a webhook can ask for it: the name of an event, or the first word of some and `.*`.
pub fn is_event_pattern(pattern: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(prefix) => EVENTS.iter().any(|event| event.split('.').next() == Some(prefix)),
        None => EVENTS.contains(&pattern),
    }
}

/// All that a webhook can ask for.
pub fn event_patterns() -> impl Iterator<Item = String> {
    let word = |event: &'static str| event.split_once('.').map(|(word, _)| word);
    let is_first = move |at: usize| at == 0 || EVENTS.get(at - 1).copied().and_then(word) != word(EVENTS[at]);
    let words = (0..EVENTS.len()).filter(move |at| is_first(*at)).filter_map(move |at| word(EVENTS[at]));
    words.map(|word| format!("{word}.*")).chain(EVENTS.into_iter().map(str::to_owned))
}

/// Something that happened, as one journal entry tells of it. An entry may tell of two.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Which of the events of its entry.
    pub part: u8,
    pub name: &'static str,
    /// Where it happened; nowhere is the top.
    pub places: Vec<Place>,
    /// What the field that names who joins or leaves holds, for an event about members.
    pub members: Option<Value>,
}

/// A unit in which something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub unit: OrgUnitId,
    /// Whether it happened in the unit itself; otherwise only in something below it.
    pub itself: bool,
}

impl Event {
    /// The events that an entry tells of.
    pub fn of(record: &JournalRecord) -> Vec<Self> {
        if record.kind == "user_group.members_changed" {
            let members = |at: usize| {
                let users = record.payload.get("members")?.get(at)?;
                users.as_array().is_some_and(|users| !users.is_empty()).then(|| users.clone())
            };
            let event = |part, name, members| Self { part, name, places: Vec::new(), members: Some(members) };
            let removed = members(0).map(|users| event(0, "membership.removed", users));
            let added = members(1).map(|users| event(1, "membership.added", users));
            return removed.into_iter().chain(added).collect();
        }
        name(&record.kind)
            .map(|name| Self { part: 0, name, places: places(record), members: None })
            .into_iter()
            .collect()
    }
}

/// The event that a kind of entry is, if it is one.
fn name(kind: &str) -> Option<&'static str> {
    let wanted = match kind {
        "org_unit.created" => "group.created",
        "org_unit.moved" => "group.moved",
        "org_unit.archived" => "group.archived",
        "org_unit.updated" | "org_unit.restored" => "group.updated",
        "user.erased" => "user.deleted",
        "contact_group.expired" => "contact_group.deleted",
        // Many at once are told of as a change of their list.
        "contact_group.contacts_added" => "contact_group.updated",
        kind => kind,
    };
    // Kinds that are about a user's password or the like begin with `user.` too.
    EVENTS.into_iter().find(|event| *event == wanted)
}

/// Where it happened: in the unit that the entry names, and in the one before if it was another.
fn places(record: &JournalRecord) -> Vec<Place> {
    let before = |field: &str| {
        let before = record.payload.get(field)?.get(0)?.as_i64()?;
        Some(OrgUnitId(before))
    };
    let here = record.org_unit_id.map(|unit| Place { unit, itself: true });
    let there = match record.entity.as_str() {
        // The unit itself is the same; it was below another.
        "org_unit" => before("parent_id").map(|unit| Place { unit, itself: false }),
        _ => before("org_unit_id").map(|unit| Place { unit, itself: true }),
    };
    here.into_iter().chain(there).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Actor, Dialect, Timestamp};

    fn record(kind: &str, payload: Value) -> JournalRecord {
        JournalRecord {
            sequence: 1,
            at: Timestamp(0),
            actor: Actor::Operator,
            dialect: Dialect::Cli,
            kind: kind.to_owned(),
            entity: kind.split('.').next().unwrap_or(kind).to_owned(),
            entity_id: "7".to_owned(),
            version: 2,
            org_unit_id: Some(OrgUnitId(5)),
            payload,
        }
    }

    fn names(kind: &str) -> Vec<&'static str> {
        Event::of(&record(kind, json!({}))).into_iter().map(|event| event.name).collect()
    }

    #[test]
    fn entries_are_events_under_their_public_names() {
        assert_eq!(names("org_unit.restored"), ["group.updated"]);
        assert_eq!(names("org_unit.moved"), ["group.moved"]);
        assert_eq!(names("user.erased"), ["user.deleted"]);
        assert_eq!(names("contact.created"), ["contact.created"]);
        assert_eq!(names("contact_group.contacts_added"), ["contact_group.updated"]);
        for kind in ["credential.created", "tenant.renamed", "webhook.disabled", "user.password_changed"] {
            assert_eq!(names(kind), Vec::<&str>::new(), "{kind}");
        }
    }

    #[test]
    fn changed_members_are_one_event_for_those_who_leave_and_one_for_those_who_join() {
        let of = |payload| {
            let events = Event::of(&record("user_group.members_changed", payload));
            events.into_iter().map(|event| (event.part, event.name, event.members)).collect::<Vec<_>>()
        };
        let (removed, added) =
            ((0, "membership.removed", Some(json!([1]))), (1, "membership.added", Some(json!([2, 3]))));
        assert_eq!(of(json!({"members": [[1], [2, 3]]})), [removed.clone(), added.clone()]);
        assert_eq!(of(json!({"members": [[], [2, 3]]})), [added]);
        assert_eq!(of(json!({"members": [[1], []]})), [removed]);
        assert_eq!(of(json!({})), []);
    }

    #[test]
    fn what_is_moved_happens_at_both_ends() {
        let place = |unit, itself| Place { unit: OrgUnitId(unit), itself };
        let places = |kind, payload| Event::of(&record(kind, payload))[0].places.clone();
        let moved = json!({"org_unit_id": [4, 5]});
        assert_eq!(places("user.updated", moved), [place(5, true), place(4, true)]);
        let moved = json!({"parent_id": [4, 3]});
        assert_eq!(places("org_unit.moved", moved), [place(5, true), place(4, false)]);
        assert_eq!(places("user.created", json!({"org_unit_id": [null, 5]})), [place(5, true)]);
    }

    #[test]
    fn patterns_are_names_and_first_words() {
        for pattern in ["user.created", "user.*", "user_group.*", "sms.received", "sms.*"] {
            assert!(is_event_pattern(pattern), "{pattern}");
        }
        for pattern in
            ["", "*", "user", "user.", ".*", "us.*", "user.*.*", "user.created.*", "tenant.*", "User.*"]
        {
            assert!(!is_event_pattern(pattern), "{pattern}");
        }
    }
}
