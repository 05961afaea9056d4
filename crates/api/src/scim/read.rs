//! The bodies of POST and PUT (RFC 7644, sections 3.3 and 3.5.1).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::auth;
use super::schema::{ResourceType, Schema};
use super::value::{is_missing, length, normalize, refuse, set};
use super::{ScimError, ScimType};

/// The greatest sizes (our decisions).
pub mod limits {
    /// How many values an attribute may have, but for those that are detached.
    pub const VALUES: usize = 1000;
    /// Of what can be written of a resource, as compact JSON, in bytes.
    pub const DOCUMENT: usize = 64 * 1024;
}

/// What a body says of a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// What can be written, as it is kept; also a password. Without what is detached.
    pub resource: Map<String, Value>,
    /// The ids of the members, each once, if the body says anything of them.
    pub members: Option<Vec<String>>,
}

/// Reads the JSON of a resource. Attributes that are read-only or that no schema has are passed over: identity
/// providers send such. `schemas` may be missing; if it is there, it has to have the resource's own.
///
/// Errors: `invalidSyntax`, `invalidValue` with the path of what is wrong or missing.
pub fn read(kind: &ResourceType, body: Value) -> Result<Draft, ScimError> {
    let Value::Object(body) = body else {
        return Err(ScimError::new(ScimType::InvalidSyntax, "the body must be a JSON object"));
    };
    let mut draft = Draft::default();
    for (name, value) in body {
        if name.eq_ignore_ascii_case("schemas") {
            check_schemas(kind, &value)?;
        } else if let Some(extension) = kind.extension(&name) {
            set(&mut draft.resource, extension.id, read_extension(extension, value)?);
        } else if let Some(attribute) = kind.attribute(&name).filter(|attribute| !attribute.is_read_only()) {
            let value = normalize(attribute, value)?;
            if attribute.detached {
                draft.members = Some(ids(value.as_ref()));
            } else {
                set(&mut draft.resource, attribute.name, value);
            }
        }
    }
    finish(kind, &mut draft.resource)?;
    Ok(draft)
}

impl Draft {
    /// As it replaces a resource: what lasts keeps its value there when the body says nothing of it.
    #[must_use]
    pub fn replacing(mut self, kind: &ResourceType, before: &Map<String, Value>) -> Self {
        for target in kind.targets().filter(|target| target.attribute.lasting) {
            let name = target.attribute.name;
            if let (None, Some(value)) = (self.resource.get(name), before.get(name)) {
                self.resource.insert(name.to_owned(), value.clone());
            }
        }
        self
    }
}

/// What holds for every resource that is written: what is required is there, the whole is not too large, and its
/// `schemas` are those that it has values of.
pub(super) fn finish(kind: &ResourceType, resource: &mut Map<String, Value>) -> Result<(), ScimError> {
    for target in kind.targets() {
        let attribute = target.attribute;
        if target.extension.is_none() && !attribute.is_read_only() && is_missing(attribute, resource) {
            return refuse(attribute.name, "is required");
        }
    }
    let written = resource
        .iter()
        .filter(|(name, _)| kind.attribute(name).is_none_or(|attribute| !attribute.is_read_only()))
        .map(|(name, value)| name.len() + length(value))
        .sum::<usize>();
    if written > limits::DOCUMENT {
        return refuse("the resource", "must not have more than 65536 bytes of JSON");
    }
    kind.mark_schemas(resource);
    Ok(())
}

/// The ids of members, each once.
pub(super) fn ids(members: Option<&Value>) -> Vec<String> {
    let mut seen = HashSet::new();
    let values = members.and_then(Value::as_array).into_iter().flatten();
    values
        .filter_map(|member| member.get("value")?.as_str())
        .map(spelled)
        .filter(|id| seen.insert(id.clone()))
        .collect()
}

/// An id in the one spelling that it has here, if it is a UUID; their digits are read without case (RFC 4122, section 3).
pub(super) fn spelled(id: &str) -> String {
    let lower = id.to_ascii_lowercase();
    if auth::id(&lower).is_some() { lower } else { id.to_owned() }
}

fn check_schemas(kind: &ResourceType, value: &Value) -> Result<(), ScimError> {
    let Some(urns) = value.as_array() else {
        return refuse("schemas", "must be an array");
    };
    let is_own = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(kind.schema.id));
    if urns.iter().any(is_own) { Ok(()) } else { refuse("schemas", &format!("must have {}", kind.schema.id)) }
}

