//! The one table of attributes (RFC 7643): what is published, accepted, filtered, patched and returned follows from it.

mod documents;
mod group;
mod table;
mod user;

use serde::Serialize;
use serde_json::{Map, Value};

pub use documents::{
    ServiceProvider, resource_type, resource_types, schema, schemas, service_provider_config,
};
pub use group::GROUP;
pub use user::{ENTERPRISE_USER, USER};

use super::path::AttrPath;
use table::{COMMON, find};

/// Every kind of resource.
pub static RESOURCE_TYPES: [&ResourceType; 2] = [&USERS, &GROUPS];

pub static USERS: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    description: "A person or a service that a role can be given to",
    schema: &USER,
    extensions: &[&ENTERPRISE_USER],
};

pub static GROUPS: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "A group of users",
    schema: &GROUP,
    extensions: &[],
};

/// A kind of resource (RFC 7643, section 6).
#[derive(Debug)]
pub struct ResourceType {
    pub name: &'static str,
    pub endpoint: &'static str,
    pub description: &'static str,
    pub schema: &'static Schema,
    /// None of them is required.
    pub extensions: &'static [&'static Schema],
}

/// A schema (RFC 7643, section 7).
#[derive(Debug, Serialize)]
pub struct Schema {
    /// Its URN.
    pub id: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub attributes: &'static [Attribute],
}

/// The data types of attributes (RFC 7643, section 2.3), as far as there are such attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    String,
    Boolean,
    DateTime,
    Binary,
    Reference,
    Complex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    Always,
    Never,
    Default,
    Request,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    None,
    Server,
    Global,
}

/// The characteristics of an attribute (RFC 7643, sections 2.2 and 7), in the form in which they are published.
#[expect(clippy::struct_excessive_bools, reason = "the characteristics are those that are published")]
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub multi_valued: bool,
    pub description: &'static str,
    pub required: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub canonical_values: &'static [&'static str],
    pub case_exact: bool,
    pub mutability: Mutability,
    pub returned: Returned,
    pub uniqueness: Uniqueness,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub reference_types: &'static [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub sub_attributes: &'static [Attribute],
    /// Its values are so many that they are not part of the resource in memory: what changes them is collected.
    #[serde(skip)]
    pub detached: bool,
    /// It keeps its value when a replacement omits it.
    #[serde(skip)]
    pub lasting: bool,
    /// What its absence means, to a filter also.
    #[serde(skip)]
    pub absence: Option<bool>,
}

impl Schema {
    /// An attribute by its name, without case (RFC 7643, section 2.1).
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.attributes, name)
    }
}

impl Attribute {
    /// A sub-attribute by its name, without case.
    pub fn sub(&self, name: &str) -> Option<&'static Attribute> {
        find(self.sub_attributes, name)
    }

    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }
}

/// An attribute of a resource, or a sub-attribute of one.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The extension in whose object it stands.
    pub extension: Option<&'static Schema>,
    pub attribute: &'static Attribute,
    pub sub: Option<&'static Attribute>,
}

impl Target {
    /// What has a value in the end: the sub-attribute if there is one.
    pub fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The path as it is written, without the URN of an extension.
    pub fn name(&self) -> String {
        match self.sub {
            Some(sub) => format!("{}.{}", self.attribute.name, sub.name),
            None => self.attribute.name.to_owned(),
        }
    }

    /// The object in which the attribute stands.
    pub fn container<'a>(&self, resource: &'a Map<String, Value>) -> Option<&'a Map<String, Value>> {
        match self.extension {
            Some(extension) => resource.get(extension.id)?.as_object(),
            None => Some(resource),
        }
    }
}

impl ResourceType {
    /// The extension with this URN.
    pub fn extension(&self, urn: &str) -> Option<&'static Schema> {
        self.extensions.iter().copied().find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// An attribute by its name without a prefix: a common one (RFC 7643, section 3.1) or one of the main schema.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(COMMON, name).or_else(|| self.schema.attribute(name))
    }

    /// What a path names; `None` if it names nothing of this kind of resource.
    pub fn resolve(&self, path: &AttrPath) -> Option<Target> {
        let (extension, attribute) = match path.schema.as_deref() {
            Some(urn) if !self.schema.id.eq_ignore_ascii_case(urn) => {
                let extension = self.extension(urn)?;
                (Some(extension), extension.attribute(&path.name)?)
            }
            _ => (None, self.attribute(&path.name)?),
        };
        let sub = match path.sub.as_deref() {
            Some(name) => Some(attribute.sub(name)?),
            None => None,
        };
        Some(Target { extension, attribute, sub })
    }

    /// Every attribute with the extension it belongs to, the common ones first.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        let main = COMMON.iter().chain(self.schema.attributes).map(|attribute| (None, attribute));
        let extended = self.extensions.iter().flat_map(|extension| {
            extension.attributes.iter().map(move |attribute| (Some(*extension), attribute))
        });
        main.chain(extended).map(|(extension, attribute)| Target { extension, attribute, sub: None })
    }

    /// Writes the `schemas` of a resource: the main one and those of the extensions that it has values of.
    pub fn mark_schemas(&self, resource: &mut Map<String, Value>) {
        let extensions = self.extensions.iter().filter(|schema| resource.contains_key(schema.id));
        let all: Vec<Value> =
            std::iter::once(&self.schema).chain(extensions).map(|schema| schema.id.into()).collect();
        resource.insert("schemas".to_owned(), all.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_case_and_with_their_urns() {
        let name = |path: &str| {
            let target = USERS.resolve(&path.parse().ok()?)?;
            Some((target.extension.is_some(), target.name()))
        };
        let found = |extended, name: &str| Some((extended, name.to_owned()));
        assert_eq!(name("USERNAME"), found(false, "userName"));
        assert_eq!(name("Meta.lastmodified"), found(false, "meta.lastModified"));
        assert_eq!(
            name("urn:IETF:params:scim:schemas:core:2.0:User:Name.GivenName"),
            found(false, "name.givenName")
        );
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager.value";
        assert_eq!(name(manager), found(true, "manager.value"));
        for unknown in ["manager", "members", "name.value", "userName.value", "urn:x:userName"] {
            assert_eq!(name(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_table_is_sound() {
        fn check(attribute: &Attribute) {
            let name = attribute.name;
            assert_eq!(attribute.kind == Kind::Complex, !attribute.sub_attributes.is_empty(), "{name}");
            assert_eq!(attribute.kind == Kind::Reference, !attribute.reference_types.is_empty(), "{name}");
            // RFC 7643, section 2.2: what is never returned can only be written.
            assert_eq!(
                attribute.mutability == Mutability::WriteOnly,
                attribute.returned == Returned::Never,
                "{name}"
            );
            assert!(!attribute.description.is_empty(), "{name}");
            for sub in attribute.sub_attributes {
                assert!(sub.kind != Kind::Complex && !sub.multi_valued, "{name}.{}", sub.name);
                check(sub);
            }
        }
        for target in RESOURCE_TYPES.iter().flat_map(|kind| kind.targets()) {
            check(target.attribute);
        }
    }
}
