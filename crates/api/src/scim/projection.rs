//! Which attributes an answer has (RFC 7644, section 3.9; RFC 7643, section 7, `returned`).

use serde_json::{Map, Value};

use super::path::AttrPath;
use super::schema::{Attribute, ResourceType, Returned, Schema, Target};
use super::{ScimError, ScimType};

/// What a request says of the attributes that it wants.
#[derive(Clone, Debug)]
pub struct Projection {
    kind: &'static ResourceType,
    /// `attributes` or `excludedAttributes`.
    only: bool,
    named: Vec<Named>,
}

#[derive(Clone, Debug)]
enum Named {
    Attribute(Target),
    /// All attributes of an extension.
    Extension(&'static Schema),
}

impl Projection {
    /// Reads the two parameters, whose names are separated by commas. Names that mean nothing here are passed over; an
    /// empty parameter is none.
    ///
    /// Errors: `invalidValue` if both are there.
    pub fn read(
        kind: &'static ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self, ScimError> {
        let given = |names: &&str| !names.trim().is_empty();
        let (only, names) = match (attributes.filter(given), excluded.filter(given)) {
            (Some(_), Some(_)) => {
                let detail = "attributes and excludedAttributes cannot be given together";
                return Err(ScimError::new(ScimType::InvalidValue, detail));
            }
            (Some(names), None) => (true, names),
            (None, names) => (false, names.unwrap_or_default()),
        };
        let named = names.split(',').filter_map(|name| Named::of(kind, name.trim())).collect();
        Ok(Self { kind, only, named })
    }

    /// Whether answers have this attribute of the resource at all; if not, it need not be loaded.
    pub fn has(&self, name: &str) -> bool {
        let attribute = self.kind.attribute(name);
        attribute
            .is_some_and(|attribute| self.choice(&Target { extension: None, attribute, sub: None }).is_some())
    }

    /// What an answer shows of a resource.
    pub fn apply(&self, resource: Map<String, Value>) -> Map<String, Value> {
        let mut shown = Map::new();
        for (name, value) in resource {
            let value = match (self.kind.extension(&name), value) {
                (Some(extension), Value::Object(values)) => {
                    let values = self.values(Some(extension), values);
                    (!values.is_empty()).then(|| values.into())
                }
                (_, value) => self.value(None, &name, value),
            };
            if let Some(value) = value {
                shown.insert(name, value);
            }
        }
        shown
    }

    fn values(&self, extension: Option<&'static Schema>, values: Map<String, Value>) -> Map<String, Value> {
        let values = values.into_iter();
        values
            .filter_map(|(name, value)| Some((name.clone(), self.value(extension, &name, value)?)))
            .collect()
    }

    fn value(&self, extension: Option<&'static Schema>, name: &str, value: Value) -> Option<Value> {
        let attribute = match extension {
            Some(extension) => extension.attribute(name),
            None => self.kind.attribute(name),
        }?;
        match self.choice(&Target { extension, attribute, sub: None })? {
            Choice::Whole => Some(value),
            Choice::Parts(parts) => match value {
                Value::Array(values) => {
                    let values: Vec<Value> =
                        values.into_iter().filter_map(|value| part(attribute, &parts, value)).collect();
                    (!values.is_empty()).then(|| values.into())
                }
                value => part(attribute, &parts, value),
            },
        }
    }

    /// What is shown of an attribute, if anything is.
    fn choice(&self, target: &Target) -> Option<Choice> {
        let attribute = target.attribute;
        let (whole, parts) = self.named_of(target);
        let subs = || attribute.sub_attributes.iter().map(|sub| sub.name);
        match (attribute.returned, self.only) {
            (Returned::Never, _) | (Returned::Request, false) => None,
            (Returned::Always, _) => Some(Choice::Whole),
            (_, true) if whole => Some(Choice::Whole),
            (_, true) => (!parts.is_empty()).then_some(Choice::Parts(parts)),
            (Returned::Default, false) if whole => None,
            (Returned::Default, false) if parts.is_empty() => Some(Choice::Whole),
            (Returned::Default, false) => {
                Some(Choice::Parts(subs().filter(|sub| !parts.contains(sub)).collect()))
            }
        }
    }