fn read_extension(schema: &Schema, value: Value) -> Result<Option<Value>, ScimError> {
    let members = match value {
        Value::Null => return Ok(None),
        Value::Object(members) => members,
        _ => return refuse(schema.id, "must be an object"),
    };
    let mut values = Map::new();
    for (name, value) in members {
        if let Some(attribute) = schema.attribute(&name).filter(|attribute| !attribute.is_read_only()) {
            set(&mut values, attribute.name, normalize(attribute, value)?);
        }
    }
    Ok(if values.is_empty() { None } else { Some(values.into()) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{GROUPS, USERS};

    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn resource(body: Value) -> Value {
        read(&USERS, body).unwrap_or_else(|error| panic!("{error}")).resource.into()
    }

    #[test]
    fn what_can_be_written_is_kept_as_it_was_sent() {
        let body = json!({
            "SCHEMAS": [CORE],
            "USERNAME": " Ann ",
            "Name": {"GIVENNAME": "Ann", "familyName": null, "color": "red"},
            "active": "False",
            "emails": [{"value": "A@x.org", "Primary": "TRUE"}, "b@x.org", null, {}],
            "phoneNumbers": [],
            "nickName": null,
            "id": "9",
            "meta": {"version": 1},
            "groups": [{"value": "g"}],
            "color": {"deep": [[[]]]},
            "urn:x:y": {"a": 1},
            "urn:IETF:params:scim:schemas:extension:enterprise:2.0:user": {"Manager": "7", "department": "HR"},
        });
        assert_eq!(
            resource(body),
            json!({
                "userName": " Ann ",
                "name": {"givenName": "Ann"},
                "active": false,
                "emails": [{"value": "A@x.org", "primary": true}, {"value": "b@x.org"}],
                ENTERPRISE: {"manager": {"value": "7"}, "department": "HR"},
                "schemas": [CORE, ENTERPRISE],
            })
        );
        // Of a name that stands twice the last counts.
        assert_eq!(resource(json!({"userName": "a", "title": "x", "TITLE": null})).get("title"), None);
    }

    #[test]
    fn every_writable_attribute_is_accepted() {
        use crate::scim::schema::{Attribute, Kind};
        fn sample(attribute: &Attribute) -> Value {
            let one = match attribute.kind {
                Kind::Complex => attribute
                    .sub_attributes
                    .iter()
                    .filter(|sub| !sub.is_read_only())
                    .map(|sub| (sub.name.to_owned(), sample(sub)))
                    .collect::<Map<String, Value>>()
                    .into(),
                Kind::Boolean => json!(true),
                Kind::DateTime => json!("2026-01-01T00:00:00Z"),
                Kind::String | Kind::Reference | Kind::Binary => json!("text"),
            };
            if attribute.multi_valued { json!([one]) } else { one }
        }
        let mut body = Map::new();
        for target in USERS.targets().filter(|target| !target.attribute.is_read_only()) {
            let value = (target.attribute.name.to_owned(), sample(target.attribute));
            match target.extension {
                None => body.extend([value]),
                Some(extension) => {
                    let values = body.entry(extension.id).or_insert_with(|| json!({}));
                    values[&value.0] = value.1;
                }
            }
        }
        body.insert("schemas".to_owned(), json!([CORE, ENTERPRISE]));
        assert_eq!(resource(body.clone().into()), Value::Object(body));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refused = |body: Value| {
            let error = read(&USERS, body.clone()).expect_err(&body.to_string());
            assert_eq!(error.scim_type, ScimType::InvalidValue);
            error.detail
        };
        assert_eq!(refused(json!({})), "userName is required");
        assert_eq!(refused(json!({"userName": ""})), "userName is required");
        assert_eq!(refused(json!({"userName": 1})), "userName must be a string");
        assert_eq!(refused(json!({"userName": "a", "active": "yes"})), "active must be a boolean");
        assert_eq!(refused(json!({"userName": "a", "name": []})), "name must be an object");
        assert_eq!(refused(json!({"userName": "a", "emails": {}})), "emails must be an array");
        assert_eq!(
            refused(json!({"userName": "a", "emails": [{"value": 1}]})),
            "emails.value must be a string"
        );
        assert_eq!(refused(json!({"userName": "a", "schemas": "x"})), "schemas must be an array");
        assert_eq!(refused(json!({"userName": "a", "schemas": []})), format!("schemas must have {CORE}"));
        assert_eq!(
            refused(json!({"userName": "a", ENTERPRISE: 1})),
            format!("{ENTERPRISE} must be an object")
        );
        let primary = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
        assert_eq!(
            refused(json!({"userName": "a", "emails": primary})),
            "emails must not have more than one primary value"
        );
        assert!(refused(json!({"userName": "a", "title": "x".repeat(65_536)})).contains("65536 bytes"));
        assert!(refused(json!({"userName": "a", "emails": vec!["x"; 1001]})).contains("1000 values"));
        assert_eq!(read(&USERS, json!([])).map_err(|error| error.scim_type), Err(ScimType::InvalidSyntax));
    }

    #[test]
    fn members_stand_beside_the_group() {
        let members: Vec<Value> =
            (0..2000).map(|n| json!({"value": n.to_string(), "display": "x"})).collect();
        let draft = read(&GROUPS, json!({"displayName": "G", "members": members})).unwrap();
        assert_eq!(draft.resource.get("members"), None);
        assert_eq!(draft.members.map(|ids| ids.len()), Some(2000));
        let members = |value: Value| {
            read(&GROUPS, json!({"displayName": "G", "members": value})).map(|draft| draft.members)
        };
        assert_eq!(members(json!([{"value": "a"}, "a"])), Ok(Some(vec!["a".to_owned()])));
        assert_eq!(members(json!(null)), Ok(Some(Vec::new())));
        assert!(members(json!([{"display": "x"}])).is_err());
        assert_eq!(read(&GROUPS, json!({"displayName": "G"})).unwrap().members, None);
    }

    #[test]
    fn what_lasts_survives_a_replacement() {
        let before =
            read(&USERS, json!({"userName": "a", "active": false, "roles": ["Admin"], "title": "x"}))
                .unwrap();
        let after = read(&USERS, json!({"userName": "b", "roles": ["Standard"]})).unwrap();
        let after = after.replacing(&USERS, &before.resource);
        let expected =
            json!({"userName": "b", "roles": [{"value": "Standard"}], "active": false, "schemas": [CORE]});
        assert_eq!(Value::Object(after.resource), expected);
    }
}
