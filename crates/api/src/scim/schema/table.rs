//! How the table is written: an attribute begins as its type says, and methods name what is different.

use super::{Attribute, Kind, Mutability, Returned, Uniqueness};

/// The attribute of this name, without case.
pub(super) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The attributes of every resource (RFC 7643, section 3.1); no schema publishes them.
pub(super) static COMMON: &[Attribute] = &[
    reference("schemas", &["uri"], "The URNs of the schemas that the resource has values of")
        .many()
        .read_only()
        .always(),
    string("id", "The identifier that the service gave the resource").exact().read_only().always().unique(),
    string("externalId", "The identifier that the client gave the resource").exact(),
    complex("meta", META, "What the service knows of the resource").read_only(),
];

const META: &[Attribute] = &[
    string("resourceType", "The name of the resource's kind").exact().read_only(),
    attribute("created", Kind::DateTime, "When the resource was created").read_only(),
    attribute("lastModified", Kind::DateTime, "When the resource was last changed").read_only(),
    reference("location", &["uri"], "The address of the resource").read_only(),
    string("version", "The version of the resource, as its entity tag").exact().read_only(),
];

pub(super) const fn string(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Kind::String, description)
}

pub(super) const fn boolean(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Kind::Boolean, description)
}

/// Bytes in base64; their letters have a case (RFC 7643, section 2.3.6).
pub(super) const fn binary(name: &'static str, description: &'static str) -> Attribute {
    attribute(name, Kind::Binary, description).exact()
}

/// A URI, whose letters have a case (RFC 7643, section 2.3.7).
pub(super) const fn reference(
    name: &'static str,
    types: &'static [&'static str],
    description: &'static str,
) -> Attribute {
    Attribute { reference_types: types, ..attribute(name, Kind::Reference, description).exact() }
}

pub(super) const fn complex(
    name: &'static str,
    sub_attributes: &'static [Attribute],
    description: &'static str,
) -> Attribute {
    Attribute { sub_attributes, ..attribute(name, Kind::Complex, description) }
}

/// The defaults of RFC 7643, section 2.2.
const fn attribute(name: &'static str, kind: Kind, description: &'static str) -> Attribute {
    Attribute {
        name,
        kind,
        multi_valued: false,
        description,
        required: false,
        canonical_values: &[],
        case_exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        reference_types: &[],
        sub_attributes: &[],
        detached: false,
        lasting: false,
        absence: None,
    }
}

impl Attribute {
    pub(super) const fn many(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    pub(super) const fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    pub(super) const fn immutable(self) -> Self {
        Self { mutability: Mutability::Immutable, ..self }
    }

    /// What is written and never shown.
    pub(super) const fn secret(self) -> Self {
        Self { mutability: Mutability::WriteOnly, returned: Returned::Never, ..self }
    }

    pub(super) const fn always(self) -> Self {
        Self { returned: Returned::Always, ..self }
    }

    pub(super) const fn unique(self) -> Self {
        Self { uniqueness: Uniqueness::Server, ..self }
    }

    pub(super) const fn canonical(self, values: &'static [&'static str]) -> Self {
        Self { canonical_values: values, ..self }
    }

    pub(super) const fn detached(self) -> Self {
        Self { detached: true, ..self }
    }

    pub(super) const fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }

    pub(super) const fn absence_means(self, value: bool) -> Self {
        Self { absence: Some(value), ..self }
    }
}