    /// Whether an attribute is named, and which of its sub-attributes are.
    fn named_of(&self, target: &Target) -> (bool, Vec<&'static str>) {
        let urn = |schema: Option<&'static Schema>| schema.map(|schema| schema.id);
        let (mut whole, mut parts) = (false, Vec::new());
        for named in &self.named {
            match named {
                Named::Extension(schema) => whole |= urn(target.extension) == Some(schema.id),
                Named::Attribute(named)
                    if urn(named.extension) == urn(target.extension)
                        && named.attribute.name == target.attribute.name =>
                {
                    match named.sub {
                        None => whole = true,
                        Some(sub) => parts.push(sub.name),
                    }
                }
                Named::Attribute(_) => {}
            }
        }
        (whole, parts)
    }
}

/// What is shown of an attribute.
enum Choice {
    Whole,
    /// These sub-attributes.
    Parts(Vec<&'static str>),
}

impl Named {
    fn of(kind: &ResourceType, name: &str) -> Option<Self> {
        if let Some(extension) = kind.extension(name) {
            return Some(Self::Extension(extension));
        }
        let path: AttrPath = name.parse().ok()?;
        kind.resolve(&path).map(Self::Attribute)
    }
}

fn part(attribute: &Attribute, parts: &[&str], value: Value) -> Option<Value> {
    let Value::Object(members) = value else {
        return None;
    };
    let is_shown = |name: &str| {
        let always = attribute.sub(name).is_some_and(|sub| sub.returned == Returned::Always);
        always || parts.contains(&name)
    };
    let members: Map<String, Value> = members.into_iter().filter(|(name, _)| is_shown(name)).collect();
    (!members.is_empty()).then(|| members.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::USERS;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn shown(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let resource = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": "1",
            "userName": "ann",
            "password": "secret",
            "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"value": "a@x.org", "type": "work"}, {"type": "home"}],
            ENTERPRISE: {"department": "HR", "manager": {"value": "2"}},
        });
        let Value::Object(resource) = resource else { panic!() };
        let mut shown = Projection::read(&USERS, attributes, excluded).unwrap().apply(resource);
        assert!(shown.remove("schemas").is_some() && shown.remove("id").is_some());
        shown.into()
    }

    #[test]
    fn what_is_asked_for_is_shown() {
        assert_eq!(shown(Some("USERNAME, nothing"), None), json!({"userName": "ann"}));
        assert_eq!(shown(Some("nothing"), None), json!({}));
        assert_eq!(shown(Some(" "), Some("")), shown(None, None));
        assert_eq!(
            shown(Some("name.givenname,emails.value,password"), None),
            json!({"name": {"givenName": "Ann"}, "emails": [{"value": "a@x.org"}]})
        );
        let manager = format!("{ENTERPRISE}:manager.value");
        assert_eq!(shown(Some(&manager), None), json!({ENTERPRISE: {"manager": {"value": "2"}}}));
        assert_eq!(shown(Some(ENTERPRISE), None)[ENTERPRISE]["department"], "HR");
    }

    #[test]
    fn what_is_excluded_is_not() {
        let all = shown(None, None);
        assert_eq!(all.as_object().map(Map::len), Some(4));
        assert_eq!(
            shown(None, Some(&format!("id,schemas,emails.type,name.givenName,{ENTERPRISE}:department"))),
            json!({
                "userName": "ann",
                "name": {"familyName": "Lee"},
                "emails": [{"value": "a@x.org"}],
                ENTERPRISE: {"manager": {"value": "2"}},
            })
        );
        assert_eq!(shown(None, Some(&format!("name,emails,{ENTERPRISE}"))), json!({"userName": "ann"}));
    }

    #[test]
    fn both_at_once_are_refused_and_what_is_not_shown_is_known() {
        assert!(Projection::read(&USERS, Some("a"), Some("b")).is_err());
        let has =
            |attributes, excluded| Projection::read(&USERS, attributes, excluded).unwrap().has("groups");
        assert!(has(None, None) && has(Some("groups.value"), None));
        assert!(!has(Some("id"), None) && !has(None, Some("Groups")));
    }
}
