//! What holds for any PATCH body. The fuzz target and a test of the gate call it; it panics if it does not hold.

use muster_api::scim::patch::{Patch, Profile};
use muster_api::scim::read::read;
use muster_api::scim::schema::{GROUPS, ResourceType, USERS};
use serde_json::{Map, Value, json};

/// A body is refused, or what it makes of a resource could have been sent as a whole.
pub(crate) fn check(body: &Value) {
    for (kind, before) in [(&USERS, user()), (&GROUPS, group())] {
        for profile in [Profile::Rfc, Profile::Entra] {
            let Ok(patch) = Patch::read(kind, profile, body.clone()) else { continue };
            let members = &patch.members;
            assert!(members.leave.iter().all(|id| !members.join.contains(id)), "{body}");
            assert!(!members.replace_all || members.leave.is_empty(), "{body}");
            if let Ok(after) = patch.apply(&before) {
                let sent = read(kind, after.clone().into()).map(|draft| draft.resource);
                assert_eq!(sent, Ok(written(kind, after)), "{body}");
            }
        }
    }
}

/// What can be written of a resource.
fn written(kind: &ResourceType, resource: Map<String, Value>) -> Map<String, Value> {
    let is_written = |name: &str| {
        name == "schemas" || kind.attribute(name).is_none_or(|attribute| !attribute.is_read_only())
    };
    resource.into_iter().filter(|(name, _)| is_written(name)).collect()
}

fn user() -> Map<String, Value> {
    object(&json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1",
        "userName": "ann",
        "name": {"givenName": "Ann", "familyName": "Lee"},
        "active": true,
        "emails": [
            {"value": "a@work.example", "type": "work", "primary": true},
            {"value": "a@home.example", "type": "home"},
        ],
        "groups": [{"value": "g1"}],
        "meta": {"lastModified": "2026-02-03T04:05:06.789Z"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "2"}},
    }))
}

fn group() -> Map<String, Value> {
    object(&json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "id": "1",
        "displayName": "Sales",
    }))
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
